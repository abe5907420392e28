"""The bounded smoke flow: against the simulated gateway always, against a live one when `MXGATEWAY_INTEGRATION=1`.

The live check reads MXGATEWAY_ENDPOINT, MXGATEWAY_API_KEY, MXGATEWAY_TEST_ITEM and, for a gateway without TLS,
MXGATEWAY_PLAINTEXT=1. It writes nothing.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from zb_mom_ww_mxgateway import ClientOptions, GalaxyRepositoryClient, GatewayClient
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.notebook.environment import options_from
from zb_mom_ww_mxgateway.simulator import SimulatedGateway

#: The first value takes 3 to 8 s on a fresh session.
SECONDS = 30


async def smoke(options: ClientOptions, item: str) -> pb.MxEvent:
    """Open, register, add, advise, take one event, close in any case."""
    async with await GatewayClient.connect(options) as client:
        session = await client.open_session(client_session_name="integration check")
        try:
            server_handle = await session.register("integration check")
            item_handle = await session.add_item(server_handle, item)
            await session.advise(server_handle, item_handle)
            async with asyncio.timeout(SECONDS):
                event = await anext(session.stream_events())
            assert event.item_handle == item_handle
            assert not client.unknowns, client.unknowns.sentences()
        finally:
            await session.close()
    return event


async def test_the_smoke_flow_against_the_simulated_gateway() -> None:
    async with SimulatedGateway() as plant:
        options = ClientOptions(endpoint=plant.endpoint, api_key=plant.api_key, plaintext=True)
        event = await smoke(options, "TestChildObject.TestInt")
        assert plant.sessions == []
    assert event.value.int32_value == 42


@pytest.mark.integration
@pytest.mark.skipif(
    os.environ.get("MXGATEWAY_INTEGRATION") != "1", reason="needs a live gateway: MXGATEWAY_INTEGRATION=1"
)
async def test_the_smoke_flow_against_a_live_gateway() -> None:
    options = options_from(None, {})
    assert options is not None, "set MXGATEWAY_ENDPOINT"
    event = await smoke(options, os.environ.get("MXGATEWAY_TEST_ITEM", "TestChildObject.TestInt"))
    assert event.worker_sequence > 0
    async with await GalaxyRepositoryClient.connect(options) as galaxy:
        assert await galaxy.test_connection()
