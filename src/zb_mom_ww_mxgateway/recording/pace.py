"""What "ten seconds" means to a collection: of the wall, or of a simulated gateway's virtual clock."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

__all__ = ["Pace", "SimulatedPace", "WallPace"]

#: A sleep that starts this late after the one before (seconds) belongs to another collection.
_LATE = 0.5


class Pace(Protocol):
    """How a collection waits."""

    async def sleep(self, seconds: float) -> None:
        """Let that much of the pace's time go by."""
        ...

    def settled(self, session_id: str) -> int | None:
        """The last `worker_sequence` that the session has been given so far.

        A collection then waits until it has seen that event before it goes on, which makes it exactly repeatable.
        None where nobody knows, as with a real gateway.
        """
        ...


class WallPace:
    """The time of the wall."""

    def __init__(self) -> None:
        self._due = float("-inf")

    async def sleep(self, seconds: float) -> None:
        """Wait; many sleeps in a row add up, since oversleeping is made up for in the next one."""
        now = time.monotonic()
        start = self._due if now - self._due < _LATE else now
        self._due = start + seconds
        await asyncio.sleep(max(0.0, self._due - now))

    def settled(self, session_id: str) -> int | None:
        """None: a plant is never settled."""
        return None


class _Simulator(Protocol):
    async def aadvance(self, seconds: float) -> None: ...

    def last_sequence(self, session_id: str) -> int: ...


class SimulatedPace:
    """The virtual clock of an embedded gateway: waiting means advancing it.

    Args:
        simulator: a `SimulatedGateway` on a `VirtualClock`, in this process.
    """

    def __init__(self, simulator: _Simulator) -> None:
        self._simulator = simulator

    async def sleep(self, seconds: float) -> None:
        """Advance the clock; what falls due meanwhile has been sent when it returns, not yet received."""
        await self._simulator.aadvance(seconds)

    def settled(self, session_id: str) -> int | None:
        """See `Pace`."""
        return self._simulator.last_sequence(session_id)
