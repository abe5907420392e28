from __future__ import annotations

import asyncio

import grpc
import pyarrow as pa
import pytest

from zb_mom_ww_mxgateway import MxGatewayCommandError, MxGatewaySessionError, MxGatewayTransportError, Session
from zb_mom_ww_mxgateway.frames import EVENT_SCHEMA
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.recording import Collection, Collector, Gap, collect_events

from .conftest import CANARY, Plant, StepPace, change

TAGS = ["Pump_001.Speed", "Pump_001.Running"]


def sequences(collection: Collection) -> list[int]:
    found: list[int] = collection.table.column("sequence").to_pylist()
    return found


async def test_seconds_of_events_with_their_tags(plant: Plant, session: Session) -> None:
    plant.send(change(1, 1.5), change(2, True, item=12), change(3, 2.5, second=1.0))
    collection = await collect_events(session, TAGS, seconds=2.0, pace=StepPace(last=3))

    assert collection.ended_by == "seconds"
    assert collection.error is None
    assert collection.seconds == 2.0
    assert collection.table.schema.equals(EVENT_SCHEMA)
    assert collection.table.column("tag").to_pylist() == ["Pump_001.Speed", "Pump_001.Running", "Pump_001.Speed"]
    assert collection.frame()["value"].tolist() == [1.5, True, 2.5]
    assert collection.tags == tuple(TAGS)
    assert collection.refused == {}
    assert collection.silent == ()
    assert collection.gaps == ()
    assert collection.endpoint == plant.fake.endpoint


async def test_the_session_is_left_as_it_was_found(plant: Plant, session: Session) -> None:
    # With an event that is waited for: otherwise it may all be over before the stream reaches the gateway.
    plant.send(change(1))
    await collect_events(session, TAGS, seconds=0.1, pace=StepPace(last=1))
    assert plant.commands == ["register", "subscribe_bulk", "unsubscribe_bulk", "unregister"]
    assert plant.given_back == [11, 12]
    assert await plant.fake.ended.get() == "StreamEvents"
    assert not session.closed


async def test_a_given_registration_stays(plant: Plant, session: Session) -> None:
    plant.send(change(1))
    collection = await collect_events(session, TAGS, events=1, server_handle=7)
    assert plant.commands == ["subscribe_bulk", "unsubscribe_bulk"]
    assert len(collection) == 1


async def test_exactly_so_many_data_changes(plant: Plant, session: Session) -> None:
    complete = change(3)
    complete.family = pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE
    complete.ClearField("value")
    plant.send(change(1), change(2), complete, *(change(number) for number in range(4, 50)))
    collection = await collect_events(session, TAGS, events=5)
    assert collection.ended_by == "events"
    # The write completion is an event of the tag, but no data change.
    assert sequences(collection) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("count", [1, 8191, 8192, 8193, 20_000])
async def test_exact_counts_around_the_chunk(plant: Plant, session: Session, count: int) -> None:
    plant.send(*(change(number).SerializeToString() for number in range(1, 20_101)))
    collection = await collect_events(session, TAGS, events=count)
    assert sequences(collection) == list(range(1, count + 1))
    assert collection.gaps == ()


async def test_samples_of_a_buffered_event_count_one_by_one(plant: Plant, session: Session) -> None:
    event = change(1)
    event.family = pb.MX_EVENT_FAMILY_ON_BUFFERED_DATA_CHANGE
    event.ClearField("on_data_change")
    event.value.CopyFrom(pb.MxValue(array_value=pb.MxArray(double_values=pb.DoubleArray(values=[1.0, 2.0, 3.0]))))
    body = event.on_buffered_data_change
    body.quality_values.int32_values.values.extend([192, 192, 192])
    for _ in range(3):
        body.timestamp_values.timestamp_values.values.add().CopyFrom(event.source_timestamp)
    plant.send(event)
    collection = await collect_events(session, TAGS, events=2)
    assert collection.frame()["value"].tolist() == [1.0, 2.0]


async def test_events_of_other_items_are_left_out_but_keep_their_place(plant: Plant, session: Session) -> None:
    plant.send(change(1), change(2, item=99), change(3, item=99), change(4), change(5, item=99), change(6))
    collection = await collect_events(session, TAGS, events=3)
    assert sequences(collection) == [1, 4, 6]
    assert collection.gaps == ()


async def test_holes_and_replay_gaps_are_reported(plant: Plant, session: Session) -> None:
    sentinel = pb.MxEvent(replay_gap=pb.ReplayGap(requested_after_sequence=0, oldest_available_sequence=4))
    plant.send(sentinel, change(4), change(5), change(9), change(10), change(2))
    collection = await collect_events(session, TAGS, events=5)
    assert collection.gaps == (Gap(0, 4, "replay gap"), Gap(5, 9, "hole"), Gap(10, 2, "sequence went back"))
    assert [gap.missing for gap in collection.gaps] == [3, 3, 0]
    assert collection.attrs["gaps"][1] == {"after": 5, "before": 9, "reason": "hole"}


