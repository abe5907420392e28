"""Data changes: which tags are advised by whom, when each changes next, and the events of it.

Signals are pure functions of time, so all that is kept is one heap of "tag, time of its next change" for the whole
gateway, however many sessions look at a tag.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .clock import Clock, Timer
from .conversion import NO_DATA, timestamp, to_mx_value
from .model import PlantObject, Sample, Signal, Tag
from .plant import Plant
from .replies import OK_STATUS, status
from .sessions import Item, Session

__all__ = ["Updates"]

#: Changes that fall due within so many microseconds are handled together on a running clock.
_TICK_US = 20_000


Deliver = Callable[[Session, Item, pb.MxEvent, int], None]


@dataclass(slots=True, eq=False)
class _Feed:
    """An advised tag."""

    tag: Tag
    signal: Signal
    items: dict[Item, Session] = field(default_factory=dict)
    due_us: int | None = None
    version: int = 0
    #: Value and quality as they were sent last; None while the Galaxy does not know the reference.
    shown: tuple[object, int] | None = None


class Updates:
    """Makes the events of advised items.

    Args:
        plant: what changes.
        clock: when.
        deliver: takes each event, with its session, its item and the time.
    """

    def __init__(self, plant: Plant, clock: Clock, deliver: Deliver) -> None:
        self._deliver = deliver
        self._plant = plant
        self._clock = clock
        self._feeds: dict[str, _Feed] = {}
        self._heap: list[tuple[int, int, int, _Feed]] = []
        self._order = count()
        self._timer: Timer | None = None
        self._is_running = False
        self._first_values: dict[Item, Timer] = {}
        #: Feeds by object, for what a write or a deploy changes.
        self._by_object: dict[int, set[_Feed]] = {}
        #: Advised items whose reference the Galaxy does not know: a deploy may bring it.
        self._unknown: dict[Item, Session] = {}
        self._waiting: dict[Item, list[Callable[[pb.MxEvent], None]]] = {}
        self._forget = [plant.on_change(self._changed), plant.on_deploy(self._deployed)]

    def close(self) -> None:
        """Stop listening to the plant and to the clock."""
        for forget in self._forget:
            forget()
        if self._timer is not None:
            self._timer.cancel()

    def advise(self, session: Session, item: Item, delay_us: int, initial_quality: int | None = None) -> None:
        """Send the item's value after `delay_us`, then every change; until then, if asked for, that there is none."""
        item.advised = True
        item.suspended = False
        if initial_quality is not None:
            now = self._clock.now_us()
            self._deliver_to(session, item, _unbound(now, initial_quality), now)
        self._bind_after(session, item, delay_us)

    def unadvise(self, item: Item) -> None:
        """Send nothing more of the item."""
        item.advised = item.supervisory = item.bound = False
        item.last = None
        self._detach(item)

    def suspend(self, item: Item) -> None:
        """Send nothing until `activate`."""
        item.suspended = True
        self._detach(item)

    def activate(self, session: Session, item: Item) -> None:
        """Send the value as it is now, and changes again."""
        item.suspended = False
        self._bind_after(session, item, 0)

    def when_bound(self, item: Item, callback: Callable[[pb.MxEvent], None]) -> None:
        """Call `callback` with the first event of the item."""
        if item.last is not None:
            callback(item.last)
        else:
            self._waiting.setdefault(item, []).append(callback)

    def forget_waiting(self, item: Item) -> None:
        """Call nobody about the item any more."""
        self._waiting.pop(item, None)

    def _bind_after(self, session: Session, item: Item, delay_us: int) -> None:
        def bind() -> None:
            self._first_values.pop(item, None)
            self._bind(session, item)

        previous = self._first_values.pop(item, None)
        if previous is not None:
            previous.cancel()
        self._first_values[item] = self._clock.call_at(self._clock.now_us() + delay_us, bind)

    def _bind(self, session: Session, item: Item) -> None:
        now = self._clock.now_us()
        item.bound = session.warm = True
        if item.tag is None:
            # MXAccess reports an unknown reference here, not when the item is added.
            self._unknown[item] = session
            self._emit(session, item, _unresolved(item, now), now)
            return
        feed = self._feeds.get(item.tag.reference)
        if feed is None:
            feed = self._feeds[item.tag.reference] = _Feed(item.tag, self._plant.signal(item.tag))
            self._by_object.setdefault(item.tag.object.gobject_id, set()).add(feed)
        sample = feed.signal.sample(now)
        if feed.shown is None:
            feed.shown = (sample.value, sample.quality)
        feed.items[item] = session
        self._emit(session, item, _event(feed.tag, sample, now), now)
        if feed.due_us is None:
            self._schedule(feed, now)

    def _detach(self, item: Item) -> None:
        timer = self._first_values.pop(item, None)
        if timer is not None:
            timer.cancel()
        self._waiting.pop(item, None)
        self._unknown.pop(item, None)
        feed = self._feeds.get(item.tag.reference) if item.tag is not None else None
        if feed is None:
            return
        feed.items.pop(item, None)
        if not feed.items:
            self._drop(feed)

    def _drop(self, feed: _Feed) -> None:
        feed.version += 1
        del self._feeds[feed.tag.reference]
        self._unindex(feed)

    def _unindex(self, feed: _Feed) -> None:
        siblings = self._by_object[feed.tag.object.gobject_id]
        siblings.discard(feed)
        if not siblings:
            del self._by_object[feed.tag.object.gobject_id]

    def _schedule(self, feed: _Feed, after_us: int) -> None:
        feed.version += 1
        feed.due_us = feed.signal.next_change(after_us)
        if feed.due_us is not None:
            heapq.heappush(self._heap, (feed.due_us, next(self._order), feed.version, feed))
            self._arm()

    def _arm(self) -> None:
        if self._is_running:
            # `_run` arms once, when it is done: a timer for each change it schedules would never end.
            return
        due = self._heap[0][0]
        if self._timer is not None:
            if not self._timer.cancelled and self._timer.when_us <= due + _TICK_US:
                return
            self._timer.cancel()
        self._timer = self._clock.call_at(due, self._run)

    def _run(self) -> None:
        self._timer = None
        self._is_running = True
        now = self._clock.now_us()
        try:
            while self._heap and self._heap[0][0] <= now:
                due, _, version, feed = heapq.heappop(self._heap)
                if version == feed.version:
                    self._change(feed, due, now)
        finally:
            self._is_running = False
        if self._heap:
            # On a running clock what falls due within a tick is handled in one go.
            self._timer = self._clock.call_at(max(self._heap[0][0], self._next_tick(now)), self._run)

    def _next_tick(self, now: int) -> int:
        return now + _TICK_US if self._clock.is_running else now

    def _change(self, feed: _Feed, at_us: int, now: int) -> None:
        self._show(feed, at_us, now)
        self._schedule(feed, at_us)

    def _show(self, feed: _Feed, at_us: int, now: int) -> None:
        """Send what a tag shows, unless it shows that already: a signal may ask to be looked at again."""
        sample = feed.signal.sample(at_us)
        if feed.shown == (sample.value, sample.quality):
            return
        feed.shown = (sample.value, sample.quality)
        event = _event(feed.tag, sample, now)
        for item, session in list(feed.items.items()):
            self._emit(session, item, event, now)

    def _emit(self, session: Session, item: Item, event: pb.MxEvent, now: int) -> None:
        # Shared by all items of the tag; copying into one message again and again would never free its arena.
        item.last = event
        self._deliver_to(session, item, event, now)
        for callback in self._waiting.pop(item, ()):
            callback(event)

    def _deliver_to(self, session: Session, item: Item, event: pb.MxEvent, now: int) -> None:
        event.session_id = session.id
        event.server_handle = item.server_handle
        event.item_handle = item.handle
        self._deliver(session, item, event, now)

    def _changed(self, changed: PlantObject) -> None:
        """A write has given the signals of an object another present and another future."""
        now = self._clock.now_us()
        for feed in sorted(self._by_object.get(changed.gobject_id, ()), key=lambda feed: feed.tag.reference):
            self._show(feed, now, now)
            self._schedule(feed, now)

    def _deployed(self) -> None:
        """References may mean something else now, or nothing, or something at last."""
        now = self._clock.now_us()
        for item, session in list(self._unknown.items()):
            item.tag = self._plant.resolve(item.reference)
            if item.tag is not None:
                del self._unknown[item]
                self._bind(session, item)
        for feed in list(self._feeds.values()):
            tag = self._plant.resolve(feed.tag.reference)
            if tag is None:
                self._drop(feed)
                for item, session in list(feed.items.items()):
                    item.tag = None
                    self._unknown[item] = session
                    self._emit(session, item, _unresolved(item, now), now)
                continue
            for item in feed.items:
                item.tag = tag
            self._unindex(feed)
            feed.tag = tag
            self._by_object.setdefault(tag.object.gobject_id, set()).add(feed)
            feed.signal = self._plant.signal(tag)
            self._show(feed, now, now)
            self._schedule(feed, now)


