"""The simulator's time: everything that happens later is a callback on a `Clock`.

Times are whole microseconds since the Unix epoch (UTC), so that two runs add up to the same bytes. A callback is
synchronous; on the virtual clock they run in order of (time, order of scheduling), which is what makes a run repeat.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Protocol

__all__ = ["Clock", "Timer", "VirtualClock", "WallClock", "sleep"]

#: Where the virtual clock starts unless told otherwise: a Monday morning.
VIRTUAL_START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)


class Timer:
    """A callback that is due at `when_us`; `cancel()` takes it back."""

    __slots__ = ("callback", "cancelled", "when_us")

    def __init__(self, when_us: int, callback: Callable[[], None]) -> None:
        self.when_us = when_us
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Take the callback back; harmless when it has run."""
        self.cancelled = True


class Clock(Protocol):
    """What the simulator needs of time.

    Attributes:
        is_running: whether it moves by itself.
    """

    is_running: bool

    def now_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        ...

    def call_at(self, when_us: int, callback: Callable[[], None]) -> Timer:
        """Run `callback` when the clock reaches `when_us` (at once, but never inside this call, if it has)."""
        ...


class _Queue:
    """Timers in order of time, then of scheduling."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timer]] = []
        self._order = count()

    def push(self, timer: Timer) -> None:
        heapq.heappush(self._heap, (timer.when_us, next(self._order), timer))

    def next_due(self) -> int | None:
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Timer:
        return heapq.heappop(self._heap)[2]


class VirtualClock:
    """A clock that stands still until it is advanced.

    Args:
        start: where it stands at first (aware datetime).
    """

    is_running = False

    def __init__(self, start: datetime = VIRTUAL_START) -> None:
        if start.tzinfo is None:
            raise ValueError(f"start={start!r} has no time zone: give an aware datetime, for example with tzinfo=UTC")
        self._now_us = round(start.timestamp() * 1_000_000)
        self._queue = _Queue()

    def now_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        return self._now_us

    def call_at(self, when_us: int, callback: Callable[[], None]) -> Timer:
        """Run `callback` in the `advance` that reaches `when_us`.

        What is due at once does not wait for that, where an event loop runs: a delay of 0 is none, also while the clock
        stands still.
        """
        timer = Timer(max(when_us, self._now_us), callback)
        self._queue.push(timer)
        if timer.when_us == self._now_us and (loop := _running_loop()) is not None:
            loop.call_soon(self._run_due)
        return timer

    def _run_due(self) -> None:
        while self.step(self._now_us):
            pass

    def advance_us(self, microseconds: int) -> None:
        """Move on, running what falls due in order; a callback may schedule more, which runs too if it falls due."""
        if microseconds < 0:
            raise ValueError(f"cannot advance by {microseconds} us: time only goes forward")
        target = self._now_us + microseconds
        while self.step(target):
            pass

    def step(self, until_us: int) -> bool:
        """Move on to the next callback that is due by `until_us` and run it.

        Returns:
            False, with the clock at `until_us`, when there is none.
        """
        due = self._queue.next_due()
        if due is None or due > until_us:
            self._now_us = max(self._now_us, until_us)
            return False
        self._now_us = max(self._now_us, due)
        self._queue.pop().callback()
        return True


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class WallClock:
    """The machine's clock, or a faster one; it must be used on one running event loop.

    Args:
        speed: simulated seconds per real second (1.0 is the wall clock).
        start: the simulated time now; None is the machine's time.
    """

    is_running = True

    def __init__(self, speed: float = 1.0, start: datetime | None = None) -> None:
        if not 0 < speed <= 10_000:
            raise ValueError(f"speed={speed!r} must be above 0 and at most 10000")
        self.speed = speed
        self._origin_us = time.time_ns() // 1000 if start is None else round(start.timestamp() * 1_000_000)
        self._origin_ns = time.monotonic_ns()
        self._queue = _Queue()
        self._wake: asyncio.TimerHandle | None = None
        self._wake_us = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def now_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        return self._origin_us + round((time.monotonic_ns() - self._origin_ns) * self.speed / 1000)

    def call_at(self, when_us: int, callback: Callable[[], None]) -> Timer:
        """Run `callback` on the event loop when the clock reaches `when_us`."""
        timer = Timer(when_us, callback)
        self._queue.push(timer)
        self._arm()
        return timer

    def _arm(self) -> None:
        due = self._queue.next_due()
        loop = asyncio.get_running_loop()
        if self._wake is not None:
            if due == self._wake_us and self._loop is loop:
                return
            self._wake.cancel()
            self._wake = None
        if due is not None:
            self._wake_us, self._loop = due, loop
            delay = max(0.0, (due - self.now_us()) / 1_000_000 / self.speed)
            self._wake = loop.call_later(delay, self._run_due)

    def _run_due(self) -> None:
        self._wake = None
        now = self.now_us()
        try:
            while (due := self._queue.next_due()) is not None and due <= now:
                self._queue.pop().callback()
        finally:
            # A callback that fails must not stop the clock for everything else.
            self._arm()


async def sleep(clock: Clock, seconds: float) -> None:
    """Wait on the simulator's time; not at all for 0."""
    if seconds <= 0:
        return
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake() -> None:
        if not done.done():
            done.set_result(None)

    timer = clock.call_at(clock.now_us() + round(seconds * 1_000_000), wake)
    try:
        await done
    finally:
        timer.cancel()
