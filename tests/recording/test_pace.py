from __future__ import annotations

import subprocess
import sys

import pytest

from zb_mom_ww_mxgateway.recording import SimulatedPace, WallPace


class Simulator:
    def __init__(self) -> None:
        self.advanced: list[float] = []

    async def aadvance(self, seconds: float) -> None:
        self.advanced.append(seconds)

    def last_sequence(self, session_id: str) -> int:
        return {"session-1": 42}[session_id]


async def test_the_simulated_pace_advances_the_clock() -> None:
    simulator = Simulator()
    pace = SimulatedPace(simulator)
    await pace.sleep(0.25)
    assert simulator.advanced == [0.25]
    assert pace.settled("session-1") == 42


async def test_oversleeping_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds + 0.01

    monkeypatch.setattr("zb_mom_ww_mxgateway.recording.pace.time.monotonic", lambda: now)
    monkeypatch.setattr("zb_mom_ww_mxgateway.recording.pace.asyncio.sleep", sleep)
    pace = WallPace()
    for _ in range(10):
        await pace.sleep(0.125)
    assert now - 100.0 == pytest.approx(10 * 0.125 + 0.01)
    # Long after, another collection starts afresh.
    now += 60
    await pace.sleep(0.125)
    assert slept[-1] == pytest.approx(0.125)
    assert pace.settled("session-1") is None


def test_the_root_package_needs_no_pandas() -> None:
    code = "import sys, zb_mom_ww_mxgateway; print({'pandas', 'pyarrow', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
