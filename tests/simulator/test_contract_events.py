"""CONTRACT.md, rows "first value", "bulk", "events", "resume" and "quality, status", against the generated stubs."""

from __future__ import annotations

import grpc
import pytest

from support.raw import Raw, code_of, raw_gateway, read, read_all
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.simulator import Limits, OverflowSubscriber

CHANGING = "TestMachine_001.TestChangingInt"
MANY = [f"TestMachine_00{n}.{name}" for n in (1, 2, 3) for name in ("TestChangingInt", "TestRamp", "TestHistoryValue")]


async def subscribed(raw: Raw, tags: list[str] = MANY) -> Raw:
    await raw.ready()
    await raw.invoke("subscribe_bulk", server_handle=raw.server_handle, tag_addresses=tags)
    return raw


async def bulk(raw: Raw, name: str, **fields: object) -> list[pb.SubscribeResult]:
    reply = await raw.invoke(name, server_handle=raw.server_handle, **fields)
    return list(getattr(reply, name).results)


async def test_first_value_comes_after_its_delay_then_changes_alone() -> None:
    async with raw_gateway(limits=Limits(first_value_delay=5.0, value_delay=1.0)) as raw:
        await raw.ready()
        handle = await raw.advise("TestMachine_001.FreeValue")
        await raw.gateway.aadvance(4.9)
        assert await raw.drain() == []
        await raw.gateway.aadvance(0.2)
        (event,) = await raw.drain()
        assert (event.family, event.item_handle) == (pb.MX_EVENT_FAMILY_ON_DATA_CHANGE, handle)
        assert event.quality == 192
        await raw.gateway.aadvance(300)
        assert await raw.drain() == []
        await raw.advise("TestMachine_001.MachineID")
        await raw.gateway.aadvance(1.0)
        assert len(await raw.drain()) == 1


async def test_first_value_takes_3_to_8_s_as_on_a_plant_and_is_uncertain_until_then() -> None:
    async with raw_gateway(limits=Limits.like_a_plant()) as raw:
        await raw.ready()
        await raw.advise(CHANGING)
        (event,) = await raw.drain()
        assert (event.quality, event.value.is_null) == (64, True)
        assert event.statuses[0].category == pb.MX_STATUS_CATEGORY_PENDING
        await raw.gateway.aadvance(2.9)
        assert await raw.drain() == []
        await raw.gateway.aadvance(5.2)
        assert (await raw.drain())[0].quality == 192


async def test_quality_an_unknown_reference_is_bad_when_advised_not_when_added() -> None:
    async with raw_gateway() as raw:
        await raw.ready()
        await raw.advise("No.Such")
        await raw.gateway.aadvance(1)
        (event,) = await raw.drain()
        assert (event.quality, event.value.is_null) == (0, True)
        assert event.statuses[0].category == pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR


async def test_bulk_results_are_in_input_order_and_a_bad_entry_is_no_failed_call() -> None:
    async with raw_gateway() as raw:
        await raw.ready()
        tags = [CHANGING, "", "No.Such", CHANGING]
        results = await bulk(raw, "subscribe_bulk", tag_addresses=tags)
        assert [each.tag_address for each in results] == tags
        assert [each.was_successful for each in results] == [True, False, True, True]
        assert results[1].item_handle == 0
        assert results[1].error_message
        handles = [results[0].item_handle, 0, 4711, results[3].item_handle]
        for name in ("un_advise_item_bulk", "advise_item_bulk", "remove_item_bulk"):
            results = await bulk(raw, name, item_handles=handles)
            assert [each.was_successful for each in results] == [True, False, False, True], name
        results = await bulk(raw, "unsubscribe_bulk", item_handles=handles)
        assert not any(each.was_successful for each in results)


@pytest.mark.parametrize("name", ["add_item_bulk", "subscribe_bulk", "read_bulk"])
async def test_bulk_of_more_than_1000_is_an_invalid_argument(name: str) -> None:
    async with raw_gateway() as raw:
        await raw.ready()
        call = raw.invoke(name, server_handle=raw.server_handle, tag_addresses=["A.B"] * 1001)
        assert await code_of(call) is grpc.StatusCode.INVALID_ARGUMENT