async def test_a_corrupt_event_costs_only_itself(plant: Plant, session: Session) -> None:
    plant.send(change(1), b"\xff\xff\xff", change(3))
    collection = await collect_events(session, TAGS, seconds=1.0, pace=StepPace(last=3))
    assert sequences(collection) == [1, 3]
    assert collection.corrupt == 1
    assert collection.gaps == (Gap(1, 3, "hole"),)


async def test_a_corrupt_last_event_does_not_hold_up_a_virtual_clock(plant: Plant, session: Session) -> None:
    plant.send(change(1), b"\xff\xff\xff")
    collection = await asyncio.wait_for(collect_events(session, TAGS, seconds=1.0, pace=StepPace(last=2)), 4)
    assert sequences(collection) == [1]


async def test_refused_and_unknown_tags_are_reported(plant: Plant, session: Session) -> None:
    unknown = change(1, None, item=12, quality=0)
    unknown.statuses.add(category=pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR, detail=6)
    plant.send(unknown, change(2))
    tags = ["Pump_001.Speed", "No.Such", "Refused.Tag", "Silent.Tag"]
    collection = await collect_events(session, tags, events=2)
    assert set(collection.refused) == {"Refused.Tag", "No.Such"}
    assert collection.refused["Refused.Tag"] == "not in your key's subtree"
    assert "CONFIGURATION_ERROR detail 6" in collection.refused["No.Such"]
    assert collection.silent == ("Silent.Tag",)
    assert collection.tags == ("Pump_001.Speed", "No.Such", "Silent.Tag")
    assert "2 refused" in repr(collection)


async def test_a_tag_that_recovers_is_not_unknown(plant: Plant, session: Session) -> None:
    wrong = change(1, None, quality=0)
    wrong.statuses.add(category=pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR, detail=6)
    plant.send(wrong, change(2))
    collection = await collect_events(session, TAGS, events=2)
    assert collection.refused == {}


async def test_all_refused_is_an_error_and_leaves_nothing_behind(plant: Plant, session: Session) -> None:
    with pytest.raises(MxGatewayCommandError, match=r"none of the 2 tags .* Refused\.A: not in your key"):
        await collect_events(session, ["Refused.A", "Refused.B"], seconds=1)
    assert plant.commands == ["register", "subscribe_bulk", "unregister"]


async def test_a_broken_stream_keeps_what_came(plant: Plant, session: Session) -> None:
    plant.send(change(1), change(2))
    plant.end(grpc.StatusCode.INTERNAL)
    collection = await collect_events(session, TAGS, seconds=60.0)
    assert collection.ended_by == "stream error"
    assert sequences(collection) == [1, 2]
    assert isinstance(collection.error, MxGatewayTransportError)
    assert collection.attrs["error"] == str(collection.error)
    assert plant.fake.endpoint in str(collection.error)
    with pytest.raises(MxGatewayTransportError):
        collection.raise_for_error()


async def test_a_stream_that_the_gateway_ends(plant: Plant, session: Session) -> None:
    plant.send(change(1))
    plant.end()
    collection = await collect_events(session, TAGS, seconds=60.0)
    assert collection.ended_by == "stream end"
    assert len(collection) == 1
    collection.raise_for_error()


async def test_the_stream_of_the_collection_before_may_still_be_ending(plant: Plant, session: Session) -> None:
    plant.streams_refused = 3
    plant.send(change(1))
    collection = await collect_events(session, TAGS, events=1)
    assert collection.ended_by == "events"


