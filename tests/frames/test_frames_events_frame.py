"""The long form in pandas: exact types, time zones, odd tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames.frame_messages import START, event, mx_values
from zb_mom_ww_mxgateway.frames import EVENT_SCHEMA, array_values, conform, events_frame, events_table
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.values import from_mx_value

COLUMNS = [
    "time",
    "tag",
    "value",
    "value_type",
    "quality",
    "good",
    "status_category",
    "status_detail",
    "sequence",
    "received",
    "family",
    "item_handle",
    "server_handle",
    "session_id",
    "value_bool",
    "value_int",
    "value_float",
    "value_string",
    "value_time",
    "value_array",
    "value_raw",
]
ELAPSED = pb.MxValue(data_type=pb.MX_DATA_TYPE_ELAPSED_TIME, int64_value=36_000_000_015)
HOUR = timedelta(hours=1, microseconds=1)


def frame_of(*values: Any, **options: Any) -> pd.DataFrame:
    return events_frame(events_table([event(value, at=i) for i, value in enumerate(values)]), **options)


class TestTypes:
    def test_columns_and_types(self) -> None:
        frame = frame_of(1.5)
        assert list(frame.columns) == COLUMNS
        types = {name: str(dtype) for name, dtype in frame.dtypes.items()}
        assert types == {
            "time": "datetime64[us, UTC]",
            "tag": "category",
            "value": "double[pyarrow]",
            "value_type": "category",
            "quality": "int32[pyarrow]",
            "good": "bool[pyarrow]",
            "status_category": "category",
            "status_detail": "int32[pyarrow]",
            "sequence": "uint64[pyarrow]",
            "received": "datetime64[us, UTC]",
            "family": "category",
            "item_handle": "int32[pyarrow]",
            "server_handle": "int32[pyarrow]",
            "session_id": "category",
            "value_bool": "bool[pyarrow]",
            "value_int": "int64[pyarrow]",
            "value_float": "double[pyarrow]",
            "value_string": "string[pyarrow]",
            "value_time": "datetime64[us, UTC]",
            "value_array": "object",
            "value_raw": "binary[pyarrow]",
        }

    def test_nothing_has_the_same_columns_and_types(self) -> None:
        empty, full = frame_of(), frame_of([1.0], 1.5)
        assert empty.empty
        assert empty.dtypes.astype(str).to_dict() == full.dtypes.astype(str).to_dict()

    @pytest.mark.parametrize(
        ("values", "dtype"),
        [
            ([True, None, False], "bool[pyarrow]"),
            ([2**53 + 1, None, 7], "int64[pyarrow]"),
            ([pb.MxValue(float_value=0.5), 0.25], "double[pyarrow]"),
            (["", None, "b"], "string[pyarrow]"),
            ([datetime(1, 1, 1, tzinfo=UTC), START, None], "datetime64[us, UTC]"),
            ([ELAPSED, None], "timedelta64[us]"),
            ([[1.0], None], "object"),
            ([pb.MxValue(raw_value=b"x"), None], "object"),
            ([None, pb.MxValue(is_null=True)], "object"),
            ([1, 1.5], "object"),
        ],
    )
    def test_a_value_column_is_as_exact_as_it_can_be(self, values: list[Any], dtype: str) -> None:
        frame = frame_of(*values)
        assert str(frame["value"].dtype) == dtype
        assert frame["value"].isna().tolist() == [value is None or getattr(value, "is_null", False) for value in values]

    def test_big_integers_are_exact_beside_missing_ones(self) -> None:
        assert frame_of(2**53 + 1, None, -(2**63))["value"].tolist() == [2**53 + 1, pd.NA, -(2**63)]

    def test_elapsed_times_are_ticks_of_100_ns(self) -> None:
        assert frame_of(ELAPSED)["value"].tolist() == [HOUR]
        longest = pb.MxValue(data_type=pb.MX_DATA_TYPE_ELAPSED_TIME, int64_value=2**63 - 1)
        assert frame_of(longest, None, 1)["value"].tolist() == [timedelta(microseconds=(2**63 - 1) // 10), None, 1]

    def test_mixed_values_are_plain_python_objects(self) -> None:
        array = pb.MxArray(dimensions=[2, 1], int32_values=pb.Int32Array(values=[1, 2]))
        frame = frame_of(
            True,
            7,
            2**53 + 1,
            pb.MxValue(float_value=0.5),
            1.5,
            "on",
            START,
            [1.0, 2.0],
            [3.0, 4.0],
            pb.MxValue(array_value=array),
            pb.MxValue(raw_value=b"\x00"),
            ELAPSED,
            None,
            pb.MxValue(),
        )
        values = frame["value"].tolist()
        assert values == [
            True,
            7,
            2**53 + 1,
            0.5,
            1.5,
            "on",
            START,
            [1.0, 2.0],
            [3.0, 4.0],
            [[1], [2]],
            b"\x00",
            HOUR,
            None,
            None,
        ]
        plain = [bool, int, int, float, float, str, datetime, list, list, list, bytes, timedelta, type(None)]
        assert [type(value) for value in values] == [*plain, type(None)]
        assert frame["value_array"].tolist()[7] == [1.0, 2.0]
        assert frame["value_array"].tolist()[0] is None

    def test_not_a_number_is_a_number(self) -> None:
        frame = frame_of(float("nan"))
        assert str(frame["value"].dtype) == "double[pyarrow]"
        assert frame["value_type"].tolist() == ["double"]

    def test_categories_are_sorted_and_used(self) -> None:
        table = events_table(
            [event(1, item=2), event(1.5, item=1, family=99), event("x", item=3)], {(1, 1): "B", (1, 2): "C"}
        )
        frame = events_frame(table.slice(0, 2))
        assert list(frame["tag"].cat.categories) == ["B", "C"]
        assert list(frame["value_type"].cat.categories) == ["double", "int32"]
        assert list(frame["family"].cat.categories) == ["99", "ON_DATA_CHANGE"]
        assert frame.groupby("tag", observed=True)["quality"].count().to_dict() == {"B": 1, "C": 1}
        assert frame.pivot_table(index="time", columns="tag", values="quality", observed=True).shape == (1, 2)


@settings(deadline=None)
@given(st.lists(mx_values, max_size=5))
def test_a_frame_shows_what_the_async_client_gives(values: list[pb.MxValue]) -> None:
    values = [each for each in values if not each.HasField("sparse_array_value")]
    frame = frame_of(*values, "a string", 1)  # two types: an object column
    for value, shown in zip(values, frame["value"], strict=False):
        if value.timestamp_value.nanos not in range(10**9):
            continue  # no instant: protobuf allows no other nanos
        try:
            told = from_mx_value(value)
        except OverflowError:  # an instant that no calendar has
            continue
        assert type(shown) is type(told)
        assert shown == told or repr(shown) == repr(told)


class TestTimeZones:
    def test_all_instants_move(self) -> None:
        frame = frame_of(START, tz="Europe/Berlin")
        for column in ("time", "received", "value", "value_time"):
            assert str(frame[column].dtype) == "datetime64[us, Europe/Berlin]"
            assert frame[column][0] == START

    @pytest.mark.parametrize("tz", [ZoneInfo("Asia/Tokyo"), timezone(timedelta(hours=-3)), UTC])
    def test_zones_as_objects(self, tz: Any) -> None:
        frame = frame_of(START, 1, tz=tz)
        assert frame["time"][0].utcoffset() == START.astimezone(tz).utcoffset()
        assert frame["value"][0].utcoffset() == START.astimezone(tz).utcoffset()

    def test_utc_keeps_the_ends_of_the_calendar(self) -> None:
        first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
        assert frame_of(first, last)["value"].tolist() == [first, last]
        assert frame_of(first, last, 1)["value"].tolist() == [first, last, 1]

    @pytest.mark.parametrize(("tz", "missing"), [("America/New_York", 0), ("Asia/Tokyo", 1)])
    def test_an_instant_without_local_time_is_missing_and_the_frame_can_be_printed(self, tz: str, missing: int) -> None:
        first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
        frame = frame_of(first, last, tz=tz)
        assert frame["value"].isna().tolist() == [missing == 0, missing == 1]
        assert frame_of(first, last, 1, tz=tz)["value"].isna().tolist() == [missing == 0, missing == 1, False]
        assert frame.to_string()

    def test_an_unknown_zone_is_refused(self) -> None:
        with pytest.raises(ZoneInfoNotFoundError):
            frame_of(1, tz="Mars/Olympus")


class TestTablesFromElsewhere:
    def test_plain_and_wide_strings_and_a_choice_of_columns(self) -> None:
        table = events_table([event(1.5), event(2.5, item=2)], {(1, 1): "A"})
        odd = table.select(["tag", "value_type", "value_float", "time", "quality"])
        odd = odd.cast(
            pa.schema(
                [
                    ("tag", pa.string()),
                    ("value_type", pa.large_string()),
                    ("value_float", pa.float64()),
                    ("time", pa.timestamp("ns", "UTC")),
                    ("quality", pa.int64()),
                ]
            )
        ).append_column("plant", pa.array(["P1", "P1"]))
        back = conform(odd)
        assert back.schema.names == [*EVENT_SCHEMA.names, "plant"]
        assert back.select(["time", "tag", "value_float", "quality"]).equals(
            table.select(["time", "tag", "value_float", "quality"])
        )
        frame = events_frame(odd)
        assert list(frame.columns) == [*COLUMNS, "plant"]
        assert frame["value"].tolist() == [1.5, 2.5]
        assert frame["tag"].dropna().tolist() == ["A"]

    def test_a_frame_that_was_saved_comes_back(self, tmp_path: Path) -> None:
        frame = frame_of(1.5, 2.5, tz="Asia/Tokyo").set_index("sequence", drop=False)
        frame.to_parquet(tmp_path / "frame.parquet")
        back = events_frame(pq.read_table(tmp_path / "frame.parquet"), tz="Asia/Tokyo")
        columns = [name for name in COLUMNS if name != "value_array"]
        pd.testing.assert_frame_equal(back[columns], frame[columns].reset_index(drop=True))

    def test_extra_columns_may_be_called_anything(self) -> None:
        table = events_table([event([1.0])]).append_column("array", pa.array([1]))
        assert events_frame(table)["value"].tolist() == [[1.0]]

    def test_a_column_of_another_meaning_is_refused(self) -> None:
        with pytest.raises(pa.ArrowInvalid):
            conform(pa.table({"quality": ["good"]}))

    def test_the_table_is_left_alone(self) -> None:
        table = events_table([event(1.5)])
        events_frame(table)
        assert table.equals(events_table([event(1.5)]))


class TestArrays:
    def test_of_every_type(self) -> None:
        def cell(**fields: Any) -> Any:
            return array_values(pb.MxArray(**fields).SerializeToString())

        assert cell(bool_values={"values": [True]}) == [True]
        assert cell(int64_values={"values": [2**53 + 1]}) == [2**53 + 1]
        assert cell(string_values={"values": ["a", ""]}) == ["a", ""]
        assert cell(timestamp_values={"values": [{"seconds": -62135596800}]}) == [datetime(1, 1, 1, tzinfo=UTC)]
        assert cell(double_values={}) == []
        assert cell() == []

    def test_what_python_cannot_hold_stays_bytes(self) -> None:
        far = pb.MxArray(timestamp_values={"values": [{"seconds": 2**50}]}).SerializeToString()
        assert array_values(far) == far
        assert array_values(b"\xff") == b"\xff"
