"""Alarms as messages, in full or as far as subtags tell (CONTRACT.md "alarms")."""

from __future__ import annotations

from dataclasses import dataclass

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .alarm_points import AlarmPoint
from .conversion import timestamp, to_mx_value
from .model import DataType
from .plant import Plant

__all__ = ["Provider", "snapshot", "transition"]

_DISCRETE = {"dsc", "discrete"}


@dataclass(frozen=True, slots=True)
class Provider:
    """Where alarms come from at present.

    Args:
        mode: an `AlarmProviderMode`.
        reason: why it was switched to; empty at first.
        since_us: when.
    """

    mode: int
    reason: str
    since_us: int

    @property
    def degraded(self) -> bool:
        """Whether alarms are put together from subtags, with less to say about each."""
        return self.mode != pb.ALARM_PROVIDER_MODE_ALARMMGR

    def message(self) -> pb.AlarmProviderStatus:
        """As it goes into the feed."""
        return pb.AlarmProviderStatus(
            mode=self.mode,  # type: ignore[arg-type]
            degraded=self.degraded,
            reason=self.reason,
            since=timestamp(self.since_us),
        )


def snapshot(plant: Plant, point: AlarmPoint, provider: Provider, now_us: int) -> pb.ActiveAlarmSnapshot:
    """An active alarm, with the value that the tag has now."""
    raised_us = _raise_time(point, provider)
    message = pb.ActiveAlarmSnapshot(
        original_raise_timestamp=timestamp(raised_us),
        current_state=pb.ALARM_CONDITION_STATE_ACTIVE_ACKED if point.acknowledged else pb.ALARM_CONDITION_STATE_ACTIVE,
        last_transition_timestamp=timestamp(max(point.changed_us, raised_us)),
    )
    _describe(message, plant, point, provider, now_us)
    return message


def transition(plant: Plant, point: AlarmPoint, kind: int, provider: Provider, at_us: int) -> pb.OnAlarmTransitionEvent:
    """A change of an alarm at `at_us`."""
    message = pb.OnAlarmTransitionEvent(
        transition_kind=kind,  # type: ignore[arg-type]
        original_raise_timestamp=timestamp(min(_raise_time(point, provider), at_us)),
        transition_timestamp=timestamp(at_us),
    )
    _describe(message, plant, point, provider, at_us)
    return message


def _raise_time(point: AlarmPoint, provider: Provider) -> int:
    # Subtags carry no raise time: an alarm that stood before the switch seems to begin with it.
    return max(point.original_us, provider.since_us) if provider.degraded else point.original_us


def _describe(
    message: pb.ActiveAlarmSnapshot | pb.OnAlarmTransitionEvent,
    plant: Plant,
    point: AlarmPoint,
    provider: Provider,
    at_us: int,
) -> None:
    """Fill in what both messages say of an alarm.

    The subtags that are watched are active, acknowledged, comment and priority: the rest is empty in the degraded mode.
    """
    spec = point.tag.attribute.alarm
    assert spec is not None
    message.alarm_full_reference = point.reference
    message.source_object_reference = point.tag.object.tag_name
    message.severity = spec.priority
    message.operator_comment = point.comment
    message.degraded = provider.degraded
    message.source_provider = provider.mode  # type: ignore[assignment]
    if provider.degraded:
        return
    kind = point.tag.attribute.data_type
    message.operator_user = point.operator
    message.alarm_type_name = spec.type_name
    message.category = "Discrete" if spec.type_name.lower() in _DISCRETE else "Value"
    message.description = spec.description
    message.current_value.CopyFrom(to_mx_value(plant.alarm_value(point.tag, at_us), kind))
    if spec.limit is not None:
        limit: float | int = round(spec.limit) if kind is DataType.INTEGER else spec.limit
        message.limit_value.CopyFrom(to_mx_value(limit, kind))
