"""A gRPC server with the gateway's options, and the port that it listens on."""

from __future__ import annotations

import grpc
import grpc.aio

__all__ = ["listen", "new_server"]


def new_server(max_message_bytes: int, interceptor: grpc.aio.ServerInterceptor) -> grpc.aio.Server:
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
