"""Alarms that follow a value: beyond a limit, with a delay before they clear."""

from __future__ import annotations

from collections.abc import Callable

from .machine import SECOND
from .model import GOOD, AlarmSpec, Sample, Signal

__all__ = ["LimitAlarm", "above"]

#: A value must be back within its limit for so long before the alarm clears, or noise would make it chatter.
CLEAR_DELAY_US = 10 * SECOND
_PATIENCE = 2000


def above(alarm: AlarmSpec) -> bool:
    """Whether the limit of an alarm is an upper one."""
    return not alarm.type_name.lower().startswith("lo")


class LimitAlarm:
    """True while a value is beyond its limit, and until it has been back for ten seconds.

    Args:
        value: the signal that is watched; numbers.
        limit: its limit.
        upper: whether it is an upper limit.
        calm_until: from a time at which the value is within the limit, the time until which it certainly stays
            there; None is for good. It saves looking at every change.
    """

    __slots__ = ("_calm", "_limit", "_upper", "_value")

    def __init__(
        self, value: Signal, limit: float, *, upper: bool, calm_until: Callable[[int], int | None] | None = None
    ) -> None:
        self._value = value
        self._limit = limit
        self._upper = upper
        self._calm = calm_until

    def sample(self, at_us: int) -> Sample:
        """Whether it is active, and since when (looking back at most 2000 changes)."""
        here = self._value.sample(at_us)
        back_since = here.time_us
        if not self._beyond(here):
            last = here
            while not self._beyond(last) and at_us < last.time_us + CLEAR_DELAY_US:
                back_since = last.time_us
                before = self._value.sample(last.time_us - 1)
                if before.time_us >= last.time_us:
                    break
                last = before
            if not self._beyond(last):
                return Sample(False, GOOD, self._cleared(last))
            if at_us >= back_since + CLEAR_DELAY_US:
                return Sample(False, GOOD, back_since + CLEAR_DELAY_US)
            here = last
        return Sample(True, GOOD, self._raised(here))

    def next_change(self, after_us: int) -> int | None:
        """When it is raised or cleared.

        A value that stays within its limit for 2000 changes gives the time at which to ask again.
        """
        active = bool(self.sample(after_us).value)
        here = self._value.sample(after_us)
        back_since: int | None = None
        if active and not self._beyond(here):
            while not self._beyond(before := self._value.sample(here.time_us - 1)):
                here = before
            back_since, here = here.time_us, self._value.sample(after_us)
        at: int | None = after_us
        for _ in range(_PATIENCE):
            assert at is not None
            if not active and self._calm is not None:
                at = self._calm(at)
                if at is None:
                    return None
            upcoming = self._value.next_change(at)
            if back_since is not None and (upcoming is None or upcoming >= back_since + CLEAR_DELAY_US):
                return back_since + CLEAR_DELAY_US
            if upcoming is None:
                return None
            here = self._value.sample(upcoming)
            if self._beyond(here):
                if not active:
                    return upcoming
                back_since = None
            elif active and back_since is None:
                back_since = upcoming
            at = upcoming
        return at

    def _beyond(self, sample: Sample) -> bool:
        value = sample.value
        assert isinstance(value, int | float)
        return value > self._limit if self._upper else value < self._limit

    def _raised(self, beyond: Sample) -> int:
        since = beyond.time_us
        last_seen = since
        here = beyond
        for _ in range(_PATIENCE):
            before = self._value.sample(here.time_us - 1)
            if before.time_us >= here.time_us:
                break
            if self._beyond(before):
                since = last_seen = before.time_us
            elif last_seen - before.time_us > CLEAR_DELAY_US:
                break
            here = before
        return since

    def _cleared(self, within: Sample) -> int:
        return within.time_us
