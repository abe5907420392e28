"""The alarm rpcs, which need no session, and the alarm commands, which do (CONTRACT.md "alarms")."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import grpc

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .alarms import AcknowledgeError, AlarmMonitor, AlarmNotice
from .clock import Clock
from .conversion import timestamp
from .event_log import Subscriber
from .gateway_limits import Limits
from .keys import ApiKey
from .replies import InvalidRequestError, MxFailureError
from .sessions import Session

if TYPE_CHECKING:
    from .commands import Call

__all__ = ["AlarmCommands", "AlarmService"]

#: What the alarm system answers when it does not take an acknowledgement (E_FAIL).
NOT_ACKNOWLEDGED = 0x80004005 - 2**32

Context = Any


class _Enter(Protocol):
    def __call__(self, context: Context, rpc: str) -> Awaitable[ApiKey | None]: ...


class AlarmService:
    """AcknowledgeAlarm, StreamAlarms and QueryActiveAlarms.

    Args:
        monitor: of the gateway.
        limits: the size of a feed's queue.
        enter: counts a call and checks its key.
    """

    def __init__(self, monitor: AlarmMonitor, limits: Limits, enter: _Enter) -> None:
        self.monitor = monitor
        self._limits = limits
        self._enter = enter

    async def query_active_alarms(
        self, request: pb.QueryActiveAlarmsRequest, context: Context
    ) -> AsyncIterator[pb.ActiveAlarmSnapshot]:
        """The snapshot alone."""
        await self._enter(context, "QueryActiveAlarms")
        await self.monitor.ready()
        for alarm in list(self.monitor.active(request.alarm_filter_prefix)):
            yield alarm

    async def stream_alarms(self, request: pb.StreamAlarmsRequest, context: Context) -> AsyncIterator[bytes]:
        """The snapshot, that it is complete, the provider, then every change."""
        await self._enter(context, "StreamAlarms")
        await self.monitor.ready()
        subscriber = Subscriber(self._limits.event_queue)
        prefix = request.alarm_filter_prefix

        def notify(notice: AlarmNotice) -> None:
            if notice.passes(prefix):
                subscriber.put(notice.raw)

        # Nothing may happen between looking and listening, or a change would be lost or told twice.
        first = [pb.AlarmFeedMessage(active_alarm=alarm) for alarm in self.monitor.active(prefix)]
        first.append(pb.AlarmFeedMessage(snapshot_complete=True))
        first.append(pb.AlarmFeedMessage(provider_status=self.monitor.provider.message()))
        forget = self.monitor.listen(notify)
        try:
            for message in first:
                yield message.SerializeToString(deterministic=True)
            while batch := await subscriber.take():
                for raw in batch:
                    yield raw
        finally:
            forget()
        if subscriber.overflowed:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"EventQueueOverflow: the subscriber was too slow, {self._limits.event_queue} messages were queued",
            )

    async def acknowledge_alarm(
        self, request: pb.AcknowledgeAlarmRequest, context: Context
    ) -> pb.AcknowledgeAlarmReply:
        """Acknowledge an alarm. `status` stays empty, as the real gateway leaves it."""
        await self._enter(context, "AcknowledgeAlarm")
        await self.monitor.ready()
        reply = pb.AcknowledgeAlarmReply(session_id=request.session_id, correlation_id=request.client_correlation_id)
        try:
            self.monitor.acknowledge(request.alarm_full_reference, request.comment, request.operator_user)
        except AcknowledgeError as error:
            if self.monitor.provider.degraded and not error.invalid:
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            code = (
                pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST if error.invalid else pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
            )
            reply.protocol_status.code = code
            reply.protocol_status.message = reply.diagnostic_message = str(error)
            if not error.invalid:
                reply.hresult = NOT_ACKNOWLEDGED
            return reply
        reply.protocol_status.code = pb.PROTOCOL_STATUS_CODE_OK
        reply.protocol_status.message = "OK"
        reply.hresult = 0
        return reply


class AlarmCommands:
    """The alarm commands of `Invoke`, by the name of the payload.

    The real gateway keeps them for itself. Here a session that subscribes gets the transitions as events of its own.
    """

    def __init__(self, monitor: AlarmMonitor, clock: Clock) -> None:
        self._monitor = monitor
        self._clock = clock
        self._feeds: dict[Session, Callable[[], None]] = {}

    async def subscribe_alarms(self, call: Call) -> None:
        """Send the alarm transitions to the session, once however often it asks."""
        await self._monitor.ready()
        session = call.session
        self.forget(session)
        self._feeds[session] = self._monitor.listen(lambda notice: self._send(session, notice))

    async def unsubscribe_alarms(self, call: Call) -> None:
        """Send them no more."""
        self.forget(call.session)

    async def query_active_alarms_command(self, call: Call) -> None:
        """The active alarms."""
        await self._monitor.ready()
        call.reply.query_active_alarms.SetInParent()
        call.reply.query_active_alarms.snapshots.extend(self._monitor.active(call.payload.alarm_filter_prefix))

    async def acknowledge_alarm_command(self, call: Call) -> None:
        """Acknowledge by GUID."""
        await self._acknowledge(call, call.payload.alarm_guid)

    async def acknowledge_alarm_by_name_command(self, call: Call) -> None:
        """Acknowledge by provider, group and name."""
        payload = call.payload
        await self._acknowledge(call, f"{payload.provider_name}!{payload.group_name}.{payload.alarm_name}")

    def forget(self, session: Session) -> None:
        """Drop the subscription of a session, if it has one."""
        unlisten = self._feeds.pop(session, None)
        if unlisten is not None:
            unlisten()

    async def _acknowledge(self, call: Call, reference: str) -> None:
        await self._monitor.ready()
        try:
            self._monitor.acknowledge(reference, call.payload.comment, call.payload.operator_user)
        except AcknowledgeError as error:
            if error.invalid:
                raise InvalidRequestError(str(error)) from error
            raise MxFailureError(NOT_ACKNOWLEDGED, str(error)) from error
        call.reply.acknowledge_alarm.native_status = 0

    def _send(self, session: Session, notice: AlarmNotice) -> None:
        now = self._clock.now_us()
        event = pb.MxEvent(
            session_id=session.id, worker_timestamp=timestamp(now), gateway_receive_timestamp=timestamp(now), hresult=0
        )
        status = notice.message.provider_status
        if notice.message.HasField("transition"):
            event.family = pb.MX_EVENT_FAMILY_ON_ALARM_TRANSITION
            event.on_alarm_transition.CopyFrom(notice.message.transition)
        else:
            event.family = pb.MX_EVENT_FAMILY_ON_ALARM_PROVIDER_MODE_CHANGED
            event.on_alarm_provider_mode_changed.mode = status.mode
            event.on_alarm_provider_mode_changed.reason = status.reason
            event.on_alarm_provider_mode_changed.at.CopyFrom(status.since)
        session.log.append(event, now)
