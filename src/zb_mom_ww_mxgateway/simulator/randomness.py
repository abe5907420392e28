"""Randomness that is looked up, not drawn: the n-th number of a key is a pure function of both.

Nothing is kept between two calls, so any moment of any tag can be computed in any order, and two runs with the same
seed agree. Python's `hash()` is salted per process and therefore never used.
"""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["mix", "normal", "pick", "stable_key", "unit"]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_SQRT_3 = 3**0.5


def stable_key(seed: int, *parts: str) -> int:
    """A 64-bit key that depends on `seed` and the text of `parts` alone."""
    digest = blake2b("\0".join(parts).encode(), digest_size=8, salt=(seed & _MASK).to_bytes(8, "little"))
    return int.from_bytes(digest.digest(), "little")


def mix(key: int, n: int) -> int:
    """The `n`-th 64-bit number of `key` (splitmix64 by counter)."""
    z = (key + n * _GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def unit(key: int, n: int) -> float:
    """The `n`-th number of `key` in [0, 1)."""
    return (mix(key, n) >> 11) * 2.0**-53


def normal(key: int, n: int) -> float:
    """The `n`-th number of `key` with mean 0 and variance 1, never beyond 3.5: a sum of four uniforms."""
    z = mix(key, n)
    total = (z & 0xFFFF) + (z >> 16 & 0xFFFF) + (z >> 32 & 0xFFFF) + (z >> 48)
    return (total / 65536.0 - 2.0) * _SQRT_3


def pick(key: int, n: int, low: float, high: float) -> float:
    """The `n`-th number of `key` in [low, high)."""
    return low + (high - low) * unit(key, n)
