"""From the columns of the wire to the rows of a frame: names, tags, qualities, one column per kind of value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .buffered import expand_buffered
from .schema import EVENT_SCHEMA, TIMESTAMP, VALUE_TYPES, enum_names, enum_number
from .wire import KINDS

__all__ = ["ReplayGap", "Tags", "event_rows"]

#: Tag references by (server handle, item handle).
Tags = Mapping[tuple[int, int], str]

_FAMILIES = enum_names("MxEventFamily", "MX_EVENT_FAMILY_")
_CATEGORIES = enum_names("MxStatusCategory", "MX_STATUS_CATEGORY_")
_ELAPSED = enum_number("MxDataType", "MX_DATA_TYPE_ELAPSED_TIME")
_UNSPECIFIED = 0  # of every proto3 enum

#: MXAccess gives these a status and no quality (OnWriteComplete has no such argument); 0 there is not "bad".
_WITHOUT_QUALITY = pa.array(
    [
        number
        for number, name in _FAMILIES.items()
        if name in {"ON_WRITE_COMPLETE", "OPERATION_COMPLETE"} or name.startswith("ON_ALARM_")
    ],
    pa.int32(),
)

_KIND_TYPES = {
    "bool_value": "bool",
    "int32_value": "int32",
    "int64_value": "int64",
    "float_value": "float",
    "double_value": "double",
    "string_value": "string",
    "timestamp_value": "time",
    "array_value": "array",
    "raw_value": "raw",
    "sparse_array_value": "sparse",
}
_VALUE_TYPES = pa.array(VALUE_TYPES, pa.string())

_FIRST_INSTANT = -62_135_596_800_000_000  # 0001-01-01T00:00:00Z
_LAST_INSTANT = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z


class ReplayGap(NamedTuple):
    """Events that the gateway no longer had when a stream resumed (CONTRACT.md, "resume").

    The lost sequences are those strictly between the two numbers.
    """

    requested_after: int
    oldest_available: int


def event_rows(batch: pa.RecordBatch, tags: Tags) -> tuple[pa.RecordBatch, list[ReplayGap]]:
    """Shape decoded events into rows.

    Args:
        batch: Decoded events, `wire.WIRE_SCHEMA`.
        tags: Tag references by handles, as they were when the events were sent.

    Returns:
        Rows of `EVENT_SCHEMA`, and the replay gaps in order. The sentinel that announces a gap is no row.
    """
    batch, gaps = _take_gaps(batch)
    batch = expand_buffered(_empty_nulls(batch))
    column = {name: batch.column(index) for index, name in enumerate(batch.schema.names)}
    quality = _quality(column)
    columns = {
        "time": _in_range(column["source_timestamp"]),
        "tag": _tags(column["server_handle"], column["item_handle"], tags),
        "value_type": _value_type(column),
        "quality": quality,
        "good": pc.equal(pc.bit_wise_and(quality, 0xC0), 0xC0),
        "status_category": _names(column["status_category"], _CATEGORIES),
        "status_detail": column["status_detail"],
        "sequence": column["worker_sequence"],
        "received": _in_range(column["gateway_receive_timestamp"]),
        "family": _names(column["family"], _FAMILIES),
        "item_handle": column["item_handle"],
        "server_handle": column["server_handle"],
        "session_id": pc.dictionary_encode(column["session_id"]),
        "value_bool": column["bool_value"],
        "value_int": _merge(column["int64_value"], column["int32_value"]),
        "value_float": _merge(column["double_value"], column["float_value"]),
        "value_string": column["string_value"],
        "value_time": _in_range(column["timestamp_value"]),
        "value_array": column["array_value"],
        "value_raw": _merge(column["raw_value"], column["sparse_array_value"]),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in EVENT_SCHEMA.names], schema=EVENT_SCHEMA), gaps


def _take_gaps(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, list[ReplayGap]]:
    """Read the replay gaps and take out the sentinels: family unspecified and no value."""
    has_gap = pc.fill_null(batch.column("has_replay_gap"), False)
    if not pc.any(has_gap).as_py():
        return batch, []
    carriers = batch.filter(has_gap)
    gaps = [
        ReplayGap(requested or 0, oldest or 0)
        for requested, oldest in zip(
            carriers.column("requested_after_sequence").to_pylist(),
            carriers.column("oldest_available_sequence").to_pylist(),
            strict=True,
        )
    ]
    named = pc.fill_null(pc.not_equal(batch.column("family"), _UNSPECIFIED), False)
    valued = pc.fill_null(batch.column("has_value"), False)
    return batch.filter(pc.or_(pc.invert(has_gap), pc.or_(named, valued))), gaps


def _empty_nulls(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Take the value from events that call it null and bring one nevertheless (`values.from_mx_value` does so too)."""
    nulls = pc.fill_null(batch.column("is_null"), False)
    if not pc.any(nulls).as_py():
        return batch
    columns = [
        pc.if_else(nulls, pa.scalar(None, field.type), column)
        if field.name in KINDS and column.null_count < len(column)
        else column
        for field, column in zip(batch.schema, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _quality(column: Mapping[str, pa.Array]) -> pa.Array:
    """Quality, null where the family has none and the event brings neither a quality nor a value."""
    quality = column["quality"]
    silent = pc.is_in(column["family"], value_set=_WITHOUT_QUALITY)
    if not pc.any(silent).as_py():
        return quality
    valued = pc.fill_null(column["has_value"], False)
    absent = pc.and_(pc.and_(silent, pc.equal(quality, 0)), pc.invert(valued))
    return pc.if_else(absent, pa.scalar(None, quality.type), quality)


def _value_type(column: Mapping[str, pa.Array]) -> pa.DictionaryArray:
    rows = len(column["has_value"])
    codes = np.full(rows, -1, np.int32)
    codes[_mask(column["has_value"])] = VALUE_TYPES.index("null")
    for kind in KINDS:
        values = column[kind]
        if values.null_count < rows:
            codes[values.is_valid().to_numpy(zero_copy_only=False)] = VALUE_TYPES.index(_KIND_TYPES[kind])
    # Only 64-bit integers: their unit is known (`values.py`), that of other numbers with this data type is not.
    if _ELAPSED is not None and column["int64_value"].null_count < rows:
        elapsed = _mask(pc.equal(column["data_type"], _ELAPSED)) & (codes == VALUE_TYPES.index("int64"))
        codes[elapsed] = VALUE_TYPES.index("elapsed")
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), _VALUE_TYPES)


