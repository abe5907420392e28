"""What goes wrong outside of this library, and what the user reads then."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.fake_gateway import FakeGateway
from zb_mom_ww_mxgateway import GatewayClient, MxAccessError, MxGatewayTransportError
from zb_mom_ww_mxgateway.simulator import Limits, SimulatedGateway, VirtualClock

SECONDS = 20


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 mail.example ready\r\n", b""])
@pytest.mark.parametrize("plaintext", [True, False])
async def test_a_server_that_speaks_something_else(answer: bytes, plaintext: bool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with asyncio.timeout(SECONDS):
            with pytest.raises(MxGatewayTransportError, match=str(port)) as caught:
                async with await GatewayClient.connect(f"127.0.0.1:{port}", plaintext=plaintext) as client:
                    await client.open_session()
    finally:
        server.close()
        await server.wait_closed()
    assert "\n" not in str(caught.value)


async def test_a_gateway_that_dies_in_the_middle_of_a_call(fake: FakeGateway, client: GatewayClient) -> None:
    arrived = asyncio.Event()

    async def never(request: Any, context: Any) -> Any:
        arrived.set()
        await asyncio.Event().wait()

    fake.unary["Invoke"] = never
    session = client.session("session-1")
    call = asyncio.create_task(session.ping())
    async with asyncio.timeout(SECONDS):
        await arrived.wait()
        await fake.stop()
        with pytest.raises(MxGatewayTransportError, match=str(fake.port)) as caught:
            await call
    assert caught.value.is_transient


async def test_handles_of_another_session_are_refused_by_the_plant() -> None:
    async with (
        SimulatedGateway(clock=VirtualClock(), limits=Limits.immediate()) as plant,
        await GatewayClient.connect(plant.endpoint, api_key=plant.api_key, plaintext=True) as client,
        await client.open_session() as mine,
        await client.open_session() as other,
    ):
        handle = await mine.register("a")
        item = await mine.add_item(handle, "TestChildObject.TestInt")
        with pytest.raises(MxAccessError, match="not registered") as caught:
            await other.advise(handle, item)
        assert caught.value.hresult == 0x80070057


async def test_a_write_to_an_item_that_is_not_advised_says_so() -> None:
    async with (
        SimulatedGateway(clock=VirtualClock(), limits=Limits.immediate()) as plant,
        await GatewayClient.connect(plant.endpoint, api_key=plant.api_key, plaintext=True) as client,
        await client.open_session() as session,
    ):
        handle = await session.register("a")
        item = await session.add_item(handle, "TestChildObject.TestInt")
        with pytest.raises(MxAccessError, match=r"0x80070057 E_INVALIDARG .*is the item advised"):
            await session.write(handle, item, 1)
        await session.advise(handle, item)
        assert (await session.write(handle, item, 1, wait=True)).ok
        with pytest.raises(ValueError, match="give a name"):
            await session.add_item(handle, "")
