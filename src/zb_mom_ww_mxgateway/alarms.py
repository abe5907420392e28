"""Alarms: the snapshot, the feed, acknowledging. None of them needs a session."""

from __future__ import annotations

from .connection import Connection, Method, new_correlation_id
from .errors import check_reply
from .generated import mxaccess_gateway_pb2 as pb
from .invoking import named
from .streams import MessageStream

__all__ = ["AlarmCalls"]

_SERVICE = "mxaccess_gateway.v1.MxAccessGateway"
QUERY_ACTIVE_ALARMS = Method(f"{_SERVICE}/QueryActiveAlarms", pb.ActiveAlarmSnapshot)
STREAM_ALARMS = Method(f"{_SERVICE}/StreamAlarms", pb.AlarmFeedMessage)
ACKNOWLEDGE_ALARM = Method(f"{_SERVICE}/AcknowledgeAlarm", pb.AcknowledgeAlarmReply)


class AlarmCalls:
    """The alarm rpcs of a gateway."""

    _connection: Connection

    def query_active_alarms(
        self, alarm_filter_prefix: str | pb.QueryActiveAlarmsRequest = "", *, timeout: float | None = None
    ) -> MessageStream[pb.ActiveAlarmSnapshot]:
        """The alarms that are active now, once: `async for alarm in client.query_active_alarms()`.

        Cleared alarms are not kept by the gateway. Needs the scope `events:read`.

        Args:
            alarm_filter_prefix: only references that begin so, for example "Galaxy!Area001."; or a whole request.
            timeout: seconds until the stream ends with a timeout; None is the options' `stream_timeout`.
        """
        request = alarm_filter_prefix
        if not isinstance(request, pb.QueryActiveAlarmsRequest):
            request = pb.QueryActiveAlarmsRequest(
                alarm_filter_prefix=request, client_correlation_id=new_correlation_id()
            )
        return self._connection.stream(
            QUERY_ACTIVE_ALARMS, request, timeout=timeout, correlation_id=request.client_correlation_id
        )

    def stream_alarms(
        self, alarm_filter_prefix: str | pb.StreamAlarmsRequest = "", *, timeout: float | None = None
    ) -> MessageStream[pb.AlarmFeedMessage]:
        """The alarm feed: `async for message in client.stream_alarms()`.

        First one `active_alarm` for each alarm that is active, then `snapshot_complete`, `provider_status`, and a
        `transition` for each change; `provider_status` again whenever the provider changes. Needs `events:read`.

        Args:
            alarm_filter_prefix: only references that begin so; or a whole request.
            timeout: seconds until the stream ends with a timeout; None is the options' `stream_timeout`.
        """
        request = alarm_filter_prefix
        if not isinstance(request, pb.StreamAlarmsRequest):
            request = pb.StreamAlarmsRequest(alarm_filter_prefix=request, client_correlation_id=new_correlation_id())
        return self._connection.stream(
            STREAM_ALARMS, request, timeout=timeout, correlation_id=request.client_correlation_id
        )

    async def acknowledge_alarm(
        self,
        alarm_full_reference: str | pb.AcknowledgeAlarmRequest,
        comment: str = "",
        operator_user: str = "",
        *,
        correlation_id: str = "",
    ) -> pb.AcknowledgeAlarmReply:
        r"""Acknowledge an alarm. Never retried. Needs the scope `invoke:write`.

        Args:
            alarm_full_reference: `Provider!Group.Name`, or the alarm's GUID; or a whole request.
            comment: kept with the alarm.
            operator_user: in whose name.
            correlation_id: empty for a fresh one.

        Raises:
            MxAccessError: MXAccess refused; its hresult says why (the reply's `status` stays empty).
            MxGatewayCommandError: the reference has no known form, or the alarm system is in its degraded mode.
        """
        request = alarm_full_reference
        if not isinstance(request, pb.AcknowledgeAlarmRequest):
            request = pb.AcknowledgeAlarmRequest(
                client_correlation_id=correlation_id or new_correlation_id(),
                alarm_full_reference=named(request, "alarm_full_reference"),
                comment=comment,
                operator_user=operator_user,
            )
        reply = await self.acknowledge_alarm_raw(request)
        check_reply(
            reply,
            what=f"acknowledge_alarm of {request.alarm_full_reference!r}",
            api_key=self._connection.options.api_key,
        )
        return reply

    async def acknowledge_alarm_raw(self, request: pb.AcknowledgeAlarmRequest) -> pb.AcknowledgeAlarmReply:
        """AcknowledgeAlarm with generated messages, unchecked."""
        return await self._connection.unary(ACKNOWLEDGE_ALARM, request, correlation_id=request.client_correlation_id)
