from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
