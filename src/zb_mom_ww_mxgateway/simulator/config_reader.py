"""Reading a configuration table so that every mistake is named by its place and by what was expected there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import TypeVar

__all__ = ["PlantConfigError", "Table"]

_Choice = TypeVar("_Choice")


class PlantConfigError(ValueError):
    """A configuration file that cannot be used; the message says where and what was expected.

    Args:
        source: name of the file.
        path: of the key, such as `objects[2].attributes.Speed.signal.kind` (lists count from 0).
        problem: what is wrong with it.
    """

    def __init__(self, source: str, path: str, problem: str) -> None:
        super().__init__(f"{source}: {path}: {problem}" if path else f"{source}: {problem}")
        self.source = source
        self.path = path
        self.problem = problem


class Table:
    """A table of a configuration file. Keys that nobody asked for are refused by `done`.

    Args:
        source: name of the file, for messages.
        path: of the table in the file; "" is the file itself.
        data: what it holds.
    """

    def __init__(self, source: str, path: str, data: Mapping[str, object]) -> None:
        self.source = source
        self.path = path
        self.data = data
        self._asked: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def error(self, key: str, problem: str) -> PlantConfigError:
        """A mistake at a key of this table ("" for the table itself)."""
        return PlantConfigError(self.source, self._place(key), problem)

    def expected(self, key: str, what: str) -> PlantConfigError:
        """The mistake that another kind of value stands at a key, or none."""
        if key not in self.data:
            return self.error(key, f"missing; expected {what}")
        return self.error(key, f"expected {what}; got {_shown(self.data[key])}")

    def raw(self, key: str) -> object:
        """Whatever stands at a key; None when nothing does."""
        self._asked.append(key)
        return self.data.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A string."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self.expected(key, "a string")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """A truth value: true or false."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.expected(key, "true or false")
        return value

    def number(self, key: str, default: float | None = None, *, above: float | None = None) -> float:
        """A finite number, above a bound where one is given."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        wanted = "a number" if above is None else f"a number above {above:g}"
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.expected(key, wanted)
        if above is not None and value <= above:
            raise self.expected(key, wanted)
        return float(value)

    def integer(self, key: str, default: int | None = None, *, low: int, high: int) -> int:
        """A whole number in a range."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.expected(key, f"a whole number from {low} to {high}")
        return value

    def pair(self, key: str, default: tuple[float, float]) -> tuple[float, float]:
        """Two numbers, the shortest and the longest of something."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, list) and len(value) == 2:
            low, high = value
            if all(isinstance(each, int | float) and not isinstance(each, bool) for each in value) and 0 < low <= high:
                return float(low), float(high)
        raise self.expected(key, "two numbers above 0, the smaller one first")

    def choice(self, key: str, choices: Mapping[str, _Choice], default: _Choice | None = None) -> _Choice:
        """One of some words, in any case."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if isinstance(value, str):
            for word, meaning in choices.items():
                if word.lower() == value.lower():
                    return meaning
        raise self.expected(key, f"one of {', '.join(choices)}")

    def table(self, key: str) -> Table | None:
        """A table; None when there is none."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.expected(key, "a table")
        return Table(self.source, self._place(key), value)

    def tables(self, key: str) -> Iterator[Table]:
        """A list of tables; none when the key is not there."""
        value = self.raw(key)
        if value is None:
            return
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.expected(key, f"a list of tables, each written as [[{key}]]")
        for number, each in enumerate(value):
            yield Table(self.source, f"{self._place(key)}[{number}]", each)

    def named(self, key: str) -> Iterator[tuple[str, Table]]:
        """A table of tables; none when the key is not there."""
        outer = self.table(key)
        for name in outer.data if outer is not None else ():
            inner = outer.table(name) if outer is not None else None
            if inner is not None:
                yield name, inner

    def done(self, also: Sequence[str] = ()) -> None:
        """Refuse keys that nobody asked for."""
        known = list(dict.fromkeys((*self._asked, *also)))
        for key in self.data:
            if key not in known:
                raise self.error(key, f"unknown key; expected {_one_of(known)}")

    def _place(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path and key else self.path or key


def _one_of(words: Iterable[str]) -> str:
    known = [word for word in words if word]
    return f"one of {', '.join(known)}" if known else "nothing here"


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return "a table"
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= 60 else shown[:57] + "..."
