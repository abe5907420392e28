"""A trip shows everywhere where it would: state, flow, current, quality, alarms, and the tank that is fed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zb_mom_ww_mxgateway.simulator.clock import VirtualClock
from zb_mom_ww_mxgateway.simulator.generate import AlarmScenario, PlantSpec, generate_plant
from zb_mom_ww_mxgateway.simulator.machine import Machine, MachineState, MachineTraits
from zb_mom_ww_mxgateway.simulator.model import BAD_COMM_FAILURE, GOOD, UNCERTAIN, Sample, Signal
from zb_mom_ww_mxgateway.simulator.plant import Plant
from zb_mom_ww_mxgateway.simulator.trips import TripSchedule

START = VirtualClock().now_us()
SECOND = 1_000_000
TEN_MINUTES = 600 * SECOND

_FAULTS = ("PumpFault", "MixerFault", "JamFault", "BurnerTrip")

PLANT = generate_plant(PlantSpec(), start_us=START)


def _signal(reference: str, plant: Plant = PLANT) -> Signal:
    tag = plant.resolve(reference)
    assert tag is not None, reference
    return plant.signal(tag)


def _walk(signal: Signal, start: int, end: int) -> Iterator[Sample]:
    at: int | None = start
    while at is not None and at < end:
        yield signal.sample(at)
        at = signal.next_change(at)


def _first_trip(plant: Plant, tag_name: str) -> tuple[int, int]:
    state = _signal(f"{tag_name}.State", plant)
    at: int | None = START
    while at is not None and state.sample(at).value != "Tripped":
        at = state.next_change(at)
    assert at is not None
    end = state.next_change(at)
    assert end is not None
    return at, end


@pytest.mark.parametrize("seed", range(8))
def test_the_first_minutes_show_a_trip_of_the_first_pump(seed: int) -> None:
    plant = generate_plant(PlantSpec(seed=seed), start_us=START)
    start, end = _first_trip(plant, "Pump_001")
    assert START + 100 * SECOND < start < START + 220 * SECOND
    assert 30 * SECOND < end - start < 110 * SECOND


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 48 * 3600))
def test_any_ten_minutes_show_a_trip(seed: int, later_s: int) -> None:
    plant = generate_plant(PlantSpec(seed=seed), start_us=START)
    begin = START + later_s * SECOND
    faults = [tag for tag in plant.alarms() if tag.attribute.name in _FAULTS]
    assert any(
        sample.value is True for tag in faults for sample in _walk(plant.alarm_signal(tag), begin, begin + TEN_MINUTES)
    )


def test_flow_and_current_fall_and_come_back() -> None:
    start, end = _first_trip(PLANT, "Pump_001")
    flow, current = _signal("Pump_001.Flow"), _signal("Pump_001.MotorCurrent")
    before = flow.sample(start).value
    falling = [flow.sample(start + s * SECOND).value for s in (1, 4, 8, 12, 30)]
    assert before == pytest.approx(85, abs=6)
    assert falling == sorted(falling, reverse=True)  # type: ignore[type-var]
    assert falling[1] == pytest.approx(85 / 2.718, rel=0.25)
    assert falling[-1] == 0.0
    assert current.sample(start).value == pytest.approx(42, abs=3)
    assert current.sample(start + 4 * SECOND).value == 0.0
    assert _signal("Pump_001.Running").sample(start + SECOND).value is False
    assert _signal("Pump_001.StateCode").sample(start + SECOND).value == 3
    assert flow.sample(end + 60 * SECOND).value == pytest.approx(85, abs=6)


def test_a_value_that_stands_still_does_not_change() -> None:
    start, end = _first_trip(PLANT, "Pump_001")
    current = _signal("Pump_001.MotorCurrent")
    rest = start + 20 * SECOND
    assert current.sample(rest).value == 0.0
    change = current.next_change(rest)
    assert change is not None
    assert change > end


def test_the_quality_of_the_flow_suffers() -> None:
    start, _ = _first_trip(PLANT, "Pump_001")
    flow = _signal("Pump_001.Flow")
    qualities = [sample.quality for sample in _walk(flow, start, start + 25 * SECOND)]
    runs = [quality for n, quality in enumerate(qualities) if n == 0 or qualities[n - 1] != quality]
    assert runs == [GOOD, BAD_COMM_FAILURE, UNCERTAIN, GOOD]
    assert {sample.quality for sample in _walk(_signal("Pump_001.Speed"), start, start + 25 * SECOND)} == {GOOD}


def test_the_fault_alarm_is_up_exactly_while_it_has_tripped() -> None:
    start, end = _first_trip(PLANT, "Pump_001")
    tag = PLANT.resolve("Pump_001.PumpFault")
    assert tag is not None
    alarm = PLANT.alarm_signal(tag)
    changes = [(sample.time_us, sample.value) for sample in _walk(alarm, start - SECOND, end + SECOND)]
    assert changes[1:] == [(start, True), (end, False)]
    assert PLANT.alarm_value(tag, start) is True
    assert _signal("Pump_001.PumpFault.InAlarm").sample(start).value is True
    assert _signal("Pump_001.InAlarm").sample(start).value is True


def test_the_tank_runs_low_and_the_valve_closes() -> None:
    start, end = _first_trip(PLANT, "Pump_001")
    level = _signal("Tank_001.Level")
    levels = [level.sample(start + s * SECOND).value for s in (0, 15, 30)]
    assert levels == sorted(levels, reverse=True)  # type: ignore[type-var]
    assert level.sample(end).value < levels[0] - 15  # type: ignore[operator]
    assert level.sample(end + 600 * SECOND).value > level.sample(end).value  # type: ignore[operator]
    assert _signal("Valve_001.Position").sample(start + 30 * SECOND).value == 0.0
    assert _signal("Valve_001.ClosedLS").sample(start + 30 * SECOND).value is True


def test_vibration_rises_before_a_trip() -> None:
    start, _ = _first_trip(PLANT, "Pump_001")
    vibration = _signal("Pump_001.Vibration")
    usual = vibration.sample(start - 60 * SECOND).value
    assert vibration.sample(start - SECOND).value > usual + 1  # type: ignore[operator]
    # A trip that someone forces comes without a warning: what was seen stays as it was.
    plant = generate_plant(PlantSpec(alarm_scenario="quiet"), start_us=START)
    signal = _signal("Pump_001.Vibration", plant)
    before = [signal.sample(START + s * SECOND) for s in range(60)]
    pump = plant.by_name("Pump_001")
    assert pump is not None
    assert plant.trip(pump, START + 60 * SECOND)
    assert [signal.sample(START + s * SECOND) for s in range(60)] == before


# -- alarms under the scenarios ------------------------------------------------------------------------------------


def _raised(plant: Plant, minutes: int) -> dict[str, int]:
    """How often each alarm is raised in the first minutes."""
    counts: dict[str, int] = {}
    for tag in plant.alarms():
        samples = _walk(plant.alarm_signal(tag), START, START + minutes * 60 * SECOND)
        count = sum(1 for sample in samples if sample.value and sample.time_us > START)
        if count:
            counts[tag.reference] = count
    return counts


def _scenario(scenario: AlarmScenario, seed: int = 1) -> Plant:
    return generate_plant(PlantSpec(alarm_scenario=scenario, seed=seed), start_us=START)


def test_quiet_means_no_alarm() -> None:
    assert _raised(_scenario("quiet"), 240) == {}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_normal_means_a_few_in_ten_minutes(seed: int) -> None:
    assert 1 <= sum(_raised(_scenario("normal", seed), 10).values()) <= 10
    assert 60 < sum(_raised(_scenario("normal", seed), 240).values()) < 240


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_flood_raises_more_than_ten_in_ten_minutes(seed: int) -> None:
    assert sum(_raised(_scenario("flood", seed), 10).values()) > 10


def test_one_alarm_chatters() -> None:
    counts = _raised(_scenario("chattering"), 10)
    assert counts.pop("DelmiaReceiver_001.ConnectionFault") > 60
    assert max(counts.values()) < 10


def test_stale_alarms_stand_for_more_than_a_day() -> None:
    plant = _scenario("stale")
    since = [plant.alarm_signal(tag).sample(START) for tag in plant.alarms()]
    stale = [sample for sample in since if sample.value and START - sample.time_us > 24 * 3600 * SECOND]
    assert len(stale) >= 3


def test_the_alarm_rate_does_not_grow_with_the_plant() -> None:
    plant = generate_plant(PlantSpec(objects=3000), start_us=START)
    assert sum(_raised(plant, 10).values()) <= 12


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 200), st.integers(0, 7200), st.floats(0, 1))
def test_an_alarm_stands_until_the_change_it_announces(number: int, later_s: int, share: float) -> None:
    tags = list(PLANT.alarms())
    signal = PLANT.alarm_signal(tags[number % len(tags)])
    at = START + later_s * SECOND
    here, change = signal.sample(at), signal.next_change(at)
    end = at + 3600 * SECOND if change is None else change
    assert signal.sample(at + int((end - 1 - at) * share)) == here
    if change is not None:
        there = signal.sample(change)
        assert there.value is not here.value
        assert there.time_us == change


def test_a_limit_alarm_agrees_with_its_value() -> None:
    tag = PLANT.resolve("Tank_001.Level")
    assert tag is not None
    alarm, level = PLANT.alarm_signal(tag), PLANT.signal(tag)
    raised = [s for s in _walk(alarm, START, START + 24 * 3600 * SECOND) if s.value]
    assert len(raised) > 3
    for sample in raised:
        assert level.sample(sample.time_us).value < 42.0  # type: ignore[operator]
        assert level.sample(sample.time_us - 1).value >= 42.0  # type: ignore[operator]


# -- machines ------------------------------------------------------------------------------------------------------


def _pool(size: int, scenario: str = "normal") -> TripSchedule:
    return TripSchedule(3, scenario, size, start_us=START, running=lambda number, at_us: True)


@pytest.mark.parametrize("size", [0, 1, 2, 24])
@pytest.mark.parametrize("scenario", ["normal", "flood", "quiet"])
def test_trips_of_one_machine_never_overlap(size: int, scenario: str) -> None:
    schedule = _pool(size, scenario)
    total = 0
    for number in range(size + 1):
        trips = schedule.trips(number, START - 86_400 * SECOND, START + 86_400 * SECOND)
        total += len(trips)
        for (_, end), (start, _) in pairwise(trips):
            assert end + 16 * SECOND < start
    assert (total == 0) == (size == 0 or scenario == "quiet")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 60), st.integers(-20_000, 20_000))
def test_a_lag_has_no_steps(key: int, at_s: int) -> None:
    machine = Machine(key, MachineTraits(), START - 86_400 * SECOND, 0, _pool(1))
    states = frozenset({MachineState.RUNNING, MachineState.STARTING})
    at = START + at_s * SECOND
    for tau in (4, 300):
        here = machine.response(at, states, tau * SECOND, tau * SECOND)
        later = machine.response(at + SECOND // 10, states, tau * SECOND, tau * SECOND)
        assert 0 <= here <= 1
        assert abs(here - later) <= 0.11 / tau + 1e-3


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 60), st.lists(st.integers(0, 7200), min_size=1, max_size=4))
def test_run_time_adds_up(key: int, stops: list[int]) -> None:
    machine = Machine(key, MachineTraits(), START - 86_400 * SECOND)
    for stop in sorted(stops):
        machine.run_time(START, START + 7200 * SECOND)
        machine.stop(START + stop * SECOND)
        machine.start(START + (stop + 20) * SECOND)
    ran, at = 0, START
    while at < START + 7200 * SECOND:
        here = machine.segment(at)
        end = min(here.end_us, START + 7200 * SECOND)
        ran += end - at if here.state is MachineState.RUNNING else 0
        at = end
    assert machine.run_time(START, START + 7200 * SECOND) == ran