async def test_another_subscriber_is_an_error(plant: Plant, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.recording.collector._HANDOVER", 0.1)
    plant.streams_refused = 10**6
    collection = await collect_events(session, TAGS, seconds=60)
    assert collection.ended_by == "stream error"
    assert isinstance(collection.error, MxGatewaySessionError)


async def test_an_empty_collection_has_the_whole_schema(plant: Plant, session: Session) -> None:
    collection = await collect_events(session, TAGS, seconds=0.5, pace=StepPace())
    assert len(collection) == 0
    assert collection.table.schema.equals(EVENT_SCHEMA)
    assert collection.silent == tuple(TAGS)
    assert list(collection.frame().columns[:3]) == ["time", "tag", "value"]
    assert collection.summary().empty
    assert collection.wide().empty
    assert collection.window() is None


async def test_what_came_is_there_after_a_cancellation(plant: Plant, session: Session) -> None:
    came = asyncio.Event()
    collector = Collector(session, TAGS, progress=lambda events, _: came.set() if events >= 2 else None)
    plant.send(change(1), change(2))
    task = asyncio.create_task(collector.run(seconds=3600))
    await came.wait()
    assert collector.collection().ended_by == "running"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    collection = collector.collection()
    assert collection.ended_by == "interrupted"
    assert sequences(collection) == [1, 2]
    assert plant.commands[-2:] == ["unsubscribe_bulk", "unregister"]
    assert await plant.fake.ended.get() == "StreamEvents"


async def test_stop_ends_it_with_what_came(plant: Plant, session: Session) -> None:
    collector = Collector(session, TAGS, progress=lambda events, _: collector.stop() if events else None)
    plant.send(change(1))
    collection = await collector.run()
    assert collection.ended_by == "stopped"
    assert len(collection) == 1


async def test_a_failing_progress_callback_shows_and_loses_nothing(plant: Plant, session: Session) -> None:
    def progress(events: int, seconds: float) -> None:
        if events:
            raise ZeroDivisionError

    plant.send(change(1))
    collector = Collector(session, TAGS, progress=progress)
    with pytest.raises(ZeroDivisionError):
        await collector.run(seconds=60)
    assert len(collector.collection()) == 1
    assert plant.commands[-1] == "unregister"


async def test_progress_ends_with_the_totals(plant: Plant, session: Session) -> None:
    seen: list[tuple[int, float]] = []
    plant.send(change(1), change(2))
    await collect_events(session, TAGS, seconds=1.0, pace=StepPace(last=2), progress=lambda *state: seen.append(state))
    assert seen[0] == (0, 0.0)
    assert seen[-1] == (2, 1.0)


async def test_a_virtual_clock_waits_for_what_it_has_sent(plant: Plant, session: Session) -> None:
    pace = StepPace(
        lambda: (plant.send(change(1), change(2)), setattr(pace, "last", 2)),
        lambda: (plant.send(change(3)), setattr(pace, "last", 3)),
        last=0,
    )
    collection = await collect_events(session, TAGS, seconds=0.3, pace=pace)
    assert sequences(collection) == [1, 2, 3]
    assert pace.slept == pytest.approx(0.3)


async def test_a_lost_event_does_not_hold_up_a_virtual_clock_for_ever(
    plant: Plant, session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.recording.collector._PATIENCE", 0.05)
    plant.send(change(1))
    collection = await collect_events(session, TAGS, seconds=5.0, pace=StepPace(last=2))
    assert collection.ended_by == "seconds"
    assert sequences(collection) == [1]
    assert "event 2 has been sent, but nothing after 1 has come" in caplog.text


async def test_doubles_count_once_and_a_single_reference_is_one_tag(plant: Plant, session: Session) -> None:
    assert (await collect_events(session, "Pump.Speed", seconds=0.1, pace=StepPace())).tags == ("Pump.Speed",)
    both = await collect_events(session, ["A.B", "C.D", "A.B"], seconds=0.1, pace=StepPace())
    assert both.tags == ("A.B", "C.D")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"tags": [], "seconds": 1}, "at least one tag"),
        ({"tags": ["A.B", " "], "seconds": 1}, "at least one tag"),
        ({"tags": ["A.B"]}, "seconds or events"),
        ({"tags": ["A.B"], "seconds": 0}, "seconds=0"),
        ({"tags": ["A.B"], "seconds": float("nan")}, "seconds=nan"),
        ({"tags": ["A.B"], "events": 0}, "events=0"),
    ],
)
async def test_wrong_arguments(session: Session, plant: Plant, arguments: dict[str, object], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        await collect_events(session, **arguments)  # type: ignore[arg-type]
    assert plant.commands == []


async def test_a_collector_runs_once(plant: Plant, session: Session) -> None:
    collector = Collector(session, TAGS, pace=StepPace())
    await collector.run(seconds=0.1)
    with pytest.raises(RuntimeError, match="runs once"):
        await collector.run(seconds=0.1)


async def test_a_slow_stream_does_not_pile_up_tiny_tables(plant: Plant, session: Session) -> None:
    sent = iter(range(1, 1001))

    def one() -> None:
        number = next(sent)
        plant.send(change(number))
        pace.last = number

    pace = StepPace(*[one] * 1000, last=0)
    collector = Collector(session, TAGS, pace=pace)
    collection = await collector.run(events=1000)
    assert sequences(collection) == list(range(1, 1001))
    assert collection.table.column("sequence").num_chunks < 100


async def test_the_frames_say_where_they_come_from_and_hold_no_key(plant: Plant, session: Session) -> None:
    plant.send(change(1), change(2, second=1))
    collection = await collect_events(session, TAGS, events=2)
    for frame in (collection.frame(), collection.wide(), collection.summary()):
        assert frame.attrs["endpoint"] == plant.fake.endpoint
        assert frame.attrs["ended_by"] == "events"
    shown = repr(collection) + repr(collection.attrs) + repr(collection.table.schema.metadata)
    assert CANARY not in shown
    assert "secret-Part" not in shown
    sink = pa.BufferOutputStream()
    collection.frame().to_parquet(sink)
    assert b"secret-Part" not in sink.getvalue().to_pybytes()
