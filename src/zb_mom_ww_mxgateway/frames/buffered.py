"""Buffered data changes: one event that carries several samples becomes several rows.

`OnBufferedDataChange` brings an array of values in `MxEvent.value` and, in its body, an array of qualities and one of
timestamps. The shape of the body is a guess of the contract (CONTRACT.md, `numbers.tsv`), so an event whose three
arrays do not match is left as the one row that it is on the wire.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError

from ..generated import mxaccess_gateway_pb2 as pb
from .arrays import array_members
from .decode_upb import microseconds
from .wire import KINDS

__all__ = ["expand_buffered"]

#: Members of `MxArray.values` and the member of `MxValue.kind` that holds one of their elements.
_ELEMENTS = {
    "bool_values": "bool_value",
    "int32_values": "int32_value",
    "int64_values": "int64_value",
    "float_values": "float_value",
    "double_values": "double_value",
    "string_values": "string_value",
    "timestamp_values": "timestamp_value",
    "raw_values": "raw_value",
}
_INT32 = range(-(2**31), 2**31)


@dataclass(frozen=True)
class _Samples:
    """The samples of one event; times in microseconds since 1970."""

    kind: str
    values: list[Any]
    qualities: list[int]
    times: list[int]


def expand_buffered(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give every sample of a buffered data change its own row.

    Args:
        batch: Decoded events, `wire.WIRE_SCHEMA`.

    Returns:
        The batch itself when nothing in it is buffered; else a batch with the samples in place of their events, in
        order, each with its own value, quality and source timestamp; everything else, the sequence too, is the
        event's. An event without samples, or with arrays of different lengths, stays one row.
    """
    bodies = batch.column("on_buffered_data_change")
    if bodies.null_count == len(bodies):
        return batch
    arrays = batch.column("array_value")
    found: dict[int, _Samples] = {}
    for row in np.flatnonzero(bodies.is_valid().to_numpy(zero_copy_only=False)).tolist():
        samples = _samples(bodies[row].as_py(), arrays[row].as_py())
        if samples is not None:
            found[row] = samples
    if not found:
        return batch
    counts = np.ones(batch.num_rows, np.int64)
    counts[list(found)] = [len(samples.values) for samples in found.values()]
    rows = np.repeat(np.arange(batch.num_rows), counts)
    mask = pa.array(np.isin(rows, list(found)))
    wide = batch.take(pa.array(rows))
    new = _columns(found.values())
    columns = [
        pc.replace_with_mask(column, mask, pa.array(new[field.name], field.type)) if field.name in new else column
        for field, column in zip(wide.schema, wide.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=wide.schema)


def _columns(found: Iterable[_Samples]) -> dict[str, list[Any]]:
    """The columns that the samples replace, all samples in a row."""
    columns: dict[str, list[Any]] = {name: [] for name in ("quality", "source_timestamp", *KINDS)}
    for samples in found:
        columns["quality"] += samples.qualities
        columns["source_timestamp"] += samples.times
        for kind in KINDS:
            columns[kind] += samples.values if kind == samples.kind else [None] * len(samples.values)
    return columns


def _samples(body: bytes, array: bytes | None) -> _Samples | None:
    """The samples of one event, or None when its arrays do not match."""
    try:
        message: Any = pb.OnBufferedDataChangeEvent.FromString(body)
    except DecodeError:
        return None
    values = array_members(array)
    qualities = _part(message, "quality_values", ("int32_values", "int64_values"))
    times = _part(message, "timestamp_values", ("timestamp_values",))
    if values is None or qualities is None or times is None:
        return None
    name, members = values
    if name not in _ELEMENTS or not len(members) == len(qualities) == len(times) > 0:
        return None
    if any(quality not in _INT32 for quality in qualities):
        return None
    if name == "timestamp_values":
        members = [microseconds(member) for member in members]
    return _Samples(_ELEMENTS[name], members, qualities, [microseconds(time) for time in times])


def _part(message: Any, name: str, kinds: tuple[str, ...]) -> list[Any] | None:
    """Members of one array of the body when it is of one of the kinds."""
    if name not in message.DESCRIPTOR.fields_by_name:
        return None
    members = array_members(getattr(message, name).SerializeToString())
    return members[1] if members is not None and members[0] in kinds else None
