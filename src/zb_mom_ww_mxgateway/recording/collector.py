"""Collect the events of some tags for a time, or up to a number of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

import grpc
from google.protobuf.message import DecodeError

from ..errors import MxGatewayError
from ..frames import EVENT_SCHEMA
from ..generated import mxaccess_gateway_pb2 as pb
from ..session import Session
from .collection import Collection, EndedBy, unknown_tags
from .event_store import EventStore
from .pace import Pace, WallPace
from .subscription import Subscription, subscribe

__all__ = ["CLIENT_NAME", "Collector", "collect_events"]

_log = logging.getLogger(__name__)

#: What MXAccess calls a client that did not say its name.
CLIENT_NAME = "zb-mom-ww-mxgateway"

#: Seconds between two looks at the clock; a binary fraction, so that sums of it are exact.
_TICK = 0.125
#: The longest step of a virtual clock, and how many events in one step make it shorter or longer: a subscriber's queue
#: holds 10,000 (CONTRACT "events"), and a clock that leaps fills it before anything is read.
_LONGEST_STEP = 4.0
_MANY, _FEW = 4000, 500
#: Seconds without any event after which a virtual clock goes on although not everything has come.
_PATIENCE = 5.0
#: A gateway learns a moment late that the stream of the collection before has ended; until then it refuses another one
#: (CONTRACT "events"). Seconds to try, and between two tries.
_HANDOVER, _RETRY = 2.0, 0.05

Progress = Callable[[int, float], None]


class Collector:
    """Collects events; unlike `collect_events` it can be asked for what it has at any time, also after a cancellation.

    The session's one event stream is used up while it runs: events of other items of the session pass unseen. Thirty
    seconds after the end the gateway closes a session whose stream nobody opened again (CONTRACT "sessions").

    Args:
        session: an open session.
        tags: references ("Object.Attribute"); doubles count once.
        server_handle: of a registration to use; None registers, and unregisters at the end.
        client_name: to register with.
        progress: called on the event loop with the data changes so far and the seconds gone by, some times a second.
        pace: how time goes by; the wall's by default.

    Raises:
        ValueError: there are no tags, or one is empty.
    """

    def __init__(
        self,
        session: Session,
        tags: Sequence[str],
        *,
        server_handle: int | None = None,
        client_name: str = CLIENT_NAME,
        progress: Progress | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._session = session
        # A single reference is a sequence of letters as well.
        self._tags = tuple(dict.fromkeys([tags] if isinstance(tags, str) else tags))
        if not self._tags or not all(isinstance(tag, str) and tag.strip() for tag in self._tags):
            raise ValueError("give at least one tag, each with a name like 'Object.Attribute'")
        self._server_handle = server_handle
        self._client_name = client_name
        self._progress = progress
        self._pace = pace or WallPace()
        self._subscription: Subscription | None = None
        self._store: EventStore | None = None
        self._ended_by: EndedBy = "running"
        self._error: MxGatewayError | None = None
        self._elapsed = 0.0
        self._stopping = False
        self._started = False
        self._seen = 0
        self._arrived = asyncio.Event()

    def stop(self) -> None:
        """End the collection within a moment; call it on the event loop."""
        self._stopping = True

    async def run(self, *, seconds: float | None = None, events: int | None = None) -> Collection:
        """Collect; once per collector.

        Args:
            seconds: of the pace; None is no limit.
            events: stop at exactly this many data changes of the tags; None is no limit.

        Returns:
            What came, whatever ended it: a broken stream is in `Collection.error`, not raised.

        Raises:
            MxGatewayError: the tags could not be subscribed, or all were refused.
            asyncio.CancelledError: `collection()` has what came until then.
            ValueError: a limit is not above 0.
            RuntimeError: it ran before.
        """
        if seconds is not None and not seconds > 0:
            raise ValueError(f"seconds={seconds!r} must be above 0")
        if events is not None and events < 1:
            raise ValueError(f"events={events!r} must be at least 1")
        if self._started:
            raise RuntimeError("a Collector runs once: make another one")
        self._started = True
        # What the session was sent before is none of ours to wait for.
        self._seen = self._pace.settled(self._session.session_id) or 0
        subscription = await subscribe(
            self._session, self._tags, server_handle=self._server_handle, client_name=self._client_name
        )
        store = EventStore(subscription.items, events)
        self._subscription, self._store = subscription, store
        reader = asyncio.create_task(self._read(store))
        try:
            await self._watch(reader, store, seconds)
        except BaseException:
            self._ended_by = "interrupted"
            raise
        finally:
            store.close()
            try:
                # With the stream still attached: what comes meanwhile is not kept for the next stream.
                await subscription.leave()
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
        self._report()
        return self.collection()

    def collection(self) -> Collection:
        """What has been collected so far; callable at any time on the event loop, and after it has ended."""
        refused = dict(self._subscription.refused) if self._subscription is not None else {}
        table = EVENT_SCHEMA.empty_table() if self._store is None else self._store.table()
        return Collection(
            table=table,
            tags=tuple(tag for tag in self._tags if tag not in refused),
            ended_by=self._ended_by,
            # Once there is enough, a stream that breaks does not matter any more.
            error=self._error if self._ended_by == "stream error" else None,
            refused=refused | unknown_tags(table),
            gaps=() if self._store is None else self._store.gaps,
            seconds=self._elapsed,
            endpoint=str(self._session._connection.options.address),  # noqa: SLF001 - one package, one connection
            corrupt=0 if self._store is None else self._store.corrupt,
        )

    async def _read(self, store: EventStore) -> None:
        patience = time.monotonic() + _HANDOVER
        while True:
            stream = self._session.stream_events(on_replay_gap="yield")
            try:
                async for batch in stream.batches():
                    store.add(batch)
                    self._seen = _last_sequence(batch, self._seen)
                    self._arrived.set()
                ended: EndedBy = "stream end"
            except MxGatewayError as error:
                if error.code is grpc.StatusCode.ALREADY_EXISTS and time.monotonic() < patience:
                    await asyncio.sleep(_RETRY)
                    continue
                ended, self._error = "stream error", error
            finally:
                self._arrived.set()
            break
        if self._ended_by == "running":
            self._ended_by = ended

    async def _watch(self, reader: asyncio.Task[None], store: EventStore, seconds: float | None) -> None:
        """Let time go by until something ends the collection."""
        step = _TICK
        while True:
            store.flush()
            self._report()
            if store.full:
                self._ended_by = "events"
            elif seconds is not None and self._elapsed >= seconds:
                self._ended_by = "seconds"
            elif self._stopping:
                self._ended_by = "stopped"
            if self._ended_by != "running" or reader.done():
                break
            if seconds is not None:
                step = min(step, seconds - self._elapsed)
            before = store.changes
            await self._pace.sleep(step)
            self._elapsed += step
            settled = self._pace.settled(self._session.session_id)
            if settled is not None:
                await self._until_seen(settled, reader)
                step = _next_step(step, store.seen - before)
        if reader.done():
            # Anything but a typed error is a fault of this program and must show.
            reader.result()

    async def _until_seen(self, sequence: int, reader: asyncio.Task[None]) -> None:
        """Wait until everything that has been sent has been received."""
        while self._seen < sequence and not reader.done():
            self._arrived.clear()
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._arrived.wait()
            except TimeoutError:
                _log.warning("event %d has been sent, but nothing after %d has come", sequence, self._seen)
                self._seen = sequence

    def _report(self) -> None:
        if self._progress is not None and self._store is not None:
            self._progress(self._store.seen, self._elapsed)


async def collect_events(
    session: Session,
    tags: Sequence[str],
    *,
    seconds: float | None = None,
    events: int | None = None,
    server_handle: int | None = None,
    client_name: str = CLIENT_NAME,
    progress: Progress | None = None,
    pace: Pace | None = None,
) -> Collection:
    """Collect the events of some tags; `Collector` and its `run` say what the arguments are.

    Raises:
        ValueError: neither `seconds` nor `events` is given, or one is not above 0.
        MxGatewayError: the tags could not be subscribed, or all were refused. A stream that breaks later is not
            raised: it is in `Collection.error`, beside what came before.
    """
    if seconds is None and events is None:
        raise ValueError("give seconds or events: without either the collection would never end")
    collector = Collector(
        session, tags, server_handle=server_handle, client_name=client_name, progress=progress, pace=pace
    )
    return await collector.run(seconds=seconds, events=events)


def _last_sequence(batch: Sequence[bytes], before: int) -> int:
    """The sequence of the last event of a batch; events that cannot be decoded count as one each."""
    for corrupt, raw in enumerate(reversed(batch)):
        try:
            sequence = pb.MxEvent.FromString(raw).worker_sequence
        except DecodeError:
            continue
        return max(before, sequence + corrupt)
    return before + len(batch)


def _next_step(step: float, events: int) -> float:
    if events >= _MANY:
        return max(step / 2, _TICK)
    return min(step * 2, _LONGEST_STEP) if events <= _FEW else step
