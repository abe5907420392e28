"""Sessions: what is sent, what comes back, and what is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest

from support.fake_gateway import OK, FakeGateway
from zb_mom_ww_mxgateway import (
    GatewayClient,
    MxAccessError,
    MxGatewayCommandError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWorkerError,
    OpenSessionOptions,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb


def answering(**fields: Any) -> Any:
    async def invoke(request: pb.MxCommandRequest, context: Any) -> pb.MxCommandReply:
        reply = pb.MxCommandReply(
            session_id=request.session_id,
            correlation_id=request.client_correlation_id,
            kind=request.command.kind,
            protocol_status=OK,
        )
        reply.MergeFrom(pb.MxCommandReply(**fields))
        return reply

    return invoke


CALLS = [
    ("register", ("me",), {"register": pb.RegisterReply(server_handle=12)}, 12, {"client_name": "me"}),
    (
        "add_item",
        (12, "Pump_001.Speed"),
        {"add_item": pb.AddItemReply(item_handle=3)},
        3,
        {"server_handle": 12, "item_definition": "Pump_001.Speed"},
    ),
    (
        "add_item2",
        (12, "Speed", "Pump_001"),
        {"add_item2": pb.AddItem2Reply(item_handle=4)},
        4,
        {"server_handle": 12, "item_definition": "Speed", "item_context": "Pump_001"},
    ),
    ("advise", (12, 3), {}, None, {"server_handle": 12, "item_handle": 3}),
    (
        "write",
        (12, 3, 7, 5),
        {},
        None,
        {
            "server_handle": 12,
            "item_handle": 3,
            "user_id": 5,
            "value": pb.MxValue(data_type=pb.MX_DATA_TYPE_INTEGER, variant_type="VT_I4", int32_value=7),
        },
    ),
]


@pytest.mark.parametrize(("name", "arguments", "answer", "result", "sent"), CALLS, ids=[call[0] for call in CALLS])
async def test_a_method_sends_its_command_and_returns_its_payload(
    fake: FakeGateway, client: GatewayClient, name: str, arguments: Any, answer: Any, result: Any, sent: Any
) -> None:
    fake.unary["Invoke"] = answering(**answer)
    session = await client.open_session()
    assert await getattr(session, name)(*arguments) == result
    command = fake.requests[-1][1].command
    assert command.kind == pb.MxCommandKind.Value(f"MX_COMMAND_KIND_{name.upper()}")
    assert command.WhichOneof("payload") == name
    assert {field.name: value for field, value in getattr(command, name).ListFields()} == sent
    assert fake.requests[-1][1].session_id == session.session_id


@pytest.mark.parametrize("name", ["register", "add_item", "add_item2"])
async def test_an_ok_reply_without_its_payload_is_an_error(fake: FakeGateway, client: GatewayClient, name: str) -> None:
    fake.unary["Invoke"] = answering()
    session = await client.open_session()
    arguments = next(call[1] for call in CALLS if call[0] == name)
    with pytest.raises(MxGatewayCommandError, match=f"without its {name} payload") as caught:
        await getattr(session, name)(*arguments)
    assert isinstance(caught.value.reply, pb.MxCommandReply)


async def test_handle_zero_is_not_a_handle(fake: FakeGateway, client: GatewayClient) -> None:
    fake.unary["Invoke"] = answering(register=pb.RegisterReply(server_handle=0))
    session = await client.open_session()
    with pytest.raises(MxGatewayCommandError, match="handle 0"):
        await session.register("me")


async def test_a_refusal_by_mxaccess_carries_what_the_plant_said(fake: FakeGateway, client: GatewayClient) -> None:
    status = pb.MxStatusProxy(
        success=0, category=pb.MX_STATUS_CATEGORY_SECURITY_ERROR, detail=8, diagnostic_text="not allowed"
    )
    fake.unary["Invoke"] = answering(
        protocol_status=pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE, message="MXAccess said no"),
        hresult=0x80070057 - 2**32,
        statuses=[status],
    )
    session = await client.open_session()
    with pytest.raises(MxAccessError) as caught:
        await session.advise(1, 2)
    error = caught.value
    assert error.hresult == 0x80070057
    assert error.statuses == (status,)
    assert isinstance(error.reply, pb.MxCommandReply)
    assert error.correlation_id == fake.requests[-1][1].client_correlation_id
    for part in (
        "advise of item handle 2",
        "MXAccess said no",
        "0x80070057 E_INVALIDARG",
        "SECURITY_ERROR",
        "detail 8",
    ):
        assert part in str(error)


async def test_success_zero_alone_is_no_failure(fake: FakeGateway, client: GatewayClient) -> None:
    fake.unary["Invoke"] = answering(statuses=[pb.MxStatusProxy(success=0)], hresult=1)
    session = await client.open_session()
    await session.advise(1, 2)


async def test_an_ok_reply_with_a_failing_status_or_hresult_is_a_failure(
    fake: FakeGateway, client: GatewayClient
) -> None:
    session = await client.open_session()
    fake.unary["Invoke"] = answering(statuses=[pb.MxStatusProxy(category=pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR)])
    with pytest.raises(MxAccessError, match="CONFIGURATION_ERROR"):
        await session.advise(1, 2)
    fake.unary["Invoke"] = answering(hresult=-2147467259)
    with pytest.raises(MxAccessError, match="0x80004005 E_FAIL"):
        await session.advise(1, 2)


async def test_a_reply_without_a_status_is_an_error(fake: FakeGateway, client: GatewayClient) -> None:
    async def invoke(request: Any, context: Any) -> pb.MxCommandReply:
        return pb.MxCommandReply()

    fake.unary["Invoke"] = invoke
    session = await client.open_session()
    with pytest.raises(MxGatewayCommandError, match="no protocol status"):
        await session.advise(1, 2)


async def test_every_call_has_a_correlation_id_of_its_own(fake: FakeGateway, client: GatewayClient) -> None:
    fake.unary["Invoke"] = answering()
    session = await client.open_session()
    for _ in range(3):
        await session.advise(1, 2)
    await session.close()
    ids = [request.client_correlation_id for _, request in fake.requests]
    assert all(ids)
    assert len(set(ids)) == len(ids) == 5


async def test_the_callers_correlation_id_is_kept(fake: FakeGateway, client: GatewayClient) -> None:
    fake.unary["Invoke"] = answering()
    session = await client.open_session(OpenSessionOptions(client_correlation_id="mine-1"))
    await session.advise(1, 2, correlation_id="mine-2")
    assert [request.client_correlation_id for _, request in fake.requests] == ["mine-1", "mine-2"]


async def test_open_session_sends_its_options(fake: FakeGateway, client: GatewayClient) -> None:
    options = OpenSessionOptions(client_session_name="shift-1", requested_backend="b", command_timeout=2.5)
    await client.open_session(options)
    request = fake.requests[-1][1]
    assert (request.client_session_name, request.requested_backend) == ("shift-1", "b")
    assert request.command_timeout.ToTimedelta() == timedelta(seconds=2.5)
    with pytest.raises(ValueError, match="command_timeout"):
        await client.open_session(OpenSessionOptions(command_timeout=0))
    with pytest.raises(TypeError, match="not both"):
        await client.open_session(options, client_session_name="x")


async def test_open_session_that_is_refused_or_empty_is_an_error(fake: FakeGateway, client: GatewayClient) -> None:
    async def refuse(request: Any, context: Any) -> pb.OpenSessionReply:
        code = pb.PROTOCOL_STATUS_CODE_WORKER_UNAVAILABLE
        return pb.OpenSessionReply(protocol_status=pb.ProtocolStatus(code=code, message="worker did not start"))

    fake.unary["OpenSession"] = refuse
    with pytest.raises(MxGatewayWorkerError, match="worker did not start"):
        await client.open_session()

    async def empty(request: Any, context: Any) -> pb.OpenSessionReply:
        return pb.OpenSessionReply(protocol_status=OK)

    fake.unary["OpenSession"] = empty
    with pytest.raises(MxGatewayCommandError, match="session id"):
        await client.open_session()


async def test_concurrent_closes_make_one_call(fake: FakeGateway, client: GatewayClient) -> None:
    session = await client.open_session()
    await asyncio.gather(*(session.close() for _ in range(10)))
    await session.close()
    assert fake.rpcs().count("CloseSession") == 1
    with pytest.raises(MxGatewaySessionError, match="closed"):
        await session.register("me")


async def test_a_block_left_by_an_exception_closes_the_session_and_keeps_the_exception(
    fake: FakeGateway, client: GatewayClient
) -> None:
    with pytest.raises(RuntimeError, match="mine"):
        async with await client.open_session():
            raise RuntimeError("mine")
    assert fake.rpcs()[-1] == "CloseSession"

    async def broken(request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.INTERNAL, "no")

    fake.unary["CloseSession"] = broken
    with pytest.raises(RuntimeError, match="mine"):
        async with await client.open_session():
            raise RuntimeError("mine")
    with pytest.raises(MxGatewayTransportError, match="no"):
        async with await client.open_session():
            pass


async def test_closing_the_client_closes_its_own_sessions_only(fake: FakeGateway) -> None:
    async with await GatewayClient.connect(fake.endpoint, plaintext=True) as client:
        mine = await client.open_session()
        client.session("session-of-somebody-else")
        closed = await client.open_session()
        await closed.close()
    ended = [request.session_id for name, request in fake.requests if name == "CloseSession"]
    assert sorted(ended) == sorted([mine.session_id, closed.session_id])
    await client.close()
    with pytest.raises(MxGatewayTransportError, match="closed"):
        await client.open_session()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("register", ("",)), ("add_item", (1, "  ")), ("add_item2", (1, "", "x")), ("subscribe_bulk", (1, ["a", ""]))],
)
async def test_an_empty_name_is_refused_before_anything_is_sent(
    fake: FakeGateway, client: GatewayClient, name: str, arguments: Any
) -> None:
    session = await client.open_session()
    with pytest.raises(ValueError, match="give a name"):
        await getattr(session, name)(*arguments)
    with pytest.raises(ValueError, match="at least one"):
        await session.subscribe_bulk(1, [])
    assert fake.rpcs() == ["OpenSession"]


async def test_a_large_bulk_is_split_and_joined_in_order(fake: FakeGateway, client: GatewayClient) -> None:
    async def invoke(request: pb.MxCommandRequest, context: Any) -> pb.MxCommandReply:
        addresses = request.command.subscribe_bulk.tag_addresses
        results = [pb.SubscribeResult(tag_address=address, item_handle=1, was_successful=True) for address in addresses]
        return pb.MxCommandReply(protocol_status=OK, subscribe_bulk=pb.BulkSubscribeReply(results=results))

    fake.unary["Invoke"] = invoke
    session = await client.open_session()
    tags = [f"Tag.{number}" for number in range(2500)]
    results = await session.subscribe_bulk(1, tags)
    assert [result.tag_address for result in results] == tags
    assert fake.rpcs().count("Invoke") == 3


async def test_a_bulk_reply_of_the_wrong_length_is_an_error(fake: FakeGateway, client: GatewayClient) -> None:
    fake.unary["Invoke"] = answering(subscribe_bulk=pb.BulkSubscribeReply())
    session = await client.open_session()
    with pytest.raises(MxGatewayCommandError, match="2 entries was answered with 0 results"):
        await session.subscribe_bulk(1, ["a.b", "c.d"])


async def test_raw_forms_check_nothing(fake: FakeGateway, client: GatewayClient) -> None:
    failure = pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE)
    fake.unary["Invoke"] = answering(protocol_status=failure)
    opened = await client.open_session_raw(pb.OpenSessionRequest(client_session_name="raw"))
    assert isinstance(opened, pb.OpenSessionReply)
    command = pb.MxCommand(kind=pb.MX_COMMAND_KIND_PING, ping=pb.PingCommand())
    request = pb.MxCommandRequest(session_id=opened.session_id, command=command)
    reply = await client.invoke_raw(request)
    assert reply.protocol_status == failure
    assert not request.client_correlation_id, "the caller's message is not changed"
    with pytest.raises(MxAccessError):
        await client.invoke(request)
    closed = await client.close_session_raw(pb.CloseSessionRequest(session_id=opened.session_id))
    assert closed.final_state == pb.SESSION_STATE_CLOSED
