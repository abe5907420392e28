"""Values of the simulated plant as `MxValue`, and written values as the plant's type.

The projection is that of the gateway's worker (CONTRACT.md "quality, status", value projection): 16- and 32-bit numbers
travel as int32, times as timestamps, and `variant_type` keeps the name of the COM type.
"""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .model import Attribute, DataType, Value

__all__ = ["NO_DATA", "CoercionError", "coerce", "read_value", "timestamp", "to_mx_value"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Galaxy type to (MxDataType, VT name, scalar member, array member).
_FORMS: dict[DataType, tuple[pb.MxDataType, str, str, str]] = {
    DataType.BOOLEAN: (pb.MX_DATA_TYPE_BOOLEAN, "VT_BOOL", "bool_value", "bool_values"),
    DataType.INTEGER: (pb.MX_DATA_TYPE_INTEGER, "VT_I4", "int32_value", "int32_values"),
    DataType.FLOAT: (pb.MX_DATA_TYPE_FLOAT, "VT_R4", "float_value", "float_values"),
    DataType.DOUBLE: (pb.MX_DATA_TYPE_DOUBLE, "VT_R8", "double_value", "double_values"),
    DataType.STRING: (pb.MX_DATA_TYPE_STRING, "VT_BSTR", "string_value", "string_values"),
    DataType.TIME: (pb.MX_DATA_TYPE_TIME, "VT_DATE", "timestamp_value", "timestamp_values"),
    # How the real gateway sends an elapsed time is not known; ticks of 100 ns are what COM keeps.
    DataType.ELAPSED_TIME: (pb.MX_DATA_TYPE_ELAPSED_TIME, "VT_I8", "int64_value", "int64_values"),
    DataType.REFERENCE: (pb.MX_DATA_TYPE_REFERENCE_TYPE, "VT_BSTR", "string_value", "string_values"),
    # By label, as MXAccess shows a custom enumeration.
    DataType.ENUMERATION: (pb.MX_DATA_TYPE_ENUM, "VT_BSTR", "string_value", "string_values"),
    DataType.CUSTOM: (pb.MX_DATA_TYPE_QUALIFIED_STRUCT, "VT_ARRAY|VT_UI1", "raw_value", "raw_values"),
    DataType.INTERNATIONALIZED_STRING: (
        pb.MX_DATA_TYPE_INTERNATIONALIZED_STRING,
        "VT_BSTR",
        "string_value",
        "string_values",
    ),
    DataType.BIG_STRING: (pb.MX_DATA_TYPE_BIG_STRING, "VT_BSTR", "string_value", "string_values"),
}


#: A value that is not there.
NO_DATA = pb.MxValue(data_type=pb.MX_DATA_TYPE_NO_DATA, variant_type="VT_EMPTY", is_null=True)


class CoercionError(Exception):
    """A written value that the attribute's type cannot hold."""


def timestamp(at_us: int) -> Timestamp:
    """A protobuf timestamp of microseconds since the epoch."""
    seconds, micros = divmod(at_us, 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1000)


def to_mx_value(value: Value, data_type: DataType) -> pb.MxValue:
    """The message for a value of the plant."""
    kind, variant, scalar, array = _FORMS[data_type]
    if value is None:
        return NO_DATA
    if isinstance(value, list):
        message = pb.MxArray(element_data_type=kind, variant_type=f"VT_ARRAY|{variant}", dimensions=[len(value)])
        getattr(message, array).values.extend(_wire(item, data_type) for item in value)
        # An empty array must still say which kind of array it is.
        getattr(message, array).SetInParent()
        return pb.MxValue(data_type=kind, variant_type=f"VT_ARRAY|{variant}", array_value=message)
    result = pb.MxValue(data_type=kind, variant_type=variant)
    if data_type is DataType.TIME:
        result.timestamp_value.CopyFrom(_wire(value, data_type))
    else:
        setattr(result, scalar, _wire(value, data_type))
    return result


def _wire(value: Any, data_type: DataType) -> Any:
    if data_type is DataType.TIME:
        return timestamp((value - _EPOCH) // timedelta(microseconds=1))
    if data_type is DataType.ELAPSED_TIME:
        return (value // timedelta(microseconds=1)) * 10
    if data_type is DataType.CUSTOM:
        return value if isinstance(value, bytes) else str(value).encode()
    return value


def read_value(message: pb.MxValue) -> Any:
    """What a client wrote, as a Python value; a sparse array as a dict of index to value."""
    kind = message.WhichOneof("kind")
    if kind is None or message.is_null:
        return None
    if kind == "timestamp_value":
        return _moment(message.timestamp_value)
    if kind == "sparse_array_value":
        return {item.index: read_value(item.value) for item in message.sparse_array_value.elements}
    if kind == "array_value":
        member = message.array_value.WhichOneof("values")
        if member is None:
            return []
        values = list(getattr(message.array_value, member).values)
        return [_moment(item) for item in values] if member == "timestamp_values" else values
    return getattr(message, kind)


def coerce(message: pb.MxValue, attribute: Attribute, *, element: bool) -> Value:
    """A written value as the attribute's type.

    Args:
        message: what the client sent.
        attribute: what it is written to.
        element: whether it goes to one element of the array.

    Raises:
        CoercionError: the type cannot hold it; the text says why.
    """
    value = read_value(message)
    if value is None:
        raise CoercionError("a null cannot be written")
    if attribute.array_length is None or element:
        if isinstance(value, list | dict):
            raise CoercionError("an array cannot be written to a scalar")
        return _scalar(value, attribute.data_type)
    if isinstance(value, dict):
        length = message.sparse_array_value.total_length
        if length != attribute.array_length:
            raise CoercionError(f"the sparse array has length {length}, the attribute {attribute.array_length}")
        full: list[Any] = [_DEFAULTS[attribute.data_type]] * length
        for index, item in value.items():
            if index >= length:
                raise CoercionError(f"index {index} is outside 0 to {length - 1}")
            full[index] = _scalar(item, attribute.data_type)
        return full
    if not isinstance(value, list):
        raise CoercionError("a scalar cannot be written to a whole array")
    return [_scalar(item, attribute.data_type) for item in value]


_DEFAULTS: dict[DataType, Value] = {
    DataType.BOOLEAN: False,
    DataType.INTEGER: 0,
    DataType.FLOAT: 0.0,
    DataType.DOUBLE: 0.0,
    DataType.STRING: "",
    DataType.TIME: _EPOCH,
    DataType.ELAPSED_TIME: timedelta(0),
    DataType.REFERENCE: "",
    DataType.ENUMERATION: "",
    DataType.CUSTOM: b"",
    DataType.INTERNATIONALIZED_STRING: "",
    DataType.BIG_STRING: "",
}

_TEXTS = {DataType.STRING, DataType.REFERENCE, DataType.INTERNATIONALIZED_STRING, DataType.BIG_STRING}


def _scalar(value: Any, data_type: DataType) -> Value:
    if data_type in _TEXTS:
        return _text(value)
    if data_type is DataType.BOOLEAN:
        if isinstance(value, str | bytes | datetime):
            raise CoercionError(f"{type(value).__name__} is not a Boolean")
        return bool(value)
    if data_type is DataType.ENUMERATION:
        if not isinstance(value, str):
            raise CoercionError(f"{value!r} is not a label of an enumeration")
        return value
    if data_type is DataType.INTEGER:
        return _integer(value)
    if data_type in (DataType.FLOAT, DataType.DOUBLE):
        return _real(value, data_type)
    if data_type is DataType.TIME:
        if not isinstance(value, datetime):
            raise CoercionError(f"{type(value).__name__} is not a Time")
        return value
    if data_type is DataType.ELAPSED_TIME:
        if isinstance(value, bool) or not isinstance(value, int):
            raise CoercionError(f"{type(value).__name__} is not an elapsed time (ticks of 100 ns)")
        return timedelta(microseconds=value // 10)
    if not isinstance(value, bytes):
        raise CoercionError(f"{type(value).__name__} is not a custom structure")
    return value


def _text(value: Any) -> str:
    if isinstance(value, bytes | datetime):
        raise CoercionError(f"{type(value).__name__} is not a String")
    return value if isinstance(value, str) else str(value)


def _integer(value: Any) -> int:
    if isinstance(value, str | bytes | datetime):
        raise CoercionError(f"{type(value).__name__} is not an Integer")
    if isinstance(value, float) and not math.isfinite(value):
        raise CoercionError(f"{value} is not an Integer")
    number: int = round(value)
    if not -(2**31) <= number < 2**31:
        raise CoercionError(f"{number} is out of range for an Integer")
    return number


def _real(value: Any, data_type: DataType) -> float:
    if isinstance(value, str | bytes | datetime):
        raise CoercionError(f"{type(value).__name__} is not a number")
    number = float(value)
    if data_type is DataType.DOUBLE:
        return number
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        raise CoercionError(f"{number} is out of range for a Float") from None


def _moment(stamp: Timestamp) -> datetime:
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)
