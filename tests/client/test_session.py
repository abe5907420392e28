"""Sessions: what is sent, what comes back, and what is refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from support.fake_gateway import OK, FakeGateway, event
from zb_mom_ww_mxgateway import (
    GatewayClient,
    MxAccessError,
    MxGatewayCommandError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWorkerError,
    OpenSessionOptions,
    to_mx_value,
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


SEVEN = pb.MxValue(data_type=pb.MX_DATA_TYPE_INTEGER, variant_type="VT_I4", int32_value=7)
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
AT = to_mx_value(MOMENT)
STATUS = pb.MxStatusProxy(success=1, category=pb.MX_STATUS_CATEGORY_OK)
SUBSCRIBED = pb.SubscribeResult(server_handle=12, tag_address="a.b", item_handle=3, was_successful=True)
SUBSCRIBE_REPLY = pb.BulkSubscribeReply(results=[SUBSCRIBED])
WRITTEN = pb.BulkWriteResult(server_handle=12, item_handle=3, was_successful=True)
WRITE_REPLY = pb.BulkWriteReply(results=[WRITTEN])
READ = pb.BulkReadResult(tag_address="a.b", was_successful=True, value=SEVEN)
WORKER = pb.WorkerInfoReply(worker_process_id=4711)
ENTRIES = {
    "write_bulk": pb.WriteBulkEntry(item_handle=3, value=SEVEN, user_id=1),
    "write2_bulk": pb.Write2BulkEntry(item_handle=3, value=SEVEN, timestamp_value=AT),
    "write_secured_bulk": pb.WriteSecuredBulkEntry(item_handle=3, value=SEVEN, current_user_id=1),
    "write_secured2_bulk": pb.WriteSecured2BulkEntry(item_handle=3, value=SEVEN, timestamp_value=AT),
}
ITEM = {"server_handle": 12, "item_handle": 3}

# method, arguments, the reply's payload, the result, the command's fields
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], Any, dict[str, Any]]] = [
    ("register", ("me",), {"register": pb.RegisterReply(server_handle=12)}, 12, {"client_name": "me"}),
    ("unregister", (12,), {}, None, {"server_handle": 12}),
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
    (
        "add_buffered_item",
        (12, "Speed", "Pump_001"),
        {"add_buffered_item": pb.AddBufferedItemReply(item_handle=5)},
        5,
        {"server_handle": 12, "item_definition": "Speed", "item_context": "Pump_001"},
    ),
    (
        "set_buffered_update_interval",
        (12, timedelta(seconds=2)),
        {},
        None,
        {"server_handle": 12, "update_interval_milliseconds": 2000},
    ),
    ("remove_item", (12, 3), {}, None, ITEM),
    ("advise", (12, 3), {}, None, ITEM),
    ("un_advise", (12, 3), {}, None, ITEM),
    ("unadvise", (12, 3), {}, None, ITEM),
    ("advise_supervisory", (12, 3), {}, None, ITEM),
    ("suspend", (12, 3), {"suspend": pb.SuspendReply(status=STATUS)}, STATUS, ITEM),
    ("activate", (12, 3), {"activate": pb.ActivateReply(status=STATUS)}, STATUS, ITEM),
    ("write", (12, 3, 7, 5), {}, None, {**ITEM, "value": SEVEN, "user_id": 5}),
    ("write2", (12, 3, 7, MOMENT, 5), {}, None, {**ITEM, "value": SEVEN, "timestamp_value": AT, "user_id": 5}),
    (
        "write_secured",
        (12, 3, 7, 5, 6),
        {},
        None,
        {**ITEM, "value": SEVEN, "current_user_id": 5, "verifier_user_id": 6},
    ),
    (
        "write_secured2",
        (12, 3, 7, MOMENT, 5, 6),
        {},
        None,
        {**ITEM, "value": SEVEN, "timestamp_value": AT, "current_user_id": 5, "verifier_user_id": 6},
    ),
    (
        "authenticate_user",
        (12, "anna", "hunter2"),
        {"authenticate_user": pb.AuthenticateUserReply(user_id=9)},
        9,
        {"server_handle": 12, "verify_user": "anna", "verify_user_password": "hunter2"},
    ),
    (
        "archestra_user_to_id",
        (12, "guid"),
        {"archestra_user_to_id": pb.ArchestrAUserToIdReply(user_id=9)},
        9,
        {"server_handle": 12, "user_id_guid": "guid"},
    ),
    *[
        (name, (12, ["a.b"]), {name: SUBSCRIBE_REPLY}, [SUBSCRIBED], {"server_handle": 12, "tag_addresses": ["a.b"]})
        for name in ("add_item_bulk", "subscribe_bulk")
    ],
    *[
        (name, (12, [3]), {payload: SUBSCRIBE_REPLY}, [SUBSCRIBED], {"server_handle": 12, "item_handles": [3]})
        for name, payload in (
            ("advise_item_bulk", "advise_item_bulk"),
            ("remove_item_bulk", "remove_item_bulk"),
            ("unadvise_item_bulk", "un_advise_item_bulk"),
            ("unsubscribe_bulk", "unsubscribe_bulk"),
        )
    ],
    *[
        (name, (12, [entry]), {name: WRITE_REPLY}, [WRITTEN], {"server_handle": 12, "entries": [entry]})
        for name, entry in ENTRIES.items()
    ],
    (
        "read_bulk",
        (12, ["a.b"]),
        {"read_bulk": pb.BulkReadReply(results=[READ])},
        [READ],
        {"server_handle": 12, "tag_addresses": ["a.b"]},
    ),
    ("ping", ("hello",), {}, None, {"message": "hello"}),
    (
        "get_session_state",
        (),
        {"session_state": pb.SessionStateReply(state=pb.SESSION_STATE_READY)},
        pb.SESSION_STATE_READY,
        {},
    ),
    ("get_worker_info", (), {"worker_info": WORKER}, WORKER, {}),
    ("drain_events", (5,), {"drain_events": pb.DrainEventsReply(events=[event(1)])}, [event(1)], {"max_events": 5}),
    ("shutdown_worker", (timedelta(seconds=3),), {}, None, {"grace_period": Duration(seconds=3)}),
]
WITH_PAYLOAD = [call for call in CALLS if call[2]]


def arguments_of(name: str) -> tuple[Any, ...]:
    return next(call[1] for call in CALLS if call[0] == name)


@pytest.mark.parametrize(("name", "arguments", "answer", "result", "sent"), CALLS, ids=[call[0] for call in CALLS])
async def test_a_method_sends_its_command_and_returns_its_payload(
    fake: FakeGateway, client: GatewayClient, name: str, arguments: Any, answer: Any, result: Any, sent: Any
) -> None:
    fake.unary["Invoke"] = answering(**answer)
    session = await client.open_session()
    assert await getattr(session, name)(*arguments) == result
    command = fake.requests[-1][1].command
    payload = name.replace("unadvise", "un_advise")
    assert command.kind == pb.MxCommandKind.Value(f"MX_COMMAND_KIND_{payload.upper()}")
    assert command.WhichOneof("payload") == payload
    assert {field.name: value for field, value in getattr(command, payload).ListFields()} == sent
    assert fake.requests[-1][1].session_id == session.session_id


def test_every_command_of_the_contract_has_a_method() -> None:
    """All kinds but the internal ones of the gateway's alarm monitor."""
    internal = {
        "subscribe_alarms",
        "unsubscribe_alarms",
        "acknowledge_alarm_command",
        "query_active_alarms_command",
        "acknowledge_alarm_by_name_command",
    }
    payloads = {field.name for field in pb.MxCommand.DESCRIPTOR.oneofs_by_name["payload"].fields}
    assert payloads - internal == {name.replace("unadvise", "un_advise") for name, *_ in CALLS}


