from __future__ import annotations

import csv
import io
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from zb_mom_ww_mxgateway.frames import EVENT_SCHEMA, events_frame
from zb_mom_ww_mxgateway_cli.demo.files import CSV_COLUMNS

from .conftest import CANARY, Mxgw, Server, command, environment, files_below, no_key_in

FILES = ["events.csv", "events.parquet", "trend.png"]


def check_files(directory: Path, tags: int) -> None:
    """The three files have what the demo promises, and no key."""
    assert [path.name for path in files_below(directory)] == FILES
    parquet, table = directory / "events.parquet", (directory / "events.csv").read_text(encoding="utf-8")
    events = pq.read_table(parquet)
    assert events.schema.remove_metadata().equals(EVENT_SCHEMA)
    described = json.loads(events.schema.metadata[b"mxgateway.collection"])
    assert described["endpoint"].startswith("127.0.0.1:")
    frame = events_frame(events)
    assert frame["tag"].nunique() == tags
    rows = list(csv.reader(io.StringIO(table)))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) - 1 == len(frame)
    assert [row[1] for row in rows[1:]] == frame["tag"].tolist()
    assert all(row[0].endswith("+00:00") and len(row[0]) == 32 for row in rows[1:])
    png = (directory / "trend.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert min(width, height) > 300
    for path in files_below(directory):
        content = path.read_bytes()
        no_key_in(content)
        assert b"mxgw_" not in content


def test_the_demo_with_its_own_gateway(mxgw: Mxgw, tmp_path: Path) -> None:
    done = mxgw("demo", "--seconds", "2")
    assert done.code == 0, done.err
    check_files(tmp_path / "mxgw-demo", 20)
    lines = done.out.splitlines()
    assert lines[0].split() == ["tag", "events", "first", "last", "min", "mean", "max", "good"]
    assert len(lines) == 22
    assert all(line.endswith("%") for line in lines[2:])
    assert max(map(len, lines)) <= 120
    assert "starting a simulated gateway" in done.err
    assert "what next" in done.err
    assert "mxgw_" not in done.out + done.err


def test_the_demo_as_json(mxgw: Mxgw, tmp_path: Path) -> None:
    done = mxgw("demo", "--seconds", "1", "--tags", "5", "--output", "here", "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert len(done.out.splitlines()) == 1
    assert document["endedBy"] == "seconds"
    assert document["error"] is None
    assert document["gaps"] == []
    assert document["files"] == ["here/events.parquet", "here/events.csv", "here/trend.png"]
    assert len(document["tags"]) == 5
    assert set(document["tags"][0]) == {"tag", "events", "first", "last", "min", "mean", "max", "goodShare"}
    assert document["events"] == sum(tag["events"] for tag in document["tags"])
    check_files(tmp_path / "here", 5)


def test_the_same_seed_picks_the_same_tags(mxgw: Mxgw) -> None:
    picks = []
    for _ in range(2):
        done = mxgw("demo", "--seconds", "0.6", "--tags", "8", "--json", "--seed", "3")
        document = json.loads(done.out)
        picks.append(sorted([tag["tag"] for tag in document["tags"]] + document["silent"]))
    assert picks[0] == picks[1]


def test_the_demo_with_another_gateway(mxgw: Mxgw, tmp_path: Path, locked_gateway: Server) -> None:
    done = mxgw(
        "demo", "--endpoint", locked_gateway.endpoint, "--plaintext", "--api-key-env", "KEY",
        "--seconds", "1", "--tags", "4", env={"KEY": CANARY},
    )  # fmt: skip
    assert done.code == 0, done.err
    assert f"collecting 4 tags of {locked_gateway.endpoint}" in done.err
    assert "starting a simulated gateway" not in done.err
    check_files(tmp_path / "mxgw-demo", 4)


def test_a_tls_gateway(mxgw: Mxgw, tmp_path: Path, tls_gateway: Server) -> None:
    assert mxgw("demo", "--endpoint", tls_gateway.endpoint, "--seconds", "1", "--tags", "2").code == 0
    check_files(tmp_path / "mxgw-demo", 2)


def test_ctrl_c_keeps_what_has_come(tmp_path: Path, locked_gateway: Server) -> None:
    windows = sys.platform == "win32"
    flags: Any = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)} if windows else {}
    arguments = ["--endpoint", locked_gateway.endpoint, "--plaintext", "--api-key-env", "KEY"]
    process = subprocess.Popen(
        command("demo", "--seconds", "600", "--tags", "5", *arguments),
        cwd=tmp_path,
        env=environment({"KEY": CANARY}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **flags,
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    assert said.startswith("collecting 5 tags")
    assert process.stderr.readline() == "the first events have come\n"
    process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", 0) if windows else signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "interrupted: this is what had come until then" in err
    assert len(out.splitlines()) == 7
    no_key_in(out, err)
    check_files(tmp_path / "mxgw-demo", 5)
    described = json.loads(pq.read_schema(tmp_path / "mxgw-demo" / "events.parquet").metadata[b"mxgateway.collection"])
    assert described["ended_by"] == "interrupted"


@pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")
def test_ctrl_c_in_a_terminal_leaves_no_process_behind(tmp_path: Path) -> None:
    """The terminal sends SIGINT to the whole group; the embedded gateway is in none of it and ends by itself."""
    process = subprocess.Popen(
        command("demo", "--seconds", "600"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("starting a simulated gateway")
    started = process.stderr.readline()
    assert started.startswith("collecting 20 tags of 127.0.0.1:")
    endpoint = started.split()[4]
    assert process.stderr.readline() == "the first events have come\n"
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "interrupted: this is what" in err
    check_files(tmp_path / "mxgw-demo", 20)
    assert not listening(endpoint)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_demo_leaves_no_gateway_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("demo", "--seconds", "600"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process.stderr:
        process.stderr.readline()
        endpoint = process.stderr.readline().split()[4]
        assert listening(endpoint)
        process.kill()
        process.wait(timeout=10)
        deadline = time.monotonic() + 10
        while listening(endpoint) and time.monotonic() < deadline:
            pass
    assert not listening(endpoint)


def listening(endpoint: str) -> bool:
    host, _, port = endpoint.rpartition(":")
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((host, int(port))) == 0


def test_a_directory_that_cannot_be_made(mxgw: Mxgw, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = mxgw("demo", "--output", "taken/below")
    assert done.code == 1
    assert "taken" in done.line


def test_the_missing_extra_names_the_command(tmp_path: Path) -> None:
    code = (
        "import importlib.util as u, sys; find = u.find_spec;"
        "u.find_spec = lambda name, *a: None if name in ('pandas', 'matplotlib') else find(name, *a);"
        "from zb_mom_ww_mxgateway_cli.__main__ import run; sys.exit(run(['demo']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        'error: demo needs pandas, matplotlib: python -m pip install "zb-mom-ww-mxaccess-gateway-client[notebook]"\n'
    )
    assert files_below(tmp_path) == []
