"""The kinds of signals that a configuration file can give to an attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from .behaviours import Behaviour, ClockTime, Command, Counter, Cycle, Follow, Noise, Ramp, Sine, Stored
from .config_reader import Table
from .machine_behaviours import AlarmBit, Quantity, State, Tally
from .model import DataType, Value

__all__ = ["KINDS", "Kind", "read_signal", "stored_value"]

_NUMBERS = frozenset({DataType.INTEGER, DataType.FLOAT, DataType.DOUBLE})
_BOOLEAN = frozenset({DataType.BOOLEAN})
_WORDS = frozenset(
    {
        DataType.STRING,
        DataType.REFERENCE,
        DataType.ENUMERATION,
        DataType.INTERNATIONALIZED_STRING,
        DataType.BIG_STRING,
    }
)
_ALL = frozenset(DataType)

#: An attribute of the same object that stores a number, by its name in any case: its name, and the number.
Numbers = Callable[[str], tuple[str, float] | None]


@dataclass(frozen=True, slots=True)
class Place:
    """The attribute that a signal is for."""

    data_type: DataType
    array: int | None
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of signal: which data types can have it, and how its table is read."""

    data_types: frozenset[DataType]
    read: Callable[[Table, Place], Behaviour]
    arrays: bool = True


def _scalar(table: Table, key: str, value: object, data_type: DataType) -> Value:
    match data_type:
        case DataType.BOOLEAN if isinstance(value, bool):
            return value
        case DataType.INTEGER if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 31:
            return value
        case DataType.FLOAT | DataType.DOUBLE if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        case DataType.TIME if isinstance(value, datetime) and value.tzinfo is not None:
            return value
        case DataType.ELAPSED_TIME if isinstance(value, int | float) and not isinstance(value, bool):
            return timedelta(seconds=value)
        case DataType.CUSTOM if isinstance(value, str):
            try:
                return bytes.fromhex(value)
            except ValueError:
                raise table.expected(key, "bytes as hexadecimal digits") from None
        case _ if data_type in _WORDS and isinstance(value, str):
            return value
    raise table.expected(key, _EXPECTED.get(data_type, "a string"))


_EXPECTED = {
    DataType.BOOLEAN: "true or false",
    DataType.INTEGER: "a whole number of 32 bits",
    DataType.FLOAT: "a number",
    DataType.DOUBLE: "a number",
    DataType.TIME: "a date and time with a time zone, such as 2026-01-05T06:00:00Z",
    DataType.ELAPSED_TIME: "a number of seconds",
    DataType.CUSTOM: "bytes as hexadecimal digits",
}


def stored_value(table: Table, key: str, data_type: DataType, array: int | None) -> Value:
    """The value at a key, which must fit the data type; None when there is none."""
    value = table.raw(key)
    if value is None:
        return None
    if array is None:
        return _scalar(table, key, value, data_type)
    if not isinstance(value, list) or len(value) != array:
        raise table.expected(key, f"a list of {array} values")
    return [_scalar(table, key, each, data_type) for each in value]


def _constant(table: Table, place: Place) -> Behaviour:
    value = stored_value(table, "value", place.data_type, place.array)
    if value is None:
        raise table.expected("value", "the value")
    return Stored(value)


def _rate(table: Table, default: float = 1.0) -> float:
    return table.number("rate_s", default, above=0.001)


def _ramp(table: Table, place: Place) -> Behaviour:
    low, high = table.number("low", 0.0), table.number("high", 100.0)
    if low == high:
        raise table.expected("high", f"a number other than low ({low:g})")
    return Ramp(low, high, table.number("period_s", 60.0, above=0), rate_s=_rate(table))


def _sine(table: Table, place: Place) -> Behaviour:
    mean, amplitude = table.number("mean", 0.0), table.number("amplitude", 1.0, above=0)
    return Sine(mean, amplitude, table.number("period_s", 60.0, above=0), rate_s=_rate(table))


def _noise(table: Table, place: Place) -> Behaviour:
    mean, spread = table.number("mean", 0.0), table.number("spread", 1.0, above=0)
    return Noise(mean, spread, table.number("period_s", 60.0, above=0), rate_s=_rate(table))


def _counter(table: Table, place: Place) -> Behaviour:
    step, wrap = table.number("step", 1.0, above=0), table.integer("wrap", 1_000_000, low=2, high=(1 << 31) - 1)
    return Counter(step=step, wrap=wrap, rate_s=_rate(table))


def _cycle(table: Table, place: Place) -> Behaviour:
    values = table.raw("values")
    if not isinstance(values, list) or len(values) < 2:
        raise table.expected("values", "a list of two or more values")
    read = tuple(_scalar(table, "values", value, place.data_type) for value in values)
    return Cycle(read, table.flag("shuffled", False), rate_s=table.number("dwell_s", 10.0, above=0.001))


