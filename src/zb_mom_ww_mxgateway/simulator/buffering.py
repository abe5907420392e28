"""Buffered items: their changes are kept and sent together (OnBufferedDataChange)."""

from __future__ import annotations

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .clock import Clock, Timer
from .sessions import Item, Session

__all__ = ["Buffering"]


class Buffering:
    """Collects the changes of buffered items for the interval of their registration."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[Item, list[pb.MxEvent]] = {}
        self._timers: dict[Item, Timer] = {}

    def add(self, session: Session, item: Item, event: pb.MxEvent, now: int) -> None:
        """Keep a change; the first one starts the interval."""
        copy = pb.MxEvent()
        copy.CopyFrom(event)
        self._kept.setdefault(item, []).append(copy)
        registration = session.registrations.get(item.server_handle)
        if registration is None or item in self._timers:
            return
        due = now + registration.buffered_interval_us
        self._timers[item] = self._clock.call_at(due, lambda: self._flush(session, item))

    def forget(self, item: Item) -> None:
        """Drop what is kept of an item."""
        self._kept.pop(item, None)
        timer = self._timers.pop(item, None)
        if timer is not None:
            timer.cancel()

    def _flush(self, session: Session, item: Item) -> None:
        self._timers.pop(item, None)
        events = self._kept.pop(item, [])
        if events:
            session.log.append(_together(events), self._clock.now_us())


def _together(events: list[pb.MxEvent]) -> pb.MxEvent:
    """One event for several changes: arrays of values, qualities and times, in order."""
    result = pb.MxEvent()
    result.CopyFrom(events[-1])
    result.family = pb.MX_EVENT_FAMILY_ON_BUFFERED_DATA_CHANGE
    first = events[0].value
    body = pb.OnBufferedDataChangeEvent(data_type=first.data_type, raw_data_type=first.data_type)
    body.quality_values.element_data_type = pb.MX_DATA_TYPE_INTEGER
    body.quality_values.dimensions.append(len(events))
    body.quality_values.int32_values.values.extend(event.quality for event in events)
    body.timestamp_values.element_data_type = pb.MX_DATA_TYPE_TIME
    body.timestamp_values.dimensions.append(len(events))
    body.timestamp_values.timestamp_values.values.extend(event.source_timestamp for event in events)
    result.on_buffered_data_change.CopyFrom(body)
    member = first.WhichOneof("kind")
    array = f"{member.removesuffix('_value')}_values" if member else ""
    if array in pb.MxArray.DESCRIPTOR.fields_by_name:
        values = pb.MxArray(element_data_type=first.data_type, dimensions=[len(events)])
        getattr(values, array).values.extend(getattr(event.value, member) for event in events)
        result.value.Clear()
        result.value.data_type = first.data_type
        result.value.variant_type = f"VT_ARRAY|{first.variant_type}"
        result.value.array_value.CopyFrom(values)
    return result
