"""The shapes a value can take over time. Each is a pure function of time and of the writes so far.

A signal changes at ticks. Ticks of one tag lie about one period apart, each shifted by its own hash, so that two tags
with the same period do not change together. A tick that would repeat value and quality is no change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from .formulas import Writes
from .model import GOOD, Sample, Signal, Value
from .randomness import mix

__all__ = ["AnyOf", "Constant", "Element", "Pulse", "Still", "Ticking", "WrittenOver"]

#: Begin and end of a span around a time in which a value does not move; the end None is for good.
Still: TypeAlias = tuple[int, int | None]

#: Equal ticks after which `Ticking` gives up looking for a change and lets the caller look again from there.
_PATIENCE = 4096
#: What the last so many ticks showed is remembered by a signal: each is looked at again when the next one is due.
_REMEMBERED = 4


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

    Tick `n` lies in the first three eighths of the n-th period since 1970.

    Args:
        key: of the tag; it shifts the ticks.
        period_us: mean distance between two ticks.
        value: the value at the time of a tick.
        since_us: nothing happened before; the first value stands from there.
        quality: the quality byte at the time of a tick.
        still: a span around a time in which value and quality do not move, if there is one. It saves looking at
            every tick of a machine that stands still.
        version: a number that moves on when a write or a command may have changed what the ticks show; the last few
            ticks are remembered until then.
    """

    __slots__ = ("_key", "_period", "_quality", "_shown", "_shown_version", "_since", "_still", "_value", "_version")

    def __init__(
        self,
        key: int,
        period_us: int,
        value: Callable[[int], Value],
        *,
        since_us: int,
        quality: Callable[[int], int] | None = None,
        still: Callable[[int], Still | None] | None = None,
        version: Callable[[], int] | None = None,
    ) -> None:
        self._key = key
        self._period = period_us
        self._value = value
        self._since = since_us
        self._quality = quality
        self._still = still
        self._version = version
        self._shown_version = -1
        self._shown: dict[int, tuple[Value, int]] = {}

    def sample(self, at_us: int) -> Sample:
        """The value, with the time of the tick that brought it (looking back at most 4096 equal ticks)."""
        at_us = max(at_us, self._since)
        tick = self._tick(at_us)
        shown = self._show(tick)
        for _ in range(_PATIENCE):
            time = self._time(tick)
            span = self._still(time) if self._still is not None else None
            if span is not None and span[0] < time:
                tick = min(tick, self._first_from(span[0]))
                time = self._time(tick)
            if time <= self._since or self._show(tick - 1) != shown:
                break
            tick -= 1
        return Sample(*shown, max(self._time(tick), self._since))

    def next_change(self, after_us: int) -> int | None:
        """The next tick that changes value or quality.

        A value that has not moved for 4096 ticks is taken to be one that hardly ever moves: then the time at which
        to ask again is returned.
        """
        tick = self._tick(max(after_us, self._since))
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
        tick = at_us // self._period
        return tick if self._time(tick) <= at_us else tick - 1

    def _first_from(self, at_us: int) -> int:
        tick = self._tick(at_us)
        return tick if self._time(tick) >= at_us else tick + 1

    def _show(self, tick: int) -> tuple[Value, int]:
        version = self._version() if self._version is not None else 0
        if version != self._shown_version:
            self._shown.clear()
            self._shown_version = version
        shown = self._shown.get(tick)
        if shown is None:
            if len(self._shown) >= _REMEMBERED:
                del self._shown[next(iter(self._shown))]
            time = max(self._time(tick), self._since)
            quality = GOOD if self._quality is None else self._quality(time)
            shown = self._shown[tick] = self._value(time), quality
        return shown


