"""The attributes that System Platform adds by itself: to every object, and to every configured attribute."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from .behaviours import Behaviour, ClockTime, Command, Counter, Noise, Of, Stored
from .machine_behaviours import InAlarm
from .model import Attribute, Category, DataType, Security
from .scenes import Scene

__all__ = ["attribute_builtins", "object_builtins"]

_BOOL, _INT, _FLOAT, _DOUBLE, _STRING, _TIME = (DataType(code) for code in range(1, 7))
_ELAPSED = DataType.ELAPSED_TIME
_INTL = DataType.INTERNATIONALIZED_STRING


def _row(
    name: str, data_type: DataType, behaviour: Behaviour, security: Security = Security.VIEW_ONLY
) -> tuple[Attribute, Behaviour]:
    writeable = security is not Security.VIEW_ONLY
    return (
        Attribute(name, data_type, category=11, security=security, writeable=writeable, builtin=True),
        behaviour,
    )


def _name(of: str) -> Of:
    def value(scene: Scene) -> str:
        return scene.plant.name_of(scene.object, of)

    return Of(value)


def _startup(scene: Scene) -> datetime:
    return datetime.fromtimestamp(scene.since_us / 1_000_000, UTC)


_OBJECT = (
    _row("Tagname", _STRING, _name("tag")),
    _row("ContainedName", _STRING, _name("contained")),
    _row("HierarchicalName", _STRING, _name("hierarchical")),
    _row("Area", _STRING, _name("area")),
    _row("Container", _STRING, _name("container")),
    _row("Host", _STRING, _name("host")),
    _row("ShortDesc", _INTL, _name("description"), Security.OPERATE),
    _row("SecurityGroup", _STRING, Stored("Default"), Security.CONFIGURE),
    _row("ScanState", _BOOL, Stored(True)),
    _row("ScanStateCmd", _BOOL, Command(), Security.OPERATE),
    _row("AlarmInhibit", _BOOL, Stored(), Security.OPERATE),
    _row("AlarmMode", DataType.ENUMERATION, Stored("Enable")),
    _row("AlarmModeCmd", DataType.ENUMERATION, Stored("Enable"), Security.OPERATE),
    _row("InAlarm", _BOOL, InAlarm()),
    _row("AlarmCntsBySeverity", _INT, Stored()),
    _row("ExecutionRelatedObject", DataType.REFERENCE, Stored(), Security.CONFIGURE),
    _row("ExecutionRelativeOrder", DataType.ENUMERATION, Stored("None"), Security.CONFIGURE),
    _row("ConfigVersion", _INT, Stored(1)),
    _row("CodeBase", _STRING, Stored("Base.UserDefined.1")),
    _row("UserAttrData", DataType.BIG_STRING, Stored("<UserAttributes/>")),
    _row("ExtensionData", DataType.BIG_STRING, Stored("<ExtensionInfo/>")),
    _row("CmdData", DataType.BIG_STRING, Stored("<CmdData/>")),
    _row("_ErrorCnt", _INT, Stored()),
    _row("_WarningCnt", _INT, Stored()),
    _row("_BasicStatus", _INT, Stored()),
    _row("_MinorVersion", _INT, Stored(1)),
    _row("_TimeOfLastScan", _TIME, ClockTime(rate_s=10.0)),
    _row("_ObjectBlob", DataType.CUSTOM, Stored(b"\x00\x01")),
)
_HOST = (
    _row("Engine.StartupTime", _TIME, Of(_startup)),
    _row("Engine.Uptime", _ELAPSED, ClockTime(rate_s=5.0)),
    _row("Scheduler.ScanPeriod", _INT, Stored(500), Security.CONFIGURE),
    _row("Scheduler.ScanOverrunsCnt", _INT, Stored()),
    _row("Scheduler.ExecutionTime", _DOUBLE, Noise(mean=82.0, spread=18.0, period_s=90.0, rate_s=2.0)),
    _row("Scheduler.ScanCyclesCnt", _INT, Counter(rate_s=0.5, wrap=1 << 30)),
)
_NUMBERS = frozenset({_INT, _FLOAT, _DOUBLE})


def object_builtins(category: Category) -> Iterable[tuple[Attribute, Behaviour]]:
    """The attributes of every object of a category."""
    yield from _OBJECT
    if category in (Category.PLATFORM, Category.APP_ENGINE):
        yield from _HOST


def attribute_builtins(attribute: Attribute) -> Iterable[tuple[Attribute, Behaviour]]:
    """The attributes that hang on a configured one, such as `Speed.EngUnits`."""
    name = attribute.name
    yield _row(f"{name}.Description", _INTL, Stored(), Security.TUNE)
    if attribute.data_type in _NUMBERS and attribute.array_length is None:
        yield _row(f"{name}.EngUnits", _STRING, Stored(), Security.CONFIGURE)
        yield _row(f"{name}.EngUnitsMin", _FLOAT, Stored(), Security.CONFIGURE)
        yield _row(f"{name}.EngUnitsMax", _FLOAT, Stored(100.0), Security.CONFIGURE)
    if attribute.historized:
        yield _row(f"{name}.TrendHi", _FLOAT, Stored(100.0), Security.TUNE)
        yield _row(f"{name}.TrendLo", _FLOAT, Stored(0.0), Security.TUNE)
        yield _row(f"{name}.ValueDeadBand", _FLOAT, Stored(0.0), Security.TUNE)
        yield _row(f"{name}.ForceStoragePeriod", _INT, Stored(0), Security.TUNE)
    if attribute.alarm is not None:
        yield _row(f"{name}.InAlarm", _BOOL, InAlarm())
        yield _row(f"{name}.Acked", _BOOL, Stored(True))
        yield _row(f"{name}.AckMsg", _STRING, Stored(), Security.OPERATE)
        yield _row(f"{name}.Priority", _INT, Stored(attribute.alarm.priority), Security.TUNE)
        yield _row(f"{name}.AlarmInhibit", _BOOL, Stored(), Security.OPERATE)
        yield _row(f"{name}.TimeAlarmOn", _TIME, Stored())
        yield _row(f"{name}.TimeAlarmOff", _TIME, Stored())
        yield _row(f"{name}.TimeAlarmAcked", _TIME, Stored())
        if attribute.alarm.limit is not None:
            limit = f"{name}.{attribute.alarm.type_name}Alarm.Limit"
            yield _row(limit, _FLOAT, Stored(attribute.alarm.limit), Security.TUNE)
