"""The fast decoder: ptars turns a list of messages into Arrow columns without a Python object per message."""

from __future__ import annotations

from typing import Any

import numpy as np
import ptars
import pyarrow as pa
import pyarrow.compute as pc

from .decode_upb import UpbDecoder
from .projection import Projection
from .wire import KINDS, STATUS_OK, WIRE_SCHEMA, EventDecodeError, event_projection

__all__ = ["PtarsDecoder"]

_GAP = ("requested_after_sequence", "oldest_available_sequence")


class PtarsDecoder:
    """Decodes events with ptars.

    ptars holds the interpreter lock for a whole call: give it a few thousand messages at a time.

    Args:
        projection: Projection of `MxEvent`; by default the one of the generated contract.
    """

    name = "ptars"

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
        except ValueError as error:
            index = self._first_corrupt(messages)
            raise EventDecodeError(index, len(messages[index]), str(error)) from error
        columns = {name: batch.column(index) for index, name in enumerate(batch.schema.names)}
        rows = batch.num_rows
        self._unfold(columns, "value", "has_value", ("data_type", "is_null", *KINDS))
        self._unfold(columns, "replay_gap", "has_replay_gap", _GAP)
        if "statuses" in columns:
            columns |= _statuses(columns["statuses"])
        # A message may name two members of a oneof; the last one counts, and ptars 0.0.25 shows both.
        kinds = [columns[kind] for kind in KINDS if kind in columns]
        if kinds and sum(rows - kind.null_count for kind in kinds) > 1 and _several(kinds):
            return UpbDecoder(self._projection).decode(messages)
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

    def _first_corrupt(self, messages: list[bytes]) -> int:
        """Index of the first message that ptars refuses, given that it refuses the list."""
        good, bad = 0, len(messages)
        while bad - good > 1:
            middle = (good + bad) // 2
            try:
                self._handler.list_to_record_batch(messages[good:middle])
            except ValueError:
                bad = middle
            else:
                good = middle
        return good


def _typed(column: pa.Array | None, wanted: pa.DataType, rows: int) -> pa.Array:
    """The column in its type (a cast to the same type would cost), nulls for one that the contract lacks."""
    if column is None:
        return pa.nulls(rows, wanted)
    return column if column.type == wanted else column.cast(wanted)


def _several(kinds: list[pa.Array]) -> bool:
    """Whether a row has more than one of the columns."""
    count = np.zeros(len(kinds[0]), np.int8)
    for kind in kinds:
        if kind.null_count < len(kind):
            count += kind.is_valid().to_numpy(zero_copy_only=False)
    return bool((count > 1).any())


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
