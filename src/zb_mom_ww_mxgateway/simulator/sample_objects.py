"""The templates of the objects that documentation and tests name, such as `TestChildObject.TestInt`."""

from __future__ import annotations

from .behaviours import Counter, Ramp, Sine, Stored
from .machine_behaviours import AlarmBit
from .model import AlarmSpec, Category, DataType, Security
from .templates import Member, Template, member

__all__ = ["SAMPLE_TEMPLATES"]

_BOOL, _INT, _FLOAT, _DOUBLE, _STRING, _TIME = (DataType(code) for code in range(1, 7))


def _test_alarm(number: int, every_s: float, share: float) -> Member:
    return member(
        f"TestAlarm{number:03d}",
        _BOOL,
        AlarmBit(every_s, share, (20, 75)),
        writeable=True,
        historized=True,
        alarm=AlarmSpec("Dsc", 300 + 100 * number, None, f"Test alarm {number}"),
    )


_MACHINE = (
    member("TestChangingInt", _INT, Counter(rate_s=1.0, wrap=100_000), historized=True),
    member("TestHistoryValue", _DOUBLE, Sine(50, 45, 120, rate_s=0.8), historized=True),
    member("TestRamp", _FLOAT, Ramp(0, 100, 60, rate_s=0.5), historized=True),
    member("MachineID", _STRING, Stored("TM"), security=Security.CONFIGURE),
    member("FreeValue", _INT, security=Security.FREE_ACCESS),
    member("ProtectedValue", _BOOL, security=Security.SECURED_WRITE),
    member("VerifiedValue", _BOOL, security=Security.VERIFIED_WRITE),
    member("ReadOnlyValue", _INT, Stored(7), writeable=False),
    _test_alarm(1, 900, 1.0),
    _test_alarm(2, 3600, 0.5),
    _test_alarm(3, 7200, 0.5),
)
_CHILD = (
    member("TestBool", _BOOL),
    member("TestInt", _INT, Stored(42)),
    member("TestFloat", _FLOAT, Stored(1.5)),
    member("TestDouble", _DOUBLE, Stored(2.25)),
    member("TestString", _STRING, Stored("hello")),
    member("TestDateTime", _TIME),
    member("TestElapsed", DataType.ELAPSED_TIME),
    member("TestReference", DataType.REFERENCE, Stored("TestMachine_001.TestChangingInt")),
    member("TestEnum", DataType.ENUMERATION, Stored("One")),
    member("TestCustom", DataType.CUSTOM, Stored(b"\x01\x02\x03")),
    member("TestText", DataType.INTERNATIONALIZED_STRING, Stored("Grüße")),
    member("TestBigString", DataType.BIG_STRING, Stored("lorem ipsum " * 100)),
    member("TestBoolArray", _BOOL, array=10),
    member("TestIntArray", _INT, Stored(list(range(1, 51))), array=50),
    member("TestFloatArray", _FLOAT, array=10),
    member("TestDoubleArray", _DOUBLE, array=10),
    member("TestStringArray", _STRING, array=10),
    member("TestDateTimeArray", _TIME, array=10),
)
_RECEIVER = (
    member("ConnectionStatus", _STRING, Stored("Connected"), writeable=False),
    member("MessageCount", _INT, Counter(rate_s=8, wrap=1 << 30)),
    member("LastMessage", DataType.BIG_STRING, Stored("<empty/>"), writeable=False),
)


def _connection_fault(*, chatters: bool) -> Member:
    return member(
        "ConnectionFault",
        _BOOL,
        AlarmBit(7200, 0.5, (30, 90), chatters=chatters),
        writeable=True,
        alarm=AlarmSpec("Dsc", 350, None, "Connection lost"),
    )


def _template(name: str, *members: Member) -> Template:
    chain = tuple(dict.fromkeys((f"${name}", "$UserDefined")))
    return Template(chain[0], chain, Category.USER_DEFINED, members)


#: In no particular order.
SAMPLE_TEMPLATES = (
    _template("TestMachine", *_MACHINE),
    _template("TestChildObject", *_CHILD),
    _template("DelmiaReceiver", *_RECEIVER, _connection_fault(chatters=True)),
    _template("MESReceiver", *_RECEIVER, _connection_fault(chatters=False)),
    _template("Object", member("Attribute", _INT, Counter(rate_s=1.0, wrap=1000))),
    # Of a user's own objects that name no template.
    _template("UserDefined"),
)
