"""Python values to `MxValue` and back. One table, both ways.

| Python, to the plant                   | `MxValue`                                            | and back            |
|----------------------------------------|------------------------------------------------------|---------------------|
| None                                   | is_null, NO_DATA                                     | None                |
| bool, numpy bool                       | bool_value, BOOLEAN                                  | bool                |
| int, numpy integer (32 bits)           | int32_value, INTEGER                                 | int                 |
| int beyond 32 bits, or data_type="int64" | int64_value, INTEGER                               | int                 |
| float, numpy floating                  | double_value, DOUBLE                                 | float               |
| float with data_type="float"           | float_value, FLOAT                                   | float               |
| str                                    | string_value, STRING                                 | str                 |
| bytes                                  | raw_value, UNKNOWN                                   | bytes               |
| aware datetime, pandas Timestamp       | timestamp_value, TIME                                | datetime in UTC     |
| timedelta, numpy timedelta64           | int64_value, ELAPSED_TIME, ticks of 100 ns           | timedelta           |
| list, tuple, numpy array of one of them | array_value, with dimensions                         | list (nested)       |
| SparseArray                            | sparse_array_value (write only)                      | never sent back     |

Rules: a naive datetime is refused (whose midnight is it?), NaN and infinities are refused unless allowed, an int
beyond 64 bits is refused, a list holds one type (int and float together become float).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, cast

from google.protobuf.timestamp_pb2 import Timestamp

from .generated import mxaccess_gateway_pb2 as pb

__all__ = ["MxValueInput", "SparseArray", "from_mx_value", "to_datetime", "to_mx_value", "to_timestamp"]

#: What can be written: see the table above.
MxValueInput: TypeAlias = Any

_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SparseArray:
    """Some elements of an array; the gateway RESETS all others to the type's default (CONTRACT "writes").

    Args:
        length: the array's declared length.
        elements: 0-based index to value.
    """

    length: int
    elements: Mapping[int, MxValueInput]

    def __post_init__(self) -> None:
        if not 0 < self.length < 2**32:
            raise ValueError(f"SparseArray length={self.length!r} must be the array's declared length, 1 or more")
        for index in self.elements:
            if not 0 <= index < self.length:
                raise ValueError(f"SparseArray index {index!r} is outside 0 to {self.length - 1} (indices are 0-based)")


def to_mx_value(
    value: MxValueInput, *, data_type: str | int | None = None, allow_nonfinite: bool = False
) -> pb.MxValue:
    """The message for a Python value.

    Args:
        value: see the table of this module.
        data_type: what Python cannot tell: an `MxDataType` or its name ("float", "double", "integer", "time",
            "elapsed_time", "enum", …; also "int32", "int64", "bool").
        allow_nonfinite: let NaN and infinities through.

    Raises:
        TypeError: there is no MXAccess type for this Python type.
        ValueError: the type cannot hold the value.
    """
    if isinstance(value, pb.MxValue):
        return value
    wanted = None if data_type is None else _data_type(data_type)
    value = _plain(value)
    if value is None:
        return pb.MxValue(data_type=wanted or pb.MX_DATA_TYPE_NO_DATA, variant_type="VT_EMPTY", is_null=True)
    if isinstance(value, SparseArray):
        return _sparse(value, wanted, allow_nonfinite)
    if data_type == "int64" and isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        return pb.MxValue(data_type=pb.MX_DATA_TYPE_INTEGER, variant_type="VT_I8", int64_value=value)
    if isinstance(value, list):
        return pb.MxValue(data_type=wanted or _of_list(value), array_value=_array(value, wanted, allow_nonfinite))
    return _scalar(value, wanted, allow_nonfinite)


def from_mx_value(value: pb.MxValue) -> Any:
    """The Python value of a message; None for a null or a value that was not set.

    Times come as aware datetimes in UTC, truncated to microseconds; arrays as (nested) lists.
    """
    kind = value.WhichOneof("kind")
    if value.is_null or kind is None:
        return None
    if kind == "timestamp_value":
        return to_datetime(value.timestamp_value)
    if kind == "array_value":
        return _from_array(value.array_value)
    if kind == "sparse_array_value":
        sparse = value.sparse_array_value
        return SparseArray(sparse.total_length, {item.index: from_mx_value(item.value) for item in sparse.elements})
    if kind == "int64_value" and value.data_type == pb.MX_DATA_TYPE_ELAPSED_TIME:
        return _elapsed_time(value.int64_value)
    return getattr(value, kind)


def to_datetime(timestamp: Timestamp) -> datetime:
    """An aware datetime in UTC, truncated to microseconds; years 1 to 9999."""
    return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)


def _elapsed_time(ticks: int) -> timedelta:
    return timedelta(microseconds=ticks // 10)


def to_timestamp(value: datetime) -> Timestamp:
    """The message of an aware datetime or pandas Timestamp.

    Raises:
        ValueError: it has no time zone.
    """
    if value.tzinfo is None or value.utcoffset() is None:
        raise ValueError(f"datetime {value.isoformat()} has no time zone: add one, for example tzinfo=timezone.utc")
    since = value.astimezone(UTC) - _EPOCH
    # A pandas Timestamp carries nanoseconds beyond the microseconds that a datetime has.
    nanoseconds = getattr(value, "nanosecond", 0)
    return Timestamp(seconds=since.days * 86400 + since.seconds, nanos=since.microseconds * 1000 + nanoseconds)


def _plain(value: Any) -> Any:
    """Numpy scalars and arrays as Python objects, tuples as lists; the rest as it is."""
    kind = type(value).__module__.partition(".")[0]
    if kind == "numpy":
        if value.dtype.kind == "M":
            raise ValueError("numpy.datetime64 has no time zone: convert it to an aware datetime or pandas Timestamp")
        if value.dtype.kind == "m":
            value = value.astype("timedelta64[us]")
        value = value.tolist()
    if isinstance(value, tuple):
        return list(value)
    return value


def _scalar(value: Any, wanted: pb.MxDataType | None, allow_nonfinite: bool) -> pb.MxValue:
    data_type = wanted if wanted is not None else _of_scalar(value)
    build = _BUILDERS.get(data_type)
    if build is None:
        raise ValueError(f"a value of type {_type_name(data_type)} cannot be written from Python")
    if isinstance(value, float) and not allow_nonfinite and not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number: pass allow_nonfinite=True if the plant is to get it")
    return build(value, data_type)


def _of_scalar(value: Any) -> pb.MxDataType:
    for python_type, data_type in _NATURAL:
        if isinstance(value, python_type):
            return data_type
    raise TypeError(f"no MXAccess type for a Python {type(value).__name__}: {value!r}")


def _boolean(value: Any, data_type: pb.MxDataType) -> pb.MxValue:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not a bool: write True or False")
    return pb.MxValue(data_type=pb.MX_DATA_TYPE_BOOLEAN, variant_type="VT_BOOL", bool_value=value)


def _integer(value: Any, data_type: pb.MxDataType) -> pb.MxValue:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is not an int")
    kind = data_type
    if value in _INT32:
        return pb.MxValue(data_type=kind, variant_type="VT_I4", int32_value=value)
    if value in _INT64:
        return pb.MxValue(data_type=kind, variant_type="VT_I8", int64_value=value)
    raise ValueError(f"{value} does not fit into 64 bits")


def _float(value: Any, data_type: pb.MxDataType) -> pb.MxValue:
    number = _number(value)
    if data_type == pb.MX_DATA_TYPE_DOUBLE:
        return pb.MxValue(data_type=pb.MX_DATA_TYPE_DOUBLE, variant_type="VT_R8", double_value=number)
    if math.isfinite(number) and abs(number) > 3.4028235677973366e38:
        raise ValueError(f"{value!r} does not fit into a 32-bit float: use data_type='double'")
    return pb.MxValue(data_type=pb.MX_DATA_TYPE_FLOAT, variant_type="VT_R4", float_value=number)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _string(value: Any, data_type: pb.MxDataType) -> pb.MxValue:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a str")
    return pb.MxValue(data_type=data_type, variant_type="VT_BSTR", string_value=value)


def _raw(value: Any, data_type: pb.MxDataType) -> pb.MxValue:
    if not isinstance(value, bytes | bytearray):
        raise ValueError(f"{value!r} is not bytes")
    return pb.MxValue(data_type=pb.MX_DATA_TYPE_UNKNOWN, raw_value=bytes(value))


def _time(value: Any, data_type: pb.MxDataType) -> pb.MxValue:
    if not isinstance(value, datetime):
        raise ValueError(f"{value!r} is not a datetime")
    return pb.MxValue(data_type=pb.MX_DATA_TYPE_TIME, variant_type="VT_DATE", timestamp_value=to_timestamp(value))


def _elapsed(value: Any, data_type: pb.MxDataType) -> pb.MxValue:
    if not isinstance(value, timedelta):
        raise ValueError(f"{value!r} is not a timedelta")
    ticks = (value.days * 86400 + value.seconds) * 10_000_000 + value.microseconds * 10
    return pb.MxValue(data_type=pb.MX_DATA_TYPE_ELAPSED_TIME, variant_type="VT_I8", int64_value=ticks)


_BUILDERS: dict[pb.MxDataType, Callable[[Any, pb.MxDataType], pb.MxValue]] = {
    pb.MX_DATA_TYPE_UNKNOWN: _raw,
    pb.MX_DATA_TYPE_BOOLEAN: _boolean,
    pb.MX_DATA_TYPE_INTEGER: _integer,
    pb.MX_DATA_TYPE_ENUM: _integer,
    pb.MX_DATA_TYPE_FLOAT: _float,
    pb.MX_DATA_TYPE_DOUBLE: _float,
    pb.MX_DATA_TYPE_STRING: _string,
    pb.MX_DATA_TYPE_INTERNATIONALIZED_STRING: _string,
    pb.MX_DATA_TYPE_BIG_STRING: _string,
    pb.MX_DATA_TYPE_REFERENCE_TYPE: _string,
    pb.MX_DATA_TYPE_TIME: _time,
    pb.MX_DATA_TYPE_ELAPSED_TIME: _elapsed,
}

# In this order: a bool is an int, and both must be told apart.
_NATURAL: tuple[tuple[type | tuple[type, ...], pb.MxDataType], ...] = (
    (bool, pb.MX_DATA_TYPE_BOOLEAN),
    (int, pb.MX_DATA_TYPE_INTEGER),
    (float, pb.MX_DATA_TYPE_DOUBLE),
    (str, pb.MX_DATA_TYPE_STRING),
    ((bytes, bytearray), pb.MX_DATA_TYPE_UNKNOWN),
    (datetime, pb.MX_DATA_TYPE_TIME),
    (timedelta, pb.MX_DATA_TYPE_ELAPSED_TIME),
)

_ALIASES = {"bool": "BOOLEAN", "int32": "INTEGER", "int64": "INTEGER", "int": "INTEGER", "raw": "UNKNOWN"}


def _data_type(given: str | int) -> pb.MxDataType:
    if isinstance(given, str):
        name = _ALIASES.get(given.lower(), given.upper()).removeprefix("MX_DATA_TYPE_")
        try:
            return cast("pb.MxDataType", pb.MxDataType.Value(f"MX_DATA_TYPE_{name}"))
        except ValueError:
            known = ", ".join(name.removeprefix("MX_DATA_TYPE_").lower() for name, _ in pb.MxDataType.items())
            raise ValueError(f"data_type={given!r} is not an MXAccess data type; they are {known}") from None
    return cast("pb.MxDataType", given)


def _type_name(data_type: pb.MxDataType) -> str:
    names = {number: name for name, number in pb.MxDataType.items()}
    return names.get(data_type, f"number {data_type}").removeprefix("MX_DATA_TYPE_").lower()


# ---------------------------------------------------------------------------------------------------------------------
# Arrays

_ARRAY_MEMBERS: dict[str, tuple[str, type]] = {
    "bool_value": ("bool_values", pb.BoolArray),
    "int32_value": ("int32_values", pb.Int32Array),
    "int64_value": ("int64_values", pb.Int64Array),
    "float_value": ("float_values", pb.FloatArray),
    "double_value": ("double_values", pb.DoubleArray),
    "string_value": ("string_values", pb.StringArray),
    "timestamp_value": ("timestamp_values", pb.TimestampArray),
    "raw_value": ("raw_values", pb.RawArray),
}


def _of_list(values: Sequence[Any]) -> pb.MxDataType:
    flat, _ = _flatten(values)
    if not flat:
        raise ValueError("an empty list has no type: give data_type, for example data_type='double'")
    types = {_of_scalar(item) for item in flat}
    if types == {pb.MX_DATA_TYPE_INTEGER, pb.MX_DATA_TYPE_DOUBLE}:
        return pb.MX_DATA_TYPE_DOUBLE
    if len(types) > 1:
        names = ", ".join(sorted(map(_type_name, types)))
        raise ValueError(f"an array holds one type, this list holds {names}: {values!r}")
    return types.pop()


def _flatten(values: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """The elements in row-major order, and the length of each dimension."""
    nested = [_plain(item) for item in values]
    if not any(isinstance(item, list) for item in nested):
        return nested, [len(nested)]
    rows = [_flatten(item) if isinstance(item, list) else ([item], []) for item in nested]
    shapes = {tuple(shape) for _, shape in rows}
    if len(shapes) > 1:
        raise ValueError(f"a nested list must be rectangular: {values!r}")
    return [item for flat, _ in rows for item in flat], [len(nested), *shapes.pop()]


def _array(values: Sequence[Any], wanted: pb.MxDataType | None, allow_nonfinite: bool) -> pb.MxArray:
    flat, dimensions = _flatten(values)
    data_type = wanted if wanted is not None else _of_list(values)
    messages = [_scalar(item, data_type, allow_nonfinite) for item in flat]
    kinds = {message.WhichOneof("kind") for message in messages} or {_EMPTY_KIND.get(data_type)}
    # An integer array is 64 bits wide as soon as one element is.
    kind = "int64_value" if kinds == {"int32_value", "int64_value"} else kinds.pop()
    if kind is None:
        raise ValueError(f"an empty array of type {_type_name(data_type)} cannot be written")
    member, array_type = _ARRAY_MEMBERS[kind]
    elements = [getattr(message, message.WhichOneof("kind") or kind) for message in messages]
    variant = f"VT_ARRAY|{messages[0].variant_type}" if messages else "VT_ARRAY"
    result = pb.MxArray(element_data_type=data_type, variant_type=variant, dimensions=dimensions)
    getattr(result, member).CopyFrom(array_type(values=elements))
    return result


_EMPTY_KIND = {
    pb.MX_DATA_TYPE_BOOLEAN: "bool_value",
    pb.MX_DATA_TYPE_INTEGER: "int32_value",
    pb.MX_DATA_TYPE_ENUM: "int32_value",
    pb.MX_DATA_TYPE_FLOAT: "float_value",
    pb.MX_DATA_TYPE_DOUBLE: "double_value",
    pb.MX_DATA_TYPE_STRING: "string_value",
    pb.MX_DATA_TYPE_TIME: "timestamp_value",
    pb.MX_DATA_TYPE_ELAPSED_TIME: "int64_value",
}


def _from_array(array: pb.MxArray) -> list[Any]:
    member = array.WhichOneof("values")
    if member is None:
        return []
    values = list(getattr(array, member).values)
    if member == "timestamp_values":
        values = [to_datetime(item) for item in values]
    elif array.element_data_type == pb.MX_DATA_TYPE_ELAPSED_TIME and member == "int64_values":
        values = [_elapsed_time(item) for item in values]
    return _shaped(values, list(array.dimensions))


def _shaped(values: list[Any], dimensions: Sequence[int]) -> list[Any]:
    if len(dimensions) < 2 or math.prod(dimensions) != len(values):
        return values
    step = math.prod(dimensions[1:])
    return [_shaped(values[start : start + step], dimensions[1:]) for start in range(0, len(values), step)]


def _sparse(value: SparseArray, wanted: pb.MxDataType | None, allow_nonfinite: bool) -> pb.MxValue:
    items = {index: _plain(item) for index, item in value.elements.items()}
    data_type = wanted if wanted is not None else _of_list(list(items.values()))
    elements = [
        pb.MxSparseElement(index=index, value=_scalar(item, data_type, allow_nonfinite))
        for index, item in sorted(items.items())
    ]
    kind = data_type
    sparse = pb.MxSparseArray(element_data_type=kind, total_length=value.length, elements=elements)
    return pb.MxValue(data_type=kind, sparse_array_value=sparse)
