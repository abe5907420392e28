"""The alarm rpcs of the client."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from support.fake_gateway import OK, FakeGateway
from zb_mom_ww_mxgateway import GatewayClient, MxAccessError, MxGatewayCommandError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

REFERENCE = "Galaxy!Area001.Pump001.PumpFault"


async def test_the_snapshot_is_a_finite_stream(fake: FakeGateway, client: GatewayClient) -> None:
    async def produce(request: Any, context: Any) -> Any:
        yield pb.ActiveAlarmSnapshot(alarm_full_reference=REFERENCE)

    fake.streams["QueryActiveAlarms"] = produce
    found = [item.alarm_full_reference async for item in client.query_active_alarms("Galaxy!Area001.")]
    assert found == [REFERENCE]
    request = fake.requests[-1][1]
    assert request.alarm_filter_prefix == "Galaxy!Area001."
    assert request.client_correlation_id
    whole = pb.QueryActiveAlarmsRequest(alarm_filter_prefix="x")
    _ = [item async for item in client.query_active_alarms(whole)]
    assert fake.requests[-1][1] == whole


async def test_the_feed_comes_in_order(fake: FakeGateway, client: GatewayClient) -> None:
    sent = [
        pb.AlarmFeedMessage(active_alarm=pb.ActiveAlarmSnapshot(alarm_full_reference=REFERENCE)),
        pb.AlarmFeedMessage(snapshot_complete=True),
        pb.AlarmFeedMessage(provider_status=pb.AlarmProviderStatus(mode=pb.ALARM_PROVIDER_MODE_ALARMMGR)),
        pb.AlarmFeedMessage(transition=pb.OnAlarmTransitionEvent(alarm_full_reference=REFERENCE)),
    ]

    async def produce(request: Any, context: Any) -> Any:
        for message in sent:
            yield message

    fake.streams["StreamAlarms"] = produce
    assert [message async for message in client.stream_alarms("Galaxy!")] == sent
    assert fake.requests[-1][1].alarm_filter_prefix == "Galaxy!"


async def test_an_acknowledgement_is_judged_by_hresult_and_protocol_status(
    fake: FakeGateway, client: GatewayClient
) -> None:
    reply = pb.AcknowledgeAlarmReply(protocol_status=OK)

    async def answer(request: Any, context: Any) -> pb.AcknowledgeAlarmReply:
        return reply

    fake.unary["AcknowledgeAlarm"] = answer
    assert await client.acknowledge_alarm(REFERENCE, "looked at it", "anna") == reply
    request = fake.requests[-1][1]
    assert (request.alarm_full_reference, request.comment, request.operator_user) == (REFERENCE, "looked at it", "anna")
    assert request.client_correlation_id
    reply.hresult = -2147024809
    with pytest.raises(MxAccessError, match="0x80070057"):
        await client.acknowledge_alarm(REFERENCE)
    assert (await client.acknowledge_alarm_raw(request)).hresult == -2147024809
    with pytest.raises(ValueError, match="give a name"):
        await client.acknowledge_alarm(" ")


async def test_a_refusal_in_the_degraded_mode_is_a_command_error(fake: FakeGateway, client: GatewayClient) -> None:
    async def refuse(request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the comment subtag was not written")

    fake.unary["AcknowledgeAlarm"] = refuse
    with pytest.raises(MxGatewayCommandError, match="comment subtag"):
        await client.acknowledge_alarm(REFERENCE)
