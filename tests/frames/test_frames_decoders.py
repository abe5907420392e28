"""The two decoders give one result, and it is what the generated messages say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames.frame_messages import SESSION, event, events, oracle, same, texts
from zb_mom_ww_mxgateway.frames import EVENT_SCHEMA, EventDecodeError, events_table
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

DECODERS = ["ptars", "upb"]
TAGS = {(1, 1): "Pump001.Speed", (1, 2): "Pump001.Run", (-1, -1): "Odd.Tag", (2, 1): "Pump001.Speed"}


@settings(deadline=None, max_examples=300)
@given(st.lists(events(), max_size=6))
def test_decoders_agree_on_any_events(messages: list[bytes]) -> None:
    fast, plain = (events_table(messages, TAGS, decoder=name) for name in DECODERS)
    assert fast.schema.equals(EVENT_SCHEMA)
    assert same(fast, plain)


@settings(deadline=None, max_examples=300)
@given(st.lists(events(), max_size=6))
def test_a_row_is_what_the_generated_message_says(messages: list[bytes]) -> None:
    messages = [each for each in messages if not pb.MxEvent.FromString(each).HasField("on_buffered_data_change")]
    expected = [row for row in (oracle(each, TAGS) for each in messages) if row is not None]
    assert texts(events_table(messages, TAGS).to_pylist()) == texts(expected)


@pytest.mark.parametrize("decoder", DECODERS)
class TestWithBoth:
    @pytest.mark.parametrize(
        ("value", "value_type", "column"),
        [
            (pb.MxValue(bool_value=False), "bool", "value_bool"),
            (pb.MxValue(int32_value=0), "int32", "value_int"),
            (pb.MxValue(int32_value=-(2**31)), "int32", "value_int"),
            (pb.MxValue(int64_value=2**53 + 1), "int64", "value_int"),
            (pb.MxValue(int64_value=-(2**63)), "int64", "value_int"),
            (pb.MxValue(float_value=0.0), "float", "value_float"),
            (pb.MxValue(double_value=0.1), "double", "value_float"),
            (pb.MxValue(double_value=math.inf), "double", "value_float"),
            (pb.MxValue(string_value=""), "string", "value_string"),
            (pb.MxValue(string_value="Läuft ✓"), "string", "value_string"),
            (pb.MxValue(raw_value=b""), "raw", "value_raw"),
            (pb.MxValue(data_type=pb.MX_DATA_TYPE_ELAPSED_TIME, int64_value=15), "elapsed", "value_int"),
        ],
    )
    def test_each_kind_has_its_column(self, decoder: str, value: pb.MxValue, value_type: str, column: str) -> None:
        row = events_table([event(value)], decoder=decoder).to_pylist()[0]
        assert row["value_type"] == value_type
        set_columns = {name for name in row if name.startswith("value_") and row[name] is not None}
        assert set_columns == {"value_type", column}
        assert row[column] == getattr(value, str(value.WhichOneof("kind")))

    def test_single_precision_is_widened_as_it_is(self, decoder: str) -> None:
        table = events_table([event(pb.MxValue(float_value=0.1))], decoder=decoder)
        assert table.column("value_float").to_pylist() == [0.10000000149011612]

    def test_an_array_keeps_its_message(self, decoder: str) -> None:
        array = pb.MxArray(dimensions=[2], double_values=pb.DoubleArray(values=[1.5, -2.0]))
        row = events_table([event(pb.MxValue(array_value=array))], decoder=decoder).to_pylist()[0]
        assert row["value_type"] == "array"
        assert pb.MxArray.FromString(row["value_array"]) == array

    def test_no_value_an_empty_value_and_a_null_value(self, decoder: str) -> None:
        messages = [event(), event(pb.MxValue()), event(pb.MxValue(is_null=True, double_value=3.0))]
        table = events_table(messages, decoder=decoder)
        assert table.column("value_type").to_pylist() == [None, "null", "null"]
        assert table.column("value_float").null_count == 3

    def test_instants_keep_their_microseconds_from_year_1_to_9999(self, decoder: str) -> None:
        seconds = [-62135596800, 253402300799, -1, 0]
        nanos = [0, 999_999_999, 999_999_999, 1_999]
        messages = []
        for second, nano in zip(seconds, nanos, strict=True):
            message = pb.MxEvent.FromString(event(pb.MxValue(timestamp_value={"seconds": second, "nanos": nano})))
            message.source_timestamp.seconds, message.source_timestamp.nanos = second, nano
            messages.append(message.SerializeToString())
        table = events_table(messages, decoder=decoder)
        expected = [-62135596800000000, 253402300799999999, -1, 1]
        for column in ("time", "value_time"):
            assert table.column(column).cast("int64").to_pylist() == expected

    @pytest.mark.parametrize("seconds", [-62135596801, 253402300800, 2**63 - 1, -(2**63)])
    def test_an_instant_that_no_calendar_has_is_null(self, decoder: str, seconds: int) -> None:
        message = pb.MxEvent.FromString(event(1.0))
        message.source_timestamp.seconds = seconds
        message.value.timestamp_value.seconds = seconds
        good = event(2.0)
        table = events_table([good, message.SerializeToString()], decoder=decoder)
        assert [each is None for each in table.column("time").to_pylist()] == [False, True]
        assert table.column("value_type").to_pylist() == ["double", "time"]
        assert table.column("value_time").null_count == 2

    def test_unset_timestamps_are_null(self, decoder: str) -> None:
        row = events_table([event(1, at=None)], decoder=decoder).to_pylist()[0]
        assert row["time"] is None
        assert row["received"] is None

    @pytest.mark.parametrize(
        ("quality", "good"), [(0, False), (24, False), (64, False), (192, True), (216, True), (300, False), (-1, True)]
    )
    def test_quality_is_shown_as_it_is(self, decoder: str, quality: int, good: bool) -> None:
        row = events_table([event(1, quality=quality)], decoder=decoder).to_pylist()[0]
        assert (row["quality"], row["good"]) == (quality, good)

    def test_an_event_without_a_quality_is_not_bad(self, decoder: str) -> None:
        done = event(family=pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE, quality=0, on_write_complete={})
        lost = event(quality=0)
        table = events_table([done, lost], decoder=decoder)
        assert table.column("family").to_pylist() == ["ON_WRITE_COMPLETE", "ON_DATA_CHANGE"]
        assert table.column("quality").to_pylist() == [None, 0]
        assert table.column("good").to_pylist() == [None, False]

    def test_the_first_status_that_is_not_ok_counts(self, decoder: str) -> None:
        ok = pb.MxStatusProxy(success=-1, category=pb.MX_STATUS_CATEGORY_OK, detail=1)
        lost = pb.MxStatusProxy(category=pb.MX_STATUS_CATEGORY_COMMUNICATION_ERROR, detail=2)
        wrong = pb.MxStatusProxy(category=pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR, detail=3)
        strange = pb.MxStatusProxy(category=99, detail=4)
        lists = [[], [ok], [ok, lost, wrong], [wrong, lost], [strange]]
        table = events_table([event(1, statuses=each) for each in lists], decoder=decoder)
        assert table.column("status_category").to_pylist() == [
            None,
            "OK",
            "COMMUNICATION_ERROR",
            "CONFIGURATION_ERROR",
            "99",
        ]
        assert table.column("status_detail").to_pylist() == [None, 1, 2, 3, 4]

    def test_numbers_that_the_contract_does_not_know_are_kept(self, decoder: str) -> None:
        unknown_field = b"\xc2\x3e\x03new"
        row = events_table([event(5, family=42, worker_sequence=2**64 - 1) + unknown_field], decoder=decoder)
        assert row.column("family").to_pylist() == ["42"]
        assert row.column("sequence").to_pylist() == [2**64 - 1]
        assert row.column("value_int").to_pylist() == [5]

    def test_an_alarm_body_that_this_contract_cannot_read_does_not_lose_the_event(self, decoder: str) -> None:
        # Member 24 is OnAlarmTransitionEvent; its field 1 is a string here, and no UTF-8.
        message = event(1.5, item=2) + bytes.fromhex("c201") + b"\x04\x0a\x02\xff\xfe"
        with pytest.raises(Exception, match="parsing"):
            pb.MxEvent.FromString(message)
        assert events_table([message], TAGS, decoder=decoder).column("tag").to_pylist() == ["Pump001.Run"]

    def test_tags_by_both_handles(self, decoder: str) -> None:
        handles = [(1, 1), (1, 2), (2, 1), (-1, -1), (1, 3), (3, 1)]
        messages = [event(1, item=item, server_handle=server) for server, item in handles]
        column = events_table(messages, TAGS, decoder=decoder).column("tag")
        assert column.to_pylist() == ["Pump001.Speed", "Pump001.Run", "Pump001.Speed", "Odd.Tag", None, None]
        assert column.chunk(0).dictionary.to_pylist() == ["Pump001.Speed", "Pump001.Run", "Odd.Tag"]

    def test_nothing_gives_the_full_schema(self, decoder: str) -> None:
        table = events_table([], decoder=decoder)
        assert table.schema.equals(EVENT_SCHEMA)
        assert table.num_rows == 0

    def test_session_and_handles(self, decoder: str) -> None:
        row = events_table([event(1, item=7)], decoder=decoder).to_pylist()[0]
        assert (row["session_id"], row["server_handle"], row["item_handle"]) == (SESSION, 1, 7)

    @pytest.mark.parametrize("index", [0, 1, 8191, 8192, 8200])
    @pytest.mark.parametrize("damage", ["cut", "no protobuf", "no text", "absurd length"])
    def test_a_corrupt_message_is_named(self, decoder: str, index: int, damage: str) -> None:
        messages = [event(1.5)] * 8300
        corrupt = {
            "cut": messages[0][:-1],
            "no protobuf": b"\x00\x00",
            "no text": b"\x12\x02\xff\xfe",
            # ptars 0.0.25 panics here: the length of member 5 is 2**64 - 3.
            "absurd length": b"\x2a\xfd" + b"\xff" * 8 + b"\x01" + bytes(20),
        }[damage]
        messages[index] = corrupt
        messages[8250] = corrupt
        with pytest.raises(ValueError, match=rf"^message {index} of the list \({len(corrupt)} bytes\)") as caught:
            events_table(messages, decoder=decoder)
        assert isinstance(caught.value, EventDecodeError)
        assert (caught.value.index, caught.value.length) == (index, len(corrupt))
