"""A page of a Galaxy listing as bytes: what must be known of it without parsing its objects."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import DecodeError

from .generated import galaxy_repository_pb2 as pb

__all__ = ["RawPage"]

_REPLY = pb.DiscoverHierarchyReply.DESCRIPTOR.fields_by_name
_OBJECTS = _REPLY["objects"].number
_TOKEN = _REPLY["next_page_token"].number
_TOTAL = _REPLY["total_object_count"].number
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class RawPage:
    """A `DiscoverHierarchyReply` that was not parsed.

    Attributes:
        data: the serialized reply.
        objects: how many objects it has.
        next_page_token: empty on the last page.
        total_object_count: objects of the whole listing.
    """

    data: bytes
    objects: int
    next_page_token: str
    total_object_count: int

    @classmethod
    def FromString(cls, data: bytes) -> RawPage:  # noqa: N802 - the name that a reply type has
        """Read the outer level of a reply; objects are counted and stepped over.

        Raises:
            DecodeError: the bytes are no reply.
        """
        objects, token, total, at, end = 0, b"", 0, 0, len(data)
        while at < end:
            tag, at = _varint(data, at)
            field, wire = tag >> 3, tag & 7
            if wire == _VARINT:
                number, at = _varint(data, at)
                total = number if field == _TOTAL else total
            elif wire == _BYTES:
                size, at = _varint(data, at)
                objects += field == _OBJECTS
                token = data[at : at + size] if field == _TOKEN else token
                at += size
            elif wire in (_FIXED64, _FIXED32):
                at += 8 if wire == _FIXED64 else 4
            else:
                raise DecodeError(f"wire type {wire} at byte {at} of a DiscoverHierarchyReply")
        if at > end:
            raise DecodeError("a DiscoverHierarchyReply that is cut off")
        try:
            return cls(data, objects, token.decode(), total)
        except UnicodeDecodeError as error:
            raise DecodeError("a page token that is no text") from error


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place behind it."""
    number = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number, at
        shift += 7
    raise DecodeError("a DiscoverHierarchyReply that is cut off")
