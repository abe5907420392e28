"""What a reference means, and what a write does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from zb_mom_ww_mxgateway.simulator.clock import VirtualClock
from zb_mom_ww_mxgateway.simulator.generate import PlantSpec, generate_plant
from zb_mom_ww_mxgateway.simulator.model import Category, PlantObject, Tag, Value
from zb_mom_ww_mxgateway.simulator.plant import Plant
from zb_mom_ww_mxgateway.simulator.templates import Template

START = VirtualClock().now_us()
SECOND = 1_000_000


@pytest.fixture
def plant() -> Plant:
    return generate_plant(PlantSpec(alarm_scenario="quiet"), start_us=START)


def _tag(plant: Plant, reference: str) -> Tag:
    tag = plant.resolve(reference)
    assert tag is not None, reference
    return tag


def _value(plant: Plant, reference: str, seconds: float = 0) -> Value:
    return plant.signal(_tag(plant, reference)).sample(START + int(seconds * SECOND)).value


@pytest.mark.parametrize(
    ("reference", "canonical"),
    [
        ("Pump_001.Speed", "Pump_001.Speed"),
        ("PUMP_001.speed", "Pump_001.Speed"),
        ("Line_001.FeedPump.Speed", "Pump_001.Speed"),
        ("Receiving_01.Line1.FeedPump.Flow", "Pump_001.Flow"),
        ("Pump_001.Speed.EngUnits", "Pump_001.Speed.EngUnits"),
        ("Area001.Pump001.PumpFault", "Pump001.PumpFault"),
        ("TestChildObject.TestIntArray", "TestChildObject.TestIntArray[]"),
        ("TestChildObject.TestIntArray[]", "TestChildObject.TestIntArray[]"),
        ("TestChildObject.TestIntArray[1]", "TestChildObject.TestIntArray[1]"),
        ("TestChildObject.TestIntArray[050]", "TestChildObject.TestIntArray[50]"),
        ("Object.Attribute", "Object.Attribute"),
        ("TestMachine_003.TestChangingInt", "TestMachine_003.TestChangingInt"),
        ("TestChildObject.TestIntArray[0]", None),
        ("TestChildObject.TestIntArray[51]", None),
        ("TestChildObject.TestIntArray[-1]", None),
        ("TestChildObject.TestIntArray[1][1]", None),
        ("Pump_001.Speed[]", None),
        ("Pump_001.Speed[1]", None),
        ("Pump_001.NoSuch", None),
        ("NoSuch.Speed", None),
        ("Line_001.NoSuch.Speed", None),
        ("Pump_001", None),
        ("Pump_001.", None),
        (".Speed", None),
        ("[1]", None),
        ("", None),
    ],
)
def test_references(plant: Plant, reference: str, canonical: str | None) -> None:
    tag = plant.resolve(reference)
    assert (tag.reference if tag is not None else None) == canonical


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("Pump_001.Tagname", "Pump_001"),
        ("Pump_001.ContainedName", "FeedPump"),
        ("Pump_001.HierarchicalName", "Pump_001"),
        ("Pump_001.Area", "Line_001"),
        ("Pump_001.Container", ""),
        ("Pump_001.Host", "AppEngine_001"),
        ("AppEngine_001.Host", "DevPlatform"),
        ("AppEngine_001.Container", "DevPlatform"),
        ("DevPlatform.Area", ""),
        ("Pump_001.ShortDesc", "Pump_001 (pump centrifugal)"),
        ("Pump_001.PumpFault.Priority", 250),
        ("Pump_001.Vibration.HiAlarm.Limit", 7.1),
        ("TestChildObject.TestIntArray[3]", 3),
        ("TestChildObject.TestInt", 42),
    ],
)
def test_values_that_stand(plant: Plant, reference: str, value: Value) -> None:
    assert _value(plant, reference) == value


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("TestChildObject.TestBool", True),
        ("TestChildObject.TestInt", -7),
        ("TestChildObject.TestFloat", 2.5),
        ("TestChildObject.TestString", "Zürich"),
        ("TestChildObject.TestDateTime", datetime(2026, 1, 1, tzinfo=UTC)),
        ("TestChildObject.TestIntArray[]", [1, 2, 3]),
        ("TestChildObject.TestIntArray[7]", 99),
        ("Pump_001.ShortDesc", "my pump"),
    ],
)
def test_a_write_stands_from_its_time_on(plant: Plant, reference: str, value: Value) -> None:
    tag = _tag(plant, reference)
    signal = plant.signal(tag)
    before = signal.sample(START)
    plant.write(tag, value, START + SECOND)
    assert signal.sample(START) == before
    after = signal.sample(START + SECOND)
    assert (after.value, after.time_us) == (value, START + SECOND)
    assert signal.next_change(START) == START + SECOND
    assert signal.next_change(START + SECOND) is None


def test_an_element_write_leaves_the_other_elements(plant: Plant) -> None:
    plant.write(_tag(plant, "TestChildObject.TestIntArray[2]"), 99, START)
    whole = _value(plant, "TestChildObject.TestIntArray")
    assert whole == [1, 99, *range(3, 51)]


def test_a_shorter_array_shrinks_it(plant: Plant) -> None:
    plant.write(_tag(plant, "TestChildObject.TestIntArray"), [5], START)
    assert _value(plant, "TestChildObject.TestIntArray") == [5]
    assert _value(plant, "TestChildObject.TestIntArray[2]") is None
    plant.write(_tag(plant, "TestChildObject.TestIntArray[3]"), 8, START + SECOND)
    assert _value(plant, "TestChildObject.TestIntArray", 1) == [5, 8, 8]


def test_what_the_plant_drives_does_not_echo_a_write(plant: Plant) -> None:
    tag = _tag(plant, "TestMachine_001.TestChangingInt")
    before = plant.signal(tag).sample(START)
    plant.write(tag, -1, START)
    assert plant.signal(tag).sample(START) == before


def test_only_the_last_writes_are_kept(plant: Plant) -> None:
    tag = _tag(plant, "TestChildObject.TestInt")
    for n in range(200):
        plant.write(tag, n, START + n)
    assert len(plant.writes(tag.reference)()) == 64
    assert _value(plant, tag.reference, 1) == 199


def test_a_setpoint_moves_the_speed_and_the_flow(plant: Plant) -> None:
    at = START + 10 * SECOND
    machine = plant.machine(_tag(plant, "Pump_001.Speed").object)
    assert machine is not None
    assert machine.segment(at).state.name == "RUNNING"
    speed, flow = _value(plant, "Pump_001.Speed"), _value(plant, "Pump_001.Flow")
    plant.write(_tag(plant, "Pump_001.SpeedSP"), 740.0, at)
    assert _value(plant, "Pump_001.Speed", 9) == pytest.approx(speed, rel=0.02)
    assert _value(plant, "Pump_001.Speed", 40) == pytest.approx(740, rel=0.03)
    assert _value(plant, "Pump_001.Flow", 60) == pytest.approx(flow / 2, rel=0.15)  # type: ignore[operator]


def test_commands_move_the_machine(plant: Plant) -> None:
    def write(name: str, seconds: int) -> None:
        plant.write(_tag(plant, f"Pump_001.{name}"), True, START + seconds * SECOND)

    def states(*seconds: int) -> list[Value]:
        return [_value(plant, "Pump_001.State", s) for s in seconds]

    state = plant.signal(_tag(plant, "Pump_001.State"))
    assert states(0) == ["Running"]
    write("StartCmd", 5)
    assert states(6) == ["Running"]
    write("StopCmd", 10)
    assert state.next_change(START) == START + 10 * SECOND
    assert states(9, 10, 100_000) == ["Running", "Stopped", "Stopped"]
    assert state.next_change(START + 10 * SECOND) is None
    assert _value(plant, "Pump_001.MotorCurrent", 60) == 0.0
    write("ResetCmd", 60)
    assert states(61) == ["Stopped"]
    write("StartCmd", 100)
    assert states(99, 101, 107) == ["Stopped", "Starting", "Running"]
    assert plant.trip(_tag(plant, "Pump_001.Speed").object, START + 120 * SECOND)
    write("StartCmd", 125)
    write("StopCmd", 126)
    assert states(121, 130) == ["Tripped", "Tripped"]
    assert not plant.trip(_tag(plant, "Pump_001.Speed").object, START + 130 * SECOND)
    write("ResetCmd", 140)
    assert states(139, 141, 147) == ["Tripped", "Starting", "Running"]


def test_a_start_during_a_planned_stop_runs_on_until_the_plan_runs(plant: Plant) -> None:
    machine = plant.machine(_tag(plant, "Pump_001.Speed").object)
    assert machine is not None
    at = START
    while machine.segment(at).state.name != "STOPPED":
        at = machine.segment(at).end_us
    stop = machine.segment(at)
    machine.start(at + SECOND)
    assert machine.segment(at + 2 * SECOND).state.name == "STARTING"
    assert machine.segment(at + 8 * SECOND).state.name == "RUNNING"
    assert machine.segment(stop.end_us + SECOND).state.name == "RUNNING"


def test_objects_without_a_machine_cannot_trip(plant: Plant) -> None:
    assert not plant.trip(_tag(plant, "Meter_001.Power").object, START)


def test_subscribers_hear_of_changes(plant: Plant) -> None:
    heard: list[str] = []
    unsubscribe = plant.on_change(lambda obj: heard.append(obj.tag_name))
    plant.write(_tag(plant, "Pump_001.SpeedSP"), 900.0, START)
    assert heard == ["Pump_001", "Valve_001", "Tank_001"]
    unsubscribe()
    unsubscribe()
    plant.write(_tag(plant, "Pump_001.SpeedSP"), 800.0, START)
    assert len(heard) == 3


def test_running_hours_stand_while_the_machine_stands(plant: Plant) -> None:
    first = _value(plant, "Pump_001.RunHours")
    plant.write(_tag(plant, "Pump_001.StopCmd"), True, START + 360 * SECOND)
    stopped = [_value(plant, "Pump_001.RunHours", s) for s in (400, 4000)]
    assert stopped[0] == stopped[1] == pytest.approx(first + 0.1, abs=0.005)  # type: ignore[operator]
    plant.write(_tag(plant, "Pump_001.StartCmd"), True, START + 4000 * SECOND)
    assert _value(plant, "Pump_001.RunHours", 4366) > stopped[0]  # type: ignore[operator]


# -- deploys -------------------------------------------------------------------------------------------------------


def _new(gobject_id: int, name: str, parent: PlantObject | None, template: str = "$Meter_Electric") -> PlantObject:
    parent_id = parent.gobject_id if parent is not None else 0
    return PlantObject(gobject_id, name, "", parent_id, False, Category.USER_DEFINED, 2, parent_id, template)


def test_a_redeploy_adds_removes_and_changes(plant: Plant) -> None:
    heard: list[int] = []
    unsubscribe = plant.on_deploy(lambda: heard.append(plant.deploy_sequence))
    before = plant.object_count, plant.attribute_count, plant.cache_sequence
    line = plant.by_name("Line_001")
    assert line is not None
    pump = plant.by_name("Pump_002")
    assert pump is not None
    plant.redeploy(
        add=[_new(1000, "Meter_900", line)],
        remove=["Line_002"],
        change=[replace(pump, contained_name="SparePump")],
        at_us=START + SECOND,
    )
    assert heard == [plant.deploy_sequence] == [2]
    assert plant.cache_sequence > before[2]
    assert plant.deploy_time_us == START + SECOND
    assert plant.object_count == before[0] + 1 - 12
    assert plant.attribute_count < before[1]
    assert plant.resolve("Meter_900.Power") is not None
    assert plant.resolve("Line_001.SparePump.Speed") is not None
    assert plant.resolve("Pump_003.Speed") is None
    assert plant.area_of(_new(0, "x", line)) == line
    unsubscribe()
    plant.redeploy(at_us=START + 2 * SECOND)
    assert heard == [2]


def test_a_redeploy_leaves_what_was(plant: Plant) -> None:
    lively = generate_plant(PlantSpec(), start_us=START)
    signal = lively.signal(_tag(lively, "Pump_001.Flow"))
    state = lively.signal(_tag(lively, "Pump_001.State"))
    times = [START + s * 10 * SECOND for s in range(120)]
    before = [(signal.sample(at), state.sample(at)) for at in times]
    lively.redeploy(
        remove=["Pump001", "Conveyor_001"], add=[_new(1000, "Pump_900", None, "$Pump_Centrifugal")], at_us=START
    )
    again = lively.signal(_tag(lively, "Pump_001.Flow")), lively.signal(_tag(lively, "Pump_001.State"))
    assert [(again[0].sample(at), again[1].sample(at)) for at in times] == before


def test_what_is_deployed_anew_starts_anew(plant: Plant) -> None:
    pump = plant.by_name("Pump_001")
    assert pump is not None
    plant.write(_tag(plant, "Pump_001.StopCmd"), True, START)
    plant.write(_tag(plant, "Pump_001.SpeedSP"), 700.0, START)
    plant.redeploy(change=[replace(pump, contained_name="Other")], at_us=START + SECOND)
    assert (_value(plant, "Pump_001.State", 20), _value(plant, "Pump_001.SpeedSP", 20)) == ("Stopped", 700.0)
    plant.redeploy(remove=["Pump_001"], at_us=START + 2 * SECOND)
    plant.redeploy(add=[pump], at_us=START + 3 * SECOND)
    assert (_value(plant, "Pump_001.State", 20), _value(plant, "Pump_001.SpeedSP", 20)) == ("Running", 1480.0)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"remove": ["NoSuch"]}, "no object 'NoSuch'"),
        ({"add": [_new(1, "New", None)]}, "the id 1 of New is taken"),
        ({"add": [_new(1000, "pump_001", None)]}, "same tag name"),
        ({"add": [_new(1000, "New", None, "$NoSuch")]}, "no template '\\$NoSuch'"),
        ({"add": [_new(1000, "New", _new(999, "Gone", None))]}, "no parent with the id 999"),
        ({"change": [_new(1000, "New", None)]}, "no object with the id 1000"),
    ],
)
def test_a_redeploy_that_does_not_fit_changes_nothing(plant: Plant, change: dict[str, object], problem: str) -> None:
    before = plant.object_count, plant.cache_sequence
    with pytest.raises(ValueError, match=problem):
        plant.redeploy(**change, at_us=START)  # type: ignore[arg-type]
    assert (plant.object_count, plant.cache_sequence) == before


def test_a_deploy_can_bring_templates(plant: Plant) -> None:
    template = Template("$Empty", ("$Empty",), Category.USER_DEFINED, ())
    plant.redeploy(add=[_new(1000, "Empty_001", None, "$Empty")], templates=[template], at_us=START)
    assert _value(plant, "Empty_001.Tagname") == "Empty_001"
