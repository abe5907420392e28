"""How the attributes of a machine behave, and the alarms: everything that a trip moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log

from .behaviours import Formula
from .formulas import lagged, wander
from .limits import Calm, is_upper
from .machine import SECOND, Machine, MachineState, States
from .model import BAD_COMM_FAILURE, GOOD, UNCERTAIN, AlarmSpec, DataType, Signal, Value
from .randomness import mix, normal, pick, unit
from .scenes import Scene
from .signals import AnyOf, Constant, Still, Ticking, WrittenOver
from .state_signals import Stepped, Windows

__all__ = ["AlarmBit", "InAlarm", "NOT_TRIPPED", "Quantity", "State", "Tally", "Warned"]

RUNS: States = frozenset({MachineState.STARTING, MachineState.RUNNING})
NOT_TRIPPED: States = frozenset(MachineState) - {MachineState.TRIPPED}
_TRIPPED: States = frozenset({MachineState.TRIPPED})
NOT_RUNNING: States = frozenset(MachineState) - {MachineState.RUNNING}

#: Below this share a quantity is taken to be at rest; it is reached `_REST_TAUS` time constants after the stop.
_REST, _REST_TAUS = 0.002, 6.3
#: How a transmitter's quality suffers after a trip: bad, then uncertain, then good again.
_QUALITY_BAD_US, _QUALITY_UNCERTAIN_US, _QUALITY_GOOD_US = 1 * SECOND, 5 * SECOND, 15 * SECOND
#: The noise never leaves plus or minus so many times its spread.
_NOISE_BOUND = 1.9
#: Of the objects of a template about so many have alarm bits that come and go, or a big plant would be one alarm.
_LIVELY_PEERS = 6


@dataclass(frozen=True, slots=True)
class State:
    """What the machine's state shows: a value for stopped, starting, running and tripped."""

    stopped: Value
    starting: Value
    running: Value
    tripped: Value

    def signal(self, scene: Scene) -> Signal:
        """The value of the state; that of a running machine where there is no machine."""
        machine = scene.plant.machine(scene.object)
        if machine is None:
            return Constant(self.running, scene.since_us)
        shows = dict(zip(MachineState, (self.stopped, self.starting, self.running, self.tripped), strict=True))
        return Stepped(machine, shows, scene.since_us)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured value of a machine: `on` while it runs, `off` while it stands, with a lag in between.

    Args:
        on: while it runs; scaled by the setpoint where there is one.
        off: while it stands.
        noise: spread of the noise while it runs.
        up_s: time constant of the start, in seconds.
        down_s: time constant of the stop, in seconds.
        rate_s: about how often it changes, in seconds.
        setpoint: name of the attribute whose writes it follows.
        setpoint_on: the value of that attribute at which it shows `on`.
        transmitter: whether its quality suffers for a while when the machine trips.
        states: the states in which it counts as running.
    """

    on: float
    off: float = 0.0
    noise: float = 0.0
    up_s: float = 4.0
    down_s: float = 6.0
    rate_s: float = 0.5
    setpoint: str | None = None
    setpoint_on: float = 1.0
    transmitter: bool = False
    states: States = RUNS

    def signal(self, scene: Scene) -> Signal:
        """The signal of one object's attribute."""
        machine = scene.plant.machine(scene.object)
        key, period = scene.key, round(self.rate_s * SECOND)
        formula = self._formula(scene, machine, key)
        if machine is None:
            return Ticking(key, period, formula, since_us=scene.since_us, version=lambda: scene.plant.version)
        return Ticking(
            key,
            period,
            formula,
            since_us=scene.since_us,
            quality=_transmitter_quality(machine) if self.transmitter else None,
            still=self._still(machine),
            version=lambda: scene.plant.version + machine.version,
        )

    def warning(self, machine: Machine, at_us: int) -> float:
        """What is added before a trip."""
        return 0.0

    def calm(self, scene: Scene, alarm: AlarmSpec) -> Calm | None:
        """Where the value is certainly within the limit of an alarm (see `LimitAlarm`); None when that is not known.

        Known is: on its way from `off` to `on` it leaves the limit behind once. So while the machine runs it is safe
        from the moment at which the lag is as far from the limit as the noise can reach.
        """
        machine, limit = scene.plant.machine(scene.object), alarm.limit
        if machine is None or limit is None or self.setpoint is not None or is_upper(alarm) != (self.on < self.off):
            return None
        needed = (abs(limit - self.off) + _NOISE_BOUND * self.noise) / abs(self.on - self.off)
        up, down = round(self.up_s * SECOND), round(self.down_s * SECOND)

        def calm(at_us: int) -> Still | None:
            stretch = machine.stretch(at_us, self.states)
            if not stretch.inside or needed >= 1.0:
                return None
            safe = stretch.start_us
            level = machine.response(safe, self.states, up, down)
            if level < needed:
                safe += int(up * log((1.0 - level) / (1.0 - needed))) + SECOND
            return (safe, stretch.end_us) if at_us >= safe else None

        return calm

    def _formula(self, scene: Scene, machine: Machine | None, key: int) -> Formula:
        up, down = round(self.up_s * SECOND), round(self.down_s * SECOND)
        slow, fast = mix(key, -4), mix(key, -5)
        writes = scene.writes(self.setpoint) if self.setpoint is not None else None

        def formula(at_us: int) -> Value:
            level = 1.0 if machine is None else machine.response(at_us, self.states, up, down)
            if level < _REST:
                return scene.fit(self.off)
            on = self.on
            if writes is not None and (written := writes()):
                on *= lagged(self.setpoint_on, written, at_us, up) / self.setpoint_on
            if machine is not None:
                on += self.warning(machine, at_us)
            noise = self.noise * level * (wander(slow, at_us, 45 * SECOND) + 0.25 * normal(fast, at_us))
            return scene.fit(self.off + (on - self.off) * level + noise)

        return formula

    def _still(self, machine: Machine) -> Callable[[int], Still | None]:
        rest = max(round(self.down_s * _REST_TAUS * SECOND), _QUALITY_GOOD_US)

        def still(at_us: int) -> Still | None:
            stretch = machine.stretch(at_us, self.states)
            at_rest = stretch.start_us + rest
            return None if stretch.inside or at_us < at_rest else (at_rest, stretch.end_us)

        return still


