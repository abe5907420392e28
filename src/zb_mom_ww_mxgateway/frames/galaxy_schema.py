"""The Arrow schemas of Galaxy frames, and the names that their columns use."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

__all__ = [
    "ATTRIBUTE_SCHEMA",
    "HIERARCHY_SCHEMA",
    "NAME",
    "OBJECT_CATEGORIES",
    "SECURITY_CLASSIFICATIONS",
    "GalaxyTableError",
    "names_of_data_types",
    "require",
]

# 32-bit indices everywhere: Parquet gives dictionaries back with this width whatever was written.
NAME = pa.dictionary(pa.int32(), pa.string())

#: One row per object, in listing order.
#:
#: - `gobject_id`: the object's key in the Galaxy database; it stays when the object is renamed or moved.
#: - `tag_name`: unique in the Galaxy; references start with it. `contained_name`: the name within the parent, empty
#:   where there is none.
#: - `path`: contained names (tag names where there is none) from the top, joined by `/`, as `root_contained_path` takes
#:   them. `depth`: 0 at the top. Both are null when something above the object could not be seen.
#: - `parent_gobject_id`: 0 at the top. `parent`: its tag name; null at the top, and when it could not be seen.
#: - `area_gobject_id`, `area`: the nearest area above the object; 0 and null without one. `area_path`: the tag names of
#:   all areas above it from the top, joined by `/`.
#: - `category_id`, `category`: what the object is, by number and by name; an unknown number is its own text.
#: - `template`: the template that it was directly derived from; null without one. `template_chain`: that and all above
#:   it, joined by `/`.
#: - `host_gobject_id`, `host`: what runs it; 0 and null without one.
#: - `attribute_count`, `alarm_count`, `historized_count`: its attributes, built-in ones included, and those with
#:   an alarm and with history; null when the listing was made without attributes.
HIERARCHY_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("gobject_id", pa.int32()),
        pa.field("tag_name", pa.string()),
        pa.field("contained_name", pa.string()),
        pa.field("path", pa.string()),
        pa.field("depth", pa.int32()),
        pa.field("parent_gobject_id", pa.int32()),
        pa.field("parent", NAME),
        pa.field("area_gobject_id", pa.int32()),
        pa.field("area", NAME),
        pa.field("area_path", NAME),
        pa.field("is_area", pa.bool_()),
        pa.field("category_id", pa.int32()),
        pa.field("category", NAME),
        pa.field("template", NAME),
        pa.field("template_chain", NAME),
        pa.field("host_gobject_id", pa.int32()),
        pa.field("host", NAME),
        pa.field("attribute_count", pa.int32()),
        pa.field("alarm_count", pa.int32()),
        pa.field("historized_count", pa.int32()),
    ]
)

#: One row per attribute, object by object in listing order.
#:
#: - `gobject_id`, `tag_name`, `area`, `area_path`, `template`, `template_chain`: of its object, as in
#:   `HIERARCHY_SCHEMA`.
#: - `attribute`: its name within the object. `full_tag_reference`: what a command takes, such as `Pump001.Speed`; that
#:   of an array ends with `[]`.
#: - `data_type`: such as `Float`; an unknown number is its own text.
#: - `array_length`: declared number of elements; null for what is no array, -1 for an array without a declared length.
#: - `attribute_category`: the Galaxy's number as text: who may write it and where it is kept; its names are not known.
#: - `security`: security classification; an unknown number is its own text.
#: - `historized`, `alarm`: whether it has history, an alarm. Built-in attributes have neither.
ATTRIBUTE_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("gobject_id", pa.int32()),
        pa.field("tag_name", NAME),
        pa.field("attribute", NAME),
        pa.field("full_tag_reference", pa.string()),
        pa.field("data_type", NAME),
        pa.field("array_length", pa.int32()),
        pa.field("attribute_category", NAME),
        pa.field("security", NAME),
        pa.field("historized", pa.bool_()),
        pa.field("alarm", pa.bool_()),
        pa.field("area", NAME),
        pa.field("area_path", NAME),
        pa.field("template", NAME),
        pa.field("template_chain", NAME),
    ]
)

#: Names of `category_id`, as the Galaxy database has them.
OBJECT_CATEGORIES: Mapping[int, str] = {
    1: "WinPlatform",
    3: "AppEngine",
    10: "UserDefined",
    11: "DeviceIntegration",
    13: "Area",
}

#: Names of `security_classification`, as the Galaxy database has them.
SECURITY_CLASSIFICATIONS: Mapping[int, str] = {
    0: "FreeAccess",
    1: "Operate",
    2: "SecuredWrite",
    3: "VerifiedWrite",
    4: "Tune",
    5: "Configure",
    6: "ViewOnly",
}

#: Names of `mx_data_type`, for an attribute that comes without `data_type_name`.
_DATA_TYPES: Mapping[int, str] = {
    0: "NoData",
    1: "Boolean",
    2: "Integer",
    3: "Float",
    4: "Double",
    5: "String",
    6: "Time",
    7: "ElapsedTime",
    8: "ReferenceType",
    13: "Enumeration",
    14: "Custom",
    15: "InternationalizedString",
    16: "BigString",
}


class GalaxyTableError(ValueError):
    """A table is not what it must be: a column is missing, or it is no snapshot of a Galaxy."""


def names_of_data_types() -> Mapping[int, str]:
    """Names of data types by their number in the Galaxy."""
    return _DATA_TYPES


def require(table: pa.Table, columns: tuple[str, ...], what: str) -> None:
    """Check that a table has the columns that something needs.

    Raises:
        GalaxyTableError: one is missing; names it and what is there.
    """
    missing = [name for name in columns if name not in table.schema.names]
    if missing:
        there = ", ".join(table.schema.names) or "none"
        raise GalaxyTableError(f"{what} needs the column {', '.join(missing)}; the table's columns are: {there}")
