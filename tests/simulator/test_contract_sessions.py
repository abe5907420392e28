"""CONTRACT.md, rows "sessions" and "commands", and the statuses that are not known, against the generated stubs."""

from __future__ import annotations

import asyncio
import re

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from support.raw import PAYLOADS, code_of, command, raw_gateway, read, read_all, until
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.simulator import Limits

E_INVALIDARG = 0x80070057 - 2**32
SLOW = Limits(first_value_delay=60.0, value_delay=60.0, read_timeout=100.0)


async def test_sessions_are_ready_when_opened() -> None:
    async with raw_gateway() as raw:
        reply = await raw.open(client_session_name="test")
        assert re.fullmatch(r"session-[0-9a-f]{32}", reply.session_id)
        assert reply.gateway_protocol_version == 3
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK
        assert reply.default_command_timeout.seconds == 30
        state = await raw.invoke("get_session_state")
        assert state.session_state.state == pb.SESSION_STATE_READY


async def test_sessions_close_is_idempotent_while_the_session_is_known() -> None:
    async with raw_gateway() as raw:
        await raw.open()
        assert [(await raw.close()).final_state for _ in range(3)] == [pb.SESSION_STATE_CLOSED] * 3
        assert await code_of(raw.invoke("ping")) is grpc.StatusCode.NOT_FOUND
        await raw.gateway.aadvance(400)
        assert await code_of(raw.close()) is grpc.StatusCode.NOT_FOUND


async def test_sessions_at_most_64() -> None:
    async with raw_gateway() as raw:
        opened = [(await raw.open()).session_id for _ in range(64)]
        assert len(set(opened)) == 64
        assert await code_of(raw.open()) is grpc.StatusCode.RESOURCE_EXHAUSTED
        await raw.close(opened[0])
        assert (await raw.open()).session_id


async def test_sessions_lease_of_1800_s_is_renewed_by_calls() -> None:
    async with raw_gateway() as raw:
        await raw.open()
        for _ in range(3):
            await raw.gateway.aadvance(1700)
            await raw.invoke("ping")
        await raw.gateway.aadvance(1861)
        assert raw.gateway.sessions == []
        assert await code_of(raw.invoke("ping")) is grpc.StatusCode.NOT_FOUND


async def test_sessions_an_attached_stream_keeps_the_session() -> None:
    async with raw_gateway() as raw:
        await raw.open()
        stream = await raw.attach()
        await raw.gateway.aadvance(4000)
        assert raw.gateway.sessions == [raw.session_id]
        stream.cancel()


async def test_sessions_end_30_s_after_the_last_stream_detached_whatever_else_is_called() -> None:
    async with raw_gateway() as raw:
        await raw.open()
        await raw.detach(await raw.attach())
        await raw.gateway.aadvance(29)
        await raw.invoke("ping")
        await raw.gateway.aadvance(32)
        assert raw.gateway.sessions == []


async def test_sessions_attaching_again_ends_the_grace() -> None:
    async with raw_gateway() as raw:
        await raw.open()
        await raw.detach(await raw.attach())
        await raw.gateway.aadvance(20)
        stream = await raw.attach()
        await raw.gateway.aadvance(100)
        assert raw.gateway.sessions == [raw.session_id]
        stream.cancel()


async def test_sessions_the_stream_of_a_closed_session_ends_cleanly() -> None:
    async with raw_gateway() as raw:
        await raw.ready()
        stream = await raw.attach()
        await raw.close()
        assert await read_all(stream) == []
        assert await stream.code() is grpc.StatusCode.OK


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_commands_kind_and_payload_must_agree(payload: str) -> None:
    async with raw_gateway() as raw:
        await raw.open()
        wrong = command(payload.removesuffix("_command"))
        wrong.kind = pb.MX_COMMAND_KIND_PING if payload != "ping" else pb.MX_COMMAND_KIND_ADVISE
        request = pb.MxCommandRequest(session_id=raw.session_id, client_correlation_id="c-2", command=wrong)
        reply = await raw.stub.Invoke(request, metadata=raw.metadata)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST
        assert reply.correlation_id == "c-2"
        assert reply.WhichOneof("payload") is None


async def test_commands_a_failure_of_mxaccess_is_a_reply() -> None:
    async with raw_gateway() as raw:
        await raw.ready()
        reply = await raw.invoke("advise", server_handle=raw.server_handle, item_handle=77)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
        assert reply.hresult == E_INVALIDARG
        assert reply.statuses[0].category != pb.MX_STATUS_CATEGORY_OK
        reply = await raw.invoke("add_item", server_handle=77, item_definition="Pump001.Speed")
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE


async def test_commands_time_out_after_30_s_and_run_on() -> None:
    async with raw_gateway(limits=SLOW) as raw:
        await raw.ready()
        late = raw.later("read_bulk", 30, server_handle=raw.server_handle, tag_addresses=["Pump001.Speed"])
        assert await code_of(late) is grpc.StatusCode.DEADLINE_EXCEEDED
        assert len(raw.gateway._running().pending) == 1
        await raw.gateway.aadvance(31)
        await until(lambda: len(raw.gateway._running().pending) == 0)


