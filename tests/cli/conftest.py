from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

#: Shows up in any output only by mistake; its parts as well.
CANARY = "mxgw_canary03_Ww4_secret-Part_58Tz"
CANARY_PARTS = ("canary03", "Ww4_secret", "secret-Part", "58Tz")


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line on stderr."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


Mxgw = Callable[..., Done]


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "zb_mom_ww_mxgateway_cli", *map(str, arguments)]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MXGATEWAY_")}
    return {**kept, "PYTHONWARNINGS": "error", **(extra or {})}


def no_key_in(*texts: str | bytes) -> None:
    for text in texts:
        shown = text if isinstance(text, bytes) else text.encode()
        for part in (CANARY, *CANARY_PARTS):
            assert part.encode() not in shown


@pytest.fixture
def mxgw(tmp_path: Path) -> Mxgw:
    """Run `mxgw-py` in a process of its own, in an empty directory; no output may hold the canary key."""

    def run(*arguments: str | Path, env: Mapping[str, str] | None = None, timeout: float = 60) -> Done:
        done = subprocess.run(
            command(*arguments),
            capture_output=True,
            cwd=tmp_path,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            timeout=timeout,
        )
        no_key_in(done.stdout, done.stderr)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def files_below(path: Path) -> Sequence[Path]:
    return sorted(each for each in path.rglob("*") if each.is_file())


@dataclass
class Server:
    """A running `mxgw-py simulate`; it ends when its stdin closes."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    @property
    def endpoint(self) -> str:
        return str(self.ready["endpoint"])

    def close_stdin(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=20)
        no_key_in(out, err)
        return self.process.returncode, out, err


@contextmanager
def simulating(
    *arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Server]:
    process = subprocess.Popen(
        command("simulate", "--port", "0", "--json", "--until-stdin-closes", *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(env),
        cwd=cwd,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        no_key_in(line)
        yield Server(process, json.loads(line))
    finally:
        if process.poll() is None:
            process.communicate(timeout=20)


@pytest.fixture(scope="module")
def open_gateway() -> Iterator[Server]:
    """A plaintext gateway that lets everybody in."""
    with simulating() as server:
        yield server


@pytest.fixture(scope="module")
def locked_gateway() -> Iterator[Server]:
    """A plaintext gateway that accepts the canary key alone."""
    with simulating("--api-key-env", "KEY", env={"KEY": CANARY}) as server:
        yield server


@pytest.fixture(scope="module")
def tls_gateway() -> Iterator[Server]:
    """A TLS gateway that lets everybody in."""
    with simulating("--tls-self-signed") as server:
        yield server
