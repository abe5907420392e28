"""An input for every type of tag, and the check of what was typed.

Nothing is clamped or rounded on the way: what does not fit is refused with a message, and the confirmation shows what
will be sent.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import ipywidgets as widgets

from ..values import MxValueInput
from .protocols import TagInfo

__all__ = ["Editor", "editor_for", "shown"]

_INT32 = range(-(2**31), 2**31)
_FLOAT32_MAX = 3.4028235677973366e38
_WIDE = widgets.Layout(width="100%", max_width="420px")
_FLOATS = ("Float", "Double")


class Editor:
    """An input and how to read it.

    Args:
        widget: the input.
        parse: the value to write from the widget's own; raises `ValueError` with a message for the user.
        hint: what can be entered.
    """

    def __init__(self, widget: Any, parse: Callable[[Any], MxValueInput], hint: str) -> None:
        self.widget = widget
        self.hint = hint
        self._parse = parse

    def read(self) -> MxValueInput:
        """The value to write.

        Raises:
            ValueError: what was entered cannot be written; says why.
        """
        return self._parse(self.widget.value)


def editor_for(info: TagInfo) -> Editor:
    """The input for a tag, filled with its current value."""
    if info.array_length is not None or isinstance(info.value, list):
        return _array(info)
    if info.enum_labels:
        return _choice(info)
    kind = info.data_type or _natural(info.value)
    value = info.value
    if kind == "Boolean":
        box = widgets.Checkbox(value=bool(value), description="New value is true", indent=False, layout=_WIDE)
        return Editor(box, bool, "Ticked is true, not ticked is false.")
    if kind == "Integer" or (kind == "Enumeration" and isinstance(value, int)):
        number = widgets.IntText(value=value if isinstance(value, int) else 0, layout=_WIDE)
        return Editor(number, _integer, f"A whole number, {_INT32[0]:,} to {_INT32[-1]:,}.")
    if kind in _FLOATS:
        start = float(_number(value)) if isinstance(value, int | float) else 0.0
        field = widgets.FloatText(value=start, layout=_WIDE)
        return Editor(field, _single if kind == "Float" else _double, "A number.")
    if kind == "Time":
        # A picker knows whole seconds; what it shows is the browser's local time.
        moment = value.replace(microsecond=0) if isinstance(value, datetime) else None
        return Editor(
            widgets.DatetimePicker(value=moment, layout=_WIDE),
            _moment,
            "Date and time, in the time zone of this browser.",
        )
    if kind == "ElapsedTime":
        seconds = value.total_seconds() if isinstance(value, timedelta) else 0.0
        return Editor(widgets.FloatText(value=seconds, layout=_WIDE), _elapsed, "A duration in seconds.")
    if isinstance(value, bytes) or kind == "Custom":
        return Editor(
            widgets.Text(value=value.hex(" ") if value else "", layout=_WIDE), _bytes, "Bytes in hex: 01 a0 ff."
        )
    text = "" if value is None else str(value)
    if kind == "BigString" or "\n" in text:
        area = widgets.Textarea(value=text, rows=4, layout=widgets.Layout(width="100%"))
        return Editor(area, str, "Text, sent as it stands.")
    return Editor(widgets.Text(value=text, layout=_WIDE), str, "Text, sent as it stands.")


def shown(value: MxValueInput, limit: int = 120) -> str:
    """A value in one line for people."""
    if value is None:
        return "no value"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(value, bytes):
        text = value.hex(" ")
    elif isinstance(value, list):
        text = f"[{', '.join(shown(item) if not isinstance(item, str) else json.dumps(item) for item in value)}]"
    else:
        text = _number(value) if isinstance(value, float) else str(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _number(value: float) -> str:
    """A number without the digits that a 32-bit float only seems to have: 0.1 and not 0.10000000149011612."""
    is_single = abs(value) <= _FLOAT32_MAX and struct.unpack("f", struct.pack("f", value))[0] == value
    return f"{value:.7g}" if is_single else repr(value)


def _natural(value: Any) -> str:
    """The type of a tag that the Galaxy does not know, by its value."""
    kinds = ((bool, "Boolean"), (int, "Integer"), (float, "Double"), (datetime, "Time"), (timedelta, "ElapsedTime"))
    return next((name for python_type, name in kinds if isinstance(value, python_type)), "String")


def _choice(info: TagInfo) -> Editor:
    labels = list(info.enum_labels)
    by_number = isinstance(info.value, int) and not isinstance(info.value, bool)
    options = [(label, number if by_number else label) for number, label in enumerate(labels)]
    known = info.value in [value for _, value in options]
    box = widgets.Dropdown(options=options, value=info.value if known else None, layout=_WIDE)

    def chosen(value: Any) -> Any:
        if value is None:
            raise ValueError("Choose a value.")
        return value

    return Editor(box, chosen, f"One of {len(labels)} states.")


def _integer(value: int) -> int:
    if value not in _INT32:
        raise ValueError(f"{value:,} does not fit into 32 bits: {_INT32[0]:,} to {_INT32[-1]:,}.")
    return value


def _double(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number.")
    return value


def _single(value: float) -> float:
    if abs(_double(value)) > _FLOAT32_MAX:
        raise ValueError(f"{value:g} does not fit into a 32-bit float (3.4e38).")
    return value


def _moment(value: datetime | None) -> datetime:
    if value is None:
        raise ValueError("Enter a date and a time.")
    return value


def _elapsed(value: float) -> timedelta:
    try:
        return timedelta(seconds=_double(value))
    except OverflowError:
        raise ValueError(f"{value:g} seconds is too long.") from None


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError("Bytes are written in hex, two digits each: 01 a0 ff.") from None


# Arrays ---------------------------------------------------------------------------------------------------------------


def _array(info: TagInfo) -> Editor:
    values = info.value if isinstance(info.value, list) else []
    length = info.array_length or len(values)
    kind = info.data_type or _natural(values[0] if values else "")
    area = widgets.Textarea(
        value=json.dumps([_to_json(value) for value in values], ensure_ascii=False),
        rows=5,
        layout=widgets.Layout(width="100%"),
    )
    count = f"{length} elements" if length else "elements"

    def parse(text: str) -> list[Any]:
        try:
            items = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"This is no list: {error.msg} at line {error.lineno}, column {error.colno}. "
                'Write it like [1, 2, 3] or [true, false] or ["a", "b"].'
            ) from None
        if not isinstance(items, list):
            raise ValueError("Write a list: [1, 2, 3].")
        if length and len(items) != length:
            raise ValueError(f"The array has {length} elements, this list has {len(items)}.")
        if not items:
            raise ValueError("An empty list cannot be written.")
        return [_element(number, item, kind) for number, item in enumerate(items, start=1)]

    return Editor(area, parse, f"A list of {count}, written like {_EXAMPLES.get(kind, _TEXTS)}")


_TEXTS = '["a", "b"]'
_EXAMPLES = {
    "Boolean": "[true, false]",
    "Integer": "[1, 2, 3]",
    "Float": "[1.5, 2.5]",
    "Double": "[1.5, 2.5]",
    "Time": '["2026-01-31T08:00:00Z"]',
    "ElapsedTime": "[60, 90.5], in seconds",
}


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.hex(" ") if isinstance(value, bytes) else value


def _element(number: int, item: Any, kind: str) -> Any:
    """One element of an array in the array's type."""
    is_number = isinstance(item, int | float) and not isinstance(item, bool)
    wrong = f"Element {number}: {json.dumps(item, ensure_ascii=False)} is not "
    try:
        if kind == "Boolean":
            if not isinstance(item, bool):
                raise ValueError(f"{wrong}true or false.")
            return item
        if kind == "Integer":
            if not isinstance(item, int) or isinstance(item, bool):
                raise ValueError(f"{wrong}a whole number.")
            return _integer(item)
        if kind in (*_FLOATS, "ElapsedTime"):
            if not is_number:
                raise ValueError(f"{wrong}a number.")
            return {"Float": _single, "Double": _double, "ElapsedTime": _elapsed}[kind](float(item))
        if not isinstance(item, str):
            raise ValueError(f"{wrong}text in quotes.")
        return _time_of(item) if kind == "Time" else item
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith("Element") else f"Element {number}: {text}") from None


def _time_of(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is not a time like 2026-01-31T08:00:00Z.') from None
    if moment.tzinfo is None:
        raise ValueError(f'"{text}" has no time zone: end it with Z for UTC.')
    return moment
