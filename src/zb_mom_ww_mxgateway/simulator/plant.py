"""A simulated plant: its objects, what a reference means, and how each value moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from .behaviours import Quantity, Scene
from .limits import LimitAlarm, above
from .machine import Machine, TripSchedule
from .model import Attribute, DataType, PlantObject, Signal, Tag, Value
from .randomness import stable_key
from .references import split_element
from .signals import Constant, Element, History
from .templates import Template

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
        objects: all deployed objects; parents may come after children.
        templates: by name; every object's template is among them.
        links: for an object without a machine, the id of the object whose machine moves it.
        scenario: the alarm scenario (see `PlantSpec.alarm_scenario`).
        start_us: when the simulation starts.
        deploy_time_us: when the Galaxy was last deployed; nothing changed before.
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
    ) -> None:
        self.seed = seed
        self.galaxy_name = galaxy_name
        self.scenario = scenario
        self.start_us = start_us
        self.deploy_time_us = deploy_time_us
        self.origin_us = deploy_time_us
        self.deploy_sequence = 1
        self.cache_sequence = 1
        self.templates: dict[str, Template] = dict(templates)
        self._links = dict(links or {})
        self._writes: dict[str, list[tuple[int, Value]]] = {}
        self._machines: dict[int, Machine] = {}
        self._deploy_callbacks: list[Callable[[], None]] = []
        self._change_callbacks: list[Callable[[PlantObject], None]] = []
        self._by_id: dict[int, PlantObject] = {}
        self._children: dict[int, list[PlantObject]] | None = None
        self._load(objects)

    # -- the objects ---------------------------------------------------------------------------------------------

    @property
    def objects(self) -> Iterable[PlantObject]:
        """All objects, in order of id."""
        return self._by_id.values()

    @property
    def object_count(self) -> int:
        """Number of deployed objects."""
        return len(self._by_id)

    @property
    def attribute_count(self) -> int:
        """Number of attributes of all objects, with the built-in ones."""
        return self._attribute_count

    @property
    def deployed_at(self) -> datetime:
        """The time of the last deploy."""
        return datetime.fromtimestamp(self.deploy_time_us / 1_000_000, UTC)

    def by_id(self, gobject_id: int) -> PlantObject | None:
        """The object with that id."""
        return self._by_id.get(gobject_id)

    def by_name(self, tag_name: str) -> PlantObject | None:
        """The object with that tag name, in any case."""
        return self._by_name.get(tag_name.lower())

    def children(self, gobject_id: int) -> Sequence[PlantObject]:
        """The objects directly below one; 0 is above the roots."""
        if self._children is None:
            self._children = {}
            for obj in self._by_id.values():
                self._children.setdefault(obj.parent_id, []).append(obj)
        return self._children.get(gobject_id, ())

    def attributes(self, obj: PlantObject) -> Sequence[Attribute]:
        """All attributes of an object: configured ones, then built-in ones."""
        return self.templates[obj.template].attributes

    def area_of(self, obj: PlantObject) -> PlantObject | None:
        """The area an object belongs to; None for one outside any area."""
        return self._by_id.get(obj.area_id)

    def name_of(self, obj: PlantObject, what: str) -> str:
        """A name that belongs to an object: tag, contained, hierarchical, area, container, host or description."""
        match what:
            case "tag":
                return obj.tag_name
            case "contained":
                return obj.contained_name
            case "hierarchical":
                parent = self._by_id.get(obj.parent_id)
                if parent is None or parent.is_area or not obj.contained_name:
                    return obj.tag_name
                return f"{self.name_of(parent, what)}.{obj.contained_name}"
            case "description":
                kind = self.templates[obj.template].name.removeprefix("$").replace("_", " ").lower()
                return f"{obj.tag_name} ({kind})"
        owner = {"area": obj.area_id, "container": obj.parent_id, "host": obj.host_id}[what]
        other = self._by_id.get(owner)
        if other is None or (what == "container" and other.is_area):
            return ""
        return other.tag_name

    # -- references ----------------------------------------------------------------------------------------------

    def resolve(self, reference: str) -> Tag | None:
        """What a reference means, or None.

        Case does not matter. `Object.Attribute`, `Object.ContainedName.Attribute`; of an array `[]` or nothing for the
        whole, `[N]` (from 1) for one element.
        """
        plain, element, whole = split_element(reference)
        head, dot, rest = plain.partition(".")
        obj = self._by_name.get(head.lower())
        while obj is not None and dot:
            found = self.templates[obj.template].index.get(rest.lower())
            if found is not None:
                return self._tag(obj, found.attribute, element, whole)
            head, dot, rest = rest.partition(".")
            obj = self._contained(obj, head.lower())
        return None

    def _tag(self, obj: PlantObject, attribute: Attribute, element: int | None, whole: bool) -> Tag | None:
        reference = f"{obj.tag_name}.{attribute.name}"
        if attribute.array_length is None:
            return None if element is not None or whole else Tag(reference, obj, attribute)
        if element is None:
            return Tag(f"{reference}[]", obj, attribute)
        if not 1 <= element <= attribute.array_length:
            return None
        return Tag(f"{reference}[{element}]", obj, attribute, element)

    def _contained(self, obj: PlantObject, name: str) -> PlantObject | None:
        return next((child for child in self.children(obj.gobject_id) if child.contained_name.lower() == name), None)

    # -- values --------------------------------------------------------------------------------------------------

    def signal(self, tag: Tag) -> Signal:
        """How the value of a tag moves. Later writes show in a signal that was asked for before."""
        template = self.templates[tag.object.template]
        array = tag.attribute.array_length is not None
        reference = f"{tag.object.tag_name}.{tag.attribute.name}" + ("[]" if array else "")
        signal = template.index[tag.attribute.name.lower()].behaviour.signal(
            Scene(self, tag.object, tag.attribute, reference)
        )
        return signal if tag.element is None else Element(signal, tag.element - 1)

    def write(self, tag: Tag, value: Value, at_us: int) -> None:
        """Take a value, already checked against the type.

        A stored attribute shows it from `at_us`; one that the plant drives keeps its own value. A setpoint moves what
        follows it, `StartCmd`, `StopCmd` and `ResetCmd` move the machine. Signals that were asked for earlier may have
        another next change afterwards: `on_change` tells for which objects.
        """
        reference = tag.reference
        if tag.element is not None:
            reference = f"{tag.object.tag_name}.{tag.attribute.name}[]"
            whole = self.signal(Tag(reference, tag.object, tag.attribute)).sample(at_us).value
            assert isinstance(whole, list)
            value = [*whole[: tag.element - 1], value, *whole[tag.element :]]
        writes = self._writes.setdefault(reference, [])
        writes.append((at_us, value))
        del writes[:-_KEPT_WRITES]
        if value is True and tag.object.template in self.templates:
            self._command(tag.object, tag.attribute.name, at_us)
        self._changed(tag.object)

    def trip(self, obj: PlantObject, at_us: int, seconds: float = 60.0) -> bool:
        """Trip an object's machine; False when it has none or it is not running."""
        machine = self.machine(obj)
        tripped = machine is not None and machine.trip(at_us, seconds)
        if tripped:
            self._changed(obj)
        return tripped

    def history(self, reference: str) -> History:
        """The writes to a reference, oldest first; the list grows with later writes."""
        return self._writes.setdefault(reference, [])

    def machine(self, obj: PlantObject) -> Machine | None:
        """The machine that moves an object: its own, or that of the object it is linked to."""
        traits = self.templates[obj.template].traits
        if traits is None:
            driver = self._by_id.get(self._links.get(obj.gobject_id, 0))
            return self.machine(driver) if driver is not None else None
        machine = self._machines.get(obj.gobject_id)
        if machine is None:
            number = self._trip_numbers.get(obj.gobject_id)
            machine = Machine(stable_key(self.seed, obj.tag_name, "machine"), traits, number, self._trips)
            self._machines[obj.gobject_id] = machine
        return machine

    def _command(self, obj: PlantObject, name: str, at_us: int) -> None:
        machine = self.machine(obj)
        if machine is None:
            return
        if name == "StopCmd":
            machine.stop(at_us)
        elif name in ("StartCmd", "ResetCmd"):
            machine.start(at_us)

    # -- alarms --------------------------------------------------------------------------------------------------

    def alarms(self) -> Iterator[Tag]:
        """All tags that carry an alarm, object by object."""
        bearing = {
            name: [attribute for attribute in template.attributes if attribute.alarm is not None]
            for name, template in self.templates.items()
        }
        for obj in self._by_id.values():
            for attribute in bearing[obj.template]:
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
        calm = None
        if isinstance(behaviour, Quantity):
            calm = behaviour.calm_until(Scene(self, tag.object, tag.attribute, tag.reference), alarm)
        return LimitAlarm(value, alarm.limit, upper=above(alarm), calm_until=calm)

    def alarm_value(self, tag: Tag, at_us: int) -> Value:
        """The value of the monitored tag."""
        return self.signal(tag).sample(at_us).value

    def alarm_of(self, obj: PlantObject, name: str) -> Signal:
        """Whether the alarm on an attribute of an object is active."""
        attribute = self.templates[obj.template].index[name.lower()].attribute
        return self.alarm_signal(Tag(f"{obj.tag_name}.{attribute.name}", obj, attribute))

    # -- changes -------------------------------------------------------------------------------------------------

    def redeploy(
        self,
        *,
        add: Iterable[PlantObject] = (),
        remove: Iterable[str] = (),
        change: Iterable[PlantObject] = (),
        templates: Iterable[Template] = (),
        at_us: int,
    ) -> None:
        """Deploy changes: both sequences move on, and `on_deploy` subscribers are told.

        Args:
            add: new objects; their templates are known or given.
            remove: tag names; what they contain goes with them.
            change: objects that replace the one with the same id.
            templates: new or replaced templates.
            at_us: the time of the deploy.
        """
        objects = dict(self._by_id)
        gone = [obj.gobject_id for name in remove if (obj := self.by_name(name)) is not None]
        while gone:
            gobject_id = gone.pop()
            gone += [child.gobject_id for child in self.children(gobject_id)]
            objects.pop(gobject_id, None)
        objects.update((obj.gobject_id, obj) for obj in (*add, *change))
        self.templates.update((template.name, template) for template in templates)
        self._load(objects.values())
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
        linked = [self._by_id[child] for child, driver in self._links.items() if driver == obj.gobject_id]
        for callback in list(self._change_callbacks):
            for each in (obj, *linked):
                callback(each)

    def _load(self, objects: Iterable[PlantObject]) -> None:
        self._by_id = {obj.gobject_id: obj for obj in objects}
        self._by_name = {obj.tag_name.lower(): obj for obj in self._by_id.values()}
        self._children = None
        sizes = {name: len(template.attributes) for name, template in self.templates.items()}
        self._attribute_count = sum(sizes[obj.template] for obj in self._by_id.values())
        tripping = {
            name for name, template in self.templates.items() if template.traits is not None and template.traits.trips
        }
        pool = [obj for obj in self._by_id.values() if obj.template in tripping][:_TRIP_POOL]
        self._trip_numbers = {obj.gobject_id: number for number, obj in enumerate(pool)}
        planned = [
            Machine(stable_key(self.seed, obj.tag_name, "machine"), traits, None, None)
            for obj in pool
            if (traits := self.templates[obj.template].traits) is not None
        ]
        self._trips = TripSchedule(
            self.seed, self.scenario, len(pool), lambda number, at_us: planned[number].planned(at_us).name == "RUNNING"
        )
        self._machines.clear()


def _subscribe(callbacks: list[_Callback], callback: _Callback) -> Callable[[], None]:
    callbacks.append(callback)

    def unsubscribe() -> None:
        if callback in callbacks:
            callbacks.remove(callback)

    return unsubscribe
