"""`mxgw-py` in this process, against a simulated gateway: fast, and every byte that it prints is looked at for keys."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unittest import mock

from zb_mom_ww_mxgateway.simulator import ApiKey, Limits, SimulatedGateway
from zb_mom_ww_mxgateway_cli.__main__ import run

#: Show up in any output only by mistake; their parts as well.
CANARY = "mxgw_canary04_Kk7_secret-Part_91Ub"
READER = "mxgw_reader04_Rr3_secret-Word_27Xc"
WRONG = "mxgw_nobody04_Zz9_secret-Else_64Mn"
CANARY_PARTS = ("canary04", "Kk7_secret", "secret-Part", "91Ub", "reader04", "Rr3_", "27Xc", "nobody04", "Zz9_", "64Mn")

ITEM = "TestChildObject.TestInt"
ALARM = "Galaxy!TestArea.TestMachine_001.TestAlarm001"


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one line of JSON on stdout, which has the one form that JSON has here."""
        assert self.code == 0, self.err
        assert self.err == ""
        return one_line(self.out)


def one_line(text: str) -> Any:
    """The JSON of a text that is one line of it, with sorted keys."""
    data = json.loads(text)
    assert text == json.dumps(data, sort_keys=True) + "\n"
    return data


@dataclass
class CommandLine:
    """Runs commands against a gateway; endpoint, plaintext and key come from the environment."""

    gateway: SimulatedGateway

    def __call__(self, *words: object, stdin: str = "", **variables: str | None) -> Done:
        """Run one command.

        Args:
            *words: after mxgw-py.
            stdin: what it may read.
            **variables: of the environment, beside or instead of the usual ones; None takes one away.
        """
        usual = {
            "MXGATEWAY_ENDPOINT": self.gateway.endpoint,
            "MXGATEWAY_PLAINTEXT": "1",
            "MXGATEWAY_API_KEY": CANARY,
        }
        done = run_command(words, {**usual, **variables}, stdin)
        for part in (CANARY, READER, WRONG, *CANARY_PARTS):
            assert part not in done.out + done.err
        assert "Traceback" not in done.err
        return done

    def session(self) -> str:
        """A new session with server handle 1 and the advised item 2."""
        session_id: str = self("open-session", "--json").json["sessionId"]
        assert self("register", "--session-id", session_id, "--client-name", "t", "--json").json["serverHandle"] == 1
        own = ("--session-id", session_id, "--server-handle", 1)
        assert self("add-item", *own, "--item", ITEM, "--json").json["itemHandle"] == 2
        assert self("advise", *own, "--item-handle", 2).code == 0
        return session_id


def run_command(words: tuple[object, ...], variables: Mapping[str, str | None], stdin: str = "") -> Done:
    """Run one command with these variables, and no others of a gateway."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MXGATEWAY_")}
    given = {name: value for name, value in variables.items() if value is not None}
    out, err = io.StringIO(), io.StringIO()
    text = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    with (
        mock.patch.dict(os.environ, {**kept, **given}, clear=True),
        mock.patch("sys.stdin", text),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = run([str(word) for word in words])
    return Done(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def command_line() -> Iterator[CommandLine]:
    """A gateway with a key that may do everything, one that may do next to nothing, and one active alarm."""
    keys = [ApiKey.parse(CANARY), ApiKey.parse(READER, ["admin"])]
    limits = Limits(first_value_delay=0.05, value_delay=0.02, write_delay=0.01, max_sessions=1000)
    gateway = SimulatedGateway(seed=7, keys=keys, limits=limits)
    tag = gateway.plant.resolve(ALARM.partition(".")[2])
    assert tag is not None
    gateway.plant.write(tag, True, gateway.clock.now_us())
    with gateway:
        yield CommandLine(gateway)
