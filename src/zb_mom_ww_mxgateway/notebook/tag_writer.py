"""Reading and writing one tag for the write form, over what the notebook's gateway does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ..errors import GalaxyNotFoundError, MxGatewayAuthorizationError, MxGatewayError
from ..galaxy import GalaxyRepositoryClient
from ..generated import galaxy_repository_pb2 as galaxy_pb
from ..generated import mxaccess_gateway_pb2 as pb
from ..status import describe_status, is_failure
from ..values import MxValueInput, from_mx_value
from .galaxy_source import Call
from .galaxy_words import SECURED_WRITE, VERIFIED_WRITE
from .protocols import TagInfo, WriteOutcome
from .workbench import Workbench

__all__ = ["AsyncTagWriter"]

#: Milliseconds until a value must be there, and seconds until a write must be completed.
_READ_MS = 10_000
_WRITE_S = 30.0

# What a value of a Galaxy type is written as; enumerations and what is not listed go by the Python value.
_DATA_TYPES = {
    "Boolean": "boolean",
    "Integer": "integer",
    "Float": "float",
    "Double": "double",
    "String": "string",
    "Time": "time",
    "ElapsedTime": "elapsed_time",
    "ReferenceType": "reference_type",
    "InternationalizedString": "internationalized_string",
    "BigString": "big_string",
}


@dataclass(frozen=True, slots=True)
class _Declared:
    """What the Galaxy says of a tag."""

    data_type: str
    security: int
    array_length: int | None


class AsyncTagWriter:
    """A `TagWriter` over the async clients.

    Args:
        bench: what reads and writes.
        call: runs its coroutines.
        read_only_reason: why nothing may be written; None when it may.
        enum_labels: what an enumeration can be, by reference; the Galaxy service does not tell.
    """

    def __init__(
        self,
        bench: Workbench,
        call: Call,
        *,
        read_only_reason: str | None = None,
        enum_labels: dict[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._bench = bench
        self._call = call
        self._reason = read_only_reason
        self._labels = enum_labels or {}
        self._declared: dict[str, _Declared | None] = {}

    @property
    def read_only_reason(self) -> str | None:
        """Why nothing can be written; None when it can."""
        return self._reason

    def describe(self, tag: str) -> TagInfo:
        """The tag as it is now.

        Raises:
            MxGatewayError: the gateway cannot be asked.
        """
        return self._call(self._describe(tag))

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
        if self._reason is not None:
            return WriteOutcome(False, f"Not sent: {self._reason}", datetime.now(UTC))
        second = None if not verifier else (verifier, verifier_password or "")
        first = None if not user else (user, password or "")
        try:
            return self._call(self._write(tag, value, first, second))
        except MxGatewayError as error:
            return WriteOutcome(False, str(error), datetime.now(UTC))

    async def _describe(self, tag: str) -> TagInfo:
        declared = await self._declaration(tag)
        result = (await self._bench.read([tag], _READ_MS))[0]
        value = from_mx_value(result.value) if result.was_successful else None
        return TagInfo(
            tag=tag,
            value=value,
            quality=result.quality if result.was_successful else None,
            data_type=declared.data_type if declared is not None else "",
            security=declared.security if declared is not None else None,
            array_length=declared.array_length if declared is not None else None,
            enum_labels=self._labels.get(tag, ()),
            problem="" if result.was_successful else _why(result),
        )

    async def _write(
        self, tag: str, value: MxValueInput, user: tuple[str, str] | None, verifier: tuple[str, str] | None
    ) -> WriteOutcome:
        declared = await self._declaration(tag)
        data_type = _DATA_TYPES.get(declared.data_type) if declared is not None else None
        secured = declared is not None and declared.security in (SECURED_WRITE, VERIFIED_WRITE)
        if user is None:
            if secured:
                return WriteOutcome(False, "Not sent: a secured write needs a user", datetime.now(UTC))
            done = await self._bench.write(tag, value, data_type, 0, _WRITE_S)
        else:
            done = await self._bench.write_secured(tag, value, user, verifier, data_type, _WRITE_S)
        return WriteOutcome(done.ok, done.said, done.at)

    async def _declaration(self, tag: str) -> _Declared | None:
        """What the Galaxy says of a tag; None when it does not know it, or may not be asked. Asked once."""
        if tag not in self._declared:
            try:
                self._declared[tag] = await _declared(self._bench.galaxy, tag)
            except (GalaxyNotFoundError, MxGatewayAuthorizationError):
                self._declared[tag] = None
        return self._declared[tag]


async def _declared(galaxy: GalaxyRepositoryClient, tag: str) -> _Declared | None:
    owner, _, name = tag.partition(".")
    # "Name[]" is the array, "Name[3]" one element of it.
    base, bracket, element = name.partition("[")
    whole = not bracket or element == "]"
    for item in await galaxy.discover_hierarchy(root_tag_name=owner, max_depth=0):
        for attribute in item.attributes:
            if attribute.attribute_name.lower() == base.lower():
                return _of(attribute, whole)
    return None


def _of(attribute: galaxy_pb.GalaxyAttribute, whole: bool) -> _Declared:
    length = attribute.array_dimension if attribute.array_dimension_present else 0
    is_array = attribute.is_array and whole
    return _Declared(attribute.data_type_name, attribute.security_classification, length if is_array else None)


def _why(result: pb.BulkReadResult) -> str:
    said = [describe_status(status) for status in result.statuses if is_failure(status)]
    if result.error_message:
        said.insert(0, result.error_message)
    return "; ".join(said) or "the gateway gave no reason"
