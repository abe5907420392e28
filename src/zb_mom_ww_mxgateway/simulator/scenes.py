"""What a behaviour knows when it makes a signal: the attribute, its object, and a few facts of the plant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Protocol

from .formulas import Writes, float32
from .machine import Machine
from .model import Attribute, DataType, PlantObject, Signal, Value
from .randomness import stable_key

__all__ = ["Behaviour", "Scene", "SceneSource", "default_value"]

_INT32 = (-(1 << 31), (1 << 31) - 1)


class SceneSource(Protocol):
    """What behaviours read of the plant."""

    seed: int
    scenario: str
    start_us: int
    #: The plant's beginning: nothing changed before.
    origin_us: int
    deploy_time_us: int
    #: Moves on with every write.
    version: int

    def machine(self, obj: PlantObject) -> Machine | None:
        """The machine that moves this object: its own, or the one it hangs on."""
        ...

    def writes(self, reference: str) -> Callable[[], Writes]:
        """Gives the writes to a reference so far, oldest first."""
        ...

    def name_of(self, obj: PlantObject, what: str) -> str:
        """A name that belongs to an object: tag, contained, hierarchical, area, container, host or description."""
        ...

    def alarms_of(self, obj: PlantObject, name: str | None) -> list[Signal]:
        """Whether the alarm on an attribute of an object is active; without a name, each of its alarms."""
        ...

    def peers(self, obj: PlantObject) -> int:
        """How many objects have the same template."""
        ...


@dataclass(frozen=True, slots=True)
class Scene:
    """One attribute of one object, in its plant."""

    plant: SceneSource
    object: PlantObject
    attribute: Attribute
    reference: str

    @property
    def key(self) -> int:
        """The key of the tag's randomness."""
        return stable_key(self.plant.seed, self.reference)

    @property
    def since_us(self) -> int:
        """Nothing changed before."""
        return self.plant.origin_us

    def writes(self, sibling: str | None = None) -> Callable[[], Writes]:
        """Gives the writes to this attribute, or to another one of the same object."""
        return self.plant.writes(self.reference if sibling is None else f"{self.object.tag_name}.{sibling}")

    def fit(self, number: float) -> Value:
        """`number` as the attribute's data type; times and durations count in seconds."""
        match self.attribute.data_type:
            case DataType.FLOAT:
                return float32(number)
            case DataType.DOUBLE:
                return float(number)
            case DataType.INTEGER:
                return max(_INT32[0], min(_INT32[1], round(number))) if isfinite(number) else 0
            case DataType.BOOLEAN:
                return number > 0
            case DataType.TIME:
                return datetime.fromtimestamp(number, UTC)
            case DataType.ELAPSED_TIME:
                return timedelta(seconds=number)
            case _:
                return f"{number:g}"


class Behaviour(Protocol):
    """A description that makes signals."""

    def signal(self, scene: Scene) -> Signal:
        """The signal of one attribute of one object."""
        ...


_DEFAULTS: dict[DataType, Value] = {
    DataType.BOOLEAN: False,
    DataType.INTEGER: 0,
    DataType.FLOAT: 0.0,
    DataType.DOUBLE: 0.0,
    DataType.TIME: datetime(1970, 1, 1, tzinfo=UTC),
    DataType.ELAPSED_TIME: timedelta(0),
    DataType.CUSTOM: b"",
}


def default_value(attribute: Attribute) -> Value:
    """What an attribute shows before anyone gave it a value."""
    value = _DEFAULTS.get(attribute.data_type, "")
    return [value] * attribute.array_length if attribute.array_length is not None else value
