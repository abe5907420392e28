"""The live list of alarms, without a browser."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest

from support.waiting import until
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.notebook import Gateway, connect
from zb_mom_ww_mxgateway.notebook.alarm_list import AlarmList
from zb_mom_ww_mxgateway.notebook.alarm_rows import ActiveAlarms, severity_word
from zb_mom_ww_mxgateway.simulator import SimulatedGateway, VirtualClock


@pytest.fixture
def plant() -> Iterator[SimulatedGateway]:
    """A plant with an alarm that stands: the clock is moved on until there is one."""
    with SimulatedGateway(seed=7, clock=VirtualClock()) as plant:
        yield plant


@pytest.fixture
def gw(plant: SimulatedGateway) -> Iterator[Gateway]:
    with connect(simulator=plant, quiet=True, allow_writes=True) as gateway:
        for _ in range(200):
            if len(gateway.active_alarms()):
                break
            plant.advance(5)
        yield gateway


@pytest.fixture
def alarms(gw: Gateway) -> Iterator[AlarmList]:
    client = gw._bench.client
    alarms = AlarmList(gw._portal, client.stream_alarms, acknowledge=client.acknowledge_alarm, operator="ada")
    until(lambda: view(alarms)["rows"])
    yield alarms
    alarms.close()


def view(alarms: AlarmList) -> dict[str, Any]:
    return alarms._on_loop(alarms._view)


def test_rows_have_severity_and_state_in_words(alarms: AlarmList, gw: Gateway) -> None:
    # The last message of the snapshot's burst.
    until(lambda: view(alarms)["provider"])
    shown = view(alarms)
    row = shown["rows"][0]
    assert row["word"] in ("critical", "high", "medium", "low")
    assert row["state"] == "active"
    assert row["reference"].startswith(f"Galaxy!{row['area']}.")
    assert row["raised"].startswith("2026-01-05 06:")
    assert [each["reference"] for each in shown["rows"]] == list(gw.active_alarms()["reference"])
    assert (shown["active"], shown["unacknowledged"]) == (1, 1)
    assert shown["provider"] == "alarms come from the alarm manager"
    assert not shown["degraded"]
    assert row["reference"] in str(alarms)
    json.dumps(shown)


def test_a_cleared_alarm_leaves_and_a_new_one_comes(alarms: AlarmList, plant: SimulatedGateway) -> None:
    first = view(alarms)["rows"][0]["reference"]
    for _ in range(100):
        plant.advance(10)
        time.sleep(0.01)
        if all(row["reference"] != first for row in view(alarms)["rows"]):
            break
    else:
        pytest.fail("the alarm never cleared")


def test_an_acknowledgement_is_shown_with_its_comment(alarms: AlarmList) -> None:
    reference = view(alarms)["rows"][0]["reference"]
    alarms._heard(None, {"type": "acknowledge", "reference": reference, "comment": "on my way"}, [])
    until(lambda: alarms.outcomes)
    assert alarms.outcomes[0].endswith(f"{reference}: acknowledged")
    until(lambda: view(alarms)["rows"][0]["state"] == "acknowledged")
    row = view(alarms)["rows"][0]
    assert (row["operator"], row["comment"]) == ("ada", "on my way")
    assert view(alarms)["unacknowledged"] == 0


def test_a_refusal_stays_in_sight(alarms: AlarmList) -> None:
    alarms.acknowledge("Galaxy!Nowhere.Nothing.Hi", "x").result(timeout=10)
    assert "refused: " in alarms.outcomes[0]
    assert "no alarm 'Galaxy!Nowhere.Nothing.Hi' is active" in alarms.outcomes[0]
    for number in range(7):
        alarms.acknowledge(f"Galaxy!Nowhere.Nothing{number}.Hi").result(timeout=10)
    assert len(alarms.outcomes) == 5
    assert "Nothing6" in alarms.outcomes[0]


def test_read_only_says_why_and_sends_nothing(gw: Gateway, plant: SimulatedGateway) -> None:
    alarms = AlarmList(gw._portal, gw._bench.client.stream_alarms, read_only_reason="opened read-only")
    alarms.acknowledge("Galaxy!A.B").result(timeout=10)
    assert "opened read-only" in alarms.outcomes[0]
    assert view(alarms)["reason"] == "opened read-only"
    assert plant.calls["AcknowledgeAlarm"] == 0
    alarms.close()


def test_degraded_mode_is_said(alarms: AlarmList, plant: SimulatedGateway) -> None:
    plant.fail_over_alarms("3 consecutive COM failures", fail_acknowledgements=True)
    until(lambda: view(alarms)["degraded"])
    assert "3 consecutive COM failures" in view(alarms)["provider"]
    reference = view(alarms)["rows"][0]["reference"]
    alarms.acknowledge(reference).result(timeout=10)
    assert "refused: " in alarms.outcomes[0]
    plant.restore_alarms()
    until(lambda: not view(alarms)["degraded"])


def test_a_broken_feed_is_said_and_opened_again_with_the_old_rows_meanwhile(
    alarms: AlarmList, plant: SimulatedGateway
) -> None:
    rows = view(alarms)["rows"]
    plant.drop_streams()
    until(lambda: alarms.state.startswith("broken: "))
    assert "the connection was lost" in alarms.state
    assert view(alarms)["rows"] == rows
    until(lambda: alarms.state == "live")
    assert [row["reference"] for row in view(alarms)["rows"]] == [row["reference"] for row in rows]


def test_closing_ends_the_feed(alarms: AlarmList, plant: SimulatedGateway) -> None:
    assert plant.open_streams["StreamAlarms"] == 1
    alarms.close("the gateway was closed")
    until(lambda: not plant.open_streams["StreamAlarms"])
    assert alarms.state == "the gateway was closed"
    assert view(alarms)["closed"]


def test_severities_in_words() -> None:
    assert [severity_word(number) for number in (1, 250, 251, 500, 501, 750, 751, 999)] == [
        "critical",
        "critical",
        "high",
        "high",
        "medium",
        "medium",
        "low",
        "low",
    ]


def transition(reference: str, kind: pb.AlarmTransitionKind, severity: int = 500) -> pb.AlarmFeedMessage:
    change = pb.OnAlarmTransitionEvent(alarm_full_reference=reference, transition_kind=kind, severity=severity)
    change.transition_timestamp.FromSeconds(1_767_592_800)
    return pb.AlarmFeedMessage(transition=change)


def test_what_nobody_acknowledged_comes_first_then_the_most_severe() -> None:
    alarms = ActiveAlarms()
    raised, acknowledged = pb.ALARM_TRANSITION_KIND_RAISE, pb.ALARM_TRANSITION_KIND_ACKNOWLEDGE
    alarms.take(transition("Galaxy!A.One", acknowledged, 1))
    alarms.take(transition("Galaxy!A.Two", raised, 700))
    alarms.take(transition("Galaxy!A.Three", raised, 300))
    assert [row["reference"] for row in alarms.rows(UTC)] == ["Galaxy!A.Three", "Galaxy!A.Two", "Galaxy!A.One"]
    alarms.take(transition("Galaxy!A.One", pb.ALARM_TRANSITION_KIND_RETRIGGER, 1))
    assert alarms.rows(UTC)[0]["state"] == "active"
    alarms.take(transition("Galaxy!A.One", pb.ALARM_TRANSITION_KIND_CLEAR))
    alarms.take(transition("Galaxy!A.Unknown", pb.ALARM_TRANSITION_KIND_CLEAR))
    assert len(alarms.rows(UTC)) == 2
    alarms.take(pb.AlarmFeedMessage())
