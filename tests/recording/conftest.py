from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from support.fake_gateway import OK, FakeGateway
from zb_mom_ww_mxgateway import GatewayClient, Session, to_mx_value
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

CANARY = "mxgw_canary02_Qy7_secret-Part_31Lk"
SERVER = 7


class Plant:
    """A gateway whose subscriptions and events a test writes itself.

    Item handles count from 11 in the order of the subscription; references that start with "Refused" get none.
    """

    def __init__(self, fake: FakeGateway) -> None:
        self.fake = fake
        self.stream: asyncio.Queue[pb.MxEvent | bytes | grpc.StatusCode | None] = asyncio.Queue()
        self.commands: list[str] = []
        self.streams_refused = 0
        self.given_back: list[int] = []
        fake.unary["Invoke"] = self._invoke
        fake.streams["StreamEvents"] = self._events

    def send(self, *events: pb.MxEvent | bytes) -> None:
        for event in events:
            self.stream.put_nowait(event)

    def end(self, code: grpc.StatusCode | None = None) -> None:
        """End the stream, with an error when a code is given, after what was sent."""
        self.stream.put_nowait(code)

    async def _events(self, request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        if self.streams_refused:
            self.streams_refused -= 1
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "the session has a subscriber")
        while True:
            item = await self.stream.get()
            if item is None:
                return
            if isinstance(item, grpc.StatusCode):
                await context.abort(item, "the worker is gone")
            yield item

    async def _invoke(self, request: Any, context: grpc.aio.ServicerContext) -> pb.MxCommandReply:
        command = request.command
        name = command.WhichOneof("payload")
        self.commands.append(name)
        reply = pb.MxCommandReply(protocol_status=OK, kind=command.kind)
        if name == "register":
            reply.register.server_handle = SERVER
        elif name == "subscribe_bulk":
            for place, tag in enumerate(command.subscribe_bulk.tag_addresses):
                refused = tag.startswith("Refused")
                reply.subscribe_bulk.results.add(
                    server_handle=SERVER,
                    tag_address=tag,
                    item_handle=0 if refused else 11 + place,
                    was_successful=not refused,
                    error_message="not in your key's subtree" if refused else "",
                )
        elif name == "unsubscribe_bulk":
            self.given_back += command.unsubscribe_bulk.item_handles
            reply.unsubscribe_bulk.results.extend(
                pb.SubscribeResult(item_handle=item, was_successful=True)
                for item in command.unsubscribe_bulk.item_handles
            )
        return reply


def change(sequence: int, value: Any = 1.5, *, item: int = 11, second: float = 0.0, quality: int = 192) -> pb.MxEvent:
    """A data change of an item of the plant."""
    event = pb.MxEvent(
        family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE,
        server_handle=SERVER,
        item_handle=item,
        worker_sequence=sequence,
        quality=quality,
        value=to_mx_value(value),
        on_data_change=pb.OnDataChangeEvent(),
    )
    micros = 1_767_592_800_000_000 + round(second * 1_000_000)
    event.source_timestamp.FromMicroseconds(micros)
    event.gateway_receive_timestamp.FromMicroseconds(micros + 2_000)
    return event


class StepPace:
    """Time that goes by only when a test has something to say about it: each sleep takes the next action."""

    def __init__(self, *actions: Any, last: int | None = None) -> None:
        self._actions = list(actions)
        self.last = last
        self.slept = 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        if self._actions:
            self._actions.pop(0)()

    def settled(self, session_id: str) -> int | None:
        return self.last if self.slept or self.last is None else 0


@pytest.fixture
async def plant() -> AsyncIterator[Plant]:
    async with FakeGateway() as fake:
        yield Plant(fake)


@pytest.fixture
async def session(plant: Plant) -> AsyncIterator[Session]:
    async with await GatewayClient.connect(plant.fake.endpoint, api_key=CANARY, plaintext=True) as client:
        async with await client.open_session() as session:
            yield session
