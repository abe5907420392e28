"""Fields and enum values that a gateway sends and this client's contract does not know.

They pass through untouched (CONTRACT "rules"); here they are counted, so that drift is seen and not guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

__all__ = ["Unknowns"]

#: Larger messages are pages of the Galaxy: their outer level is enough, the rest would cost more than it tells.
_WHOLE_BYTES = 65_536
#: Of a stream, so many messages at first are looked at, and then one in so many.
_FIRST, _EVERY = 200, 256


class Unknowns:
    """What was met so far.

    Attributes:
        fields: how often, by (message, field number): `("OpenSessionReply", 9)`.
        values: how often, by (enum, number): `("MxDataType", 99)`.
    """

    def __init__(self) -> None:
        self.fields: Counter[tuple[str, int]] = Counter()
        self.values: Counter[tuple[str, int]] = Counter()
        self._streamed = 0

    def __bool__(self) -> bool:
        return bool(self.fields or self.values)

    def __repr__(self) -> str:
        return f"Unknowns({'; '.join(self.sentences()) or 'none'})"

    def sentences(self) -> list[str]:
        """One line per unknown field or value, with what to do about it."""
        advice = "which this client's contract does not know: regenerate from the gateway's .proto files"
        lines = [f"the gateway sends field {number} of {name}, {advice}" for name, number in sorted(self.fields)]
        return lines + [f"the gateway sends {number} as {name}, {advice}" for name, number in sorted(self.values)]

    def look(self, message: object) -> None:
        """Count what is unknown in a reply; pages that are read as bytes are none."""
        if isinstance(message, Message):
            self._look(message, deep=message.ByteSize() <= _WHOLE_BYTES)

    def sample(self, message: Message) -> None:
        """Count what is unknown in a message of a stream, for some of them."""
        self._streamed += 1
        if self._streamed <= _FIRST or self._streamed % _EVERY == 0:
            self._look(message, deep=True)

    def _look(self, message: Message, *, deep: bool) -> None:
        for unknown in cast("Iterable[Any]", UnknownFieldSet(message)):
            self.fields[message.DESCRIPTOR.name, unknown.field_number] += 1
        for field, value in message.ListFields():
            if field.enum_type is not None:
                self._check(field.enum_type, value if _is_repeated(field, value) else (value,))
            elif deep and field.message_type is not None:
                for inner in value if _is_repeated(field, value) else (value,):
                    self._look(inner, deep=True)

    def _check(self, enum: EnumDescriptor, numbers: Iterable[int]) -> None:
        for number in numbers:
            if number not in enum.values_by_number:
                self.values[enum.name, number] += 1


def _is_repeated(field: FieldDescriptor, value: Any) -> bool:
    # `FieldDescriptor.label` is on its way out, and what replaces it is not in every release that is supported.
    return hasattr(value, "__len__") and not isinstance(value, Message | str | bytes)
