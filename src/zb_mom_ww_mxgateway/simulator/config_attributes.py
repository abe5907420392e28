"""The attributes that a configuration file gives to a template or to an object."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .behaviours import Command, Stored
from .config_reader import Table
from .config_signals import read_signal
from .machine_behaviours import AlarmBit
from .model import AlarmSpec, DataType, Security
from .templates import Member, member

__all__ = ["read_members"]

_TYPES = {
    "Boolean": DataType.BOOLEAN,
    "Integer": DataType.INTEGER,
    "Float": DataType.FLOAT,
    "Double": DataType.DOUBLE,
    "String": DataType.STRING,
    "Time": DataType.TIME,
    "ElapsedTime": DataType.ELAPSED_TIME,
    "Reference": DataType.REFERENCE,
    "Enumeration": DataType.ENUMERATION,
    "Custom": DataType.CUSTOM,
    "InternationalizedString": DataType.INTERNATIONALIZED_STRING,
    "BigString": DataType.BIG_STRING,
}
_SECURITY = {each.name.title().replace("_", ""): each for each in Security}
_ALARM_TYPES = {word: word for word in ("HiHi", "Hi", "Lo", "LoLo", "Dsc", "Value")}
_NUMBERS = (DataType.INTEGER, DataType.FLOAT, DataType.DOUBLE)
_NAME = re.compile(r"[^\s\[\].]+(\.[^\s\[\].]+)*")


def read_members(table: Table, inherited: Mapping[str, Member]) -> tuple[Member, ...]:
    """The attributes in the `attributes` table of a template or an object.

    Args:
        table: of the template or object.
        inherited: the attributes it has anyway, by name in lower case; a setpoint may be one of them.
    """
    tables = dict(table.named("attributes"))
    stored: dict[str, tuple[str, object]] = {
        name: (each.attribute.name, each.behaviour.value)
        for name, each in inherited.items()
        if isinstance(each.behaviour, Stored)
    }
    # First the values that stand still, since a signal may follow any of them.
    for name, each in tables.items():
        signal = each.data.get("signal")
        stored[name.lower()] = name, signal.get("value") if isinstance(signal, dict) else 0.0

    def number(wanted: str) -> tuple[str, float] | None:
        name, value = stored.get(wanted.lower(), ("", None))
        return (name, float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None

    members: list[Member] = []
    for name, each in tables.items():
        if not _NAME.fullmatch(name):
            raise each.error("", f'expected an attribute name without spaces and brackets; got "{name}"')
        data_type = each.choice("type", _TYPES)
        array = each.integer("array", low=1, high=100_000) if "array" in each else None
        signal = each.table("signal")
        behaviour = Stored() if signal is None else read_signal(signal, data_type, array, number)
        stands = isinstance(behaviour, Stored | Command | AlarmBit)
        writeable = each.flag("writeable", stands)
        if writeable and not stands:
            raise each.expected("writeable", "false: the plant drives this signal, a write would not show")
        members.append(
            member(
                name,
                data_type,
                behaviour,
                array=array,
                security=each.choice("security", _SECURITY) if "security" in each else None,
                writeable=writeable,
                historized=each.flag("historized", False),
                alarm=_read_alarm(each, data_type, array),
            )
        )
        each.done(("security", "array"))
    return tuple(members)


def _read_alarm(table: Table, data_type: DataType, array: int | None) -> AlarmSpec | None:
    alarm = table.table("alarm")
    if alarm is None:
        return None
    number = data_type in _NUMBERS
    if array is not None or not (number or data_type is DataType.BOOLEAN):
        raise table.error("alarm", "only a Boolean or a number that is no array can have an alarm")
    type_name = alarm.choice("type", _ALARM_TYPES, "Hi" if number else "Dsc")
    if number and type_name not in ("HiHi", "Hi", "Lo", "LoLo"):
        raise alarm.expected("type", "for a number one of HiHi, Hi, Lo, LoLo")
    if not number and type_name not in ("Dsc", "Value"):
        raise alarm.expected("type", "for a Boolean one of Dsc, Value")
    if not number and "limit" in alarm:
        raise alarm.error("limit", "a Boolean alarm has no limit")
    spec = AlarmSpec(
        type_name,
        alarm.integer("priority", 500, low=1, high=999),
        alarm.number("limit") if number else None,
        alarm.text("description", ""),
    )
    alarm.done(("limit",))
    return spec
