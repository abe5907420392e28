from __future__ import annotations

import json

import pytest

from .conftest import CANARY, Done, Mxgw, Server

ITEM = ("--item", "TestMachine_001.TestChangingInt")


def test_smoke_for_people(open_gateway: Server, mxgw: Mxgw) -> None:
    done = mxgw("smoke", "--endpoint", open_gateway.endpoint, "--plaintext", *ITEM)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["gateway", open_gateway.endpoint]
    assert lines[-1].startswith("event 1 ")
    assert lines[-1].endswith("quality 192 (good)")


def test_smoke_as_json(locked_gateway: Server, mxgw: Mxgw) -> None:
    done = mxgw(
        "smoke", "--endpoint", locked_gateway.endpoint, "--plaintext", "--api-key-env", "KEY", *ITEM,
        "--max-events", "2", "--json", env={"KEY": CANARY},
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    report = json.loads(done.out)
    assert len(done.out.splitlines()) == 1
    assert list(report) == sorted(report)
    assert report["endpoint"] == locked_gateway.endpoint
    assert report["eventCount"] == len(report["events"]) == 2
    assert report["item"] == ITEM[1]
    assert report["sessionId"].startswith("session-")
    assert [event["workerSequence"] for event in report["events"]] == ["1", "2"]
    assert all(event["family"] == "MX_EVENT_FAMILY_ON_DATA_CHANGE" for event in report["events"])
    assert all(event["itemHandle"] == report["itemHandle"] for event in report["events"])


def test_the_usual_variable_is_read(locked_gateway: Server, mxgw: Mxgw) -> None:
    arguments = ("smoke", "--endpoint", locked_gateway.endpoint, "--plaintext", *ITEM)
    assert mxgw(*arguments, env={"MXGATEWAY_API_KEY": CANARY}).code == 0
    assert mxgw(*arguments, "--api-key", CANARY).code == 0


def test_tls_on_first_use(tls_gateway: Server, mxgw: Mxgw) -> None:
    assert mxgw("smoke", "--endpoint", tls_gateway.endpoint, *ITEM).code == 0
    assert mxgw("smoke", "--endpoint", f"https://{tls_gateway.endpoint}", "--tls", *ITEM).code == 0


def failed(code: int, done: Done, *texts: str) -> None:
    assert done.code == code
    assert done.out == ""
    for text in texts:
        assert text in done.line


@pytest.mark.parametrize("command", ["smoke", "demo"])
class TestFailures:
    """Each bad case is one line that names the endpoint and the likely cause, and its exit code."""

    def arguments(self, command: str, server: Server | str, *more: str) -> tuple[str, ...]:
        endpoint = server if isinstance(server, str) else server.endpoint
        own = ITEM if command == "smoke" else ("--seconds", "1")
        return (command, "--endpoint", endpoint, *own, *more)

    @pytest.mark.parametrize("security", ["--plaintext", "--tls"])
    def test_nobody_is_there(self, command: str, mxgw: Mxgw, security: str) -> None:
        failed(4, mxgw(*self.arguments(command, "127.0.0.1:9", security)), "127.0.0.1:9", "is the gateway running")

    def test_an_unknown_host(self, command: str, mxgw: Mxgw) -> None:
        done = mxgw(*self.arguments(command, "no-such-host.invalid:5000", "--plaintext"))
        failed(4, done, "no-such-host.invalid:5000", "host name")

    def test_a_wrong_key(self, command: str, mxgw: Mxgw, locked_gateway: Server) -> None:
        done = mxgw(*self.arguments(command, locked_gateway, "--plaintext", "--api-key", CANARY + "x"))
        failed(3, done, locked_gateway.endpoint, "check the API key")

    def test_no_key(self, command: str, mxgw: Mxgw, locked_gateway: Server) -> None:
        done = mxgw(*self.arguments(command, locked_gateway, "--plaintext"))
        failed(3, done, locked_gateway.endpoint, "API key")

    def test_plaintext_to_a_tls_port(self, command: str, mxgw: Mxgw, tls_gateway: Server) -> None:
        done = mxgw(*self.arguments(command, tls_gateway, "--plaintext", "--api-key", CANARY))
        failed(4, done, tls_gateway.endpoint, "speaks TLS", "--plaintext")

    def test_tls_to_a_plaintext_port(self, command: str, mxgw: Mxgw, open_gateway: Server) -> None:
        done = mxgw(*self.arguments(command, open_gateway, "--tls", "--api-key", CANARY))
        failed(4, done, open_gateway.endpoint, "does not speak TLS", "--plaintext")

    def test_a_certificate_that_is_not_the_pinned_one(self, command: str, mxgw: Mxgw, tls_gateway: Server) -> None:
        done = mxgw(*self.arguments(command, tls_gateway, "--pinned-sha256", "ab" * 32))
        failed(4, done, tls_gateway.endpoint, "pinned_sha256")

    def test_a_ca_file_that_is_not_there(self, command: str, mxgw: Mxgw, tls_gateway: Server) -> None:
        done = mxgw(*self.arguments(command, tls_gateway, "--ca-file", "nowhere.pem"))
        failed(4, done, "nowhere.pem")


def test_an_unknown_tag(open_gateway: Server, mxgw: Mxgw) -> None:
    done = mxgw("smoke", "--endpoint", open_gateway.endpoint, "--plaintext", "--item", "No.SuchTag")
    failed(5, done, "No.SuchTag", open_gateway.endpoint, "CONFIGURATION_ERROR", "is there such a tag")


def test_no_event_in_time(open_gateway: Server, mxgw: Mxgw) -> None:
    done = mxgw("smoke", "--endpoint", open_gateway.endpoint, "--plaintext", *ITEM, "--timeout", "0.001")
    failed(1, done, ITEM[1], open_gateway.endpoint, "within 0.001 s")