def _transmitter_quality(machine: Machine) -> Callable[[int], int]:
    def quality(at_us: int) -> int:
        trip = machine.stretch(at_us, _TRIPPED)
        passed = at_us - trip.start_us
        if not trip.inside or not _QUALITY_BAD_US <= passed < _QUALITY_GOOD_US:
            return GOOD
        return BAD_COMM_FAILURE if passed < _QUALITY_UNCERTAIN_US else UNCERTAIN

    return quality


@dataclass(frozen=True, slots=True)
class Warned(Quantity):
    """A quantity that rises in the last seconds before a trip, such as vibration; its alarm limit is above `on`.

    Args:
        rise: shortest and longest distance above `on` when the machine trips; each trip has its own.
        warning_s: how long before the trip it begins to rise.
    """

    rise: tuple[float, float] = (0.0, 0.0)
    warning_s: float = 45.0

    def warning(self, machine: Machine, at_us: int) -> float:
        """What is added before a trip."""
        trip_us = machine.trip_ahead(at_us)
        if trip_us is None or trip_us - at_us > self.warning_s * SECOND:
            return 0.0
        return pick(trip_us, 1, *self.rise) * (1.0 - (trip_us - at_us) / (self.warning_s * SECOND))

    def calm(self, scene: Scene, alarm: AlarmSpec) -> Calm | None:
        """Where the value is certainly within the limit: from a trip on, until the warning of the next one."""
        machine = scene.plant.machine(scene.object)
        if machine is None:
            return None
        warning = round(self.warning_s * SECOND)

        def calm(at_us: int) -> Still | None:
            between = machine.stretch(at_us, NOT_TRIPPED)
            if not between.inside:
                return None
            until = None if between.end_us is None else between.end_us - warning
            return (between.start_us, until) if until is None or at_us < until else None

        return calm


