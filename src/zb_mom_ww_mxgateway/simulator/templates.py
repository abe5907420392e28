"""Templates: the attributes that all objects of a kind share, and how each of them behaves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .behaviours import Behaviour, Stored
from .builtins import attribute_builtins, object_builtins
from .machine import MachineTraits
from .model import AlarmSpec, Attribute, Category, DataType, Security

__all__ = ["Member", "Template", "member"]


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
    """A configured attribute; without a behaviour it stores what is written, otherwise it is read-only."""
    stored = behaviour is None or isinstance(behaviour, Stored)
    writeable = stored if writeable is None else writeable
    if security is None:
        security = Security.OPERATE if writeable else Security.VIEW_ONLY
    attribute = Attribute(
        name,
        data_type,
        array_length=array,
        category=10 if writeable else 3,
        security=security,
        writeable=writeable,
        historized=historized,
        alarm=alarm,
    )
    return Member(attribute, behaviour if behaviour is not None else Stored())


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A kind of object.

    Args:
        name: with the leading `$`.
        chain: the templates it derives from, itself first.
        category: of its objects.
        configured: its own attributes.
        traits: how its machine behaves; None for an object without one.
    """

    name: str
    chain: tuple[str, ...]
    category: Category
    configured: tuple[Member, ...]
    traits: MachineTraits | None = None
    members: tuple[Member, ...] = field(init=False)
    attributes: tuple[Attribute, ...] = field(init=False)
    index: dict[str, Member] = field(init=False)

    def __post_init__(self) -> None:
        own = {member.attribute.name.lower() for member in self.configured}
        built_in = [
            Member(attribute, behaviour)
            for attribute, behaviour in (*object_builtins(self.category), *self._primitives())
            if attribute.name.lower() not in own
        ]
        members = (*self.configured, *built_in)
        object.__setattr__(self, "members", members)
        object.__setattr__(self, "attributes", tuple(member.attribute for member in members))
        object.__setattr__(self, "index", {member.attribute.name.lower(): member for member in members})

    def _primitives(self) -> Iterable[tuple[Attribute, Behaviour]]:
        for member in self.configured:
            yield from attribute_builtins(member.attribute)
