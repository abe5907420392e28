"""The templates of the demo plant: pumps, valves, tanks, mixers, conveyors, boilers, meters, and the test machines."""

from __future__ import annotations

from .behaviours import (
    AlarmBit,
    ClockTime,
    Counter,
    Noise,
    Quantity,
    Ramp,
    Sine,
    State,
    Stored,
    Warned,
)
from .machine import MachineState, MachineTraits
from .model import AlarmSpec, Category, DataType, Security
from .templates import Member, Template, member

__all__ = ["TEMPLATES"]

_BOOL, _INT, _FLOAT, _DOUBLE, _STRING, _TIME = (DataType(code) for code in range(1, 7))
_ELAPSED, _ENUM = DataType.ELAPSED_TIME, DataType.ENUMERATION

_STATE = State("Stopped", "Starting", "Running", "Tripped")
_STATE_CODE = State(0, 1, 2, 3)
_RUNNING = State(False, False, True, False)
_FAULT = State(False, False, False, True)
_NOT_TRIPPED = frozenset({MachineState.STOPPED, MachineState.STARTING, MachineState.RUNNING})


def _commands() -> tuple[Member, ...]:
    return (
        member("StartCmd", _BOOL),
        member("StopCmd", _BOOL),
        member("ResetCmd", _BOOL, security=Security.SECURED_WRITE),
        member("Mode", _ENUM, Stored("Auto")),
        member("State", _STRING, _STATE, historized=True),
        member("StateCode", _INT, _STATE_CODE, historized=True),
        member("Running", _BOOL, _RUNNING, historized=True),
    )


