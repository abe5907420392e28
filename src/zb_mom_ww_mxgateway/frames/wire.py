"""What the two decoders agree on: the fields they read and the flat columns they give.

The columns are those of the wire, one per field, before anything is named or merged; `rows` makes events of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Protocol

import pyarrow as pa

from ..generated import mxaccess_gateway_pb2 as pb
from .projection import BYTES, FIELD, Projection, Shape
from .schema import TIMESTAMP, enum_number

__all__ = ["EVENT_SHAPE", "KINDS", "STATUS_OK", "WIRE_SCHEMA", "Decoder", "EventDecodeError", "event_projection"]

#: Wire types of the members of the `kind` oneof of `MxValue`; messages among them stay serialized.
KINDS: Mapping[str, pa.DataType] = {
    "bool_value": pa.bool_(),
    "int32_value": pa.int32(),
    "int64_value": pa.int64(),
    "float_value": pa.float32(),
    "double_value": pa.float64(),
    "string_value": pa.string(),
    "timestamp_value": TIMESTAMP,
    "array_value": pa.binary(),
    "raw_value": pa.binary(),
    "sparse_array_value": pa.binary(),
}

#: The fields of `MxEvent` that a frame shows.
EVENT_SHAPE: Shape = {
    "family": FIELD,
    "session_id": FIELD,
    "server_handle": FIELD,
    "item_handle": FIELD,
    "quality": FIELD,
    "source_timestamp": FIELD,
    "gateway_receive_timestamp": FIELD,
    "worker_sequence": FIELD,
    "value": {
        "data_type": FIELD,
        "is_null": FIELD,
        **{kind: BYTES if kind.endswith("array_value") else FIELD for kind in KINDS},
    },
    "statuses": {"category": FIELD, "detail": FIELD},
    "replay_gap": {"requested_after_sequence": FIELD, "oldest_available_sequence": FIELD},
    "on_buffered_data_change": BYTES,
}

#: Columns of a decoded batch. A column is null where the message lacks the member, and all null where the contract
#: lacks the name; `status_*` hold one status of the event, the first that is not OK, else the first.
WIRE_SCHEMA: pa.Schema = pa.schema(
    [
        ("family", pa.int32()),
        ("session_id", pa.string()),
        ("server_handle", pa.int32()),
        ("item_handle", pa.int32()),
        ("quality", pa.int32()),
        ("source_timestamp", TIMESTAMP),
        ("gateway_receive_timestamp", TIMESTAMP),
        ("worker_sequence", pa.uint64()),
        ("has_value", pa.bool_()),
        ("data_type", pa.int32()),
        ("is_null", pa.bool_()),
        *KINDS.items(),
        ("status_category", pa.int32()),
        ("status_detail", pa.int32()),
        ("has_replay_gap", pa.bool_()),
        ("requested_after_sequence", pa.uint64()),
        ("oldest_available_sequence", pa.uint64()),
        ("on_buffered_data_change", pa.binary()),
    ]
)

STATUS_OK = enum_number("MxStatusCategory", "MX_STATUS_CATEGORY_OK")


class EventDecodeError(ValueError):
    """A message is no `MxEvent`: cut off, damaged, or of another type.

    Attributes:
        index: Position of the message in the list that was given, from 0.
        length: Its length in bytes.
        reason: What the protobuf parser said.
    """

    def __init__(self, index: int, length: int, reason: str) -> None:
        super().__init__(f"message {index} of the list ({length} bytes) is not a serialized MxEvent: {reason}")
        self.index = index
        self.length = length
        self.reason = reason

    def __reduce__(self) -> tuple[type[EventDecodeError], tuple[int, int, str]]:
        return type(self), (self.index, self.length, self.reason)

    def moved(self, by: int) -> EventDecodeError:
        """The same error, for a list that has `by` more messages in front."""
        return EventDecodeError(self.index + by, self.length, self.reason)


class Decoder(Protocol):
    """Turns serialized events into a batch of `WIRE_SCHEMA`, one row per message, in order.

    Attributes:
        name: What users call it.
        chunk: Messages that are best given at a time.
    """

    name: str
    chunk: int

    def decode(self, messages: list[bytes]) -> pa.RecordBatch:
        """Decode a list of messages.

        Raises:
            EventDecodeError: If a message is corrupt; names the first one.
        """
        ...


@cache
def event_projection() -> Projection:
    """The projection of the generated `MxEvent`, built on first use."""
    return Projection(pb.DESCRIPTOR.message_types_by_name["MxEvent"], EVENT_SHAPE)