class WrittenOver:
    """A signal until the first write; from then on the last write stands.

    Args:
        base: what shows before the first write.
        writes: gives the writes so far; it is asked at each call, so that later writes show.
    """

    __slots__ = ("_base", "_writes")

    def __init__(self, base: Signal, writes: Callable[[], Writes]) -> None:
        self._base = base
        self._writes = writes

    def sample(self, at_us: int) -> Sample:
        """The last value written up to `at_us`."""
        for when, value in reversed(self._writes()):
            if when <= at_us:
                return Sample(value, GOOD, when)
        return self._base.sample(at_us)

    def next_change(self, after_us: int) -> int | None:
        """The next write; before the first one, also the next change of what shows until then."""
        writes = self._writes()
        upcoming = next((when for when, _ in writes if when > after_us), None)
        if writes and writes[0][0] <= after_us:
            return upcoming
        change = self._base.next_change(after_us)
        return change if upcoming is None or (change is not None and change < upcoming) else upcoming


class Pulse:
    """A command: false, and true for a moment after each write of true.

    Args:
        writes: gives the writes so far.
        length_us: for how long it stays true.
        since_us: nothing happened before.
    """

    __slots__ = ("_length", "_since", "_writes")

    def __init__(self, writes: Callable[[], Writes], length_us: int, since_us: int) -> None:
        self._writes = writes
        self._length = length_us
        self._since = since_us

    def sample(self, at_us: int) -> Sample:
        """Whether a write is being taken up, since when."""
        for when, value in reversed(self._writes()):
            if when <= at_us and value is True:
                done = at_us >= when + self._length
                return Sample(not done, GOOD, when + self._length if done else when)
        return Sample(False, GOOD, self._since)

    def next_change(self, after_us: int) -> int | None:
        """When the write of true has been taken up."""
        edges = [edge for when, value in self._writes() if value is True for edge in (when, when + self._length)]
        return min((edge for edge in edges if edge > after_us), default=None)


class AnyOf:
    """True while any of some signals is true.

    Args:
        signals: signals of true and false; at least one.
    """

    __slots__ = ("_signals",)

    def __init__(self, signals: Sequence[Signal]) -> None:
        self._signals = signals

    def sample(self, at_us: int) -> Sample:
        """Whether any is true, since when."""
        samples = [signal.sample(at_us) for signal in self._signals]
        active = [sample.time_us for sample in samples if sample.value]
        if not active:
            return Sample(False, GOOD, max(sample.time_us for sample in samples))
        since = min(active)
        for _ in range(_PATIENCE):
            before = [signal.sample(since - 1) for signal in self._signals]
            earlier = [sample.time_us for sample in before if sample.value and sample.time_us < since]
            if not earlier:
                break
            since = min(earlier)
        return Sample(True, GOOD, since)

    def next_change(self, after_us: int) -> int | None:
        """When the first one becomes true, or the last one false."""
        at = after_us
        active = [signal for signal in self._signals if signal.sample(at).value]
        if not active:
            changes = [change for signal in self._signals if (change := signal.next_change(at)) is not None]
            return min(changes, default=None)
        for _ in range(_PATIENCE):
            ends = [signal.next_change(at) for signal in active]
            if None in ends:
                return None
            at = max(end for end in ends if end is not None)
            active = [signal for signal in self._signals if signal.sample(at).value]
            if not active:
                break
        return at


class Element:
    """One element of an array signal; it is stamped whenever the array is.

    Args:
        array: the signal of the whole array.
        index: 0-based.
    """

    __slots__ = ("_array", "_index")

    def __init__(self, array: Signal, index: int) -> None:
        self._array = array
        self._index = index

    def sample(self, at_us: int) -> Sample:
        """The element, at the time at which the array last changed; None beyond an array that was written shorter."""
        whole = self._array.sample(at_us)
        values = whole.value
        assert isinstance(values, list)
        return Sample(values[self._index] if self._index < len(values) else None, whole.quality, whole.time_us)

    def next_change(self, after_us: int) -> int | None:
        """The next change of the array."""
        return self._array.next_change(after_us)
