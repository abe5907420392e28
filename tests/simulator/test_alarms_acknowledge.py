"""AcknowledgeAlarm of the simulated gateway, over the real port."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest

from support.alarm_rig import ACKNOWLEDGE, CLEAR, FIRST, RAISE, SECOND, Rig, alarm_rig
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.simulator import ApiKey, Security

BACKSLASHES = r"\\Galaxy\TestArea.TestMachine_001.TestAlarm001"


def spelled(rig: Rig, how: str) -> str:
    guid = rig.gateway.alarms.guid_of(FIRST)
    forms = {
        "reference": FIRST,
        "other case": FIRST.upper(),
        "backslashes": BACKSLASHES,
        "guid": guid,
        "braces": f"{{{guid.lower()}}}",
    }
    return forms[how]


@pytest.mark.parametrize("how", ["reference", "other case", "backslashes", "guid", "braces"])
async def test_every_form_of_reference_acknowledges(how: str) -> None:
    """CONTRACT "alarms": ack by full reference `Provider!Group.Name` or by GUID; `status` stays empty."""
    async with alarm_rig() as rig:
        rig.set(FIRST, True)
        rig.set(SECOND, True)
        feed = await rig.feed()
        reply = await rig.acknowledge(spelled(rig, how))
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK
        assert reply.HasField("hresult")
        assert reply.hresult == 0
        assert not reply.HasField("status")
        assert reply.correlation_id == "ack-1"
        (told,) = await feed.news()
        assert (told.alarm_full_reference, told.transition_kind) == (FIRST, ACKNOWLEDGE)


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "TestMachine_001.TestAlarm001",
        "Galaxy!TestArea",
        "Galaxy!.TestAlarm001",
        "!TestArea.X",
        r"\\Galaxy\TestArea",
    ],
)
async def test_any_other_form_is_an_invalid_request(reference: str) -> None:
    """CONTRACT "alarms": neither a full reference nor a GUID is INVALID_REQUEST, in the reply."""
    async with alarm_rig() as rig:
        rig.set(FIRST, True)
        reply = await rig.acknowledge(reference)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST
        assert reply.diagnostic_message
        assert not reply.HasField("status")
        assert not reply.HasField("hresult")


@pytest.mark.parametrize("reference", [FIRST, "Galaxy!TestArea.NoSuch.Alarm", "00000000-0000-4000-8000-000000000000"])
async def test_an_alarm_that_does_not_stand_is_a_failure(reference: str) -> None:
    """CONTRACT "commands", "alarms": an MXAccess failure is a reply; use its hresult and protocol status."""
    async with alarm_rig() as rig:
        reply = await rig.acknowledge(reference)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
        assert reply.hresult < 0
        assert not reply.HasField("status")


async def test_acknowledging_again_changes_nothing() -> None:
    """CONTRACT "alarms": a good ack has hresult 0; nobody is told twice and the first operator stays."""
    async with alarm_rig() as rig:
        rig.set(FIRST, True)
        feed = await rig.feed()
        await rig.acknowledge(FIRST, "first", "Maria")
        reply = await rig.acknowledge(FIRST, "second", "Ben")
        assert (reply.protocol_status.code, reply.hresult) == (pb.PROTOCOL_STATUS_CODE_OK, 0)
        assert [each.operator_user for each in await feed.news()] == ["Maria"]
        assert (await rig.query())[0].operator_comment == "first"


async def test_a_guid_is_good_for_one_activation() -> None:
    """CONTRACT "alarms": a GUID names one raise; cleared alarms are not kept."""
    async with alarm_rig() as rig:
        feed = await rig.feed()
        rig.set(FIRST, True)
        old = rig.gateway.alarms.guid_of(FIRST)
        await rig.acknowledge(old)
        rig.set(FIRST, False)
        rig.gateway.advance(1)
        rig.set(FIRST, True)
        assert rig.gateway.alarms.guid_of(FIRST) != old
        reply = await rig.acknowledge(old)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
        assert [each.transition_kind for each in await feed.news()] == [RAISE, ACKNOWLEDGE, CLEAR, RAISE]


async def test_the_subtags_show_the_acknowledgement() -> None:
    """CONTRACT "alarms" (subtags InAlarm, Acked, Priority, AckMsg): tags say what the alarm says."""
    async with alarm_rig() as rig:
        await rig.feed()

        def subtag(name: str) -> object:
            tag = rig.gateway.plant.resolve(f"TestMachine_001.TestAlarm001.{name}")
            assert tag is not None
            return rig.gateway.plant.signal(tag).sample(rig.gateway.clock.now_us()).value

        rig.set(FIRST, True)
        rig.gateway.advance(1)
        assert subtag("Acked") is False
        await rig.acknowledge(FIRST, "on my way")
        assert (subtag("Acked"), subtag("AckMsg")) == (True, "on my way")


async def test_acknowledging_needs_a_key_with_the_scope() -> None:
    """CONTRACT "auth", "scopes": AcknowledgeAlarm needs invoke:write."""
    key = ApiKey("reader", "secret", frozenset({"events:read", "invoke:read"}))
    async with alarm_rig(key=key) as rig:
        for metadata, code in (
            (rig.metadata, grpc.StatusCode.PERMISSION_DENIED),
            ((), grpc.StatusCode.UNAUTHENTICATED),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await rig.stub.AcknowledgeAlarm(
                    pb.AcknowledgeAlarmRequest(alarm_full_reference=FIRST), metadata=metadata
                )
            assert caught.value.code() == code


@pytest.mark.parametrize(
    ("constraints", "allowed"),
    [
        ({"write_subtrees": ["TestArea"]}, True),
        ({"write_subtrees": ["Area001"]}, False),
        ({"write_tag_globs": ["testmachine_001.*"]}, True),
        ({"write_tag_globs": ["Pump*"]}, False),
        ({"max_write_classification": Security.OPERATE}, True),
        ({"max_write_classification": Security.FREE_ACCESS}, False),
    ],
)
@pytest.mark.parametrize("by_guid", [False, True])
async def test_the_write_constraints_of_a_key_hold(
    constraints: dict[str, object], allowed: bool, by_guid: bool
) -> None:
    """CONTRACT "scopes": an acknowledgement is a write, so the key's write constraints decide: PERMISSION_DENIED."""
    key = ApiKey("operator", "secret", **constraints)  # type: ignore[arg-type]
    async with alarm_rig(key=key) as rig:
        rig.set(FIRST, True)
        feed = await rig.feed()
        reference = rig.gateway.alarms.guid_of(FIRST) if by_guid else FIRST
        if allowed:
            assert (await rig.acknowledge(reference)).hresult == 0
        else:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await rig.acknowledge(reference)
            assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
            assert await feed.news() == []