_PUMP = (
    member("Speed", _FLOAT, Quantity(1480, noise=4, up_s=3, setpoint="SpeedSP", setpoint_on=1480), historized=True),
    member("SpeedSP", _FLOAT, Stored(1480.0), security=Security.TUNE, historized=True),
    member(
        "Flow",
        _FLOAT,
        Quantity(85, noise=1.8, up_s=5, down_s=4, setpoint="SpeedSP", setpoint_on=1480, transmitter=True),
        historized=True,
    ),
    member("MotorCurrent", _FLOAT, Quantity(42, noise=0.6, up_s=1, down_s=0.4, rate_s=0.4), historized=True),
    member("DischargePressure", _DOUBLE, Quantity(6.2, 0.8, 0.08, 4, 3, rate_s=0.7), historized=True),
    member(
        "Vibration",
        _FLOAT,
        Warned(2.8, 0.1, 0.35, 3, 5, rate_s=0.9, rise=7.5),
        historized=True,
        alarm=AlarmSpec("Hi", 400, 7.1, "Vibration high"),
    ),
    member("BearingTemp", _FLOAT, Quantity(61, 24, 0.7, 240, 420, rate_s=2), historized=True),
    member("RunHours", _DOUBLE, ClockTime(rate_s=10)),
    member("RunTime", _ELAPSED, ClockTime(rate_s=10)),
    member("PumpFault", _BOOL, _FAULT, historized=True, alarm=AlarmSpec("Dsc", 250, None, "Pump tripped")),
)
_VALVE = (
    member(
        "Position",
        _FLOAT,
        Quantity(64, 0, 0.5, 3, 2, rate_s=0.8, setpoint="PositionSP", setpoint_on=64),
        historized=True,
    ),
    member("PositionSP", _FLOAT, Stored(64.0), security=Security.OPERATE, historized=True),
    member("OpenLS", _BOOL, State(False, False, True, False)),
    member("ClosedLS", _BOOL, State(True, False, False, True)),
    member("State", _STRING, State("Closed", "Opening", "Open", "Closed"), historized=True),
    member(
        "TravelFault",
        _BOOL,
        AlarmBit(1800, 0.5, 5, 25),
        alarm=AlarmSpec("Dsc", 600, None, "Valve travel time exceeded"),
    ),
)
_TANK = (
    member(
        "Level",
        _FLOAT,
        Quantity(72, 12, 2.2, 150, 75, rate_s=0.8, states=_NOT_TRIPPED),
        historized=True,
        alarm=AlarmSpec("Lo", 500, 45.0, "Level low"),
    ),
    member("Temperature", _FLOAT, Noise(38.5, 1.6, 180, rate_s=1.5), historized=True),
    member("Volume", _DOUBLE, Quantity(36.0, 6.0, 1.1, 150, 75, rate_s=1.6, states=_NOT_TRIPPED), historized=True),
    member("LevelProfile", _FLOAT, Noise(36.0, 3.0, 120, rate_s=5), array=8),
    member("LevelLoLimit", _FLOAT, Stored(45.0), security=Security.TUNE),
    member("Product", _STRING, Stored("Whole milk"), security=Security.OPERATE),
)
_MIXER = (
    *_commands(),
    member(
        "AgitatorSpeed",
        _FLOAT,
        Quantity(120, noise=0.8, up_s=5, setpoint="AgitatorSP", setpoint_on=120),
        historized=True,
    ),
    member("AgitatorSP", _FLOAT, Stored(120.0), security=Security.TUNE, historized=True),
    member("Torque", _DOUBLE, Quantity(310, noise=9, up_s=3, down_s=1), historized=True),
    member("Temperature", _FLOAT, Quantity(74, 42, 0.5, 90, 260, rate_s=1.2), historized=True),
    member("BatchNumber", _INT, Counter(rate_s=1200, wrap=100_000), historized=True),
    member("BatchStep", _STRING, State("Idle", "Charging", "Mixing", "Held")),
    member("RecipeIngredients", _STRING, Stored(["Base", "Sugar", "Aroma", "Colour"]), array=4),
    member("RecipeAmounts", _DOUBLE, Stored([620.0, 84.5, 3.25, 0.75]), array=4, security=Security.VERIFIED_WRITE),
    member("StepTimes", _TIME, array=4),
    member("MixerFault", _BOOL, _FAULT, historized=True, alarm=AlarmSpec("Dsc", 300, None, "Mixer tripped")),
)
_CONVEYOR = (
    *_commands(),
    member("BeltSpeed", _FLOAT, Quantity(0.85, noise=0.01, up_s=2, down_s=1, rate_s=0.6), historized=True),
    member("Count", _INT, Counter(rate_s=1.8, wrap=1_000_000), historized=True),
    member("ZoneOccupied", _BOOL, Noise(0, 1, 12, rate_s=2), array=6),
    member("LaneCounts", _INT, Counter(rate_s=4, wrap=10_000), array=4),
    member("JamFault", _BOOL, _FAULT, historized=True, alarm=AlarmSpec("Dsc", 450, None, "Conveyor jammed")),
)
_BOILER = (
    *_commands(),
    member("SteamPressure", _DOUBLE, Quantity(8.4, 1.0, 0.09, 60, 140, rate_s=0.9), historized=True),
    member("FlameOn", _BOOL, _RUNNING),
    member("FuelFlow", _FLOAT, Quantity(210, noise=3.5, up_s=3, down_s=0.5), historized=True),
    member("StackOxygen", _FLOAT, Quantity(3.4, 20.9, 0.2, 8, 15, rate_s=1.3), historized=True),
    member("BurnerTrip", _BOOL, _FAULT, historized=True, alarm=AlarmSpec("Dsc", 100, None, "Burner tripped")),
)
_METER = (
    member("Power", _DOUBLE, Noise(148.0, 26.0, 240, rate_s=0.9), historized=True),
    member("Energy", _DOUBLE, Counter(rate_s=2.0, wrap=1 << 30), historized=True),
    member("Voltages", _FLOAT, Noise(231.0, 2.5, 60, rate_s=1.0), array=3, historized=True),
    member("PowerFactor", _FLOAT, Sine(0.92, 0.04, 600, rate_s=2.0)),
    member("LastReset", _TIME),
)
_ANALYSER = (
    member("PH", _DOUBLE, Noise(6.7, 0.15, 300, rate_s=1.4), historized=True),
    member("Conductivity", _FLOAT, Noise(480, 22, 200, rate_s=1.4), historized=True),
    member("SampleTime", _TIME, ClockTime(rate_s=10)),
    member("Spectrum", _DOUBLE, Noise(0.5, 0.2, 60, rate_s=10), array=16),
    member("CycleTime", _ELAPSED, Stored()),
    member("StreamName", DataType.INTERNATIONALIZED_STRING, Stored("Stream 1"), security=Security.OPERATE),
    member("CalibrationDue", _BOOL, AlarmBit(3600, 0.6, 60, 240), alarm=AlarmSpec("Dsc", 800, None, "Calibration due")),
)
_TEST_ALARM = tuple(
    member(
        f"TestAlarm00{n}",
        _BOOL,
        AlarmBit(every_s=period, share=share, shortest_s=20, longest_s=75),
        historized=True,
        alarm=AlarmSpec("Dsc", 300 + 100 * n, None, f"Test alarm {n}"),
    )
    for n, period, share in ((1, 420.0, 1.0), (2, 1800.0, 0.5), (3, 3600.0, 0.5))
)
_TEST_MACHINE = (
    member("TestChangingInt", _INT, Counter(rate_s=1.0, wrap=100_000), historized=True),
    member("TestHistoryValue", _DOUBLE, Sine(50, 45, 120, rate_s=0.8), historized=True),
    member("TestRamp", _FLOAT, Ramp(0, 100, 60, rate_s=0.5), historized=True),
    member("MachineID", _STRING, Stored("TM"), security=Security.CONFIGURE),
    member("ProtectedValue", _BOOL, security=Security.SECURED_WRITE),
    member("VerifiedValue", _BOOL, security=Security.VERIFIED_WRITE),
    *_TEST_ALARM,
)
_TEST_CHILD = (
    member("TestInt", _INT, Stored(42)),
    member("TestBool", _BOOL),
    member("TestFloat", _FLOAT, Stored(1.5)),
    member("TestDouble", _DOUBLE, Stored(2.25)),
    member("TestString", _STRING, Stored("hello")),
    member("TestDateTime", _TIME),
    member("TestElapsed", _ELAPSED),
    *(member(f"Test{n}Array", t, array=50 if t is _INT else 10) for n, t in (("Bool", _BOOL), ("Int", _INT))),
    member("TestFloatArray", _FLOAT, array=10),
    member("TestDoubleArray", _DOUBLE, array=10),
    member("TestStringArray", _STRING, array=10),
    member("TestDateTimeArray", _TIME, array=10),
)
_RECEIVER = (
    member("ConnectionStatus", _STRING, Stored("Connected"), writeable=False),
    member(
        "ConnectionFault",
        _BOOL,
        AlarmBit(7200, 0.5, 30, 90, chatters=True),
        alarm=AlarmSpec("Dsc", 350, None, "Connection lost"),
    ),
    member("MessageCount", _INT, Counter(rate_s=8, wrap=1 << 30)),
    member("LastMessage", DataType.BIG_STRING, Stored("<empty/>"), writeable=False),
)

