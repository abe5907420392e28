"""When to look at which alarm again: one timer for any number of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from .alarm_points import AlarmPoint
from .clock import Clock, Timer

__all__ = ["AlarmSchedule"]


class AlarmSchedule:
    """A heap of the next changes. An alarm that never changes costs nothing; the others cost one entry each.

    Args:
        clock: the simulator's time.
        look: called with each alarm that is due and that time, in order of time however late the clock's callback
            is; it sets the alarm's next time.
    """

    def __init__(self, clock: Clock, look: Callable[[AlarmPoint, int], None]) -> None:
        self._clock = clock
        self._look = look
        self._heap: list[tuple[int, int, AlarmPoint]] = []
        self._order = count()
        self._timer: Timer | None = None
        self._running = False

    def __len__(self) -> int:
        return len(self._heap)

    def set(self, point: AlarmPoint, due_us: int | None) -> None:
        """Look at an alarm at that time and at no other; None: not again."""
        # Writes to an object ask again and again; most do not move what its alarms do next.
        if due_us == point.due_us:
            return
        point.due_us = due_us
        if due_us is not None:
            heapq.heappush(self._heap, (due_us, next(self._order), point))
            if not self._running:
                self._arm()

    def catch_up(self) -> None:
        """Look at all that is due and was not looked at yet, because the clock's callback is late."""
        self._running = True
        now = self._clock.now_us()
        try:
            while self._heap and self._heap[0][0] <= now:
                due, _, point = heapq.heappop(self._heap)
                if due == point.due_us:
                    point.due_us = None
                    self._look(point, due)
        finally:
            self._running = False

    def close(self) -> None:
        """Look at nothing any more."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        due = self._heap[0][0]
        if self._timer is not None:
            if self._timer.when_us <= due:
                return
            self._timer.cancel()
        self._timer = self._clock.call_at(due, self._run)

    def _run(self) -> None:
        self._timer = None
        self.catch_up()
        if self._heap:
            self._arm()
