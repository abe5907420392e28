"""Messages as no healthy gateway of this contract sends them."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

__all__ = ["UNKNOWN_ENUM", "UNKNOWN_FIELD", "with_unknown_enum", "with_unknown_field", "without_payload"]

#: A value that no enum of the contract has, and a field number that no message has.
UNKNOWN_ENUM = 99
UNKNOWN_FIELD = 9_999

#: Enum fields that say what a message is; another value there would be another fault.
_KEPT = {"code", "kind", "family"}


def without_payload(message: Message) -> Any:
    """A reply that says OK and lacks what it was asked for; None when there is nothing to leave out."""
    copy = _copy(message)
    oneof = copy.DESCRIPTOR.oneofs_by_name.get("payload")
    name = copy.WhichOneof("payload") if oneof is not None else None
    if name is None and "session_id" in copy.DESCRIPTOR.fields_by_name and oneof is None:
        name = "session_id"
    if name is None or not getattr(copy, name):
        return None
    copy.ClearField(name)
    if "return_value" in copy.DESCRIPTOR.fields_by_name:
        copy.ClearField("return_value")
    return copy


def with_unknown_field(message: Message | bytes) -> bytes:
    """The message with one more field."""
    raw = message if isinstance(message, bytes) else message.SerializeToString()
    return raw + _varint(UNKNOWN_FIELD << 3) + _varint(1)


def with_unknown_enum(message: Message | bytes, names: tuple[str, ...]) -> Message | bytes | None:
    """The message with unknown values in its enum fields; None when it has none.

    Args:
        message: a reply, or a message of a stream in bytes.
        names: of the call; they tell what the bytes are.
    """
    if isinstance(message, bytes):
        kinds: dict[str, Any] = {
            "StreamEvents": pb.MxEvent,
            "StreamAlarms": pb.AlarmFeedMessage,
            "QueryActiveAlarms": pb.ActiveAlarmSnapshot,
        }
        kind = kinds.get(names[0])
        if kind is None:
            return None
        parsed = kind.FromString(message)
        return parsed.SerializeToString(deterministic=True) if _spoil(parsed) else None
    copy = _copy(message)
    return copy if _spoil(copy) else None


def _spoil(message: Any) -> bool:
    spoiled = False
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_ENUM and field.name not in _KEPT and not field.is_repeated:
            setattr(message, field.name, UNKNOWN_ENUM)
            spoiled = True
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            for part in value if field.is_repeated else (value,):
                spoiled |= isinstance(part, Message) and _spoil(part)
    return spoiled


def _copy(message: Message) -> Any:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
