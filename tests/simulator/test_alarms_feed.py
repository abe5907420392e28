"""StreamAlarms and QueryActiveAlarms of the simulated gateway, over the real port."""

from __future__ import annotations

from datetime import timedelta

import grpc
import grpc.aio
import pytest

from support.alarm_rig import ACKNOWLEDGE, CLEAR, FIRST, RAISE, RETRIGGER, SECOND, alarm_rig
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.simulator import ApiKey, Limits


async def test_the_snapshot_comes_first_then_its_end_then_the_provider() -> None:
    """CONTRACT "alarms": `active_alarm`*, `snapshot_complete`, `provider_status`, then `transition`s."""
    async with alarm_rig() as rig:
        rig.set(SECOND, True)
        rig.gateway.advance(1)
        rig.set(FIRST, True)
        feed = await rig.feed()
        assert [message.WhichOneof("payload") for message in feed.first] == [
            "active_alarm",
            "active_alarm",
            "snapshot_complete",
            "provider_status",
        ]
        assert feed.snapshot == [FIRST, SECOND]
        assert feed.first[2].snapshot_complete is True
        provider = feed.first[3].provider_status
        assert (provider.mode, provider.degraded) == (pb.ALARM_PROVIDER_MODE_ALARMMGR, False)
        assert provider.HasField("since")


async def test_one_life_of_an_alarm() -> None:
    """CONTRACT "alarms": a transition for each change; severity is the raw priority, times are UTC."""
    async with alarm_rig() as rig:
        feed = await rig.feed()
        began = rig.gateway.clock.now_us()
        rig.set(FIRST, True)
        rig.gateway.advance(5)
        await rig.acknowledge(FIRST, "on my way", "Maria")
        rig.gateway.advance(5)
        rig.set(FIRST, False)
        rig.gateway.advance(5)
        news = await feed.news()
        assert [each.transition_kind for each in news] == [RAISE, ACKNOWLEDGE, CLEAR]
        seconds = [each.transition_timestamp.ToMicroseconds() - began for each in news]
        assert seconds == [0, 5_000_000, 10_000_000]
        for each in news:
            assert each.alarm_full_reference == FIRST
            assert each.source_object_reference == "TestMachine_001"
            assert (each.alarm_type_name, each.severity, each.category) == ("Dsc", 400, "Discrete")
            assert each.description == "Test alarm 1"
            assert each.original_raise_timestamp.ToMicroseconds() == began
            assert (each.degraded, each.source_provider) == (False, pb.ALARM_PROVIDER_MODE_ALARMMGR)
        assert [each.current_value.bool_value for each in news] == [True, True, False]
        assert [each.operator_user for each in news] == ["", "Maria", "Maria"]
        assert [each.operator_comment for each in news] == ["", "on my way", "on my way"]


async def test_an_analog_alarm_says_its_limit() -> None:
    """CONTRACT "alarms": `limit_value` is the limit that was crossed, in the type of the attribute."""
    async with alarm_rig("normal") as rig:
        feed = await rig.feed()
        rig.gateway.advance(1800)
        analog = next(each for each in await feed.news() if each.HasField("limit_value"))
        assert analog.category == "Value"
        assert analog.alarm_type_name in {"Hi", "HiHi", "Lo", "LoLo"}
        assert analog.limit_value.WhichOneof("kind") == analog.current_value.WhichOneof("kind")


async def test_the_snapshot_shows_the_state() -> None:
    """CONTRACT "alarms": QueryActiveAlarms is the snapshot alone; cleared alarms are not kept."""
    async with alarm_rig() as rig:
        assert await rig.query() == []
        rig.set(FIRST, True)
        rig.gateway.advance(60)
        (alarm,) = await rig.query()
        assert alarm.current_state == pb.ALARM_CONDITION_STATE_ACTIVE
        assert alarm.original_raise_timestamp == alarm.last_transition_timestamp
        await rig.acknowledge(FIRST)
        (alarm,) = await rig.query()
        assert alarm.current_state == pb.ALARM_CONDITION_STATE_ACTIVE_ACKED
        raised, changed = (
            moment.ToDatetime() for moment in (alarm.original_raise_timestamp, alarm.last_transition_timestamp)
        )
        assert changed - raised == timedelta(seconds=60)
        assert (alarm.operator_user, alarm.operator_comment) == ("TestUser", "seen")
        rig.set(FIRST, False)
        assert await rig.query() == []


async def test_the_feed_and_the_query_tell_the_same() -> None:
    """CONTRACT "alarms": QueryActiveAlarms is the snapshot of StreamAlarms, byte for byte."""
    async with alarm_rig("stale") as rig:
        rig.gateway.advance(60)
        feed = await rig.feed()
        assert [each.active_alarm for each in feed.first[:-2]] == await rig.query()
        assert len(feed.snapshot) > 1


