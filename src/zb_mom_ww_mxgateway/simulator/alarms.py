"""The gateway's one alarm monitor: the state of every alarm of the plant, and the feed (CONTRACT.md "alarms")."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .alarm_points import AlarmPoint, Provider, parse_reference, reference_of, snapshot, transition
from .clock import Clock, Timer
from .model import PlantObject, Sample
from .plant import Plant

__all__ = ["AcknowledgeError", "AlarmMonitor", "AlarmNotice"]

SECOND = 1_000_000
#: An alarm that comes back so soon after it cleared unacknowledged is a retrigger, later it is a new one.
_RETRIGGER_US = 60 * SECOND
#: So long does loading a big plant hold up the event loop at a time (seconds).
_SLICE = 0.01
#: Plants with more alarms than this are scheduled after the first snapshot, not before.
_SMALL = 5_000


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
        """Whether a feed with that filter carries it."""
        return self.reference is None or self.reference.lower().startswith(prefix.lower())


class AlarmMonitor:
    """Watches all alarms of a plant from the first time that somebody asks.

    Args:
        plant: what is watched.
        clock: the simulator's time.
        seed: of the alarms' GUIDs.
    """

    def __init__(self, plant: Plant, clock: Clock, *, seed: int) -> None:
        self._plant = plant
        self._clock = clock
        self._seed = seed
        self.provider = Provider(pb.ALARM_PROVIDER_MODE_ALARMMGR, "", clock.now_us())
        #: The next acknowledgements that the alarm system refuses (a fault).
        self.refuse_acknowledgements = 0
        self._points: dict[str, AlarmPoint] = {}
        self._of_object: dict[int, list[AlarmPoint]] = {}
        self._active: dict[str, AlarmPoint] = {}
        self._listeners: dict[int, Callable[[AlarmNotice], None]] = {}
        self._numbers = count(1)
        self._heap: list[tuple[int, int, int, AlarmPoint]] = []
        self._timer: Timer | None = None
        self._loading: asyncio.Task[None] | None = None
        self._scheduling: asyncio.Task[None] | None = None
        self._forget: list[Callable[[], None]] = []

    async def ready(self) -> None:
        """Return when the state of every alarm is known."""
        if self._loading is None:
            self._forget = [self._plant.on_change(self._changed), self._plant.on_deploy(self._deployed)]
            self._loading = asyncio.create_task(self._load())
        await asyncio.shield(self._loading)

    def close(self) -> None:
        """Stop watching."""
        for forget in self._forget:
            forget()
        for task in (self._loading, self._scheduling):
            if task is not None:
                task.cancel()
        if self._timer is not None:
            self._timer.cancel()

    # -- reading ---------------------------------------------------------------------------------------------------

    def active(self, prefix: str = "") -> Iterator[pb.ActiveAlarmSnapshot]:
        """The active alarms, by reference."""
        now = self._clock.now_us()
        for _, point in sorted(self._active.items()):
            if point.reference.lower().startswith(prefix.lower()):
                yield snapshot(self._plant, point, self.provider, now)

    def guid(self, reference: str) -> str:
        """The GUID of an active alarm, as its native messages carry it.

        Raises:
            KeyError: no such alarm is active.
        """
        return str(self._active[reference.lower()].guid(self._seed, self.provider)).upper()

    def listen(self, listener: Callable[[AlarmNotice], None]) -> Callable[[], None]:
        """Call `listener` with everything that happens from now on; the result takes it back."""
        number = next(self._numbers)
        self._listeners[number] = listener

        def forget() -> None:
            self._listeners.pop(number, None)

        return forget

    # -- acting ----------------------------------------------------------------------------------------------------

    def acknowledge(self, reference: str, comment: str, operator: str) -> None:
        """Acknowledge an active alarm, named by its reference or its GUID; again for an acknowledged one is harmless.

        Raises:
            AcknowledgeError: the reference has no known form, or no such alarm is active.
        """
        target = parse_reference(reference)
        if target is None:
            raise AcknowledgeError(f"{reference!r} is neither Provider!Group.Name nor a GUID", invalid=True)
        if self.refuse_acknowledgements:
            self.refuse_acknowledgements -= 1
            raise AcknowledgeError(f"the alarm system did not take the acknowledgement of {reference!r}")
        point = self._by_guid(target) if isinstance(target, UUID) else self._active.get(target.lower())
        if point is None:
            raise AcknowledgeError(f"no alarm {reference!r} is active")
        if point.acknowledged:
            return
        point.acknowledged = True
        point.operator, point.comment = operator, comment
        self._tell(point, pb.ALARM_TRANSITION_KIND_ACKNOWLEDGE, self._clock.now_us())

    def switch(self, mode: int, reason: str) -> None:
        """Fail over to another provider, or back, and tell every feed; to the present one is harmless."""
        if mode == self.provider.mode:
            return
        self.provider = Provider(mode, reason, self._clock.now_us())
        self._publish(None, pb.AlarmFeedMessage(provider_status=self.provider.message()))

    def _by_guid(self, guid: UUID) -> AlarmPoint | None:
        for point in self._active.values():
            if point.guid(self._seed, self.provider) == guid:
                return point
        return None

    # -- loading ---------------------------------------------------------------------------------------------------

    async def _load(self) -> None:
        until = time.monotonic() + _SLICE
        seen: set[str] = set()
        for tag in self._plant.alarms():
            reference = reference_of(self._plant, tag)
            point = self._points.get(reference.lower())
            now = self._clock.now_us()
            if point is None:
                point = AlarmPoint(tag, reference, self._plant.alarm_signal(tag))
                self._points[reference.lower()] = point
                self._first_look(point, point.signal.sample(now))
            else:
                point.tag, point.signal = tag, self._plant.alarm_signal(tag)
            self._of_object.setdefault(tag.object.gobject_id, []).append(point)
            seen.add(reference.lower())
            if time.monotonic() > until:
                await asyncio.sleep(0)
                until = time.monotonic() + _SLICE
        for reference in [name for name in self._points if name not in seen]:
            self._drop(self._points.pop(reference))
        if len(self._points) <= _SMALL:
            await self._schedule_all()
        else:
            self._scheduling = asyncio.create_task(self._schedule_all())

    async def _schedule_all(self) -> None:
        until = time.monotonic() + _SLICE
        for point in list(self._points.values()):
            self._look(point)
            if time.monotonic() > until:
                await asyncio.sleep(0)
                until = time.monotonic() + _SLICE

    def _first_look(self, point: AlarmPoint, sample: Sample) -> None:
        if sample.value:
            point.active = True
            point.raised_us = point.original_us = point.changed_us = sample.time_us
            self._active[point.reference.lower()] = point

    def _drop(self, point: AlarmPoint) -> None:
        point.version += 1
        if point.active:
            self._clear(point, self._clock.now_us())

    def _deployed(self) -> None:
        if self._scheduling is not None:
            self._scheduling.cancel()
        previous = self._loading
        self._of_object.clear()

        async def reload() -> None:
            if previous is not None:
                await previous
            self._of_object.clear()
            await self._load()

        self._loading = asyncio.get_running_loop().create_task(reload())

    # -- changes ---------------------------------------------------------------------------------------------------

    def _changed(self, changed: PlantObject) -> None:
        for point in self._of_object.get(changed.gobject_id, ()):
            self._look(point)

    def _look(self, point: AlarmPoint) -> None:
        """Bring a point up to now and find out when to look again."""
        now = self._clock.now_us()
        self._apply(point, point.signal.sample(now), now)
        point.version += 1
        due = point.signal.next_change(now)
        if due is not None:
            heapq.heappush(self._heap, (due, next(self._numbers), point.version, point))
            self._arm()

    def _arm(self) -> None:
        due = self._heap[0][0]
        if self._timer is not None:
            if self._timer.when_us <= due:
                return
            self._timer.cancel()
        self._timer = self._clock.call_at(due, self._run)

    def _run(self) -> None:
        self._timer = None
        now = self._clock.now_us()
        while self._heap and self._heap[0][0] <= now:
            _, _, version, point = heapq.heappop(self._heap)
            if version == point.version:
                self._look(point)
        if self._heap:
            self._arm()

    def _apply(self, point: AlarmPoint, sample: Sample, now: int) -> None:
        active = bool(sample.value)
        if active == point.active:
            return
        # A source time before the last change happens when a write moves what was computed before.
        at_us = sample.time_us if point.changed_us < sample.time_us <= now else now
        if active:
            self._raise(point, at_us)
        else:
            self._clear(point, at_us)

    def _raise(self, point: AlarmPoint, at_us: int) -> None:
        again = point.cleared_us is not None and at_us - point.cleared_us <= _RETRIGGER_US
        point.active, point.acknowledged = True, False
        point.operator = point.comment = ""
        point.raised_us = at_us
        if not again:
            point.original_us = at_us
        point.cleared_us = None
        self._active[point.reference.lower()] = point
        kind = pb.ALARM_TRANSITION_KIND_RETRIGGER if again else pb.ALARM_TRANSITION_KIND_RAISE
        self._tell(point, kind, at_us)

    def _clear(self, point: AlarmPoint, at_us: int) -> None:
        point.active = False
        point.cleared_us = None if point.acknowledged else at_us
        self._active.pop(point.reference.lower(), None)
        self._tell(point, pb.ALARM_TRANSITION_KIND_CLEAR, at_us)

    def _tell(self, point: AlarmPoint, kind: int, at_us: int) -> None:
        point.changed_us = at_us
        if self._listeners:
            event = transition(self._plant, point, kind, self.provider, at_us)
            self._publish(point.reference, pb.AlarmFeedMessage(transition=event))

    def _publish(self, reference: str | None, message: pb.AlarmFeedMessage) -> None:
        notice = AlarmNotice(reference, message, message.SerializeToString(deterministic=True))
        for listener in list(self._listeners.values()):
            listener(notice)
