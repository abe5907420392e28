"""Messages of the gateway in one short line each, for people."""

from __future__ import annotations

from typing import Any

__all__ = ["alarm_line", "deploy_line", "event_line", "feed_line", "object_line", "result_line"]


def _when(timestamp: Any) -> str:
    return f"{timestamp.ToDatetime().isoformat(sep=' ', timespec='milliseconds')} UTC"


def _value(value: Any) -> str:
    from zb_mom_ww_mxgateway import from_mx_value

    found = from_mx_value(value)
    return found.isoformat() if hasattr(found, "isoformat") else repr(found)


def _enum(message: Any, field: str, prefix: str) -> str:
    """The short name of an enum's value; a number that this contract does not know is shown as it is."""
    number = getattr(message, field)
    known = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return known.name.removeprefix(prefix).lower() if known is not None else str(number)


def event_line(event: Any) -> str:
    """An event of a session."""
    from zb_mom_ww_mxgateway.status import describe_status, is_failure, quality_name

    if event.HasField("replay_gap"):
        return f"gap: events up to {event.replay_gap.oldest_available_sequence} are no longer kept"
    family = _enum(event, "family", "MX_EVENT_FAMILY_")
    failed = "".join(f"  {describe_status(status)}" for status in event.statuses if is_failure(status))
    return (
        f"event {event.worker_sequence:<6} {family}  item {event.item_handle}  {_when(event.source_timestamp)}  "
        f"{_value(event.value)}  quality {event.quality} ({quality_name(event.quality)}){failed}"
    )


def result_line(result: Any) -> str:
    """An entry of a bulk reply: subscribed, read or written."""
    name = getattr(result, "tag_address", "")
    what = f"item {result.item_handle}{f'  {name}' if name else ''}"
    if not result.was_successful:
        return f"{what}  refused: {result.error_message or 'no reason given'}"
    if not hasattr(result, "quality"):
        return f"{what}  ok"
    cached = "  (cached)" if result.was_cached else ""
    return f"{what}  {_value(result.value)}  quality {result.quality}  {_when(result.source_timestamp)}{cached}"


def alarm_line(alarm: Any) -> str:
    """An active alarm."""
    state = _enum(alarm, "current_state", "ALARM_CONDITION_STATE_")
    since = _when(alarm.last_transition_timestamp)
    return f"{alarm.alarm_full_reference}  {state}  severity {alarm.severity}  {since}"


def feed_line(message: Any) -> str:
    """A message of the alarm feed."""
    kind = message.WhichOneof("payload")
    if kind == "active_alarm":
        return f"active      {alarm_line(message.active_alarm)}"
    if kind == "transition":
        transition = message.transition
        name = _enum(transition, "transition_kind", "ALARM_TRANSITION_KIND_")
        return f"{name:<11} {transition.alarm_full_reference}  {_when(transition.transition_timestamp)}"
    if kind == "provider_status":
        status = message.provider_status
        return (
            f"provider    {'degraded' if status.degraded else 'healthy'}{': ' if status.reason else ''}{status.reason}"
        )
    return (kind or "unknown message").replace("_", " ")


def deploy_line(event: Any) -> str:
    """A deploy event."""
    when = _when(event.time_of_last_deploy) if event.time_of_last_deploy_present else "never deployed"
    return f"deploy {event.sequence}  {when}  {event.object_count} objects, {event.attribute_count} attributes"


def object_line(item: Any) -> str:
    """An object of the Galaxy."""
    kind = "area" if item.is_area else (item.template_chain[0] if item.template_chain else "object")
    return f"{item.tag_name}  {item.browse_name}  {kind}"
