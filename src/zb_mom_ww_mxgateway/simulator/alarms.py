"""The gateway's one alarm monitor: the state of every alarm of the plant, and the feed (CONTRACT.md "alarms").

It starts with the first alarm call, because most users of a plant never make one: until then it costs nothing. Then it
looks at each alarm once and keeps a heap of the times at which one changes next; nothing is sampled in between. On the
virtual clock that happens at once, so that two runs agree; on the wall clock in slices that leave the event loop free,
and the schedule of a big plant is completed after the first snapshot.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, count
from uuid import UUID

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .alarm_messages import Provider, snapshot, transition
from .alarm_points import AlarmPoint, parse_reference, reference_of
from .alarm_schedule import AlarmSchedule
from .clock import Clock
from .model import PlantObject, Tag, Value
from .plant import Plant

__all__ = ["AcknowledgeError", "AlarmMonitor", "AlarmNotice"]

#: So long does looking at a plant hold up the event loop at a time (seconds).
_SLICE = 0.01


class AcknowledgeError(Exception):
    """An acknowledgement that the alarm system refused; `invalid` when the reference has no known form."""

    def __init__(self, message: str, *, invalid: bool = False) -> None:
        super().__init__(message)
        self.invalid = invalid


@dataclass(frozen=True, slots=True)
class AlarmNotice:
    """One message of the feed; `reference` is the alarm's, None for a message that everybody gets."""

    reference: str | None
    message: pb.AlarmFeedMessage
    raw: bytes

    def passes(self, prefix: str) -> bool:
        """Whether a feed with that filter carries it; case does not matter, as in every reference."""
        return self.reference is None or self.reference.lower().startswith(prefix.lower())


