"""How an attribute behaves: plain descriptions that make a `Signal` for one object when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import pi, sin
from typing import Protocol

from .machine import SECOND, Machine, MachineState
from .model import BAD_COMM_FAILURE, GOOD, UNCERTAIN, AlarmSpec, Attribute, DataType, PlantObject, Signal, Value
from .randomness import mix, normal, stable_key, unit
from .signals import Constant, History, Stepped, Ticking, Windows, WrittenOver, float32, lagged, wander

__all__ = [
    "AlarmBit",
    "Behaviour",
    "ClockTime",
    "Counter",
    "Noise",
    "InAlarm",
    "Of",
    "Quantity",
    "Ramp",
    "Scene",
    "SceneSource",
    "Sine",
    "State",
    "Stored",
    "Warned",
    "default_value",
]

RUNNING_STATES = frozenset({MachineState.STARTING, MachineState.RUNNING})


class SceneSource(Protocol):
    """What behaviours read of the plant."""

    seed: int
    scenario: str
    start_us: int
    origin_us: int

    @property
    def deployed_at(self) -> datetime:
        """The time of the last deploy."""
        ...

    def machine(self, obj: PlantObject) -> Machine | None:
        """The machine that moves this object: its own, or the one it hangs on."""
        ...

    def history(self, reference: str) -> History:
        """The writes to a reference, oldest first."""
        ...

    def name_of(self, obj: PlantObject, what: str) -> str:
        """A name that belongs to an object: tag, contained, hierarchical, area, container, host or description."""
        ...

    def alarm_of(self, obj: PlantObject, name: str) -> Signal:
        """Whether the alarm on an attribute of an object is active."""
        ...


@dataclass(frozen=True, slots=True)
class Scene:
    """One attribute of one object, in its plant."""

    plant: SceneSource
    object: PlantObject
    attribute: Attribute
    reference: str

    @property
    def key(self) -> int:
        """The key of the tag's randomness."""
        return stable_key(self.plant.seed, self.reference)

    def sibling(self, name: str) -> History:
        """The writes to another attribute of the same object."""
        return self.plant.history(f"{self.object.tag_name}.{name}")

    def fit(self, number: float) -> Value:
        """`number` as the attribute's data type."""
        return _fit(self.attribute.data_type, number)


class Behaviour(Protocol):
    """A description that makes signals."""

    def signal(self, scene: Scene) -> Signal:
        """The signal of one attribute of one object."""
        ...


def _fit(data_type: DataType, number: float) -> Value:
    match data_type:
        case DataType.FLOAT:
            return float32(number)
        case DataType.INTEGER:
            return round(number)
        case DataType.BOOLEAN:
            return number > 0
        case DataType.TIME:
            return datetime.fromtimestamp(number, UTC)
        case DataType.ELAPSED_TIME:
            return timedelta(seconds=number)
        case DataType.DOUBLE:
            return number
        case _:
            return f"{number:g}"


_DEFAULTS: dict[DataType, Value] = {
    DataType.BOOLEAN: False,
    DataType.INTEGER: 0,
    DataType.FLOAT: 0.0,
    DataType.DOUBLE: 0.0,
    DataType.TIME: datetime(1970, 1, 1, tzinfo=UTC),
    DataType.ELAPSED_TIME: timedelta(0),
    DataType.CUSTOM: b"",
}


def default_value(attribute: Attribute) -> Value:
    """What an attribute shows before anyone gave it a value."""
    value = _DEFAULTS.get(attribute.data_type, "")
    return [value] * attribute.array_length if attribute.array_length is not None else value


@dataclass(frozen=True, slots=True)
class Stored:
    """A configured value: it stands until it is written. None is the default of the type."""

    value: Value = None

    def signal(self, scene: Scene) -> Signal:
        """The value, and later what was written."""
        value = default_value(scene.attribute) if self.value is None else self.value
        return WrittenOver(Constant(value, scene.plant.origin_us), scene.plant.history(scene.reference))


@dataclass(frozen=True, slots=True)
class Of:
    """A value that says something of the object, such as its name."""

    value: Callable[[Scene], Value]

    def signal(self, scene: Scene) -> Signal:
        """The value, and later what was written."""
        base = Constant(self.value(scene), scene.plant.origin_us)
        return WrittenOver(base, scene.plant.history(scene.reference))


