"""The Arrow schema of event frames, and the names that its columns use.

Column order is that of the pandas long form (`events_frame`), which adds `value` after `tag`.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from google.protobuf.descriptor import EnumDescriptor

from ..generated import mxaccess_gateway_pb2 as pb

__all__ = [
    "EVENT_SCHEMA",
    "TIMESTAMP",
    "VALUE_COLUMNS",
    "VALUE_TYPES",
    "conform",
    "enum_names",
    "enum_number",
]

#: Every instant in a table: whole microseconds, UTC. Nanoseconds would end in 1677 and 2262, and .NET sends year 0001.
TIMESTAMP = pa.timestamp("us", tz="UTC")

# 32-bit indices everywhere: Parquet gives dictionaries back with this width whatever was written.
_NAME = pa.dictionary(pa.int32(), pa.string())

#: Where the values of an event are. At most one of these is not null in a row.
VALUE_COLUMNS: tuple[str, ...] = (
    "value_bool",
    "value_int",
    "value_float",
    "value_string",
    "value_time",
    "value_array",
    "value_raw",
)

#: Names in `value_type`. Null there means that the event carries no value; `"null"` that its value is empty, or of a
#: kind that the contract does not know. `"elapsed"` is a 64-bit integer whose data type is elapsed time.
VALUE_TYPES: tuple[str, ...] = (
    "null",
    "bool",
    "int32",
    "int64",
    "float",
    "double",
    "string",
    "time",
    "array",
    "raw",
    "sparse",
    "elapsed",
)

#: The long form of events, one row per event (DESIGN.md "Frames").
#:
#: - `time`: source timestamp. Null when the event has none, or one outside the years 0001-9999.
#: - `tag`: tag reference. Null when the handles are not in the mapping.
#: - `value_type`: one of `VALUE_TYPES`.
#: - `quality`: OPC quality, 0-255 (192 good, 64 uncertain, 0 bad). 32 bits wide like the field on the wire, so that a
#:   number outside the byte is shown and not wrapped. Null on events that have no quality, such as write completions.
#: - `good`: the two quality bits say good (`quality & 0xC0 == 0xC0`); null where `quality` is.
#: - `status_category`, `status_detail`: the first status that is not OK, else the first; null when there is none.
#: - `sequence`: worker sequence, contiguous per session. `received`: when the gateway got the event.
#: - `value_int` holds 32 and 64 bits, and elapsed times in ticks of 100 ns; `value_float` single and double precision.
#: - `value_array` is a serialized `MxArray` (`array_values` reads it): exact whatever its element type and rank, and
#:   nothing to pay for where there is none, which nested Arrow columns for eight element types would not be.
#: - `value_raw` is raw bytes, or a serialized `MxSparseArray` where `value_type` is `"sparse"` (a thing of writes).
EVENT_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("time", TIMESTAMP),
        pa.field("tag", _NAME),
        pa.field("value_type", _NAME),
        pa.field("quality", pa.int32()),
        pa.field("good", pa.bool_()),
        pa.field("status_category", _NAME),
        pa.field("status_detail", pa.int32()),
        pa.field("sequence", pa.uint64()),
        pa.field("received", TIMESTAMP),
        pa.field("family", _NAME),
        pa.field("item_handle", pa.int32()),
        pa.field("server_handle", pa.int32()),
        pa.field("session_id", _NAME),
        pa.field("value_bool", pa.bool_()),
        pa.field("value_int", pa.int64()),
        pa.field("value_float", pa.float64()),
        pa.field("value_string", pa.string()),
        pa.field("value_time", TIMESTAMP),
        pa.field("value_array", pa.binary()),
        pa.field("value_raw", pa.binary()),
    ]
)


def _enum(name: str) -> EnumDescriptor | None:
    return pb.DESCRIPTOR.enum_types_by_name.get(name)


def enum_names(name: str, prefix: str) -> Mapping[int, str]:
    """Names of a contract enum by number, without their common prefix; empty when the contract lacks the enum."""
    enum = _enum(name)
    return {} if enum is None else {value.number: value.name.removeprefix(prefix) for value in enum.values}


def enum_number(name: str, value: str) -> int | None:
    """Number of a contract enum's value, or None when the contract lacks the enum or the value."""
    enum = _enum(name)
    found = None if enum is None else enum.values_by_name.get(value)
    return None if found is None else found.number


def conform(table: pa.Table) -> pa.Table:
    """Bring a table that went through a file or another library back to `EVENT_SCHEMA`.

    Parquet, DuckDB and Polars give back wide strings, plain strings for dictionaries, or a choice of columns.

    Args:
        table: Events, any subset of the columns of `EVENT_SCHEMA`, and any others.

    Returns:
        The columns of `EVENT_SCHEMA` in its order, missing ones null, then the others untouched. Every dictionary
        column has one dictionary.

    Raises:
        pyarrow.ArrowInvalid: If a column cannot be read as the type that the schema gives it.
    """
    fields, columns = [], []
    for field in EVENT_SCHEMA:
        fields.append(field)
        columns.append(_column(table, field))
    for field in table.schema:
        if field.name not in EVENT_SCHEMA.names:
            fields.append(field)
            columns.append(table.column(field.name))
    schema = pa.schema(fields, metadata=table.schema.metadata)
    return pa.Table.from_arrays(columns, schema=schema).unify_dictionaries()


def _column(table: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    if field.name not in table.schema.names:
        return pa.chunked_array([pa.nulls(table.num_rows, field.type)])
    column = table.column(field.name)
    if column.type == field.type:
        return column
    if pa.types.is_dictionary(field.type):
        column = column.cast(field.type.value_type).dictionary_encode()
    return column.cast(field.type)
