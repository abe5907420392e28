"""Values as they are typed on a command line, for the plant.

| --type                     | --value                                                                          |
|----------------------------|----------------------------------------------------------------------------------|
| bool                       | true, false, 1, 0                                                                |
| int32, int64               | whole numbers; out of range is refused                                           |
| float, double              | numbers with a decimal point; NaN and infinities are refused                     |
| string                     | as it is                                                                         |
| time                       | ISO 8601 with Z or an offset, such as 2026-01-31T12:00:00Z                       |
| elapsed                    | seconds, such as 1.5, or an ISO 8601 duration, such as PT1M30S                   |

`boolean`, `integer` (int32 or int64, as the number needs), `datetime`, `timestamp`, `elapsed_time` are accepted too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from .arguments import CSV

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

__all__ = ["TYPES", "parse_array", "parse_value", "parse_values", "type_option"]

_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DURATION = re.compile(
    r"(?P<sign>-?)P(?=.)(?:(?P<days>[0-9]+)D)?"
    r"(?:T(?=.)(?:(?P<hours>[0-9]+)H)?(?:(?P<minutes>[0-9]+)M)?(?:(?P<seconds>[0-9]+(?:\.[0-9]+)?)S)?)?"
)


def _bool(text: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in known:
        raise ValueError("expected true, false, 1 or 0")
    return known[text.lower()]


def _whole(bits: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        # The length first: Python refuses to read very long numbers.
        if not _WHOLE.fullmatch(text) or len(text) > 20:
            raise ValueError(f"expected a whole number of {bits} bits")
        number = int(text)
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise ValueError(f"it does not fit into {bits} bits")
        return number

    return parse


def _real(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError("expected a finite number, such as 1.5")
    number = float(text)
    if abs(number) == float("inf"):
        raise ValueError("it does not fit into 64 bits")
    return number


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("expected ISO 8601, such as 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("it has no time zone: add Z or an offset such as +01:00")
    return moment


def _elapsed(text: str) -> timedelta:
    if _NUMBER.fullmatch(text):
        seconds = Decimal(text)
        return timedelta(microseconds=int((seconds * 1_000_000).to_integral_value()))
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("expected seconds, such as 1.5, or an ISO 8601 duration, such as PT1M30S")
    days, hours, minutes = (int(found[name] or 0) for name in ("days", "hours", "minutes"))
    span = timedelta(days=days, hours=hours, minutes=minutes)
    span += timedelta(microseconds=int(Decimal(found["seconds"] or 0) * 1_000_000))
    return -span if found["sign"] else span


#: The name of a type: how to read it, and what the library calls it.
TYPES: dict[str, tuple[Callable[[str], Any], str]] = {
    "bool": (_bool, "bool"),
    "int32": (_whole(32), "integer"),
    "int64": (_whole(64), "int64"),
    "float": (_real, "float"),
    "double": (_real, "double"),
    "string": (str, "string"),
    "time": (_time, "time"),
    "elapsed": (_elapsed, "elapsed_time"),
    "boolean": (_bool, "bool"),
    "integer": (_whole(64), "integer"),
    "datetime": (_time, "time"),
    "timestamp": (_time, "time"),
    "elapsed_time": (_elapsed, "elapsed_time"),
}

type_option = click.option(
    "--type",
    "--value-type",
    "type_name",
    required=True,
    type=click.Choice(list(TYPES), case_sensitive=False),
    metavar="TYPE",
    help="bool, int32, int64, float, double, string, time or elapsed.",
)


def parse_value(text: str, type_name: str, *, option: str = "--value") -> pb.MxValue:
    """The value of that type.

    Raises:
        click.BadParameter: it is none.
    """
    return _message(_parsed(text, type_name, option), type_name, text, option)


def parse_array(text: str, type_name: str, *, option: str = "--value") -> pb.MxValue:
    """An array of values of that type, from one line of CSV; an empty text is an empty array.

    Raises:
        click.BadParameter: it is none.
    """
    cells = CSV.convert(text, None, None)
    return _message([_parsed(cell, type_name, option) for cell in cells], type_name, text, option)


def parse_values(cells: Sequence[str], type_name: str) -> list[pb.MxValue]:
    """One value per cell."""
    return [parse_value(cell, type_name, option="--values") for cell in cells]


def _parsed(text: str, type_name: str, option: str) -> Any:
    parse, _ = TYPES[type_name]
    try:
        return parse(text if type_name == "string" else text.strip())
    except (ValueError, OverflowError) as error:
        raise _wrong(text, type_name, option, str(error)) from None


def _message(value: Any, type_name: str, text: str, option: str) -> pb.MxValue:
    from zb_mom_ww_mxgateway import to_mx_value

    _, data_type = TYPES[type_name]
    try:
        if data_type == "int64":
            return _wide(value)
        return to_mx_value(value, data_type=data_type)
    except (ValueError, OverflowError) as error:
        raise _wrong(text, type_name, option, str(error)) from None


def _wide(value: int | list[int]) -> pb.MxValue:
    """The library takes the narrowest integer that holds a number; whoever asks for 64 bits gets them."""
    from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

    kind = pb.MX_DATA_TYPE_INTEGER
    if isinstance(value, list):
        array = pb.MxArray(
            element_data_type=kind,
            variant_type="VT_ARRAY|VT_I8",
            dimensions=[len(value)],
            int64_values=pb.Int64Array(values=value),
        )
        return pb.MxValue(data_type=kind, array_value=array)
    return pb.MxValue(data_type=kind, variant_type="VT_I8", int64_value=value)


def _wrong(text: str, type_name: str, option: str, why: str) -> click.BadParameter:
    return click.BadParameter(f"{text!r} is no {type_name}: {why}", param_hint=option)
