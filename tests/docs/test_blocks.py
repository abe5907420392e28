"""Every Python block of the README, the docs and the seed documents runs against the simulated gateway."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import zb_mom_ww_mxgateway
from support.readme import ROOT, blocks
from zb_mom_ww_mxgateway import GalaxyRepositoryClient
from zb_mom_ww_mxgateway.simulator import Limits, SimulatedGateway

SEEDS = Path(__file__).with_name("seed_blocks.md")
SECONDS = 60


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(seed=7, limits=Limits(first_value_delay=0.05)) as gateway:
        yield gateway


async def run(block: str, gateway: SimulatedGateway, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run a block with top-level await; only endpoint and key are filled in."""
    text = block.replace("localhost:5000", gateway.endpoint).replace("<gateway-api-key>", gateway.api_key)
    code = compile(text, "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    space: dict[str, Any] = dict(names or {})
    async with asyncio.timeout(SECONDS):
        outcome = eval(code, space)
        if inspect.isawaitable(outcome):
            await outcome
    return space


@pytest.fixture
def threaded() -> Iterator[SimulatedGateway]:
    """On a thread of its own, for blocks that make blocking calls."""
    with SimulatedGateway(seed=7, limits=Limits(first_value_delay=0.05)) as gateway:
        yield gateway


DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PYTHON = [
    pytest.param(body, id=f"{path.relative_to(ROOT)}#{number}")
    for path in DOCS
    for number, body in enumerate(blocks(path, "python"), start=1)
]


@pytest.mark.parametrize("block", PYTHON)
async def test_a_python_block_of_the_docs_runs(block: str, threaded: SimulatedGateway) -> None:
    await run(block, threaded)
    assert threaded.sessions == []


async def test_library_usage_of_the_seed(gateway: SimulatedGateway) -> None:
    await run(blocks(SEEDS, "python")[0], gateway)
    assert [name for name in gateway.calls if name.startswith("Invoke:")] == [
        "Invoke:register",
        "Invoke:add_item",
        "Invoke:advise",
    ]
    assert gateway.calls["CloseSession"] == 1


async def test_galaxy_of_the_seed(gateway: SimulatedGateway, capsys: pytest.CaptureFixture[str]) -> None:
    await run(blocks(SEEDS, "python")[1], gateway)
    printed = capsys.readouterr().out
    assert printed.startswith("last deploy: 20")
    assert "Speed -> Pump_001.Speed" in printed


async def test_browsing_of_the_seed(gateway: SimulatedGateway, capsys: pytest.CaptureFixture[str]) -> None:
    connection = {"endpoint": gateway.endpoint, "api_key": gateway.api_key, "plaintext": True}
    async with await GalaxyRepositoryClient.connect(**connection) as galaxy:
        await run(blocks(SEEDS, "python")[2], gateway, {"galaxy": galaxy})
    assert "Site_01 expand=True" in capsys.readouterr().out


async def test_walking_of_the_seed(gateway: SimulatedGateway, capsys: pytest.CaptureFixture[str]) -> None:
    await run(blocks(SEEDS, "python")[3], gateway, vars(zb_mom_ww_mxgateway))
    assert "Receiving_01 (has children)" in capsys.readouterr().out


async def test_deploy_events_of_the_seed(gateway: SimulatedGateway, capsys: pytest.CaptureFixture[str]) -> None:
    task = asyncio.create_task(run(blocks(SEEDS, "python")[4], gateway))
    printed = ""
    async with asyncio.timeout(SECONDS):
        while printed.count("\n") < 1:
            await asyncio.sleep(0.01)
            printed += capsys.readouterr().out
        gateway.plant.redeploy(remove=["Pump_001"], at_us=gateway.clock.now_us())
        while printed.count("\n") < 2:
            await asyncio.sleep(0.01)
            printed += capsys.readouterr().out
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    first, second = printed.splitlines()
    assert first.startswith("#")
    objects = [int(line.split("objects=")[1].split()[0]) for line in (first, second)]
    assert objects[1] == objects[0] - 1


async def test_suggested_api_of_the_seed(gateway: SimulatedGateway) -> None:
    names = {**vars(zb_mom_ww_mxgateway), "api_key": gateway.api_key}
    task = asyncio.create_task(run(blocks(SEEDS, "python")[5], gateway, names))
    async with asyncio.timeout(SECONDS):
        while not gateway.open_streams["StreamEvents"]:
            await asyncio.sleep(0.01)
        [session_id] = gateway.sessions
        while gateway.last_sequence(session_id) < 1:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while gateway.open_streams["StreamEvents"]:
            await asyncio.sleep(0.01)


async def test_metadata_of_the_seed(gateway: SimulatedGateway) -> None:
    space = await run(blocks(SEEDS, "python")[6], gateway, {"api_key": "mxgw_a_b"})
    assert space["metadata"] == zb_mom_ww_mxgateway.auth.authorization_metadata("mxgw_a_b")


def test_all_blocks_of_the_seed_are_run() -> None:
    assert len(blocks(SEEDS, "python")) == 7


def test_the_table_of_values_is_the_same_in_code_and_docs() -> None:
    def table(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith("|")]

    from zb_mom_ww_mxgateway import values

    assert table((ROOT / "docs/values.md").read_text(encoding="utf-8")) == table(values.__doc__ or "")
