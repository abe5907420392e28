"""A simulated plant: its objects, what a reference means, and how each value moves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from .formulas import Writes
from .limits import LimitAlarm, is_upper
from .machine import Machine, MachineState
from .machine_behaviours import Quantity
from .model import Attribute, DataType, PlantObject, Signal, Tag, Value
from .objects import ObjectTable
from .randomness import stable_key
from .scenes import Scene
from .signals import Constant, Element
from .templates import Template
from .trips import TripSchedule

__all__ = ["Plant"]

#: So many machines trip; the others run for ever. It keeps the alarm rate independent of the size of the plant.
_TRIP_POOL = 24
_KEPT_WRITES = 64

_Callback = TypeVar("_Callback")


class Plant:
    """A Galaxy with its values.

    Args:
        seed: decides every random choice.
        galaxy_name: name of the Galaxy.
        objects: all deployed objects.
        templates: by name; every object's template is among them.
        links: for an object without a machine of its own, the id of the object whose machine moves it.
        scenario: the alarm scenario (see `PlantSpec.alarm_scenario`).
        start_us: when the simulation starts.
        deploy_time_us: when the Galaxy was last deployed; nothing changed before.
        first_trip: tag name of the machine that trips first.
    """

    def __init__(
        self,
        *,
        seed: int,
        galaxy_name: str,
        objects: Iterable[PlantObject],
        templates: Mapping[str, Template],
        links: Mapping[int, int] | None = None,
        scenario: str = "normal",
        start_us: int,
        deploy_time_us: int,
        first_trip: str = "",
    ) -> None:
        self.seed = seed
        self.galaxy_name = galaxy_name
        self.scenario = scenario
        self.start_us = start_us
        self.origin_us = deploy_time_us
        self.deploy_time_us = deploy_time_us
        self.deploy_sequence = 1
        self.cache_sequence = 1
        self.version = 0
        self.templates: dict[str, Template] = dict(templates)
        self._links = dict(links or {})
        self._writes: dict[str, list[tuple[int, Value]]] = {}
        self._machines: dict[int, Machine] = {}
        self._deploy_callbacks: list[Callable[[], None]] = []
        self._change_callbacks: list[Callable[[PlantObject], None]] = []
        self._objects = ObjectTable(objects, self.templates)
        self._schedule_trips(first_trip)

    # -- the objects ---------------------------------------------------------------------------------------------

    @property
    def objects(self) -> Collection[PlantObject]:
        """All objects, in order of their creation."""
        return self._objects.all()

    @property
    def object_count(self) -> int:
        """Number of deployed objects."""
        return len(self._objects)

    @property
    def attribute_count(self) -> int:
        """Number of attributes of all objects, with the built-in ones."""
        return self._objects.attribute_count

    def by_id(self, gobject_id: int) -> PlantObject | None:
        """The object with that id."""
        return self._objects.by_id(gobject_id)

    def by_name(self, tag_name: str) -> PlantObject | None:
        """The object with that tag name, in any case."""
        return self._objects.by_name(tag_name)

    def children(self, gobject_id: int) -> Sequence[PlantObject]:
        """The objects directly below one; 0 is above the roots."""
        return self._objects.children(gobject_id)

    def peers(self, obj: PlantObject) -> int:
        """How many objects have the same template."""
        return self._objects.count(obj.template)

    def attributes(self, obj: PlantObject) -> Sequence[Attribute]:
        """All attributes of an object: configured ones, then built-in ones."""
        return self.templates[obj.template].attributes

    def area_of(self, obj: PlantObject) -> PlantObject | None:
        """The area an object belongs to; None for one outside any area."""
        return self._objects.by_id(obj.area_id)

    def name_of(self, obj: PlantObject, what: str) -> str:
        """A name that belongs to an object: tag, contained, hierarchical, area, container, host or description."""
        return self._objects.name_of(obj, what)

    def resolve(self, reference: str) -> Tag | None:
        """What a reference means, or None.

        Case does not matter. `Object.Attribute`, `Object.ContainedName.Attribute`; of an array `[]` or nothing for the
        whole, `[N]` (from 1) for one element.
        """
        return self._objects.resolve(reference)

    # -- values --------------------------------------------------------------------------------------------------

    def signal(self, tag: Tag) -> Signal:
        """How the value of a tag moves. Later writes show in a signal that was asked for before."""
        scene = self._scene(tag.object, tag.attribute)
        signal = self.templates[tag.object.template].index[tag.attribute.name.lower()].behaviour.signal(scene)
        return signal if tag.element is None else Element(signal, tag.element - 1)

    def write(self, tag: Tag, value: Value, at_us: int) -> None:
        """Take a value, already checked against the type; an array is replaced whole.

        A stored attribute shows it from `at_us` on; one that the plant drives keeps its own value. A setpoint moves
        what follows it; `StartCmd`, `StopCmd` and `ResetCmd` move the machine. Signals that were asked for earlier
        may have another next change afterwards: `on_change` tells of which objects.
        """
        scene = self._scene(tag.object, tag.attribute)
        if tag.element is not None:
            whole = self.signal(Tag(scene.reference, tag.object, tag.attribute)).sample(at_us).value
            assert isinstance(whole, list)
            # An array that was written shorter grows only as far as the element.
            whole = whole + [value] * (tag.element - len(whole))
            value = [*whole[: tag.element - 1], value, *whole[tag.element :]]
        writes = self._writes.setdefault(scene.reference, [])
        writes.append((at_us, value))
        del writes[:-_KEPT_WRITES]
        self.version += 1
        machine = self.machine(tag.object)
        if value is True and machine is not None:
            match tag.attribute.name:
                case "StopCmd":
                    machine.stop(at_us)
                case "StartCmd":
                    machine.start(at_us)
                case "ResetCmd":
                    machine.reset(at_us)
        self._changed(tag.object)

    def trip(self, obj: PlantObject, at_us: int, seconds: float = 60.0) -> bool:
        """Trip an object's machine; False when it has none or it is not running."""
        machine = self.machine(obj)
        if machine is None or not machine.trip(at_us, seconds):
            return False
        self._changed(obj)
        return True

    def writes(self, reference: str) -> Callable[[], Writes]:
        """Gives the writes to a reference so far, oldest first; only the last 64 are kept."""
        return lambda: self._writes.get(reference, ())

    def machine(self, obj: PlantObject) -> Machine | None:
        """The machine that moves an object: its own, or that of the object it is linked to."""
        traits = self.templates[obj.template].traits
        if traits is None:
            driver = self._objects.by_id(self._links.get(obj.gobject_id, 0))
            return self.machine(driver) if driver is not None else None
        machine = self._machines.get(obj.gobject_id)
        if machine is None:
            number = self._trip_numbers.get(obj.gobject_id)
            machine = Machine(self._machine_key(obj), traits, self.origin_us, number, self._trips)
            self._machines[obj.gobject_id] = machine
        return machine

    def _scene(self, obj: PlantObject, attribute: Attribute) -> Scene:
        brackets = "[]" if attribute.array_length is not None else ""
        return Scene(self, obj, attribute, f"{obj.tag_name}.{attribute.name}{brackets}")

    def _machine_key(self, obj: PlantObject) -> int:
        return stable_key(self.seed, obj.tag_name, "machine")

    # -- alarms --------------------------------------------------------------------------------------------------

    def alarms(self) -> Iterator[Tag]:
        """All tags that carry an alarm, object by object."""
        for obj in self._objects.all():
            for attribute in self.templates[obj.template].alarmed:
                yield Tag(f"{obj.tag_name}.{attribute.name}", obj, attribute)

    def alarm_signal(self, tag: Tag) -> Signal:
        """Whether the alarm on a tag is active."""
        alarm = tag.attribute.alarm
        if alarm is None:
            return Constant(False, self.origin_us)
        value = self.signal(tag)
        if alarm.limit is None or tag.attribute.data_type is DataType.BOOLEAN:
            return value
        behaviour = self.templates[tag.object.template].index[tag.attribute.name.lower()].behaviour
        calm = (
            behaviour.calm(self._scene(tag.object, tag.attribute), alarm) if isinstance(behaviour, Quantity) else None
        )
        return LimitAlarm(value, alarm.limit, upper=is_upper(alarm), since_us=self.origin_us, calm=calm)

    def alarm_value(self, tag: Tag, at_us: int) -> Value:
        """The value of the monitored tag."""
        return self.signal(tag).sample(at_us).value

    def alarms_of(self, obj: PlantObject, name: str | None = None) -> list[Signal]:
        """Whether the alarm on an attribute of an object is active; without a name, each of its alarms."""
        return [
            self.alarm_signal(Tag(f"{obj.tag_name}.{attribute.name}", obj, attribute))
            for attribute in self.templates[obj.template].alarmed
            if name is None or attribute.name == name
        ]

    # -- changes -------------------------------------------------------------------------------------------------

    def redeploy(
        self,
        *,
        add: Iterable[PlantObject] = (),
        remove: Iterable[str] = (),
        change: Iterable[PlantObject] = (),
        templates: Iterable[Template] = (),
        links: Mapping[int, int] | None = None,
        at_us: int,
    ) -> None:
        """Deploy changes: both sequences move on, and `on_deploy` subscribers are told.

        Args:
            add: new objects; their templates are known or given.
            remove: tag names; what lies below them goes with them.
            change: objects that replace the one with the same id.
            templates: new or replaced templates.
            links: more links (see the class).
            at_us: the time of the deploy.

        Raises:
            ValueError: a name or an id that does not fit what is deployed; nothing is changed then.
        """
        before, known = self._objects, self.templates | {template.name: template for template in templates}
        self._objects = before.redeployed(add, remove, change, known)
        self.templates = known
        self._forget_replaced(before)
        self._links.update(links or {})
        self.deploy_time_us = at_us
        self.deploy_sequence += 1
        self.cache_sequence += 1
        for callback in list(self._deploy_callbacks):
            callback()

    def on_deploy(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each deploy; the result takes it back."""
        return _subscribe(self._deploy_callbacks, callback)

    def on_change(self, callback: Callable[[PlantObject], None]) -> Callable[[], None]:
        """Call `callback` with each object whose signals got another future by a write; the result takes it back."""
        return _subscribe(self._change_callbacks, callback)

    def _changed(self, obj: PlantObject) -> None:
        if not self._change_callbacks:
            return
        linked = (self._objects.by_id(child) for child, driver in self._links.items() if driver == obj.gobject_id)
        for each in (obj, *linked):
            if each is not None:
                for callback in list(self._change_callbacks):
                    callback(each)

    def _forget_replaced(self, before: ObjectTable) -> None:
        """Drop commands and writes of objects that are gone, or deployed anew with another name or template."""
        for obj in before.all():
            now = self._objects.by_id(obj.gobject_id)
            if now is None or (now.tag_name, now.template) != (obj.tag_name, obj.template):
                self._machines.pop(obj.gobject_id, None)
                for attribute in self.templates[obj.template].attributes if self._writes else ():
                    self._writes.pop(self._scene(obj, attribute).reference, None)

    def _schedule_trips(self, first_trip: str) -> None:
        pool: list[PlantObject] = []
        planned: list[Machine] = []
        for obj in self._objects.all():
            traits = self.templates[obj.template].traits
            if traits is not None and traits.trips:
                pool.append(obj)
                planned.append(Machine(self._machine_key(obj), traits, self.origin_us))
            if len(pool) == _TRIP_POOL:
                break
        # Numbers stay with their objects over deploys: what was, stays as it was.
        self._trip_numbers = {obj.gobject_id: number for number, obj in enumerate(pool)}
        self._trips = TripSchedule(
            self.seed,
            self.scenario,
            len(pool),
            start_us=self.start_us,
            first=next((number for number, obj in enumerate(pool) if obj.tag_name == first_trip), 0),
            running=lambda number, at_us: planned[number].planned(at_us) is MachineState.RUNNING,
        )


def _subscribe(callbacks: list[_Callback], callback: _Callback) -> Callable[[], None]:
    callbacks.append(callback)

    def unsubscribe() -> None:
        if callback in callbacks:
            callbacks.remove(callback)

    return unsubscribe
