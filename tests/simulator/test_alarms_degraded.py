"""Alarms from subtags: the degraded mode of the simulated gateway, and the way back."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest

from support.alarm_rig import ACKNOWLEDGE, CLEAR, FIRST, RAISE, SECOND, alarm_rig
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb


async def test_every_switch_is_told() -> None:
    """CONTRACT "alarms": `provider_status` again on each failover, with the mode, why and since when."""
    async with alarm_rig() as rig:
        feed = await rig.feed()
        rig.gateway.advance(30)
        rig.gateway.fail_over_alarms(reason="COM does not answer")
        status = (await feed.read()).provider_status
        assert (status.mode, status.degraded) == (pb.ALARM_PROVIDER_MODE_SUBTAG, True)
        assert status.reason == "COM does not answer"
        assert status.since.ToMicroseconds() == rig.gateway.clock.now_us()
        rig.gateway.advance(90)
        rig.gateway.restore_alarms()
        status = (await feed.read()).provider_status
        assert (status.mode, status.degraded) == (pb.ALARM_PROVIDER_MODE_ALARMMGR, False)
        assert status.since.ToMicroseconds() == rig.gateway.clock.now_us()


async def test_a_new_feed_starts_degraded() -> None:
    """CONTRACT "alarms": `provider_status` after the snapshot says the present mode."""
    async with alarm_rig() as rig:
        rig.gateway.fail_over_alarms()
        feed = await rig.feed()
        assert feed.first[-1].provider_status.degraded


async def test_degraded_alarms_say_less() -> None:
    """CONTRACT "alarms" (subtag mode): degraded, synthetic GUID, no native raise time, fewer fields."""
    async with alarm_rig() as rig:
        rig.set(FIRST, True)
        feed = await rig.feed()
        native = rig.gateway.alarms.guid_of(FIRST)
        rig.gateway.advance(60)
        rig.gateway.fail_over_alarms()
        rig.set(SECOND, True)
        status, raised = await feed.read(), (await feed.read()).transition
        assert (raised.alarm_full_reference, raised.transition_kind, raised.severity) == (SECOND, RAISE, 400)
        first, second = await rig.query()
        for alarm in (first, second, raised):
            assert alarm.degraded
            assert alarm.source_provider == pb.ALARM_PROVIDER_MODE_SUBTAG
            assert not alarm.HasField("current_value")
            assert not alarm.HasField("limit_value")
            texts = [alarm.alarm_type_name, alarm.category, alarm.description, alarm.operator_user]
            assert texts == [""] * 4
        assert first.original_raise_timestamp == status.provider_status.since
        synthetic = rig.gateway.alarms.guid_of(FIRST)
        assert synthetic != native
        rig.gateway.restore_alarms()
        first, _ = await rig.query()
        assert not first.degraded
        assert first.description == "Test alarm 1"
        assert first.original_raise_timestamp.ToMicroseconds() < status.provider_status.since.ToMicroseconds()
        assert rig.gateway.alarms.guid_of(FIRST) == native


async def test_a_good_acknowledgement_writes_the_comment() -> None:
    """CONTRACT "alarms" (subtag mode): acknowledging writes the comment to the alarm's subtag."""
    async with alarm_rig() as rig:
        rig.set(FIRST, True)
        rig.gateway.fail_over_alarms()
        feed = await rig.feed()
        reply = await rig.acknowledge(FIRST, "by hand")
        assert (reply.protocol_status.code, reply.hresult) == (pb.PROTOCOL_STATUS_CODE_OK, 0)
        told = (await feed.read()).transition
        assert (told.transition_kind, told.operator_comment, told.degraded) == (ACKNOWLEDGE, "by hand", True)
        tag = rig.gateway.plant.resolve("TestMachine_001.TestAlarm001.AckMsg")
        assert tag is not None
        assert rig.gateway.plant.signal(tag).sample(rig.gateway.clock.now_us()).value == "by hand"
        rig.set(FIRST, False)
        assert (await feed.read()).transition.transition_kind == CLEAR


async def test_a_failed_acknowledgement_is_a_failed_precondition() -> None:
    """CONTRACT "alarms": failed ack in subtag mode: FAILED_PRECONDITION; a bad reference stays a reply."""
    async with alarm_rig() as rig:
        rig.set(FIRST, True)
        await rig.feed()
        native = rig.gateway.alarms.guid_of(FIRST)
        rig.gateway.fail_over_alarms(fail_acknowledgements=True)
        for reference in (FIRST, SECOND, native):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await rig.acknowledge(reference)
            assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        reply = await rig.acknowledge("nonsense")
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST
        rig.gateway.restore_alarms()
        assert (await rig.acknowledge(FIRST)).hresult == 0


async def test_a_refused_acknowledgement_is_a_reply_in_the_full_mode() -> None:
    """CONTRACT "alarms", "commands": with the alarm manager a failure is a reply with its hresult."""
    async with alarm_rig() as rig:
        rig.set(FIRST, True)
        rig.gateway.alarms.refuse_acknowledgements = 1
        reply = await rig.acknowledge(FIRST)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
        assert reply.hresult < 0
        assert (await rig.acknowledge(FIRST)).hresult == 0


async def test_a_fault_outlives_the_switch() -> None:
    """CONTRACT "alarms": an alarm system that refuses all does so with either provider, each in its own way."""
    async with alarm_rig() as rig:
        rig.set(FIRST, True)
        rig.gateway.alarms.fail_acknowledgements = True
        assert (await rig.acknowledge(FIRST)).hresult < 0
        rig.gateway.fail_over_alarms()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await rig.acknowledge(FIRST)
        assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        rig.gateway.restore_alarms()
        assert (await rig.acknowledge(FIRST)).hresult < 0
