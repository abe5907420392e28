"""How to reach a gateway and what to ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from os import PathLike, fspath
from typing import Any, Literal, TypedDict

from .auth import REDACTED, check_api_key
from .endpoint import Endpoint, parse_endpoint

__all__ = ["ClientOptions", "ConnectKeywords", "OpenSessionOptions", "resolve_options"]

#: The gateway's own limit of a message in either direction (CONTRACT "limits").
MAX_MESSAGE_BYTES = 16 * 1024 * 1024


class ConnectKeywords(TypedDict, total=False):
    """The keywords of `connect`: the fields of `ClientOptions`."""

    endpoint: str
    api_key: str | None
    plaintext: bool
    ca_file: str | PathLike[str] | None
    require_certificate_validation: bool
    server_name_override: str | None
    pinned_sha256: str | None
    connect_timeout: float
    call_timeout: float | None
    stream_timeout: float | None
    stream_transport: Literal["thread", "aio"]
    stream_buffer: int
    max_message_bytes: int
    keepalive_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """How to reach a gateway.

    TLS is the default. Without `ca_file` and `require_certificate_validation` it is trust-on-first-use: the
    certificate that the gateway presents is fetched once and pinned for the process.

    Args:
        endpoint: `host:port`; also `[::1]:5001`, `https://host:port`. Default port 5001, plaintext 5000.
        api_key: `mxgw_<id>_<secret>`; shown nowhere.
        plaintext: no TLS. Never assumed, not even for localhost: the key would travel in clear text.
        ca_file: PEM file with the certificates to trust.
        require_certificate_validation: verify against the system's trust roots.
        server_name_override: the name to expect in the certificate instead of the endpoint's host.
        pinned_sha256: the SHA-256 of the gateway's certificate (hex, with or without colons), for
            trust-on-first-use that is not the first use.
        connect_timeout: seconds for the certificate probe and for finding out why a call failed.
        call_timeout: seconds for one unary call; None waits forever. The gateway's own command timeout is 30 s.
        stream_timeout: seconds after which a stream ends with a timeout; None is no limit.
        stream_transport: "thread" reads streams on a thread of their own (fast); "aio" is plain grpc.aio.
        stream_buffer: messages kept for a slow consumer before reading stops (back-pressure).
        max_message_bytes: the largest message in either direction, in bytes.
        keepalive_seconds: seconds between HTTP/2 pings on an idle connection.

    Raises:
        ValueError: a value cannot be used; the text names it.
    """

    endpoint: str
    api_key: str | None = field(default=None, repr=False)
    plaintext: bool = False
    ca_file: str | PathLike[str] | None = None
    require_certificate_validation: bool = False
    server_name_override: str | None = None
    pinned_sha256: str | None = None
    connect_timeout: float = 10.0
    call_timeout: float | None = 60.0
    stream_timeout: float | None = None
    stream_transport: Literal["thread", "aio"] = "thread"
    stream_buffer: int = 100_000
    max_message_bytes: int = MAX_MESSAGE_BYTES
    keepalive_seconds: float = 60.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_key", check_api_key(self.api_key))
        if self.ca_file is not None:
            object.__setattr__(self, "ca_file", fspath(self.ca_file))
        if self.pinned_sha256 is not None:
            object.__setattr__(self, "pinned_sha256", _fingerprint(self.pinned_sha256))
        parse_endpoint(self.endpoint, plaintext=self.plaintext)
        self._check_tls()
        for name in ("connect_timeout", "call_timeout", "stream_timeout", "keepalive_seconds"):
            seconds = getattr(self, name)
            if seconds is not None and not seconds > 0:
                raise ValueError(f"{name}={seconds!r} must be above 0 (seconds)")
        for name in ("stream_buffer", "max_message_bytes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)!r} must be at least 1")
        if self.stream_transport not in ("thread", "aio"):
            raise ValueError(f"stream_transport={self.stream_transport!r} must be 'thread' or 'aio'")

    def _check_tls(self) -> None:
        verifying = [name for name in ("ca_file", "require_certificate_validation", "pinned_sha256") if self._set(name)]
        if self.plaintext and (verifying or self.server_name_override):
            raise ValueError(
                f"plaintext=True contradicts {', '.join(verifying) or 'server_name_override'}: "
                "without TLS there is no certificate to check"
            )
        if len(verifying) > 1:
            raise ValueError(f"{' and '.join(verifying)} exclude each other: choose one way to trust the gateway")

    def _set(self, name: str) -> bool:
        return bool(getattr(self, name))

    @property
    def address(self) -> Endpoint:
        """The endpoint's host and port."""
        return parse_endpoint(self.endpoint, plaintext=self.plaintext)

    @property
    def trust_on_first_use(self) -> bool:
        """Whether the certificate that the gateway presents is taken as it comes (or must match `pinned_sha256`)."""
        return not (self.plaintext or self.ca_file or self.require_certificate_validation)

    def __repr__(self) -> str:
        shown = []
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "api_key":
                value = None if value is None else REDACTED
            elif item.name != "endpoint" and value == item.default:
                continue
            shown.append(f"{item.name}={value!r}")
        return f"ClientOptions({', '.join(shown)})"


@dataclass(frozen=True, slots=True)
class OpenSessionOptions:
    """What a session asks for.

    Args:
        client_session_name: shown in the gateway's list of sessions.
        requested_backend: empty for the gateway's default.
        client_correlation_id: empty for a fresh one.
        command_timeout: how long the gateway waits for one command of this session; None is its default (30 s).
    """

    client_session_name: str = ""
    requested_backend: str = ""
    client_correlation_id: str = ""
    command_timeout: timedelta | float | None = None

    def timeout(self) -> timedelta | None:
        """`command_timeout` as a timedelta.

        Raises:
            ValueError: it is not above 0.
        """
        given = self.command_timeout
        if given is None:
            return None
        result = given if isinstance(given, timedelta) else timedelta(seconds=given)
        if result <= timedelta(0):
            raise ValueError(f"command_timeout={given!r} must be above 0 (seconds)")
        return result


def resolve_options(options: ClientOptions | str | None, keywords: Mapping[str, Any]) -> ClientOptions:
    """The options of a `connect` call: a `ClientOptions`, or an endpoint and keywords.

    Raises:
        TypeError: both were given, none was, or a keyword is unknown; the text lists the known ones.
    """
    if isinstance(options, ClientOptions):
        if keywords:
            raise TypeError(f"give a ClientOptions or keywords, not both: {', '.join(sorted(keywords))}")
        return options
    known = [item.name for item in fields(ClientOptions)]
    unknown = sorted(set(keywords) - set(known))
    if unknown:
        raise TypeError(f"unknown option {', '.join(unknown)}: the options are {', '.join(known)}")
    given = dict(keywords)
    if options is not None:
        if "endpoint" in given:
            raise TypeError("the endpoint was given twice")
        given["endpoint"] = options
    if "endpoint" not in given:
        raise TypeError("no endpoint: pass endpoint='host:port' or a ClientOptions")
    return ClientOptions(**given)


def _fingerprint(text: str) -> str:
    digits = text.replace(":", "").replace(" ", "").lower()
    if len(digits) != 64 or any(digit not in "0123456789abcdef" for digit in digits):
        raise ValueError(f"pinned_sha256={text!r} is not a SHA-256: expected 64 hex digits, with or without colons")
    return digits
