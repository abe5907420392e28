"""What can go wrong, and whose fault it is.

MxGatewayError
├── MxGatewayTransportError         the gateway cannot be reached, or the connection broke
│   ├── MxGatewayTimeoutError       … or it did not answer in time (also a TimeoutError)
│   └── MxGatewayTlsError           … or its certificate is not the one to trust
├── MxGatewayAuthenticationError    the API key is missing or not accepted
├── MxGatewayAuthorizationError     the API key is good but lacks a scope, or may not touch this tag
├── MxGatewaySessionError           the session is unknown, closed, faulted, or has its one subscriber already
│   ├── MxGatewayLimitError         … or a limit was reached: sessions, pending commands, event queue, message size
│   └── MxGatewayReplayGapError     … or events that were asked for again are no longer kept
├── MxGatewayWorkerError            the worker process behind the session failed
├── MxGatewayCommandError           the gateway refused the request, or its reply makes no sense
│   └── MxAccessError               MXAccess itself refused: hresult and statuses say why
└── GalaxyError                     the Galaxy repository could not serve the request
    ├── GalaxyNotFoundError         … there is no such object
    └── GalaxyChangedError          … a deploy happened in the middle of a listing

Every error keeps the gRPC code, the server's details, the correlation id and the raw reply where there is one. API keys
are removed from all of it.
"""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from google.protobuf.message import Message

from .auth import redact
from .generated import mxaccess_gateway_pb2 as pb
from .status import describe_hresult, describe_status, is_failure

__all__ = [
    "GalaxyChangedError",
    "GalaxyError",
    "GalaxyNotFoundError",
    "MxAccessError",
    "MxGatewayAuthenticationError",
    "MxGatewayAuthorizationError",
    "MxGatewayCommandError",
    "MxGatewayError",
    "MxGatewayLimitError",
    "MxGatewayReplayGapError",
    "MxGatewaySessionError",
    "MxGatewayTimeoutError",
    "MxGatewayTlsError",
    "MxGatewayTransportError",
    "MxGatewayWorkerError",
]


class MxGatewayError(Exception):
    """The root of all errors of this library.

    Args:
        message: what was wrong and what to do about it.
        code: the gRPC status, None for an error that no RPC reported.
        details: the server's own words.
        correlation_id: finds the call in the gateway's log; empty when there was none.
        reply: the raw protobuf reply, where one came.
        api_key: the key to remove from the texts; not kept.
    """

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode | None = None,
        details: str = "",
        correlation_id: str = "",
        reply: Message | None = None,
        api_key: str | None = None,
    ) -> None:
        super().__init__(redact(message, api_key))
        self.code = code
        self.details = redact(details, api_key)
        self.correlation_id = correlation_id
        self.reply = reply

    @property
    def is_transient(self) -> bool:
        """Whether the same call may succeed later without a change: UNAVAILABLE or RESOURCE_EXHAUSTED."""
        return self.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)


class MxGatewayTransportError(MxGatewayError):
    """The gateway cannot be reached, or the connection broke."""


class MxGatewayTimeoutError(MxGatewayTransportError, TimeoutError):
    """No answer in time. A deadline stops the waiting, not the command: it may still take effect."""


class MxGatewayTlsError(MxGatewayTransportError):
    """The certificate is not the one to trust, or one side speaks TLS and the other does not."""


class MxGatewayAuthenticationError(MxGatewayError):
    """The API key is missing or not accepted."""


class MxGatewayAuthorizationError(MxGatewayError):
    """The API key lacks the scope or the permission for this."""


class MxGatewaySessionError(MxGatewayError):
    """The session is unknown, closed, faulted, not ready, or already has its subscriber."""


class MxGatewayLimitError(MxGatewaySessionError):
    """A limit was reached: sessions, pending commands, event queue, message size."""


class MxGatewayReplayGapError(MxGatewaySessionError):
    """Events that were asked for again are no longer kept.

    Lost is what lies between `requested_after` and `oldest_available`, both exclusive. A stream with
    `after_worker_sequence=oldest_available - 1` resumes without a further gap.
    """

    def __init__(self, requested_after: int, oldest_available: int) -> None:
        resume = f"resume with after_worker_sequence={oldest_available - 1}" if oldest_available else "start afresh"
        super().__init__(
            f"events after sequence {requested_after} are gone: "
            f"the oldest kept is {oldest_available or 'none'}; {resume}"
        )
        self.requested_after = requested_after
        self.oldest_available = oldest_available


class MxGatewayWorkerError(MxGatewayError):
    """The worker process behind the session failed."""


class MxGatewayCommandError(MxGatewayError):
    """The gateway refused the request, or its reply makes no sense."""


