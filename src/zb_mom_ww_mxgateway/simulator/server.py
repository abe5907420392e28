"""The embedded gateway: a real gRPC server on a loopback port."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import grpc

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .alarms import AlarmMonitor
from .background import LoopThread
from .clock import Clock, VirtualClock, WallClock, sleep
from .fault_controls import FaultControls
from .fault_injection import FaultInjector
from .faults import Fault
from .gateway_limits import Limits
from .gateway_service import GatewayService
from .generate import PlantSpec, generate_plant
from .hosting import Hosted, listen
from .keys import ApiKey, KeyRing
from .plant import Plant
from .randomness import stable_key
from .rpc_table import GALAXY, GATEWAY
from .standard_services import add_standard_services
from .tls import self_signed
from .writing import Written

__all__ = ["SimulatedGateway"]

_NOT_RUNNING = "the gateway is not running: use it in a with block, or call start()"

#: Turns of the event loop that a command gets for each step of the virtual clock.
_ROUNDS = 5
#: So long a step waits for a subscriber that has fallen behind (real seconds); one that reads nothing overflows then.
_PATIENCE = 0.5

ResultT = TypeVar("ResultT")


class SimulatedGateway(FaultControls):
    """A simulated MXAccess gateway, on a port of this machine.

    `async with SimulatedGateway() as gateway:` runs it on the running event loop, `with SimulatedGateway() as gateway:`
    on a thread of its own. Connect with `endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True`.

    Args:
        seed: decides the plant, its values, ids and the key; the same seed and the same calls give the same bytes on
            the virtual clock.
        plant: a plant, or how to generate one.
        objects: how many objects to generate; instead of `plant`.
        clock: `VirtualClock()` stands still until `advance`; None is the wall clock.
        api_key: the token of a key that may do everything; None makes one from the seed.
        keys: the keys to accept, instead of `api_key`.
        authentication: False lets every call through, as the gateway's mode "Disabled" does.
        port: 0 lets the system pick one.
        host: the address to listen on.
        tls: None is plaintext; a pair (certificate chain, private key) in PEM; or "self-signed" for a certificate
            that is made for the run.
        limits: sizes and times of the gateway.
        faults: what is to go wrong from the start; `inject` adds more.

    Attributes:
        plant: the simulated plant.
        clock: the simulated time.
        standard_services: full names of gRPC's own services that are served too: health checking and reflection,
            where grpcio-health-checking and grpcio-reflection are installed.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        plant: Plant | PlantSpec | None = None,
        objects: int | None = None,
        clock: Clock | None = None,
        api_key: str | None = None,
        keys: Sequence[ApiKey] = (),
        authentication: bool = True,
        port: int = 0,
        host: str = "127.0.0.1",
        tls: tuple[bytes, bytes] | Literal["self-signed"] | None = None,
        limits: Limits | None = None,
        faults: Sequence[Fault] = (),
    ) -> None:
        if plant is not None and objects is not None:
            raise ValueError("give a plant or a number of objects, not both")
        if keys and api_key is not None:
            raise ValueError("give api_key or keys, not both")
        if not 0 <= port <= 65535:
            raise ValueError(f"port={port} must be 0 (any) to 65535")
        self.clock: Clock = clock or WallClock()
        self.limits = limits or Limits()
        self._seed = seed
        self._host = host
        self._wanted_port = port
        self._port = 0
        self._tls = tls
        self._keys = tuple(keys) or ((ApiKey.parse(api_key) if api_key else _default_key(seed)),)
        self.key_ring = KeyRing(self._keys if authentication else None)
        if isinstance(plant, Plant):
            self.plant = plant
        else:
            spec = plant or (PlantSpec(seed=seed) if objects is None else PlantSpec(seed=seed, objects=objects))
            self.plant = generate_plant(spec, start_us=self.clock.now_us())
        self.standard_services: tuple[str, ...] = ()
        self._faults = tuple(faults)
        self._injector = FaultInjector(self.clock, self.limits.command_timeout)
        self._prepare_faults()
        self._hosted: Hosted | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._background: LoopThread | None = None
        self._is_started = False
        self._moving = asyncio.Lock()
        self._certificate: bytes | None = None

    def __repr__(self) -> str:
        where = self.endpoint if self._is_started else "not running"
        return f"SimulatedGateway({where}, seed={self._seed}, objects={self.plant.object_count})"

    # What a client needs --------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port that it listens on, also while it is down for a restart."""
        if not self._is_started:
            raise RuntimeError(_NOT_RUNNING)
        return self._port

    @property
    def endpoint(self) -> str:
        """`host:port`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self.port}"

    @property
    def api_key(self) -> str:
        """The token of the first key."""
        return self._keys[0].token

    @property
    def plaintext(self) -> bool:
        """Whether it speaks plaintext."""
        return self._tls is None

    @property
    def certificate(self) -> bytes | None:
        """The certificate chain in PEM; None for plaintext."""
        return self._certificate

    # What a test looks at -------------------------------------------------------------------------------------------

    @property
    def calls(self) -> Counter[str]:
        """How often each rpc, and each command as "Invoke:register", was called."""
        return self._running().calls

    @property
    def open_streams(self) -> Counter[str]:
        """The server streams that are open now, by rpc."""
        return self._running().open_streams

    @property
    def sessions(self) -> list[str]:
        """The ids of the sessions that are not closed."""
        return [session.id for session in self._running().sessions.live]

    def last_sequence(self, session_id: str) -> int:
        """The number of the newest event of a session."""
        return self._running().last_sequence(session_id)

    @property
    def written(self) -> list[Written]:
        """The last 10,000 writes that the plant took, oldest first, with the user in whose name."""
        return list(self._running().writing.written)

    @property
    def alarms(self) -> AlarmMonitor:
        """The alarm monitor, for example for `guid_of(reference)` of an active alarm."""
        return self._host_of().monitor

    def fail_over_alarms(
        self, reason: str = "3 consecutive COM failures", *, fail_acknowledgements: bool = False
    ) -> None:
        """Take alarms from subtags: degraded, with less to say; acknowledgements are all refused if asked for."""
        mode = pb.ALARM_PROVIDER_MODE_SUBTAG
        self._here(lambda: self.alarms.switch(mode, reason, fail_acknowledgements=fail_acknowledgements))

    def restore_alarms(self, reason: str = "3 consecutive clean probes") -> None:
        """Take alarms from the alarm manager again."""
        self._here(lambda: self.alarms.switch(pb.ALARM_PROVIDER_MODE_ALARMMGR, reason))

    def advance(self, seconds: float) -> None:
        """Move the virtual clock on; when it returns, all events of that time are on their way to the subscribers.

        Callable from any thread. On the gateway's own event loop nothing else can run meanwhile, so that a long time
        may overflow subscribers: `aadvance` lets them keep up.
        """
        clock = self._virtual()
        if threading.get_ident() == self._loop_thread:
            clock.advance_us(round(seconds * 1_000_000))
        else:
            asyncio.run_coroutine_threadsafe(self._move(clock, seconds), self._owner()).result()

    async def aadvance(self, seconds: float) -> None:
        """`advance`, from any event loop; commands and subscribers get their turn while the time passes."""
        clock = self._virtual()
        await self._on_own_loop(lambda: self._move(clock, seconds))

    # Running --------------------------------------------------------------------------------------------------------

    async def astart(self) -> None:
        """Start on the running event loop.

        Raises:
            OSError: the port is in use.
            RuntimeError: it is running already.
        """
        if self._is_started:
            raise RuntimeError("the gateway is running already")
        self._loop, self._loop_thread = asyncio.get_running_loop(), threading.get_ident()
        self._moving = asyncio.Lock()
        await self._serve(self._wanted_port)
        self._is_started = True
        for fault in self._faults:
            self._arm_fault(fault)

    async def astop(self) -> None:
        """Stop: sessions end, streams with them. Idempotent."""
        self._is_started = False
        self._disarm_faults()
        for task in list(self._fault_tasks):
            task.cancel()
        await self._halt(0.2)

    async def arestart(self, down_for: float = 0.0) -> None:
        """Die and come back on the same port, without the sessions; open streams end with UNAVAILABLE.

        Args:
            down_for: for how long nobody answers, in seconds of the simulator's clock.
        """
        self._running()

        async def restart() -> None:
            self._injector.break_streams(grpc.StatusCode.UNAVAILABLE, "the gateway died")
            await self._halt(0.05)
            await sleep(self.clock, down_for)
            if self._is_started:
                await self._serve(self._port)

        await self._on_own_loop(restart)

    def restart(self, down_for: float = 0.0) -> None:
        """`arestart`, for a gateway that runs on a thread of its own."""
        self._thread().run(self.arestart(down_for))

    def start(self) -> None:
        """Start on a thread of its own.

        Raises:
            OSError: the port is in use.
            RuntimeError: it is running already.
        """
        if self._is_started:
            raise RuntimeError("the gateway is running already")
        background = LoopThread("mxgateway-simulator")
        try:
            background.run(self.astart())
        except (OSError, RuntimeError, ImportError, ValueError):
            background.close()
            raise
        self._background = background

    def stop(self) -> None:
        """Stop what `start` started. Idempotent."""
        background, self._background = self._background, None
        if background is not None:
            background.run(self.astop())
            background.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await self.astart()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.astop()

    # Inside ---------------------------------------------------------------------------------------------------------

    async def _serve(self, port: int) -> None:
        hosted = Hosted(self.plant, self.clock, self.limits, self.key_ring, self._injector)
        self.standard_services = await add_standard_services(hosted.server, (GATEWAY, GALAXY))
        if self._certificate is None and self._tls is not None:
            # Kept over restarts, as the gateway keeps its own.
            self._tls = self_signed() if self._tls == "self-signed" else self._tls
            self._certificate = self._tls[0]
        try:
            pair = None if self._tls == "self-signed" else self._tls
            self._port = listen(hosted.server, self._host, port, pair)
            await hosted.server.start()
        except OSError:
            hosted.close()
            raise
        self._hosted = hosted

    async def _halt(self, grace: float) -> None:
        hosted, self._hosted = self._hosted, None
        if hosted is not None:
            hosted.close()
            await hosted.server.stop(grace)

    def _running(self) -> GatewayService:
        return self._host_of().service

    def _host_of(self) -> Hosted:
        if self._hosted is None:
            raise RuntimeError("the gateway is down for a restart" if self._is_started else _NOT_RUNNING)
        return self._hosted

    def _owner(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._loop

    def _thread(self) -> LoopThread:
        if self._background is None:
            raise RuntimeError("the gateway does not run on a thread of its own: await arestart()")
        return self._background

    def _virtual(self) -> VirtualClock:
        if not self._is_started:
            raise RuntimeError(_NOT_RUNNING)
        if not isinstance(self.clock, VirtualClock):
            raise TypeError("only a VirtualClock can be advanced: SimulatedGateway(clock=VirtualClock())")
        return self.clock

    async def _move(self, clock: VirtualClock, seconds: float) -> None:
        """Pass time, with a turn for whoever waits for something in it."""
        async with self._moving:
            # What has been asked for already begins now, not at the end of the time.
            await self._turns()
            until = clock.now_us() + round(seconds * 1_000_000)
            while clock.step(until):
                hosted = self._hosted
                if self._injector.waiting or self._fault_tasks or (hosted is not None and hosted.service.is_busy):
                    await self._turns()

    async def _turns(self) -> None:
        """Let others run: a few rounds for commands, and as long as it helps for a subscriber that is behind."""
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while self._hosted is not None and self._hosted.service.is_congested:
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.001)

    def _here(self, work: Callable[[], ResultT]) -> ResultT:
        self._running()
        if threading.get_ident() == self._loop_thread:
            return work()

        async def run() -> ResultT:
            return work()

        return asyncio.run_coroutine_threadsafe(run(), self._owner()).result()

    async def _on_own_loop(self, work: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
        if asyncio.get_running_loop() is self._owner():
            return await work()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), self._owner()))


def _default_key(seed: int) -> ApiKey:
    secret = "".join(f"{stable_key(seed, 'api key', part):016x}" for part in ("1", "2"))
    return ApiKey("simulator", secret)
