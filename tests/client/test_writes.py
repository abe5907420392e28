"""Writes that wait for what the plant says, beside whoever reads the events."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from support.fake_gateway import OK, FakeGateway, event
from zb_mom_ww_mxgateway import (
    ClientOptions,
    GatewayClient,
    MxAccessError,
    MxGatewayLimitError,
    MxGatewaySessionError,
    MxGatewayTimeoutError,
    Session,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

SECONDS = 10


def completion(sequence: int, item: int = 3, category: Any = pb.MX_STATUS_CATEGORY_OK, hresult: int = 0) -> pb.MxEvent:
    return pb.MxEvent(
        family=pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE,
        server_handle=1,
        item_handle=item,
        worker_sequence=sequence,
        hresult=hresult,
        statuses=[pb.MxStatusProxy(category=category, detail=4, diagnostic_text="said the plant")],
        on_write_complete=pb.OnWriteCompleteEvent(),
    )


class Plant:
    """A gateway whose write command puts events on the stream."""

    def __init__(self, fake: FakeGateway) -> None:
        self.events: asyncio.Queue[pb.MxEvent | None] = asyncio.Queue()
        self.answers: list[list[pb.MxEvent]] = []
        self.status = OK
        fake.unary["Invoke"] = self.invoke
        fake.streams["StreamEvents"] = self.stream

    async def invoke(self, request: Any, context: Any) -> pb.MxCommandReply:
        for item in self.answers.pop(0) if self.answers else []:
            self.events.put_nowait(item)
        return pb.MxCommandReply(protocol_status=self.status)

    async def stream(self, request: Any, context: Any) -> Any:
        while (item := await self.events.get()) is not None:
            yield item
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "EventQueueOverflow")


@pytest.fixture
def plant(fake: FakeGateway) -> Plant:
    return Plant(fake)


@pytest.fixture(params=["thread", "aio"])
async def session(request: pytest.FixtureRequest, fake: FakeGateway, plant: Plant) -> Any:
    options = ClientOptions(endpoint=fake.endpoint, plaintext=True, stream_transport=request.param)
    async with await GatewayClient.connect(options) as client, await client.open_session() as session:
        yield session


async def test_the_completion_is_returned_and_nothing_is_lost(
    fake: FakeGateway, plant: Plant, session: Session
) -> None:
    plant.answers = [[event(1), completion(2, item=9), completion(3), event(4)]]
    async with asyncio.timeout(SECONDS):
        done = await session.write(1, 3, 7, wait=True)
        assert done.ok
        assert done.event.worker_sequence == 3
        assert "said the plant" in str(done)
        # The stream that the write opened goes on in the user's loop, with all that was read on the way.
        stream = session.stream_events()
        assert [(await anext(stream)).worker_sequence for _ in range(4)] == [1, 2, 3, 4]
        await stream.aclose()
    assert fake.rpcs().count("StreamEvents") == 1


async def test_a_write_inside_the_users_own_loop_does_not_lock_up(
    fake: FakeGateway, plant: Plant, session: Session
) -> None:
    plant.events.put_nowait(event(1))
    plant.answers = [[event(2), completion(3), event(4)]]
    seen = []
    async with asyncio.timeout(SECONDS):
        async for item in session.stream_events():
            seen.append(item.worker_sequence)
            if item.worker_sequence == 1:
                assert (await session.write(1, 3, 7, wait=True)).ok
            if item.worker_sequence == 4:
                break
    assert seen == [1, 2, 3, 4]
    assert fake.rpcs().count("StreamEvents") == 1


async def test_a_write_beside_a_waiting_reader(fake: FakeGateway, plant: Plant, session: Session) -> None:
    seen: list[int] = []

    async def read() -> None:
        async for item in session.stream_events():
            seen.append(item.worker_sequence)
            if item.worker_sequence == 3:
                return

    async with asyncio.timeout(SECONDS):
        reader = asyncio.create_task(read())
        plant.answers = [[event(1), completion(2), event(3)]]
        assert (await session.write(1, 3, 7, wait=True)).event.worker_sequence == 2
        await reader
    assert seen == [1, 2, 3]


async def test_writes_to_one_item_complete_in_order(plant: Plant, session: Session) -> None:
    plant.answers = [[], [completion(1), completion(2, category=pb.MX_STATUS_CATEGORY_OPERATIONAL_ERROR)]]
    async with asyncio.timeout(SECONDS):
        first, second = await asyncio.gather(session.write(1, 3, 7, wait=True), session.write(1, 3, 8, wait=True))
    assert (first.event.worker_sequence, second.event.worker_sequence) == (1, 2)
    assert first.ok
    assert not second.ok
    assert "OPERATIONAL_ERROR detail 4" in str(second)


async def test_a_failing_hresult_is_not_ok(plant: Plant, session: Session) -> None:
    plant.answers = [[completion(1, hresult=0x80070057 - 2**32)]]
    async with asyncio.timeout(SECONDS):
        done = await session.write(1, 3, 7, wait=True)
    assert not done.ok
    assert done.hresult == 0x80070057


async def test_no_completion_in_time_says_that_it_may_still_take_effect(plant: Plant, session: Session) -> None:
    plant.answers = [[event(1)]]
    async with asyncio.timeout(SECONDS):
        with pytest.raises(MxGatewayTimeoutError, match="may still take effect"):
            await session.write(1, 3, 7, wait=True, timeout=0.2)
        stream = session.stream_events()
        assert (await anext(stream)).worker_sequence == 1
        await stream.aclose()


async def test_a_refused_write_waits_for_nothing(plant: Plant, session: Session) -> None:
    plant.status = pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE, message="not advised")
    with pytest.raises(MxAccessError, match="not advised"):
        await session.write(1, 3, 7, wait=True)


async def test_a_stream_that_breaks_is_told_to_the_write_and_to_the_reader(plant: Plant, session: Session) -> None:
    plant.events.put_nowait(event(1))
    plant.events.put_nowait(None)
    async with asyncio.timeout(SECONDS):
        with pytest.raises(MxGatewayLimitError, match="EventQueueOverflow"):
            await session.write(1, 3, 7, wait=True)


async def test_closing_the_session_ends_a_waiting_write(plant: Plant, session: Session) -> None:
    waiting = asyncio.create_task(session.write(1, 3, 7, wait=True))
    async with asyncio.timeout(SECONDS):
        while not session._feed:
            await asyncio.sleep(0)
        await session.close()
        with pytest.raises(MxGatewaySessionError):
            await waiting


async def test_no_write_is_ever_repeated(fake: FakeGateway, client: GatewayClient) -> None:
    async def unavailable(request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.UNAVAILABLE, "try again")

    fake.unary["Invoke"] = unavailable
    fake.unary["AcknowledgeAlarm"] = unavailable
    session = await client.open_session()
    for attempt in (
        session.write(1, 3, 7),
        session.write_bulk(1, [pb.WriteBulkEntry(item_handle=3)]),
        client.acknowledge_alarm("Galaxy!Area.Tag"),
    ):
        with pytest.raises(Exception, match="try again"):
            await attempt
    assert fake.rpcs() == ["OpenSession", "Invoke", "Invoke", "AcknowledgeAlarm"]


async def test_calls_that_cannot_act_twice_are_repeated(fake: FakeGateway, client: GatewayClient) -> None:
    tries = 0

    async def third_time(request: Any, context: Any) -> pb.CloseSessionReply:
        nonlocal tries
        tries += 1
        if tries < 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "try again")
        return pb.CloseSessionReply(protocol_status=OK)

    fake.unary["CloseSession"] = third_time
    session = await client.open_session()
    await session.close()
    assert tries == 3


async def test_a_stream_that_is_taken_is_told_after_the_write_was_accepted(
    fake: FakeGateway, plant: Plant, session: Session
) -> None:
    async def taken(request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.ALREADY_EXISTS, "the session has its subscriber")
        yield pb.MxEvent()

    fake.streams["StreamEvents"] = taken
    with pytest.raises(MxGatewaySessionError, match="was accepted, but what came of it cannot be seen"):
        await session.write(1, 3, 7, wait=True)


async def test_a_session_found_by_its_id_gives_its_stream_back_with_the_client(fake: FakeGateway, plant: Plant) -> None:
    plant.answers = [[completion(1)]]
    async with asyncio.timeout(SECONDS):
        async with await GatewayClient.connect(fake.endpoint, plaintext=True) as client:
            session = client.session("session-1")
            assert (await session.write(1, 3, 7, wait=True)).ok
        assert await fake.ended.get() == "StreamEvents"
    assert "CloseSession" not in fake.rpcs()


async def test_an_event_that_cannot_be_decoded_does_not_end_a_waiting_write(plant: Plant, session: Session) -> None:
    plant.answers = [[b"\xff\xff", completion(2)]]  # type: ignore[list-item]
    async with asyncio.timeout(SECONDS):
        assert (await session.write(1, 3, 7, wait=True)).ok
