"""Channels to a gateway: plaintext, TLS with given or system roots, trust-on-first-use.

grpc-python cannot skip the verification of a certificate. Trust-on-first-use therefore fetches the certificate that the
gateway presents on a connection of its own and makes it the channel's only trust root. A gateway that has made its own
certificate always names `localhost` in it, so that is the name to expect unless another one is given.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio

from .endpoint import Endpoint
from .errors import MxGatewayTlsError, MxGatewayTransportError
from .options import ClientOptions

__all__ = ["Dialer", "channel_options", "forget_pinned_certificates", "prepare"]

ChannelOption = tuple[str, int | str]

#: Calls that cannot act twice. Writes, acknowledgements and all other commands are never retried.
RETRIED_METHODS = (
    ("galaxy_repository.v1.GalaxyRepository", "TestConnection"),
    ("galaxy_repository.v1.GalaxyRepository", "GetLastDeployTime"),
    ("galaxy_repository.v1.GalaxyRepository", "DiscoverHierarchy"),
    ("galaxy_repository.v1.GalaxyRepository", "BrowseChildren"),
    ("mxaccess_gateway.v1.MxAccessGateway", "CloseSession"),
)

_pins: dict[Endpoint, str] = {}
_pins_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Dialer:
    """Opens channels to one gateway, all with the same trust.

    Attributes:
        target: what grpc dials.
        credentials: None is plaintext.
        options: channel arguments.
        fingerprint: SHA-256 of the pinned certificate in lower-case hex; None where no certificate is pinned.
    """

    target: str
    credentials: grpc.ChannelCredentials | None
    options: tuple[ChannelOption, ...]
    fingerprint: str | None = None

    def aio_channel(self) -> grpc.aio.Channel:
        """A channel for the running event loop."""
        if self.credentials is None:
            return grpc.aio.insecure_channel(self.target, options=self.options)
        return grpc.aio.secure_channel(self.target, self.credentials, options=self.options)

    def sync_channel(self, extra: Sequence[ChannelOption] = ()) -> grpc.Channel:
        """A channel for a thread without an event loop."""
        options = (*self.options, *extra)
        if self.credentials is None:
            return grpc.insecure_channel(self.target, options=options)
        return grpc.secure_channel(self.target, self.credentials, options=options)


async def prepare(options: ClientOptions) -> Dialer:
    """Find out how to trust the gateway; no RPC is made.

    Raises:
        MxGatewayTransportError: the gateway cannot be reached to fetch its certificate.
        MxGatewayTlsError: the certificate is not the pinned one, or the CA file cannot be used.
    """
    address = options.address
    if options.plaintext:
        return Dialer(str(address), None, channel_options(options))
    if options.ca_file is not None:
        roots = await asyncio.to_thread(_read_ca_file, str(options.ca_file))
        return _tls_dialer(options, roots)
    if options.require_certificate_validation:
        return _tls_dialer(options, await asyncio.to_thread(_system_roots))
    certificate = await asyncio.to_thread(_fetch_certificate, address, options.connect_timeout)
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()
    _check_pin(address, fingerprint, options.pinned_sha256)
    name = options.server_name_override or "localhost"
    return _tls_dialer(options, certificate.encode(), fingerprint=fingerprint, name=name)


def channel_options(options: ClientOptions) -> tuple[ChannelOption, ...]:
    """The channel arguments: message sizes, keepalive, reconnection, retries of what cannot act twice."""
    policy = {
        "name": [{"service": service, "method": method} for service, method in RETRIED_METHODS],
        "retryPolicy": {
            "maxAttempts": 3,
            "initialBackoff": "0.2s",
            "maxBackoff": "2s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        },
    }
    return (
        ("grpc.max_receive_message_length", options.max_message_bytes),
        ("grpc.max_send_message_length", options.max_message_bytes),
        ("grpc.keepalive_time_ms", round(options.keepalive_seconds * 1000)),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.max_pings_without_data", 0),
        # A gateway that restarts is back within seconds; grpc's own back-off grows to two minutes.
        ("grpc.initial_reconnect_backoff_ms", 500),
        ("grpc.max_reconnect_backoff_ms", 5_000),
        ("grpc.enable_retries", 1),
        ("grpc.service_config", json.dumps({"methodConfig": [policy]})),
    )


def forget_pinned_certificates() -> None:
    """Forget what this process has trusted on first use, for a gateway whose certificate was renewed on purpose."""
    with _pins_lock:
        _pins.clear()


def _tls_dialer(
    options: ClientOptions, roots: bytes | None, *, fingerprint: str | None = None, name: str | None = None
) -> Dialer:
    name = name or options.server_name_override
    extra: tuple[ChannelOption, ...] = () if name is None else (("grpc.ssl_target_name_override", name),)
    credentials = grpc.ssl_channel_credentials(root_certificates=roots)
    return Dialer(str(options.address), credentials, (*channel_options(options), *extra), fingerprint)


def _read_ca_file(path: str) -> bytes:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise MxGatewayTlsError(f"cannot read ca_file {path!r}: {error.strerror or error}") from error
    if b"-----BEGIN CERTIFICATE-----" not in data:
        raise MxGatewayTlsError(f"ca_file {path!r} holds no PEM certificate (-----BEGIN CERTIFICATE-----)")
    return data


def _system_roots() -> bytes | None:
    """The system's trust roots as PEM; None leaves grpc to the roots that it carries."""
    context = ssl.create_default_context()
    pems = [ssl.DER_cert_to_PEM_cert(der) for der in context.get_ca_certs(binary_form=True)]
    if pems:
        return "".join(pems).encode()
    cafile = ssl.get_default_verify_paths().cafile
    return Path(cafile).read_bytes() if cafile else None


