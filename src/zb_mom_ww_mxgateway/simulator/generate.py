"""Make a plant of any size from a seed: sites, areas, lines, and on each line machines that belong together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .equipment import TEMPLATES
from .machine import SECOND
from .model import Category, PlantObject
from .plant import Plant
from .randomness import pick, stable_key
from .templates import Template

__all__ = ["AlarmScenario", "PlantSpec", "generate_plant"]

AlarmScenario = Literal["quiet", "normal", "flood", "chattering", "stale"]


@dataclass(frozen=True)
class PlantSpec:
    """What plant to make.

    Args:
        objects: number of objects, from 10 to 50,000 and beyond; areas, platform and engine count.
        seed: decides every random choice; the same seed gives the same plant with the same values.
        galaxy_name: name of the Galaxy.
        attributes_per_object: roughly how many attributes an object has, built-in ones included; None keeps what the
            templates have.
        alarm_scenario: "quiet" has no alarms; "normal" a few in ten minutes; "flood" bursts of more than ten;
            "chattering" one that comes and goes every few seconds; "stale" some that stand for more than a day.
    """

    objects: int = 60
    seed: int = 1
    galaxy_name: str = "DemoGalaxy"
    attributes_per_object: int | None = None
    alarm_scenario: AlarmScenario = "normal"


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
_LINES_PER_AREA = 4
_AREAS_PER_SITE = 5


class _Builder:
    """Objects with ascending ids, up to a number of them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.objects: list[PlantObject] = []
        self.links: dict[int, int] = {}
        self._numbers: dict[str, int] = {}

    def full(self) -> bool:
        return len(self.objects) >= self.limit

    def add(
        self, template: Template, tag_name: str, contained: str, parent: PlantObject | None, host: int
    ) -> PlantObject:
        is_area = template.category is Category.AREA
        area = 0 if parent is None else parent.gobject_id if parent.is_area else parent.area_id
        obj = PlantObject(
            gobject_id=len(self.objects) + 1,
            tag_name=tag_name,
            contained_name=contained,
            parent_id=parent.gobject_id if parent is not None else 0,
            is_area=is_area,
            category=template.category,
            host_id=host,
            area_id=area,
            template=template.name,
        )
        self.objects.append(obj)
        return obj

    def number(self, stem: str, digits: int = 3) -> str:
        self._numbers[stem] = self._numbers.get(stem, 0) + 1
        return f"{stem}_{self._numbers[stem]:0{digits}d}"


def generate_plant(spec: PlantSpec, *, start_us: int) -> Plant:
    """Make the plant.

    Args:
        spec: what plant to make.
        start_us: when the simulation starts; the plant was deployed some two to three days before.

    Returns:
        The plant; nothing of it is computed until it is asked for.

    Raises:
        ValueError: the plant is too small to hold the objects that every plant has.
    """
    if spec.objects < 10:
        raise ValueError(f"objects={spec.objects} is too small: a plant has at least 10 objects")
    templates = TEMPLATES
    build = _Builder(spec.objects)
    _populate(build, templates)
    age = int(pick(stable_key(spec.seed, "deploy"), 0, 48 * 3600, 72 * 3600)) * SECOND
    return Plant(
        seed=spec.seed,
        galaxy_name=spec.galaxy_name,
        objects=build.objects,
        templates=templates,
        links=build.links,
        scenario=spec.alarm_scenario,
        start_us=start_us,
        deploy_time_us=start_us - age,
    )


def _populate(build: _Builder, templates: dict[str, Template]) -> None:
    platform = build.add(templates["$WinPlatform"], "DevPlatform", "", None, 0)
    engine = build.add(templates["$AppEngine"], "DevAppEngine", "", platform, platform.gobject_id)
    host = engine.gobject_id
    dev = build.add(templates["$Area"], "DEV", "DEV", None, host)
    test_area = build.add(templates["$Area"], "TestArea", "TestArea", dev, host)
    area_001 = build.add(templates["$Area"], "Area001", "Area001", dev, host)
    build.add(templates["$Pump_Centrifugal"], "Pump001", "Pump001", area_001, host)
    build.add(templates["$TestChildObject"], "TestChildObject", "TestChildObject", test_area, host)
    for n in (1, 2, 3):
        if not build.full():
            build.add(templates["$TestMachine"], f"TestMachine_{n:03d}", f"TestMachine_{n:03d}", test_area, host)
    for name, tag in (
        ("$Object", "Object"),
        ("$DelmiaReceiver", "DelmiaReceiver_001"),
        ("$MESReceiver", "MESReceiver_001"),
    ):
        if not build.full():
            build.add(templates[name], tag, tag, test_area, host)
    for line in _lines(build, templates, host):
        placed: list[PlantObject] = []
        for template, stem, contained, driver in _LINE:
            if build.full():
                return
            obj = build.add(templates[template], build.number(stem), contained, line, host)
            placed.append(obj)
            if driver is not None:
                build.links[obj.gobject_id] = placed[driver].gobject_id


def _lines(build: _Builder, templates: dict[str, Template], host: int) -> Iterator[PlantObject]:
    area = templates["$Area"]
    while not build.full():
        site = build.add(area, build.number("Site"), "", None, host)
        for _ in range(_AREAS_PER_SITE):
            if build.full():
                return
            place = build.add(area, build.number("Area"), "", site, host)
            for n in range(1, _LINES_PER_AREA + 1):
                if build.full():
                    return
                yield build.add(area, build.number("Line"), f"Line{n}", place, host)
