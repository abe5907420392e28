"""Statuses and command replies in the gateway's form (CONTRACT.md "commands", "quality, status")."""

from __future__ import annotations

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .conversion import NO_DATA

__all__ = [
    "ACCESS_DENIED",
    "INVALID_ARGUMENT",
    "NOT_AUTHENTICATED",
    "OK_STATUS",
    "BulkTooLargeError",
    "InvalidRequestError",
    "MxFailureError",
    "NotAllowedError",
    "ok_reply",
    "status",
]

#: COM results that MXAccess gives, as signed 32-bit numbers.
INVALID_ARGUMENT = 0x80070057 - 2**32
ACCESS_DENIED = 0x80070005 - 2**32
NOT_AUTHENTICATED = 0x80004021 - 2**32


class MxFailureError(Exception):
    """A command that MXAccess refuses; it becomes a reply, not a gRPC error."""

    def __init__(
        self,
        hresult: int,
        message: str,
        category: int = pb.MX_STATUS_CATEGORY_OPERATIONAL_ERROR,
        detail: int = 0,
    ) -> None:
        super().__init__(message)
        self.hresult = hresult
        self.category = category
        self.detail = detail


class InvalidRequestError(Exception):
    """A command that the gateway itself refuses: kind and payload disagree, or a field makes no sense."""


class NotAllowedError(MxFailureError):
    """What the key's constraints forbid: PERMISSION_DENIED, or a denied entry of a bulk command."""

    def __init__(self, message: str) -> None:
        super().__init__(ACCESS_DENIED, message, pb.MX_STATUS_CATEGORY_SECURITY_ERROR)


class BulkTooLargeError(Exception):
    """More entries than a bulk command may have; a gRPC error, not a reply."""


def status(
    category: int, detail: int = 0, text: str = "", source: int = pb.MX_STATUS_SOURCE_RESPONDING_LMX
) -> pb.MxStatusProxy:
    """A status as MXAccess fills it in: `success` is a COM number, not a truth value; the category counts."""
    fine = category == pb.MX_STATUS_CATEGORY_OK
    return pb.MxStatusProxy(
        success=1 if fine else 0,
        category=category,  # type: ignore[arg-type]
        detected_by=source,  # type: ignore[arg-type]
        detail=detail,
        raw_category=category,
        raw_detected_by=source,
        diagnostic_text=text,
    )


#: The status of everything that went well.
OK_STATUS = status(pb.MX_STATUS_CATEGORY_OK, text="OK")


def ok_reply(request: pb.MxCommandRequest) -> pb.MxCommandReply:
    """A reply that says OK; the payload is still to be filled in."""
    return pb.MxCommandReply(
        session_id=request.session_id,
        correlation_id=request.client_correlation_id,
        kind=request.command.kind,
        protocol_status=pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_OK, message="OK"),
        hresult=0,
        return_value=NO_DATA,
        statuses=[OK_STATUS],
    )


def invalid_request(request: pb.MxCommandRequest, message: str) -> pb.MxCommandReply:
    """A reply that says that the request makes no sense."""
    reply = pb.MxCommandReply(
        session_id=request.session_id,
        correlation_id=request.client_correlation_id,
        kind=request.command.kind,
        diagnostic_message=message,
    )
    reply.protocol_status.code = pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST
    reply.protocol_status.message = message
    return reply


def failure(request: pb.MxCommandRequest, error: MxFailureError) -> pb.MxCommandReply:
    """A reply that says that MXAccess refused."""
    reply = ok_reply(request)
    reply.protocol_status.code = pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
    reply.protocol_status.message = "MXAccess refused the command"
    reply.hresult = error.hresult
    reply.diagnostic_message = str(error)
    del reply.statuses[:]
    reply.statuses.append(status(error.category, error.detail, str(error)))
    return reply