def _mask(values: pa.Array) -> np.ndarray:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False))


def _merge(first: pa.Array, second: pa.Array) -> pa.Array:
    """One column of two of which a row has at most one, in the type of the first."""
    if second.null_count == len(second):
        return first
    widened = second.cast(first.type)
    return widened if first.null_count == len(first) else pc.coalesce(first, widened)


def _in_range(times: pa.Array) -> pa.Array:
    """Null the instants outside the years 0001 to 9999, which protobuf forbids and no Python datetime holds."""
    numbers = times.cast(pa.int64())
    bounds = pc.min_max(numbers).as_py()
    if bounds["min"] is None or (bounds["min"] >= _FIRST_INSTANT and bounds["max"] <= _LAST_INSTANT):
        return times
    within = pc.and_(pc.greater_equal(numbers, _FIRST_INSTANT), pc.less_equal(numbers, _LAST_INSTANT))
    return pc.if_else(within, times, pa.scalar(None, TIMESTAMP))


def _names(numbers: pa.Array, names: Mapping[int, str]) -> pa.DictionaryArray:
    """Enum numbers to names; a number that the contract does not know becomes its own text."""
    encoded = pc.dictionary_encode(numbers)
    texts = [names.get(number, str(number)) for number in encoded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(texts, pa.string()))


def _tags(servers: pa.Array, items: pa.Array, tags: Tags) -> pa.DictionaryArray:
    """Tag of each pair of handles; two pairs may have the same tag, so the dictionary is made of distinct tags."""
    keys = pc.add(pc.shift_left(servers.cast(pa.int64()), 32), pc.bit_wise_and(items.cast(pa.int64()), 0xFFFFFFFF))
    encoded = pc.dictionary_encode(keys)
    codes: dict[str, int] = {}
    translation: list[int | None] = []
    for key in encoded.dictionary.to_pylist():
        item = key & 0xFFFFFFFF
        tag = tags.get((key >> 32, item - (1 << 32) if item >= 1 << 31 else item))
        translation.append(None if tag is None else codes.setdefault(tag, len(codes)))
    indices = pa.array(translation, pa.int32()).take(encoded.indices)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(codes), pa.string()))