async def test_back_soon_and_never_acknowledged_is_a_retrigger() -> None:
    """CONTRACT "alarms": transitions; a row of unacknowledged activations is one alarm with one raise time."""
    async with alarm_rig() as rig:
        feed = await rig.feed()
        began = rig.gateway.clock.now_us()
        for value in (True, False, True):
            rig.set(FIRST, value)
            rig.gateway.advance(20)
        await rig.acknowledge(FIRST)
        for value in (False, True, False):
            rig.set(FIRST, value)
            rig.gateway.advance(20)
        rig.gateway.advance(60)
        rig.set(FIRST, True)
        news = await feed.news()
        kinds = [each.transition_kind for each in news]
        assert kinds == [RAISE, CLEAR, RETRIGGER, ACKNOWLEDGE, CLEAR, RAISE, CLEAR, RAISE]
        original = [(each.original_raise_timestamp.ToMicroseconds() - began) // 1_000_000 for each in news]
        assert original == [0, 0, 0, 0, 0, 80, 80, 180]


@pytest.mark.parametrize(
    ("prefix", "kept"),
    [
        ("", [FIRST, SECOND]),
        ("Galaxy!TestArea.", [FIRST, SECOND]),
        ("Galaxy!TestArea.TestMachine_002", [SECOND]),
        ("galaxy!testarea.testmachine_001", [FIRST]),
        ("TestArea", []),
    ],
)
async def test_the_prefix_filters_snapshot_and_transitions(prefix: str, kept: list[str]) -> None:
    """CONTRACT "alarms": prefix filter on `alarm_full_reference`; statuses of the provider pass every filter."""
    async with alarm_rig() as rig:
        rig.set(FIRST, True)
        rig.set(SECOND, True)
        feed = await rig.feed(prefix)
        assert feed.snapshot == kept
        assert [alarm.alarm_full_reference for alarm in await rig.query(prefix)] == kept
        rig.set(FIRST, False)
        rig.set(SECOND, False)
        assert [each.alarm_full_reference for each in await feed.news()] == kept


async def test_a_slow_feed_ends() -> None:
    """CONTRACT "events": a bounded queue per subscriber, overflow ends it; the other feed goes on."""
    async with alarm_rig(limits=Limits(event_queue=4)) as rig:
        slow = await rig.feed()
        filtered = await rig.feed(SECOND)
        for value in (True, False) * 4:
            rig.set(FIRST, value)
        assert await slow.status() == grpc.StatusCode.RESOURCE_EXHAUSTED
        rig.set(SECOND, True)
        assert [each.alarm_full_reference for each in await filtered.news()] == [SECOND]


async def test_open_streams_and_calls_are_counted() -> None:
    """CONTRACT "alarms": both rpcs need no session; the simulator counts calls and open streams."""
    async with alarm_rig() as rig:
        await rig.query()
        await rig.feed()
        assert rig.gateway.open_streams["StreamAlarms"] == 1
        assert rig.gateway.open_streams["QueryActiveAlarms"] == 0
        assert rig.gateway.calls["QueryActiveAlarms"] == rig.gateway.calls["StreamAlarms"] == 1
        assert rig.gateway.sessions == []


async def test_a_stopping_gateway_ends_the_feed() -> None:
    """CONTRACT, statuses: a server that goes away is UNAVAILABLE."""
    async with alarm_rig() as rig:
        feed = await rig.feed()
        await rig.gateway.astop()
        assert await feed.status() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("rpc", ["StreamAlarms", "QueryActiveAlarms"])
async def test_reading_alarms_needs_a_key_with_the_scope(rpc: str) -> None:
    """CONTRACT "auth", "scopes": both need events:read."""
    key = ApiKey("reader", "secret", frozenset({"invoke:read", "invoke:write"}))
    request = {"StreamAlarms": pb.StreamAlarmsRequest(), "QueryActiveAlarms": pb.QueryActiveAlarmsRequest()}[rpc]
    async with alarm_rig(key=key) as rig:
        for metadata, code in (
            (rig.metadata, grpc.StatusCode.PERMISSION_DENIED),
            ((), grpc.StatusCode.UNAUTHENTICATED),
            ((("authorization", "Bearer mxgw_reader_wrong"),), grpc.StatusCode.UNAUTHENTICATED),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await getattr(rig.stub, rpc)(request, metadata=metadata).read()
            assert caught.value.code() == code


async def test_a_deploy_brings_and_takes_alarms() -> None:
    """CONTRACT "deploys", "alarms": an alarm that stood on a removed object clears; the others go on."""
    async with alarm_rig() as rig:
        rig.set(FIRST, True)
        rig.set(SECOND, True)
        feed = await rig.feed()
        rig.gateway.advance(10)
        rig.gateway.plant.redeploy(remove=["TestMachine_001"], at_us=rig.gateway.clock.now_us())
        assert [(each.alarm_full_reference, each.transition_kind) for each in await feed.news()] == [(FIRST, CLEAR)]
        assert [alarm.alarm_full_reference for alarm in await rig.query()] == [SECOND]
