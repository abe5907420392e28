"""Signals are pure functions of time, and `next_change` says exactly when they change."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from math import inf, isnan, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zb_mom_ww_mxgateway.simulator.behaviours import (
    Behaviour,
    ClockTime,
    Command,
    Counter,
    Cycle,
    Follow,
    Noise,
    Of,
    Ramp,
    Sine,
    Stored,
)
from zb_mom_ww_mxgateway.simulator.clock import VirtualClock
from zb_mom_ww_mxgateway.simulator.formulas import float32, lagged, wander
from zb_mom_ww_mxgateway.simulator.generate import AlarmScenario, PlantSpec, generate_plant
from zb_mom_ww_mxgateway.simulator.machine_behaviours import AlarmBit, Quantity, Tally, Warned
from zb_mom_ww_mxgateway.simulator.model import BAD, GOOD, UNCERTAIN, Category, DataType, PlantObject, Sample, Signal
from zb_mom_ww_mxgateway.simulator.plant import Plant
from zb_mom_ww_mxgateway.simulator.randomness import mix, normal, pick, stable_key, unit
from zb_mom_ww_mxgateway.simulator.signals import AnyOf, Constant
from zb_mom_ww_mxgateway.simulator.templates import Template, member

START = VirtualClock().now_us()
SECOND = 1_000_000
HOUR = 3600 * SECOND

PLANT = generate_plant(PlantSpec(), start_us=START)


def _moving(plant: Plant) -> list[str]:
    """One reference for each attribute of each template that is not just stored."""
    seen: dict[tuple[str, str], str] = {}
    for obj in plant.objects:
        for each in plant.templates[obj.template].index.values():
            if not isinstance(each.behaviour, Stored | Of):
                seen.setdefault((obj.template, each.attribute.name), f"{obj.tag_name}.{each.attribute.name}")
    return list(seen.values())


MOVING = _moving(PLANT)
SCENARIOS: dict[AlarmScenario, Plant] = {
    scenario: generate_plant(PlantSpec(alarm_scenario=scenario, seed=3), start_us=START)
    for scenario in ("normal", "flood", "chattering", "stale")
}


def _signal(reference: str, plant: Plant = PLANT) -> Signal:
    tag = plant.resolve(reference)
    assert tag is not None, reference
    return plant.signal(tag)


def _single(behaviour: Behaviour, data_type: DataType = DataType.DOUBLE, array: int | None = None) -> Signal:
    """The signal of a plant with one attribute."""
    return _signal("Thing.Value", _plant_of(behaviour, data_type, array))


def _plant_of(behaviour: Behaviour, data_type: DataType = DataType.DOUBLE, array: int | None = None) -> Plant:
    members = (member("Value", data_type, behaviour, array=array), member("SP", DataType.DOUBLE, Stored(10.0)))
    template = Template("$Thing", ("$Thing",), Category.USER_DEFINED, members)
    thing = PlantObject(1, "Thing", "", 0, False, Category.USER_DEFINED, 0, 0, "$Thing")
    return Plant(
        seed=5,
        galaxy_name="G",
        objects=[thing],
        templates={"$Thing": template},
        start_us=START,
        deploy_time_us=START - HOUR,
    )


def _changes(signal: Signal, seconds: float, start: int = START) -> list[int]:
    times: list[int] = []
    at: int | None = start
    while (at := signal.next_change(at)) is not None and at < start + seconds * SECOND:
        times.append(at)
    return times


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(list(SCENARIOS)), st.sampled_from(MOVING), st.integers(-HOUR, 2 * HOUR), st.floats(0, 1))
def test_a_signal_stands_until_the_change_it_announces(
    scenario: AlarmScenario, reference: str, offset: int, share: float
) -> None:
    signal = _signal(reference, SCENARIOS[scenario])
    at = START + offset
    here = signal.sample(at)
    change = signal.next_change(at)
    assert here.time_us <= at
    end = at + HOUR if change is None else change
    assert end > at
    assert signal.sample(at + int((end - 1 - at) * share)) == here
    assert signal.sample(end - 1) == here
    if change is not None:
        there = signal.sample(change)
        assert there.time_us == change
        assert (there.value, there.quality) != (here.value, here.quality)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(MOVING), st.lists(st.integers(-10 * HOUR, 10 * HOUR), min_size=2, max_size=5))
def test_any_order_of_questions_gives_the_same_answers(reference: str, offsets: list[int]) -> None:
    fresh = generate_plant(PlantSpec(), start_us=START)
    forward = [_signal(reference, fresh).sample(START + offset) for offset in sorted(offsets)]
    backward = [_signal(reference).sample(START + offset) for offset in sorted(offsets, reverse=True)]
    assert forward == backward[::-1]


def test_the_seed_decides_the_values() -> None:
    other = generate_plant(PlantSpec(seed=2), start_us=START)
    moved = [r for r in MOVING if _signal(r, other).sample(START).value != _signal(r).sample(START).value]
    assert len(moved) > len(MOVING) / 2


def test_most_values_change_within_two_seconds() -> None:
    rates = {
        reference: len(_changes(_signal(reference), 60)) / 60
        for reference in MOVING
        if PLANT.resolve(reference).attribute.historized  # type: ignore[union-attr]
    }
    lively = [rate for rate in rates.values() if 0.4 < rate < 3.5]
    assert len(lively) > 0.5 * len(rates)
    assert max(rates.values()) < 3.5


@pytest.mark.parametrize(
    ("behaviour", "low", "high"),
    [
        (Ramp(10, 20, 30), 10, 20),
        (Sine(5, 2, 30), 3, 7),
        (Noise(100, 10), 86, 114),
        (Counter(wrap=50), 0, 49),
        (ClockTime(), 0, HOUR),
    ],
)
def test_a_value_stays_in_its_range_and_moves_through_it(behaviour: Behaviour, low: float, high: float) -> None:
    signal = _single(behaviour)
    values = [signal.sample(at).value for at in _changes(signal, 300)]
    assert all(isinstance(value, float) and low <= value <= high for value in values)
    assert len(set(values)) > 40


@pytest.mark.parametrize(
    ("data_type", "python_type"),
    [
        (DataType.INTEGER, int),
        (DataType.FLOAT, float),
        (DataType.DOUBLE, float),
        (DataType.STRING, str),
        (DataType.BOOLEAN, bool),
        (DataType.ELAPSED_TIME, timedelta),
        (DataType.TIME, datetime),
    ],
)
def test_a_value_has_the_type_of_its_attribute(data_type: DataType, python_type: type) -> None:
    sample = _single(Ramp(0, 100, 60), data_type).sample(START)
    assert type(sample.value) is python_type


def test_float_attributes_give_what_a_32_bit_float_holds() -> None:
    signal = _single(Noise(1 / 3, 0.1), DataType.FLOAT)
    for at in _changes(signal, 60):
        value = signal.sample(at).value
        assert struct.unpack("<f", struct.pack("<f", value))[0] == value


def test_float32_overflows_to_infinity_and_keeps_nan() -> None:
    assert float32(1e39) == inf
    assert float32(-1e39) == -inf
    assert isnan(float32(nan))
    assert float32(0.1) == 0.10000000149011612


@pytest.mark.parametrize("number", [nan, inf, -inf, 1e300])
def test_an_integer_attribute_survives_any_number(number: float) -> None:
    plant = _plant_of(Follow("SP", 10.0), DataType.INTEGER)
    setpoint = plant.resolve("Thing.SP")
    assert setpoint is not None
    plant.write(setpoint, number, START)
    value = _signal("Thing.Value", plant).sample(START + 60 * SECOND).value
    assert isinstance(value, int)
    assert -(1 << 31) <= value < 1 << 31


def test_array_elements_move_apart() -> None:
    value = _single(Noise(0, 1), array=4).sample(START).value
    assert isinstance(value, list)
    assert len(set(value)) == 4


def test_a_counter_counts_every_tick() -> None:
    signal = _single(Counter(rate_s=0.5, wrap=1_000_000), DataType.INTEGER)
    values = [signal.sample(at).value for at in _changes(signal, 60)]
    assert len(values) == 120
    assert values == list(range(values[0], values[0] + 120))  # type: ignore[call-overload, operator]


def test_a_cycle_takes_its_values_in_order() -> None:
    signal = _single(Cycle(("a", "b", "c"), rate_s=10), DataType.STRING)
    shown = "".join(str(signal.sample(at).value) for at in _changes(signal, 120))
    assert shown in "abc" * 6


def test_a_follower_approaches_its_setpoint() -> None:
    plant = _plant_of(Follow("SP", 10.0, tau_s=5))
    signal = _signal("Thing.Value", plant)
    assert signal.sample(START).value == 10.0
    setpoint = plant.resolve("Thing.SP")
    assert setpoint is not None
    plant.write(setpoint, 20.0, START)
    values = [signal.sample(START + s * SECOND).value for s in (0, 5, 10, 60)]
    assert values == pytest.approx([10.0, 16.3, 18.6, 20.0], abs=1.5)
    assert values == sorted(values)  # type: ignore[type-var]


@given(st.lists(st.tuples(st.integers(0, 1000), st.floats(-1e6, 1e6)), max_size=6), st.integers(0, 2000))
def test_a_lag_stays_between_what_it_was_told(writes: list[tuple[int, float]], at: int) -> None:
    writes.sort(key=lambda write: write[0])
    known = [0.0, *(value for _, value in writes)]
    assert min(known) - 1e-6 <= lagged(0.0, writes, at, 50) <= max(known) + 1e-6


def test_a_command_shows_for_one_second() -> None:
    plant = _plant_of(Command(), DataType.BOOLEAN)
    tag = plant.resolve("Thing.Value")
    assert tag is not None
    signal = plant.signal(tag)
    assert signal.sample(START).value is False
    assert signal.next_change(START) is None
    plant.write(tag, True, START + 5 * SECOND)
    assert [signal.sample(START + s * SECOND).value for s in (4, 5, 6)] == [False, True, False]
    assert _changes(signal, 60) == [START + 5 * SECOND, START + 6 * SECOND]


def test_a_lossy_transmitter_turns_bad_then_uncertain_then_good() -> None:
    signal = _single(Noise(0, 1, lossy=1.0))
    qualities = [signal.sample(at).quality for at in _changes(signal, 1200)]
    assert set(qualities) == {GOOD, BAD, UNCERTAIN}
    first = qualities.index(BAD)
    fell = qualities[first : first + 30]
    assert fell == sorted(fell)


def test_a_value_that_cannot_move_asks_to_be_asked_again() -> None:
    signal = _single(Noise(5, 0))
    change = signal.next_change(START)
    assert change is not None
    assert change > START + HOUR
    assert signal.sample(change).value == 5


def test_behaviours_without_a_machine_show_a_running_one() -> None:
    assert _single(Quantity(10, noise=0)).sample(START).value == 10
    assert _single(Warned(3, rise=(1, 2))).sample(START).value == 3
    tally = _single(Tally(1, 1, first=0), DataType.INTEGER)
    assert [tally.sample(START + s * SECOND).value for s in (-5, 100)] == [0, pytest.approx(100, abs=1)]


@pytest.mark.parametrize("scenario", ["quiet", "normal", "chattering"])
def test_alarm_bits_follow_the_scenario(scenario: AlarmScenario) -> None:
    plant = _plant_of(AlarmBit(300, 1.0, (20, 60), chatters=True), DataType.BOOLEAN)
    plant.scenario = scenario
    changes = len(_changes(_signal("Thing.Value", plant), 3000))
    assert {"quiet": changes == 0, "normal": 19 <= changes <= 21, "chattering": changes > 800}[scenario]


def test_a_written_alarm_bit_stands() -> None:
    plant = _plant_of(AlarmBit(300, 1.0, (20, 60)), DataType.BOOLEAN)
    tag = plant.resolve("Thing.Value")
    assert tag is not None
    signal = plant.signal(tag)
    plant.write(tag, True, START)
    assert signal.sample(START).value is True
    assert signal.next_change(START) is None


class _Spans:
    """A signal that is true in some spans."""

    def __init__(self, *spans: tuple[int, int]) -> None:
        self._edges = [(edge, edge == span[0]) for span in spans for edge in span]

    def sample(self, at_us: int) -> Sample:
        time, value = max((edge for edge in self._edges if edge[0] <= at_us), default=(0, False))
        return Sample(value, GOOD, time)

    def next_change(self, after_us: int) -> int | None:
        return min((edge for edge, _ in self._edges if edge > after_us), default=None)


def test_any_of_joins_what_overlaps() -> None:
    signal = AnyOf([_Spans((10, 20), (50, 60)), _Spans((15, 30)), _Spans((30, 35))])
    assert [signal.next_change(at) for at in (0, 10, 12, 25, 32, 35, 55, 60)] == [10, 35, 35, 35, 35, 50, 60, None]
    assert [signal.sample(at).time_us for at in (5, 12, 25, 32, 40, 55, 99)] == [0, 10, 10, 10, 35, 50, 60]
    assert AnyOf([Constant(True, 0), _Spans((10, 20))]).next_change(5) is None


def test_randomness_is_the_same_everywhere() -> None:
    # Checked-in numbers: a change here changes every plant that anyone has described.
    assert stable_key(1, "Pump_001.Speed") == 11725229956101116966
    assert mix(0, 1) == 0xE220A8397B1DCDAF  # the first output of splitmix64 seeded with 0


@given(st.integers(), st.integers(-(1 << 70), 1 << 70))
def test_randomness_stays_in_range(seed: int, n: int) -> None:
    key = stable_key(seed, "x")
    assert 0 <= unit(key, n) < 1
    assert 2 <= pick(key, n, 2, 3) < 3
    assert -3.5 < normal(key, n) < 3.5
    assert -1 <= wander(key, n, 1000) <= 1


def test_normal_numbers_are_normal() -> None:
    numbers = [normal(7, n) for n in range(20_000)]
    mean = sum(numbers) / len(numbers)
    assert mean == pytest.approx(0, abs=0.03)
    assert sum(x * x for x in numbers) / len(numbers) == pytest.approx(1, abs=0.03)