@dataclass(frozen=True, slots=True)
class Tally:
    """What a machine has done since it was made: it counts while the machine runs, and only then.

    Args:
        unit_s: seconds of running that count as one.
        rate_s: about how often it changes, in seconds.
        first: the largest count at the start of the simulation; each tag has its own.
        wrap: where it starts again from 0.
    """

    unit_s: float
    rate_s: float
    first: float = 10_000
    wrap: float = 1_000_000

    def signal(self, scene: Scene) -> Signal:
        """The signal of one object's attribute; it counts from the start of the simulation."""
        key, machine, start = scene.key, scene.plant.machine(scene.object), scene.plant.start_us
        first, unit_us = pick(key, -7, 0, self.first), self.unit_s * SECOND

        def value(at_us: int) -> Value:
            at_us = max(at_us, start)
            ran = at_us - start if machine is None else machine.run_time(start, at_us)
            count = (first + ran / unit_us) % self.wrap
            return scene.fit(int(count) if scene.attribute.data_type is DataType.INTEGER else count)

        def still(at_us: int) -> Still | None:
            if at_us < start:
                return scene.since_us, start
            stands = None if machine is None else machine.stretch(at_us, NOT_RUNNING)
            return None if stands is None or not stands.inside else (stands.start_us, stands.end_us)

        return Ticking(
            key,
            round(self.rate_s * SECOND),
            value,
            since_us=scene.since_us,
            still=still,
            version=lambda: 0 if machine is None else machine.version,
        )


@dataclass(frozen=True, slots=True)
class AlarmBit:
    """A discrete alarm that comes and goes by itself until it is written; then the last write stands.

    Args:
        every_s: length of a period, with at most one occurrence, in seconds.
        share: how many periods have one, above 0 to 1.
        length_s: shortest and longest occurrence, in seconds.
        chatters: whether it is the one that comes and goes every few seconds in the "chattering" scenario.
    """

    every_s: float
    share: float
    length_s: tuple[float, float]
    chatters: bool = False

    def signal(self, scene: Scene) -> Signal:
        """The signal of one object's attribute under the plant's alarm scenario."""
        return WrittenOver(self._by_itself(scene), scene.writes())

    def _by_itself(self, scene: Scene) -> Signal:
        key, since, scenario = scene.key, scene.since_us, scene.plant.scenario
        if scenario == "chattering" and self.chatters:
            return Windows(key, 6 * SECOND, 1.0, (SECOND, 4 * SECOND), since)
        lively = unit(key, -10) * scene.plant.peers(scene.object) < _LIVELY_PEERS
        if scenario == "quiet" or not lively:
            return Constant(False, since)
        if scenario == "stale" and unit(key, -8) < self.share:
            return Constant(True, scene.plant.start_us - int(pick(key, -9, 25, 40) * 3600) * SECOND)
        shortest, longest = self.length_s
        length = round(shortest * SECOND), round(longest * SECOND)
        return Windows(key, round(self.every_s * SECOND), self.share, length, since)


@dataclass(frozen=True, slots=True)
class InAlarm:
    """Whether the alarm is active on the attribute that this one hangs on; on the object, whether any of its is."""

    def signal(self, scene: Scene) -> Signal:
        """The signal of one object's attribute."""
        of, _, _ = scene.attribute.name.rpartition(".")
        alarms = scene.plant.alarms_of(scene.object, of or None)
        return AnyOf(alarms) if alarms else Constant(False, scene.since_us)
