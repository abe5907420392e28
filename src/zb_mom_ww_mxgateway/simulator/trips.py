"""When machines trip: one schedule for the whole plant, so that the rate of trips does not grow with the plant."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from .randomness import pick, stable_key, unit

__all__ = ["TripSchedule"]

SECOND = 1_000_000
SLOT_US = 200 * SECOND
#: A trip and its recovery are shorter than a slot, see `machine`.
_TRIP_S = (35, 100)


class TripSchedule:
    """Which machine trips when: one machine per slot of 200 seconds, the first machines more often than the last.

    The first trip after the start, two to three and a half minutes in, is on a machine that can be chosen, so that a
    short look at the demo plant shows one. Even and odd machines take turns, so no machine is picked in two slots
    running and one trip's recovery ends before its next trip.

    Args:
        seed: of the plant.
        scenario: the alarm scenario; "quiet" has no trips, "flood" has bursts in which most machines trip.
        pool: how many machines take part.
        start_us: when the simulation starts.
        first: number of the machine that trips first.
        running: whether the machine with that number runs at that time as far as its planned stops go.
    """

    def __init__(
        self,
        seed: int,
        scenario: str,
        pool: int,
        *,
        start_us: int,
        first: int = 0,
        running: Callable[[int, int], bool],
    ) -> None:
        self.pool = 0 if scenario == "quiet" else pool
        self._flood = scenario == "flood"
        self._key = stable_key(seed, "trips")
        self._running = running
        self._first = first
        tries = [start_us + int(pick(self._key, n, 120, 210) * SECOND) for n in range(20)]
        self._first_us = next((at for at in tries if pool and running(first, at)), tries[0])
        self._first_slot = self._first_us // SLOT_US
        self._slot = lru_cache(maxsize=4096)(self._find)

    def trips(self, number: int, from_us: int, to_us: int) -> list[tuple[int, int]]:
        """Begin and end of each trip of machine `number` that begins in [from_us, to_us)."""
        if number >= self.pool:
            return []
        found: list[tuple[int, int]] = []
        for slot in range(from_us // SLOT_US, (to_us - 1) // SLOT_US + 1):
            trip = self._slot(slot).get(number)
            if trip is not None and from_us <= trip[0] < to_us:
                found.append(trip)
        return found

    def _find(self, slot: int) -> dict[int, tuple[int, int]]:
        key = stable_key(self._key, str(slot))
        length = int(pick(key, 1, *_TRIP_S) * SECOND)
        if slot == self._first_slot:
            return {self._first: (self._first_us, self._first_us + length)}
        if self._flood:
            # A burst needs quiet slots around it, as its machines are even and odd ones.
            return self._burst(key, slot) if (slot - self._first_slot) % 3 == 2 else {}
        start = slot * SLOT_US + int(pick(key, 0, 0.1, 0.9) * SLOT_US)
        turn = (slot - self._first_slot + self._first) % 2
        half = (self.pool + 1 - turn) // 2
        for attempt in range(2, 8):
            number = int(half * unit(key, attempt) ** 2) * 2 + turn
            if half and self._running(number, start):
                return {number: (start, start + length)}
        return {}

    def _burst(self, key: int, slot: int) -> dict[int, tuple[int, int]]:
        trips: dict[int, tuple[int, int]] = {}
        for number in range(self.pool):
            start = slot * SLOT_US + int(pick(key, 1000 + number, 5, 60) * SECOND)
            if unit(key, number) < 0.85 and self._running(number, start):
                trips[number] = (start, start + int(pick(key, 2000 + number, *_TRIP_S) * SECOND))
        return trips
