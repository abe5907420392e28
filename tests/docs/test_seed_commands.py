"""Every `mxgw-py` line of the documents that the client began with runs, with only its names and numbers filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from support.command_line import ALARM, CANARY, ITEM, CommandLine, Done, command_line
from zb_mom_ww_mxgateway.simulator import ApiKey, Limits, SimulatedGateway
from zb_mom_ww_mxgateway_cli import bounded
from zb_mom_ww_mxgateway_cli.commands.batch import split

LINES = Path(__file__).with_name("seed_commands.txt").read_text(encoding="utf-8").splitlines()
TLS_LINE = next(line for line in LINES if "--tls" in line)

Check = Callable[[Any, str], None]


@pytest.fixture(scope="module")
def mx() -> Iterator[CommandLine]:
    with command_line() as line:
        yield line


def filled(line: str, mx: CommandLine, session_id: str) -> list[str]:
    """The words of a line. Quotes and backslashes are read as the documents' shell, PowerShell, reads them."""
    names = {
        "localhost:5000": mx.gateway.endpoint,
        "$env:MXGATEWAY_ENDPOINT": mx.gateway.endpoint,
        "$env:MXGATEWAY_TEST_ITEM": ITEM,
        "<id>": session_id,
        "--item-handle 1": "--item-handle 2",
        "Object.Attribute": ITEM,
        r"\\Galaxy\Area001.Pump001.PumpFault": rf"\\{ALARM.replace('!', chr(92))}",
    }
    for name, value in names.items():
        line = line.replace(name, value)
    return split(line)


def _version(data: Any, session_id: str) -> None:
    assert set(data) == {"clientVersion", "gatewayProtocolVersion", "workerProtocolVersion"}


def _opened(data: Any, session_id: str) -> None:
    assert data["sessionId"].startswith("session-")
    assert data["protocolStatus"]["code"] == "PROTOCOL_STATUS_CODE_OK"


def _registered(data: Any, session_id: str) -> None:
    # The session has a registration already: its handle is another one.
    assert data["sessionId"] == session_id
    assert data["serverHandle"] > 1


def _added(data: Any, session_id: str) -> None:
    assert (data["serverHandle"], data["item"]) == (1, ITEM)
    assert data["itemHandle"] > 2


def _advised(data: Any, session_id: str) -> None:
    assert data == {"itemHandle": 2, "serverHandle": 1, "sessionId": session_id}


def _events(data: Any, session_id: str) -> None:
    assert data["eventCount"] == len(data["events"]) == 1
    assert data["events"][0]["family"] == "MX_EVENT_FAMILY_ON_DATA_CHANGE"


def _alarms(data: Any, session_id: str) -> None:
    assert data["messageCount"] == len(data["messages"]) == 1
    assert data["messages"][0]["activeAlarm"]["alarmFullReference"].startswith("Galaxy!")


def _acknowledged(data: Any, session_id: str) -> None:
    assert data["acknowledged"] is True


def _written(data: Any, session_id: str) -> None:
    assert data["value"]["int32Value"] == 123
    assert data["accepted"] is True


def _smoked(data: Any, session_id: str) -> None:
    assert (data["eventCount"], data["item"]) == (1, ITEM)


CHECKS: dict[str, Check] = {
    "version": _version,
    "open-session": _opened,
    "register": _registered,
    "add-item": _added,
    "advise": _advised,
    "stream-events": _events,
    "stream-alarms": _alarms,
    "acknowledge-alarm": _acknowledged,
    "write": _written,
    "smoke": _smoked,
}


def checked(done: Done, words: list[str], session_id: str) -> None:
    assert (done.code, done.err) == (0, "")
    if "--json" in words:
        CHECKS[words[0]](done.json, session_id)
    else:
        assert done.out


@pytest.mark.parametrize("line", [line for line in LINES if line != TLS_LINE])
def test_a_line_of_the_seed(line: str, mx: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    session_id = mx.session()
    # A line without --max-events ends at the cap, or after half a minute: the cap is nearer here.
    monkeypatch.setattr(bounded, "MAX_AGGREGATE_EVENTS", 1)
    words = filled(line, mx, session_id)
    checked(mx(*words), words, session_id)


def test_the_line_of_the_seed_with_tls(tmp_path: Path) -> None:
    ca = trustme.CA()
    leaf = ca.issue_cert("mxgateway.example.local")
    roots = tmp_path / "mxgateway-ca.pem"
    ca.cert_pem.write_to_path(str(roots))
    gateway = SimulatedGateway(
        seed=7,
        keys=[ApiKey.parse(CANARY)],
        tls=(leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()),
        limits=Limits(first_value_delay=0.05),
    )
    with gateway:
        line = TLS_LINE.replace("mxgateway.example.local:5001", gateway.endpoint)
        words = split(line.replace(r"C:\certs\mxgateway-ca.pem", str(roots)).replace("Object.Attribute", ITEM))
        # Its options ask for TLS, whatever the environment says.
        checked(CommandLine(gateway)(*words, MXGATEWAY_PLAINTEXT="1"), words, "")


def test_each_command_of_the_seed_is_checked() -> None:
    assert {split(line)[0] for line in LINES} == set(CHECKS)
    assert len(LINES) == 15
