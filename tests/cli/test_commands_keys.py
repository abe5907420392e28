"""No key in any byte that a command prints, whatever goes wrong; and the exit code that says what did.

`CommandLine` looks at each output itself: these tests make every command say something, good and bad.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.command_line import ALARM, CANARY, ITEM, READER, WRONG, CommandLine, command_line
from zb_mom_ww_mxgateway_cli.app import COMMANDS

TIME = ("--timestamp", "2026-01-31T12:00:00Z")
SERVER = ("--session-id", "SESSION", "--server-handle", "1")
ONE = (*SERVER, "--item-handle", "2")
VALUE = ("--type", "int32", "--value", "5")
MANY = (*SERVER, "--item-handles", "2", "--type", "int32", "--values", "5")
USER = ("--current-user-id", "1")
BENCH = ("--bulk-size", "1", "--duration-seconds", "0.05", "--warmup-seconds", "0")

#: Each command with words that make it succeed in a session with an advised item 2 and an authenticated user 1.
WORDS: dict[str, tuple[str, ...]] = {
    "smoke": ("--item", ITEM),
    "open-session": (),
    "ping": ("--session-id", "SESSION"),
    "register": ("--session-id", "SESSION", "--client-name", "t"),
    "authenticate-user": (*SERVER, "--user", "operator", "--password-env", "WORD"),
    "add-item": (*SERVER, "--item", ITEM),
    "add-item2": (*SERVER, "--item", "TestInt", "--context", "TestChildObject"),
    "advise": ONE,
    "advise-supervisory": ONE,
    "subscribe-bulk": (*SERVER, "--items", ITEM),
    "read-bulk": (*SERVER, "--items", ITEM),
    "write": (*ONE, *VALUE),
    "write2": (*ONE, *VALUE, *TIME),
    "write-secured": (*ONE, *VALUE, *USER),
    "write-secured2": (*ONE, *VALUE, *USER, *TIME),
    "write-bulk": MANY,
    "write2-bulk": (*MANY, *TIME),
    "write-secured-bulk": (*MANY, *USER),
    "write-secured2-bulk": (*MANY, *USER, *TIME),
    "stream-events": ("--session-id", "SESSION", "--max-events", "1"),
    "stream-alarms": ("--max-messages", "1"),
    "query-active-alarms": (),
    "acknowledge-alarm": ("--reference", ALARM),
    "galaxy-test-connection": (),
    "galaxy-last-deploy": (),
    "galaxy-discover": (),
    "galaxy-browse": (),
    "galaxy-watch": ("--max-events", "1"),
    "bench-read-bulk": BENCH,
    "unsubscribe-bulk": (*SERVER, "--item-handles", "2"),
    "unadvise": ONE,
    "un-advise": ONE,
    "remove-item": ONE,
    "unregister": SERVER,
    "close-session": ("--session-id", "SESSION"),
}
EACH = pytest.mark.parametrize("command", list(WORDS))


@pytest.fixture(scope="module")
def mx() -> Iterator[CommandLine]:
    with command_line() as line:
        yield line


def words_of(command: str, session_id: str = "session-nowhere") -> list[str]:
    return [command, *(session_id if word == "SESSION" else word for word in WORDS[command])]


def test_no_command_is_left_out() -> None:
    """Those that are have tests of their own, in which no key shows either."""
    assert set(WORDS) == set(COMMANDS) - {"demo", "simulate", "version", "batch"}


@EACH
@pytest.mark.parametrize("form", ["people", "json"])
def test_no_key_when_all_goes_well(mx: CommandLine, command: str, form: str) -> None:
    session_id = mx.session()
    own = ("--session-id", session_id, "--server-handle", 1)
    mx("authenticate-user", *own, "--user", "operator", "--password-env", "WORD", WORD="operator")
    words = words_of(command, session_id)
    if form == "json":
        assert mx(*words, "--json", WORD="operator").json is not None
    else:
        done = mx(*words, WORD="operator")
        assert (done.code, done.err) == (0, "")
        assert done.out


@EACH
@pytest.mark.parametrize("key", [WRONG, READER, None], ids=["wrong", "without scope", "none"])
def test_a_key_that_does_not_open(mx: CommandLine, command: str, key: str | None) -> None:
    done = mx(*words_of(command, "session-nowhere"), "--json", WORD="operator", MXGATEWAY_API_KEY=key)
    assert (done.code, done.out) == (3, "")
    assert mx.gateway.endpoint in done.err
    given = () if key is None else ("--api-key", key)
    assert mx(*words_of(command), *given, WORD="operator", MXGATEWAY_API_KEY=None).code == 3


@EACH
def test_nobody_is_there(mx: CommandLine, command: str) -> None:
    done = mx(*words_of(command), "--endpoint", "127.0.0.1:9", WORD="operator")
    assert (done.code, done.out) == (4, "")
    assert done.err.count("\n") == 1
    assert "127.0.0.1:9" in done.err


@EACH
def test_wrong_usage_shows_no_key(mx: CommandLine, command: str) -> None:
    for words in (
        (*words_of(command), CANARY),
        (*words_of(command), f"--{CANARY}"),
        (*words_of(command), "--api-key", CANARY, "--api-key-env", "X"),
        (*words_of(command), "--api-key", f"{CANARY} {CANARY}"),
        (*words_of(command), "--endpoint", f"{CANARY}:x"),
        (command, "--session-id", CANARY, "--item", CANARY, "--value", CANARY, "--type", CANARY, "--reference", ""),
    ):
        done = mx(*words, WORD="operator")
        assert (done.code, done.out) == (2, "")
        assert done.err.count("\n") == 1


def test_a_key_where_a_name_belongs(mx: CommandLine) -> None:
    """Pasted into the wrong place, it comes back from the gateway, and still shows nowhere."""
    session_id = mx.session()
    own = ("--session-id", session_id, "--server-handle", 1)
    mx("add-item", *own, "--item", CANARY, "--json")
    mx("read-bulk", *own, "--items", CANARY, "--timeout-ms", 100, "--json")
    mx("ping", "--session-id", CANARY)
    mx("acknowledge-alarm", "--reference", CANARY)
    mx("galaxy-browse", "--parent-tag-name", CANARY)
    mx("batch", stdin=f"{CANARY}\nping --session-id {CANARY}\nversion {CANARY}\nping '{CANARY}\n")
