"""The generated plant is worth looking at, at any size."""

from __future__ import annotations

import time
import tracemalloc
from collections import Counter
from datetime import datetime, timedelta

import pytest

from zb_mom_ww_mxgateway.simulator.clock import VirtualClock
from zb_mom_ww_mxgateway.simulator.equipment import TEMPLATES
from zb_mom_ww_mxgateway.simulator.generate import PlantSpec, generate_plant
from zb_mom_ww_mxgateway.simulator.model import Category, DataType, Security, Tag
from zb_mom_ww_mxgateway.simulator.plant import Plant

START = VirtualClock().now_us()
PLANT = generate_plant(PlantSpec(), start_us=START)

PYTHON_TYPES: dict[DataType, type] = {
    DataType.BOOLEAN: bool,
    DataType.INTEGER: int,
    DataType.FLOAT: float,
    DataType.DOUBLE: float,
    DataType.STRING: str,
    DataType.TIME: datetime,
    DataType.ELAPSED_TIME: timedelta,
    DataType.REFERENCE: str,
    DataType.ENUMERATION: str,
    DataType.CUSTOM: bytes,
    DataType.INTERNATIONALIZED_STRING: str,
    DataType.BIG_STRING: str,
}


def _all_tags(plant: Plant) -> list[Tag]:
    tags = [plant.resolve(f"{obj.tag_name}.{a.name}") for obj in plant.objects for a in plant.attributes(obj)]
    assert None not in tags
    return [tag for tag in tags if tag is not None]


def test_the_default_plant() -> None:
    names = {obj.tag_name for obj in PLANT.objects}
    assert PLANT.object_count == len(names) == 60
    assert {
        "DevPlatform", "AppEngine_001", "DEV", "TestArea", "Area001", "Pump001", "Object", "TestChildObject",
        "TestMachine_001", "TestMachine_002", "TestMachine_003", "DelmiaReceiver_001", "MESReceiver_001",
        "Site_01", "Receiving_01", "Line_001", "Pump_001", "Valve_001", "Tank_001", "Mixer_001", "Conveyor_001",
        "Boiler_001", "Meter_001", "Analyser_001",
    } <= names  # fmt: skip
    assert {obj.category for obj in PLANT.objects} >= {
        Category.PLATFORM,
        Category.APP_ENGINE,
        Category.AREA,
        Category.USER_DEFINED,
    }


def test_areas_nest_and_objects_hang_together() -> None:
    for obj in PLANT.objects:
        parent = PLANT.by_id(obj.parent_id)
        area = PLANT.area_of(obj)
        assert (parent is None) == (obj.parent_id == 0)
        assert obj.is_area == (obj.category is Category.AREA)
        assert area is None or area.is_area
        host = PLANT.by_id(obj.host_id)
        assert (host is None) == (obj.category is Category.PLATFORM)
        assert host is None or host.category in (Category.PLATFORM, Category.APP_ENGINE)
    path = ["Pump_001"]
    while (above := PLANT.by_id(PLANT.by_name(path[-1]).parent_id)) is not None:  # type: ignore[union-attr]
        path.append(above.tag_name)
    assert path == ["Pump_001", "Line_001", "Receiving_01", "Site_01"]


def test_contained_names_are_unique_below_a_parent() -> None:
    counts = Counter((obj.parent_id, obj.contained_name) for obj in PLANT.objects if obj.contained_name)
    assert set(counts.values()) == {1}


def test_the_built_in_attributes_outnumber_the_configured_ones_about_seven_times() -> None:
    configured = sum(1 for tag in _all_tags(PLANT) if not tag.attribute.builtin)
    assert 6.5 < (PLANT.attribute_count - configured) / configured < 7.5


def test_built_in_attributes_are_neither_historized_nor_alarms() -> None:
    for template in TEMPLATES.values():
        for attribute in template.attributes:
            assert not (attribute.builtin and (attribute.historized or attribute.alarm is not None))


@pytest.mark.parametrize("builtin", [True, False])
def test_every_data_type_occurs(builtin: bool) -> None:
    assert {tag.attribute.data_type for tag in _all_tags(PLANT) if tag.attribute.builtin is builtin} == set(DataType)


def test_arrays_of_every_scalar_type_occur() -> None:
    arrays = {tag.attribute.data_type for tag in _all_tags(PLANT) if tag.attribute.array_length is not None}
    assert arrays == {
        DataType.BOOLEAN,
        DataType.INTEGER,
        DataType.FLOAT,
        DataType.DOUBLE,
        DataType.STRING,
        DataType.TIME,
    }