@dataclass(frozen=True, slots=True)
class Moving:
    """A value that is a formula of time; subclasses give the formula."""

    rate_s: float = field(default=1.0, kw_only=True)

    def signal(self, scene: Scene) -> Signal:
        """A signal that ticks about every `rate_s` seconds; arrays move element by element."""
        key = scene.key
        length = scene.attribute.array_length
        if length is None:
            formula = self.formula(scene, key)
        else:
            parts = [self.formula(scene, mix(key, index)) for index in range(length)]

            def formula(at_us: int) -> Value:
                return [part(at_us) for part in parts]

        return Ticking(key, round(self.rate_s * SECOND), formula, since_us=scene.plant.origin_us)

    def formula(self, scene: Scene, key: int) -> Callable[[int], Value]:
        """The value at a time."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Ramp(Moving):
    """A saw tooth from `low` to `high` every `period_s` seconds."""

    low: float
    high: float
    period_s: float

    def formula(self, scene: Scene, key: int) -> Callable[[int], Value]:
        """The value at a time."""
        period, phase = round(self.period_s * SECOND), int(unit(key, -7) * self.period_s * SECOND)
        return lambda at_us: scene.fit(self.low + (self.high - self.low) * ((at_us + phase) % period) / period)


@dataclass(frozen=True, slots=True)
class Sine(Moving):
    """A sine around `mean`, `amplitude` high, every `period_s` seconds."""

    mean: float
    amplitude: float
    period_s: float

    def formula(self, scene: Scene, key: int) -> Callable[[int], Value]:
        """The value at a time."""
        turn, period = 2 * pi * unit(key, -7), round(self.period_s * SECOND)
        return lambda at_us: scene.fit(self.mean + self.amplitude * sin(turn + 2 * pi * (at_us % period) / period))


@dataclass(frozen=True, slots=True)
class Noise(Moving):
    """A random walk around `mean`: it wanders by `spread` over `period_s` seconds, with a tenth of that as jitter."""

    mean: float
    spread: float
    period_s: float = 60.0

    def formula(self, scene: Scene, key: int) -> Callable[[int], Value]:
        """The value at a time."""
        period, fast = round(self.period_s * SECOND), mix(key, -5)
        return lambda at_us: scene.fit(
            self.mean + self.spread * (wander(key, at_us, period) + 0.1 * normal(fast, at_us))
        )


@dataclass(frozen=True, slots=True)
class Counter(Moving):
    """A count that rises by `step` at every tick and starts again at `wrap`."""

    step: int = 1
    wrap: int = 1_000_000

    def formula(self, scene: Scene, key: int) -> Callable[[int], Value]:
        """The value at a time."""
        period, first = round(self.rate_s * SECOND), mix(key, -7) % self.wrap
        start = scene.plant.origin_us // period
        return lambda at_us: scene.fit((first + (at_us // period - start) * self.step) % self.wrap)


@dataclass(frozen=True, slots=True)
class ClockTime(Moving):
    """The time of day, or (an elapsed-time attribute) the time since the deploy."""

    def formula(self, scene: Scene, key: int) -> Callable[[int], Value]:
        """The value at a time."""
        since = scene.plant.origin_us if scene.attribute.data_type is DataType.ELAPSED_TIME else 0
        return lambda at_us: scene.fit((at_us - since) // 1000 / 1000)


@dataclass(frozen=True, slots=True)
class State:
    """What the machine's state shows: values for stopped, starting, running and tripped."""

    stopped: Value
    starting: Value
    running: Value
    tripped: Value

    def signal(self, scene: Scene) -> Signal:
        """The value of the state; that of a running machine where there is no machine."""
        machine = scene.plant.machine(scene.object)
        if machine is None:
            return Constant(self.running, scene.plant.origin_us)
        shows = dict(zip(MachineState, (self.stopped, self.starting, self.running, self.tripped), strict=True))
        return Stepped(machine, shows, scene.plant.origin_us)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured value of a machine: `off` while it stands, `on` while it runs, with a lag in between.

    Args:
        on: while it runs; scaled by the setpoint where there is one.
        off: while it stands.
        noise: spread of the noise while it runs.
        up_s: time constant of the start.
        down_s: time constant of the stop.
        rate_s: about how often it changes.
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
    states: frozenset[MachineState] = RUNNING_STATES

    def signal(self, scene: Scene) -> Signal:
        """The signal of one object's attribute."""
        key = scene.key
        machine = scene.plant.machine(scene.object)
        since = scene.plant.origin_us
        up, down = round(self.up_s * SECOND), round(self.down_s * SECOND)
        slow, fast = mix(key, -4), mix(key, -5)
        writes = scene.sibling(self.setpoint) if self.setpoint is not None else ()

        def value(at_us: int) -> Value:
            level = 1.0 if machine is None else machine.response(at_us, self.states, up, down)
            if level < 0.002:
                return scene.fit(self.off)
            on = self.on
            if writes:
                on *= lagged(self.setpoint_on, writes, at_us, up) / self.setpoint_on
            on += self.warning(machine, at_us)
            noise = self.noise * level * (wander(slow, at_us, 45 * SECOND) + 0.25 * normal(fast, at_us))
            return scene.fit(self.off + (on - self.off) * level + noise)

        def still(at_us: int) -> tuple[int, int | None] | None:
            assert machine is not None
            inside, start, end = machine.whole(at_us, self.states, since)
            if inside or at_us < start + 7 * down + 20 * SECOND:
                return None
            return start + 7 * down + 20 * SECOND, end

        def quality(at_us: int) -> int:
            assert machine is not None
            here = machine.segment(at_us)
            if here.state is not MachineState.TRIPPED:
                return GOOD
            passed = at_us - here.start_us
            return (
                BAD_COMM_FAILURE if 1 * SECOND <= passed < 5 * SECOND else UNCERTAIN if passed < 15 * SECOND else GOOD
            )

        return Ticking(
            key,
            round(self.rate_s * SECOND),
            value,
            since_us=since,
            quality=quality if machine is not None and self.transmitter else None,
            still=still if machine is not None else None,
        )

    def warning(self, machine: Machine | None, at_us: int) -> float:
        """What is added before a trip."""
        return 0.0

    def calm_until(self, scene: Scene, alarm: AlarmSpec) -> Callable[[int], int | None] | None:
        """Until when a value within its limit certainly stays there (see `LimitAlarm`); None when that is not known."""
        machine, limit = scene.plant.machine(scene.object), alarm.limit
        if machine is None or limit is None or self.setpoint is not None:
            return None
        margin = 1.9 * self.noise
        needed = (limit + margin - self.off) / (self.on - self.off)
        up, down = round(self.up_s * SECOND), round(self.down_s * SECOND)
        since = scene.plant.origin_us

        def calm(at_us: int) -> int | None:
            inside, _, end = machine.whole(at_us, self.states, since)
            if inside and machine.response(at_us, self.states, up, down) >= needed:
                return end
            return at_us

        return calm