class AlarmMonitor:
    """Watches all alarms of a plant from the first time that somebody asks.

    Args:
        plant: what is watched; its seed decides the GUIDs.
        clock: the simulator's time.

    Attributes:
        provider: where alarms come from at present.
        refuse_acknowledgements: how many of the next acknowledgements the alarm system refuses.
        fail_acknowledgements: whether it refuses all.
    """

    def __init__(self, plant: Plant, clock: Clock) -> None:
        self._plant = plant
        self._clock = clock
        self.provider = Provider(pb.ALARM_PROVIDER_MODE_ALARMMGR, "", clock.now_us())
        self.refuse_acknowledgements = 0
        self.fail_acknowledgements = False
        self._provider_fails = False
        self._points: dict[str, AlarmPoint] = {}
        self._of_object: dict[int, list[AlarmPoint]] = {}
        self._active: dict[str, AlarmPoint] = {}
        self._listeners: dict[int, Callable[[AlarmNotice], None]] = {}
        self._numbers = count(1)
        self._schedule = AlarmSchedule(clock, self._look)
        self._loading: asyncio.Task[None] | None = None
        self._scheduling: asyncio.Task[None] | None = None
        self._forget: list[Callable[[], None]] = []
        #: A subtag of an alarm says what the alarm does, and not the other way round.
        self._writing = False

    async def ready(self) -> None:
        """Return when the state of every alarm is known, and everybody was told what is late."""
        if self._loading is None:
            self._forget = [self._plant.on_change(self._changed), self._plant.on_deploy(self._deployed)]
            self._loading = asyncio.create_task(self._load(first=True))
        await asyncio.shield(self._loading)
        self._schedule.catch_up()

    def close(self) -> None:
        """Stop watching."""
        for forget in self._forget:
            forget()
        for task in (self._loading, self._scheduling):
            if task is not None:
                task.cancel()
        self._schedule.close()

    # -- reading ---------------------------------------------------------------------------------------------------

    @property
    def scheduled(self) -> int:
        """How many alarms wait for a change; the work of the monitor grows with it, not with the plant."""
        return len(self._schedule)

    def active(self, prefix: str = "") -> Iterator[pb.ActiveAlarmSnapshot]:
        """The active alarms, by reference."""
        now = self._clock.now_us()
        for name, point in sorted(self._active.items()):
            if name.startswith(prefix.lower()):
                yield snapshot(self._plant, point, self.provider, now)

    def guid_of(self, reference: str) -> str:
        """The GUID of an active alarm, as its native record carries it; the feed has no field for it.

        Raises:
            KeyError: no such alarm is active.
        """
        return str(self._guid(self._active[reference.lower()])).upper()

    def listen(self, listener: Callable[[AlarmNotice], None]) -> Callable[[], None]:
        """Call `listener` with everything that happens from now on; the result takes it back."""
        number = next(self._numbers)
        self._listeners[number] = listener

        def forget() -> None:
            self._listeners.pop(number, None)

        return forget

    # -- acting ----------------------------------------------------------------------------------------------------

    def find(self, reference: str) -> AlarmPoint:
        """The active alarm that an acknowledgement names, by its reference or its GUID.

        Raises:
            AcknowledgeError: the reference has no known form, or no such alarm is active.
        """
        target = parse_reference(reference)
        if target is None:
            raise AcknowledgeError(f"{reference!r} is neither Provider!Group.Name nor a GUID", invalid=True)
        if isinstance(target, UUID):
            point = next((each for each in self._active.values() if self._guid(each) == target), None)
        else:
            point = self._active.get(target.lower())
        if point is None:
            raise AcknowledgeError(f"no alarm {reference!r} is active")
        return point

    def acknowledge(self, point: AlarmPoint, comment: str, operator: str) -> None:
        """Acknowledge an active alarm; for one that is acknowledged already, nothing changes and nobody is told.

        Raises:
            AcknowledgeError: the alarm system did not take it.
        """
        if self.refuse_acknowledgements or self.fail_acknowledgements or self._provider_fails:
            self.refuse_acknowledgements = max(0, self.refuse_acknowledgements - 1)
            raise AcknowledgeError(f"the alarm system did not take the acknowledgement of {point.reference!r}")
        if point.acknowledged:
            return
        now = self._clock.now_us()
        self._tell(point, point.acknowledge(operator, comment, now), now)
        self._write(point, "AckMsg", comment)
        self._write(point, "Acked", True)

    def acknowledged_tag(self, point: AlarmPoint) -> Tag:
        """What an acknowledgement writes, for the write constraints of a key: the alarm, as its comment is secured."""
        comment = self._plant.resolve(f"{point.tag.reference}.AckMsg")
        return Tag(point.tag.reference, point.tag.object, point.tag.attribute if comment is None else comment.attribute)

    def switch(self, mode: int, reason: str, *, fail_acknowledgements: bool = False) -> None:
        """Fail over to another provider, or back, and tell every feed; to the present one nobody is told.

        Args:
            mode: an `AlarmProviderMode`.
            reason: why, for people.
            fail_acknowledgements: whether this provider refuses all acknowledgements; the next one starts afresh.
        """
        self._provider_fails = fail_acknowledgements
        if mode != self.provider.mode:
            self.provider = Provider(mode, reason, self._clock.now_us())
            self._publish(None, pb.AlarmFeedMessage(provider_status=self.provider.message()))

    def _guid(self, point: AlarmPoint) -> UUID:
        return point.guid(self._plant.seed, synthetic=self.provider.degraded)

    def _write(self, point: AlarmPoint, subtag: str, value: Value) -> None:
        """Keep a subtag of the alarm true; a plant with few attributes may not have it."""
        tag = self._plant.resolve(f"{point.tag.reference}.{subtag}")
        if tag is not None:
            self._writing = True
            try:
                self._plant.write(tag, value, self._clock.now_us())
            finally:
                self._writing = False

    # -- loading ---------------------------------------------------------------------------------------------------

    async def _load(self, *, first: bool) -> None:
        await self._in_slices(self._survey(first=first))
        if self._clock.is_running:
            self._scheduling = asyncio.create_task(self._in_slices(self._look_at_all()))
        else:
            await self._in_slices(self._look_at_all())

    async def _in_slices(self, steps: Iterator[None]) -> None:
        until = time.monotonic() + _SLICE
        for _ in steps:
            if self._clock.is_running and time.monotonic() > until:
                await asyncio.sleep(0)
                until = time.monotonic() + _SLICE

    def _survey(self, *, first: bool) -> Iterator[None]:
        """Find all alarms; what is active at the first survey is no news, later it is."""
        self._of_object.clear()
        seen: set[str] = set()
        for tag in self._plant.alarms():
            reference = reference_of(self._plant, tag)
            name = reference.lower()
            seen.add(name)
            point = self._points.get(name)
            if point is None:
                point = self._points[name] = AlarmPoint(tag, reference)
                if first:
                    self._first_look(name, point)
            else:
                point.tag = tag
            self._of_object.setdefault(tag.object.gobject_id, []).append(point)
            yield
        for name in [name for name in self._points if name not in seen]:
            gone = self._points.pop(name)
            self._schedule.set(gone, None)
            if gone.active:
                self._clear(gone, self._clock.now_us())

    def _look_at_all(self) -> Iterator[None]:
        for point in list(self._points.values()):
            self._look(point, self._clock.now_us())
            yield

    def _first_look(self, name: str, point: AlarmPoint) -> None:
        sample = self._plant.alarm_signal(point.tag).sample(self._clock.now_us())
        if sample.value:
            point.found_active(sample.time_us)
            self._active[name] = point
            self._write(point, "Acked", False)

    def _deployed(self) -> None:
        if self._scheduling is not None:
            self._scheduling.cancel()
        if not self._clock.is_running:
            for _ in chain(self._survey(first=False), self._look_at_all()):
                pass
            return
        previous = self._loading

        async def reload() -> None:
            if previous is not None:
                await previous
            if self._scheduling is not None:
                self._scheduling.cancel()
            await self._load(first=False)

        self._loading = asyncio.get_running_loop().create_task(reload())

    # -- changes ---------------------------------------------------------------------------------------------------

    def _changed(self, changed: PlantObject) -> None:
        if not self._writing:
            for point in self._of_object.get(changed.gobject_id, ()):
                self._look(point, self._clock.now_us())

    def _look(self, point: AlarmPoint, now: int) -> None:
        """Bring an alarm up to a time and find out when to look again."""
        # A signal is made for each look: kept for every alarm, they would be most of what a big plant needs.
        signal = self._plant.alarm_signal(point.tag)
        self._schedule.set(point, signal.next_change(now))
        sample = signal.sample(now)
        if bool(sample.value) != point.active:
            # A source time before the last change happens when a write moves what was computed before.
            at_us = sample.time_us if point.changed_us < sample.time_us <= now else now
            if point.active:
                self._clear(point, at_us)
            else:
                self._raise(point, at_us)

    def _raise(self, point: AlarmPoint, at_us: int) -> None:
        self._active[point.reference.lower()] = point
        self._tell(point, point.activate(at_us), at_us)
        self._write(point, "Acked", False)

    def _clear(self, point: AlarmPoint, at_us: int) -> None:
        self._active.pop(point.reference.lower(), None)
        self._tell(point, point.clear(at_us), at_us)

    def _tell(self, point: AlarmPoint, kind: int, at_us: int) -> None:
        if self._listeners:
            event = transition(self._plant, point, kind, self.provider, at_us)
            self._publish(point.reference, pb.AlarmFeedMessage(transition=event))

    def _publish(self, reference: str | None, message: pb.AlarmFeedMessage) -> None:
        notice = AlarmNotice(reference, message, message.SerializeToString(deterministic=True))
        for listener in list(self._listeners.values()):
            listener(notice)