def _clock(table: Table, place: Place) -> Behaviour:
    return ClockTime(rate_s=_rate(table))


def _follow(table: Table, place: Place) -> Behaviour:
    setpoint = place.numbers(table.text("setpoint"))
    if setpoint is None:
        raise table.expected("setpoint", "the name of an attribute of the same object that stores a number")
    tau, noise = table.number("tau_s", 5.0, above=0), table.number("noise", 0.0)
    return Follow(*setpoint, tau, noise, rate_s=_rate(table, 0.5))


def _windows(table: Table, place: Place) -> Behaviour:
    every, length = table.number("every_s", 300.0, above=1), table.pair("length_s", (20.0, 60.0))
    if length[1] >= every:
        raise table.expected("length_s", f"two numbers below every_s ({every:g})")
    share = table.number("share", 1.0)
    if not 0.01 <= share <= 1:
        raise table.expected("share", "a number from 0.01 to 1")
    return AlarmBit(every, share, length)


def _command(table: Table, place: Place) -> Behaviour:
    return Command()


def _machine_state(table: Table, place: Place) -> Behaviour:
    defaults = {"stopped": "Stopped", "starting": "Starting", "running": "Running", "tripped": "Tripped"}
    if place.data_type in _WORDS:
        return State(**{key: table.text(key, word) for key, word in defaults.items()})
    values: dict[str, Value] = {}
    for key in defaults:
        values[key] = stored_value(table, key, place.data_type, None)
        if values[key] is None:
            raise table.expected(key, _EXPECTED[place.data_type])
    return State(**values)


def _machine_quantity(table: Table, place: Place) -> Behaviour:
    on, off = table.number("on"), table.number("off", 0.0)
    if on == off:
        raise table.expected("on", f"a number other than off ({off:g})")
    setpoint: tuple[str | None, float] = None, 1.0
    if "setpoint" in table:
        found = place.numbers(table.text("setpoint"))
        if found is None or not found[1]:
            raise table.expected("setpoint", "the name of an attribute of the same object that stores a number but 0")
        setpoint = found
    return Quantity(
        on,
        off,
        table.number("noise", 0.0),
        table.number("up_s", 4.0, above=0),
        table.number("down_s", 6.0, above=0),
        _rate(table, 0.5),
        *setpoint,
        table.flag("transmitter", False),
    )


def _tally(table: Table, place: Place) -> Behaviour:
    unit_s = table.number("unit_s", 1.0, above=0)
    return Tally(unit_s, _rate(table), table.number("first", 0.0), table.number("wrap", 1_000_000.0, above=1))


#: All kinds of signals, by the word that stands at `kind`.
KINDS: Mapping[str, Kind] = {
    "constant": Kind(_ALL, _constant),
    "ramp": Kind(_NUMBERS, _ramp),
    "sine": Kind(_NUMBERS, _sine),
    "noise": Kind(_NUMBERS | _BOOLEAN, _noise),
    "counter": Kind(_NUMBERS, _counter),
    "cycle": Kind(_NUMBERS | _BOOLEAN | _WORDS, _cycle),
    "clock": Kind(frozenset({DataType.TIME}), _clock),
    "elapsed": Kind(_NUMBERS | {DataType.ELAPSED_TIME}, _clock),
    "setpoint": Kind(_NUMBERS, _constant, arrays=False),
    "follow": Kind(_NUMBERS, _follow, arrays=False),
    "windows": Kind(_BOOLEAN, _windows, arrays=False),
    "command": Kind(_BOOLEAN, _command, arrays=False),
    "machine_state": Kind(_WORDS | _BOOLEAN | {DataType.INTEGER}, _machine_state, arrays=False),
    "machine_quantity": Kind(_NUMBERS, _machine_quantity, arrays=False),
    "tally": Kind(_NUMBERS, _tally, arrays=False),
}


def read_signal(table: Table, data_type: DataType, array: int | None, numbers: Numbers) -> Behaviour:
    """The behaviour that a `signal` table describes."""
    kind = table.choice("kind", KINDS)
    if data_type not in kind.data_types:
        fitting = [word for word, each in KINDS.items() if data_type in each.data_types]
        raise table.expected("kind", f"for this type one of {', '.join(fitting)}")
    if array is not None and not kind.arrays:
        fitting = [word for word, each in KINDS.items() if each.arrays and data_type in each.data_types]
        raise table.expected("kind", f"for an array one of {', '.join(fitting)}")
    behaviour = kind.read(table, Place(data_type, array, numbers))
    table.done()
    return behaviour