class MxAccessError(MxGatewayCommandError):
    """MXAccess refused the command.

    Attributes:
        hresult: the COM result as an unsigned 32-bit number, 0 when none came.
        statuses: the `MxStatusProxy` messages of the reply.
    """

    def __init__(
        self,
        message: str,
        *,
        hresult: int = 0,
        statuses: Iterable[pb.MxStatusProxy] = (),
        code: grpc.StatusCode | None = None,
        details: str = "",
        correlation_id: str = "",
        reply: Message | None = None,
        api_key: str | None = None,
    ) -> None:
        super().__init__(
            message, code=code, details=details, correlation_id=correlation_id, reply=reply, api_key=api_key
        )
        self.hresult = hresult & 0xFFFFFFFF
        self.statuses = tuple(statuses)


class GalaxyError(MxGatewayError):
    """The Galaxy repository could not serve the request."""


class GalaxyNotFoundError(GalaxyError):
    """There is no such object in the Galaxy."""


class GalaxyChangedError(GalaxyError):
    """A deploy happened in the middle of a listing: its pages belong to two different Galaxies."""


# Every gRPC status, once. A class of its own only where the user does something else about it.
_BY_CODE: dict[grpc.StatusCode, type[MxGatewayError]] = {
    grpc.StatusCode.CANCELLED: MxGatewayTransportError,
    grpc.StatusCode.UNKNOWN: MxGatewayTransportError,
    grpc.StatusCode.INVALID_ARGUMENT: MxGatewayCommandError,
    grpc.StatusCode.DEADLINE_EXCEEDED: MxGatewayTimeoutError,
    grpc.StatusCode.NOT_FOUND: MxGatewaySessionError,
    grpc.StatusCode.ALREADY_EXISTS: MxGatewaySessionError,
    grpc.StatusCode.PERMISSION_DENIED: MxGatewayAuthorizationError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: MxGatewayLimitError,
    grpc.StatusCode.FAILED_PRECONDITION: MxGatewaySessionError,
    grpc.StatusCode.ABORTED: MxGatewaySessionError,
    grpc.StatusCode.OUT_OF_RANGE: MxGatewayCommandError,
    grpc.StatusCode.UNIMPLEMENTED: MxGatewayTransportError,
    grpc.StatusCode.INTERNAL: MxGatewayTransportError,
    grpc.StatusCode.UNAVAILABLE: MxGatewayTransportError,
    grpc.StatusCode.DATA_LOSS: MxGatewayTransportError,
    grpc.StatusCode.UNAUTHENTICATED: MxGatewayAuthenticationError,
}

# Where a service means something else by a status.
_BY_SERVICE: dict[str, dict[grpc.StatusCode, type[MxGatewayError]]] = {
    "GalaxyRepository": {
        grpc.StatusCode.NOT_FOUND: GalaxyNotFoundError,
        grpc.StatusCode.INVALID_ARGUMENT: GalaxyError,
        grpc.StatusCode.FAILED_PRECONDITION: GalaxyError,
    },
    # Acknowledging has no session: FAILED_PRECONDITION is a refused acknowledgement in subtag mode.
    "AcknowledgeAlarm": {
        grpc.StatusCode.FAILED_PRECONDITION: MxGatewayCommandError,
        grpc.StatusCode.NOT_FOUND: MxGatewayCommandError,
    },
}

_BY_PROTOCOL_STATUS: dict[int, type[MxGatewayError]] = {
    pb.PROTOCOL_STATUS_CODE_UNSPECIFIED: MxGatewayCommandError,
    pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST: MxGatewayCommandError,
    pb.PROTOCOL_STATUS_CODE_SESSION_NOT_FOUND: MxGatewaySessionError,
    pb.PROTOCOL_STATUS_CODE_SESSION_NOT_READY: MxGatewaySessionError,
    pb.PROTOCOL_STATUS_CODE_WORKER_UNAVAILABLE: MxGatewayWorkerError,
    pb.PROTOCOL_STATUS_CODE_TIMEOUT: MxGatewayTimeoutError,
    pb.PROTOCOL_STATUS_CODE_CANCELED: MxGatewayCommandError,
    pb.PROTOCOL_STATUS_CODE_PROTOCOL_VIOLATION: MxGatewayWorkerError,
    pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE: MxAccessError,
}

_ADVICE: dict[grpc.StatusCode, str] = {
    grpc.StatusCode.UNAUTHENTICATED: "check the API key",
    grpc.StatusCode.PERMISSION_DENIED: "use an API key that has this scope",
    grpc.StatusCode.DEADLINE_EXCEEDED: "a deadline stops the waiting, not the command: it may still take effect",
    grpc.StatusCode.ALREADY_EXISTS: "a session has one event stream: close the other one first",
    grpc.StatusCode.UNIMPLEMENTED: "the server at this endpoint does not know this call: is it an MXAccess Gateway?",
}


def class_of_status(code: grpc.StatusCode, *, service: str = "", rpc: str = "") -> type[MxGatewayError]:
    """The one error class of a gRPC status in a service ("MxAccessGateway", "GalaxyRepository") and rpc."""
    special = _BY_SERVICE.get(rpc) or _BY_SERVICE.get(service) or {}
    return special.get(code) or _BY_CODE[code]


