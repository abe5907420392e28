"""A machine's life as a pure function of time: when it runs, stops, trips and starts again.

Time is cut into epochs (per machine, with its own length and phase). Each epoch has one planned stop at a place that
its number decides. Trips come from one plant-wide schedule, so that their rate does not grow with the plant. Operator
commands lie over both.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from math import exp

from .randomness import pick, stable_key, unit

__all__ = ["Machine", "MachineState", "MachineTraits", "Segment", "TripSchedule"]

SECOND = 1_000_000
_NEVER = 1 << 62
_TRIP_SLOT = 200 * SECOND
_RESET = 10 * SECOND
_START = 6 * SECOND


class MachineState(IntEnum):
    """What a machine is doing; the values are what `StateCode` shows."""

    STOPPED = 0
    STARTING = 1
    RUNNING = 2
    TRIPPED = 3


STOPPED, STARTING, RUNNING, TRIPPED = MachineState


@dataclass(frozen=True, slots=True)
class Segment:
    """A state that stands from `start_us` to `end_us` (exclusive)."""

    state: MachineState
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class MachineTraits:
    """How a kind of machine behaves.

    Args:
        epoch_s: shortest and longest time between two planned stops, in seconds.
        stop_s: shortest and longest planned stop, in seconds; epochs are at least three times as long.
        trips: whether it takes part in the plant's trips.
    """

    epoch_s: tuple[float, float] = (900.0, 2400.0)
    stop_s: tuple[float, float] = (45.0, 150.0)
    trips: bool = True


class TripSchedule:
    """Which machine trips when: one machine per slot of 200 seconds, the first machines more often than the last.

    A machine is never picked in two slots running, so one trip's recovery ends before its next trip.

    Args:
        seed: of the plant.
        scenario: the alarm scenario; "quiet" has no trips, "flood" has bursts in which most machines trip.
        pool: how many machines take part.
        running: whether the machine with that number runs at that time as far as its planned stops go.
    """

    def __init__(self, seed: int, scenario: str, pool: int, running: Callable[[int, int], bool]) -> None:
        self.pool = 0 if scenario == "quiet" else pool
        self._flood = scenario == "flood"
        self._key = stable_key(seed, "trips")
        self._running = running
        self._slot = lru_cache(maxsize=4096)(self._find)

    def trips(self, number: int, from_us: int, to_us: int) -> list[tuple[int, int]]:
        """Begin and end of each trip of machine `number` that begins in [from_us, to_us)."""
        if number >= self.pool:
            return []
        found: list[tuple[int, int]] = []
        for slot in range(from_us // _TRIP_SLOT, (to_us - 1) // _TRIP_SLOT + 1):
            trip = self._slot(slot).get(number)
            if trip is not None and from_us <= trip[0] < to_us:
                found.append(trip)
        return found

    def _find(self, slot: int) -> dict[int, tuple[int, int]]:
        key = stable_key(self._key, str(slot))
        if self._flood and slot % 3 == 0:
            numbers = [n for n in range(self.pool) if unit(key, n) < 0.85]
            burst = [(n, slot * _TRIP_SLOT + int(pick(key, 1000 + n, 5, 60) * SECOND)) for n in numbers]
            return {n: (at, at + int(pick(key, 2000 + n, 30, 90) * SECOND)) for n, at in burst if self._running(n, at)}
        if self._flood and slot % 3 == 2:
            return {}
        start = slot * _TRIP_SLOT + int(pick(key, 0, 0.1, 0.9) * _TRIP_SLOT)
        end = start + int(pick(key, 1, 35, 100) * SECOND)
        half = (self.pool + 1 - slot % 2) // 2
        for attempt in range(2, 8):
            if not half:
                break
            number = int(half * unit(key, attempt) ** 2) * 2 + slot % 2
            if self._running(number, start):
                return {number: (start, end)}
        return {}


class Machine:
    """One machine's states over time.

    Args:
        key: of the machine (see `randomness.stable_key`).
        traits: of its kind.
        number: its place among the machines that can trip; None when it never trips.
        trips: the plant's schedule.
    """

    def __init__(self, key: int, traits: MachineTraits, number: int | None, trips: TripSchedule | None) -> None:
        self._key = key
        self._traits = traits
        self._number = number
        self._trips = trips
        self._epoch_us = int(pick(key, -1, *traits.epoch_s) * SECOND)
        self._phase_us = int(pick(key, -2, 0, self._epoch_us))
        self._epochs: dict[int, tuple[list[int], list[MachineState]]] = {}
        self._over: list[Segment] = []

    @property
    def can_trip(self) -> bool:
        """Whether the plant's schedule ever trips it."""
        return self._trips is not None and self._number is not None and self._number < self._trips.pool

    def planned(self, at_us: int) -> MachineState:
        """The state that the planned stops alone give."""
        for start, end, state in self._stop((at_us - self._phase_us) // self._epoch_us):
            if start <= at_us < end:
                return state
        return RUNNING

    def segment(self, at_us: int) -> Segment:
        """The stretch of unchanged state around `at_us`; two in a row may show the same state."""
        low, high = -_NEVER, _NEVER
        for over in self._over:
            if over.start_us <= at_us < over.end_us:
                return over
            if over.end_us <= at_us:
                low = max(low, over.end_us)
            else:
                high = min(high, over.start_us)
        epoch = (at_us - self._phase_us) // self._epoch_us
        times, states = self._epoch(epoch)
        at = bisect_right(times, at_us) - 1
        end = times[at + 1] if at + 1 < len(times) else self._phase_us + (epoch + 1) * self._epoch_us
        return Segment(states[at], max(low, times[at]), min(high, end))

    def whole(self, at_us: int, states: frozenset[MachineState], since_us: int) -> tuple[bool, int, int | None]:
        """Whether the state is one of `states`, since when (not before `since_us`), and until when (None: for good)."""
        here = self.segment(at_us)
        inside = here.state in states
        start, end = here.start_us, here.end_us
        while start > since_us and ((before := self.segment(start - 1)).state in states) == inside:
            if self._settled(start, states, later=False):
                start = since_us
                break
            start = before.start_us
        while ((after := self.segment(end)).state in states) == inside:
            if after.end_us >= _NEVER or self._settled(end, states, later=True):
                return inside, max(start, since_us), None
            end = after.end_us
        return inside, max(start, since_us), end

    def response(self, at_us: int, states: frozenset[MachineState], up_us: int, down_us: int) -> float:
        """A first-order lag in [0, 1] that rises while the state is one of `states` and falls otherwise."""
        path: list[Segment] = []
        at, reach = at_us, 0.0
        while reach < 9.0:
            here = self.segment(at)
            path.append(here)
            reach += (at - here.start_us) / (up_us if here.state in states else down_us)
            at = here.start_us - 1
        level = 1.0 if path[-1].state in states else 0.0
        for here in reversed(path[:-1] if len(path) > 1 else path):
            till = min(at_us, here.end_us)
            if here.state in states:
                level = 1.0 - (1.0 - level) * exp(-(till - here.start_us) / up_us)
            else:
                level *= exp(-(till - here.start_us) / down_us)
        return level

    def stop(self, at_us: int) -> None:
        """The operator stops it: it stays stopped until it is started."""
        self._cut(at_us)
        self._over.append(Segment(STOPPED, at_us, _NEVER))

    def start(self, at_us: int) -> None:
        """The operator starts it, or resets a trip and starts it; a running machine goes on."""
        if self.segment(at_us).state in (STARTING, RUNNING):
            return
        self._cut(at_us)
        self._over.append(Segment(STARTING, at_us, at_us + _START))
        at = at_us + _START
        while (planned := self.segment(at)).state is not RUNNING:
            self._over.append(Segment(RUNNING, at, planned.end_us))
            at = planned.end_us

    def trip(self, at_us: int, seconds: float = 60.0) -> bool:
        """Trip it now for that long; then it starts by itself. Only a running machine trips."""
        if self.segment(at_us).state is not RUNNING:
            return False
        self._cut(at_us)
        end = at_us + int(seconds * SECOND)
        self._over += [
            Segment(TRIPPED, at_us, end),
            Segment(STOPPED, end, end + _RESET),
            Segment(STARTING, end + _RESET, end + _RESET + _START),
        ]
        return True

    def _cut(self, at_us: int) -> None:
        kept = [over for over in self._over if over.start_us < at_us][-32:]
        self._over = [Segment(over.state, over.start_us, min(over.end_us, at_us)) for over in kept]

    def _settled(self, at_us: int, states: frozenset[MachineState], *, later: bool) -> bool:
        """Whether nothing beyond `at_us` can change the answer for `states`."""
        if any(over.end_us > at_us if later else over.start_us < at_us for over in self._over):
            return False
        usual = {STOPPED, STARTING, RUNNING} | ({TRIPPED} if self.can_trip else set())
        return usual <= states or not usual & states

    def _stop(self, epoch: int) -> list[tuple[int, int, MachineState]]:
        start = self._phase_us + epoch * self._epoch_us
        length = int(pick(self._key, 3 * epoch + 1, *self._traits.stop_s) * SECOND)
        room = self._epoch_us - length - 2 * _START
        at = start + int(pick(self._key, 3 * epoch + 2, 0.05, 0.95) * room)
        return [(at, at + length, STOPPED), (at + length, at + length + _START, STARTING)]

    def _epoch(self, epoch: int) -> tuple[list[int], list[MachineState]]:
        cached = self._epochs.get(epoch)
        if cached is not None:
            return cached
        start = self._phase_us + epoch * self._epoch_us
        end = start + self._epoch_us
        layers = self._stop(epoch)
        if self._trips is not None and self._number is not None:
            for at, until in self._trips.trips(self._number, start - 2 * _TRIP_SLOT, end):
                layers += [
                    (at, until, TRIPPED),
                    (until, until + _RESET, STOPPED),
                    (until + _RESET, until + _RESET + _START, STARTING),
                ]
        edges = {start} | {edge for layer in layers for edge in layer[:2] if start < edge < end}
        times: list[int] = []
        states: list[MachineState] = []
        for edge in sorted(edges):
            state = RUNNING
            for at, until, what in layers:
                if at <= edge < until:
                    state = what
            if not states or states[-1] is not state:
                times.append(edge)
                states.append(state)
        if len(self._epochs) >= 8:
            self._epochs.clear()
        self._epochs[epoch] = times, states
        return times, states
