"""Serialized events to an Arrow table, all at once or as they come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Literal

import pyarrow as pa

from .decode_upb import UpbDecoder
from .rows import ReplayGap, Tags, event_rows
from .schema import EVENT_SCHEMA
from .wire import Decoder, EventDecodeError

__all__ = ["DecoderName", "EventTableBuilder", "events_table", "replay_gaps"]

DecoderName = Literal["auto", "ptars", "upb"]

#: Batches that are kept apart before they are packed into one, and the rows of one that is left as it is.
_SMALL = 64
_FAIR_ROWS = 4096

_GAPS_KEY = b"mxgateway.replay_gaps"


@cache
def _decoder(name: DecoderName) -> Decoder:
    if name == "upb":
        return UpbDecoder()
    if name not in ("auto", "ptars"):
        raise ValueError(f"decoder must be 'auto', 'ptars' or 'upb', not {name!r}")
    try:
        from .decode_ptars import PtarsDecoder
    except ImportError:
        if name == "ptars":
            raise
        return _decoder("upb")
    return PtarsDecoder()


class EventTableBuilder:
    """Collects events into one table, batch by batch.

    Not safe for use from two threads at a time.

    Args:
        decoder: `"ptars"` (fast), `"upb"` (needs nothing but protobuf; equal results), or `"auto"`: ptars where it
            can be imported.

    Attributes:
        gaps: The replay gaps met so far, in order. Their sentinel events are no rows.

    Raises:
        ImportError: If `"ptars"` is asked for and cannot be imported.
        ValueError: If the decoder's name is none of the three.
    """

    def __init__(self, *, decoder: DecoderName = "auto") -> None:
        self._decoder = _decoder(decoder)
        self._batches: list[pa.RecordBatch] = []
        self._small: list[pa.RecordBatch] = []
        self._rows = 0
        self.gaps: list[ReplayGap] = []

    @property
    def decoder(self) -> str:
        """Name of the decoder in use: `"ptars"` or `"upb"`."""
        return self._decoder.name

    @property
    def rows(self) -> int:
        """Rows so far. Buffered data changes count once per sample, replay-gap sentinels not at all."""
        return self._rows

    def add(self, messages: Sequence[bytes], tags: Tags | None = None) -> None:
        """Decode more events.

        Args:
            messages: Serialized `MxEvent` messages in stream order.
            tags: Tag references by (server handle, item handle), as they were when these events were sent; events
                with other handles get no tag. Where a handle was given to another tag, add the events before and
                after the change in two calls.

        Raises:
            EventDecodeError: A ValueError that names the first corrupt message by its index and length. All messages
                before it are kept; go on with those after it, if that is what you want.
        """
        known: Tags = {} if tags is None else tags
        for start in range(0, len(messages), self._decoder.chunk):
            chunk = list(messages[start : start + self._decoder.chunk])
            try:
                self._add(chunk, known)
            except EventDecodeError as error:
                self._add(chunk[: error.index], known)
                raise error.moved(start) from error.__cause__

    def _add(self, messages: list[bytes], tags: Tags) -> None:
        batch, gaps = event_rows(self._decoder.decode(messages), tags)
        self.gaps += gaps
        if not batch.num_rows:
            return
        self._rows += batch.num_rows
        self._small.append(batch)
        # A batch costs some 2 kB however few its rows: pack what a slow stream brings into batches of a fair size.
        if len(self._small) >= _SMALL or batch.num_rows >= _FAIR_ROWS:
            packed = _table(self._small).combine_chunks()
            self._small = []
            (self._batches if packed.num_rows >= _FAIR_ROWS else self._small).extend(packed.to_batches())

    def table(self) -> pa.Table:
        """The events so far.

        Returns:
            A table of `EVENT_SCHEMA`, one row per event in the order they were added; the full schema when empty.
            Its schema metadata holds the replay gaps (`replay_gaps`).
        """
        table = _table([*self._batches, *self._small])
        if not self.gaps:
            return table
        return table.replace_schema_metadata({_GAPS_KEY: json.dumps(self.gaps).encode()})


def _table(batches: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(batches, schema=EVENT_SCHEMA).unify_dictionaries()


def events_table(messages: Sequence[bytes], tags: Tags | None = None, *, decoder: DecoderName = "auto") -> pa.Table:
    """Decode serialized events into an Arrow table.

    Args:
        messages: Serialized `MxEvent` messages in stream order.
        tags: Tag references by (server handle, item handle); events with other handles get no tag.
        decoder: `"ptars"`, `"upb"` or `"auto"`; see `EventTableBuilder`.

    Returns:
        A table of `EVENT_SCHEMA`, one row per event, and one per sample of a buffered data change. Replay-gap
        sentinels are no rows: read them with `replay_gaps`.

    Raises:
        EventDecodeError: A ValueError that names the first corrupt message by its index and length.
    """
    builder = EventTableBuilder(decoder=decoder)
    builder.add(messages, tags)
    return builder.table()


def replay_gaps(table: pa.Table) -> list[ReplayGap]:
    """The replay gaps that a table from `events_table` or `EventTableBuilder.table` remembers.

    They are in the metadata of its schema, which Parquet and slicing keep and joins of tables may not.
    """
    stored = (table.schema.metadata or {}).get(_GAPS_KEY, b"[]")
    return [ReplayGap(*gap) for gap in json.loads(stored)]
