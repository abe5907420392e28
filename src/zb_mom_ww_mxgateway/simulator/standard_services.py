"""gRPC's own services, served where their packages are installed: health checking and server reflection."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import grpc.aio

__all__ = ["add_standard_services"]

_LOG = logging.getLogger(__name__)


async def add_standard_services(server: grpc.aio.Server, services: Sequence[str]) -> tuple[str, ...]:
    """Serve health checking (all are SERVING) and reflection of some services.

    Args:
        server: that has not been started.
        services: full names.

    Returns:
        The full names of what is served in addition; a package that is missing is named in the log.
    """
    added: list[str] = []
    try:
        from grpc_health.v1 import health, health_pb2, health_pb2_grpc
    except ImportError:
        _missing("grpcio-health-checking", "health checking")
    else:
        servicer = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        for name in ("", *services):
            await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
        added.append(health.SERVICE_NAME)
    try:
        from grpc_reflection.v1alpha import reflection
    except ImportError:
        _missing("grpcio-reflection", "server reflection")
    else:
        added.append(reflection.SERVICE_NAME)
        reflection.enable_server_reflection([*services, *added], server)
    return tuple(added)


def _missing(package: str, what: str) -> None:
    _LOG.info(
        'no %s: %s is not installed; pip install "zb-mom-ww-mxaccess-gateway-client[simulator]" brings it',
        what,
        package,
    )
