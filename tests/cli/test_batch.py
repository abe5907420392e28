"""The batch protocol: a result and a marker per line, whatever the line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import click
import pytest

from support.command_line import CANARY, ITEM, CommandLine, command_line, one_line
from zb_mom_ww_mxgateway_cli.commands.batch import END_OF_RESULT, split

from .conftest import command, environment


@pytest.fixture(scope="module")
def mx() -> Iterator[CommandLine]:
    with command_line() as line:
        yield line


def answers(mx: CommandLine, *lines: str, **variables: str) -> list[str]:
    """What came before each marker."""
    done = mx("batch", stdin="".join(f"{line}\n" for line in lines), **variables)
    assert (done.code, done.err) == (0, "")
    if not done.out:
        return []
    assert done.out.endswith(f"{END_OF_RESULT}\n")
    return done.out.split(f"{END_OF_RESULT}\n")[:-1]


def failure(answer: str) -> str:
    data = one_line(answer)
    assert set(data) == {"error", "type"}
    assert data["type"] == "error"
    return str(data["error"])


def test_the_marker_is_the_one_of_all_clients() -> None:
    assert END_OF_RESULT == "__MXGW_BATCH_EOR__"


def test_a_whole_session_in_one_process(mx: CommandLine) -> None:
    session_id = mx.session()
    own = f"--session-id {session_id} --server-handle 1"
    one = f"{own} --item-handle 2"
    answered = answers(
        mx,
        "version --json",
        f"mxgw-py ping --session-id {session_id} --json",
        f"add-item {own} --item {ITEM} --json",
        f"write {one} --type int32 --value 1 --wait --json",
        f"write {one} --type int32 --value 2 --wait --json",
        f"stream-events --session-id {session_id} --max-events 1 --json",
        "galaxy-test-connection --json",
        f"smoke --item {ITEM} --json",
        f"close-session --session-id {session_id} --json",
    )
    results = [one_line(answer) for answer in answered]
    assert results[1] == {"ok": True, "sessionId": session_id}
    assert results[2]["itemHandle"] == 3
    assert [results[number]["completed"] for number in (3, 4)] == [True, True]
    assert results[5]["eventCount"] == results[7]["eventCount"] == 1
    assert results[8]["finalState"] == "SESSION_STATE_CLOSED"
    assert session_id not in mx.gateway.sessions


def test_open_session_leaves_it_open_after_the_batch(mx: CommandLine) -> None:
    [answer] = answers(mx, "open-session --json")
    assert one_line(answer)["sessionId"] in mx.gateway.sessions


def test_a_line_that_fails_is_answered_and_the_next_one_runs(mx: CommandLine) -> None:
    answered = answers(
        mx,
        "no-such-command",
        "ping",
        "ping --session-id session-nowhere",
        "ping --session-id 'session",
        "galaxy-test-connection --endpoint 127.0.0.1:9",
        f"galaxy-test-connection --api-key {CANARY}x",
        "batch",
        "simulate",
        "authenticate-user --session-id s --server-handle 1 --user u --password-stdin",
        "version --json",
    )
    texts = [
        "No such command 'no-such-command'",
        "Missing option '--session-id'",
        "session-nowhere",
        "No closing quotation",
        "127.0.0.1:9",
        "check the API key",
        "batch cannot run in a batch",
        "simulate cannot run in a batch",
        "stdin holds the commands",
    ]
    for answer, text in zip(answered, texts, strict=False):
        assert text in failure(answer)
    assert "clientVersion" in one_line(answered[-1])
    assert len(answered) == len(texts) + 1


def test_a_result_that_is_a_no_stands_alone(mx: CommandLine) -> None:
    session_id = mx.session()
    line = f"read-bulk --session-id {session_id} --server-handle 1 --items No.SuchTag --strict --json"
    done = mx("batch", stdin=f"{line}\n")
    result, marker = done.out.splitlines()
    assert json.loads(result)["failedCount"] == 1
    assert marker == END_OF_RESULT
    assert done.err == "error: 1 of 1 entries were refused\n"


def test_only_the_end_of_the_input_ends_it(mx: CommandLine) -> None:
    """Review finding Rust-028: an empty line is no end; it has no answer either."""
    assert len(answers(mx, "version", "", "   ", "version")) == 2
    assert answers(mx) == []
    # The last line needs no end, and Windows ends lines in its own way.
    assert mx("batch", stdin="version\r\nversion").out.count(END_OF_RESULT) == 2
    assert mx("batch", stdin="\ufeffversion\n").out.startswith("mxgw-py ")


def test_help_is_a_result(mx: CommandLine) -> None:
    [answer] = answers(mx, "ping --help")
    assert answer.startswith("Usage: mxgw-py ping")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ping --session-id x", ["ping", "--session-id", "x"]),
        ("mxgw-py ping\n", ["ping"]),
        ('write --value "a b" --x \'c "d"\'', ["write", "--value", "a b", "--x", 'c "d"']),
        ("write --value ''", ["write", "--value", ""]),
        ('--value "it\'s"', ["--value", "it's"]),
        (r"smoke --ca-file C:\certs\ca.pem", ["smoke", "--ca-file", r"C:\certs\ca.pem"]),
        (r'--reference "\\Galaxy\Area001.Pump001.PumpFault"', ["--reference", r"\\Galaxy\Area001.Pump001.PumpFault"]),
        ("--items A.B,C.D # no comment", ["--items", "A.B,C.D", "#", "no", "comment"]),
        ("--value grün;x|y&z", ["--value", "grün;x|y&z"]),
        ("mxgw-py", []),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    assert split(line) == words


def test_a_quote_that_is_not_closed() -> None:
    with pytest.raises(click.UsageError, match="No closing quotation"):
        split('ping "x')


def test_the_connection_stays_between_lines(mx: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    from zb_mom_ww_mxgateway import GalaxyRepositoryClient

    connected: list[Any] = []
    connect = GalaxyRepositoryClient.connect

    async def counted(options: Any) -> GalaxyRepositoryClient:
        connected.append(options)
        return await connect(options)

    monkeypatch.setattr(GalaxyRepositoryClient, "connect", counted)
    assert len(answers(mx, *["galaxy-last-deploy --json"] * 5)) == 5
    assert len(connected) == 1
    # One that broke is not used again.
    answers(mx, *["galaxy-last-deploy --endpoint 127.0.0.1:9"] * 2)
    assert len(connected) == 3


def test_each_answer_comes_at_once(mx: CommandLine) -> None:
    """In a process of its own: a driver writes a line and reads up to the marker before it writes the next."""
    process = subprocess.Popen(
        command("batch"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment({"MXGATEWAY_ENDPOINT": mx.gateway.endpoint, "MXGATEWAY_PLAINTEXT": "1", "K": CANARY}),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for line in ("galaxy-test-connection --json --api-key-env K", "grün", "version --json"):
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
        json.loads(process.stdout.readline())
        assert process.stdout.readline() == f"{END_OF_RESULT}\n"
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")
