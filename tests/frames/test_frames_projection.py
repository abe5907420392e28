"""Projections follow the contract's names, whatever its numbers and whatever it lacks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.descriptor import Descriptor

from frames.frame_messages import SESSION, event
from zb_mom_ww_mxgateway.frames import EVENT_SCHEMA
from zb_mom_ww_mxgateway.frames.decode_ptars import PtarsDecoder
from zb_mom_ww_mxgateway.frames.decode_upb import UpbDecoder
from zb_mom_ww_mxgateway.frames.projection import BYTES, FIELD, Projection
from zb_mom_ww_mxgateway.frames.rows import event_rows
from zb_mom_ww_mxgateway.frames.wire import EVENT_SHAPE, WIRE_SCHEMA, event_projection
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

EVENT = pb.MxEvent.DESCRIPTOR


def changed(change: Callable[[dict[str, descriptor_pb2.DescriptorProto]], None]) -> Descriptor:
    """MxEvent of another contract: this one after `change` worked on its messages by name."""
    file = descriptor_pb2.FileDescriptorProto()
    pb.DESCRIPTOR.CopyToProto(file)
    del file.service[:]
    change({message.name: message for message in file.message_type})
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    for dependency in pb.DESCRIPTOR.dependencies:
        if dependency.name != timestamp_pb2.DESCRIPTOR.name:
            pool.AddSerializedFile(dependency.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindMessageTypeByName(EVENT.full_name)


def drop(message: descriptor_pb2.DescriptorProto, *names: str) -> None:
    """Take fields out of a message, and the one-member oneofs of optional ones with them."""
    kept = [field for field in message.field if field.name not in names]
    gone = [field.oneof_index for field in message.field if field.name in names and field.proto3_optional]
    for index in sorted(gone, reverse=True):
        del message.oneof_decl[index]
    for field in kept:
        if field.HasField("oneof_index"):
            field.oneof_index -= sum(index < field.oneof_index for index in gone)
    del message.field[:]
    message.field.extend(kept)


class TestShape:
    def test_it_has_the_wanted_fields_under_their_own_numbers(self) -> None:
        slim = event_projection().descriptor
        assert set(slim.fields_by_name) == set(EVENT_SHAPE)
        for name, field in slim.fields_by_name.items():
            assert field.number == EVENT.fields_by_name[name].number

    def test_enums_are_numbers_and_messages_may_be_bytes(self) -> None:
        value = event_projection().descriptor.fields_by_name["value"].message_type.fields_by_name
        assert value["data_type"].type == value["data_type"].TYPE_INT32
        assert value["array_value"].type == value["array_value"].TYPE_BYTES
        assert value["array_value"].containing_oneof.name == "kind"

    def test_bytes_know_whether_the_message_was_there(self) -> None:
        slim = Projection(EVENT, {"value": BYTES, "statuses": BYTES}).message_class
        assert not slim.FromString(event()).HasField("value")
        read = slim.FromString(event(pb.MxValue(), statuses=[pb.MxStatusProxy(), pb.MxStatusProxy(detail=1)]))
        assert read.HasField("value")
        assert read.value == b""
        assert [pb.MxStatusProxy.FromString(each).detail for each in read.statuses] == [0, 1]

    def test_optional_fields_keep_their_presence(self) -> None:
        slim = Projection(EVENT, {"hresult": FIELD, "on_data_change": {}, "replay_gap": BYTES}).message_class
        assert not slim.FromString(event()).HasField("hresult")
        assert slim.FromString(event(hresult=0)).HasField("hresult")
        assert slim.FromString(event()).HasField("on_data_change")

    def test_other_messages_can_be_projected(self) -> None:
        page = galaxy.DiscoverHierarchyReply.DESCRIPTOR
        repeated = next(field for field in page.fields if field.message_type is not None)
        names = [field.name for field in repeated.message_type.fields if field.message_type is None][:3]
        slim = Projection(page, {repeated.name: dict.fromkeys(names, FIELD)})
        assert all(slim.has(repeated.name, name) for name in names)
        feed = Projection(
            pb.AlarmFeedMessage.DESCRIPTOR,
            {"active_alarm": {"alarm_full_reference": FIELD, "severity": FIELD}, "snapshot_complete": FIELD},
        )
        message = pb.AlarmFeedMessage(active_alarm=pb.ActiveAlarmSnapshot(alarm_full_reference="G!A.B", severity=5))
        read = feed.message_class.FromString(message.SerializeToString())
        assert (read.active_alarm.alarm_full_reference, read.active_alarm.severity) == ("G!A.B", 5)

    @pytest.mark.parametrize(
        ("shape", "reason"),
        [
            ({"quality": BYTES}, "is no message; ask for it as a plain field"),
            ({"quality": {"low": FIELD}}, "is no message and cannot be taken apart"),
            ({"value": FIELD}, "is a message; give its shape or ask for its bytes"),
        ],
    )
    def test_a_shape_that_does_not_fit_is_refused(self, shape: dict[str, object], reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            Projection(EVENT, shape)  # type: ignore[arg-type]


class TestAnotherContract:
    def test_other_numbers_are_followed(self) -> None:
        def renumber(messages: dict[str, descriptor_pb2.DescriptorProto]) -> None:
            for message, offset in (("MxEvent", 100), ("MxValue", 200), ("MxStatusProxy", 300)):
                for field in messages[message].field:
                    field.number += offset

        descriptor = changed(renumber)
        message = message_factory.GetMessageClass(descriptor)(
            family=1, quality=192, item_handle=7, worker_sequence=9, session_id=SESSION
        )
        message.value.double_value = 2.5
        message.statuses.add(category=5, detail=1)
        projection = Projection(descriptor, EVENT_SHAPE)
        batches = [kind(projection).decode([message.SerializeToString()]) for kind in (PtarsDecoder, UpbDecoder)]
        assert batches[0].equals(batches[1])
        rows, _ = event_rows(batches[0], {(0, 7): "A"})
        row = rows.to_pylist()[0]
        assert (row["tag"], row["value_float"], row["status_category"]) == ("A", 2.5, "COMMUNICATION_ERROR")

    @pytest.mark.parametrize(
        ("message", "names", "lost"),
        [
            ("MxEvent", ["quality"], {"quality", "good"}),
            ("MxEvent", ["family", "session_id", "worker_sequence"], {"family", "session_id", "sequence"}),
            ("MxEvent", ["server_handle"], {"server_handle", "tag"}),
            ("MxEvent", ["statuses"], {"status_category", "status_detail"}),
            ("MxEvent", ["source_timestamp", "gateway_receive_timestamp"], {"time", "received"}),
            ("MxEvent", ["value"], {"value_type", "value_float"}),
            ("MxEvent", ["replay_gap", "on_buffered_data_change"], set()),
            ("MxValue", ["data_type", "is_null", "sparse_array_value", "int64_value"], set()),
            ("MxStatusProxy", ["category"], {"status_category"}),
            ("MxStatusProxy", ["detail"], {"status_detail"}),
            ("ReplayGap", ["requested_after_sequence"], set()),
        ],
    )
    def test_a_missing_name_is_a_null_column(self, message: str, names: list[str], lost: set[str]) -> None:
        projection = Projection(changed(lambda messages: drop(messages[message], *names)), EVENT_SHAPE)
        sent = [event(2.5, worker_sequence=4, statuses=[pb.MxStatusProxy(category=5, detail=6)])] * 2
        batches = [kind(projection).decode(sent) for kind in (PtarsDecoder, UpbDecoder)]
        assert batches[0].schema.equals(WIRE_SCHEMA)
        assert batches[0].equals(batches[1])
        rows, gaps = event_rows(batches[0], {(1, 1): "A"})
        whole, _ = event_rows(UpbDecoder().decode(sent), {(1, 1): "A"})
        assert rows.schema.equals(EVENT_SCHEMA)
        assert gaps == []
        for name in EVENT_SCHEMA.names:
            if name in lost:
                assert rows.column(name).null_count == 2, name
            else:
                assert rows.column(name).equals(whole.column(name)), name
