from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme

from zb_mom_ww_mxgateway import GatewayClient

from .conftest import CANARY, Mxgw, Server, command, environment, no_key_in, simulating

README_EXAMPLE = """
import asyncio
from zb_mom_ww_mxgateway import GatewayClient

async def main():
    async with await GatewayClient.connect(
        endpoint="localhost:PORT",
        api_key="<gateway-api-key>",
        plaintext=True,
    ) as client:
        session = await client.open_session(client_session_name="python-client")
        try:
            server_handle = await session.register("python-client")
            item_handle = await session.add_item(server_handle, "Object.Attribute")
            await session.advise(server_handle, item_handle)
        finally:
            await session.close()

asyncio.run(main())
"""


def test_the_ready_line(open_gateway: Server) -> None:
    assert set(open_gateway.ready) == {
        "attributes", "authentication", "certificateSha256", "endpoint", "objects", "plaintext",
    }  # fmt: skip
    assert open_gateway.ready["plaintext"] is True
    assert open_gateway.ready["authentication"] is False
    assert open_gateway.ready["objects"] == 60


def test_the_first_example_of_the_readme_runs(open_gateway: Server) -> None:
    port = open_gateway.endpoint.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-c", README_EXAMPLE.replace("PORT", port)], capture_output=True, text=True, env=environment()
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_it_says_how_to_connect_and_ends_with_its_parent() -> None:
    with simulating() as server:
        code, out, err = server.close_stdin()
    assert (code, out) == (0, "")
    assert f"simulated gateway at {server.endpoint}, plaintext: 60 objects" in err
    assert "authentication is off" in err
    assert f"mxgw-py smoke --endpoint {server.endpoint} --plaintext --item" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(number: signal.Signals) -> None:
    with simulating() as server:
        server.process.send_signal(number)
        assert server.process.wait(timeout=20) == 0
        assert "Traceback" not in server.close_stdin()[2]


@pytest.mark.skipif(sys.platform != "win32", reason="Ctrl-Break is a thing of Windows")
def test_ctrl_break_ends_it() -> None:
    flags: Any = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    process = subprocess.Popen(command("simulate", "--port", "0", "--json"), stdout=subprocess.PIPE, text=True, **flags)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", 0))
    assert process.wait(timeout=20) == 0


def test_without_a_parent_it_does_not_look_at_stdin(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("simulate", "--port", "0", "--json"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
        process.terminate()
        process.wait(timeout=20)


def test_a_taken_port(open_gateway: Server, mxgw: Mxgw) -> None:
    port = open_gateway.endpoint.rpartition(":")[2]
    done = mxgw("simulate", "--port", port)
    assert done.code == 1
    assert done.out == ""
    assert f"127.0.0.1:{port}" in done.line


def test_a_key_file_is_made_once_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with simulating("--key-file", path) as server:
        first = path.read_text().strip()
        assert server.ready["authentication"] is True
        _, _, err = server.close_stdin()
    assert first.startswith("mxgw_simulator_")
    assert first not in err
    # The secret itself may have underscores: it is all that follows the second one.
    assert first.split("_", 2)[2] not in err
    assert f"a new one, in {path}" in err
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with simulating("--key-file", path) as server:
        assert path.read_text().strip() == first
        asyncio.run(open_a_session(server.endpoint, first))


async def open_a_session(endpoint: str, key: str) -> None:
    async with await GatewayClient.connect(endpoint, api_key=key, plaintext=True) as client:
        await (await client.open_session()).close()


def test_a_file_without_a_key(tmp_path: Path, mxgw: Mxgw) -> None:
    path = tmp_path / "key"
    path.write_text("two words\n")
    done = mxgw("simulate", "--key-file", path)
    assert done.code == 1
    assert "holds no API key" in done.line


@pytest.mark.parametrize("arguments", [["--api-key", "canary03"], ["--api-key-env", "KEY"]])
def test_a_key_of_another_form_is_not_repeated(mxgw: Mxgw, arguments: list[str]) -> None:
    done = mxgw("simulate", *arguments, env={"KEY": "canary03"})
    assert done.code == 2
    assert "has not the form of one" in done.line


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--tls-self-signed", "--tls-cert", "{pem}", "--tls-key", "{pem}"], "exclude each other"),
        (["--tls-cert", "{pem}"], "belong together"),
        (["--tls-cert", "nowhere.pem", "--tls-key", "{pem}"], "nowhere.pem"),
        (["--api-key", CANARY, "--key-file", "x"], "--api-key and --key-file exclude each other"),
        (["--objects", "3"], "--objects"),
        (["--port", "70000"], "--port"),
        (["--speed", "0"], "--speed"),
    ],
)
def test_wrong_usage(tmp_path: Path, mxgw: Mxgw, arguments: list[str], text: str) -> None:
    pem = tmp_path / "some.pem"
    pem.write_text("nothing of the kind")
    done = mxgw("simulate", *(argument.format(pem=pem) for argument in arguments))
    assert done.code == 2
    assert text in done.line


