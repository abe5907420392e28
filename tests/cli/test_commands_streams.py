"""Streams end, and alarms."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator

import grpc
import pytest

from support.command_line import ALARM, CANARY, CommandLine, command_line
from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2_grpc as pb_grpc
from zb_mom_ww_mxgateway_cli import bounded


@pytest.fixture(scope="module")
def mx() -> Iterator[CommandLine]:
    with command_line() as line:
        yield line


def test_events_as_one_object(mx: CommandLine) -> None:
    session_id = mx.session()
    data = mx("stream-events", "--session-id", session_id, "--max-events", 1, "--json").json
    assert (data["eventCount"], data["ended"], data["sessionId"]) == (1, "limit", session_id)
    [event] = data["events"]
    assert event["family"] == "MX_EVENT_FAMILY_ON_DATA_CHANGE"
    assert event["workerSequence"] == "1"
    assert event["value"]["int32Value"] == 42
    again = mx("stream-events", "--session-id", session_id, "--timeout", 0.2, "--json").json
    assert (again["eventCount"], again["ended"]) == (0, "timeout")


def test_events_as_they_come(mx: CommandLine) -> None:
    session_id = mx.session()
    many = ("--session-id", session_id, "--server-handle", 1)
    mx("subscribe-bulk", *many, "--items", "TestMachine_001.TestChangingInt,TestMachine_002.TestChangingInt")
    done = mx("stream-events", "--session-id", session_id, "--max-events", 3, "--ndjson")
    assert (done.code, done.err) == (0, "")
    sequences = [int(json.loads(line)["workerSequence"]) for line in done.out.splitlines()]
    assert sequences == [1, 2, 3]
    people = mx("stream-events", "--session-id", session_id, "--max-events", 1, "--after-worker-sequence", 2)
    assert people.out.startswith("event 3 ")
    assert "quality 192 (good)" in people.out
    for words in (("--json", "--ndjson"), ("--max-events", "0"), ("--timeout", "0"), ("--after-worker-sequence", "-1")):
        assert mx("stream-events", "--session-id", session_id, *words).code == 2


def test_the_aggregate_has_a_cap(mx: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Review finding 016: what --json holds in memory ends somewhere."""
    monkeypatch.setattr(bounded, "MAX_AGGREGATE_EVENTS", 2)
    session_id = mx.session()
    many = ("--session-id", session_id, "--server-handle", 1)
    mx("subscribe-bulk", *many, "--items", "TestMachine_001.TestChangingInt,TestMachine_002.TestChangingInt")
    stream = ("stream-events", "--session-id", session_id)
    assert mx(*stream, "--json").json["eventCount"] == 2
    assert mx(*stream, "--json", "--max-events", 100).json["ended"] == "limit"
    assert len(mx(*stream, "--ndjson", "--max-events", 3).out.splitlines()) == 3


def test_the_end_of_a_session_ends_its_stream(mx: CommandLine) -> None:
    session_id = mx.session()
    closing = threading.Thread(target=close_when_streaming, args=(mx, session_id))
    closing.start()
    # Long before the 30 s that it would wait.
    data = mx("stream-events", "--session-id", session_id, "--json").json
    closing.join()
    assert data["ended"] == "gateway"
    assert data["eventCount"] == len(data["events"]) > 0


def close_when_streaming(mx: CommandLine, session_id: str) -> None:
    async def close() -> None:
        while not (mx.gateway.open_streams["StreamEvents"] and mx.gateway.last_sequence(session_id)):
            await asyncio.sleep(0.01)
        async with await GatewayClient.connect(mx.gateway.endpoint, api_key=CANARY, plaintext=True) as client:
            await client.session(session_id).close()

    asyncio.run(close())


def test_a_session_whose_stream_is_taken(mx: CommandLine) -> None:
    session_id = mx.session()
    with grpc.insecure_channel(mx.gateway.endpoint) as channel:
        request = pb.StreamEventsRequest(session_id=session_id)
        other = pb_grpc.MxAccessGatewayStub(channel).StreamEvents(
            request, metadata=(("authorization", f"Bearer {CANARY}"),)
        )
        next(other)
        done = mx("stream-events", "--session-id", session_id, "--max-events", 1)
        assert (done.code, done.out) == (1, "")
        assert "close the other one first" in done.err
        # What matters about a write comes first: it must not be written again.
        write = ("write", "--session-id", session_id, "--server-handle", 1, "--item-handle", 2, "--wait")
        written = mx(*write, "--type", "int32", "--value", 5)
        assert (written.code, written.out) == (1, "")
        assert written.err.startswith("error: the write was accepted, and what it came to cannot be seen: ")
        other.cancel()


def test_a_stream_of_no_session(mx: CommandLine) -> None:
    done = mx("stream-events", "--session-id", "session-nowhere", "--json")
    assert (done.code, done.out) == (1, "")


def test_the_alarm_feed(mx: CommandLine) -> None:
    data = mx("stream-alarms", "--filter-prefix", ALARM, "--max-messages", 2, "--json").json
    assert (data["messageCount"], data["ended"], data["filterPrefix"]) == (2, "limit", ALARM)
    first, second = data["messages"]
    assert first["activeAlarm"]["alarmFullReference"] == ALARM
    assert second == {"snapshotComplete": True}
    timed = mx("stream-alarms", "--filter-prefix", "Galaxy!Nowhere.", "--timeout", 0.2, "--json").json
    assert timed["ended"] == "timeout"
    lines = mx("stream-alarms", "--filter-prefix", ALARM, "--max-messages", 3).out.splitlines()
    assert lines[0].startswith(f"active      {ALARM}  active  severity 400  20")
    assert lines[1] == "snapshot complete"
    assert lines[2].startswith("provider    healthy")
    assert len(mx("stream-alarms", "--max-messages", 1, "--ndjson").out.splitlines()) == 1


def test_the_active_alarms_and_an_acknowledgement(mx: CommandLine) -> None:
    query = ("query-active-alarms", "--filter-prefix", ALARM)
    assert mx(*query).out.startswith(f"{ALARM}  active  severity 400")
    windows = r"\\Galaxy\TestArea.TestMachine_001.TestAlarm001"
    done = mx("acknowledge-alarm", "--reference", windows, "--comment", "seen", "--operator", "anna", "--json").json
    assert done["acknowledged"] is True
    assert done["reply"]["protocolStatus"]["code"] == "PROTOCOL_STATUS_CODE_OK"
    data = mx(*query, "--json").json
    assert data["alarmCount"] == 1
    [alarm] = data["alarms"]
    assert alarm["currentState"] == "ALARM_CONDITION_STATE_ACTIVE_ACKED"
    assert (alarm["operatorComment"], alarm["operatorUser"]) == ("seen", "anna")
    assert mx("query-active-alarms", "--filter-prefix", "Galaxy!Nowhere.").out == "no active alarms\n"
    assert mx("acknowledge-alarm", "--reference", ALARM).out == f"acknowledged {ALARM}\n"


def test_an_acknowledgement_that_is_refused(mx: CommandLine) -> None:
    assert mx("acknowledge-alarm", "--reference", "Galaxy!Area001.Nothing.Here").code == 5
    assert mx("acknowledge-alarm", "--reference", "no reference").code == 1
    assert mx("acknowledge-alarm", "--reference", " ").code == 2
    assert mx("acknowledge-alarm").code == 2
