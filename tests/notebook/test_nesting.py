"""`asyncio.run` in a cell: it works, it leaves nothing behind, and nothing happens at import."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest


def cell(code: str) -> str:
    """Run code in an IPython shell whose cells run on an event loop, as in a kernel; what it printed."""
    program = (
        "import asyncio\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "async def main():\n"
        f"    code = {textwrap.dedent(code)!r}\n"
        "    result = await shell.run_cell_async(code, transformed_cell=shell.transform_cell(code))\n"
        "    result.raise_error()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_importing_applies_nothing() -> None:
    printed = cell(
        """
        import asyncio, zb_mom_ww_mxgateway.notebook
        async def one(): return 1
        coroutine = one()
        try:
            asyncio.run(coroutine)
        except RuntimeError as error:
            coroutine.close()
            print(error)
        """
    )
    assert "running event loop" in printed


@pytest.mark.parametrize(
    "enable",
    ["%load_ext zb_mom_ww_mxgateway.notebook", "import zb_mom_ww_mxgateway.notebook as n; n.enable_nested_asyncio()"],
)
def test_a_script_with_asyncio_run_works_in_a_cell(enable: str) -> None:
    printed = cell(
        f"""
{enable}
import asyncio
from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway.simulator import SimulatedGateway

async def script(plant):
    async with await GatewayClient.connect(plant.endpoint, api_key=plant.api_key, plaintext=True) as client:
        async with await client.open_session() as session:
            return await session.register("script")

with SimulatedGateway() as plant:
    print(asyncio.run(script(plant)), plant.calls["OpenSession"], plant.sessions)
"""
    )
    assert printed.endswith("1 1 []")


def test_an_interrupted_script_leaves_no_call_on_the_gateway() -> None:
    printed = cell(
        """
%load_ext zb_mom_ww_mxgateway.notebook
import asyncio, time
from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway.simulator import SimulatedGateway

async def script(plant):
    async with await GatewayClient.connect(plant.endpoint, api_key=plant.api_key, plaintext=True) as client:
        async with await client.open_session() as session:
            handle = await session.register("script")
            await session.subscribe_bulk(handle, ["TestMachine_001.TestChangingInt"])
            async for event in session.stream_events():
                raise KeyboardInterrupt

with SimulatedGateway() as plant:
    try:
        asyncio.run(script(plant))
    except KeyboardInterrupt:
        for _ in range(100):
            if not plant.open_streams["StreamEvents"]:
                break
            time.sleep(0.02)
        print("interrupted", plant.open_streams["StreamEvents"], plant.sessions)
"""
    )
    assert printed.endswith("interrupted 0 []")


def test_the_magics_read_and_collect() -> None:
    printed = cell(
        """
%load_ext zb_mom_ww_mxgateway.notebook
from zb_mom_ww_mxgateway.notebook import connect
from zb_mom_ww_mxgateway.simulator import SimulatedGateway
plant = SimulatedGateway(seed=7)
plant.start()
gw = connect(simulator=plant, quiet=True)
frame = get_ipython().run_line_magic("mxread", "TestChildObject.TestInt Pump_001.State")
print(list(frame["tag"]), frame["value"][0])
get_ipython().run_cell_magic("mxcollect", "events --events 3", "# counters\\nTestMachine_001.TestChangingInt\\n")
print(len(events), events.attrs["ended_by"])
try:
    get_ipython().run_line_magic("mxread", "")
except Exception as error:
    print(type(error).__name__, error)
gw.close()
plant.stop()
"""
    )
    assert "['TestChildObject.TestInt', 'Pump_001.State'] 42" in printed
    assert "3 events" in printed
    assert "UsageError" in printed