@pytest.mark.parametrize("call", WITH_PAYLOAD, ids=[call[0] for call in WITH_PAYLOAD])
async def test_an_ok_reply_without_its_payload_is_an_error(
    fake: FakeGateway, client: GatewayClient, call: tuple[Any, ...]
) -> None:
    name, arguments, answer, *_ = call
    fake.unary["Invoke"] = answering()
    session = await client.open_session()
    with pytest.raises(MxGatewayCommandError, match=f"without its {next(iter(answer))} payload") as caught:
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


async def test_a_password_is_in_no_error(fake: FakeGateway, client: GatewayClient) -> None:
    failure = pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE, message="unknown user")
    fake.unary["Invoke"] = answering(protocol_status=failure)
    session = await client.open_session()
    with pytest.raises(MxAccessError, match="unknown user") as caught:
        await session.authenticate_user(1, "anna", "hunter2")
    assert "hunter2" not in f"{caught.value!s} {caught.value!r}"


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("set_buffered_update_interval", (1, 0), "at least 1 ms"),
        ("drain_events", (-1,), "max_events=-1"),
        ("write_bulk", (1, []), "at least one"),
        ("advise_item_bulk", (1, []), "at least one"),
        ("read_bulk", (1, []), "at least one"),
        ("authenticate_user", (1, "", "x"), "give a name"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anything_is_sent(
    fake: FakeGateway, client: GatewayClient, name: str, arguments: Any, words: str
) -> None:
    session = await client.open_session()
    with pytest.raises(ValueError, match=words):
        await getattr(session, name)(*arguments)
    with pytest.raises(ValueError, match="timeout_ms"):
        await session.read_bulk(1, ["a.b"], timeout_ms=-1)
    assert fake.rpcs() == ["OpenSession"]


async def test_a_reply_that_is_no_message_is_an_error(fake: FakeGateway, client: GatewayClient) -> None:
    async def garbage(request: Any, context: Any) -> bytes:
        return b"\xff\xff\xff"

    fake.unary["OpenSession"] = garbage
    with pytest.raises(MxGatewayTransportError, match="OpenSession cannot be decoded"):
        await client.open_session()


async def test_a_close_that_the_gateway_refuses_is_an_error(fake: FakeGateway, client: GatewayClient) -> None:
    async def refuse(request: Any, context: Any) -> pb.CloseSessionReply:
        code = pb.PROTOCOL_STATUS_CODE_WORKER_UNAVAILABLE
        return pb.CloseSessionReply(protocol_status=pb.ProtocolStatus(code=code, message="the worker hangs"))

    session = await client.open_session()
    fake.unary["CloseSession"] = refuse
    with pytest.raises(MxGatewayWorkerError, match="the worker hangs"):
        await session.close()
