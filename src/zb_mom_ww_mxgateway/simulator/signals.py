"""The shapes a value can take over time; each is a pure function of time and keeps nothing between two calls.

A signal changes at ticks. Ticks of one tag lie about one period apart, each shifted by its own hash, so that two tags
with the same period do not change together. A tick that would repeat value and quality is no change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp
from struct import Struct
from typing import TypeAlias

from .machine import Machine, MachineState
from .model import GOOD, Sample, Signal, Value
from .randomness import mix, unit

__all__ = [
    "Constant",
    "Element",
    "History",
    "Stepped",
    "Ticking",
    "Windows",
    "WrittenOver",
    "float32",
    "lagged",
    "wander",
]

#: Writes to one reference, oldest first: (time, value).
History: TypeAlias = Sequence[tuple[int, Value]]
#: Begin and end of a span around a time in which a value does not move; the end None is for good.
Still: TypeAlias = tuple[int, int | None]
Span: TypeAlias = tuple[int, int]

#: Equal ticks after which `Ticking` gives up looking for a change and lets the caller look again from there.
_PATIENCE = 4096

_FLOAT32 = Struct("<f")


def float32(value: float) -> float:
    """The nearest number that a 32-bit float holds."""
    (rounded,) = _FLOAT32.unpack(_FLOAT32.pack(value))
    return float(rounded)


def wander(key: int, at_us: int, period_us: int) -> float:
    """A smooth random walk in [-1, 1]: it turns about once per period."""
    step, rest = divmod(at_us, period_us)
    share = rest / period_us
    share *= share * (3.0 - 2.0 * share)
    before = unit(key, step)
    return 2.0 * (before + (unit(key, step + 1) - before) * share) - 1.0


def lagged(first: float, writes: History, at_us: int, tau_us: int) -> float:
    """A value that follows a written one with a first-order lag, starting settled at `first`."""
    level, target, since = first, first, None
    for when, value in writes:
        if when > at_us:
            break
        if since is not None:
            level = target + (level - target) * exp(-(when - since) / tau_us)
        target, since = float(value), when  # type: ignore[arg-type]
    if since is None:
        return level
    return target + (level - target) * exp(-(at_us - since) / tau_us)


class Constant:
    """A value that stands since `since_us`."""

    __slots__ = ("_sample",)

    def __init__(self, value: Value, since_us: int, quality: int = GOOD) -> None:
        self._sample = Sample(value, quality, since_us)

    def sample(self, at_us: int) -> Sample:
        """The value."""
        return self._sample

    def next_change(self, after_us: int) -> int | None:
        """Never."""
        return None


class Ticking:
    """A value that is computed at ticks about `period_us` apart.

    Args:
        key: of the tag; it shifts the ticks.
        period_us: mean distance between two ticks.
        value: the value at the time of a tick.
        since_us: nothing happened before; the first value stands from there.
        quality: the quality byte at the time of a tick.
        still: a span around the time of a tick in which value and quality do not move, if there is one. It saves
            looking at every tick of a machine that stands still.
    """

    __slots__ = ("_key", "_period", "_quality", "_since", "_still", "_value")

    def __init__(
        self,
        key: int,
        period_us: int,
        value: Callable[[int], Value],
        *,
        since_us: int,
        quality: Callable[[int], int] | None = None,
        still: Callable[[int], Still | None] | None = None,
    ) -> None:
        self._key = key
        self._period = period_us
        self._value = value
        self._since = since_us
        self._quality = quality
        self._still = still

    def sample(self, at_us: int) -> Sample:
        """The value of the last tick that changed it."""
        tick = self._tick(at_us)
        shown = self._show(tick)
        while (time := self._time(tick)) > self._since:
            span = self._still(time) if self._still is not None else None
            if span is not None and span[0] < time:
                tick = min(tick, self._first_from(span[0]))
                if self._time(tick) <= self._since:
                    break
            if self._show(tick - 1) != shown:
                break
            tick -= 1
        return Sample(*shown, max(self._time(tick), self._since))

    def next_change(self, after_us: int) -> int | None:
        """The next tick that changes value or quality.

        A value that has not moved for 4096 ticks is taken to be one that hardly ever moves: then the time at which
        to ask again is returned.
        """
        if after_us < self._since:
            after_us = self._since
        tick = self._tick(after_us)
        shown = self._show(tick)
        for _ in range(_PATIENCE):
            span = self._still(self._time(tick)) if self._still is not None else None
            if span is None:
                tick += 1
            elif span[1] is None:
                return None
            else:
                tick = max(tick + 1, self._first_from(span[1]))
            if self._show(tick) != shown:
                break
        return self._time(tick)

    def _time(self, tick: int) -> int:
        return tick * self._period + (mix(self._key, tick) & 0xFFFF) * self._period // 0x2AAAA

    def _tick(self, at_us: int) -> int:
        tick = max(at_us, self._since) // self._period
        return tick if self._time(tick) <= max(at_us, self._since) else tick - 1

    def _first_from(self, at_us: int) -> int:
        tick = self._tick(at_us)
        return tick if self._time(tick) >= at_us else tick + 1

    def _show(self, tick: int) -> tuple[Value, int]:
        time = max(self._time(tick), self._since)
        return self._value(time), GOOD if self._quality is None else self._quality(time)


class Stepped:
    """What a machine's state shows: one value for each state.

    Args:
        machine: whose state it is.
        shows: the value for each state.
        since_us: nothing happened before.
    """

    __slots__ = ("_groups", "_machine", "_shows", "_since")

    def __init__(self, machine: Machine, shows: dict[MachineState, Value], since_us: int) -> None:
        self._machine = machine
        self._shows = shows
        self._since = since_us
        self._groups = {
            state: frozenset(other for other in shows if shows[other] == value) for state, value in shows.items()
        }

    def sample(self, at_us: int) -> Sample:
        """The value of the state, since it began to be shown."""
        state = self._machine.segment(at_us).state
        _, start, _ = self._machine.whole(at_us, self._groups[state], self._since)
        return Sample(self._shows[state], GOOD, start)

    def next_change(self, after_us: int) -> int | None:
        """When a state with another value begins."""
        after_us = max(after_us, self._since)
        state = self._machine.segment(after_us).state
        return self._machine.whole(after_us, self._groups[state], self._since)[2]


class Windows:
    """False, and true in windows: at most one in each period, at a place its number decides.

    Args:
        key: of the tag.
        period_us: length of a period.
        share: how many of the periods have a window, 0 to 1.
        shortest_us: shortest window.
        longest_us: longest window, shorter than the period.
        since_us: nothing happened before.
    """

    __slots__ = ("_key", "_longest", "_period", "_share", "_shortest", "_since")

    def __init__(
        self, key: int, period_us: int, share: float, shortest_us: int, longest_us: int, since_us: int
    ) -> None:
        self._key = key
        self._period = period_us
        self._share = share
        self._shortest = shortest_us
        self._longest = longest_us
        self._since = since_us

    def window(self, number: int) -> Span | None:
        """Begin and end of the window in period `number`."""
        if unit(self._key, 3 * number) >= self._share:
            return None
        length = self._shortest + int((self._longest - self._shortest) * unit(self._key, 3 * number + 1))
        room = self._period - length - 2
        start = number * self._period + 1 + int(room * unit(self._key, 3 * number + 2))
        return (start, start + length) if start > self._since else None

    def sample(self, at_us: int) -> Sample:
        """Whether a window is open, since when."""
        number = at_us // self._period
        window = self.window(number)
        if window is not None and window[0] <= at_us:
            return Sample(at_us < window[1], GOOD, window[0] if at_us < window[1] else window[1])
        while number * self._period > self._since and self._share > 0:
            number -= 1
            if (window := self.window(number)) is not None:
                return Sample(False, GOOD, window[1])
        return Sample(False, GOOD, self._since)

    def next_change(self, after_us: int) -> int | None:
        """When a window opens or closes."""
        if self._share <= 0:
            return None
        number = max(after_us, self._since) // self._period
        while True:
            window = self.window(number)
            if window is not None:
                for edge in window:
                    if edge > after_us:
                        return edge
            number += 1


class WrittenOver:
    """A signal that holds still except for writes: the last write stands.

    Args:
        base: what shows before the first write.
        writes: the writes so far; the list is read at each call, so that later writes show.
    """

    __slots__ = ("_base", "_writes")

    def __init__(self, base: Signal, writes: History) -> None:
        self._base = base
        self._writes = writes

    def sample(self, at_us: int) -> Sample:
        """The last value written up to `at_us`."""
        for when, value in reversed(self._writes):
            if when <= at_us:
                return Sample(value, GOOD, when)
        return self._base.sample(at_us)

    def next_change(self, after_us: int) -> int | None:
        """The next write; None when none is known."""
        for when, _ in self._writes:
            if when > after_us:
                return when
        return None


class Element:
    """One element of an array signal.

    Args:
        array: the signal of the whole array.
        index: 0-based.
    """

    __slots__ = ("_array", "_index")

    def __init__(self, array: Signal, index: int) -> None:
        self._array = array
        self._index = index

    def sample(self, at_us: int) -> Sample:
        """The element, at the time at which the array last changed."""
        whole = self._array.sample(at_us)
        return Sample(self._of(whole), whole.quality, whole.time_us)

    def next_change(self, after_us: int) -> int | None:
        """The next change of the array (which stamps all its elements)."""
        return self._array.next_change(after_us)

    def _of(self, whole: Sample) -> Value:
        values = whole.value
        assert isinstance(values, list)
        return values[self._index] if self._index < len(values) else None
