"""Raw events to Arrow tables while they come: bounded chunks, only the wanted items, stopped at an exact count."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ..frames import EVENT_SCHEMA, EventDecodeError, EventTableBuilder
from .sequence import Gap, SequenceWatch

__all__ = ["CHUNK", "DATA_CHANGES", "EventStore"]

_log = logging.getLogger(__name__)

#: Messages decoded at once: some milliseconds, in which the event loop waits. A thread of its own would gain nothing,
#: since the decoder holds the interpreter lock.
CHUNK = 8192
#: Tables kept before they are put together into one.
_PARTS = 64
#: Larger tables are not worth the copy.
_SMALL_ROWS = 65_536

#: The families whose events are data changes.
DATA_CHANGES = ("ON_DATA_CHANGE", "ON_BUFFERED_DATA_CHANGE")


class EventStore:
    """Keeps the events of some items as Arrow tables.

    Args:
        tags: the wanted items, tag reference by (server handle, item handle); events of others are left out.
        limit: how many data changes to keep; None is no limit.

    Attributes:
        changes: data changes kept so far, without those that still wait for decoding.
        corrupt: messages that could not be decoded.
    """

    def __init__(self, tags: Mapping[tuple[int, int], str], limit: int | None = None) -> None:
        self._tags = tags
        self._limit = limit
        self._pending: list[bytes] = []
        self._parts: list[pa.Table] = []
        self._merged: list[pa.Table] = []
        self._watch = SequenceWatch()
        self._replay_gaps: list[Gap] = []
        self._closed = False
        self.changes = 0
        self.corrupt = 0

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return self._limit is not None and self.changes >= self._limit

    @property
    def seen(self) -> int:
        """Data changes so far; what waits for decoding counts as if it were all of them."""
        seen = self.changes + len(self._pending)
        return seen if self._limit is None else min(seen, self._limit)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What was lost on the way."""
        return (*self._replay_gaps, *self._watch.gaps)

    def add(self, messages: Sequence[bytes]) -> None:
        """Take the next messages of the stream; they are decoded when a chunk is full or the limit may be reached."""
        if self._closed:
            return
        self._pending.extend(messages)
        enough = CHUNK if self._limit is None else min(CHUNK, self._limit - self.changes)
        if len(self._pending) >= enough:
            self.flush()

    def flush(self) -> None:
        """Decode what waits."""
        messages, self._pending = self._pending, []
        while messages and not self.full:
            self._decode(messages[:CHUNK])
            messages = messages[CHUNK:]

    def close(self) -> None:
        """Decode what waits and take no more."""
        self._closed = True
        self.flush()

    def table(self) -> pa.Table:
        """All events so far, `EVENT_SCHEMA`, in stream order."""
        self.flush()
        if not self._merged and not self._parts:
            return EVENT_SCHEMA.empty_table()
        return pa.concat_tables([*self._merged, *self._parts]).unify_dictionaries()

    def _decode(self, messages: list[bytes]) -> None:
        builder = EventTableBuilder()
        while messages:
            try:
                builder.add(messages, self._tags)
            except EventDecodeError as error:
                # Its sequence is missing then, so it shows as a gap as well.
                self.corrupt += 1
                _log.warning("an event of %d bytes cannot be decoded and is left out: %s", error.length, error)
                messages = messages[error.index + 1 :]
            else:
                break
        self._replay_gaps += [Gap(gap.requested_after, gap.oldest_available, "replay gap") for gap in builder.gaps]
        table = self._up_to_limit(builder.table().replace_schema_metadata(None))
        # Before other items' events are left out: they have their place in the sequence.
        self._watch.see(table.column("sequence").drop_null().to_numpy())
        self._keep(table.filter(table.column("tag").is_valid()))

    def _up_to_limit(self, table: pa.Table) -> pa.Table:
        changed = pc.is_in(table.column("family").cast(pa.string()), value_set=pa.array(DATA_CHANGES))
        counts = pc.and_(changed, table.column("tag").is_valid()).cast(pa.int64())
        count = pc.sum(counts, min_count=0).as_py()
        if self._limit is not None and self.changes + count > self._limit:
            last = pc.index(pc.cumulative_sum(counts), self._limit - self.changes).as_py()
            self.changes = self._limit
            return table.slice(0, last + 1)
        self.changes += count
        return table

    def _keep(self, table: pa.Table) -> None:
        if not table.num_rows:
            return
        self._parts.append(table)
        if len(self._parts) < _PARTS:
            return
        if sum(part.num_rows for part in self._parts) <= _SMALL_ROWS:
            # A slow stream comes in many tiny tables, whose buffers would outweigh their rows.
            self._parts = [pa.concat_tables(self._parts).unify_dictionaries().combine_chunks()]
        self._merged += self._parts
        self._parts = []