def test_all_security_classes_occur_and_view_only_means_read_only() -> None:
    attributes = [tag.attribute for tag in _all_tags(PLANT)]
    assert {attribute.security for attribute in attributes} == set(Security)
    assert all(attribute.writeable == (attribute.security is not Security.VIEW_ONLY) for attribute in attributes)


def test_every_value_has_the_type_of_its_attribute() -> None:
    for tag in _all_tags(PLANT):
        value = PLANT.signal(tag).sample(START).value
        wanted = PYTHON_TYPES[tag.attribute.data_type]
        if tag.attribute.array_length is None:
            assert type(value) is wanted, tag.reference
            assert not isinstance(value, datetime) or value.tzinfo is not None, tag.reference
        else:
            assert isinstance(value, list), tag.reference
            assert len(value) == tag.attribute.array_length, tag.reference
            assert {type(each) for each in value} == {wanted}, tag.reference


def test_nothing_is_newer_than_now_or_older_than_the_deploy() -> None:
    for tag in _all_tags(PLANT):
        assert PLANT.deploy_time_us <= PLANT.signal(tag).sample(START).time_us <= START, tag.reference


def test_alarm_attributes_are_booleans_or_have_a_limit() -> None:
    for tag in PLANT.alarms():
        alarm = tag.attribute.alarm
        assert alarm is not None
        assert (tag.attribute.data_type is DataType.BOOLEAN) == (alarm.limit is None)
        assert 1 <= alarm.priority <= 999
        assert PLANT.resolve(tag.reference) == tag
        assert PLANT.resolve(f"{tag.reference}.InAlarm") is not None


def test_the_same_seed_gives_the_same_plant() -> None:
    again = generate_plant(PlantSpec(), start_us=START)
    assert list(again.objects) == list(PLANT.objects)
    assert again.deploy_time_us == PLANT.deploy_time_us


@pytest.mark.parametrize("objects", [10, 11, 13, 14, 15, 25, 26, 200])
def test_any_size(objects: int) -> None:
    plant = generate_plant(PlantSpec(objects=objects), start_us=START)
    assert plant.object_count == objects
    assert len({obj.tag_name.lower() for obj in plant.objects}) == objects
    assert plant.resolve("TestChildObject.TestInt") is not None
    assert plant.resolve("TestMachine_003.TestChangingInt") is not None
    assert plant.resolve("Area001.Pump001.PumpFault") is not None
    assert all(plant.alarm_signal(tag).sample(START).time_us <= START for tag in plant.alarms())


def test_big_plants_have_an_engine_for_each_site() -> None:
    plant = generate_plant(PlantSpec(objects=500), start_us=START)
    engines = {obj.gobject_id for obj in plant.objects if obj.category is Category.APP_ENGINE}
    hosts = {obj.host_id for obj in plant.objects if obj.category is Category.USER_DEFINED}
    assert hosts == engines
    assert len(engines) > 3


@pytest.mark.parametrize("number", [1, 20, 100, 1000])
def test_attributes_per_object(number: int) -> None:
    plant = generate_plant(PlantSpec(attributes_per_object=number), start_us=START)
    for obj in plant.objects:
        configured = len(TEMPLATES[obj.template].configured)
        assert len(plant.attributes(obj)) == max(number, configured)
    if number == 1000:
        tag = plant.resolve("TestMachine_001.Channel_0001")
        assert tag is not None
        assert plant.signal(tag).next_change(START) is not None


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [({"objects": 9}, "at least 10 objects"), ({"attributes_per_object": 0}, "must be at least 1")],
)
def test_a_spec_out_of_range(wrong: dict[str, int], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        PlantSpec(**wrong)  # type: ignore[arg-type]


def test_fifty_thousand_objects_are_made_quickly_and_take_little_room() -> None:
    begin = time.perf_counter()
    plant = generate_plant(PlantSpec(objects=50_000, attributes_per_object=20), start_us=START)
    took = time.perf_counter() - begin
    assert plant.object_count == 50_000
    assert plant.attribute_count == pytest.approx(1_000_000, rel=0.1)
    assert took < 2
    tracemalloc.start()
    again = generate_plant(PlantSpec(objects=50_000), start_us=START)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert again.object_count == 50_000
    assert size < 100 * 1024 * 1024


def test_sampling_keeps_nothing_per_tag() -> None:
    plant = generate_plant(PlantSpec(objects=2000), start_us=START)
    references = [f"{obj.tag_name}.{plant.attributes(obj)[0].name}" for obj in plant.objects]

    def sample_all() -> None:
        for reference in references:
            tag = plant.resolve(reference)
            assert tag is not None
            plant.signal(tag).sample(START)

    sample_all()
    tracemalloc.start()
    sample_all()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 50_000