async def test_bulk_read_of_an_advised_item_comes_from_the_cache() -> None:
    async with raw_gateway() as raw:
        await raw.ready()
        handle = await raw.advise(CHANGING)
        await raw.gateway.aadvance(1)
        seen = (await raw.drain())[-1]
        tags = [CHANGING.upper(), "Pump001.Mode", "No.Such", ""]
        reply = await raw.later("read_bulk", 1, server_handle=raw.server_handle, tag_addresses=tags)
        results = reply.read_bulk.results
        assert [each.tag_address for each in results] == tags
        assert [each.was_cached for each in results] == [True, False, False, False]
        assert [each.was_successful for each in results] == [True, True, False, False]
        assert (results[0].item_handle, results[0].value) == (handle, seen.value)
        assert results[1].value.string_value
        # What was added for the reading is gone, and has sent nothing.
        events = await raw.drain()
        assert {each.item_handle for each in events} <= {handle}


async def test_bulk_read_gives_up_after_its_timeout() -> None:
    async with raw_gateway(limits=Limits(first_value_delay=8.0, value_delay=8.0)) as raw:
        await raw.ready()
        tags = ["Pump001.Mode"]
        reply = await raw.later("read_bulk", 3, server_handle=raw.server_handle, tag_addresses=tags, timeout_ms=2_000)
        assert not reply.read_bulk.results[0].was_successful
        assert "timeout" in reply.read_bulk.results[0].error_message


async def test_events_a_bare_array_name_means_the_whole_array() -> None:
    async with raw_gateway() as raw:
        await raw.ready()
        whole, bare, element = [await raw.advise(f"TestChildObject.TestIntArray{tail}") for tail in ("[]", "", "[3]")]
        await raw.gateway.aadvance(1)
        by_handle = {event.item_handle: event.value for event in await raw.drain()}
        assert by_handle[whole] == by_handle[bare]
        assert len(by_handle[whole].array_value.int32_values.values) == 50
        assert by_handle[element].int32_value == by_handle[whole].array_value.int32_values.values[2]


async def test_events_are_numbered_without_a_gap_and_the_backlog_comes_in_a_burst() -> None:
    async with raw_gateway() as raw:
        await subscribed(raw)
        await raw.gateway.aadvance(30)
        last = raw.gateway.last_sequence(raw.session_id)
        assert last > len(MANY)
        events = await read(await raw.attach(), last)
        assert [event.worker_sequence for event in events] == list(range(1, last + 1))


async def test_events_a_second_subscriber_already_exists() -> None:
    async with raw_gateway() as raw:
        await raw.open()
        stream = await raw.attach()
        assert await code_of(raw.stream().read()) is grpc.StatusCode.ALREADY_EXISTS
        await raw.detach(stream)
        stream = await raw.attach()
        stream.cancel()


async def test_events_several_subscribers_each_get_all_where_that_is_configured() -> None:
    async with raw_gateway(limits=Limits(multiple_subscribers=True, max_subscribers=2)) as raw:
        await subscribed(raw)
        streams = [await raw.attach(), await raw.attach()]
        assert await code_of(raw.stream().read()) is grpc.StatusCode.ALREADY_EXISTS
        await raw.gateway.aadvance(5)
        first, second = [await read(stream, len(MANY)) for stream in streams]
        assert first == second


async def test_events_an_overflow_disconnects_the_subscriber_and_faults_the_session() -> None:
    async with raw_gateway(faults=[OverflowSubscriber(after=12)]) as raw:
        await subscribed(raw)
        stream = await raw.attach()
        await raw.gateway.aadvance(60)
        assert len(await read_all(stream)) == 12
        assert await stream.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await code_of(raw.invoke("ping")) is grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize("limits", [Limits(multiple_subscribers=True), Limits(fail_fast=False)])
async def test_events_an_overflow_leaves_the_session_ready_otherwise(limits: Limits) -> None:
    async with raw_gateway(limits=limits, faults=[OverflowSubscriber(after=12)]) as raw:
        await subscribed(raw)
        stream = await raw.attach()
        await raw.gateway.aadvance(60)
        await read_all(stream)
        assert await stream.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await raw.invoke("ping")


async def test_events_a_full_queue_overflows() -> None:
    async with raw_gateway(limits=Limits(event_queue=5)) as raw:
        await subscribed(raw)
        stream = await raw.attach()
        # On the gateway's own loop nothing can be sent while the time passes.
        raw.gateway.advance(60)
        assert len(await read_all(stream)) == 5
        assert await stream.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_events_drained_are_not_streamed() -> None:
    async with raw_gateway() as raw:
        await subscribed(raw)
        await raw.gateway.aadvance(1)
        drained = (await raw.invoke("drain_events", max_events=4)).drain_events.events
        assert [event.worker_sequence for event in drained] == [1, 2, 3, 4]
        rest = await raw.drain()
        assert rest[0].worker_sequence == 5
        assert not any(event.HasField("replay_gap") for event in rest)


