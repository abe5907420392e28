"""A machine's life as a pure function of time: when it runs, stops, trips and starts again.

Time is cut into epochs (per machine, with its own length and phase). Each epoch has one planned stop at a place that
its number decides. Over the planned stops lie the plant's trips, over both lie the operator's commands. Caches hold
what was computed last; they can be dropped at any time.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import IntEnum
from math import exp
from typing import NamedTuple

from .randomness import pick
from .trips import SECOND, SLOT_US, TripSchedule

__all__ = ["SECOND", "Machine", "MachineState", "MachineTraits", "Segment", "States", "Stretch"]

_NEVER = 1 << 62
#: After a trip: so long stopped, then so long starting.
_RESET = 10 * SECOND
_START = 6 * SECOND
_KEPT_COMMANDS = 1000
_STEPS_PER_MARK = 8
_KEPT_EPOCHS = 64
_KEPT_LEVELS = 64


class MachineState(IntEnum):
    """What a machine is doing; the numbers are what `StateCode` shows."""

    STOPPED = 0
    STARTING = 1
    RUNNING = 2
    TRIPPED = 3


STOPPED, STARTING, RUNNING, TRIPPED = MachineState
States = frozenset[MachineState]


_RUNS: States = frozenset({RUNNING})


class Segment(NamedTuple):
    """A state that stands from `start_us` to `end_us` (exclusive)."""

    state: MachineState
    start_us: int
    end_us: int


class Stretch(NamedTuple):
    """A whole stretch of time inside or outside a set of states; `end_us` None is for good."""

    inside: bool
    start_us: int
    end_us: int | None


@dataclass(frozen=True, slots=True)
class MachineTraits:
    """How a kind of machine behaves.

    Args:
        epoch_s: shortest and longest time between two planned stops, in seconds.
        stop_s: shortest and longest planned stop, in seconds; at most a third of the shortest epoch.
        trips: whether it takes part in the plant's trips.
    """

    epoch_s: tuple[float, float] = (900.0, 2400.0)
    stop_s: tuple[float, float] = (45.0, 150.0)
    trips: bool = True


class Machine:
    """One machine's states over time.

    Args:
        key: of the machine (see `randomness.stable_key`).
        traits: of its kind.
        since_us: the plant's beginning; stretches are not followed back beyond it.
        number: its place among the machines that trip; None when it never trips by itself.
        trips: the plant's schedule.
    """

    def __init__(
        self,
        key: int,
        traits: MachineTraits,
        since_us: int,
        number: int | None = None,
        trips: TripSchedule | None = None,
    ) -> None:
        self._key = key
        self._traits = traits
        self._since = since_us
        self._number = number
        self._trips = trips
        self._epoch_us = int(pick(key, -1, *traits.epoch_s) * SECOND)
        self._phase_us = int(pick(key, -2, 0, self._epoch_us))
        #: Moves on with every command.
        self.version = 0
        self._commands: list[Segment] = []
        self._forced: set[int] = set()
        self._epochs: dict[int, tuple[list[int], list[MachineState]]] = {}
        self._stretches: dict[States, Stretch] = {}
        self._levels: dict[tuple[int, States, int, int], float] = {}
        self._marks: dict[int, list[tuple[int, int]]] = {}

    @property
    def trips(self) -> bool:
        """Whether the plant's schedule ever trips it."""
        return self._trips is not None and self._number is not None and self._number < self._trips.pool

    def planned(self, at_us: int) -> MachineState:
        """The state that the planned stops alone give."""
        for state, start, end in self._stop((at_us - self._phase_us) // self._epoch_us):
            if start <= at_us < end:
                return state
        return RUNNING

    def segment(self, at_us: int) -> Segment:
        """A stretch of unchanged state around `at_us`; the next one may show the same state."""
        low, high = -_NEVER, _NEVER
        for command in self._commands:
            if command.end_us <= at_us:
                low = max(low, command.end_us)
            elif command.start_us <= at_us:
                return command
            else:
                high = min(high, command.start_us)
        epoch = (at_us - self._phase_us) // self._epoch_us
        times, states = self._epoch(epoch)
        at = bisect_right(times, at_us) - 1
        end = times[at + 1] if at + 1 < len(times) else self._phase_us + (epoch + 1) * self._epoch_us
        return Segment(states[at], max(low, times[at]), min(high, end))

    def stretch(self, at_us: int, states: States) -> Stretch:
        """Whether the state is one of `states`, since when (not before the plant's beginning), and until when."""
        known = self._stretches.get(states)
        if known is not None and known.start_us <= at_us and (known.end_us is None or at_us < known.end_us):
            return known
        here = self.segment(at_us)
        inside = here.state in states
        start, end = here.start_us, self._end(here.end_us, states, inside)
        while start > self._since and ((before := self.segment(start - 1)).state in states) == inside:
            start = self._since if self._settled(start, states, later=False) else before.start_us
        known = self._stretches[states] = Stretch(inside, max(start, self._since), end)
        return known

    def response(self, at_us: int, states: States, up_us: int, down_us: int) -> float:
        """A first-order lag in [0, 1] that rises while the state is one of `states` and falls otherwise."""
        here = self.segment(at_us)
        key = here.start_us, states, up_us, down_us
        level = self._levels.get(key)
        if level is None:
            if len(self._levels) >= _KEPT_LEVELS:
                self._levels.clear()
            level = self._levels[key] = self._level(here, states, up_us, down_us)
        if here.state in states:
            return 1.0 - (1.0 - level) * exp((here.start_us - at_us) / up_us)
        return level * exp((here.start_us - at_us) / down_us)

    def trip_ahead(self, at_us: int) -> int | None:
        """When the schedule ends the present run by a trip; None when it does not, or when it does not run."""
        run = self.stretch(at_us, _RUNS)
        if not run.inside or run.end_us is None or run.end_us in self._forced:
            return None
        return run.end_us if self.segment(run.end_us).state is TRIPPED else None

    def run_time(self, from_us: int, to_us: int) -> int:
        """For how many microseconds it ran from `from_us` to `to_us`."""
        marks = self._marks.setdefault(from_us, [(from_us, 0)])
        at, ran = marks[bisect_right(marks, (to_us, _NEVER)) - 1]
        steps = 0
        while (here := self.segment(at)).end_us <= to_us:
            ran += here.end_us - at if here.state is RUNNING else 0
            at = here.end_us
            steps += 1
            if steps % _STEPS_PER_MARK == 0 and at > marks[-1][0]:
                marks.append((at, ran))
        return ran + (to_us - at if here.state is RUNNING else 0)

    def stop(self, at_us: int) -> None:
        """The operator stops it: it stays stopped until it is started. A tripped machine stays tripped."""
        if self.segment(at_us).state is not TRIPPED:
            self._cut(at_us)
            self._commands.append(Segment(STOPPED, at_us, _NEVER))

    def start(self, at_us: int) -> None:
        """The operator starts it; a machine that runs goes on, one that has tripped must be reset first."""
        if self.segment(at_us).state is STOPPED:
            self._begin(at_us)

    def reset(self, at_us: int) -> None:
        """The operator resets a trip, and the machine starts again."""
        if self.segment(at_us).state is TRIPPED:
            self._begin(at_us)

    def trip(self, at_us: int, seconds: float) -> bool:
        """Trip it for that long; then it starts by itself. False: only a running machine trips."""
        if self.segment(at_us).state is not RUNNING:
            return False
        self._cut(at_us)
        self._forced.add(at_us)
        end = at_us + int(seconds * SECOND)
        self._commands += _recovery(at_us, end)
        return True

    def _begin(self, at_us: int) -> None:
        self._cut(at_us)
        self._commands.append(Segment(STARTING, at_us, at_us + _START))
        at = at_us + _START
        while (planned := self.segment(at)).state is not RUNNING:
            self._commands.append(Segment(RUNNING, at, planned.end_us))
            at = planned.end_us

    def _cut(self, at_us: int) -> None:
        self.version += 1
        kept = [command for command in self._commands if command.start_us < at_us][-_KEPT_COMMANDS:]
        self._commands = [command._replace(end_us=min(command.end_us, at_us)) for command in kept]
        self._stretches.clear()
        self._levels.clear()
        for marks in self._marks.values():
            del marks[max(1, bisect_right(marks, (at_us, _NEVER))) :]

    def _end(self, at_us: int, states: States, inside: bool) -> int | None:
        while at_us < _NEVER and not self._settled(at_us, states, later=True):
            after = self.segment(at_us)
            if (after.state in states) != inside:
                return at_us
            at_us = after.end_us
        if at_us >= _NEVER:
            return None
        # From here on the state alone decides, and it never leaves or enters `states`.
        return None if (self.segment(at_us).state in states) == inside else at_us

    def _settled(self, at_us: int, states: States, *, later: bool) -> bool:
        """Whether all states on the one side of `at_us` are on the same side of `states`."""
        if any(over.end_us > at_us if later else over.start_us < at_us for over in self._commands):
            return False
        usual = {STOPPED, STARTING, RUNNING} | ({TRIPPED} if self.trips else set())
        return usual <= states or not usual & states

    def _level(self, here: Segment, states: States, up_us: int, down_us: int) -> float:
        """The lag at the beginning of a segment, from as far back as still counts (nine time constants)."""
        path: list[Segment] = []
        reach = 0.0
        while reach < 9.0:
            here = self.segment(here.start_us - 1)
            path.append(here)
            reach += (here.end_us - here.start_us) / (up_us if here.state in states else down_us)
        level = 1.0 if path[-1].state in states else 0.0
        for past in reversed(path):
            if past.state in states:
                level = 1.0 - (1.0 - level) * exp((past.start_us - past.end_us) / up_us)
            else:
                level *= exp((past.start_us - past.end_us) / down_us)
        return level

    def _stop(self, epoch: int) -> tuple[Segment, Segment]:
        start = self._phase_us + epoch * self._epoch_us
        length = int(pick(self._key, 3 * epoch + 1, *self._traits.stop_s) * SECOND)
        room = self._epoch_us - length - 2 * _START
        at = start + int(pick(self._key, 3 * epoch + 2, 0.05, 0.95) * room)
        return Segment(STOPPED, at, at + length), Segment(STARTING, at + length, at + length + _START)

    def _epoch(self, epoch: int) -> tuple[list[int], list[MachineState]]:
        cached = self._epochs.get(epoch)
        if cached is not None:
            return cached
        start = self._phase_us + epoch * self._epoch_us
        end = start + self._epoch_us
        layers: list[Segment] = [*self._stop(epoch)]
        if self._trips is not None and self._number is not None:
            for at, until in self._trips.trips(self._number, start - 2 * SLOT_US, end):
                layers += _recovery(at, until)
        edges = {start, *(edge for layer in layers for edge in layer[1:] if start < edge < end)}
        times: list[int] = []
        states: list[MachineState] = []
        for edge in sorted(edges):
            state = RUNNING
            for layer in layers:
                if layer.start_us <= edge < layer.end_us:
                    state = layer.state
            if not states or states[-1] is not state:
                times.append(edge)
                states.append(state)
        if len(self._epochs) >= _KEPT_EPOCHS:
            self._epochs.clear()
        self._epochs[epoch] = times, states
        return times, states


def _recovery(trip_us: int, reset_us: int) -> tuple[Segment, ...]:
    stopped = reset_us + _RESET
    return (
        Segment(TRIPPED, trip_us, reset_us),
        Segment(STOPPED, reset_us, stopped),
        Segment(STARTING, stopped, stopped + _START),
    )
