"""The events of one session: numbered, kept for a while, handed to subscribers (CONTRACT.md "events", "resume")."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .gateway_limits import Limits

__all__ = ["EventLog", "Subscriber"]


class Subscriber:
    """One event stream: a bounded queue of serialized events.

    Attributes:
        overflowed: it was too slow and has lost events; its stream ends with an error.
        ended: why the stream is to end without an overflow; empty while it goes on.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self.overflowed = False
        self.ended = ""

    def put(self, event: bytes) -> bool:
        """Queue an event; False when the queue is full, which ends the stream after what it holds."""
        if self.overflowed:
            return False
        if len(self._queue) >= self._capacity:
            self.overflowed = True
        else:
            self._queue.append(event)
        self._wake.set()
        return not self.overflowed

    @property
    def fill(self) -> float:
        """How full the queue is: 0 to 1."""
        return len(self._queue) / max(1, self._capacity)

    def overflow(self) -> None:
        """Take the subscriber to be too slow."""
        self.overflowed = True
        self._wake.set()

    def end(self, reason: str) -> None:
        """End the stream, for example because the session closes."""
        self.ended = self.ended or reason
        self._wake.set()

    async def take(self) -> list[bytes]:
        """All that is queued; an empty list when the stream is to end."""
        while not self._queue:
            if self.overflowed or self.ended:
                return []
            self._wake.clear()
            await self._wake.wait()
        batch = list(self._queue)
        self._queue.clear()
        return batch


class EventLog:
    """Numbers events, keeps them for resuming, and hands them out.

    Events that come while nobody listens are kept and delivered in a burst to the next subscriber, or taken by
    DrainEvents; the oldest are dropped when there are too many.

    Args:
        limits: sizes and times.
        on_overflow: called when a subscriber was too slow.
        before_event: called before each event; False drops it unnumbered.
    """

    def __init__(
        self, limits: Limits, on_overflow: Callable[[], None], before_event: Callable[[], bool] = lambda: True
    ) -> None:
        self._limits = limits
        self._on_overflow = on_overflow
        self._before_event = before_event
        self._kept: deque[tuple[int, int, bytes]] = deque(maxlen=limits.replay_events or 1)
        self._backlog: deque[bytes] = deque(maxlen=limits.event_queue)
        self.subscribers: list[Subscriber] = []
        self.sequence = 0
        #: Sequence numbers to leave out before the next event (a fault).
        self.skip = 0

    def append(self, event: pb.MxEvent, now_us: int) -> None:
        """Number an event and hand it out."""
        if not self._before_event():
            return
        self.sequence += 1 + self.skip
        self.skip = 0
        event.worker_sequence = self.sequence
        raw = event.SerializeToString(deterministic=True)
        self._kept.append((self.sequence, now_us, raw))
        if not self.subscribers:
            self._backlog.append(raw)
            return
        for subscriber in list(self.subscribers):
            if not subscriber.put(raw):
                self.drop_slow(subscriber)

    def drop_slow(self, subscriber: Subscriber) -> None:
        """Disconnect a subscriber that is too slow."""
        subscriber.overflow()
        if subscriber in self.subscribers:
            self.subscribers.remove(subscriber)
        self._on_overflow()

    def subscribe(self, after: int, now_us: int) -> Subscriber:
        """A new subscriber.

        Args:
            after: 0 for a fresh stream, which begins with what nobody has taken; else the last sequence that the
                client has seen: everything newer that is still kept comes first, after a gap sentinel if some is not.
            now_us: decides what is too old to be kept.
        """
        subscriber = Subscriber(self._limits.event_queue)
        if after:
            for raw in self._replay(after, now_us):
                subscriber.put(raw)
        else:
            for raw in self._backlog:
                subscriber.put(raw)
        self._backlog.clear()
        self.subscribers.append(subscriber)
        return subscriber

    def drain(self, most: int) -> list[bytes]:
        """Take events that no subscriber has taken; 0 takes all."""
        count = min(most or len(self._backlog), len(self._backlog))
        return [self._backlog.popleft() for _ in range(count)]

    def _replay(self, after: int, now_us: int) -> list[bytes]:
        horizon = now_us - round(self._limits.replay_seconds * 1_000_000)
        enabled = self._limits.replay_events > 0 and self._limits.replay_seconds > 0
        kept = [(number, raw) for number, at_us, raw in self._kept if enabled and at_us >= horizon]
        newer = [raw for number, raw in kept if number > after]
        oldest = kept[0][0] if kept else 0
        lost = after < self.sequence and (not kept or oldest > after + 1)
        if not lost:
            return newer
        gap = pb.ReplayGap(requested_after_sequence=after, oldest_available_sequence=oldest)
        return [pb.MxEvent(replay_gap=gap).SerializeToString(deterministic=True), *newer]
