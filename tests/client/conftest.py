from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from support.fake_gateway import FakeGateway
from zb_mom_ww_mxgateway import GatewayClient

CANARY = "mxgw_canary01_Zx9_secret-Part_77Qw"


@pytest.fixture
async def fake() -> AsyncIterator[FakeGateway]:
    async with FakeGateway() as gateway:
        yield gateway


@pytest.fixture
async def client(fake: FakeGateway) -> AsyncIterator[GatewayClient]:
    async with await GatewayClient.connect(fake.endpoint, api_key=CANARY, plaintext=True) as client:
        yield client


@pytest.fixture
def canary() -> str:
    return CANARY
