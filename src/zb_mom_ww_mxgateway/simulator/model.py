"""What a simulated plant is made of: plain data, no behaviour.

Times are whole microseconds since the Unix epoch (UTC), as in `clock`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, TypeAlias

__all__ = [
    "AlarmSpec",
    "Attribute",
    "Category",
    "DataType",
    "PlantObject",
    "Sample",
    "Security",
    "Signal",
    "Tag",
    "Value",
]

#: bool, int, float, str, bytes, aware datetime, timedelta, None, or a list of one of them (an array).
Value: TypeAlias = object

GOOD, UNCERTAIN, BAD = 192, 64, 0
#: Communication failure; see OPC DA quality bits (gateway quality byte, CONTRACT "quality, status").
BAD_COMM_FAILURE = 24


class DataType(IntEnum):
    """Galaxy data type codes, as in `GalaxyAttribute.mx_data_type` (not the codes of `MxDataType`)."""

    BOOLEAN = 1
    INTEGER = 2
    FLOAT = 3
    DOUBLE = 4
    STRING = 5
    TIME = 6
    ELAPSED_TIME = 7
    REFERENCE = 8
    ENUMERATION = 13
    CUSTOM = 14
    INTERNATIONALIZED_STRING = 15
    BIG_STRING = 16


class Security(IntEnum):
    """Security classification of an attribute, as in the Galaxy database."""

    FREE_ACCESS = 0
    OPERATE = 1
    SECURED_WRITE = 2
    VERIFIED_WRITE = 3
    TUNE = 4
    CONFIGURE = 5
    VIEW_ONLY = 6


class Category(IntEnum):
    """Object categories (`GalaxyObject.category_id`), as in the Galaxy database."""

    PLATFORM = 1
    APP_ENGINE = 3
    USER_DEFINED = 10
    DEVICE_INTEGRATION = 11
    AREA = 13


@dataclass(frozen=True, slots=True)
class Sample:
    """What an attribute shows at one moment: value, OPC quality byte, source time."""

    value: Value
    quality: int
    time_us: int


class Signal(Protocol):
    """How an attribute's value moves: a pure function of time, so that nothing has to be kept per tag."""

    def sample(self, at_us: int) -> Sample:
        """The value that stands at `at_us`, with the source time at which it last changed."""
        ...

    def next_change(self, after_us: int) -> int | None:
        """The time of the first change strictly after `after_us`; None when it never changes again."""
        ...


@dataclass(frozen=True, slots=True)
class AlarmSpec:
    """An alarm on an attribute: it is active while the attribute is true, or beyond its limit.

    Args:
        type_name: as in `alarm_type_name`: "Hi", "HiHi", "Lo", "LoLo", "Dsc", "Value" …
        priority: 1 (most urgent) to 999, the MXAccess severity scale.
        limit: the limit of an analog alarm; None for a discrete one.
        description: what the operator reads.
    """

    type_name: str
    priority: int
    limit: float | None
    description: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a template; shared by all objects that derive from it."""

    name: str
    data_type: DataType
    array_length: int | None = None
    category: int = 2
    security: Security = Security.OPERATE
    writeable: bool = True
    historized: bool = False
    alarm: AlarmSpec | None = None
    builtin: bool = False


@dataclass(frozen=True, slots=True)
class PlantObject:
    """One deployed object. `parent_id` 0 is a root; `template` keys the plant's attribute lists."""

    gobject_id: int
    tag_name: str
    contained_name: str
    parent_id: int
    is_area: bool
    category: Category
    host_id: int
    area_id: int
    template: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A resolved reference: an attribute of an object, or one element of an array (1-based).

    `reference` is the canonical spelling (array attributes with `[]`).
    """

    reference: str
    object: PlantObject
    attribute: Attribute
    element: int | None = None
