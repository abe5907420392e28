"""The templates of the demo plant: pumps, valves, tanks, mixers, conveyors, boilers, meters and analysers.

The test objects that documentation names are in `sample_objects`.
"""

from __future__ import annotations

from .behaviours import ClockTime, Command, Counter, Cycle, Noise, Sine, Stored
from .machine import MachineTraits
from .machine_behaviours import NOT_TRIPPED, AlarmBit, Quantity, State, Tally, Warned
from .model import AlarmSpec, Category, DataType, Security
from .sample_objects import SAMPLE_TEMPLATES
from .templates import Member, Template, member

__all__ = ["TEMPLATES"]

_BOOL, _INT, _FLOAT, _DOUBLE, _STRING, _TIME = (DataType(code) for code in range(1, 7))
_ELAPSED, _ENUM, _INTL = DataType.ELAPSED_TIME, DataType.ENUMERATION, DataType.INTERNATIONALIZED_STRING

_STATE = State("Stopped", "Starting", "Running", "Tripped")
_STATE_CODE = State(0, 1, 2, 3)
_RUNNING = State(False, False, True, False)
_FAULT = State(False, False, False, True)


def _machine(*own: Member) -> tuple[Member, ...]:
    return (
        member("State", _STRING, _STATE, historized=True),
        member("StateCode", _INT, _STATE_CODE, historized=True),
        member("Running", _BOOL, _RUNNING, historized=True),
        member("StartCmd", _BOOL, Command()),
        member("StopCmd", _BOOL, Command()),
        member("ResetCmd", _BOOL, Command(), security=Security.SECURED_WRITE),
        member("Mode", _ENUM, Stored("Auto")),
        member("RunHours", _DOUBLE, Tally(3600, 10, first=9000)),
        *own,
    )


