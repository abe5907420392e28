"""The gateway as its generated stubs show it, without the client: for tests of the contract itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2_grpc as galaxy_grpc
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2_grpc as pb_grpc
from zb_mom_ww_mxgateway.simulator import SimulatedGateway, VirtualClock

PAYLOADS = {field.name: field for field in pb.MxCommand.DESCRIPTOR.oneofs_by_name["payload"].fields}


def command(name: str, **fields: Any) -> pb.MxCommand:
    """The command with that payload, its kind with it."""
    payload = next(each for each in (name, f"{name}_command") if each in PAYLOADS)
    result = pb.MxCommand(kind=pb.MxCommandKind.Value(f"MX_COMMAND_KIND_{name.upper()}"))
    getattr(result, payload).SetInParent()
    kind = type(getattr(result, payload))
    getattr(result, payload).CopyFrom(kind(**fields))
    return result


def integer(number: int) -> pb.MxValue:
    return pb.MxValue(data_type=pb.MX_DATA_TYPE_INTEGER, int32_value=number)


async def until(condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
    """Wait for something that other tasks bring about."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0)


class Raw:
    """A gateway, a channel to it, and one session when it is asked for."""

    def __init__(self, gateway: SimulatedGateway, channel: grpc.aio.Channel, token: str) -> None:
        self.gateway = gateway
        self.channel = channel
        self.stub = pb_grpc.MxAccessGatewayStub(channel)
        self.galaxy = galaxy_grpc.GalaxyRepositoryStub(channel)
        self.metadata = (("authorization", f"Bearer {token}"),)
        self.session_id = ""
        self.server_handle = 0

    async def open(self, **fields: Any) -> pb.OpenSessionReply:
        reply = await self.stub.OpenSession(pb.OpenSessionRequest(**fields), metadata=self.metadata)
        self.session_id = reply.session_id
        return reply

    async def close(self, session_id: str = "") -> pb.CloseSessionReply:
        request = pb.CloseSessionRequest(session_id=session_id or self.session_id)
        return await self.stub.CloseSession(request, metadata=self.metadata)

    async def invoke(self, name: str, *, timeout: float | None = None, **fields: Any) -> pb.MxCommandReply:
        request = pb.MxCommandRequest(
            session_id=self.session_id, client_correlation_id="c-1", command=command(name, **fields)
        )
        return await self.stub.Invoke(request, metadata=self.metadata, timeout=timeout)

    async def later(self, name: str, seconds: float, **fields: Any) -> pb.MxCommandReply:
        """A command that needs time to pass."""
        count = self.gateway.calls[f"Invoke:{name}"]
        task = asyncio.create_task(self.invoke(name, **fields))
        await until(lambda: self.gateway.calls[f"Invoke:{name}"] > count)
        await self.gateway.aadvance(seconds)
        return await task

    async def register(self) -> int:
        reply = await self.invoke("register", client_name="test")
        self.server_handle = reply.register.server_handle
        return self.server_handle

    async def ready(self) -> Raw:
        """With a session and a registration."""
        await self.open()
        await self.register()
        return self

    async def add(self, reference: str) -> int:
        reply = await self.invoke("add_item", server_handle=self.server_handle, item_definition=reference)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK, reply
        return reply.add_item.item_handle

    async def advise(self, reference: str) -> int:
        handle = await self.add(reference)
        await self.invoke("advise", server_handle=self.server_handle, item_handle=handle)
        return handle

    async def write(self, handle: int, value: pb.MxValue, **fields: Any) -> pb.MxCommandReply:
        return await self.invoke("write", server_handle=self.server_handle, item_handle=handle, value=value, **fields)

    async def written(self, handle: int, value: pb.MxValue, **fields: Any) -> pb.MxEvent:
        """Write, and the completion of it."""
        await self.write(handle, value, **fields)
        await self.gateway.aadvance(1)
        events = await self.drain()
        return next(
            each
            for each in events
            if each.family == pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE and each.item_handle == handle
        )

    async def drain(self) -> list[pb.MxEvent]:
        return list((await self.invoke("drain_events")).drain_events.events)

    def stream(self, after: int = 0) -> Any:
        request = pb.StreamEventsRequest(session_id=self.session_id, after_worker_sequence=after)
        return self.stub.StreamEvents(request, metadata=self.metadata)

    async def attach(self, after: int = 0) -> Any:
        """A stream that the gateway has taken up."""
        count = self.gateway.open_streams["StreamEvents"]
        stream = self.stream(after)
        await until(lambda: self.gateway.open_streams["StreamEvents"] > count)
        return stream

    async def detach(self, stream: Any) -> None:
        """Cancel a stream, and wait until the gateway knows."""
        count = self.gateway.open_streams["StreamEvents"]
        stream.cancel()
        await until(lambda: self.gateway.open_streams["StreamEvents"] < count)

    def as_key(self, token: str) -> Raw:
        other = Raw(self.gateway, self.channel, token)
        other.session_id, other.server_handle = self.session_id, self.server_handle
        return other


async def read(stream: Any, count: int) -> list[Any]:
    async with asyncio.timeout(10):
        return [await stream.read() for _ in range(count)]


async def read_all(stream: Any) -> list[Any]:
    """All messages until the stream ends, well or with an error; then `code` tells which."""
    messages = []
    async with asyncio.timeout(10):
        try:
            async for message in stream:
                messages.append(message)
        except grpc.aio.AioRpcError:
            return messages
    return messages


async def code_of(call: Any) -> grpc.StatusCode:
    """The status that a call ends with."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@asynccontextmanager
async def raw_gateway(**arguments: Any) -> AsyncIterator[Raw]:
    """A gateway on the virtual clock, and its stubs."""
    arguments.setdefault("clock", VirtualClock())
    arguments.setdefault("objects", 30)
    async with SimulatedGateway(**arguments) as gateway:
        async with grpc.aio.insecure_channel(gateway.endpoint) as channel:
            yield Raw(gateway, channel, gateway.api_key)
