"""A simulated gateway in a process of its own, which ends with this one whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from ..outcome import CommandFailed
from ..output import keep_secret

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions

__all__ = ["embedded_gateway"]

#: How the key reaches the other process: arguments can be seen by everybody on the machine.
_KEY_VARIABLE = "MXGATEWAY_EMBEDDED_API_KEY"
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0


@contextlib.contextmanager
def embedded_gateway(*, seed: int) -> Iterator[ClientOptions]:
    """Start `mxgw-py simulate` on a free port of this machine, with a key made up for it, and stop it at the end.

    Raises:
        CommandFailed: it did not start; the text says what it said.
    """
    from zb_mom_ww_mxgateway import ClientOptions

    key = f"mxgw_demo_{secrets.token_urlsafe(32)}"
    keep_secret(key)
    # -P: a file in the current directory must not pass for one of our modules.
    command = [sys.executable, "-P", "-m", "zb_mom_ww_mxgateway_cli", "simulate", "--port", "0", "--json"]
    command += ["--seed", str(seed), "--api-key-env", _KEY_VARIABLE, "--until-stdin-closes"]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            env={**os.environ, _KEY_VARIABLE: key},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            **_apart(),
        )
        try:
            ready = _first_line(process, errors)
            yield ClientOptions(endpoint=ready["endpoint"], api_key=key, plaintext=True)
        finally:
            _stop(process)


def _apart() -> dict[str, Any]:
    """A process group of its own: Ctrl-C must reach us alone, so that the gateway is there while we tidy up."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _first_line(process: subprocess.Popen[bytes], errors: IO[bytes]) -> dict[str, Any]:
    lines: list[bytes] = []
    stdout = process.stdout
    assert stdout is not None
    reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
    reader.start()
    reader.join(_START_SECONDS)
    if lines and lines[0].strip():
        ready: dict[str, Any] = json.loads(lines[0])
        return ready
    errors.seek(0)
    said = errors.read().decode(errors="replace").strip().splitlines()
    reason = said[-1].removeprefix("error: ") if said else f"it was not ready within {_START_SECONDS:g} s"
    raise CommandFailed(f"the embedded gateway did not start: {reason}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            # A pipe whose other end is gone already.
            with contextlib.suppress(OSError):
                stream.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