def test_a_certificate_that_is_none(tmp_path: Path, mxgw: Mxgw) -> None:
    pem = tmp_path / "some.pem"
    pem.write_text("nothing of the kind")
    done = mxgw("simulate", "--tls-cert", pem, "--tls-key", pem)
    assert done.code == 1
    assert str(pem) in done.line


def test_a_given_certificate_is_served(tmp_path: Path, mxgw: Mxgw) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    certificate, key, roots = tmp_path / "server.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(roots)
    with simulating("--tls-cert", certificate, "--tls-key", key) as server:
        item = ("--item", "TestMachine_001.TestChangingInt")
        good = mxgw("smoke", "--endpoint", server.endpoint, "--tls", "--ca-file", roots, *item)
        assert good.code == 0, good.err
        assert len(server.ready["certificateSha256"]) == 64
        pinned = mxgw(
            "smoke", "--endpoint", server.endpoint, "--pinned-sha256", server.ready["certificateSha256"], *item
        )
        assert pinned.code == 0, pinned.err
        no_key_in(good.out, pinned.out)


PLANT = """
[plant]
objects = 30
seed = 4

[[objects]]
name = "Tank_077"
template = "$Tank_Storage"
parent = "Area001"

[gateway]
speed = 5.0
faults = ["drop-stream:after=2"]
"""


def test_a_plant_of_ones_own_with_a_fault(tmp_path: Path, mxgw: Mxgw) -> None:
    path = tmp_path / "plant.toml"
    path.write_text(PLANT)
    with simulating("--config", path) as server:
        assert server.ready["objects"] == 31
        arguments = ("smoke", "--endpoint", server.endpoint, "--plaintext", "--item", "Tank_077.Level")
        done = mxgw(*arguments, "--max-events", "3")
        assert done.code == 4
        assert server.endpoint in done.line
        assert "connection was lost" in done.line
        # It goes wrong once.
        assert mxgw(*arguments, "--max-events", "3").code == 0


def test_faults_on_the_command_line(mxgw: Mxgw) -> None:
    with simulating("--fault", "fault-session:after=1", "--fault", "skip-sequence:after=1") as server:
        done = mxgw("demo", "--endpoint", server.endpoint, "--plaintext", "--seconds", "30", "--tags", "3")
        assert done.code == 4
        assert done.out.startswith("tag")
        assert done.err.splitlines()[-1].startswith("error: ")
        assert server.endpoint in done.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "more", "code", "text"),
    [
        (("$Tank_Storage", "$Tonk"), (), 1, "plant.toml: objects[0].template"),
        (("speed", "sped"), (), 1, "plant.toml: gateway.sped: expected one of host, port, speed, faults"),
        (("speed = 5.0", 'speed = "fast"'), (), 2, "--speed"),
        (("drop-stream", "drop-scream"), (), 2, "no fault is called 'drop-scream'"),
        (("[plant]", "[plant"), (), 1, "plant.toml"),
        (("", ""), ("--seed", "3"), 2, "--objects and --seed"),
        (("", ""), ("--fault", "nonsense"), 2, "drop-stream"),
    ],
)
def test_a_configuration_that_cannot_be_used(
    tmp_path: Path, mxgw: Mxgw, change: tuple[str, str], more: tuple[str, ...], code: int, text: str
) -> None:
    path = tmp_path / "plant.toml"
    path.write_text(PLANT.replace(*change))
    done = mxgw("simulate", "--config", path, *more)
    assert done.code == code
    assert text in done.line
