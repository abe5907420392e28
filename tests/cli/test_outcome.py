from __future__ import annotations

import click
import pytest

from zb_mom_ww_mxgateway import (
    GalaxyNotFoundError,
    MxAccessError,
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayCommandError,
    MxGatewaySessionError,
    MxGatewayTimeoutError,
    MxGatewayTlsError,
    MxGatewayTransportError,
)
from zb_mom_ww_mxgateway_cli import output
from zb_mom_ww_mxgateway_cli.__main__ import run
from zb_mom_ww_mxgateway_cli.outcome import EXIT_CODES, MEANINGS, CommandFailed, CommandRefused, explain

from .conftest import CANARY, no_key_in


@pytest.fixture(autouse=True)
def forget_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_secrets", set())


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (CommandFailed("no such thing"), 1, "error: no such thing"),
        (CommandRefused("no such tag"), 5, "error: no such tag"),
        (MxAccessError("advise failed:\n  E_FAIL"), 5, "error: advise failed: E_FAIL"),
        (MxGatewayCommandError("odd"), 1, "error: odd"),
        (MxGatewaySessionError("gone"), 1, "error: gone"),
        (MxGatewayAuthenticationError("no key"), 3, "error: no key"),
        (MxGatewayAuthorizationError("no scope"), 3, "error: no scope"),
        (MxGatewayTransportError("nobody there"), 4, "error: nobody there"),
        (MxGatewayTlsError("not trusted"), 4, "error: not trusted"),
        (MxGatewayTimeoutError("no answer"), 4, "error: no answer"),
        (GalaxyNotFoundError("no such object"), 1, "error: no such object"),
        (FileNotFoundError(2, "No such file or directory", "a.pem"), 1, "error: a.pem: No such file or directory"),
        (OSError("odd"), 1, "error: odd"),
        (click.UsageError("give one"), 2, "mxgw-py: give one (see mxgw-py --help)"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
    ],
)
def test_each_failure_has_a_code_and_one_line(error: BaseException, code: int, text: str) -> None:
    outcome = explain(error)
    assert outcome == (code, text)


def test_a_fault_of_the_program_has_none() -> None:
    assert explain(ZeroDivisionError()) is None
    assert explain(ValueError("x")) is None


def test_the_codes_are_one_table() -> None:
    assert {0, *EXIT_CODES.values()} == set(MEANINGS) == {0, 1, 2, 3, 4, 5, 130}


def test_no_key_in_the_line() -> None:
    output.keep_secret("notOfTheUsualForm-0123456789")
    outcome = explain(CommandFailed(f"sent {CANARY} and notOfTheUsualForm-0123456789"))
    assert outcome is not None
    no_key_in(outcome.text)
    assert "0123456789" not in outcome.text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["smok"], "No such command 'smok'"),
        (["smoke"], "Missing option '--item'"),
        (["smoke", "--item", "A.B", "--plaintext", "--tls"], "--plaintext and --tls exclude each other"),
        (["smoke", "--item", "A.B", "--api-key", CANARY, "--api-key-env", "X"], "exclude each other"),
        (["smoke", "--item", "A.B", "--api-key-env", "NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE is not set"),
        (["smoke", "--item", "A.B", "--endpoint", "host:99999"], "port '99999'"),
        (["smoke", "--item", "A.B", "--endpoint", ""], "is empty"),
        (["smoke", "--item", "A.B", "--plaintext", "--ca-file", "x.pem"], "contradicts ca_file"),
        (["smoke", "--item", "A.B", "--pinned-sha256", "12"], "is not a SHA-256"),
        (["smoke", "--item", "A.B", "--api-key", f"{CANARY} x"], "position"),
        (["smoke", "--item", "A.B", "--max-events", "0"], "--max-events"),
        (["smoke", "--item", "A.B", CANARY], "unexpected extra argument"),
        (["demo", "--plaintext"], "need --endpoint"),
        (["demo", "--seconds", "0"], "--seconds"),
        (["demo", "--tags", "0"], "--tags"),
    ],
)
def test_wrong_usage(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert text in err
    assert "--help" in err
    no_key_in(err)


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["simulate", "-h"], ["smoke", "--help"]])
def test_help_goes_to_stdout(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage: mxgw-py")
    assert err == ""
