"""What the import of the library costs and does."""

from __future__ import annotations

import subprocess
import sys

import zb_mom_ww_mxgateway

HEAVY = ("pandas", "pyarrow", "ipywidgets", "numpy", "matplotlib", "ptars", "anywidget", "nest_asyncio", "IPython")


def test_the_library_imports_nothing_heavy_and_starts_nothing() -> None:
    code = (
        "import sys, threading, zb_mom_ww_mxgateway as m, zb_mom_ww_mxgateway_cli\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split("\n")[0] == "[] 1"


def test_all_names_exist_and_are_listed_once() -> None:
    names = zb_mom_ww_mxgateway.__all__
    assert len(names) == len(set(names))
    for name in names:
        assert getattr(zb_mom_ww_mxgateway, name) is not None


def test_an_open_stream_does_not_hold_up_the_end_of_the_interpreter() -> None:
    code = """
import asyncio
from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway.simulator import SimulatedGateway

plant = SimulatedGateway()
plant.start()
kept = []

async def main():
    client = await GatewayClient.connect(plant.endpoint, api_key=plant.api_key, plaintext=True)
    session = await client.open_session()
    handle = await session.register("x")
    await session.subscribe_bulk(handle, ["TestMachine_001.TestChangingInt"])
    stream = session.stream_events()
    await anext(stream)
    kept.append(stream)

asyncio.run(main())
print("done", flush=True)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"