_PUMP = _machine(
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
        Warned(2.8, 0.1, 0.35, 3, 5, rate_s=0.9, rise=(2.0, 9.0)),
        historized=True,
        alarm=AlarmSpec("Hi", 400, 7.1, "Vibration high"),
    ),
    member("BearingTemp", _FLOAT, Quantity(61, 24, 0.7, 240, 420, rate_s=2), historized=True),
    member("SealPressure", _FLOAT, Quantity(2.1, 1.4, 0.04, 6, 30, rate_s=1.6)),
    member("Starts", _INT, Stored(118), writeable=False),
    member("Interlocked", _BOOL, writeable=False),
    member("PumpFault", _BOOL, _FAULT, historized=True, alarm=AlarmSpec("Dsc", 250, None, "Pump tripped")),
)
_VALVE = (
    member("State", _STRING, State("Closed", "Opening", "Open", "Closed"), historized=True),
    member(
        "Position",
        _FLOAT,
        Quantity(64, 0, 0.5, 3, 2, rate_s=0.8, setpoint="PositionSP", setpoint_on=64),
        historized=True,
    ),
    member("PositionSP", _FLOAT, Stored(64.0), historized=True),
    member("OpenLS", _BOOL, State(False, False, True, False)),
    member("ClosedLS", _BOOL, State(True, False, False, True)),
    member("Interlocked", _BOOL, writeable=False),
    member("Strokes", _INT, Tally(40, 8, first=60_000)),
    member("Mode", _ENUM, Stored("Cascade")),
    member("AirPressure", _FLOAT, Noise(5.6, 0.2, 75, rate_s=1.9)),
    member("TravelTime", _ELAPSED, writeable=False),
    member(
        "TravelFault",
        _BOOL,
        AlarmBit(3600, 0.5, (5, 25)),
        writeable=True,
        alarm=AlarmSpec("Dsc", 600, None, "Valve travel time exceeded"),
    ),
)
_TANK = (
    member(
        "Level",
        _FLOAT,
        Quantity(72, 12, 2.2, 150, 75, rate_s=0.8, states=NOT_TRIPPED),
        historized=True,
        alarm=AlarmSpec("Lo", 500, 42.0, "Level low"),
    ),
    member("Volume", _DOUBLE, Quantity(36.0, 6.0, 1.1, 150, 75, rate_s=1.6, states=NOT_TRIPPED), historized=True),
    member("Temperature", _FLOAT, Noise(38.5, 1.6, 180, rate_s=1.5), historized=True),
    member("Pressure", _FLOAT, Noise(0.18, 0.02, 60, rate_s=1.1)),
    member("Density", _DOUBLE, Noise(1032, 3.5, 300, rate_s=10, lossy=0.3)),
    member("LevelProfile", _FLOAT, Noise(36.0, 3.0, 120, rate_s=10), array=8),
    member("HatchOpen", _BOOL, writeable=False),
    member("Product", _INTL, Stored("Whole milk")),
    member("BatchID", _STRING, Stored("B-2026-0001")),
    member("FilledAt", _TIME, writeable=False),
    member("CleanDue", _TIME),
    member("Capacity", _DOUBLE, Stored(50.0), security=Security.CONFIGURE),
)
_MIXER = _machine(
    member(
        "AgitatorSpeed",
        _FLOAT,
        Quantity(120, noise=0.8, up_s=5, setpoint="AgitatorSP", setpoint_on=120),
        historized=True,
    ),
    member("AgitatorSP", _FLOAT, Stored(120.0), security=Security.TUNE, historized=True),
    member("Torque", _DOUBLE, Quantity(310, noise=9, up_s=3, down_s=1), historized=True),
    member(
        "Temperature",
        _FLOAT,
        Quantity(74, 42, 0.5, 90, 260, 1.2, setpoint="TemperatureSP", setpoint_on=74, transmitter=True),
        historized=True,
    ),
    member("TemperatureSP", _FLOAT, Stored(74.0), security=Security.TUNE),
    member("BatchNumber", _INT, Counter(rate_s=1200, wrap=100_000), historized=True),
    member("BatchStep", _STRING, State("Idle", "Charging", "Mixing", "Held")),
    member("RecipeIngredients", _STRING, Stored(["Base", "Sugar", "Aroma", "Colour"]), array=4),
    member("RecipeAmounts", _DOUBLE, Stored([620.0, 84.5, 3.25, 0.75]), array=4, security=Security.VERIFIED_WRITE),
    member("StepTimes", _TIME, array=4),
    member("StepDone", _BOOL, array=4, writeable=False),
    member("MixerFault", _BOOL, _FAULT, historized=True, alarm=AlarmSpec("Dsc", 300, None, "Mixer tripped")),
)
_CONVEYOR = _machine(
    member(
        "BeltSpeed",
        _FLOAT,
        Quantity(0.85, 0, 0.01, 2, 1, 0.6, setpoint="BeltSpeedSP", setpoint_on=0.85),
        historized=True,
    ),
    member("BeltSpeedSP", _FLOAT, Stored(0.85), security=Security.TUNE),
    member("Count", _INT, Tally(1.8, 1.8, first=400_000), historized=True),
    member("Rejects", _INT, Tally(95, 5, first=2_000), historized=True),
    member("ZoneOccupied", _BOOL, Noise(0, 1, 12, rate_s=2), array=6),
    member("LaneCounts", _INT, Counter(rate_s=10, wrap=10_000), array=4),
    member("ProductCode", _STRING, Cycle(("4006381333931", "4006381333948", "4006381333955"), rate_s=900)),
    member("JamFault", _BOOL, _FAULT, historized=True, alarm=AlarmSpec("Dsc", 450, None, "Conveyor jammed")),
)
_BOILER = _machine(
    member("SteamPressure", _DOUBLE, Quantity(8.4, 1.0, 0.09, 60, 140, rate_s=0.9), historized=True),
    member("FeedWaterTemp", _FLOAT, Quantity(104, 60, 0.6, 120, 500, rate_s=1.8), historized=True),
    member("FlameOn", _BOOL, _RUNNING),
    member("FuelFlow", _FLOAT, Quantity(210, noise=3.5, up_s=3, down_s=0.5, transmitter=True), historized=True),
    member("StackOxygen", _FLOAT, Quantity(3.4, 20.9, 0.2, 8, 15, rate_s=1.3), historized=True),
    member("DrumLevel", _FLOAT, Noise(50, 4, 40, rate_s=0.6), historized=True),
    member("FuelType", _ENUM, Stored("Gas"), security=Security.CONFIGURE),
    member("BurnerTrip", _BOOL, _FAULT, historized=True, alarm=AlarmSpec("Dsc", 100, None, "Burner tripped")),
)
_METER = (
    member("Power", _DOUBLE, Noise(148.0, 26.0, 240, rate_s=0.9), historized=True),
    member("ReactivePower", _DOUBLE, Noise(31.0, 7.0, 240, rate_s=0.9)),
    member("Energy", _DOUBLE, Counter(rate_s=2.0, step=0.0823, wrap=1 << 30), historized=True),
    member("Voltages", _FLOAT, Noise(231.0, 2.5, 60, rate_s=1.0), array=3, historized=True),
    member("Currents", _FLOAT, Noise(212.0, 30.0, 60, rate_s=1.0), array=3, historized=True),
    member("PowerFactor", _FLOAT, Sine(0.92, 0.04, 600, rate_s=2.0)),
    member("Frequency", _DOUBLE, Noise(50.0, 0.03, 30, rate_s=0.5, lossy=0.4)),
    member("Tariff", _STRING, Cycle(("Day", "Peak", "Night"), rate_s=1800)),
    member("LastReset", _TIME),
)
_ANALYSER = (
    member("PH", _DOUBLE, Noise(6.7, 0.15, 300, rate_s=1.4, lossy=0.5), historized=True),
    member("Conductivity", _FLOAT, Noise(480, 22, 200, rate_s=1.4, lossy=0.5), historized=True),
    member("Turbidity", _FLOAT, Noise(1.8, 0.4, 150, rate_s=1.9), historized=True),
    member("SampleTime", _TIME, ClockTime(rate_s=10)),
    member("Spectrum", _DOUBLE, Noise(0.5, 0.2, 60, rate_s=10), array=16),
    member("UpTime", _ELAPSED, ClockTime(rate_s=10)),
    member("Stream", _INTL, Cycle(("Raw", "Blend", "Rinse"), rate_s=300, shuffled=True)),
    member("ReagentLevel", _FLOAT, Sine(55, 40, 7200, rate_s=10)),
    member("CalibrationData", DataType.CUSTOM, Stored(b"\x01\x00\x2a")),
    member(
        "CalibrationDue",
        _BOOL,
        AlarmBit(7200, 0.5, (60, 240)),
        writeable=True,
        alarm=AlarmSpec("Dsc", 800, None, "Calibration due"),
    ),
)
_AREA = (member("AreaEnabled", _BOOL, Stored(True)), member("ActiveRecipe", _STRING, Stored("None")))
_HOST = (
    member("CpuLoad", _FLOAT, Noise(22, 9, 60, rate_s=2.0), historized=True),
    member("MemoryUsed", _DOUBLE, Noise(3120, 140, 300, rate_s=10), historized=True),
)

