"""Templates: the attributes that all objects of a kind share, and how each of them behaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from .behaviours import Behaviour, Command, Noise, Stored
from .builtins import attribute_builtins, object_builtins
from .machine import MachineTraits
from .model import AlarmSpec, Attribute, Category, DataType, Security

__all__ = ["Member", "Template", "member"]

#: Attribute categories, as in the Galaxy database.
_CALCULATED, _WRITEABLE = 3, 10


@dataclass(frozen=True, slots=True)
class Member:
    """An attribute, and how it behaves."""

    attribute: Attribute
    behaviour: Behaviour


def member(
    name: str,
    data_type: DataType,
    behaviour: Behaviour | None = None,
    *,
    array: int | None = None,
    security: Security | None = None,
    writeable: bool | None = None,
    historized: bool = False,
    alarm: AlarmSpec | None = None,
) -> Member:
    """A configured attribute; without a behaviour it stores what is written, a moving one is read-only."""
    behaviour = Stored() if behaviour is None else behaviour
    if writeable is None:
        writeable = isinstance(behaviour, Stored | Command)
    if security is None:
        security = Security.OPERATE if writeable else Security.VIEW_ONLY
    attribute = Attribute(
        name,
        data_type,
        array_length=array,
        category=_WRITEABLE if writeable else _CALCULATED,
        security=security,
        writeable=writeable,
        historized=historized,
        alarm=alarm,
    )
    return Member(attribute, behaviour)


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A kind of object.

    Args:
        name: key of the template in the plant; usually that of the first in the chain.
        chain: the templates that its objects derive from, the direct one first.
        category: of its objects.
        configured: its own attributes.
        traits: how its machine behaves; None for an object without one.
        limit: so many attributes at most, the configured ones first; None: all.
    """

    name: str
    chain: tuple[str, ...]
    category: Category
    configured: tuple[Member, ...]
    traits: MachineTraits | None = None
    limit: int | None = None
    attributes: tuple[Attribute, ...] = field(init=False)
    alarmed: tuple[Attribute, ...] = field(init=False)
    historized: bool = field(init=False)
    index: dict[str, Member] = field(init=False)

    def __post_init__(self) -> None:
        # A configured attribute wins over a built-in one of the same name.
        index: dict[str, Member] = {}
        for each in (*self.configured, *self._built_in()):
            index.setdefault(each.attribute.name.lower(), each)
        index = dict(list(index.items())[: self.limit])
        attributes = tuple(each.attribute for each in index.values())
        object.__setattr__(self, "index", index)
        object.__setattr__(self, "attributes", attributes)
        object.__setattr__(self, "alarmed", tuple(each for each in attributes if each.alarm is not None))
        object.__setattr__(self, "historized", any(each.historized for each in attributes))

    def sized(self, attributes: int) -> Template:
        """The same with exactly so many attributes: built-in ones left out, or moving ones (`Channel_0001`) added.

        Configured attributes are never left out.
        """
        missing = attributes - len(self.attributes)
        if missing <= 0:
            return replace(self, limit=max(attributes, len(self.configured)))
        channels = tuple(
            member(f"Channel_{n:04d}", DataType.FLOAT, Noise(50, 30, 90, rate_s=1.0)) for n in range(1, missing + 1)
        )
        return replace(self, configured=(*self.configured, *channels), limit=attributes)

    def with_members(self, name: str, members: tuple[Member, ...]) -> Template:
        """A template of another name with more attributes; they replace those of the same name."""
        own = {each.attribute.name.lower() for each in members}
        kept = tuple(each for each in self.configured if each.attribute.name.lower() not in own)
        configured = (*kept, *members)
        limit = None if self.limit is None else max(self.limit, len(configured))
        return replace(self, name=name, configured=configured, limit=limit)

    def _built_in(self) -> Iterator[Member]:
        for attribute, behaviour in object_builtins(self.category):
            yield Member(attribute, behaviour)
        for each in self.configured:
            for attribute, behaviour in attribute_builtins(each.attribute):
                yield Member(attribute, behaviour)
