"""The wide form: one column per tag, each with its own type."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from frames.frame_messages import START, event
from zb_mom_ww_mxgateway.frames import events_frame, events_table, wide_frame
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

TAGS = {(1, 1): "Pump.Speed", (1, 2): "Pump.Run", (1, 3): "Pump.Count", (1, 4): "Pump.Mode", (1, 5): "Area.Time"}
MIXED = [
    event(10.5, 0, 1),
    event(True, 0, 2),
    event(2**53 + 1, 1, 3),
    event("Auto", 2, 4),
    event(START, 2, 5),
    event(11.5, 3, 1),
    event(False, 3, 2),
]


def at(*seconds: float) -> list[pd.Timestamp]:
    return [pd.Timestamp(START + timedelta(seconds=each)) for each in seconds]


class TestWide:
    def test_each_tag_keeps_its_type(self) -> None:
        wide = wide_frame(events_table(MIXED, TAGS))
        assert list(wide.columns) == ["Area.Time", "Pump.Count", "Pump.Mode", "Pump.Run", "Pump.Speed"]
        assert wide.columns.name == "tag"
        assert [str(dtype) for dtype in wide.dtypes] == [
            "datetime64[us, UTC]",
            "int64[pyarrow]",
            "string[pyarrow]",
            "bool[pyarrow]",
            "double[pyarrow]",
        ]
        assert isinstance(wide.index, pd.DatetimeIndex)
        assert wide.index.name == "time"
        assert list(wide.index) == at(0, 1, 2, 3)
        assert wide["Pump.Count"].tolist() == [pd.NA, 2**53 + 1, pd.NA, pd.NA]
        assert wide["Pump.Run"].tolist() == [True, pd.NA, pd.NA, False]
        assert wide["Pump.Speed"].ffill().tolist() == [10.5, 10.5, 10.5, 11.5]

    def test_a_frame_gives_what_its_table_gives(self) -> None:
        table = events_table(MIXED, TAGS)
        pd.testing.assert_frame_equal(wide_frame(events_frame(table)), wide_frame(table))

    def test_resampling_works(self) -> None:
        wide = wide_frame(events_table([event(float(i), i, 1) for i in range(4)], TAGS))
        assert wide.resample("2s").last()["Pump.Speed"].tolist() == [1.0, 3.0]

    def test_the_last_of_equal_times_counts_and_times_are_sorted(self) -> None:
        messages = [event(3.0, 5, 1), event(1.0, 0, 1), event(4.0, 5, 1), event(2.0, 0, 1), event(9, 5, 3)]
        wide = wide_frame(events_table(messages, TAGS))
        assert list(wide.index) == at(0, 5)
        assert wide["Pump.Speed"].tolist() == [2.0, 4.0]
        assert wide["Pump.Count"].tolist() == [pd.NA, 9]

    def test_a_lost_value_is_seen(self) -> None:
        wide = wide_frame(events_table([event(1, 0, 3), event(None, 1, 3, quality=0)], TAGS))
        assert wide["Pump.Count"].tolist() == [1, pd.NA]
        assert str(wide["Pump.Count"].dtype) == "int64[pyarrow]"

    def test_what_has_no_place_is_left_out(self) -> None:
        done = event(None, 1, 1, family=pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE, quality=0)
        messages = [event(1.0, None, 1), event(1.0, 0, 99), done, event(2.0, 2, 1)]
        wide = wide_frame(events_table(messages, TAGS))
        assert list(wide.index) == at(2)
        assert list(wide.columns) == ["Pump.Speed"]

    def test_a_tag_that_changed_its_type_and_arrays_are_objects(self) -> None:
        wide = wide_frame(events_table([event(1, 0, 1), event("a", 1, 1), event([1.0, 2.0], 0, 2)], TAGS))
        assert wide["Pump.Speed"].tolist() == [1, "a"]
        assert wide["Pump.Run"].tolist() == [[1.0, 2.0], None]

    def test_elapsed_times(self) -> None:
        elapsed = pb.MxValue(data_type=pb.MX_DATA_TYPE_ELAPSED_TIME, int64_value=2**63 - 1)
        wide = wide_frame(events_table([event(elapsed, 0, 1), event(1, 1, 2)], TAGS))
        assert str(wide["Pump.Speed"].dtype) == "timedelta64[us]"
        assert wide["Pump.Speed"].tolist() == [timedelta(microseconds=(2**63 - 1) // 10), pd.NaT]

    def test_other_columns_can_be_spread(self) -> None:
        table = events_table([event(1.0, 0, 1), event(2.0, 1, 1, quality=24)], TAGS)
        assert wide_frame(table, value="good")["Pump.Speed"].tolist() == [True, False]
        assert wide_frame(table, value="quality")["Pump.Speed"].tolist() == [192, 24]
        assert wide_frame(table, value="family")["Pump.Speed"].tolist() == ["ON_DATA_CHANGE"] * 2
        with pytest.raises(KeyError, match="no column 'speed' in the events; there are: time, tag, value"):
            wide_frame(table, value="speed")

    def test_time_zones(self) -> None:
        table = events_table(MIXED, TAGS)
        wide = wide_frame(table, tz="Asia/Tokyo")
        assert str(wide.index.dtype) == "datetime64[us, Asia/Tokyo]"
        assert str(wide["Area.Time"].dtype) == "datetime64[us, Asia/Tokyo]"
        local = events_frame(table, tz="Asia/Tokyo")
        pd.testing.assert_frame_equal(wide_frame(local), wide)
        pd.testing.assert_frame_equal(wide_frame(local, tz="UTC"), wide_frame(table))
        assert str(local["time"].dtype) == "datetime64[us, Asia/Tokyo]"

    def test_nothing(self) -> None:
        for empty in (wide_frame(events_table([])), wide_frame(events_frame(events_table([])), tz="Asia/Tokyo")):
            assert empty.shape == (0, 0)
            assert isinstance(empty.index, pd.DatetimeIndex)
            assert (empty.index.name, empty.columns.name) == ("time", "tag")

    def test_a_frame_that_was_worked_on(self) -> None:
        frame = events_frame(events_table(MIXED, TAGS))
        speeds = frame[frame["tag"] == "Pump.Speed"].assign(value=lambda own: own["value"].astype(float) * 2)
        assert wide_frame(speeds[["time", "tag", "value", "family", "value_type"]])["Pump.Speed"].tolist() == [21, 23]
        named = frame.assign(tag=frame["tag"].astype(object), value=frame["value"])
        pd.testing.assert_frame_equal(wide_frame(named), wide_frame(frame), check_column_type=False)


@pytest.mark.parametrize("kind", ["mixed", "one"])
def test_wide_against_a_plain_loop(kind: str) -> None:
    random = np.random.default_rng(7)
    values: list[Any] = [True, 7, 1.5, "a", None] if kind == "mixed" else [1.5, 2.5, None]
    messages = [
        event(values[random.integers(len(values))], int(random.integers(20)), int(random.integers(1, 6)))
        for _ in range(300)
    ]
    frame = events_frame(events_table(messages, TAGS))
    expected: dict[str, dict[Any, Any]] = {}
    for time, tag, value in zip(frame["time"], frame["tag"], frame["value"], strict=True):
        expected.setdefault(tag, {})[time] = value
    wide = wide_frame(frame)
    for tag, cells in expected.items():
        for time in wide.index:
            cell, other = wide.at[time, tag], cells.get(time)
            assert (pd.isna(cell) and pd.isna(other)) or (cell == other and isinstance(cell, type(other)))
