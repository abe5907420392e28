"""What differs between two states of a Galaxy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .galaxy import GalaxySnapshot
from .galaxy_pandas import galaxy_frame
from .galaxy_schema import NAME, GalaxyTableError, require

__all__ = ["CHANGE_SCHEMA", "diff_hierarchy", "diff_table"]

#: One row per difference.
#:
#: - `change`: "added", "removed", "moved" (another parent or area), "renamed" (the same object or attribute by another
#:   name or reference) or "changed".
#: - `kind`: "object" or "attribute".
#: - `gobject_id`, `tag_name`: the object, by its new name; a removed one by its old.
#: - `attribute`, `full_tag_reference`: null for an object; the new reference, of a removed attribute its old.
#: - `field`, `old`, `new`: which column differs, and its values as text; null for none, and for "added" and
#:   "removed".
CHANGE_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("change", NAME),
        pa.field("kind", NAME),
        pa.field("gobject_id", pa.int32()),
        pa.field("tag_name", pa.string()),
        pa.field("attribute", pa.string()),
        pa.field("full_tag_reference", pa.string()),
        pa.field("field", NAME),
        pa.field("old", pa.string()),
        pa.field("new", pa.string()),
    ]
)


class _Field(NamedTuple):
    """A column that is compared, and what a difference in it is called; `by` is what decides, the id behind a name."""

    name: str
    change: str
    by: str


_OBJECT_FIELDS = (
    _Field("parent", "moved", "parent_gobject_id"),
    _Field("area", "moved", "area_gobject_id"),
    _Field("tag_name", "renamed", "tag_name"),
    _Field("contained_name", "renamed", "contained_name"),
    _Field("category", "changed", "category_id"),
    _Field("is_area", "changed", "is_area"),
    _Field("template_chain", "changed", "template_chain"),
    _Field("host", "changed", "host_gobject_id"),
)
_ATTRIBUTE_FIELDS = (
    _Field("full_tag_reference", "renamed", "full_tag_reference"),
    *(
        _Field(name, "changed", name)
        for name in ("data_type", "array_length", "attribute_category", "security", "historized", "alarm")
    ),
)
_ORDER = ("removed", "added", "moved", "renamed", "changed")
_Rows = npt.NDArray[np.int64]


def diff_hierarchy(before: GalaxySnapshot | pa.Table, after: GalaxySnapshot | pa.Table) -> pd.DataFrame:
    """Compare two states of a Galaxy.

    An object is the same when its id is; an attribute is the same when its object and its name within it are. With an
    added or removed object, its attributes are listed too.

    Args:
        before: a snapshot, of last week for example (`load_galaxy`); or its `hierarchy` table, which compares objects
            alone.
        after: the same of now.

    Returns:
        The columns of `CHANGE_SCHEMA`, one row per difference: objects, then attributes; of each what was removed,
        added, moved, renamed and changed, by id. Empty when nothing differs.

    Raises:
        GalaxyTableError: a ValueError; a table lacks a column, or the two snapshots were listed with different filters,
            so that what only one of them asked for would look added or removed.
        TypeError: one is a snapshot and the other a table.
    """
    return galaxy_frame(diff_table(before, after))


def diff_table(before: GalaxySnapshot | pa.Table, after: GalaxySnapshot | pa.Table) -> pa.Table:
    """`diff_hierarchy` as an Arrow table, `CHANGE_SCHEMA`."""
    if isinstance(before, GalaxySnapshot) and isinstance(after, GalaxySnapshot):
        if (before.filters or {}) != (after.filters or {}):
            raise GalaxyTableError(
                f"the listings were made with different filters, {dict(before.filters or {})} and "
                f"{dict(after.filters or {})}: compare like with like"
            )
        parts = [*_objects(before.hierarchy, after.hierarchy), *_attributes(before.attributes, after.attributes)]
    elif isinstance(before, pa.Table) and isinstance(after, pa.Table):
        parts = _objects(before, after)
    else:
        raise TypeError("give two snapshots or two hierarchy tables, not one of each")
    return pa.concat_tables([CHANGE_SCHEMA.empty_table(), *parts]).unify_dictionaries().combine_chunks()


def _objects(before: pa.Table, after: pa.Table) -> list[pa.Table]:
    names = ("gobject_id", "tag_name", *(each for field in _OBJECT_FIELDS for each in (field.name, field.by)))
    for table in (before, after):
        require(table, names, "a comparison of objects")
    keys = [table.column("gobject_id").to_numpy().astype(np.int64) for table in (before, after)]
    return _differences("object", before, after, keys[0], keys[1], _OBJECT_FIELDS)


def _attributes(before: pa.Table, after: pa.Table) -> list[pa.Table]:
    names = ("gobject_id", "tag_name", "attribute", *(field.name for field in _ATTRIBUTE_FIELDS))
    for table in (before, after):
        require(table, names, "a comparison of attributes")
    # One dictionary over both tables: object and attribute become one number, which sorts fast.
    both = [table.column("attribute").cast(pa.string()) for table in (before, after)]
    codes = pa.chunked_array([*both[0].chunks, *both[1].chunks], pa.string()).combine_chunks().dictionary_encode()
    ids = np.concatenate([table.column("gobject_id").to_numpy().astype(np.int64) for table in (before, after)])
    keys = ids << 32 | codes.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return _differences("attribute", before, after, keys[: before.num_rows], keys[before.num_rows :], _ATTRIBUTE_FIELDS)


def _differences(
    kind: str, before: pa.Table, after: pa.Table, old: _Rows, new: _Rows, fields: tuple[_Field, ...]
) -> list[pa.Table]:
    """The differences of tables whose rows have keys."""
    same, rows_before, rows_after = np.intersect1d(old, new, return_indices=True)
    parts = {change: [] for change in _ORDER}  # type: dict[str, list[pa.Table]]
    for change, table, keys in (("removed", before, old), ("added", after, new)):
        rows = np.flatnonzero(~np.isin(keys, same))
        parts[change].append(_changes(change, kind, table, rows))
    for field in fields:
        changed = _differs(before.column(field.by), after.column(field.by), rows_before, rows_after)
        if len(changed):
            here = rows_after[changed]
            texts = [_texts(before, field.name, rows_before[changed]), _texts(after, field.name, here)]
            parts[field.change].append(_changes(field.change, kind, after, here, field.name, texts))
    return [_sorted(tables) for tables in parts.values()]


def _sorted(tables: list[pa.Table]) -> pa.Table:
    if not tables:
        return CHANGE_SCHEMA.empty_table()
    table = pa.concat_tables(tables).unify_dictionaries()
    return table if len(tables) == 1 else table.take(pc.sort_indices(table, [("gobject_id", "ascending")]))


def _differs(before: pa.ChunkedArray, after: pa.ChunkedArray, rows_before: _Rows, rows_after: _Rows) -> _Rows:
    """Where two columns differ, as places in the lists of rows."""
    old, new = (_plain(column).take(pa.array(rows)) for column, rows in ((before, rows_before), (after, rows_after)))
    changed = pc.or_(pc.fill_null(pc.not_equal(old, new), False), pc.xor(pc.is_null(old), pc.is_null(new)))
    return np.flatnonzero(
        changed.to_numpy(zero_copy_only=False) if isinstance(changed, pa.Array) else changed.to_numpy()
    )


def _changes(
    change: str, kind: str, table: pa.Table, rows: _Rows, field: str | None = None, texts: list[pa.Array] | None = None
) -> pa.Table:
    count = len(rows)

    def repeated(text: str | None) -> Any:
        return pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(count, np.int32), mask=np.full(count, text is None)), pa.array([text or ""])
        )

    def own(name: str) -> Any:
        return _texts(table, name, rows) if kind == "attribute" else pa.nulls(count, pa.string())

    old, new = texts or [pa.nulls(count, pa.string())] * 2
    columns = [
        repeated(change),
        repeated(kind),
        table.column("gobject_id").take(pa.array(rows)),
        _texts(table, "tag_name", rows),
        own("attribute"),
        own("full_tag_reference"),
        repeated(field),
        old,
        new,
    ]
    return pa.Table.from_arrays(columns, schema=CHANGE_SCHEMA)


def _texts(table: pa.Table, column: str, rows: _Rows) -> Any:
    values = _plain(table.column(column)).take(pa.array(rows))
    return values.cast(pa.string())


def _plain(column: Any) -> Any:
    kind = column.type
    return column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column
