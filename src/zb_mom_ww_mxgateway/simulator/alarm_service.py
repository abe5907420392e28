"""The alarm rpcs, which need no session, and the alarm commands, which do (CONTRACT.md "alarms")."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import grpc

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .alarm_points import AlarmPoint, parse_reference
from .alarms import AcknowledgeError, AlarmMonitor, AlarmNotice
from .commands import Call
from .conversion import timestamp
from .event_log import Subscriber
from .gateway_service import GatewayService
from .keys import ApiKey
from .replies import ACCESS_DENIED, InvalidRequestError, MxFailureError
from .sessions import Session

__all__ = ["AlarmCommands", "AlarmService"]

#: What the alarm system answers when it does not take an acknowledgement, and with which subtags took over (E_FAIL).
NOT_ACKNOWLEDGED = 0x80004005 - 2**32

Context = Any


class AlarmService:
    """AcknowledgeAlarm, StreamAlarms and QueryActiveAlarms.

    Args:
        gateway: whose keys, counters and limits count.
        monitor: of the gateway.
    """

    def __init__(self, gateway: GatewayService, monitor: AlarmMonitor) -> None:
        self._gateway = gateway
        self._monitor = monitor
        self._feeds: set[Subscriber] = set()

    async def query_active_alarms(self, request: pb.QueryActiveAlarmsRequest, context: Context) -> AsyncIterator[bytes]:
        """The snapshot alone."""
        await self._gateway.enter(context, "QueryActiveAlarms")
        await self._monitor.ready()
        alarms = list(self._monitor.active(request.alarm_filter_prefix))
        self._gateway.open_streams["QueryActiveAlarms"] += 1
        try:
            for alarm in alarms:
                yield alarm.SerializeToString(deterministic=True)
        finally:
            self._gateway.open_streams["QueryActiveAlarms"] -= 1

    async def stream_alarms(self, request: pb.StreamAlarmsRequest, context: Context) -> AsyncIterator[bytes]:
        """The snapshot, that it is complete, the provider, then every change."""
        await self._gateway.enter(context, "StreamAlarms")
        await self._monitor.ready()
        most = self._gateway.limits.event_queue
        subscriber = Subscriber(most)
        prefix = request.alarm_filter_prefix

        def notify(notice: AlarmNotice) -> None:
            if notice.passes(prefix):
                subscriber.put(notice.raw)

        # Nothing may happen between looking and listening, or a change would be lost or told twice.
        first = [pb.AlarmFeedMessage(active_alarm=alarm) for alarm in self._monitor.active(prefix)]
        first.append(pb.AlarmFeedMessage(snapshot_complete=True))
        first.append(pb.AlarmFeedMessage(provider_status=self._monitor.provider.message()))
        forget = self._monitor.listen(notify)
        self._feeds.add(subscriber)
        self._gateway.open_streams["StreamAlarms"] += 1
        try:
            for message in first:
                yield message.SerializeToString(deterministic=True)
            while batch := await subscriber.take():
                for raw in batch:
                    yield raw
        finally:
            self._gateway.open_streams["StreamAlarms"] -= 1
            self._feeds.discard(subscriber)
            forget()
        if subscriber.overflowed:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"EventQueueOverflow: the subscriber was too slow, {most} messages were queued",
            )
        await context.abort(grpc.StatusCode.UNAVAILABLE, subscriber.ended)

    async def acknowledge_alarm(
        self, request: pb.AcknowledgeAlarmRequest, context: Context
    ) -> pb.AcknowledgeAlarmReply:
        """Acknowledge an alarm. `status` stays empty, as the real gateway leaves it."""
        key = await self._gateway.enter(context, "AcknowledgeAlarm")
        await self._monitor.ready()
        reply = pb.AcknowledgeAlarmReply(correlation_id=request.client_correlation_id)
        try:
            point = self._monitor.find(request.alarm_full_reference)
            if not _allowed(self._gateway, self._monitor, key, point):
                text = f"the API key may not acknowledge {request.alarm_full_reference!r}"
                await context.abort(grpc.StatusCode.PERMISSION_DENIED, text)
            self._monitor.acknowledge(point, request.comment, request.operator_user)
        except AcknowledgeError as error:
            code = pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
            if error.invalid:
                code = pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST
            else:
                if self._monitor.provider.degraded:
                    await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
                reply.hresult = NOT_ACKNOWLEDGED
            reply.protocol_status.code = code
            reply.protocol_status.message = reply.diagnostic_message = str(error)
            return reply
        reply.protocol_status.code = pb.PROTOCOL_STATUS_CODE_OK
        reply.protocol_status.message = "OK"
        reply.hresult = 0
        return reply

    def close(self) -> None:
        """End the feeds and stop watching."""
        for subscriber in list(self._feeds):
            subscriber.end("the gateway stops")
        self._monitor.close()


class AlarmCommands:
    """The alarm commands of `Invoke`, by the name of the payload.

    The real gateway sends them to the worker of its own monitor. Here a session that subscribes gets the transitions
    among its events.
    """

    def __init__(self, gateway: GatewayService, monitor: AlarmMonitor) -> None:
        self._gateway = gateway
        self._monitor = monitor
        self._feeds: dict[Session, Callable[[], None]] = {}

    async def subscribe_alarms(self, call: Call) -> None:
        """Send the alarm transitions to the session, once however often it asks."""
        await self._monitor.ready()
        session = call.session
        self._drop(session)
        self._feeds[session] = self._monitor.listen(lambda notice: self._send(session, notice))

    def unsubscribe_alarms(self, call: Call) -> None:
        """Send them no more."""
        self._drop(call.session)

    async def query_active_alarms_command(self, call: Call) -> None:
        """The active alarms."""
        await self._monitor.ready()
        call.reply.query_active_alarms.SetInParent()
        call.reply.query_active_alarms.snapshots.extend(self._monitor.active(call.payload.alarm_filter_prefix))

    async def acknowledge_alarm_command(self, call: Call) -> None:
        """Acknowledge by GUID."""
        if not isinstance(parse_reference(call.payload.alarm_guid), UUID):
            raise InvalidRequestError(f"alarm_guid {call.payload.alarm_guid!r} is not a GUID")
        await self._acknowledge(call, call.payload.alarm_guid)

    async def acknowledge_alarm_by_name_command(self, call: Call) -> None:
        """Acknowledge by provider, group and name."""
        payload = call.payload
        await self._acknowledge(call, f"{payload.provider_name}!{payload.group_name}.{payload.alarm_name}")

    async def _acknowledge(self, call: Call, reference: str) -> None:
        await self._monitor.ready()
        try:
            point = self._monitor.find(reference)
            if not _allowed(self._gateway, self._monitor, call.key, point):
                text = f"the API key may not acknowledge {reference!r}"
                raise MxFailureError(ACCESS_DENIED, text, pb.MX_STATUS_CATEGORY_SECURITY_ERROR)
            self._monitor.acknowledge(point, call.payload.comment, call.payload.operator_user)
        except AcknowledgeError as error:
            if error.invalid:
                raise InvalidRequestError(str(error)) from error
            raise MxFailureError(NOT_ACKNOWLEDGED, str(error)) from error
        call.reply.acknowledge_alarm.native_status = 0

    def _drop(self, session: Session) -> None:
        forget = self._feeds.pop(session, None)
        if forget is not None:
            forget()

    def _send(self, session: Session, notice: AlarmNotice) -> None:
        if session.state != pb.SESSION_STATE_READY:
            self._drop(session)
            return
        now = self._gateway.clock.now_us()
        event = pb.MxEvent(
            session_id=session.id, worker_timestamp=timestamp(now), gateway_receive_timestamp=timestamp(now), hresult=0
        )
        if notice.message.HasField("transition"):
            event.family = pb.MX_EVENT_FAMILY_ON_ALARM_TRANSITION
            event.on_alarm_transition.CopyFrom(notice.message.transition)
        else:
            status = notice.message.provider_status
            event.family = pb.MX_EVENT_FAMILY_ON_ALARM_PROVIDER_MODE_CHANGED
            event.on_alarm_provider_mode_changed.mode = status.mode
            event.on_alarm_provider_mode_changed.reason = status.reason
            event.on_alarm_provider_mode_changed.hresult = NOT_ACKNOWLEDGED if status.degraded else 0
            event.on_alarm_provider_mode_changed.at.CopyFrom(status.since)
        session.log.append(event, now)


def _allowed(gateway: GatewayService, monitor: AlarmMonitor, key: ApiKey | None, point: AlarmPoint) -> bool:
    """Whether the write constraints of a key let it acknowledge an alarm."""
    return key is None or key.may_write(monitor.acknowledged_tag(point), gateway.commands.path(point.tag))