async def test_commands_take_the_session_s_own_timeout() -> None:
    async with raw_gateway(limits=SLOW) as raw:
        reply = await raw.open(command_timeout=Duration(seconds=5))
        assert reply.default_command_timeout.seconds == 5
        await raw.register()
        late = raw.later("read_bulk", 5, server_handle=raw.server_handle, tag_addresses=["Pump001.Speed"])
        assert await code_of(late) is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_commands_a_client_s_deadline_stops_the_waiting_not_the_command() -> None:
    async with raw_gateway(limits=SLOW) as raw:
        await raw.ready()
        tags = ["Pump001.Speed"]
        late = raw.invoke("read_bulk", timeout=0.1, server_handle=raw.server_handle, tag_addresses=tags)
        assert await code_of(late) is grpc.StatusCode.DEADLINE_EXCEEDED
        assert len(raw.gateway._running().pending) == 1
        state = await raw.invoke("get_session_state")
        assert state.session_state.state == pb.SESSION_STATE_READY


async def test_commands_at_most_128_pending() -> None:
    async with raw_gateway(limits=SLOW) as raw:
        await raw.ready()
        tags = ["Pump001.Speed"]
        waiting = [
            asyncio.create_task(raw.invoke("read_bulk", server_handle=raw.server_handle, tag_addresses=tags))
            for _ in range(128)
        ]
        await until(lambda: len(raw.gateway._running().pending) == 128)
        assert await code_of(raw.invoke("ping")) is grpc.StatusCode.RESOURCE_EXHAUSTED
        await raw.gateway.aadvance(30)
        codes = {await code_of(task) for task in waiting}
        assert codes == {grpc.StatusCode.DEADLINE_EXCEEDED}


async def test_statuses_unknown_session() -> None:
    async with raw_gateway() as raw:
        raw.session_id = "session-" + "0" * 32
        assert await code_of(raw.invoke("ping")) is grpc.StatusCode.NOT_FOUND
        assert await code_of(raw.close()) is grpc.StatusCode.NOT_FOUND
        assert await code_of(raw.stream().read()) is grpc.StatusCode.NOT_FOUND


async def test_statuses_a_faulted_session_is_not_ready_and_can_only_be_closed() -> None:
    async with raw_gateway(limits=SLOW) as raw:
        await raw.ready()
        await raw.advise("TestMachine_001.TestChangingInt")
        stream = await raw.attach()
        late = asyncio.create_task(
            raw.invoke("read_bulk", server_handle=raw.server_handle, tag_addresses=["Pump001.Speed"])
        )
        await until(lambda: len(raw.gateway._running().pending) == 1)
        raw.gateway.fault_session(raw.session_id)
        assert await code_of(late) is grpc.StatusCode.UNAVAILABLE
        await read_all(stream)
        assert await stream.code() is grpc.StatusCode.UNAVAILABLE
        assert await code_of(raw.invoke("ping")) is grpc.StatusCode.FAILED_PRECONDITION
        assert await code_of(raw.stream().read()) is grpc.StatusCode.FAILED_PRECONDITION
        assert (await raw.close()).final_state == pb.SESSION_STATE_CLOSED


async def test_statuses_a_session_whose_worker_was_shut_down_is_not_ready() -> None:
    async with raw_gateway() as raw:
        await raw.open()
        assert (await raw.invoke("shutdown_worker")).protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK
        assert await code_of(raw.invoke("ping")) is grpc.StatusCode.FAILED_PRECONDITION


async def test_statuses_an_rpc_that_does_not_exist_is_unimplemented() -> None:
    async with raw_gateway() as raw:
        missing = raw.channel.unary_unary("/mxaccess_gateway.v1.MxAccessGateway/NoSuch")
        assert await code_of(missing(b"", metadata=raw.metadata)) is grpc.StatusCode.UNIMPLEMENTED


async def test_limits_messages_of_16_mib() -> None:
    async with raw_gateway() as raw:
        await raw.open()
        assert await code_of(raw.invoke("ping", message="x" * (17 << 20))) is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_commands_answer_under_the_caller_s_correlation() -> None:
    async with raw_gateway() as raw:
        await raw.open()
        reply = await raw.invoke("get_worker_info")
        assert (reply.session_id, reply.correlation_id) == (raw.session_id, "c-1")
        assert reply.kind == pb.MX_COMMAND_KIND_GET_WORKER_INFO
        assert reply.worker_info.worker_process_id > 0


async def test_alarm_stream_begins_with_the_snapshot() -> None:
    async with raw_gateway() as raw:
        stream = raw.stub.StreamAlarms(pb.StreamAlarmsRequest(), metadata=raw.metadata)
        kinds = []
        while "provider_status" not in kinds:
            kinds.append((await read(stream, 1))[0].WhichOneof("payload"))
        stream.cancel()
        assert kinds[-2:] == ["snapshot_complete", "provider_status"]
        assert set(kinds[:-2]) <= {"active_alarm"}
