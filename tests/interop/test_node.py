"""A client that others wrote, in another language, understands the simulated gateway over the same `.proto` files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway.simulator import SimulatedGateway

HERE = Path(__file__).parent
PROTOS = HERE.parents[1] / "protos"
TAGS = ["TestMachine_001.TestChangingInt", "Pump001.Speed", "Pump001.Mode", "No.Such"]


@pytest.fixture(scope="module")
def node_client(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Node, and a directory with the script and its packages."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    directory = tmp_path_factory.mktemp("interop")
    shutil.copy(HERE / "client.js", directory)
    shutil.copy(HERE / "package.json", directory)
    # npm keeps what it has downloaded in its own cache.
    install = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"]
    done = subprocess.run(install, cwd=directory, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode:
        pytest.skip(f"npm install failed, perhaps without a network: {done.stderr.strip()[-200:]}")
    return node, directory


@pytest.mark.slow
def test_node_uses_sessions_events_reads_browsing_and_alarms(node_client: tuple[str, Path]) -> None:
    node, directory = node_client
    with SimulatedGateway(objects=60, seed=1) as gateway:
        done = subprocess.run(
            [node, "client.js", gateway.endpoint, str(PROTOS), *TAGS],
            cwd=directory,
            env={**os.environ, "MXGATEWAY_API_KEY": gateway.api_key},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert gateway.sessions == []
        roots = [child.tag_name for child in gateway.plant.children(0)]
    seen = json.loads(done.stdout)
    assert seen["session"].startswith("session-")
    assert seen["subscribed"] == [True] * 4
    assert seen["sequences"] == [1, 2, 3, 4]
    assert seen["families"] == ["MX_EVENT_FAMILY_ON_DATA_CHANGE"]
    assert [name for name, _, _ in seen["read"]] == TAGS
    assert [good for _, good, _ in seen["read"]] == [True, True, True, False]
    assert [kind for _, _, kind in seen["read"]][:3] == ["int32_value", "float_value", "string_value"]
    assert sorted(seen["children"]) == sorted(roots)
    assert seen["feed"] == ["snapshot_complete", "provider_status"]
    assert seen["acknowledged"] == ("PROTOCOL_STATUS_CODE_OK" if seen["alarms"] else None)
    assert seen["refused"] == "NOT_FOUND"
    assert seen["closed"] == "SESSION_STATE_CLOSED"
