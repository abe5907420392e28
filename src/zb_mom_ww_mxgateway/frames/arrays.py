"""Array values: a serialized `MxArray` to Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import DecodeError

from ..generated import mxaccess_gateway_pb2 as pb
from .decode_upb import microseconds

__all__ = ["array_members", "array_values"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def array_members(data: bytes | None) -> tuple[str, list[Any]] | None:
    """Members of a serialized `MxArray`.

    Args:
        data: The serialized message, or None.

    Returns:
        The name of the filled member of the `values` oneof and its members as they are on the wire (timestamps as
        messages); None without an array: no bytes, bytes that are no `MxArray`, or no member filled.
    """
    if data is None:
        return None
    try:
        array = pb.MxArray.FromString(data)
    except DecodeError:
        return None
    filled = next((field.name for field, _ in array.ListFields() if field.containing_oneof is not None), None)
    return None if filled is None else (filled, list(getattr(array, filled).values))


def array_values(data: bytes) -> list[Any] | bytes:
    """The value of a cell of `value_array`.

    Args:
        data: A serialized `MxArray`.

    Returns:
        A flat list of bool, int, float (single precision widened), str, aware UTC datetimes or bytes, in the order of
        the wire, whatever the rank; an empty list when no member is filled. A timestamp outside the years 0001-9999
        is None. Bytes that cannot be read come back as they are, so that no value is lost to a contract that differs.
    """
    try:
        pb.MxArray.FromString(data)
    except DecodeError:
        return data
    members = array_members(data)
    if members is None:
        return []
    name, values = members
    return [_instant(value) for value in values] if name == "timestamp_values" else values


def _instant(stamp: Any) -> datetime | None:
    try:
        return _EPOCH + timedelta(microseconds=microseconds(stamp))
    except OverflowError:
        return None
