"""What the contract does not know passes through, and is counted."""

from __future__ import annotations

from typing import Any

from support.fake_gateway import OK, FakeGateway, event
from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

FIELD_99 = bytes([0x9A, 0x06, 0x02]) + b"hi"  # field 99, two bytes


async def test_an_unknown_field_passes_through_and_is_counted(fake: FakeGateway, client: GatewayClient) -> None:
    async def opened(request: Any, context: Any) -> bytes:
        return pb.OpenSessionReply(session_id="session-1", protocol_status=OK).SerializeToString() + FIELD_99

    fake.unary["OpenSession"] = opened
    assert not client.unknowns
    session = await client.open_session()
    assert session.reply is not None
    assert FIELD_99 in session.reply.SerializeToString()
    assert client.unknowns.fields == {("OpenSessionReply", 99): 1}
    assert "field 99 of OpenSessionReply" in client.unknowns.sentences()[0]
    assert "regenerate" in repr(client.unknowns)


async def test_unknown_enum_values_and_inner_fields_are_counted(fake: FakeGateway, client: GatewayClient) -> None:
    async def invoke(request: Any, context: Any) -> pb.MxCommandReply:
        status = pb.MxStatusProxy.FromString(FIELD_99)
        reply = pb.MxCommandReply(protocol_status=OK, statuses=[status, status])
        reply.return_value.data_type = 77  # type: ignore[assignment]
        return reply

    fake.unary["Invoke"] = invoke
    session = await client.open_session()
    await session.advise(1, 2)
    assert client.unknowns.fields == {("MxStatusProxy", 99): 2}
    assert client.unknowns.values == {("MxDataType", 77): 1}


async def test_streams_are_sampled(fake: FakeGateway, client: GatewayClient) -> None:
    count = 2000

    async def produce(request: Any, context: Any) -> Any:
        for sequence in range(1, count + 1):
            yield event(sequence).SerializeToString() + FIELD_99

    fake.streams["StreamEvents"] = produce
    seen = [item async for item in client.session("session-1").stream_events()]
    assert len(seen) == count
    assert all(FIELD_99 in item.SerializeToString() for item in (seen[0], seen[-1]))
    assert 200 < client.unknowns.fields["MxEvent", 99] < count