_AREA = (
    member("AreaEnabled", _BOOL, Stored(True)),
    member("ActiveRecipe", _STRING, Stored("None")),
)
_HOST = (member("CpuLoad", _FLOAT, Noise(22, 9, 60, rate_s=2.0), historized=True),)
_OBJECT = (member("Attribute", _INT, Counter(rate_s=1.0, wrap=1000)),)


def _template(
    name: str,
    *bases: str,
    members: tuple[Member, ...],
    category: Category = Category.USER_DEFINED,
    traits: MachineTraits | None = None,
) -> Template:
    return Template(f"${name}", (f"${name}", *(f"${base}" for base in bases)), category, members, traits)


_MACHINE = MachineTraits()
_BATCH = MachineTraits(epoch_s=(420, 900), stop_s=(40, 120))
_BASE = "UserDefined"

#: All templates of the generated plant, by name.
TEMPLATES: dict[str, Template] = {
    template.name: template
    for template in (
        _template("WinPlatform", members=_HOST, category=Category.PLATFORM),
        _template("AppEngine", members=_HOST, category=Category.APP_ENGINE),
        _template("Area", members=_AREA, category=Category.AREA),
        _template("Pump_Centrifugal", "Pump", _BASE, members=(*_commands(), *_PUMP), traits=_MACHINE),
        _template("Valve_Control", "Valve", _BASE, members=_VALVE),
        _template("Tank_Storage", "Tank", _BASE, members=_TANK),
        _template("Mixer", "Reactor", _BASE, members=_MIXER, traits=_BATCH),
        _template("Conveyor_Belt", "Conveyor", _BASE, members=_CONVEYOR, traits=_BATCH),
        _template("Boiler_Steam", "Boiler", _BASE, members=_BOILER, traits=_MACHINE),
        _template("Meter_Electric", "Meter", _BASE, members=_METER),
        _template("Analyser_InLine", "Analyser", _BASE, members=_ANALYSER),
        _template("TestMachine", _BASE, members=_TEST_MACHINE),
        _template("TestChildObject", _BASE, members=_TEST_CHILD),
        _template("DelmiaReceiver", _BASE, members=_RECEIVER),
        _template("MESReceiver", _BASE, members=_RECEIVER),
        _template("Object", _BASE, members=_OBJECT),
    )
}
