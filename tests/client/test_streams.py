"""The stream path: in order, nothing lost, errors after what came before them, ended at once on the gateway."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

import grpc
import pytest

from support.fake_gateway import FakeGateway, event
from zb_mom_ww_mxgateway import (
    ClientOptions,
    GatewayClient,
    MxGatewayReplayGapError,
    MxGatewaySessionError,
    MxGatewayTimeoutError,
    MxGatewayTransportError,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

SECONDS = 10


@pytest.fixture(params=["thread", "aio"])
async def session(request: pytest.FixtureRequest, fake: FakeGateway) -> Any:
    options = ClientOptions(endpoint=fake.endpoint, plaintext=True, stream_transport=request.param)
    async with await GatewayClient.connect(options) as client, await client.open_session() as session:
        yield session


async def test_events_come_in_order_and_complete(fake: FakeGateway, session: Any) -> None:
    count = 3000

    async def produce(request: Any, context: Any) -> Any:
        for sequence in range(1, count + 1):
            yield event(sequence)

    fake.streams["StreamEvents"] = produce
    async with asyncio.timeout(SECONDS):
        seen = [item.worker_sequence async for item in session.stream_events()]
    assert seen == list(range(1, count + 1))


async def test_batches_carry_the_same_bytes(fake: FakeGateway, session: Any) -> None:
    sent = [event(sequence).SerializeToString() for sequence in range(1, 500)]

    async def produce(request: Any, context: Any) -> Any:
        for raw in sent:
            yield raw

    fake.streams["StreamEvents"] = produce
    got: list[bytes] = []
    async with asyncio.timeout(SECONDS), session.stream_events() as stream:
        async for batch in stream.batches():
            assert batch
            got += batch
    assert got == sent


async def test_an_error_comes_after_the_events_before_it(fake: FakeGateway, session: Any) -> None:
    async def produce(request: Any, context: Any) -> Any:
        for sequence in (1, 2, 3):
            yield event(sequence)
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "EventQueueOverflow")

    fake.streams["StreamEvents"] = produce
    seen = []
    with pytest.raises(MxGatewaySessionError, match="EventQueueOverflow") as caught:
        async with asyncio.timeout(SECONDS):
            async for item in session.stream_events():
                seen.append(item.worker_sequence)
    assert seen == [1, 2, 3]
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert caught.value.is_transient


async def _silent_after_one(request: Any, context: Any) -> Any:
    yield event(1)
    await asyncio.Event().wait()


async def _ended_within(fake: FakeGateway, seconds: float) -> None:
    start = time.monotonic()
    async with asyncio.timeout(SECONDS):
        assert await fake.ended.get() == "StreamEvents"
    assert time.monotonic() - start < seconds


async def test_cancelling_the_task_ends_a_silent_stream_on_the_gateway(fake: FakeGateway, session: Any) -> None:
    fake.streams["StreamEvents"] = _silent_after_one
    first = asyncio.Event()

    async def consume() -> None:
        async for _ in session.stream_events():
            first.set()

    task = asyncio.create_task(consume())
    async with asyncio.timeout(SECONDS):
        await first.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _ended_within(fake, 0.5)


async def test_leaving_the_loop_ends_the_stream_on_the_gateway(fake: FakeGateway, session: Any) -> None:
    fake.streams["StreamEvents"] = _silent_after_one
    async with asyncio.timeout(SECONDS):
        async for _ in session.stream_events():
            break
    gc.collect()
    await _ended_within(fake, 0.5)


async def test_aclose_ends_the_stream_and_a_waiting_consumer(fake: FakeGateway, session: Any) -> None:
    fake.streams["StreamEvents"] = _silent_after_one
    stream = session.stream_events()
    async with asyncio.timeout(SECONDS):
        await anext(stream)
        waiting = asyncio.create_task(anext(stream, None))
        await asyncio.sleep(0)
        await stream.aclose()
        await stream.aclose()
        assert await waiting is None
    await _ended_within(fake, 0.5)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_slow_consumer_is_given_bounded_memory(fake: FakeGateway) -> None:
    """Reading stops when the buffer is full, so that flow control reaches the gateway; nothing is lost."""
    produced = 0
    count = 20_000
    padding = "x" * 2000

    async def produce(request: Any, context: Any) -> Any:
        nonlocal produced
        for sequence in range(1, count + 1):
            message = event(sequence)
            message.raw_status = padding
            produced = sequence
            yield message

    fake.streams["StreamEvents"] = produce
    options = ClientOptions(endpoint=fake.endpoint, plaintext=True, stream_buffer=100)
    async with await GatewayClient.connect(options) as client, await client.open_session() as session:
        async with asyncio.timeout(60), session.stream_events() as stream:
            await anext(stream)
            before = -1
            while produced != before:
                before = produced
                for _ in range(200):
                    await asyncio.sleep(0.001)
            assert produced < count, "the producer was never held back"
            seen = [1] + [item.worker_sequence async for item in stream]
    assert seen == list(range(1, count + 1))


async def test_a_timeout_ends_a_stream_as_it_ends_a_call(fake: FakeGateway, session: Any) -> None:
    fake.streams["StreamEvents"] = _silent_after_one
    seen = []
    with pytest.raises(MxGatewayTimeoutError) as caught:
        async with asyncio.timeout(SECONDS):
            async for item in session.stream_events(timeout=0.3):
                seen.append(item.worker_sequence)
    assert seen == [1]
    assert isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize("transport", ["thread", "aio"])
async def test_a_gateway_that_dies_is_reported_after_its_last_event(fake: FakeGateway, transport: Any) -> None:
    fake.streams["StreamEvents"] = _silent_after_one
    seen = []
    async with await GatewayClient.connect(fake.endpoint, plaintext=True, stream_transport=transport) as client:
        with pytest.raises(MxGatewayTransportError, match=str(fake.port)):
            async with asyncio.timeout(SECONDS):
                async for item in client.session("session-1").stream_events():
                    seen.append(item.worker_sequence)
                    await fake.stop()
    assert seen == [1]


async def test_a_message_that_is_no_event_is_a_typed_error(fake: FakeGateway, session: Any) -> None:
    async def produce(request: Any, context: Any) -> Any:
        yield event(1)
        yield b"\xff\xff\xff"

    fake.streams["StreamEvents"] = produce
    stream = session.stream_events()
    async with asyncio.timeout(SECONDS):
        assert (await anext(stream)).worker_sequence == 1
        with pytest.raises(MxGatewayTransportError, match="3 bytes"):
            await anext(stream)


def _gap() -> pb.MxEvent:
    return pb.MxEvent(replay_gap=pb.ReplayGap(requested_after_sequence=5, oldest_available_sequence=20))


async def _with_gap(request: Any, context: Any) -> Any:
    yield _gap()
    yield event(20)


async def test_a_replay_gap_is_raised_or_yielded_as_the_caller_chooses(fake: FakeGateway, session: Any) -> None:
    fake.streams["StreamEvents"] = _with_gap
    async with asyncio.timeout(SECONDS):
        with pytest.raises(MxGatewayReplayGapError, match="after_worker_sequence=19") as caught:
            await anext(session.stream_events(after_worker_sequence=5))
        assert (caught.value.requested_after, caught.value.oldest_available) == (5, 20)
        stream = session.stream_events(after_worker_sequence=5, on_replay_gap="yield")
        kinds = [item.HasField("replay_gap") async for item in stream]
    assert kinds == [True, False]
    assert fake.requests[-1][1].after_worker_sequence == 5


async def test_the_key_travels_on_streams(fake: FakeGateway, client: GatewayClient, canary: str) -> None:
    fake.streams["StreamEvents"] = _with_gap
    session = await client.open_session()
    async with asyncio.timeout(SECONDS):
        _ = [item async for item in session.stream_events(on_replay_gap="yield")]
    assert fake.rpcs() == ["OpenSession", "StreamEvents"]
    assert {entry["authorization"] for entry in fake.metadata} == {f"Bearer {canary}"}


async def test_a_closed_session_or_client_opens_no_stream(fake: FakeGateway, client: GatewayClient) -> None:
    session = await client.open_session()
    await session.close()
    with pytest.raises(MxGatewaySessionError, match="closed"):
        session.stream_events()
    other = await client.open_session()
    stream = other.stream_events()
    await client.close()
    with pytest.raises(MxGatewayTransportError, match="closed"):
        await anext(stream)


async def test_a_stream_after_a_stream_waits_for_the_gateway_to_release_the_old_one(
    fake: FakeGateway, session: Any
) -> None:
    refusals = 0

    async def produce(request: Any, context: Any) -> Any:
        nonlocal refusals
        if request.after_worker_sequence and refusals < 3:
            refusals += 1
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "the session has its subscriber")
        yield event(request.after_worker_sequence + 1)
        await asyncio.Event().wait()

    fake.streams["StreamEvents"] = produce
    async with asyncio.timeout(SECONDS):
        async with session.stream_events() as stream:
            assert (await anext(stream)).worker_sequence == 1
        async with session.stream_events(after_worker_sequence=1) as stream:
            assert (await anext(stream)).worker_sequence == 2
    assert refusals == 3


async def test_a_session_that_somebody_else_listens_to_is_refused_at_once(fake: FakeGateway, session: Any) -> None:
    async def produce(request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.ALREADY_EXISTS, "the session has its subscriber")
        yield event(1)

    fake.streams["StreamEvents"] = produce
    async with asyncio.timeout(SECONDS):
        with pytest.raises(MxGatewaySessionError, match="close the other one first"):
            await anext(session.stream_events())
    assert fake.rpcs().count("StreamEvents") == 1
