"""The configuration file: what it can say, and how it says what is wrong with it."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway.simulator import config
from zb_mom_ww_mxgateway.simulator.clock import VirtualClock
from zb_mom_ww_mxgateway.simulator.config import PlantConfig, PlantConfigError, load_plant_config, parse_plant_config
from zb_mom_ww_mxgateway.simulator.model import AlarmSpec, Category, DataType, Security, Tag, Value

START = VirtualClock().now_us()
SECOND = 1_000_000

OWN = """
[plant]
generate = false
galaxy_name = "Own"
seed = 7

[[templates]]
name = "$Fan"
attributes.SP = { type = "Float", signal = { kind = "setpoint", value = 900 }, security = "Tune" }
attributes.Speed = { type = "Float", historized = true, signal = { kind = "follow", setpoint = "sp", tau_s = 2 } }
attributes.State = { type = "String", signal = { kind = "machine_state", tripped = "Failed" } }
attributes.Hours = { type = "Double", signal = { kind = "tally", unit_s = 3600 } }
machine = { epoch_s = [300, 600], stop_s = [10, 20] }

[[templates]]
name = "$BigFan"
base = "$Fan"
category = "DeviceIntegration"
attributes.Current = { type = "Double", signal = { kind = "machine_quantity", on = 40, setpoint = "SP" } }

[[objects]]
name = "Duct_001"
parent = "Hall"
moved_by = "Fan_001"
attributes.Pressure.type = "Double"
attributes.Pressure.signal = { kind = "machine_quantity", on = 12, off = 1, up_s = 1 }
attributes.Pressure.alarm = { type = "Lo", limit = 5, priority = 100, description = "No draught" }

[[objects]]
name = "Hall"
category = "Area"

[[objects]]
name = "Fan_001"
contained_name = "MainFan"
parent = "Hall"
template = "$BigFan"

[[objects]]
name = "Misc"
parent = "Fan_001"
attributes.Flags = { type = "Boolean", array = 3, signal = { kind = "constant", value = [true, false, true] } }
attributes.Born = { type = "Time", signal = { kind = "constant", value = 2026-01-02T03:04:05Z } }
attributes.Age = { type = "ElapsedTime", signal = { kind = "constant", value = 90 } }
attributes.Blob = { type = "Custom", signal = { kind = "constant", value = "00ff" } }
attributes.Note = { type = "BigString", writeable = false }
attributes.Fault = { type = "Boolean", signal = { kind = "windows", every_s = 60, length_s = [5, 10] }, alarm = {} }
attributes."PV.Raw" = { type = "Integer", signal = { kind = "counter", rate_s = 0.5 } }

