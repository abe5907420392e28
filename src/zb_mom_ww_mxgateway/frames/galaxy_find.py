"""Search for tags in a table of attributes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypedDict

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .galaxy import GalaxySnapshot
from .galaxy_pandas import galaxy_frame
from .galaxy_schema import SECURITY_CLASSIFICATIONS, names_of_data_types, require

__all__ = ["TagFilter", "find", "find_table"]

_Names = str | Sequence[str]


class TagFilter(TypedDict, total=False):
    """What narrows a search for tags beside its glob; all given filters must hold. Case does not matter in any of them.

    Attributes:
        regex: a Python regular expression, found anywhere in the reference; or a compiled one, which keeps its flags.
        area: tag names of areas, as globs: what is in one of them or in an area below it; or paths of areas
            (`Site_01/*`).
        template: templates, as globs: what derives from one of them, directly or not.
        data_type: names of data types, such as `Float`.
        security: security classifications, such as `Operate`.
        historized: whether it has history.
        alarm: whether it has an alarm.
    """

    regex: str | re.Pattern[str] | None
    area: _Names | None
    template: _Names | None
    data_type: _Names | None
    security: _Names | None
    historized: bool | None
    alarm: bool | None


def find(
    attributes: GalaxySnapshot | pa.Table | pd.DataFrame,
    glob: _Names | None = None,
    *,
    regex: str | re.Pattern[str] | None = None,
    area: _Names | None = None,
    template: _Names | None = None,
    data_type: _Names | None = None,
    security: _Names | None = None,
    historized: bool | None = None,
    alarm: bool | None = None,
) -> pd.DataFrame:
    """Search for tags.

    The column `full_tag_reference` of the result goes into `collect_events`, `read_bulk` and the writes as it is.

    Args:
        attributes: a snapshot, its `attributes` table, or a frame of that, whole or in part.
        glob: over the whole reference, or several: `*` is any text, `?` any character, as in `Pump_*.Speed`. The `[]`
            of an array may be left out.
        regex: see `TagFilter` for this and the rest.
        area: …
        template: …
        data_type: …
        security: …
        historized: …
        alarm: …

    Returns:
        The rows that pass, in listing order, typed as in `attribute_frame`, with a plain `RangeIndex`.

    Raises:
        GalaxyTableError: a ValueError; the table lacks a column that a filter needs.
        ValueError: the regular expression is none, or there is no such data type or security classification.
        TypeError: a filter is of a wrong type.
    """
    if isinstance(attributes, pd.DataFrame):
        table = pa.Table.from_pandas(attributes, preserve_index=False)
    else:
        table = attributes.attributes if isinstance(attributes, GalaxySnapshot) else attributes
    found = find_table(
        table,
        glob=glob,
        regex=regex,
        area=area,
        template=template,
        data_type=data_type,
        security=security,
        historized=historized,
        alarm=alarm,
    )
    return galaxy_frame(found)


def find_table(
    table: pa.Table,
    *,
    glob: _Names | None = None,
    regex: str | re.Pattern[str] | None = None,
    area: _Names | None = None,
    template: _Names | None = None,
    data_type: _Names | None = None,
    security: _Names | None = None,
    historized: bool | None = None,
    alarm: bool | None = None,
) -> pa.Table:
    """`find` from Arrow to Arrow; arguments, order of rows and errors are the same."""
    pattern = _compiled(regex)
    require(table, ("full_tag_reference",), "a search for tags")
    # What is cheap first, so that the expressions see what is left of it.
    for name, wanted in (("historized", historized), ("alarm", alarm)):
        if wanted is not None:
            if not isinstance(wanted, bool):
                raise TypeError(f"{name}={wanted!r} must be True, False or None")
            require(table, (name,), f"the filter {name}")
            table = table.filter(pc.equal(table.column(name), wanted))
    for name, given, known in (
        ("data_type", data_type, names_of_data_types().values()),
        ("security", security, SECURITY_CLASSIFICATIONS.values()),
    ):
        if given is not None:
            require(table, (name,), f"the filter {name}")
            table = _in(table, name, _names(name, given), set(known))
    for name, column, given in (("area", "area_path", area), ("template", "template_chain", template)):
        if given is not None:
            require(table, (column,), f"the filter {name}")
            parts = "|".join(_part(each) for each in _names(name, given))
            table = _by_text(table, column, parts)
    if glob is not None:
        wholes = "|".join(rf"^{_glob(each)}(\[\])?$" for each in _names("glob", glob))
        table = _by_text(table, "full_tag_reference", wholes)
    if pattern is not None:
        references = table.column("full_tag_reference").to_pylist()
        hits = [each is not None and pattern.search(each) is not None for each in references]
        table = table.filter(pa.array(hits, pa.bool_()))
    return table


def _compiled(regex: Any) -> re.Pattern[str] | None:
    if regex is None or isinstance(regex, re.Pattern):
        return regex
    if not isinstance(regex, str):
        raise TypeError(f"regex={regex!r} must be a text or a compiled expression")
    try:
        return re.compile(regex, re.IGNORECASE)
    except re.error as error:
        raise ValueError(
            f"regex={regex!r} is no regular expression: {error}; for * and ? as wildcards use glob="
        ) from error


def _names(what: str, given: _Names) -> list[str]:
    names = [given] if isinstance(given, str) else list(given)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise TypeError(f"{what}={given!r} must be a name or a list of names")
    return names


def _in(table: pa.Table, column: str, wanted: list[str], known: set[str]) -> pa.Table:
    """The rows with one of the values, in any case; a value that neither the table nor the Galaxy knows is an error."""
    texts = pc.unique(table.column(column)).to_pylist()
    spelled = {each.lower(): each for each in (*sorted(known), *(text for text in texts if text is not None))}
    unknown = [each for each in wanted if each.lower() not in spelled]
    if unknown:
        raise ValueError(f"there is no {column} {', '.join(unknown)}; there are {', '.join(sorted(spelled.values()))}")
    values = pa.array([spelled[each.lower()] for each in wanted], pa.string())
    return table.filter(pc.is_in(_plain(table.column(column)), value_set=values))


def _by_text(table: pa.Table, column: str, pattern: str) -> pa.Table:
    """The rows whose text matches; a dictionary is looked through once and not row by row."""
    texts = table.column(column)
    if pa.types.is_dictionary(texts.type):
        distinct = _plain(pc.unique(texts))
        hits = distinct.filter(pc.match_substring_regex(distinct, pattern, ignore_case=True))
        return table.filter(pc.is_in(_plain(texts), value_set=hits))
    return table.filter(pc.match_substring_regex(texts, pattern, ignore_case=True))


def _plain(column: Any) -> Any:
    kind = column.type
    return column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column


def _glob(glob: str) -> str:
    """A glob as an expression of RE2, whose time does not explode whatever the pattern."""
    return "".join({"*": ".*", "?": "."}.get(char) or re.escape(char) for char in glob)


def _part(glob: str) -> str:
    """A glob over one member of a list that is joined by `/`, or over all from the top when it has a `/` itself."""
    if "/" in glob:
        return f"^{_glob(glob)}$"
    member = "".join({"*": "[^/]*", "?": "[^/]"}.get(char) or re.escape(char) for char in glob)
    return f"(^|/){member}(/|$)"
