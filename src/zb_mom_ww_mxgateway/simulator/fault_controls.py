"""What can be made to go wrong in a gateway that runs; the methods may be called from any thread."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

import grpc

from .alarms import AlarmMonitor
from .clock import Clock, Timer
from .fault_injection import FaultInjector
from .faults import AlarmFailover, Fault, RefuseAcknowledge, RefuseKey, Restart
from .gateway_service import GatewayService
from .keys import ApiKey, KeyRing
from .sessions import SECOND

__all__ = ["FaultControls"]

ResultT = TypeVar("ResultT")


class FaultControls(ABC):
    """The part of `SimulatedGateway` that makes things go wrong.

    Attributes:
        key_ring: the keys that are accepted.
    """

    clock: Clock
    key_ring: KeyRing
    _keys: Sequence[ApiKey]
    _injector: FaultInjector

    def _prepare_faults(self) -> None:
        self._fault_timers: list[Timer] = []
        self._fault_tasks: set[asyncio.Task[None]] = set()

    def inject(self, fault: Fault) -> None:
        """Let something go wrong from now on; times in the fault count from now."""
        self._here(lambda: self._arm_fault(fault))

    def clear_faults(self) -> None:
        """Let nothing go wrong any more. What has happened stays."""
        self._here(self._disarm_faults)

    def drop_streams(self, rpc: str = "", code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> int:
        """End open streams with an error, all or those of one rpc; how many there were."""
        return self._here(lambda: self._injector.break_streams(code, "the connection was lost", rpc))

    def fault_session(self, session_id: str, reason: str = "the worker died") -> None:
        """Let the worker of a session die: its streams end, and only closing is left."""
        self._here(lambda: self._running().sessions.find(session_id).fault(reason))

    def overflow(self, session_id: str) -> None:
        """Take the event subscribers of a session to be too slow."""
        self._here(lambda: self._overflow(session_id))

    def revoke_key(self, key_id: str) -> None:
        """Refuse a key from now on; streams that are open go on."""
        self._here(lambda: self.key_ring.revoke(key_id))

    def restore_key(self, key_id: str) -> None:
        """Accept a revoked key again."""
        self._here(lambda: self.key_ring.restore(key_id))

    @abstractmethod
    async def arestart(self, down_for: float = 0.0) -> None:
        """Die and come back on the same port, without the sessions."""

    @abstractmethod
    def _here(self, work: Callable[[], ResultT]) -> ResultT:
        """Do something on the gateway's event loop."""

    @abstractmethod
    def _running(self) -> GatewayService: ...

    @property
    @abstractmethod
    def alarms(self) -> AlarmMonitor:
        """The alarm monitor."""

    def _overflow(self, session_id: str) -> None:
        log = self._running().sessions.find(session_id).log
        for subscriber in list(log.subscribers):
            log.drop_slow(subscriber)

    def _arm_fault(self, fault: Fault) -> None:
        match fault:
            case RefuseKey():
                key_id = fault.key or self._keys[0].id
                self._later(fault.at, lambda: self.key_ring.revoke(key_id))
                if fault.seconds:
                    self._later(fault.at + fault.seconds, lambda: self.key_ring.restore(key_id))
            case Restart():
                self._later(fault.at, lambda: self._start_restart(fault.down))
            case AlarmFailover():
                self._later(fault.at, lambda: self.fail_over_alarms())
                if fault.seconds:
                    self._later(fault.at + fault.seconds, lambda: self.restore_alarms())
            case RefuseAcknowledge():
                if fault.times:
                    self.alarms.refuse_acknowledgements += fault.times
                else:
                    self.alarms.fail_acknowledgements = True
            case _:
                self._injector.inject(fault)

    @abstractmethod
    def fail_over_alarms(
        self, reason: str = "3 consecutive COM failures", *, fail_acknowledgements: bool = False
    ) -> None:
        """Take alarms from subtags."""

    @abstractmethod
    def restore_alarms(self, reason: str = "3 consecutive clean probes") -> None:
        """Take alarms from the alarm manager again."""

    def _disarm_faults(self) -> None:
        self._injector.clear()
        for timer in self._fault_timers:
            timer.cancel()
        self._fault_timers.clear()

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        self._fault_timers.append(self.clock.call_at(self.clock.now_us() + round(seconds * SECOND), work))

    def _start_restart(self, down: float) -> None:
        task = asyncio.get_running_loop().create_task(self.arestart(down))
        self._fault_tasks.add(task)
        task.add_done_callback(self._fault_tasks.discard)