def class_of_protocol_status(code: int) -> type[MxGatewayError]:
    """The one error class of a `ProtocolStatusCode` that is not OK; unknown numbers are command errors."""
    return _BY_PROTOCOL_STATUS.get(code, MxGatewayCommandError)


def from_grpc(
    error: grpc.RpcError,
    *,
    endpoint: str,
    method: str,
    correlation_id: str = "",
    api_key: str | None = None,
    cause: MxGatewayTransportError | None = None,
) -> MxGatewayError:
    """The typed error of a failed RPC; the only place that maps gRPC statuses.

    Args:
        error: what grpc raised; it has `code()` and `details()`.
        endpoint: where the call went.
        method: "package.Service/Rpc".
        correlation_id: of the call.
        api_key: removed from the text.
        cause: what a look at the endpoint found out about an unreachable gateway.
    """
    code = error.code() if hasattr(error, "code") else grpc.StatusCode.UNKNOWN
    details = (error.details() if hasattr(error, "details") else str(error)) or ""
    service, _, rpc = method.rpartition(".")[2].partition("/")
    kind = type(cause) if cause is not None else class_of_status(code, service=service, rpc=rpc)
    said = details.rstrip(".") or "no details"
    advice = str(cause) if cause is not None else _ADVICE.get(code, "")
    text = advice if cause is not None else f"{rpc} at {endpoint} failed: {said} ({code.name})"
    if advice and cause is None:
        text = f"{text}; {advice}"
    return kind(text, code=code, details=details, correlation_id=correlation_id, api_key=api_key)


def check_reply(reply: pb.MxCommandReply | pb.AcknowledgeAlarmReply, *, what: str, api_key: str | None = None) -> None:
    """Raise the typed error of a reply that reports a failure; the only place that judges replies.

    A failure is a protocol status other than OK, a failing hresult, or a status whose category is an error.
    `MxStatusProxy.success` is a COM number and decides nothing (CONTRACT "quality, status").
    """
    code = reply.protocol_status.code
    hresult = reply.hresult & 0xFFFFFFFF
    statuses = list(reply.statuses) if isinstance(reply, pb.MxCommandReply) else []
    failed = [status for status in statuses if is_failure(status)]
    if code == pb.PROTOCOL_STATUS_CODE_OK and not hresult & 0x80000000 and not failed:
        return
    kind = class_of_protocol_status(code)
    if code == pb.PROTOCOL_STATUS_CODE_OK:
        kind = MxAccessError
    text = f"{what} failed: {_reason(reply, code, hresult, failed or statuses)}"
    if issubclass(kind, MxAccessError):
        raise kind(
            text,
            hresult=hresult,
            statuses=statuses,
            correlation_id=reply.correlation_id,
            reply=reply,
            details=reply.diagnostic_message,
            api_key=api_key,
        )
    raise kind(
        text, correlation_id=reply.correlation_id, reply=reply, details=reply.diagnostic_message, api_key=api_key
    )


def check_session_reply(
    reply: pb.OpenSessionReply | pb.CloseSessionReply, *, what: str, correlation_id: str, api_key: str | None
) -> None:
    """Raise the typed error of a session reply that reports a failure.

    One without any status passes: the numbers of these replies are the least certain of the contract, and what is
    needed of them is checked by itself.
    """
    code = reply.protocol_status.code
    if code in (pb.PROTOCOL_STATUS_CODE_OK, pb.PROTOCOL_STATUS_CODE_UNSPECIFIED):
        return
    reason = reply.protocol_status.message or "no reason given"
    raise class_of_protocol_status(code)(
        f"{what} failed: {reason}; {protocol_status_name(code)}",
        correlation_id=correlation_id,
        reply=reply,
        api_key=api_key,
    )


def _reason(
    reply: pb.MxCommandReply | pb.AcknowledgeAlarmReply, code: int, hresult: int, statuses: list[pb.MxStatusProxy]
) -> str:
    parts = [reply.protocol_status.message, reply.diagnostic_message]
    if hresult:
        parts.append(describe_hresult(hresult))
    parts += [describe_status(status) for status in statuses]
    if code == pb.PROTOCOL_STATUS_CODE_UNSPECIFIED:
        parts.append(
            "the reply has no protocol status: if the gateway is newer than this client's contract, "
            "regenerate the bindings with generate_proto.py --proto-dir"
        )
    elif code != pb.PROTOCOL_STATUS_CODE_OK:
        parts.append(protocol_status_name(code))
    return "; ".join(dict.fromkeys(part for part in parts if part)) or "no reason given"


def protocol_status_name(code: int) -> str:
    """The short name of a `ProtocolStatusCode`; a number that this contract does not know is named by itself."""
    names = {number: name for name, number in pb.ProtocolStatusCode.items()}
    return names.get(code, f"protocol status {code}").removeprefix("PROTOCOL_STATUS_CODE_")
