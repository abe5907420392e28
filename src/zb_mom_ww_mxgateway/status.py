"""MXAccess statuses, qualities and COM results in words."""

from __future__ import annotations

from .generated import mxaccess_gateway_pb2 as pb

__all__ = ["describe_hresult", "describe_status", "is_failure", "is_good", "quality_name"]

# Categories that do not mean failure. UNSPECIFIED is the bare default of a status that nobody filled in.
_FINE = frozenset(
    {
        pb.MX_STATUS_CATEGORY_UNSPECIFIED,
        pb.MX_STATUS_CATEGORY_OK,
        pb.MX_STATUS_CATEGORY_PENDING,
        pb.MX_STATUS_CATEGORY_WARNING,
    }
)

# Names and meanings of the COM results that MXAccess users meet (winerror.h; the last two from captures of MXAccess).
_HRESULTS: dict[int, tuple[str, str]] = {
    0x80004001: ("E_NOTIMPL", "not implemented"),
    0x80004002: ("E_NOINTERFACE", "the COM object does not offer this interface"),
    0x80004005: ("E_FAIL", "unspecified failure"),
    0x8000FFFF: ("E_UNEXPECTED", "unexpected failure"),
    0x80020005: ("DISP_E_TYPEMISMATCH", "the value has the wrong type"),
    0x8002000A: ("DISP_E_OVERFLOW", "the value is out of range for the type"),
    0x80070005: ("E_ACCESSDENIED", "access denied"),
    0x8007000E: ("E_OUTOFMEMORY", "out of memory"),
    0x80010105: ("RPC_E_SERVERFAULT", "the COM server failed"),
    0x80010108: ("RPC_E_DISCONNECTED", "the COM server is gone"),
    0x800706BA: ("RPC_S_SERVER_UNAVAILABLE", "the COM server is not available"),
    0x80070057: (
        "E_INVALIDARG",
        "value does not fall within the expected range; for a write: is the item advised?",
    ),
    0x80004021: ("secured write refused", "authenticate a user first"),
}


def is_failure(status: pb.MxStatusProxy) -> bool:
    """Whether a status reports a failure: its category decides, never `success` (CONTRACT "quality, status")."""
    return status.category not in _FINE


def is_good(quality: int) -> bool:
    """Whether an OPC quality byte is good: its two upper bits are set (192 to 255)."""
    return quality & 0xC0 == 0xC0


def quality_name(quality: int) -> str:
    """Good, uncertain or bad, in lower case, from the two upper bits of the OPC quality byte."""
    return {0xC0: "good", 0x40: "uncertain"}.get(quality & 0xC0, "bad")


def describe_hresult(hresult: int) -> str:
    """`0x80070057 E_INVALIDARG (…)`; the number alone where the name is not known."""
    number = hresult & 0xFFFFFFFF
    name, meaning = _HRESULTS.get(number, ("", ""))
    return f"0x{number:08X} {name} ({meaning})" if name else f"hresult 0x{number:08X}"


def describe_status(status: pb.MxStatusProxy) -> str:
    """A status in one phrase: category, detail, who detected it, and its text."""
    category = _short(pb.MxStatusCategory, status.category, "MX_STATUS_CATEGORY_")
    text = f"{category} detail {status.detail}" if status.detail else category
    if status.detected_by:
        text += f" detected by {_short(pb.MxStatusSource, status.detected_by, 'MX_STATUS_SOURCE_')}"
    return f"{text}: {status.diagnostic_text}" if status.diagnostic_text else text


def _short(enum: type[pb.MxStatusCategory] | type[pb.MxStatusSource], number: int, prefix: str) -> str:
    names = {value: name for name, value in enum.items()}
    return names.get(number, f"{prefix.lower()}{number}").removeprefix(prefix)
