"""Buffered data changes become one row per sample, or stay the one row that they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from frames.frame_messages import START, event, stamp
from zb_mom_ww_mxgateway.frames import EventTableBuilder, events_table, replay_gaps
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

DECODERS = ["ptars", "upb"]


def doubles(*values: float) -> pb.MxArray:
    return pb.MxArray(double_values=pb.DoubleArray(values=values))


def qualities(*values: int) -> pb.MxArray:
    return pb.MxArray(int32_values=pb.Int32Array(values=values))


def times(*seconds: float) -> pb.MxArray:
    return pb.MxArray(timestamp_values=pb.TimestampArray(values=[stamp(each) for each in seconds]))


Parts = tuple[pb.MxArray | None, pb.MxArray | None, pb.MxArray | None]


def buffered(values: pb.MxArray | None, marks: pb.MxArray | None, stamps: pb.MxArray | None, **fields: Any) -> bytes:
    body = pb.OnBufferedDataChangeEvent(quality_values=marks, timestamp_values=stamps)
    value = None if values is None else pb.MxValue(data_type=pb.MX_DATA_TYPE_DOUBLE, array_value=values)
    family = pb.MX_EVENT_FAMILY_ON_BUFFERED_DATA_CHANGE
    return event(value, at=99, family=family, on_buffered_data_change=body, **fields)


@pytest.mark.parametrize("decoder", DECODERS)
class TestExpansion:
    def test_each_sample_has_its_value_quality_and_time(self, decoder: str) -> None:
        message = buffered(doubles(1.5, 2.5, 3.5), qualities(192, 24, 216), times(0, 1, 2.5), worker_sequence=7)
        table = events_table([event(9, worker_sequence=6), message, event(True)], {(1, 1): "A"}, decoder=decoder)
        assert table.num_rows == 5
        rows = table.to_pylist()[1:4]
        assert [row["value_float"] for row in rows] == [1.5, 2.5, 3.5]
        assert [row["quality"] for row in rows] == [192, 24, 216]
        assert [row["good"] for row in rows] == [True, False, True]
        assert [row["time"] for row in rows] == [START + timedelta(seconds=each) for each in (0, 1, 2.5)]
        assert {row["value_type"] for row in rows} == {"double"}
        assert {row["value_array"] for row in rows} == {None}
        assert {row["sequence"] for row in rows} == {7}
        assert {row["tag"] for row in rows} == {"A"}
        assert {row["family"] for row in rows} == {"ON_BUFFERED_DATA_CHANGE"}
        assert {row["received"] for row in rows} == {START + timedelta(seconds=99)}

    @pytest.mark.parametrize(
        ("array", "value_type", "column", "expected"),
        [
            ({"bool_values": {"values": [True, False]}}, "bool", "value_bool", [True, False]),
            ({"int32_values": {"values": [-1, 0]}}, "int32", "value_int", [-1, 0]),
            ({"int64_values": {"values": [2**53 + 1, 0]}}, "int64", "value_int", [2**53 + 1, 0]),
            ({"float_values": {"values": [0.5, 0]}}, "float", "value_float", [0.5, 0.0]),
            ({"string_values": {"values": ["", "b"]}}, "string", "value_string", ["", "b"]),
            ({"raw_values": {"values": [b"", b"b"]}}, "raw", "value_raw", [b"", b"b"]),
            (
                {"timestamp_values": {"values": [stamp(0), stamp(1)]}},
                "time",
                "value_time",
                [START, START + timedelta(seconds=1)],
            ),
        ],
    )
    def test_of_every_element_type(
        self, decoder: str, array: dict[str, Any], value_type: str, column: str, expected: list[Any]
    ) -> None:
        message = buffered(pb.MxArray(**array), qualities(192, 192), times(0, 1))
        table = events_table([message], decoder=decoder)
        assert table.column("value_type").to_pylist() == [value_type] * 2
        assert table.column(column).to_pylist() == expected

    def test_several_in_one_batch(self, decoder: str) -> None:
        messages = [
            buffered(doubles(1.0), qualities(192), times(0)),
            buffered(doubles(2.0, 3.0), qualities(192), times(1, 2)),
            buffered(pb.MxArray(string_values={"values": ["a", "b"]}), qualities(192, 64), times(3, 4)),
        ]
        builder = EventTableBuilder(decoder=decoder)
        builder.add(messages)
        assert builder.rows == 4
        assert builder.table().column("value_type").to_pylist() == ["double", "array", "string", "string"]
        assert builder.table().column("value_string").to_pylist() == [None, None, "a", "b"]

    @pytest.mark.parametrize(
        "parts",
        [
            (doubles(1, 2), qualities(192), times(0, 1)),
            (doubles(1, 2), qualities(192, 192), times(0)),
            (doubles(1, 2), None, None),
            (doubles(1, 2), doubles(192, 192), times(0, 1)),
            (doubles(1, 2), qualities(192, 192), qualities(0, 1)),
            (doubles(), qualities(), times()),
            (pb.MxArray(), qualities(192), times(0)),
            (None, qualities(192), times(0)),
            (doubles(1), pb.MxArray(int64_values={"values": [2**40]}), times(0)),
        ],
    )
    def test_arrays_that_do_not_match_stay_one_row(self, decoder: str, parts: Parts) -> None:
        rows = events_table([buffered(*parts, quality=64)], decoder=decoder).to_pylist()
        assert len(rows) == 1
        assert rows[0]["time"] == START + timedelta(seconds=99)
        assert rows[0]["quality"] == 64
        assert rows[0]["value_array"] == (None if parts[0] is None else parts[0].SerializeToString())

    @pytest.mark.parametrize("damaged", ["body", "values"])
    def test_a_body_that_cannot_be_read_stays_one_row(self, decoder: str, damaged: str) -> None:
        whole = pb.OnBufferedDataChangeEvent(quality_values=qualities(192), timestamp_values=times(0))
        body = b"\x12\x7f" if damaged == "body" else whole.SerializeToString()
        array = doubles(1).SerializeToString() if damaged == "body" else b"\xff"
        # Members 23 of MxEvent and 17 of MxValue by their numbers on the wire: no generated message writes bad bytes.
        value = b"\x8a\x01" + bytes([len(array)]) + array
        message = event(family=4) + b"\x2a" + bytes([len(value)]) + value + b"\xba\x01" + bytes([len(body)]) + body
        table = events_table([message], decoder=decoder)
        assert table.column("value_array").to_pylist() == [array]
        assert replay_gaps(table) == []