@dataclass(frozen=True, slots=True)
class AlarmBit:
    """A discrete alarm that comes and goes by itself.

    Args:
        every_s: length of a period, at most one occurrence each.
        share: how many periods have one.
        shortest_s: shortest occurrence.
        longest_s: longest occurrence.
        chatters: whether it is the one that comes and goes every few seconds in the "chattering" scenario.
    """

    every_s: float = 300.0
    share: float = 1.0
    shortest_s: float = 20.0
    longest_s: float = 60.0
    chatters: bool = False

    def signal(self, scene: Scene) -> Signal:
        """The signal of one object's attribute under the plant's alarm scenario."""
        since = scene.plant.origin_us
        if self.chatters and scene.plant.scenario == "chattering":
            return Windows(scene.key, 6 * SECOND, 1.0, SECOND, 4 * SECOND, since)
        match scene.plant.scenario:
            case "quiet":
                return Constant(False, since)
            case "stale" if unit(scene.key, -8) < 0.5:
                return Constant(True, scene.plant.start_us - int((25 + 15 * unit(scene.key, -9)) * 3600) * SECOND)
        period, shortest, longest = (round(s * SECOND) for s in (self.every_s, self.shortest_s, self.longest_s))
        return Windows(scene.key, period, self.share, shortest, longest, since)


@dataclass(frozen=True, slots=True)
class InAlarm:
    """Whether the alarm on the attribute that this one hangs on is active."""

    def signal(self, scene: Scene) -> Signal:
        """The signal of one object's attribute."""
        return scene.plant.alarm_of(scene.object, scene.attribute.name.removesuffix(".InAlarm"))


@dataclass(frozen=True, slots=True)
class Warned(Quantity):
    """A quantity that rises in the last seconds before a trip, such as vibration.

    Args:
        rise: how far above `on` it is when the machine trips.
        warning_s: how long before the trip it begins to rise.
    """

    rise: float = 0.0
    warning_s: float = 45.0

    def warning(self, machine: Machine | None, at_us: int) -> float:
        """What is added before a trip."""
        if machine is None:
            return 0.0
        here = machine.segment(at_us)
        left = here.end_us - at_us
        if here.state is not MachineState.RUNNING or left > self.warning_s * SECOND:
            return 0.0
        if machine.segment(here.end_us).state is not MachineState.TRIPPED:
            return 0.0
        return self.rise * (1.0 - left / (self.warning_s * SECOND))

    def calm_until(self, scene: Scene, alarm: AlarmSpec) -> Callable[[int], int | None] | None:
        """Until when a value within its limit certainly stays there: until the warning of the next trip."""
        machine = scene.plant.machine(scene.object)
        if machine is None:
            return None
        warning, since, tripped = (
            round(self.warning_s * SECOND),
            scene.plant.origin_us,
            frozenset({MachineState.TRIPPED}),
        )

        def calm(at_us: int) -> int | None:
            inside, start, end = machine.whole(at_us, tripped, since)
            if inside or (start > since and at_us < start + 30 * SECOND):
                return at_us
            return end if end is None else max(at_us, end - warning)

        return calm
