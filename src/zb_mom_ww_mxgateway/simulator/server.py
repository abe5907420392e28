"""The embedded gateway: a real gRPC server on a loopback port."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import grpc
import grpc.aio

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2_grpc as galaxy_grpc
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .alarm_service import AlarmCommands, AlarmService
from .alarms import AlarmMonitor
from .clock import Clock, VirtualClock, WallClock
from .galaxy_service import GalaxyService
from .gateway_limits import Limits
from .gateway_service import GatewayService
from .generate import PlantSpec, generate_plant
from .keys import ApiKey, KeyRing
from .plant import Plant
from .randomness import stable_key
from .tls import self_signed

__all__ = ["SimulatedGateway"]

_SERVICE = "mxaccess_gateway.v1.MxAccessGateway"

ResultT = TypeVar("ResultT")


class SimulatedGateway:
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

    Attributes:
        plant: the simulated plant.
        clock: the simulated time.
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
        self._server: grpc.aio.Server | None = None
        self._service: GatewayService | None = None
        self._alarm_service: AlarmService | None = None
        self._monitor: AlarmMonitor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._certificate: bytes | None = None

    def __repr__(self) -> str:
        where = self.endpoint if self._server is not None else "not running"
        return f"SimulatedGateway({where}, seed={self._seed}, objects={self.plant.object_count})"

    # What a client needs --------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port that it listens on."""
        self._running()
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
    def alarms(self) -> AlarmMonitor:
        """The alarm monitor, for example for `guid_of(reference)` of an active alarm."""
        self._running()
        assert self._monitor is not None
        return self._monitor

    def fail_over_alarms(
        self, reason: str = "3 consecutive COM failures", *, fail_acknowledgements: bool = False
    ) -> None:
        """Take alarms from subtags: degraded, with less to say; acknowledgements are all refused if asked for."""
        mode = pb.ALARM_PROVIDER_MODE_SUBTAG
        self._now(lambda: self.alarms.switch(mode, reason, fail_acknowledgements=fail_acknowledgements))

    def restore_alarms(self, reason: str = "3 consecutive clean probes") -> None:
        """Take alarms from the alarm manager again."""
        self._now(lambda: self.alarms.switch(pb.ALARM_PROVIDER_MODE_ALARMMGR, reason))

    def advance(self, seconds: float) -> None:
        """Move the virtual clock on; when it returns, all events of that time are on their way to the subscribers.

        Callable from any thread but the one of a gateway that runs in `async with` on another loop.
        """
        clock = self._virtual()
        if self._thread is None:
            clock.advance_us(round(seconds * 1_000_000))
        else:
            asyncio.run_coroutine_threadsafe(self.aadvance(seconds), self._owner()).result()

    async def aadvance(self, seconds: float) -> None:
        """`advance`, from any event loop."""
        clock = self._virtual()
        await self._on_own_loop(lambda: _move(clock, seconds))

    # Running --------------------------------------------------------------------------------------------------------

    async def astart(self) -> None:
        """Start on the running event loop."""
        if self._server is not None:
            raise RuntimeError("the gateway is running already")
        self._loop = asyncio.get_running_loop()
        service = GatewayService(self.plant, self.clock, self.limits, self.key_ring)
        size = self.limits.max_message_bytes
        server = grpc.aio.server(
            options=(
                ("grpc.max_receive_message_length", size),
                ("grpc.max_send_message_length", size),
                # A second server on the same port must fail, not share the connections.
                ("grpc.so_reuseport", 0),
                # Long quiet streams ping more often than gRPC's default tolerates.
                ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
                ("grpc.keepalive_permit_without_calls", 1),
            )
        )
        self._monitor = AlarmMonitor(self.plant, self.clock)
        alarms = self._alarm_service = AlarmService(service, self._monitor)
        service.mount(AlarmCommands(service, self._monitor))
        server.add_generic_rpc_handlers((_handlers(service, alarms),))
        galaxy = GalaxyService(
            self.plant,
            self.clock,
            authorize=_authorize(service),
            subtrees=lambda context: _browse_subtrees(self.key_ring, context),
        )
        galaxy_grpc.add_GalaxyRepositoryServicer_to_server(galaxy, server)
        self._port = self._listen(server)
        await server.start()
        self._server, self._service = server, service

    async def astop(self) -> None:
        """Stop: sessions end, streams with them. Idempotent."""
        server, self._server = self._server, None
        service, self._service = self._service, None
        if server is not None and service is not None:
            service.close()
            if self._alarm_service is not None:
                self._alarm_service.close()
            await server.stop(0.2)

    def start(self) -> None:
        """Start on a thread of its own."""
        started = threading.Event()
        failure: list[BaseException] = []
        loop = asyncio.new_event_loop()

        def run() -> None:
            asyncio.set_event_loop(loop)
            try:
                loop.run_until_complete(self.astart())
            except BaseException as error:  # noqa: BLE001 - raised again where `start` was called
                failure.append(error)
                started.set()
                loop.close()
                return
            started.set()
            loop.run_forever()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

        self._thread = threading.Thread(target=run, name="mxgateway-simulator", daemon=True)
        self._thread.start()
        started.wait()
        if failure:
            self._thread.join()
            self._thread = None
            raise failure[0]

    def stop(self) -> None:
        """Stop what `start` started. Idempotent."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        loop = self._owner()
        asyncio.run_coroutine_threadsafe(self.astop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

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

    def _running(self) -> GatewayService:
        if self._service is None:
            raise RuntimeError("the gateway is not running: use it in a with block, or call start()")
        return self._service

    def _owner(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the gateway is not running: use it in a with block, or call start()")
        return self._loop

    def _virtual(self) -> VirtualClock:
        self._running()
        if not isinstance(self.clock, VirtualClock):
            raise TypeError("only a VirtualClock can be advanced: SimulatedGateway(clock=VirtualClock())")
        return self.clock

    def _now(self, work: Callable[[], None]) -> None:
        """Do something where the gateway runs."""

        async def run() -> None:
            work()

        if self._thread is None:
            work()
        else:
            asyncio.run_coroutine_threadsafe(run(), self._owner()).result()

    async def _on_own_loop(self, work: Callable[[], Awaitable[ResultT]]) -> ResultT:
        async def run() -> ResultT:
            return await work()

        if asyncio.get_running_loop() is self._owner():
            return await run()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self._owner()))

    def _listen(self, server: grpc.aio.Server) -> int:
        host = f"[{self._host}]" if ":" in self._host else self._host
        address = f"{host}:{self._wanted_port}"
        try:
            if self._tls is None:
                return server.add_insecure_port(address)
            chain, private_key = self_signed() if self._tls == "self-signed" else self._tls
            self._certificate = chain
            return server.add_secure_port(address, grpc.ssl_server_credentials([(private_key, chain)]))
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}: is another program using the port?") from error


async def _move(clock: VirtualClock, seconds: float) -> None:
    clock.advance_us(round(seconds * 1_000_000))


def _default_key(seed: int) -> ApiKey:
    secret = "".join(f"{stable_key(seed, 'api key', part):016x}" for part in ("1", "2"))
    return ApiKey("simulator", secret)


def _authorize(service: GatewayService) -> Callable[[Any, str], Awaitable[None]]:
    async def authorize(context: Any, rpc: str) -> None:
        await service.enter(context, rpc)

    return authorize


def _browse_subtrees(keys: KeyRing, context: Any) -> Sequence[str]:
    key = keys.authenticate(context.invocation_metadata() or ())
    return () if key is None else key.browse_subtrees


def _handlers(service: GatewayService, alarms: AlarmService) -> grpc.GenericRpcHandler:
    """The rpcs of the gateway service; events go out as the bytes that they are kept as."""
    unary: dict[str, tuple[Any, Any]] = {
        "OpenSession": (service.open_session, pb.OpenSessionRequest),
        "CloseSession": (service.close_session, pb.CloseSessionRequest),
        "Invoke": (service.invoke, pb.MxCommandRequest),
        "AcknowledgeAlarm": (alarms.acknowledge_alarm, pb.AcknowledgeAlarmRequest),
    }
    streams: dict[str, tuple[Any, Any]] = {
        "StreamEvents": (service.stream_events, pb.StreamEventsRequest),
        "StreamAlarms": (alarms.stream_alarms, pb.StreamAlarmsRequest),
        "QueryActiveAlarms": (alarms.query_active_alarms, pb.QueryActiveAlarmsRequest),
    }
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for rpc, (behaviour, request) in unary.items():
        handlers[rpc] = grpc.unary_unary_rpc_method_handler(
            behaviour, request_deserializer=request.FromString, response_serializer=_serialize
        )
    for rpc, (behaviour, request) in streams.items():
        handlers[rpc] = grpc.unary_stream_rpc_method_handler(
            behaviour, request_deserializer=request.FromString, response_serializer=_serialize
        )
    return grpc.method_handlers_generic_handler(_SERVICE, handlers)


def _serialize(message: Any) -> bytes:
    return message if isinstance(message, bytes) else message.SerializeToString()