def _event(tag: Tag, sample: Sample, now: int) -> pb.MxEvent:
    event = pb.MxEvent(
        family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE,
        value=to_mx_value(sample.value, tag.attribute.data_type),
        quality=sample.quality,
        source_timestamp=timestamp(sample.time_us),
        statuses=[OK_STATUS],
        worker_timestamp=timestamp(now),
        gateway_receive_timestamp=timestamp(now + 400),
        hresult=0,
    )
    event.on_data_change.SetInParent()
    return event


def _unresolved(item: Item, now: int) -> pb.MxEvent:
    unknown = status(
        pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR, 6, f"the reference {item.reference!r} cannot be resolved"
    )
    return _without_value(now, 0, unknown)


def _unbound(now: int, quality: int) -> pb.MxEvent:
    return _without_value(now, quality, status(pb.MX_STATUS_CATEGORY_PENDING, text="the reference is being bound"))


def _without_value(now: int, quality: int, said: pb.MxStatusProxy) -> pb.MxEvent:
    event = pb.MxEvent(
        family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE,
        value=NO_DATA,
        quality=quality,
        source_timestamp=timestamp(now),
        statuses=[said],
        worker_timestamp=timestamp(now),
        gateway_receive_timestamp=timestamp(now + 400),
        hresult=0,
    )
    event.on_data_change.SetInParent()
    return event
