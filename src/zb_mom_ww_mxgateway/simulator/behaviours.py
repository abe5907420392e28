"""How an attribute behaves by itself: plain descriptions that make a `Signal` for one object when it is asked for.

Behaviours that follow a machine are in `machine_behaviours`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from math import pi, sin

from .formulas import lagged, wander
from .machine import SECOND
from .model import BAD, GOOD, UNCERTAIN, DataType, Signal, Value
from .randomness import mix, normal, unit
from .scenes import Behaviour, Scene, default_value
from .signals import Constant, Pulse, Ticking, WrittenOver

__all__ = [
    "Behaviour",
    "ClockTime",
    "Command",
    "Counter",
    "Cycle",
    "Follow",
    "Formula",
    "Moving",
    "Noise",
    "Of",
    "Ramp",
    "Sine",
    "Stored",
]

#: The value at a time, in microseconds.
Formula = Callable[[int], Value]

#: Where a transmitter loses its signal, it does so at most once in such a time.
_LOSS_EVERY_US = 600 * SECOND


@dataclass(frozen=True, slots=True)
class Stored:
    """A configured value: it stands until it is written. None is the default of the type."""

    value: Value = None

    def signal(self, scene: Scene) -> Signal:
        """The value, and later what was written."""
        value = default_value(scene.attribute) if self.value is None else self.value
        return WrittenOver(Constant(value, scene.since_us), scene.writes())


@dataclass(frozen=True, slots=True)
class Of:
    """A value that says something of the object, such as its name, until it is written."""

    value: Callable[[Scene], Value]

    def signal(self, scene: Scene) -> Signal:
        """The value, and later what was written."""
        return WrittenOver(Constant(self.value(scene), scene.since_us), scene.writes())


@dataclass(frozen=True, slots=True)
class Command:
    """A button: it shows true for one second after it was written."""

    def signal(self, scene: Scene) -> Signal:
        """The signal of one object's attribute."""
        return Pulse(scene.writes(), SECOND, scene.since_us)


@dataclass(frozen=True, slots=True)
class Moving(ABC):
    """A value that is a formula of time.

    Args:
        rate_s: about how often it changes, in seconds.
        lossy: how often the transmitter loses its signal: share of the ten-minute periods in which the quality is
            bad, then uncertain, for a few seconds.
    """

    rate_s: float = field(default=1.0, kw_only=True)
    lossy: float = field(default=0.0, kw_only=True)

    def signal(self, scene: Scene) -> Signal:
        """A signal that ticks about every `rate_s` seconds; arrays move element by element."""
        key, length = scene.key, scene.attribute.array_length
        if length is None:
            formula = self.formula(scene, key)
        else:
            formula = _together([self.formula(scene, mix(key, index)) for index in range(length)])
        quality = _quality(mix(key, -11), self.lossy) if self.lossy else None
        return Ticking(
            key,
            round(self.rate_s * SECOND),
            formula,
            since_us=scene.since_us,
            quality=quality,
            version=lambda: scene.plant.version,
        )

    @abstractmethod
    def formula(self, scene: Scene, key: int) -> Formula:
        """The value at a time."""


def _together(parts: list[Formula]) -> Formula:
    return lambda at_us: [part(at_us) for part in parts]


def _quality(key: int, share: float) -> Callable[[int], int]:
    def quality(at_us: int) -> int:
        number, passed = divmod(at_us, _LOSS_EVERY_US)
        if unit(key, 2 * number) >= share:
            return GOOD
        passed -= int(unit(key, 2 * number + 1) * (_LOSS_EVERY_US - 30 * SECOND))
        return GOOD if not 0 <= passed < 20 * SECOND else BAD if passed < 8 * SECOND else UNCERTAIN

    return quality


@dataclass(frozen=True, slots=True)
class Ramp(Moving):
    """A saw tooth from `low` to `high` every `period_s` seconds."""

    low: float
    high: float
    period_s: float

    def formula(self, scene: Scene, key: int) -> Formula:
        """The value at a time."""
        period, phase = round(self.period_s * SECOND), int(unit(key, -7) * self.period_s * SECOND)
        return lambda at_us: scene.fit(self.low + (self.high - self.low) * ((at_us + phase) % period) / period)


@dataclass(frozen=True, slots=True)
class Sine(Moving):
    """A sine around `mean`, `amplitude` high, every `period_s` seconds."""

    mean: float
    amplitude: float
    period_s: float

    def formula(self, scene: Scene, key: int) -> Formula:
        """The value at a time."""
        turn, period = 2 * pi * unit(key, -7), round(self.period_s * SECOND)
        return lambda at_us: scene.fit(self.mean + self.amplitude * sin(turn + 2 * pi * (at_us % period) / period))


@dataclass(frozen=True, slots=True)
class Noise(Moving):
    """A random walk around `mean`: it wanders by `spread` over `period_s` seconds, with some jitter on top."""

    mean: float
    spread: float
    period_s: float = 60.0

    def formula(self, scene: Scene, key: int) -> Formula:
        """The value at a time."""
        period, fast = round(self.period_s * SECOND), mix(key, -5)
        return lambda at_us: scene.fit(
            self.mean + self.spread * (wander(key, at_us, period) + 0.1 * normal(fast, at_us))
        )


@dataclass(frozen=True, slots=True)
class Counter(Moving):
    """A count that rises by `step` at every tick and starts again from 0 at `wrap`."""

    step: float = 1
    wrap: int = 1_000_000

    def formula(self, scene: Scene, key: int) -> Formula:
        """The value at a time."""
        period, first = round(self.rate_s * SECOND), mix(key, -7) % self.wrap
        start = scene.since_us // period
        return lambda at_us: scene.fit((first + (at_us // period - start) * self.step) % self.wrap)


@dataclass(frozen=True, slots=True)
class Cycle(Moving):
    """One of some values at a time, each for about `rate_s` seconds: in order, or as it comes."""

    values: tuple[Value, ...]
    shuffled: bool = False

    def formula(self, scene: Scene, key: int) -> Formula:
        """The value at a time."""
        period, count = round(self.rate_s * SECOND), len(self.values)
        if self.shuffled:
            return lambda at_us: self.values[mix(key, at_us // period) % count]
        return lambda at_us: self.values[(at_us // period + key) % count]


@dataclass(frozen=True, slots=True)
class ClockTime(Moving):
    """The time of day; for other types than Time the seconds since the plant's beginning."""

    def formula(self, scene: Scene, key: int) -> Formula:
        """The value at a time."""
        since = 0 if scene.attribute.data_type is DataType.TIME else scene.since_us
        return lambda at_us: scene.fit((at_us - since) // 1000 / 1000)


@dataclass(frozen=True, slots=True)
class Follow(Moving):
    """A value that follows a setpoint of the same object with a lag.

    Args:
        setpoint: name of the attribute whose writes it follows.
        initial: the value of that attribute before it is written.
        tau_s: time constant, in seconds.
        noise: spread of the noise.
    """

    setpoint: str
    initial: float
    tau_s: float = 5.0
    noise: float = 0.0

    def formula(self, scene: Scene, key: int) -> Formula:
        """The value at a time."""
        writes, tau, fast = scene.writes(self.setpoint), round(self.tau_s * SECOND), mix(key, -5)
        return lambda at_us: scene.fit(
            lagged(self.initial, writes(), at_us, tau) + self.noise * normal(fast, at_us) / 2
        )
