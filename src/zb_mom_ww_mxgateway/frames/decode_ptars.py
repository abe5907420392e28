"""The fast decoder: ptars turns a list of messages into Arrow columns without a Python object per message."""

from __future__ import annotations

from typing import Any

import numpy as np
import ptars
import pyarrow as pa
import pyarrow.compute as pc

from .decode_upb import UpbDecoder
from .projection import Projection
from .wire import KINDS, STATUS_OK, WIRE_SCHEMA, event_projection

__all__ = ["PtarsDecoder"]

_GAP = ("requested_after_sequence", "oldest_available_sequence")


class PtarsDecoder:
    """Decodes events with ptars.

    It differs from protobuf's own parser, seen in 0.0.25, only in what no serializer writes: where a message has a
    singular member twice, protobuf merges the two and ptars does not; and it lets some damaged field tags pass.

    Args:
        projection: Projection of `MxEvent`; by default the one of the generated contract.
    """

    name = "ptars"
    chunk = 8192  # 3 ms of holding the lock; smaller ones pay more for what every call costs

    def __init__(self, projection: Projection | None = None) -> None:
        self._projection = projection or event_projection()
        # The default unit is the nanosecond, which silently turns the years 0001 and 9999 into other ones.
        config = ptars.PtarsConfig(timestamp_unit="us")
        pool = ptars.HandlerPool([self._projection.descriptor.file], config=config)
        self._handler: Any = pool.get_for_message(self._projection.descriptor)

    def decode(self, messages: list[bytes]) -> pa.RecordBatch:
        """Decode a list of messages; see `Decoder.decode`."""
        try:
            batch = self._handler.list_to_record_batch(messages)
        except BaseException as error:
            # ptars refuses a list as a whole, without saying which message; 0.0.25 even panics at a damaged length,
            # and a panic of Rust code is a BaseException that cannot be imported. protobuf's parser has the last word.
            if not isinstance(error, ValueError) and type(error).__name__ != "PanicException":
                raise
            return UpbDecoder(self._projection).decode(messages)
        columns = {name: batch.column(index) for index, name in enumerate(batch.schema.names)}
        rows = batch.num_rows
        self._unfold(columns, "value", "has_value", ("data_type", "is_null", *KINDS))
        self._unfold(columns, "replay_gap", "has_replay_gap", _GAP)
        if "statuses" in columns:
            columns |= _statuses(columns["statuses"])
        return pa.RecordBatch.from_arrays(
            [_typed(columns.get(field.name), field.type, rows) for field in WIRE_SCHEMA], schema=WIRE_SCHEMA
        )

    def _unfold(self, columns: dict[str, pa.Array], name: str, presence: str, members: tuple[str, ...]) -> None:
        """Put the members of a nested message beside it, and whether it was there."""
        if name not in columns:
            return
        struct = columns[name]
        columns[presence] = struct.is_valid()
        # flatten() and not field(): a member is null where the message around it is.
        nested = dict(zip((field.name for field in struct.type), struct.flatten(), strict=True))
        columns |= {member: nested[member] for member in members if member in nested}


def _typed(column: pa.Array | None, wanted: pa.DataType, rows: int) -> pa.Array:
    """The column in its type (a cast to the same type would cost), nulls for one that the contract lacks."""
    if column is None:
        return pa.nulls(rows, wanted)
    return column if column.type == wanted else column.cast(wanted)


def _statuses(lists: pa.ListArray) -> dict[str, pa.Array]:
    """For each row the first status that is not OK, else the first; null without one."""
    statuses = lists.flatten()
    if len(statuses) == 0:
        return {}
    rows = pc.list_parent_indices(lists).to_numpy()
    pick = np.full(len(lists), -1, np.int64)
    # Numpy keeps the last of several assignments to one place: assign backwards, and what must win at the end.
    order = np.arange(len(statuses))[::-1]
    pick[rows[order]] = order
    names = [field.name for field in statuses.type]
    if "category" in names:
        category = statuses.field("category").to_numpy(zero_copy_only=False)
        order = order[category[order] != STATUS_OK]
        pick[rows[order]] = order
    chosen = pa.array(pick, mask=pick < 0)
    return {f"status_{name}": statuses.field(name).take(chosen) for name in ("category", "detail") if name in names}
