"""The alarm commands of Invoke, and the alarm events of a session that asked for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.alarm_rig import ACKNOWLEDGE, FIRST, RAISE, Rig, alarm_rig
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb


class Session:
    def __init__(self, rig: Rig, session_id: str) -> None:
        self.rig = rig
        self.id = session_id

    async def invoke(self, kind: int, **payload: Any) -> pb.MxCommandReply:
        command = pb.MxCommand(kind=kind, **payload)  # type: ignore[arg-type]
        request = pb.MxCommandRequest(session_id=self.id, command=command)
        reply = await self.rig.stub.Invoke(request, metadata=self.rig.metadata)
        assert isinstance(reply, pb.MxCommandReply)
        return reply


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    async with alarm_rig() as rig:
        opened = await rig.stub.OpenSession(pb.OpenSessionRequest(), metadata=rig.metadata)
        yield Session(rig, opened.session_id)


async def test_query_answers_the_snapshots(session: Session) -> None:
    """CONTRACT "commands", "alarms": the command answers what QueryActiveAlarms streams."""
    session.rig.set(FIRST, True)
    reply = await session.invoke(
        pb.MX_COMMAND_KIND_QUERY_ACTIVE_ALARMS,
        query_active_alarms_command=pb.QueryActiveAlarmsCommand(alarm_filter_prefix="Galaxy!TestArea"),
    )
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK
    assert list(reply.query_active_alarms.snapshots) == await session.rig.query()
    assert len(reply.query_active_alarms.snapshots) == 1


async def test_acknowledge_by_guid_and_by_name(session: Session) -> None:
    """CONTRACT "alarms": two commands, one by GUID, one by provider, group and name; native_status 0."""
    by_guid, by_name = pb.MX_COMMAND_KIND_ACKNOWLEDGE_ALARM, pb.MX_COMMAND_KIND_ACKNOWLEDGE_ALARM_BY_NAME
    await session.rig.query()
    session.rig.set(FIRST, True)
    guid = session.rig.gateway.alarms.guid_of(FIRST)
    name = pb.AcknowledgeAlarmByNameCommand(
        provider_name="Galaxy", group_name="TestArea", alarm_name="TestMachine_001.TestAlarm001", comment="seen"
    )
    for kind, payload in (
        (by_guid, {"acknowledge_alarm_command": pb.AcknowledgeAlarmCommand(alarm_guid=guid)}),
        (by_name, {"acknowledge_alarm_by_name_command": name}),
    ):
        reply = await session.invoke(kind, **payload)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK
        assert reply.HasField("acknowledge_alarm")
        assert reply.acknowledge_alarm.native_status == 0


async def test_failures_are_replies(session: Session) -> None:
    """CONTRACT "commands": an MXAccess failure is a reply; what has no known form is INVALID_REQUEST."""
    by_guid = pb.MX_COMMAND_KIND_ACKNOWLEDGE_ALARM
    unknown = pb.AcknowledgeAlarmCommand(alarm_guid="00000000-0000-4000-8000-000000000000")
    reply = await session.invoke(by_guid, acknowledge_alarm_command=unknown)
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
    assert reply.hresult < 0
    reply = await session.invoke(by_guid, acknowledge_alarm_command=pb.AcknowledgeAlarmCommand(alarm_guid=FIRST))
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST


async def test_a_subscribed_session_gets_alarm_events(session: Session) -> None:
    """CONTRACT "events": alarm transitions and provider changes are events of their own family, numbered as all."""
    rig = session.rig
    subscribe, unsubscribe = pb.MX_COMMAND_KIND_SUBSCRIBE_ALARMS, pb.MX_COMMAND_KIND_UNSUBSCRIBE_ALARMS
    for _ in range(2):
        await session.invoke(subscribe, subscribe_alarms=pb.SubscribeAlarmsCommand())
    rig.set(FIRST, True)
    await rig.acknowledge(FIRST)
    rig.gateway.fail_over_alarms("COM does not answer")
    await session.invoke(unsubscribe, unsubscribe_alarms=pb.UnsubscribeAlarmsCommand())
    rig.set(FIRST, False)
    reply = await session.invoke(pb.MX_COMMAND_KIND_DRAIN_EVENTS, drain_events=pb.DrainEventsCommand())
    events = list(reply.drain_events.events)
    assert [event.worker_sequence for event in events] == [1, 2, 3]
    assert [event.on_alarm_transition.transition_kind for event in events[:2]] == [RAISE, ACKNOWLEDGE]
    assert {event.family for event in events[:2]} == {pb.MX_EVENT_FAMILY_ON_ALARM_TRANSITION}
    changed = events[2].on_alarm_provider_mode_changed
    assert events[2].family == pb.MX_EVENT_FAMILY_ON_ALARM_PROVIDER_MODE_CHANGED
    assert (changed.mode, changed.reason) == (pb.ALARM_PROVIDER_MODE_SUBTAG, "COM does not answer")
    assert changed.hresult < 0


async def test_a_closed_session_is_forgotten(session: Session) -> None:
    """CONTRACT "sessions": closing ends all that goes on for a session."""
    await session.invoke(pb.MX_COMMAND_KIND_SUBSCRIBE_ALARMS, subscribe_alarms=pb.SubscribeAlarmsCommand())
    rig = session.rig
    await rig.stub.CloseSession(pb.CloseSessionRequest(session_id=session.id), metadata=rig.metadata)
    rig.set(FIRST, True)
    assert rig.gateway.last_sequence(session.id) == 0
