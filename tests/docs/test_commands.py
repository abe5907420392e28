"""Every command of the README and the docs is run, and the set-up commands are those of the gate."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.readme import ROOT, blocks, commands, setup_commands
from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.simulator import SimulatedGateway

DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINES = [(path, line) for path in DOCS for line in commands(path) if "pip install" not in line]


@pytest.fixture(scope="module")
def gateway() -> Iterator[SimulatedGateway]:
    with SimulatedGateway(seed=7) as gateway:
        yield gateway


def test_the_readme_has_two_setup_commands() -> None:
    assert setup_commands() == [
        'python -m pip install -e ".[notebook]" && mxgw-py demo',
        'python -m pip install -e ".[dev]" && python -m pytest',
    ]
    windows = "".join(blocks(ROOT / "README.md", "powershell")).splitlines()
    assert windows == [line.replace(" &&", ";") for line in setup_commands()]


def test_the_gate_runs_the_readmes_test_command() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests/support/readme.py", "test-command"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == setup_commands()[1]
    assert 'tests/support/readme.py" test-command' in (ROOT / ".ci/run").read_text(encoding="utf-8")


@pytest.mark.parametrize(("path", "line"), LINES, ids=[f"{path.name}: {line}" for path, line in LINES])
def test_a_command_of_the_docs_runs(path: Path, line: str, gateway: SimulatedGateway, tmp_path: Path) -> None:
    if line.startswith("mxgw-py simulate"):
        _simulates(line)
        return
    if "SESSION_ID" in line:
        line = line.replace("SESSION_ID", asyncio.run(_session(gateway)))
    program, *rest = shlex.split(line.replace("localhost:5000", gateway.endpoint))
    environment = {
        **os.environ,
        "MXGATEWAY_API_KEY": gateway.api_key,
        "MXGATEWAY_ENDPOINT": gateway.endpoint,
        "MXGATEWAY_PLAINTEXT": "1",
    }
    if program == "mxgw-py":
        command, folder = [sys.executable, "-m", "zb_mom_ww_mxgateway_cli", *rest], tmp_path
    elif program == "python" and "--nbval" in rest:
        # The gate runs the notebooks; here it is enough that they are found.
        command, folder = [sys.executable, *rest, "--collect-only", "-q"], ROOT
    elif program == "python":
        command, folder = [sys.executable, *rest], ROOT
    else:
        pytest.fail(f"nothing knows how to run {line!r}")
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    if "--json" in rest:
        json.loads(done.stdout)
    assert gateway.api_key not in done.stdout + done.stderr


async def _session(gateway: SimulatedGateway) -> str:
    """A session of its own for one line, with server handle 1 and the advised item 2; it stays open."""
    async with await GatewayClient.connect(gateway.endpoint, api_key=gateway.api_key, plaintext=True) as client:
        opened = await client.open_session_raw(pb.OpenSessionRequest(client_session_name="docs"))
        session = client.session(opened.session_id)
        assert await session.register("docs") == 1
        assert await session.add_item(1, "TestChildObject.TestInt") == 2
        await session.advise(1, 2)
    return opened.session_id


def _simulates(line: str) -> None:
    """Start it on a free port, see it ready, end it."""
    arguments = shlex.split(line)[1:]
    arguments[arguments.index("--port") + 1] = "0"
    process = subprocess.Popen(
        [sys.executable, "-m", "zb_mom_ww_mxgateway_cli", *arguments, "--until-stdin-closes", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        ready = json.loads(process.stdout.readline())
        assert ready["endpoint"].startswith("127.0.0.1:")
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def test_the_conda_environment_asks_for_what_the_package_asks_for() -> None:
    """The floors of environment.yml are those of pyproject.toml; what conda has not comes from pip."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["notebook"]]
    wanted += project["optional-dependencies"]["simulator"]
    floors = {}
    for requirement in wanted:
        name, _, rest = requirement.partition(">=")
        floors[name.replace("_", "-")] = rest.partition(",")[0].partition(";")[0].strip()
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    conda = [line.strip(" -") for line in lines if line.startswith("  - ") and ">=" in line]
    assert len(conda) > 10
    for line in conda:
        name, _, rest = line.partition(" >=")
        if name != "python":
            assert floors[name.removesuffix("-base")] == rest.partition(",")[0], line
    assert "      - -e .[notebook]" in lines
    assert project["requires-python"] in "".join(lines)
