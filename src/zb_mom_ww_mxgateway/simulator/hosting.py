"""What runs behind a port: a gRPC server with the gateway's options, and the services on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2_grpc as galaxy_grpc

from .alarm_service import AlarmCommands, AlarmService
from .alarms import AlarmMonitor
from .clock import Clock
from .fault_injection import FaultInjector
from .galaxy_service import GalaxyService
from .gateway_limits import Limits
from .gateway_service import GatewayService
from .keys import KeyRing
from .plant import Plant
from .rpc_table import gateway_handlers

__all__ = ["Hosted", "listen"]


class Hosted:
    """One life of a gateway: a restart makes another.

    Attributes:
        server: not started yet.
        service: sessions and commands.
        monitor: alarms.
    """

    def __init__(self, plant: Plant, clock: Clock, limits: Limits, keys: KeyRing, injector: FaultInjector) -> None:
        self.service = GatewayService(plant, clock, limits, keys, injector.before_event)
        self.monitor = AlarmMonitor(plant, clock)
        self._alarms = AlarmService(self.service, self.monitor)
        self.service.mount(AlarmCommands(self.service, self.monitor))
        self.server = _new_server(limits.max_message_bytes, injector)
        self.server.add_generic_rpc_handlers((gateway_handlers(self.service, self._alarms),))
        galaxy = GalaxyService(
            plant,
            clock,
            authorize=_authorize(self.service),
            subtrees=lambda context: _browse_subtrees(keys, context),
        )
        galaxy_grpc.add_GalaxyRepositoryServicer_to_server(galaxy, self.server)

    def close(self) -> None:
        """End the sessions and the feeds; the server is stopped apart from it."""
        self.service.close()
        self._alarms.close()


def _new_server(max_message_bytes: int, interceptor: grpc.aio.ServerInterceptor) -> grpc.aio.Server:
    """A server that has not been started."""
    return grpc.aio.server(
        interceptors=(interceptor,),
        options=(
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", max_message_bytes),
            # A second server on the same port must fail, not share the connections.
            ("grpc.so_reuseport", 0),
            # Long quiet streams ping more often than gRPC's default tolerates.
            ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
            ("grpc.keepalive_permit_without_calls", 1),
        ),
    )


def listen(server: grpc.aio.Server, host: str, port: int, tls: tuple[bytes, bytes] | None) -> int:
    """Listen; 0 lets the system pick a port. Returns the port.

    Raises:
        OSError: it is in use, or the address is none of this machine.
    """
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        if tls is None:
            return server.add_insecure_port(address)
        chain, private_key = tls
        return server.add_secure_port(address, grpc.ssl_server_credentials([(private_key, chain)]))
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: is another program using the port?") from error


def _authorize(service: GatewayService) -> Callable[[Any, str], Awaitable[None]]:
    async def authorize(context: Any, rpc: str) -> None:
        await service.enter(context, rpc)

    return authorize


def _browse_subtrees(keys: KeyRing, context: Any) -> Sequence[str]:
    key = keys.authenticate(context.invocation_metadata() or ())
    return () if key is None else key.browse_subtrees
