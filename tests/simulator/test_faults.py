"""Each fault on demand, as a client of the generated stubs meets it."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from support.raw import Raw, code_of, raw_gateway, read, read_all, until
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.simulator import (
    DelayReplies,
    DropStream,
    Fault,
    FaultSession,
    MalformedReply,
    OverflowSubscriber,
    RefuseKey,
    Restart,
    SimulatedGateway,
    SkipSequence,
    StallStream,
    TimeoutCommand,
    UnknownEnum,
    UnknownField,
    WallClock,
    parse_fault,
)

TAGS = [f"TestMachine_00{n}.TestChangingInt" for n in (1, 2, 3)]


async def streaming(raw: Raw) -> asyncio.Task[list[pb.MxEvent]]:
    """Everything that a stream brings in a minute; it is still to end."""
    await raw.ready()
    await raw.invoke("subscribe_bulk", server_handle=raw.server_handle, tag_addresses=TAGS)
    stream = await raw.attach()
    await raw.gateway.aadvance(60)
    return stream


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop-stream", DropStream()),
        ("drop-stream:after=100", DropStream(after=100)),
        (" drop-stream: after=1, times=0, code=INTERNAL ", DropStream(after=1, times=0, code="INTERNAL")),
        ("stall-stream:seconds=2.5", StallStream(seconds=2.5)),
        ("delay-replies:command=read_bulk,seconds=3", DelayReplies(command="read_bulk", seconds=3.0)),
        ("restart:at=10,down=2", Restart(at=10.0, down=2.0)),
        ("refuse-key:key=x", RefuseKey(key="x")),
    ],
)
def test_text_of_a_fault(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "no fault is called 'nonsense'; there are: .*drop-stream.*unknown-field"),
        ("drop-stream:afer=1", "no setting 'afer=1'; it has: after=0, times=1, rpc=StreamEvents"),
        ("drop-stream:after", "no setting 'after'"),
        ("drop-stream:after=many", "after='many' is not a number"),
        ("drop-stream:after=-1", "must not be negative"),
        ("drop-stream:code=FINE", "'FINE' is not the name of a gRPC error"),
    ],
)
def test_text_that_is_no_fault_says_what_there_is(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_fault(text)


async def test_drop_the_stream_after_some_events_once() -> None:
    async with raw_gateway(faults=[DropStream(after=10)]) as raw:
        stream = await streaming(raw)
        assert len(await read_all(stream)) == 10
        assert await stream.code() is grpc.StatusCode.UNAVAILABLE
        stream = await raw.attach(after=10)
        (event,) = await read(stream, 1)
        assert event.worker_sequence == 11
        stream.cancel()


async def test_drop_the_streams_now() -> None:
    async with raw_gateway() as raw:
        await raw.open()
        stream = await raw.attach()
        assert raw.gateway.drop_streams() == 1
        assert await read_all(stream) == []
        assert await stream.code() is grpc.StatusCode.UNAVAILABLE
        assert raw.gateway.open_streams["StreamEvents"] == 0


async def test_stall_a_stream_for_a_while() -> None:
    async with raw_gateway(faults=[StallStream(after=5, seconds=100)]) as raw:
        stream = await streaming(raw)
        await read(stream, 5)
        rest = asyncio.create_task(stream.read())
        await raw.gateway.aadvance(50)
        assert not rest.done()
        await raw.gateway.aadvance(120)
        assert (await rest).worker_sequence == 6
        stream.cancel()


async def test_fault_a_session_after_some_events() -> None:
    async with raw_gateway(faults=[FaultSession(after=7)]) as raw:
        stream = await streaming(raw)
        assert len(await read_all(stream)) == 7
        assert await stream.code() is grpc.StatusCode.UNAVAILABLE
        assert await code_of(raw.invoke("ping")) is grpc.StatusCode.FAILED_PRECONDITION


async def test_overflow_a_subscriber_now() -> None:
    async with raw_gateway() as raw:
        await raw.open()
        stream = await raw.attach()
        raw.gateway.overflow(raw.session_id)
        await read_all(stream)
        assert await stream.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_skip_sequence_numbers() -> None:
    async with raw_gateway(faults=[SkipSequence(after=4, count=3)]) as raw:
        events = await read(await streaming(raw), 6)
        assert [event.worker_sequence for event in events] == [1, 2, 3, 4, 8, 9]


async def test_delay_replies() -> None:
    async with raw_gateway(faults=[DelayReplies(command="ping", seconds=4, times=1)]) as raw:
        await raw.open()
        late = asyncio.create_task(raw.invoke("ping"))
        await until(lambda: raw.gateway._injector.waiting == 1)
        await raw.gateway.aadvance(3.9)
        assert not late.done()
        await raw.gateway.aadvance(0.2)
        await late
        await raw.invoke("ping")


async def test_time_out_a_command_that_is_done_all_the_same() -> None:
    async with raw_gateway(faults=[TimeoutCommand(command="register")]) as raw:
        await raw.open()
        late = asyncio.create_task(raw.invoke("register", client_name="x"))
        await until(lambda: raw.gateway._injector.waiting == 1)
        await raw.gateway.aadvance(30)
        assert await code_of(late) is grpc.StatusCode.DEADLINE_EXCEEDED
        assert (await raw.invoke("register", client_name="y")).register.server_handle == 2


async def test_malformed_reply_says_ok_without_payload() -> None:
    async with raw_gateway(faults=[MalformedReply()]) as raw:
        reply = await raw.open()
        assert (reply.session_id, reply.protocol_status.code) == ("", pb.PROTOCOL_STATUS_CODE_OK)
        await raw.open()
        raw.gateway.inject(MalformedReply(command="register"))
        reply = await raw.invoke("ping")
        reply = await raw.invoke("register", client_name="x")
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK
        assert reply.WhichOneof("payload") is None


async def test_unknown_field_in_a_reply_and_in_an_event() -> None:
    async with raw_gateway(faults=[UnknownField(command="ping")]) as raw:
        plain = await raw.open()
        assert plain.ByteSize() == type(plain).FromString(plain.SerializeToString()).ByteSize()
        with_field, without = await raw.invoke("ping"), await raw.invoke("ping")
        assert with_field.ByteSize() > without.ByteSize()
        with_field.DiscardUnknownFields()
        assert with_field == without
        raw.gateway.inject(UnknownField(command="StreamEvents"))
        first, second = await read(await streaming(raw), 2)
        sizes = [event.ByteSize() for event in (first, second)]
        first.DiscardUnknownFields()
        second.DiscardUnknownFields()
        assert [first.ByteSize() < sizes[0], second.ByteSize() < sizes[1]] == [True, False]


async def test_unknown_enum_values() -> None:
    async with raw_gateway(faults=[UnknownEnum(command="get_session_state")]) as raw:
        await raw.open()
        assert (await raw.invoke("get_session_state")).session_state.state == 99
        raw.gateway.inject(UnknownEnum(command="StreamEvents"))
        first, second = await read(await streaming(raw), 2)
        assert (first.value.data_type, second.value.data_type) == (99, pb.MX_DATA_TYPE_INTEGER)
        assert first.family == second.family


async def test_refuse_a_key_for_a_while() -> None:
    async with raw_gateway(faults=[RefuseKey(at=10, seconds=5)]) as raw:
        codes = []
        for _ in range(3):
            codes.append(await code_of(raw.open()))
            await raw.gateway.aadvance(11 if len(codes) == 1 else 5)
        assert codes == [grpc.StatusCode.OK, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.OK]


async def test_restart_on_the_same_port_without_the_sessions() -> None:
    async with raw_gateway() as raw:
        await raw.open()
        stream = await raw.attach()
        port = raw.gateway.port
        restart = asyncio.create_task(raw.gateway.arestart(down_for=5))
        await read_all(stream)
        assert await stream.code() is grpc.StatusCode.UNAVAILABLE
        await until(lambda: raw.gateway._hosted is None)
        assert raw.gateway.port == port
        with pytest.raises(RuntimeError, match="down for a restart"):
            _ = raw.gateway.sessions
        while not restart.done():
            await raw.gateway.aadvance(5)
            await asyncio.wait([restart], timeout=0.05)
        await restart
        assert (raw.gateway.port, raw.gateway.sessions) == (port, [])
        await raw.channel.channel_ready()
        assert await code_of(raw.invoke("ping")) is grpc.StatusCode.NOT_FOUND


def test_restart_in_blocking_code() -> None:
    with SimulatedGateway(objects=30, clock=WallClock(speed=100)) as gateway:
        port = gateway.port
        gateway.restart(down_for=1)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=5)


async def test_restart_as_a_fault() -> None:
    async with raw_gateway(faults=[Restart(at=5, down=0)]) as raw:
        await raw.open()
        await raw.gateway.aadvance(6)
        await until(lambda: raw.gateway._hosted is not None and raw.gateway.sessions == [])


async def test_faults_cleared_do_not_happen() -> None:
    faults = [OverflowSubscriber(), DropStream(), RefuseKey(at=1), Restart(at=1)]
    async with raw_gateway(faults=faults) as raw:
        raw.gateway.clear_faults()
        stream = await streaming(raw)
        assert len(await read(stream, 3)) == 3
        stream.cancel()
