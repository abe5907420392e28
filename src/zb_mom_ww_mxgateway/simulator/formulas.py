"""Numbers as functions of time: what signals are made of."""

from __future__ import annotations

from collections.abc import Sequence
from math import copysign, exp, inf
from struct import Struct
from typing import TypeAlias

from .model import Value
from .randomness import unit

__all__ = ["Writes", "float32", "lagged", "wander"]

#: Writes to one reference, oldest first: (time, value).
Writes: TypeAlias = Sequence[tuple[int, Value]]

_FLOAT32 = Struct("<f")


def float32(value: float) -> float:
    """The nearest number that a 32-bit float holds; beyond its range, infinity."""
    try:
        (rounded,) = _FLOAT32.unpack(_FLOAT32.pack(value))
    except OverflowError:
        return copysign(inf, value)
    return float(rounded)


def wander(key: int, at_us: int, period_us: int) -> float:
    """A smooth random walk in [-1, 1]: it turns about once per period."""
    step, rest = divmod(at_us, period_us)
    share = rest / period_us
    share *= share * (3.0 - 2.0 * share)
    before = unit(key, step)
    return 2.0 * (before + (unit(key, step + 1) - before) * share) - 1.0


def lagged(first: float, writes: Writes, at_us: int, tau_us: int) -> float:
    """A value that follows written numbers with a first-order lag, settled at `first` before the first write."""
    level, target, since = first, first, 0
    for when, value in writes:
        if when > at_us:
            break
        if isinstance(value, int | float):
            level = target + (level - target) * exp((since - when) / tau_us)
            target, since = float(value), when
    return target + (level - target) * exp((since - at_us) / tau_us)
