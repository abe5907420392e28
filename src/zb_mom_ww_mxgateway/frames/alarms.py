"""Alarms as tables: one row per feed message, or one row per active alarm.

Alarms are few beside events, so they are read with protobuf's own parser.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from ..generated import mxaccess_gateway_pb2 as pb
from ..values import from_mx_value, to_datetime

__all__ = ["ACTIVE_ALARM_SCHEMA", "ALARM_SCHEMA", "active_alarms_table", "alarm_frame", "alarms_table"]

_TIME = pa.timestamp("us", tz="UTC")

_COMMON = [
    ("reference", pa.string()),
    ("area", pa.string()),
    ("source", pa.string()),
    ("type", pa.string()),
    ("severity", pa.int32()),
    ("operator", pa.string()),
    ("comment", pa.string()),
    ("category", pa.string()),
    ("description", pa.string()),
    ("value", pa.string()),
    ("limit", pa.string()),
    ("raise_time", _TIME),
    ("transition_time", _TIME),
    ("degraded", pa.bool_()),
    ("provider", pa.string()),
]

#: One row per message of the alarm feed. `message` is "active_alarm", "snapshot_complete", "provider_status" or
#: "transition"; `transition` is RAISE, ACKNOWLEDGE, CLEAR or RETRIGGER, or the state of an active alarm; `reason` is
#: that of a provider status. `severity` is the plant's own scale. Times are UTC, microseconds.
ALARM_SCHEMA = pa.schema([("message", pa.string()), ("transition", pa.string()), *_COMMON, ("reason", pa.string())])

#: One row per active alarm.
ACTIVE_ALARM_SCHEMA = pa.schema([("state", pa.string()), *_COMMON])


def alarms_table(messages: Iterable[pb.AlarmFeedMessage]) -> pa.Table:
    """The messages of a feed, in order, as `ALARM_SCHEMA`; no message gives an empty table with all columns."""
    return pa.Table.from_pylist([_feed_row(message) for message in messages], schema=ALARM_SCHEMA)


def active_alarms_table(alarms: Iterable[pb.ActiveAlarmSnapshot]) -> pa.Table:
    """The alarms of a snapshot, in order, as `ACTIVE_ALARM_SCHEMA`."""
    rows = [{"state": _state(alarm), **_alarm_row(alarm, alarm.last_transition_timestamp)} for alarm in alarms]
    return pa.Table.from_pylist(rows, schema=ACTIVE_ALARM_SCHEMA)


def alarm_frame(table: pa.Table, *, tz: str = "UTC") -> pd.DataFrame:
    """A DataFrame of either table; times in `tz`, everything else in Arrow-backed columns that know what is missing."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_dtype)
    for name in ("raise_time", "transition_time"):
        frame[name] = frame[name].astype("datetime64[us, UTC]").dt.tz_convert(tz)
    return frame


def _dtype(kind: pa.DataType) -> Any:
    return None if pa.types.is_timestamp(kind) else pd.ArrowDtype(kind)


def _feed_row(message: pb.AlarmFeedMessage) -> dict[str, Any]:
    kind = message.WhichOneof("payload")
    row: dict[str, Any] = {"message": kind or "unknown"}
    if kind == "active_alarm":
        alarm = message.active_alarm
        return {**row, "transition": _state(alarm), **_alarm_row(alarm, alarm.last_transition_timestamp)}
    if kind == "transition":
        change = message.transition
        name = _name(pb.AlarmTransitionKind.items(), change.transition_kind, "ALARM_TRANSITION_KIND_")
        return {**row, "transition": name, **_alarm_row(change, change.transition_timestamp)}
    if kind == "provider_status":
        status = message.provider_status
        return {
            **row,
            "provider": _provider(status.mode),
            "degraded": status.degraded,
            "reason": status.reason,
            "transition_time": _time(status.since) if status.HasField("since") else None,
        }
    return row


def _alarm_row(alarm: pb.ActiveAlarmSnapshot | pb.OnAlarmTransitionEvent, changed: Any) -> dict[str, Any]:
    raised = alarm.original_raise_timestamp
    return {
        "reference": alarm.alarm_full_reference,
        "area": area_of(alarm.alarm_full_reference),
        "source": alarm.source_object_reference,
        "type": alarm.alarm_type_name,
        "severity": alarm.severity,
        "operator": alarm.operator_user or None,
        "comment": alarm.operator_comment or None,
        "category": alarm.category,
        "description": alarm.description,
        "value": _text(alarm.current_value),
        "limit": _text(alarm.limit_value),
        "raise_time": _time(raised) if alarm.HasField("original_raise_timestamp") else None,
        "transition_time": _time(changed) if changed.ByteSize() else None,
        "degraded": alarm.degraded,
        "provider": _provider(alarm.source_provider),
    }


def area_of(reference: str) -> str:
    """The group of a full reference, `Provider!Group.Name`: what stands between the first `!` and the first `.`."""
    return reference.partition("!")[2].partition(".")[0]


def _state(alarm: pb.ActiveAlarmSnapshot) -> str:
    return _name(pb.AlarmConditionState.items(), alarm.current_state, "ALARM_CONDITION_STATE_")


def _provider(mode: int) -> str:
    return _name(pb.AlarmProviderMode.items(), mode, "ALARM_PROVIDER_MODE_")


def _name(items: Sequence[tuple[str, int]], number: int, prefix: str) -> str:
    names = {value: name for name, value in items}
    return names.get(number, str(number)).removeprefix(prefix)


def _text(value: pb.MxValue) -> str | None:
    """Alarm values are of any type; as text they fit into one column."""
    plain = from_mx_value(value)
    return None if plain is None else str(plain)


def _time(stamp: Any) -> datetime:
    return to_datetime(stamp)
