"""Signals that step between a few values: the states of a machine, and windows that open and close."""

from __future__ import annotations

from .machine import Machine, MachineState
from .model import GOOD, Sample, Value
from .randomness import unit

__all__ = ["Stepped", "Windows"]


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
        # States that show the same value are one to whoever looks.
        self._groups = {
            state: frozenset(other for other in shows if shows[other] == value) for state, value in shows.items()
        }

    def sample(self, at_us: int) -> Sample:
        """The value of the state, since it began to be shown."""
        at_us = max(at_us, self._since)
        state = self._machine.segment(at_us).state
        return Sample(self._shows[state], GOOD, self._machine.stretch(at_us, self._groups[state]).start_us)

    def next_change(self, after_us: int) -> int | None:
        """When a state with another value begins."""
        after_us = max(after_us, self._since)
        state = self._machine.segment(after_us).state
        return self._machine.stretch(after_us, self._groups[state]).end_us


class Windows:
    """False, and true in windows: at most one in each period, at a place its number decides.

    Args:
        key: of the tag.
        period_us: length of a period.
        share: how many of the periods have a window, above 0 to 1.
        length_us: shortest and longest window, shorter than the period.
        since_us: nothing happened before.
    """

    __slots__ = ("_key", "_length", "_period", "_share", "_since")

    def __init__(self, key: int, period_us: int, share: float, length_us: tuple[int, int], since_us: int) -> None:
        self._key = key
        self._period = period_us
        self._share = share
        self._length = length_us
        self._since = since_us

    def sample(self, at_us: int) -> Sample:
        """Whether a window is open, since when."""
        at_us = max(at_us, self._since)
        number = at_us // self._period
        while (number + 1) * self._period > self._since:
            window = self._window(number)
            if window is not None and window[0] <= at_us:
                closed = at_us >= window[1]
                return Sample(not closed, GOOD, window[1] if closed else window[0])
            number -= 1
        return Sample(False, GOOD, self._since)

    def next_change(self, after_us: int) -> int | None:
        """When a window opens or closes."""
        number = max(after_us, self._since) // self._period
        while True:
            for edge in self._window(number) or ():
                if edge > after_us:
                    return edge
            number += 1

    def _window(self, number: int) -> tuple[int, int] | None:
        if unit(self._key, 3 * number) >= self._share:
            return None
        shortest, longest = self._length
        length = shortest + int((longest - shortest) * unit(self._key, 3 * number + 1))
        # One microsecond is left on both sides, so that two windows never touch.
        start = number * self._period + 1 + int((self._period - length - 2) * unit(self._key, 3 * number + 2))
        return (start, start + length) if start > self._since else None