def _fetch_certificate(address: Endpoint, timeout: float) -> str:
    """The certificate that the gateway presents (PEM), on an unverified connection.

    Offers HTTP/2 by ALPN, since a gateway that serves nothing else refuses a handshake without it.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection((address.host, address.port), timeout=timeout) as raw,
            context.wrap_socket(raw, server_hostname=address.host) as wrapped,
        ):
            der = wrapped.getpeercert(binary_form=True)
    except ssl.SSLError as error:
        raise MxGatewayTlsError(
            f"{address} does not speak TLS ({error.reason or error}): if the gateway there is plaintext, "
            "say so with plaintext=True (--plaintext)"
        ) from error
    except OSError as error:
        raise MxGatewayTransportError(unreachable(address, error, timeout)) from error
    if not der:
        raise MxGatewayTlsError(f"{address} presented no certificate")
    return ssl.DER_cert_to_PEM_cert(der)


def _check_pin(address: Endpoint, fingerprint: str, expected: str | None) -> None:
    with _pins_lock:
        known = expected or _pins.get(address)
        if known is None:
            _pins[address] = fingerprint
    if known is not None and known != fingerprint:
        origin = "pinned_sha256" if expected else "the certificate first seen by this process"
        raise MxGatewayTlsError(
            f"the certificate of {address} has changed: its SHA-256 is {fingerprint}, but {origin} is {known}. "
            "If the gateway's certificate was renewed, pin the new one; if not, something else answers there"
        )


def unreachable(address: Endpoint, error: OSError, timeout: float) -> str:
    """A sentence that says why no connection came about and what to look at."""
    if isinstance(error, socket.gaierror):
        return f"cannot reach {address}: the host name {address.host!r} is not known: check the endpoint"
    if isinstance(error, TimeoutError):
        return f"cannot reach {address}: no answer within {timeout:g} s: check the endpoint and the firewall"
    if isinstance(error, ConnectionRefusedError):
        return f"cannot reach {address}: connection refused: is the gateway running and is the port right?"
    if isinstance(error, ConnectionError):
        return f"cannot reach {address}: the connection was closed at once: is an MXAccess Gateway at this port?"
    return f"cannot reach {address}: {error.strerror or error}"


def diagnose(options: ClientOptions, details: str) -> MxGatewayTransportError | None:
    """Find out why a call was answered UNAVAILABLE: is anything there, does it speak TLS, is its certificate good?

    Blocking, bounded by `connect_timeout`; returns None where nothing is obviously wrong.

    Args:
        options: how the gateway was to be reached.
        details: what gRPC said.
    """
    address = options.address
    timeout = min(options.connect_timeout, 5.0)
    try:
        with socket.create_connection((address.host, address.port), timeout=timeout) as raw:
            return _speaks_tls(raw, address) if options.plaintext else _certificate_problem(options, details)
    except OSError as error:
        return MxGatewayTransportError(unreachable(address, error, timeout))


def _certificate_problem(options: ClientOptions, details: str) -> MxGatewayTlsError | None:
    """What gRPC's words say about the certificate; its own text is long and names neither side."""
    address = options.address
    if "Hostname Verification Check failed" in details:
        name = options.server_name_override or ("localhost" if options.trust_on_first_use else address.host)
        return MxGatewayTlsError(
            f"the certificate of {address} does not name {name!r}: "
            "pass a name that it does as server_name_override (--server-name-override)"
        )
    _, failed, reason = details.partition("CERTIFICATE_VERIFY_FAILED: ")
    if not failed:
        return None
    reason = reason.split(":")[0]
    roots = f"ca_file {options.ca_file!r}" if options.ca_file else "the system's trust roots"
    advice = {
        "certificate has expired": "the gateway's certificate must be renewed; check this machine's clock too",
        "certificate is not yet valid": "check the clocks of this machine and of the gateway",
    }.get(reason, f"it is not signed by {roots}: pass the CA that signed it as ca_file (--ca-file)")
    return MxGatewayTlsError(f"the certificate of {address} is not trusted ({reason}): {advice}")


def _speaks_tls(raw: socket.socket, address: Endpoint) -> MxGatewayTlsError | None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with context.wrap_socket(raw, server_hostname=address.host):
            return MxGatewayTlsError(
                f"{address} speaks TLS, but plaintext=True (--plaintext) was given: drop it to connect with TLS"
            )
    except OSError:
        # The expected outcome at a plaintext port: it does not speak TLS, so that is not what went wrong.
        return None
