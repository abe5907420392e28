"""The active alarms, as the alarm feed tells them."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from ..frames.alarms import area_of
from ..generated import mxaccess_gateway_pb2 as pb
from ..values import from_mx_value, to_datetime
from .live_values import shown

__all__ = ["ActiveAlarms", "severity_word"]

#: The highest number of each of System Platform's four ranges of severity: a small number is urgent.
_SEVERITIES = ((250, "critical"), (500, "high"), (750, "medium"))

_STATES = {
    pb.ALARM_CONDITION_STATE_ACTIVE: "active",
    pb.ALARM_CONDITION_STATE_ACTIVE_ACKED: "acknowledged",
}


def severity_word(severity: int) -> str:
    """Critical, high, medium or low: the four default ranges of System Platform, 1 to 999."""
    return next((word for most, word in _SEVERITIES if severity <= most), "low")


class ActiveAlarms:
    """What is active now.

    Attributes:
        complete: whether the snapshot at the begin of the feed has come.
        provider: where the gateway has its alarms from, in words; empty until it has said so.
        degraded: whether that source knows less than the alarm manager.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A feed begins: what was cleared while there was none is not told, so everything starts anew."""
        self._alarms: dict[str, dict[str, Any]] = {}
        self.complete = False
        self.provider = ""
        self.degraded = False

    def take(self, message: pb.AlarmFeedMessage) -> None:
        """The next message of the feed."""
        match message.WhichOneof("payload"):
            case "active_alarm":
                alarm = message.active_alarm
                state = _STATES.get(alarm.current_state)
                if state is not None:
                    self._put(alarm, state, alarm.last_transition_timestamp)
            case "snapshot_complete":
                self.complete = True
            case "provider_status":
                self._provider(message.provider_status)
            case "transition":
                change = message.transition
                if change.transition_kind == pb.ALARM_TRANSITION_KIND_CLEAR:
                    self._alarms.pop(change.alarm_full_reference, None)
                elif change.transition_kind == pb.ALARM_TRANSITION_KIND_ACKNOWLEDGE:
                    self._put(change, "acknowledged", change.transition_timestamp)
                else:
                    self._put(change, "active", change.transition_timestamp)
            case _:
                # A newer gateway may tell more.
                pass

    def rows(self, zone: tzinfo) -> list[dict[str, Any]]:
        """One row per alarm to show: not acknowledged first, then by severity, then the newest."""
        ordered = sorted(self._alarms.values(), key=lambda row: (row["state"] != "active", row["severity"], -row["at"]))
        return [{**row, "raised": row["raised"].astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")} for row in ordered]

    def _put(self, alarm: pb.ActiveAlarmSnapshot | pb.OnAlarmTransitionEvent, state: str, changed: Any) -> None:
        raised = to_datetime(alarm.original_raise_timestamp if alarm.original_raise_timestamp.ByteSize() else changed)
        value, limit = (shown(from_mx_value(each)) for each in (alarm.current_value, alarm.limit_value))
        self._alarms[alarm.alarm_full_reference] = {
            "reference": alarm.alarm_full_reference,
            "area": area_of(alarm.alarm_full_reference),
            "type": alarm.alarm_type_name,
            "severity": alarm.severity,
            "word": severity_word(alarm.severity),
            "state": state,
            "description": alarm.description,
            "value": value,
            "limit": limit,
            "operator": alarm.operator_user,
            "comment": alarm.operator_comment,
            "raised": raised,
            "at": raised.timestamp(),
        }

    def _provider(self, status: pb.AlarmProviderStatus) -> None:
        self.degraded = status.degraded
        source = {
            pb.ALARM_PROVIDER_MODE_ALARMMGR: "the alarm manager",
            pb.ALARM_PROVIDER_MODE_SUBTAG: "attributes of the alarmed objects",
        }.get(status.mode, "an unnamed source")
        self.provider = f"alarms come from {source}"
        if status.degraded:
            self.provider = f"degraded: {self.provider}, with fewer details and best-effort times"
        if status.degraded and status.reason:
            self.provider += f" ({status.reason})"
