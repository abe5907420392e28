"""The table of `values`, both ways."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from zb_mom_ww_mxgateway import SparseArray, from_mx_value, to_mx_value
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

moments = st.datetimes(
    min_value=datetime(1, 1, 3),
    max_value=datetime(9999, 12, 29),
    timezones=st.just(UTC),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
    moments,
    st.timedeltas(min_value=timedelta(days=-10_000), max_value=timedelta(days=10_000)),
)


@given(scalars)
def test_a_scalar_comes_back_as_it_was(value: Any) -> None:
    wire = to_mx_value(value).SerializeToString()
    back = from_mx_value(pb.MxValue.FromString(wire))
    assert back == value
    assert type(back) is type(value)


@given(
    st.one_of(
        st.lists(st.booleans(), min_size=1),
        st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1),
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1),
        st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1),
        st.lists(moments, min_size=1),
        st.lists(st.timedeltas(max_value=timedelta(days=9), min_value=timedelta(0)), min_size=1),
    )
)
def test_an_array_comes_back_as_it_was(values: list[Any]) -> None:
    message = to_mx_value(values)
    assert list(message.array_value.dimensions) == [len(values)]
    assert from_mx_value(message) == values
    assert from_mx_value(to_mx_value(tuple(values))) == values


KINDS = [
    (True, "bool_value", "BOOLEAN"),
    (1, "int32_value", "INTEGER"),
    (-(2**31), "int32_value", "INTEGER"),
    (2**31, "int64_value", "INTEGER"),
    (1.5, "double_value", "DOUBLE"),
    ("x", "string_value", "STRING"),
    (b"x", "raw_value", "UNKNOWN"),
    (datetime(2026, 1, 1, tzinfo=UTC), "timestamp_value", "TIME"),
    (timedelta(seconds=1), "int64_value", "ELAPSED_TIME"),
    ([1, 2], "array_value", "INTEGER"),
    (SparseArray(5, {0: 1}), "sparse_array_value", "INTEGER"),
    (np.bool_(True), "bool_value", "BOOLEAN"),
    (np.int64(5), "int32_value", "INTEGER"),
    (np.uint8(5), "int32_value", "INTEGER"),
    (np.float32(0.5), "double_value", "DOUBLE"),
    (np.timedelta64(5, "s"), "int64_value", "ELAPSED_TIME"),
    (np.array([1.0, 2.0]), "array_value", "DOUBLE"),
    (np.array(["a", "b"]), "array_value", "STRING"),
]


@pytest.mark.parametrize(("value", "kind", "data_type"), KINDS, ids=lambda value: repr(value))
def test_a_python_type_has_its_member_and_data_type(value: Any, kind: str, data_type: str) -> None:
    message = to_mx_value(value)
    assert message.WhichOneof("kind") == kind
    assert message.data_type == pb.MxDataType.Value(f"MX_DATA_TYPE_{data_type}")


TYPED = [
    (1.5, "float", "float_value", "FLOAT"),
    (3, "double", "double_value", "DOUBLE"),
    (3, "float", "float_value", "FLOAT"),
    (3, "enum", "int32_value", "ENUM"),
    (3, "int64", "int64_value", "INTEGER"),
    ("x", "big_string", "string_value", "BIG_STRING"),
    ([], "double", "array_value", "DOUBLE"),
    ([1, 2], "float", "array_value", "FLOAT"),
]


@pytest.mark.parametrize(("value", "data_type", "kind", "expected"), TYPED)
def test_an_explicit_type_says_what_python_cannot(value: Any, data_type: str, kind: str, expected: str) -> None:
    message = to_mx_value(value, data_type=data_type)
    assert message.WhichOneof("kind") == kind
    assert message.data_type == pb.MxDataType.Value(f"MX_DATA_TYPE_{expected}")


REFUSED = [
    (datetime(2026, 1, 1), {}, "no time zone"),
    (np.datetime64("2026-01-01"), {}, "no time zone"),
    (pd.Timestamp("2026-01-01"), {}, "no time zone"),
    (math.nan, {}, "finite"),
    (math.inf, {}, "finite"),
    ([1.0, -math.inf], {}, "finite"),
    (2**63, {}, "64 bits"),
    (1e300, {"data_type": "float"}, "32-bit float"),
    ("x", {"data_type": "double"}, "not a number"),
    (True, {"data_type": "integer"}, "not an int"),
    (1, {"data_type": "bool"}, "not a bool"),
    (1, {"data_type": "string"}, "not a str"),
    (1, {"data_type": "time"}, "not a datetime"),
    (1, {"data_type": "elapsed_time"}, "not a timedelta"),
    (1, {"data_type": "wobble"}, "not an MXAccess data type"),
    (1, {"data_type": "status_type"}, "cannot be written"),
    ([], {}, "empty list"),
    ([1, "x"], {}, "holds one type"),
    ([[1, 2], [3]], {}, "rectangular"),
]


@pytest.mark.parametrize(("value", "options", "words"), REFUSED, ids=lambda value: repr(value))
def test_what_the_type_cannot_hold_is_refused(value: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        to_mx_value(value, **options)


def test_an_unknown_python_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="object"):
        to_mx_value(object())


def test_sparse_arrays_know_their_bounds() -> None:
    message = to_mx_value(SparseArray(10, {9: 2.5, 0: 1.5}))
    assert [(item.index, item.value.double_value) for item in message.sparse_array_value.elements] == [
        (0, 1.5),
        (9, 2.5),
    ]
    assert message.sparse_array_value.total_length == 10
    assert from_mx_value(message) == SparseArray(10, {0: 1.5, 9: 2.5})
    with pytest.raises(ValueError, match="outside 0 to 9"):
        SparseArray(10, {10: 1})
    with pytest.raises(ValueError, match="length"):
        SparseArray(0, {})


def test_nested_lists_keep_their_shape() -> None:
    value = [[1, 2, 3], [4, 5, 6]]
    message = to_mx_value(value)
    assert list(message.array_value.dimensions) == [2, 3]
    assert from_mx_value(message) == value
    assert from_mx_value(to_mx_value(np.array(value))) == value


def test_times_keep_their_moment_and_nanoseconds_travel() -> None:
    elsewhere = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert from_mx_value(to_mx_value(elsewhere)) == elsewhere
    stamp = pd.Timestamp("2026-01-01T00:00:00.123456789", tz="UTC")
    assert to_mx_value(stamp).timestamp_value == Timestamp(seconds=1767225600, nanos=123456789)
    for seconds, year in ((-62135596800, 1), (253402300799, 9999)):
        value = pb.MxValue(timestamp_value=Timestamp(seconds=seconds))
        assert from_mx_value(value).year == year


def test_nothing_set_and_null_are_none() -> None:
    assert from_mx_value(pb.MxValue()) is None
    assert from_mx_value(pb.MxValue(is_null=True, int32_value=0)) is None
    assert from_mx_value(pb.MxValue(int32_value=0)) == 0


def test_nonfinite_numbers_pass_when_asked_for() -> None:
    assert math.isnan(to_mx_value(math.nan, allow_nonfinite=True).double_value)


def test_a_message_passes_through() -> None:
    message = pb.MxValue(int32_value=4)
    assert to_mx_value(message) is message
