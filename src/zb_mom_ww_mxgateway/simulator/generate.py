"""Make a plant of any size from a seed: sites, areas, lines, and on each line machines that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .equipment import TEMPLATES
from .machine import SECOND
from .model import Category, PlantObject
from .plant import Plant
from .randomness import pick, stable_key
from .templates import Template

__all__ = ["AlarmScenario", "Layout", "PlantSpec", "generate_plant", "lay_out", "make_plant"]

AlarmScenario = Literal["quiet", "normal", "flood", "chattering", "stale"]

#: The smallest plant: hosts, areas, and the test objects that documentation and tests name.
_MIN_OBJECTS = 10


@dataclass(frozen=True)
class PlantSpec:
    """What plant to make.

    Args:
        objects: number of objects, from 10 to 50,000 and beyond; areas, platform and engines count.
        seed: decides every random choice; the same seed gives the same plant with the same values.
        galaxy_name: name of the Galaxy.
        attributes_per_object: how many attributes an object has, built-in ones included (never fewer than its
            template configures); None keeps what the templates have.
        alarm_scenario: "quiet" has no alarms; "normal" a few in ten minutes; "flood" bursts of more than ten;
            "chattering" one that comes and goes every few seconds; "stale" some that stand for more than a day.

    Raises:
        ValueError: a number out of range.
    """

    objects: int = 60
    seed: int = 1
    galaxy_name: str = "DemoGalaxy"
    attributes_per_object: int | None = None
    alarm_scenario: AlarmScenario = "normal"

    def __post_init__(self) -> None:
        if self.objects < _MIN_OBJECTS:
            raise ValueError(f"objects={self.objects} is too small: a plant has at least {_MIN_OBJECTS} objects")
        if self.attributes_per_object is not None and self.attributes_per_object < 1:
            raise ValueError(f"attributes_per_object={self.attributes_per_object} must be at least 1")


#: One line: template, tag stem, contained name, place in the line of the machine that moves it (None: by itself).
_LINE: tuple[tuple[str, str, str, int | None], ...] = (
    ("$Pump_Centrifugal", "Pump", "FeedPump", None),
    ("$Valve_Control", "Valve", "FeedValve", 0),
    ("$Tank_Storage", "Tank", "FeedTank", 0),
    ("$Mixer", "Mixer", "Mixer", None),
    ("$Pump_Centrifugal", "Pump", "TransferPump", None),
    ("$Valve_Control", "Valve", "TransferValve", 4),
    ("$Tank_Storage", "Tank", "ProductTank", 4),
    ("$Conveyor_Belt", "Conveyor", "Conveyor", None),
    ("$Boiler_Steam", "Boiler", "Boiler", None),
    ("$Meter_Electric", "Meter", "PowerMeter", None),
    ("$Analyser_InLine", "Analyser", "Analyser", None),
)
_AREAS = ("Receiving", "Blending", "Cooking", "Filling", "Packing")
_LINES_PER_AREA = 2
#: The machine that trips first after the start; it is on every first line.
_FIRST_TRIP = "Pump_001"


@dataclass(frozen=True)
class Layout:
    """What stands where: the part of a plant that does not move.

    Args:
        objects: with ascending ids.
        templates: by name.
        links: for an object without a machine of its own, the id of the object whose machine moves it.
    """

    objects: list[PlantObject] = field(default_factory=list)
    templates: dict[str, Template] = field(default_factory=dict)
    links: dict[int, int] = field(default_factory=dict)


class _Builder:
    """Adds objects to a layout until there are enough of them."""

    def __init__(self, limit: int, layout: Layout) -> None:
        self.limit = limit
        self.templates: Mapping[str, Template] = layout.templates
        self.objects = layout.objects
        self.links = layout.links
        self.host_id = 0
        self._numbers: dict[str, int] = {}

    def full(self) -> bool:
        return len(self.objects) >= self.limit

    def add(self, template: str, tag_name: str, contained: str, parent: PlantObject | None) -> PlantObject:
        category = self.templates[template].category
        obj = PlantObject(
            gobject_id=len(self.objects) + 1,
            tag_name=tag_name,
            contained_name=contained,
            parent_id=0 if parent is None else parent.gobject_id,
            is_area=category is Category.AREA,
            category=category,
            host_id=self.host_id,
            area_id=0 if parent is None else parent.gobject_id if parent.is_area else parent.area_id,
            template=template,
        )
        self.objects.append(obj)
        return obj

    def number(self, stem: str, digits: int = 3) -> str:
        self._numbers[stem] = self._numbers.get(stem, 0) + 1
        return f"{stem}_{self._numbers[stem]:0{digits}d}"


def generate_plant(spec: PlantSpec, *, start_us: int) -> Plant:
    """Make a plant.

    Args:
        spec: what plant to make.
        start_us: when the simulation starts; the plant was deployed two to three days before.

    Returns:
        The plant; nothing of its values is computed until it is asked for.
    """
    return make_plant(spec, lay_out(spec), start_us=start_us)


def lay_out(spec: PlantSpec) -> Layout:
    """Lay out the objects of a plant, without making it move."""
    templates = dict(TEMPLATES)
    if spec.attributes_per_object is not None:
        templates = {name: template.sized(spec.attributes_per_object) for name, template in templates.items()}
    layout = Layout(templates=templates)
    build = _Builder(spec.objects, layout)
    _add_test_objects(build)
    while not build.full():
        _add_site(build)
    return layout


def make_plant(spec: PlantSpec, layout: Layout, *, start_us: int) -> Plant:
    """Make the plant that a layout describes; of `spec`, the number of objects is not looked at again."""
    age = int(pick(stable_key(spec.seed, "deploy"), 0, 48 * 3600, 72 * 3600)) * SECOND
    return Plant(
        seed=spec.seed,
        galaxy_name=spec.galaxy_name,
        objects=layout.objects,
        templates=layout.templates,
        links=layout.links,
        scenario=spec.alarm_scenario,
        start_us=start_us,
        deploy_time_us=start_us - age,
        first_trip=_FIRST_TRIP,
    )


def _add_test_objects(build: _Builder) -> None:
    """The hosts, and the objects that documentation and tests name."""
    platform = build.add("$WinPlatform", "DevPlatform", "", None)
    build.host_id = platform.gobject_id
    build.host_id = build.add("$AppEngine", build.number("AppEngine"), "", platform).gobject_id
    dev = build.add("$Area", "DEV", "", None)
    test_area = build.add("$Area", "TestArea", "", dev)
    area_001 = build.add("$Area", "Area001", "", dev)
    build.add("$Pump_Centrifugal", "Pump001", "Pump001", area_001)
    build.add("$TestChildObject", "TestChildObject", "", test_area)
    for _ in range(3):
        build.add("$TestMachine", build.number("TestMachine"), "", test_area)
    for template, tag_name in (
        ("$Object", "Object"),
        ("$DelmiaReceiver", "DelmiaReceiver_001"),
        ("$MESReceiver", "MESReceiver_001"),
    ):
        if not build.full():
            build.add(template, tag_name, "", test_area)


def _add_site(build: _Builder) -> None:
    tag_name = build.number("Site", 2)
    if tag_name != "Site_01":
        platform = build.objects[0]
        build.host_id = platform.gobject_id
        build.host_id = build.add("$AppEngine", build.number("AppEngine"), "", platform).gobject_id
    if build.full():
        return
    site = build.add("$Area", tag_name, "", None)
    for stem in _AREAS:
        if build.full():
            return
        area = build.add("$Area", build.number(stem, 2), "", site)
        for number in range(1, _LINES_PER_AREA + 1):
            if build.full():
                return
            _add_line(build, build.add("$Area", build.number("Line"), f"Line{number}", area))


def _add_line(build: _Builder, line: PlantObject) -> None:
    placed: list[PlantObject] = []
    for template, stem, contained, driver in _LINE:
        if build.full():
            return
        placed.append(build.add(template, build.number(stem), contained, line))
        if driver is not None:
            build.links[placed[-1].gobject_id] = placed[driver].gobject_id
