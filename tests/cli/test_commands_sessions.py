"""Sessions and items, one command at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.command_line import ITEM, CommandLine, command_line


@pytest.fixture(scope="module")
def mx() -> Iterator[CommandLine]:
    with command_line() as line:
        yield line


def test_a_session_outlives_the_command_that_opened_it(mx: CommandLine) -> None:
    opened = mx("open-session", "--client-name", "mine", "--json").json
    assert opened["sessionId"] in mx.gateway.sessions
    assert opened["protocolStatus"]["code"] == "PROTOCOL_STATUS_CODE_OK"
    assert opened["gatewayProtocolVersion"] == 3
    closed = mx("close-session", "--session-id", opened["sessionId"], "--json").json
    assert closed["finalState"] == "SESSION_STATE_CLOSED"
    assert opened["sessionId"] not in mx.gateway.sessions


def test_a_session_for_people(mx: CommandLine) -> None:
    done = mx("open-session")
    word, session_id = done.out.split()
    assert word == "session"
    assert mx("ping", "--session-id", session_id).out == "ok\n"
    assert mx("register", "--session-id", session_id, "--client-name", "t").out == "server handle 1\n"
    own = ("--session-id", session_id, "--server-handle", 1)
    assert mx("add-item", *own, "--item", ITEM).out == "item handle 2\n"
    assert mx("advise", *own, "--item-handle", 2).out == "done\n"
    assert mx("close-session", "--session-id", session_id).out == f"closed {session_id}\n"


def test_an_item_step_by_step(mx: CommandLine) -> None:
    session_id = mx.session()
    own = ("--session-id", session_id, "--server-handle", 1)
    base = {"serverHandle": 1, "sessionId": session_id}
    assert mx("ping", "--session-id", session_id, "--json").json == {"ok": True, "sessionId": session_id}
    added = mx("add-item2", *own, "--item", "TestInt", "--context", "TestChildObject", "--json").json
    assert added == {**base, "context": "TestChildObject", "item": "TestInt", "itemHandle": 3}
    for command in ("advise", "unadvise", "advise-supervisory", "un-advise", "remove-item"):
        assert mx(command, *own, "--item-handle", 3, "--json").json == {**base, "itemHandle": 3}
    assert mx("remove-item", *own, "--item-handle", 3).code == 5
    assert mx("unregister", *own, "--json").json == base
    assert mx("unregister", *own).code == 5


def test_many_items(mx: CommandLine) -> None:
    session_id = mx.session()
    own = ("--session-id", session_id, "--server-handle", 1)
    data = mx("subscribe-bulk", *own, "--items", 'Pump_001.Speed, "Tank_001.Level"', "--json").json
    assert [entry["tagAddress"] for entry in data["results"]] == ["Pump_001.Speed", "Tank_001.Level"]
    assert (data["successfulCount"], data["failedCount"]) == (2, 0)
    handles = [entry["itemHandle"] for entry in data["results"]]
    found = mx("read-bulk", *own, "--items", f"{ITEM},No.SuchTag", "--timeout-ms", 2000, "--json").json
    assert found["results"][0]["value"] == {
        "dataType": "MX_DATA_TYPE_INTEGER",
        "int32Value": 42,
        "variantType": "VT_I4",
    }
    assert found["failedCount"] == 1
    assert "wasSuccessful" not in found["results"][1]
    gone = mx("unsubscribe-bulk", *own, "--item-handles", ",".join(map(str, handles)), "--strict", "--json").json
    assert gone["successfulCount"] == 2


def test_a_refused_entry_fails_the_command_with_strict_alone(mx: CommandLine) -> None:
    own = ("--session-id", mx.session(), "--server-handle", 1)
    wanted = ("read-bulk", *own, "--items", f"No.SuchTag,{ITEM}", "--timeout-ms", 2000)
    done = mx(*wanted)
    assert (done.code, done.err) == (0, "")
    refused, read = done.out.splitlines()
    assert "No.SuchTag  refused: " in refused
    assert f"{ITEM}  42  quality 192" in read
    strict = mx(*wanted, "--strict")
    assert (strict.code, strict.err) == (5, "error: 1 of 2 entries were refused\n")
    assert len(strict.out.splitlines()) == 2


def test_a_user(mx: CommandLine) -> None:
    own = ("--session-id", mx.session(), "--server-handle", 1, "--user", "operator")
    data = mx("authenticate-user", *own, "--password-env", "WORD", "--json", WORD="operator").json
    assert data["userId"] == 1
    assert mx("authenticate-user", *own, "--password-stdin", stdin="operator\r\n").out == "user id 1\n"
    wrong = mx("authenticate-user", *own, "--password-env", "WORD", WORD="not-the-word")
    assert wrong.code == 5
    assert "not-the-word" not in wrong.err
    assert mx("authenticate-user", *own).code == 2
    assert mx("authenticate-user", *own, "--password-env", "A", "--password-stdin").code == 2
    assert mx("authenticate-user", *own, "--password-env", "NO_SUCH_WORD").code == 2


def test_a_session_that_is_not_there(mx: CommandLine) -> None:
    done = mx("ping", "--session-id", "session-nowhere")
    assert done.code == 1
    assert "session-nowhere" in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("ping",),
        ("ping", "--session-id", " "),
        ("ping", "--session-id", "\udcff"),
        ("register", "--session-id", "s", "--client-name", ""),
        ("add-item", "--session-id", "s", "--server-handle", "0", "--item", "A.B"),
        ("add-item", "--session-id", "s", "--server-handle", 2**31, "--item", "A.B"),
        ("read-bulk", "--session-id", "s", "--server-handle", 1, "--items", "A.B,,C.D"),
        ("read-bulk", "--session-id", "s", "--server-handle", 1, "--items", ""),
        ("read-bulk", "--session-id", "s", "--server-handle", 1, "--items", "A\nB"),
        ("read-bulk", "--session-id", "s", "--server-handle", 1, "--items", '"A'),
        ("read-bulk", "--session-id", "s", "--server-handle", 1, "--items", "A.B", "--timeout-ms", "-1"),
        ("unsubscribe-bulk", "--session-id", "s", "--server-handle", 1, "--item-handles", "1,x"),
        ("unsubscribe-bulk", "--session-id", "s", "--server-handle", 1, "--item-handles", "1,0"),
    ],
)
def test_wrong_usage_sends_nothing(mx: CommandLine, words: tuple[object, ...]) -> None:
    before = mx.gateway.calls.total()
    done = mx(*words)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert mx.gateway.calls.total() == before


def test_the_environment_says_where_the_gateway_is(mx: CommandLine) -> None:
    assert mx("galaxy-test-connection").code == 0
    # Without the opt-in it is TLS, on this machine too.
    done = mx("galaxy-test-connection", MXGATEWAY_PLAINTEXT=None)
    assert done.code == 4
    assert "does not speak TLS" in done.err
    assert mx("galaxy-test-connection", MXGATEWAY_PLAINTEXT="0").code == 4
    assert mx("galaxy-test-connection", "--plaintext", MXGATEWAY_PLAINTEXT=None).code == 0
    # An option wins against a variable.
    assert mx("galaxy-test-connection", "--tls").code == 4
    assert mx("galaxy-test-connection", "--pinned-sha256", "ab" * 32).code == 4
    assert mx("galaxy-test-connection", MXGATEWAY_PLAINTEXT="maybe").code == 2
    assert mx("galaxy-test-connection", MXGATEWAY_ENDPOINT="127.0.0.1:9").code == 4
    assert mx("galaxy-test-connection", "--endpoint", mx.gateway.endpoint, MXGATEWAY_ENDPOINT="127.0.0.1:9").code == 0
