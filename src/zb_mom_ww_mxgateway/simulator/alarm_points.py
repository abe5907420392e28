"""One alarm of the plant as the monitor sees it: its state, its references, its messages (CONTRACT.md "alarms")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .conversion import timestamp, to_mx_value
from .model import DataType, Signal, Tag
from .plant import Plant
from .randomness import mix, stable_key

__all__ = ["AlarmPoint", "Provider", "parse_reference", "snapshot", "transition"]

#: The name under which System Platform's alarm provider runs; it is not the name of the Galaxy.
PROVIDER = "Galaxy"
_DISCRETE = {"dsc", "discrete"}
_GUID = re.compile(r"\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.IGNORECASE)
_FULL_NAME = re.compile(r"[^!\\]+![^.!]+\..+")
_UNC_NAME = re.compile(r"\\\\(?P<provider>[^\\!]+)\\(?P<rest>[^.\\]+\..+)")


@dataclass(slots=True)
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


@dataclass(slots=True, eq=False)
class AlarmPoint:
    """An alarm, active or not.

    Attributes:
        reference: `Galaxy!Area.Object.Attribute`.
        raised_us: when the present activation began.
        original_us: when the first of a row of unacknowledged activations began.
        changed_us: when the last transition was.
        cleared_us: when it cleared without an acknowledgement; None otherwise.
        version: grows with each new schedule, so that an older one is recognised.
    """

    tag: Tag
    reference: str
    signal: Signal
    active: bool = False
    acknowledged: bool = False
    raised_us: int = 0
    original_us: int = 0
    changed_us: int = 0
    cleared_us: int | None = None
    operator: str = ""
    comment: str = ""
    version: int = 0

    def guid(self, seed: int, provider: Provider) -> UUID:
        """The GUID of the present activation; a made-up one in the degraded mode."""
        source = "subtag" if provider.degraded else str(self.original_us)
        key = stable_key(seed, self.reference, source)
        return UUID(int=mix(key, 1) << 64 | mix(key, 2), version=4)


def reference_of(plant: Plant, tag: Tag) -> str:
    """The full reference of the alarm on a tag; an object outside any area is its own group."""
    area = plant.area_of(tag.object) or tag.object
    return f"{PROVIDER}!{area.tag_name}.{tag.reference}"


def parse_reference(text: str) -> UUID | str | None:
    r"""What an acknowledgement names: a GUID, a full reference in its usual spelling, or nothing that is known.

    `\\Galaxy\Area001.Pump001.PumpFault` is another spelling of `Galaxy!Area001.Pump001.PumpFault`.
    """
    text = text.strip()
    if found := _GUID.fullmatch(text):
        return UUID(found[1])
    if found := _UNC_NAME.fullmatch(text):
        return f"{found['provider']}!{found['rest']}"
    return text if _FULL_NAME.fullmatch(text) else None


def snapshot(plant: Plant, point: AlarmPoint, provider: Provider, now_us: int) -> pb.ActiveAlarmSnapshot:
    """An active alarm."""
    spec = point.tag.attribute.alarm
    assert spec is not None
    message = pb.ActiveAlarmSnapshot(
        alarm_full_reference=point.reference,
        source_object_reference=point.tag.object.tag_name,
        alarm_type_name=spec.type_name,
        severity=spec.priority,
        original_raise_timestamp=timestamp(_raise_time(point, provider)),
        current_state=pb.ALARM_CONDITION_STATE_ACTIVE_ACKED if point.acknowledged else pb.ALARM_CONDITION_STATE_ACTIVE,
        last_transition_timestamp=timestamp(max(point.changed_us, _raise_time(point, provider))),
        operator_user=point.operator,
        operator_comment=point.comment,
        current_value=to_mx_value(plant.alarm_value(point.tag, now_us), point.tag.attribute.data_type),
        degraded=provider.degraded,
        source_provider=provider.mode,  # type: ignore[arg-type]
    )
    _describe(message, point, provider)
    return message


def transition(plant: Plant, point: AlarmPoint, kind: int, provider: Provider, at_us: int) -> pb.OnAlarmTransitionEvent:
    """A change of an alarm at `at_us`."""
    spec = point.tag.attribute.alarm
    assert spec is not None
    message = pb.OnAlarmTransitionEvent(
        alarm_full_reference=point.reference,
        source_object_reference=point.tag.object.tag_name,
        alarm_type_name=spec.type_name,
        transition_kind=kind,  # type: ignore[arg-type]
        severity=spec.priority,
        original_raise_timestamp=timestamp(min(_raise_time(point, provider), at_us)),
        transition_timestamp=timestamp(at_us),
        operator_user=point.operator,
        operator_comment=point.comment,
        current_value=to_mx_value(plant.alarm_value(point.tag, at_us), point.tag.attribute.data_type),
        degraded=provider.degraded,
        source_provider=provider.mode,  # type: ignore[arg-type]
    )
    _describe(message, point, provider)
    return message


def _raise_time(point: AlarmPoint, provider: Provider) -> int:
    # Subtags carry no raise time: an alarm that stood before the switch seems to begin with it.
    return max(point.original_us, provider.since_us) if provider.degraded else point.original_us


def _describe(
    message: pb.ActiveAlarmSnapshot | pb.OnAlarmTransitionEvent, point: AlarmPoint, provider: Provider
) -> None:
    if provider.degraded:
        return
    spec = point.tag.attribute.alarm
    assert spec is not None
    message.category = "Discrete" if spec.type_name.lower() in _DISCRETE else "Value"
    message.description = spec.description
    if spec.limit is not None:
        kind = point.tag.attribute.data_type
        limit: float | int = round(spec.limit) if kind is DataType.INTEGER else spec.limit
        message.limit_value.CopyFrom(to_mx_value(limit, kind))