[gateway]
port = 5001
keys = [{ id = "a" }]
"""


def _parse(text: str) -> PlantConfig:
    return parse_plant_config(tomllib.loads(text), source="plant.toml")


def test_a_plant_of_ones_own() -> None:
    read = _parse(OWN)
    plant = read.plant(start_us=START)
    assert read.gateway == {"port": 5001, "keys": [{"id": "a"}]}
    assert (plant.galaxy_name, plant.seed, plant.object_count) == ("Own", 7, 4)
    fan = plant.by_name("fan_001")
    assert fan is not None
    assert plant.templates[fan.template].chain == ("$BigFan", "$Fan", "$UserDefined")
    assert fan.category is Category.DEVICE_INTEGRATION
    assert plant.area_of(fan) == plant.by_name("Hall")
    misc = plant.by_name("Misc")
    assert misc is not None
    assert plant.area_of(misc) == plant.by_name("Hall")
    assert plant.templates[misc.template].chain == ("$UserDefined",)

    def tag(reference: str) -> Tag:
        found = plant.resolve(reference)
        assert found is not None, reference
        return found

    assert tag("Misc.PV.Raw").attribute.writeable is False
    assert tag("Fan_001.SP").attribute.security is Security.TUNE
    assert tag("Fan_001.SP").attribute.writeable
    assert tag("Fan_001.Speed").attribute.historized
    values: dict[str, Value] = {
        "Misc.Flags": [True, False, True],
        "Misc.Born": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "Misc.Age": timedelta(seconds=90),
        "Misc.Blob": b"\x00\xff",
        "Misc.Note": "",
    }
    assert {name: plant.signal(tag(name)).sample(START).value for name in values} == values
    plant.write(tag("Fan_001.SP"), 450.0, START)
    assert plant.signal(tag("Fan_001.Speed")).sample(START + 60 * SECOND).value == pytest.approx(450)
    assert plant.signal(tag("Fan_001.Current")).sample(START + 60 * SECOND).value == pytest.approx(20, abs=1)


def test_an_object_that_is_moved_by_another_falls_with_it() -> None:
    plant = _parse(OWN).plant(start_us=START)
    fan, pressure = plant.by_name("Fan_001"), plant.resolve("Duct_001.Pressure")
    assert fan is not None
    assert pressure is not None
    assert pressure.attribute.alarm == AlarmSpec("Lo", 100, 5.0, "No draught")
    machine = plant.machine(fan)
    assert machine is not None
    at = START
    while machine.segment(at).state.name != "RUNNING" or machine.segment(at).end_us - at < 30 * SECOND:
        at += 10 * SECOND
    assert plant.trip(fan, at + 10 * SECOND)
    assert plant.signal(pressure).sample(at + 70 * SECOND).value == 1.0
    assert plant.alarm_signal(pressure).sample(at + 60 * SECOND).value is True


def test_the_example_in_the_documentation() -> None:
    example = (config.__doc__ or "").split("```toml\n")[1].split("```")[0]
    plant = _parse(example).plant(start_us=START)
    assert plant.object_count == 61
    for reference in ("Chiller_001.BrineTemp", "Line_001.Chiller.Speed", "Tank_001.Operator", "Tank_001.Level"):
        assert plant.resolve(reference) is not None, reference


def test_an_empty_file_is_the_default_plant(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text("", encoding="utf-8")
    read = load_plant_config(path)
    assert read.plant(start_us=START).object_count == 60
    assert read.gateway == {}


def test_options_of_the_generated_plant() -> None:
    read = _parse('[plant]\nobjects = 30\nattributes_per_object = 20\nalarm_scenario = "Flood"')
    assert (read.spec.objects, read.spec.attributes_per_object, read.spec.alarm_scenario) == (30, 20, "flood")
    assert read.plant(start_us=START).object_count == 30


def test_windows_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "plant.toml"
    path.write_bytes(b"\xef\xbb\xbf" + '[plant]\r\ngalaxy_name = "Käserei"\r\n'.encode())
    assert load_plant_config(str(path)).spec.galaxy_name == "Käserei"


def _of_kind(kind: str, data_type: str) -> str:
    return f'[[objects]]\nname = "A"\nattributes.X = {{ type = "{data_type}", signal = {{ kind = "{kind}" }} }}'


@pytest.mark.parametrize(
    ("kind", "data_type"),
    [
        ("ramp", "Double"),
        ("sine", "Float"),
        ("noise", "Boolean"),
        ("counter", "Integer"),
        ("clock", "Time"),
        ("elapsed", "ElapsedTime"),
        ("windows", "Boolean"),
        ("command", "Boolean"),
        ("machine_state", "Enumeration"),
        ("tally", "Integer"),
    ],
)
def test_a_kind_alone_is_enough(kind: str, data_type: str) -> None:
    plant = _parse(_of_kind(kind, data_type)).plant(start_us=START)
    tag = plant.resolve("A.X")
    assert tag is not None
    assert plant.signal(tag).sample(START).quality == 192


@pytest.mark.parametrize("kind", ["constant", "cycle", "setpoint", "follow", "machine_quantity"])
def test_a_kind_that_needs_more_says_so(kind: str) -> None:
    with pytest.raises(PlantConfigError, match=r"objects\[0\]\.attributes\.X\.signal\.\w+: missing; expected"):
        _parse(_of_kind(kind, "Double"))


ATTRIBUTE = '[[objects]]\nname = "A"\n[[objects]]\nname = "B"\n[objects.attributes.Speed]\n'
SPEED = "objects[1].attributes.Speed"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('colour = "red"', "colour: unknown key; expected one of plant, gateway, templates, objects"),
        ("plant = 3", "plant: expected a table; got 3"),
        ("gateway = 3", "gateway: expected a table; got 3"),
        ("[plant]\nobjects = 9", "plant.objects: expected a whole number from 10 to 1000000; got 9"),
        ("[plant]\nobjects = 20.5", "plant.objects: expected a whole number from 10 to 1000000; got 20.5"),
        ("[plant]\nobjects = true", "plant.objects: expected a whole number from 10 to 1000000; got true"),
        ("[plant]\ngalaxy_name = 1", "plant.galaxy_name: expected a string; got 1"),
        ("[plant]\ngenerate = 1", "plant.generate: expected true or false; got 1"),
        ("[plant]\nobject = 20", "plant.object: unknown key; expected one of generate, objects, seed, galaxy_name"),
        (
            '[plant]\nalarm_scenario = "loud"',
            'plant.alarm_scenario: expected one of quiet, normal, flood, chattering, stale; got "loud"',
        ),
        ("[plant]\ngenerate = false", "objects: missing; expected at least one object, as nothing is generated"),
        ("objects = 3", "objects: expected a list of tables, each written as [[objects]]; got 3"),
        ("[[objects]]", "objects[0].name: missing; expected a string"),
        (
            '[[objects]]\nname = "A B"',
            'objects[0].name: expected a tag name without spaces, dots and brackets; got "A B"',
        ),
        ('[[objects]]\nname = "A"\n[[objects]]\nname = "a"', 'objects[1].name: there are two objects "a"'),
        ('[[objects]]\nname = "A"\nparnt = "DEV"', "objects[0].parnt: unknown key; expected one of name, template"),
        (
            '[[objects]]\nname = "A"\nparent = "Nowhere"',
            'objects[0].parent: expected the name of an object of this plant; got "Nowhere"',
        ),
        ('[[objects]]\nname = "A"\nparent = "B"\n[[objects]]\nname = "B"\nparent = "A"', "A would lie below itself"),
        ('[[objects]]\nname = "A"\nparent = "A"', "objects[0].parent: A would lie below itself"),
        (
            '[[objects]]\nname = "A"\narea = "Pump_001"',
            'objects[0].area: expected the name of an area of this plant; got "Pump_001"',
        ),
        (
            '[[objects]]\nname = "A"\nhost = "X"',
            'objects[0].host: expected the name of an object of this plant; got "X"',
        ),
        (
            '[[objects]]\nname = "A"\nmoved_by = "Meter_001"',
            'objects[0].moved_by: expected the name of an object with a machine; got "Meter_001"',
        ),
        (
            '[[objects]]\nname = "A"\ntemplate = "$Mixer"\nmoved_by = "Pump_001"',
            "objects[0].moved_by: A has a machine of its own",
        ),
        (
            '[[objects]]\nname = "A"\ntemplate = "$Nope"',
            "objects[0].template: expected one of $Analyser_InLine, $AppEngine",
        ),
        (
            '[[objects]]\nname = "A"\ncategory = "Shed"',
            "objects[0].category: expected one of Platform, AppEngine, User",
        ),
        (
            '[[objects]]\nname = "A"\ncontained_name = "x.y"',
            'objects[0].contained_name: expected a name without spaces, dots and brackets; got "x.y"',
        ),
        (
            '[[objects]]\nname = "Pump_001"\nparent = "DEV"',
            "objects[0].parent: Pump_001 is generated: only attributes can be added to it",
        ),
        (
            '[[templates]]\nname = "Fan"',
            'templates[0].name: expected a template name, such as $Pump_Special; got "Fan"',
        ),
        ('[[templates]]\nname = "$Mixer"', "templates[0].name: there is already a template $Mixer"),
        ('[[templates]]\nname = "$F"\nbase = "$Nope"', "templates[0].base: expected one of $Analyser_InLine"),
        (
            '[[templates]]\nname = "$F"\nmachine = { stop_s = [600, 700] }',
            "templates[0].machine.stop_s: expected two numbers up to 300, a third of the shortest epoch_s; got [600",
        ),
        (
            '[[templates]]\nname = "$F"\nmachine = { epoch_s = [3, 4], stop_s = [1, 1] }',
            "templates[0].machine.epoch_s: expected two numbers of at least 60; got [3, 4]",
        ),
        (
            '[[templates]]\nname = "$F"\nmachine = { epoch_s = 5 }',
            "templates[0].machine.epoch_s: expected two numbers above 0, the smaller one first; got 5",
        ),
        ('[[objects]]\nname = "A"\nattributes = 3', "objects[0].attributes: expected a table; got 3"),
        ('[[objects]]\nname = "A"\nattributes.X = 3', "objects[0].attributes.X: expected a table; got 3"),
        (
            '[[objects]]\nname = "A"\nattributes."X[" = {}',
            'expected an attribute name without spaces and brackets; got "X["',
        ),
        (ATTRIBUTE, f"{SPEED}.type: missing; expected one of Boolean, Integer, Float"),
        (ATTRIBUTE + 'type = "Flaot"', f"{SPEED}.type: expected one of Boolean, Integer, Float"),
        (ATTRIBUTE + 'type = "Float"\narray = 0', f"{SPEED}.array: expected a whole number from 1 to 100000; got 0"),
        (ATTRIBUTE + 'type = "Float"\nsecurity = "None"', f"{SPEED}.security: expected one of FreeAccess, Operate"),
        (
            ATTRIBUTE + 'type = "Float"\nhistorised = true',
            f"{SPEED}.historised: unknown key; expected one of type, signal",
        ),
        (
            ATTRIBUTE + 'type = "Float"\nsignal = { kind = "wobble" }',
            f"{SPEED}.signal.kind: expected one of constant, ramp, sine, noise, counter, cycle, clock, elapsed,"
            ' setpoint, follow, windows, command, machine_state, machine_quantity, tally; got "wobble"',
        ),
        (
            ATTRIBUTE + 'type = "String"\nsignal = { kind = "ramp" }',
            f'{SPEED}.signal.kind: expected for this type one of constant, cycle, machine_state; got "ramp"',
        ),
        (
            ATTRIBUTE + 'type = "Float"\narray = 3\nsignal = { kind = "tally" }',
            f"{SPEED}.signal.kind: expected for an array one of constant, ramp, sine, noise, counter, cycle, elapsed",
        ),
        (
            ATTRIBUTE + 'type = "Float"\nsignal = { kind = "ramp", low = 5, high = 5 }',
            f"{SPEED}.signal.high: expected a number other than low (5); got 5",
        ),
        (
            ATTRIBUTE + 'type = "Float"\nsignal = { kind = "ramp", period_s = 0 }',
            f"{SPEED}.signal.period_s: expected a number above 0; got 0",
        ),
        (
            ATTRIBUTE + 'type = "Float"\nsignal = { kind = "ramp", low = nan }',
            f"{SPEED}.signal.low: expected a number; got NaN",
        ),
        (
            ATTRIBUTE + 'type = "Float"\nsignal = { kind = "sine", hi = 3 }',
            f"{SPEED}.signal.hi: unknown key; expected one of kind, mean, amplitude, period_s, rate_s",
        ),
        (
            ATTRIBUTE + 'type = "Float"\nsignal = { kind = "constant" }',
            f"{SPEED}.signal.value: missing; expected the value",
        ),
        (
            ATTRIBUTE + 'type = "Integer"\nsignal = { kind = "constant", value = 4294967296 }',
            f"{SPEED}.signal.value: expected a whole number of 32 bits; got 4294967296",
        ),
        (
            ATTRIBUTE + 'type = "Time"\nsignal = { kind = "constant", value = 2026-01-02T03:04:05 }',
            f"{SPEED}.signal.value: expected a date and time with a time zone, such as 2026-01-05T06:00:00Z;"
            " got 2026-01-02T03:04:05",
        ),
        (
            ATTRIBUTE + 'type = "Custom"\nsignal = { kind = "constant", value = "xyz" }',
            f'{SPEED}.signal.value: expected bytes as hexadecimal digits; got "xyz"',
        ),
        (
            ATTRIBUTE + 'type = "Float"\narray = 2\nsignal = { kind = "constant", value = [1] }',
            f"{SPEED}.signal.value: expected a list of 2 values; got [1]",
        ),
        (
            ATTRIBUTE + 'type = "String"\nsignal = { kind = "cycle", values = ["a"] }',
            f'{SPEED}.signal.values: expected a list of two or more values; got ["a"]',
        ),
        (
            ATTRIBUTE + 'type = "Float"\nsignal = { kind = "follow", setpoint = "Nope" }',
            f"{SPEED}.signal.setpoint: expected the name of an attribute of the same object that stores a number",
        ),
        (
            ATTRIBUTE + 'type = "Float"\nsignal = { kind = "machine_quantity", on = 1, setpoint = "Nope" }',
            f"{SPEED}.signal.setpoint: expected the name of an attribute of the same object that stores a number but 0",
        ),
        (
            ATTRIBUTE + 'type = "Float"\nsignal = { kind = "machine_quantity", on = 0 }',
            f"{SPEED}.signal.on: expected a number other than off (0); got 0",
        ),
        (
            ATTRIBUTE + 'type = "Boolean"\nsignal = { kind = "windows", every_s = 30 }',
            f"{SPEED}.signal.length_s: missing; expected two numbers below every_s (30)",
        ),
        (
            ATTRIBUTE + 'type = "Boolean"\nsignal = { kind = "windows", share = 2 }',
            f"{SPEED}.signal.share: expected a number from 0.01 to 1; got 2",
        ),
        (
            ATTRIBUTE + 'type = "Integer"\nsignal = { kind = "machine_state" }',
            f"{SPEED}.signal.stopped: missing; expected a whole number of 32 bits",
        ),
        (
            ATTRIBUTE + 'type = "Float"\nwriteable = true\nsignal = { kind = "ramp" }',
            f"{SPEED}.writeable: expected false: the plant drives this signal, a write would not show; got true",
        ),
        (ATTRIBUTE + 'type = "String"\nalarm = {}', f"{SPEED}.alarm: only a Boolean or a number that is no array"),
        (ATTRIBUTE + 'type = "Float"\nalarm = {}', f"{SPEED}.alarm.limit: missing; expected a number"),
        (
            ATTRIBUTE + 'type = "Float"\nalarm = { type = "Dsc", limit = 1 }',
            f'{SPEED}.alarm.type: expected for a number one of HiHi, Hi, Lo, LoLo; got "Dsc"',
        ),
        (
            ATTRIBUTE + 'type = "Boolean"\nalarm = { type = "Hi" }',
            f'{SPEED}.alarm.type: expected for a Boolean one of Dsc, Value; got "Hi"',
        ),
        (ATTRIBUTE + 'type = "Boolean"\nalarm = { limit = 1 }', f"{SPEED}.alarm.limit: a Boolean alarm has no limit"),
        (
            ATTRIBUTE + 'type = "Float"\nalarm = { limit = 1, priority = 0 }',
            f"{SPEED}.alarm.priority: expected a whole number from 1 to 999; got 0",
        ),
    ],
)
def test_a_mistake_is_named_by_its_place(text: str, message: str) -> None:
    with pytest.raises(PlantConfigError) as caught:
        _parse(text)
    assert str(caught.value).startswith("plant.toml: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"), [(b"[plant", "plant.toml: not TOML: "), (b"\xff\xfe", "plant.toml: not UTF-8: ")]
)
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "plant.toml"
    path.write_bytes(content)
    with pytest.raises(PlantConfigError, match=message):
        load_plant_config(path)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_plant_config(tmp_path / "nope.toml")


@pytest.mark.parametrize("name", ["Boolean", *[each.name for each in DataType]])
def test_all_data_types_can_be_named(name: str) -> None:
    word = name.title().replace("_", "")
    plant = _parse(f'[[objects]]\nname = "A"\nattributes.X = {{ type = "{word}" }}').plant(start_us=START)
    tag = plant.resolve("A.X")
    assert tag is not None
    assert tag.attribute.data_type.name == name.upper()