async def test_events_of_a_suspended_item_are_held_back() -> None:
    async with raw_gateway() as raw:
        await raw.ready()
        handle = await raw.advise(CHANGING)
        await raw.gateway.aadvance(30)
        assert len(await raw.drain()) > 1
        target = {"server_handle": raw.server_handle, "item_handle": handle}
        reply = await raw.invoke("suspend", **target)
        assert reply.suspend.status.category == pb.MX_STATUS_CATEGORY_PENDING
        await raw.gateway.aadvance(30)
        assert await raw.drain() == []
        await raw.invoke("activate", **target)
        await raw.gateway.aadvance(30)
        assert len(await raw.drain()) > 1


async def test_events_of_buffered_items_come_together() -> None:
    async with raw_gateway() as raw:
        await raw.ready()
        await raw.invoke(
            "set_buffered_update_interval", server_handle=raw.server_handle, update_interval_milliseconds=30_000
        )
        reply = await raw.invoke("add_buffered_item", server_handle=raw.server_handle, item_definition=CHANGING)
        handle = reply.add_buffered_item.item_handle
        await raw.invoke("advise", server_handle=raw.server_handle, item_handle=handle)
        await raw.gateway.aadvance(31)
        (event,) = await raw.drain()
        assert event.family == pb.MX_EVENT_FAMILY_ON_BUFFERED_DATA_CHANGE
        body = event.on_buffered_data_change
        count = len(event.value.array_value.int32_values.values)
        assert count == len(body.quality_values.int32_values.values) > 1
        assert count == len(body.timestamp_values.timestamp_values.values)


async def test_resume_has_no_gap_and_no_duplicate() -> None:
    async with raw_gateway() as raw:
        await subscribed(raw)
        stream = await raw.attach()
        await raw.gateway.aadvance(10)
        seen = await read(stream, 15)
        await raw.detach(stream)
        await raw.gateway.aadvance(10)
        stream = await raw.attach(after=15)
        await raw.gateway.aadvance(10)
        last = raw.gateway.last_sequence(raw.session_id)
        seen += await read(stream, last - 15)
        assert [event.worker_sequence for event in seen] == list(range(1, last + 1))


@pytest.mark.parametrize("limits", [Limits(replay_events=10), Limits(replay_seconds=5.0)])
async def test_resume_after_eviction_begins_with_a_sentinel(limits: Limits) -> None:
    async with raw_gateway(limits=limits) as raw:
        await subscribed(raw)
        stream = await raw.attach()
        await raw.gateway.aadvance(25)
        last = raw.gateway.last_sequence(raw.session_id)
        await read(stream, last)
        await raw.detach(stream)
        stream = await raw.attach(after=1)
        (sentinel,) = await read(stream, 1)
        assert sentinel.family == pb.MX_EVENT_FAMILY_UNSPECIFIED
        assert sentinel.WhichOneof("body") is None
        assert sentinel.replay_gap.requested_after_sequence == 1
        oldest = sentinel.replay_gap.oldest_available_sequence
        first, *_ = await read(stream, last - oldest + 1)
        assert first.worker_sequence == oldest
        await raw.detach(stream)
        (first,) = await read(await raw.attach(after=oldest - 1), 1)
        assert (first.worker_sequence, first.HasField("replay_gap")) == (oldest, False)


async def test_quality_success_is_no_truth_value_but_the_category_counts() -> None:
    async with raw_gateway() as raw:
        await subscribed(raw, [CHANGING])
        await raw.gateway.aadvance(1)
        (event, *_) = await raw.drain()
        assert event.statuses[0].category == pb.MX_STATUS_CATEGORY_OK
        assert event.statuses[0].raw_category == event.statuses[0].category


async def test_the_same_seed_and_the_same_calls_give_the_same_bytes() -> None:
    async def run() -> list[bytes]:
        async with raw_gateway(seed=7) as raw:
            await subscribed(raw)
            handle = await raw.advise("TestMachine_001.FreeValue")
            stream = await raw.attach()
            await raw.gateway.aadvance(20)
            await raw.write(handle, pb.MxValue(int32_value=5))
            await raw.gateway.aadvance(40)
            count = raw.gateway.last_sequence(raw.session_id)
            return [event.SerializeToString(deterministic=True) for event in await read(stream, count)]

    first, second = await run(), await run()
    assert len(first) > 50
    assert first == second