_CONTINUOUS = MachineTraits()
_BATCH = MachineTraits(epoch_s=(420, 900), stop_s=(40, 120))


def _template(
    chain: str,
    members: tuple[Member, ...],
    traits: MachineTraits | None = None,
    category: Category = Category.USER_DEFINED,
) -> Template:
    names = tuple(f"${name}" for name in chain.split())
    return Template(names[0], names, category, members, traits)


#: All templates of the generated plant, by name.
TEMPLATES: dict[str, Template] = {
    template.name: template
    for template in (
        _template("WinPlatform", _HOST, category=Category.PLATFORM),
        _template("AppEngine", _HOST, category=Category.APP_ENGINE),
        _template("Area", _AREA, category=Category.AREA),
        _template("Pump_Centrifugal Pump UserDefined", _PUMP, _CONTINUOUS),
        _template("Valve_Control Valve UserDefined", _VALVE),
        _template("Tank_Storage Tank UserDefined", _TANK),
        _template("Mixer Reactor UserDefined", _MIXER, _BATCH),
        _template("Conveyor_Belt Conveyor UserDefined", _CONVEYOR, _BATCH),
        _template("Boiler_Steam Boiler UserDefined", _BOILER, _CONTINUOUS),
        _template("Meter_Electric Meter UserDefined", _METER),
        _template("Analyser_InLine Analyser UserDefined", _ANALYSER),
        *SAMPLE_TEMPLATES,
    )
}
