"""What the widgets ask of a gateway: two small blocking interfaces, and the rows that they return.

The widgets know these and nothing else, so that they work over the blocking facade, over the async clients
(`galaxy_source`, `tag_writer`), and over a few lines in a test. The methods are called one at a time, on the kernel's
main thread or on that of a subshell: a recent JupyterLab hears widgets there while a cell is running.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from ..values import MxValueInput

__all__ = [
    "AttributeRow",
    "GalaxyTree",
    "Match",
    "Matches",
    "ObjectKind",
    "TagInfo",
    "TagWriter",
    "TreeRow",
    "WriteOutcome",
]

#: What an object is, as far as the tree draws it.
ObjectKind = Literal["area", "machine", "engine", "platform", "device"]


@dataclass(frozen=True, slots=True)
class TreeRow:
    """An object of the Galaxy, as one row of a tree.

    Attributes:
        gobject_id: its key; stays the same over deploys.
        name: what to show: the contained name where there is one.
        tag_name: unique in the Galaxy; references start with it.
        kind: what it is.
        has_children: whether it can be expanded.
    """

    gobject_id: int
    name: str
    tag_name: str
    kind: ObjectKind
    has_children: bool


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """An attribute of an object.

    Attributes:
        name: of the attribute.
        reference: `full_tag_reference`, what a command takes.
        data_type: the Galaxy's name of its type, such as "Float".
        array_length: None for a scalar; 0 for an array whose length the Galaxy does not tell.
        security: its security classification in words, such as "Operate".
        alarm: whether it raises an alarm.
        historized: whether its values are kept in the historian.
    """

    name: str
    reference: str
    data_type: str
    array_length: int | None
    security: str
    alarm: bool
    historized: bool


@dataclass(frozen=True, slots=True)
class Match:
    """What a search has found: an object, or one of its attributes.

    Attributes:
        item: the object.
        attribute: the attribute; None when the object itself was found.
        path: the ids from the root down to the object.
        names: the names of the same objects.
    """

    item: TreeRow
    attribute: AttributeRow | None
    path: tuple[int, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """What a search has found.

    Attributes:
        found: in the order to show.
        note: why there may be more; empty when this is all.
    """

    found: tuple[Match, ...]
    note: str = ""


class GalaxyTree(Protocol):
    """A Galaxy to walk through. Every method may raise a `MxGatewayError`."""

    def roots(self) -> Sequence[TreeRow]:
        """The objects at the top."""
        ...

    def children(self, gobject_id: int) -> Sequence[TreeRow]:
        """The objects below one, areas first."""
        ...

    def attributes(self, gobject_id: int) -> Sequence[AttributeRow]:
        """The attributes of an object."""
        ...

    def search(self, text: str, limit: int) -> Matches:
        """Objects and attributes whose names hold `text`, or match it where it has `*` or `?`; in any case."""
        ...

    def refresh(self) -> None:
        """Forget what is remembered: the Galaxy may have been deployed."""
        ...


@dataclass(frozen=True, slots=True)
class TagInfo:
    """A tag as it is now.

    Attributes:
        tag: its reference.
        value: the current value; None when there is none.
        quality: the OPC quality byte; None when the tag cannot be read.
        data_type: the Galaxy's name of its type; empty when it is not known.
        security: the number of its security classification (0 free access … 6 view only); None when not known.
        array_length: None for a scalar; 0 for an array of unknown length.
        enum_labels: what an enumeration can be; empty when it is none, or its labels are not known.
        problem: why the value cannot be read; empty when it can.
    """

    tag: str
    value: MxValueInput
    quality: int | None
    data_type: str = ""
    security: int | None = None
    array_length: int | None = None
    enum_labels: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What came of a write.

    Attributes:
        ok: whether the plant took it.
        text: what the plant, or the gateway, said.
        at: when (aware).
    """

    ok: bool
    text: str
    at: datetime


class TagWriter(Protocol):
    """Reads and writes one tag at a time.

    Attributes:
        read_only_reason: why nothing can be written; None when it can.
    """

    @property
    def read_only_reason(self) -> str | None:
        """Why nothing can be written; None when it can."""
        ...

    def describe(self, tag: str) -> TagInfo:
        """The tag as it is now. May raise a `MxGatewayError`."""
        ...

    def write(
        self,
        tag: str,
        value: MxValueInput,
        *,
        user: str | None = None,
        password: str | None = None,
        verifier: str | None = None,
        verifier_password: str | None = None,
    ) -> WriteOutcome:
        """Write, and wait for what the plant says. A refusal is an outcome, never an error."""
        ...
