"""Array values: a serialized `MxArray` to Python."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from ..generated import mxaccess_gateway_pb2 as pb
from ..values import from_mx_value

__all__ = ["array_members", "array_values"]


def array_values(data: bytes) -> list[Any] | bytes:
    """The value of a cell of the Arrow column `value_array`.

    Args:
        data: A serialized `MxArray`.

    Returns:
        A list as `values.from_mx_value` makes it: bool, int, float (single precision widened), str, aware UTC
        datetimes, timedeltas or bytes, nested when the array has several dimensions. Bytes that are no `MxArray`, or
        hold an instant outside the years 0001-9999, come back as they are, so that one odd cell does not keep a
        whole frame from being shown.
    """
    try:
        array = pb.MxArray.FromString(data)
        values: list[Any] = from_mx_value(pb.MxValue(array_value=array))
    except (DecodeError, OverflowError):
        return data
    return values


def array_members(data: bytes | None) -> tuple[str, list[Any]] | None:
    """Members of a serialized `MxArray` as they are on the wire.

    Args:
        data: The serialized message, or None.

    Returns:
        The name of the filled member of the `values` oneof and the flat list of its members (timestamps as
        messages); None without an array: no bytes, bytes that are no `MxArray`, or no member filled.
    """
    if data is None:
        return None
    try:
        array = pb.MxArray.FromString(data)
    except DecodeError:
        return None
    filled = array.WhichOneof("values")
    return None if filled is None else (filled, list(getattr(array, filled).values))
