"""Alarms that follow a value: beyond a limit, with a delay before they clear."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from .model import GOOD, AlarmSpec, Sample, Signal
from .signals import Still

__all__ = ["Calm", "LimitAlarm", "is_upper"]

#: A value must be back within its limit for so long before the alarm clears, or noise would make it chatter.
CLEAR_DELAY_US = 10_000_000
#: Changes of the value that are looked at, at most, to find the next or the last change of the alarm.
_PATIENCE = 1000

#: A span around a time in which a value is certainly within its limit, if one is known; saves looking at each change.
Calm: TypeAlias = Callable[[int], Still | None]


def is_upper(alarm: AlarmSpec) -> bool:
    """Whether the limit of an alarm is an upper one."""
    return not alarm.type_name.lower().startswith("lo")


class LimitAlarm:
    """True while a value is beyond its limit, and until it has been back for ten seconds.

    It looks at the changes of the value one by one, at most 1000 in a row: then `next_change` gives the time at which
    to ask again, and a sample is stamped with the earliest time that was looked at.

    Args:
        value: the signal that is watched; numbers.
        limit: its limit.
        upper: whether it is an upper limit.
        since_us: nothing happened before.
        calm: where the value is certainly within its limit.
    """

    __slots__ = ("_calm", "_limit", "_since", "_upper", "_value")

    def __init__(self, value: Signal, limit: float, *, upper: bool, since_us: int, calm: Calm | None = None) -> None:
        self._value = value
        self._limit = limit
        self._upper = upper
        self._since = since_us
        self._calm = calm

    def sample(self, at_us: int) -> Sample:
        """Whether it is active, since when."""
        at_us = max(at_us, self._since)
        beyond_us, back_us = self._last_beyond(at_us)
        if beyond_us is None:
            return Sample(False, GOOD, back_us if back_us is not None else self._since)
        if back_us is not None and at_us >= back_us + CLEAR_DELAY_US:
            return Sample(False, GOOD, back_us + CLEAR_DELAY_US)
        while True:
            earlier_us, back_us = self._last_beyond(beyond_us - 1)
            if earlier_us is None or back_us is None or back_us + CLEAR_DELAY_US <= beyond_us:
                return Sample(True, GOOD, beyond_us)
            beyond_us = earlier_us

    def next_change(self, after_us: int) -> int | None:
        """When it is raised or cleared."""
        at = max(after_us, self._since)
        beyond_us, back_us = self._last_beyond(at)
        active = beyond_us is not None and (back_us is None or at < back_us + CLEAR_DELAY_US)
        for _ in range(_PATIENCE):
            span = None if active or self._calm is None else self._calm(at)
            if span is None:
                upcoming = self._value.next_change(at)
            elif span[1] is None:
                return None
            else:
                upcoming = self._value.next_change(span[1] - 1)
            if active and back_us is not None and (upcoming is None or upcoming >= back_us + CLEAR_DELAY_US):
                return back_us + CLEAR_DELAY_US
            if upcoming is None:
                return None
            if self._beyond(self._value.sample(upcoming)):
                if not active:
                    return upcoming
                back_us = None
            elif back_us is None:
                back_us = upcoming
            at = upcoming
        return at

    def _beyond(self, sample: Sample) -> bool:
        value = sample.value
        assert isinstance(value, int | float)
        return value > self._limit if self._upper else value < self._limit

    def _last_beyond(self, till_us: int) -> tuple[int | None, int | None]:
        """When the last run of changes beyond the limit began, and when it ended (None: not up to `till_us`).

        Without such a run: None, and the earliest time that was looked at (None: as far back as there is).
        """
        at_us = till_us
        for _ in range(_PATIENCE):
            span = self._calm(at_us) if self._calm is not None else None
            if span is not None:
                at_us = span[0]
            if at_us <= self._since:
                return None, None
            here = self._value.sample(at_us)
            if self._beyond(here):
                end_us = self._value.next_change(here.time_us)
                return self._run_start(here), end_us if end_us is not None and end_us <= till_us else None
            if here.time_us <= self._since:
                return None, None
            at_us = here.time_us - 1
        return None, at_us

    def _run_start(self, here: Sample) -> int:
        for _ in range(_PATIENCE):
            if here.time_us <= self._since:
                break
            before = self._value.sample(here.time_us - 1)
            if not self._beyond(before):
                break
            here = before
        return here.time_us
