"""Events for the frame tests: a builder, a hypothesis strategy, and a slow oracle that reads the generated messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st

from zb_mom_ww_mxgateway.frames import EVENT_SCHEMA
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SESSION = "session-" + "0123456789abcdef" * 2

SCALARS = {
    "bool_value": ("value_bool", "bool"),
    "int32_value": ("value_int", "int32"),
    "int64_value": ("value_int", "int64"),
    "float_value": ("value_float", "float"),
    "double_value": ("value_float", "double"),
    "string_value": ("value_string", "string"),
    "raw_value": ("value_raw", "raw"),
}


def stamp(at: datetime | float | None) -> Timestamp | None:
    """A Timestamp of an instant, or of seconds after START."""
    if at is None:
        return None
    if not isinstance(at, datetime):
        at = START + timedelta(seconds=at)
    since = at - EPOCH
    return Timestamp(seconds=since.days * 86400 + since.seconds, nanos=since.microseconds * 1000)


def value_of(value: Any) -> pb.MxValue | None:
    """An MxValue of a Python value: bool, int (32 bits if it fits), float, str, datetime, or a message as it is."""
    match value:
        case None | pb.MxValue():
            return value
        case bool():
            return pb.MxValue(data_type=pb.MX_DATA_TYPE_BOOLEAN, bool_value=value)
        case int() if -(2**31) <= value < 2**31:
            return pb.MxValue(data_type=pb.MX_DATA_TYPE_INTEGER, int32_value=value)
        case int():
            return pb.MxValue(data_type=pb.MX_DATA_TYPE_INTEGER, int64_value=value)
        case float():
            return pb.MxValue(data_type=pb.MX_DATA_TYPE_DOUBLE, double_value=value)
        case str():
            return pb.MxValue(data_type=pb.MX_DATA_TYPE_STRING, string_value=value)
        case datetime():
            return pb.MxValue(data_type=pb.MX_DATA_TYPE_TIME, timestamp_value=stamp(value))
        case list():
            return pb.MxValue(array_value=pb.MxArray(double_values=pb.DoubleArray(values=value)))
    raise TypeError(type(value))


def event(value: Any = None, at: datetime | float | None = 0, item: int = 1, **fields: Any) -> bytes:
    """A serialized data change, as a gateway sends it."""
    message = pb.MxEvent(
        **{
            "family": pb.MX_EVENT_FAMILY_ON_DATA_CHANGE,
            "session_id": SESSION,
            "server_handle": 1,
            "item_handle": item,
            "quality": 192,
            "value": value_of(value),
            "source_timestamp": stamp(at),
            "gateway_receive_timestamp": stamp(at),
        }
        | fields
    )
    if message.family == pb.MX_EVENT_FAMILY_ON_DATA_CHANGE:
        message.on_data_change.SetInParent()
    return message.SerializeToString()


# --- every shape of event -----------------------------------------------------------------------------------------

_int32 = st.integers(-(2**31), 2**31 - 1)
_int64 = st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from([2**53 + 1, -(2**53) - 1]))
_uint64 = st.integers(0, 2**64 - 1)
_stamps = st.one_of(
    st.builds(Timestamp, seconds=st.integers(-62135596800, 253402300799), nanos=st.integers(0, 999_999_999)),
    st.sampled_from(
        [
            Timestamp(),
            Timestamp(seconds=-62135596800),
            Timestamp(seconds=253402300799, nanos=999_999_999),
            Timestamp(seconds=-1, nanos=999_999_999),
        ]
    ),
    # What protobuf forbids and a broken clock sends.
    st.builds(Timestamp, seconds=_int64, nanos=_int32),
)
_arrays = st.one_of(
    st.builds(pb.MxArray, bool_values=st.builds(pb.BoolArray, values=st.lists(st.booleans(), max_size=3))),
    st.builds(pb.MxArray, int64_values=st.builds(pb.Int64Array, values=st.lists(_int64, max_size=3))),
    st.builds(pb.MxArray, float_values=st.builds(pb.FloatArray, values=st.lists(st.floats(width=32), max_size=3))),
    st.builds(pb.MxArray, string_values=st.builds(pb.StringArray, values=st.lists(st.text(), max_size=3))),
    st.builds(pb.MxArray, timestamp_values=st.builds(pb.TimestampArray, values=st.lists(_stamps, max_size=3))),
    st.builds(pb.MxArray, int32_values=st.builds(pb.Int32Array, values=st.lists(_int32, max_size=3))),
    st.just(pb.MxArray()),
)
_data_types = st.one_of(st.sampled_from(pb.MxDataType.values()), st.sampled_from([-1, 77]))
mx_values = st.one_of(
    st.builds(pb.MxValue, data_type=_data_types, is_null=st.booleans()),
    st.builds(pb.MxValue, data_type=_data_types, bool_value=st.booleans()),
    st.builds(pb.MxValue, data_type=_data_types, int32_value=_int32),
    st.builds(pb.MxValue, data_type=_data_types, int64_value=_int64),
    st.builds(pb.MxValue, data_type=_data_types, float_value=st.floats(width=32)),
    st.builds(pb.MxValue, data_type=_data_types, double_value=st.floats()),
    st.builds(pb.MxValue, data_type=_data_types, string_value=st.text()),
    st.builds(pb.MxValue, data_type=_data_types, timestamp_value=_stamps),
    st.builds(pb.MxValue, data_type=_data_types, array_value=_arrays, is_null=st.booleans()),
    st.builds(pb.MxValue, data_type=_data_types, raw_value=st.binary()),
    st.builds(pb.MxValue, data_type=_data_types, sparse_array_value=st.just(pb.MxSparseArray(total_length=3))),
)
_statuses = st.lists(
    st.builds(
        pb.MxStatusProxy,
        category=st.one_of(st.sampled_from(pb.MxStatusCategory.values()), st.sampled_from([-5, 99])),
        detail=_int32,
        diagnostic_text=st.text(max_size=3),
    ),
    max_size=3,
)
_bodies: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.just({"on_data_change": pb.OnDataChangeEvent()}),
    st.just({"on_write_complete": pb.OnWriteCompleteEvent()}),
    st.builds(
        lambda qualities, times: {
            "on_buffered_data_change": pb.OnBufferedDataChangeEvent(quality_values=qualities, timestamp_values=times)
        },
        _arrays,
        _arrays,
    ),
    st.builds(
        lambda text, at: {
            "on_alarm_transition": pb.OnAlarmTransitionEvent(alarm_full_reference=text, transition_timestamp=at)
        },
        st.text(max_size=5),
        _stamps,
    ),
)


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """A serialized event with any members, known to the contract or not."""
    fields: dict[str, Any] = {
        "family": draw(st.one_of(st.sampled_from(pb.MxEventFamily.values()), st.sampled_from([-3, 42]))),
        "session_id": draw(st.sampled_from(["", SESSION, "session-é"])),
        "server_handle": draw(_int32),
        "item_handle": draw(_int32),
        "quality": draw(st.one_of(st.sampled_from([0, 24, 64, 192, 216, 255]), _int32)),
        "worker_sequence": draw(_uint64),
        "statuses": draw(_statuses),
        "raw_status": draw(st.text(max_size=3)),
    } | draw(_bodies)
    for name, strategy in (
        ("value", mx_values),
        ("source_timestamp", _stamps),
        ("worker_timestamp", _stamps),
        ("gateway_receive_timestamp", _stamps),
        ("hresult", _int32),
        ("replay_gap", st.builds(pb.ReplayGap, requested_after_sequence=_uint64, oldest_available_sequence=_uint64)),
    ):
        if draw(st.booleans()):
            fields[name] = draw(strategy)
    # Field 1000, a length-delimited one that no contract knows.
    unknown = draw(st.sampled_from([b"", b"\xc2\x3e\x03new"]))
    return pb.MxEvent(**fields).SerializeToString() + unknown


# --- the oracle ---------------------------------------------------------------------------------------------------


def instant(at: Timestamp) -> datetime | None:
    micros = at.seconds * 10**6 + int(at.nanos / 1000)
    try:
        return EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None


def _name(enum: Any, number: int, prefix: str) -> str:
    return enum.Name(number).removeprefix(prefix) if number in enum.values() else str(number)


def oracle(message: bytes, tags: dict[tuple[int, int], str]) -> dict[str, Any] | None:
    """The row of an event that is not buffered, read from the generated message; None for a replay-gap sentinel."""
    read = pb.MxEvent.FromString(message)
    if read.HasField("replay_gap") and read.family == 0 and not read.HasField("value"):
        return None
    row: dict[str, Any] = dict.fromkeys(EVENT_SCHEMA.names)
    row |= {
        "time": instant(read.source_timestamp) if read.HasField("source_timestamp") else None,
        "received": instant(read.gateway_receive_timestamp) if read.HasField("gateway_receive_timestamp") else None,
        "tag": tags.get((read.server_handle, read.item_handle)),
        "quality": read.quality,
        "good": read.quality & 192 == 192,
        "sequence": read.worker_sequence,
        "family": _name(pb.MxEventFamily, read.family, "MX_EVENT_FAMILY_"),
        "item_handle": read.item_handle,
        "server_handle": read.server_handle,
        "session_id": read.session_id,
    }
    if read.family in (2, 3, 5, 6) and read.quality == 0 and not read.HasField("value"):
        row |= {"quality": None, "good": None}
    if read.statuses:
        worst = next((each for each in read.statuses if each.category != 2), read.statuses[0])
        row["status_category"] = _name(pb.MxStatusCategory, worst.category, "MX_STATUS_CATEGORY_")
        row["status_detail"] = worst.detail
    if read.HasField("value"):
        row |= _value_columns(read.value)
    return row


def _value_columns(value: pb.MxValue) -> dict[str, Any]:
    kind = value.WhichOneof("kind")
    if value.is_null or kind is None:
        return {"value_type": "null"}
    if kind == "timestamp_value":
        return {"value_type": "time", "value_time": instant(value.timestamp_value)}
    if kind == "array_value":
        return {"value_type": "array", "value_array": value.array_value.SerializeToString()}
    if kind == "sparse_array_value":
        return {"value_type": "sparse", "value_raw": value.sparse_array_value.SerializeToString()}
    column, name = SCALARS[kind]
    if kind == "int64_value" and value.data_type == pb.MX_DATA_TYPE_ELAPSED_TIME:
        name = "elapsed"
    return {"value_type": name, column: getattr(value, kind)}


def texts(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Rows to compare exactly: NaN equals NaN, 0.0 is not -0.0, True is not 1."""
    return [
        {name: each.isoformat() if isinstance(each, datetime) else repr(each) for name, each in row.items()}
        for row in rows
    ]


# --- comparison ---------------------------------------------------------------------------------------------------


def without_nan(table: pa.Table) -> pa.Table:
    """NaN is unequal to itself: put a number in its place and remember where it was."""
    floats = table.column("value_float")
    nan = pc.is_nan(floats)
    place = table.schema.names.index("value_float")
    return table.set_column(place, "value_float", pc.if_else(nan, 0.125, floats)).append_column("nan", nan)


def same(first: pa.Table, second: pa.Table) -> bool:
    """Whether two event tables are equal, NaN for NaN."""
    return bool(without_nan(first).equals(without_nan(second), check_metadata=True))
