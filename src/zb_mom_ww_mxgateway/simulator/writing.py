"""The write commands: accepted or refused at once, completed by an event later (CONTRACT.md "writes")."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .commands import Call, Commands
from .conversion import CoercionError, coerce, read_value, timestamp
from .model import Security, Tag
from .replies import (
    INVALID_ARGUMENT,
    NOT_AUTHENTICATED,
    OK_STATUS,
    InvalidRequestError,
    MxFailureError,
    NotAllowedError,
    status,
)
from .sessions import SECOND, Item, Session

__all__ = ["Writing", "Written"]

# Details of statuses as MXAccess numbers them: wrong type or range, no permission, cannot be written.
_WRONG_TYPE, _NO_PERMISSION, _READ_ONLY = 1007, 1008, 1010


#: So many writes are remembered for a test to look at.
_REMEMBERED_WRITES = 10_000


@dataclass(frozen=True, slots=True)
class Written:
    """A write that the plant took.

    Args:
        session_id: whose.
        reference: as the Galaxy spells it.
        value: in the attribute's type.
        time_us: its source time.
        user: in whose name; empty for an anonymous write.
    """

    session_id: str
    reference: str
    value: object
    time_us: int
    user: str


class Writing:
    """Handlers of the write commands, by the name of the payload."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        #: The last writes that the plant took, oldest first.
        self.written: deque[Written] = deque(maxlen=_REMEMBERED_WRITES)

    def write(self, call: Call) -> None:
        """Write a value."""
        payload = call.payload
        self._plain(call, self._commands.item(call), payload.value, payload.user_id)

    def write2(self, call: Call) -> None:
        """Write a value with its time."""
        payload = call.payload
        self._plain(call, self._commands.item(call), payload.value, payload.user_id, payload.timestamp_value)

    def write_secured(self, call: Call) -> None:
        """Write a value in the name of a user."""
        self._secured(call, self._commands.item(call), call.payload)

    write_secured2 = write_secured

    def write_bulk(self, call: Call) -> None:
        """Write many values."""
        self._bulk(call, call.reply.write_bulk, lambda item, entry: self._plain(call, item, entry.value, entry.user_id))

    def write2_bulk(self, call: Call) -> None:
        """Write many values with their times."""
        self._bulk(
            call,
            call.reply.write2_bulk,
            lambda item, entry: self._plain(call, item, entry.value, entry.user_id, entry.timestamp_value),
        )

    def write_secured_bulk(self, call: Call) -> None:
        """Write many values in the names of users."""
        self._bulk(call, call.reply.write_secured_bulk, lambda item, entry: self._secured(call, item, entry))

    def write_secured2_bulk(self, call: Call) -> None:
        """Write many values in the names of users, with their times."""
        self._bulk(call, call.reply.write_secured2_bulk, lambda item, entry: self._secured(call, item, entry))

    def _plain(self, call: Call, item: Item, value: pb.MxValue, user_id: int, moment: pb.MxValue | None = None) -> None:
        """A user id counts only after a supervisory advise; else the write is anonymous."""
        known = item.supervisory and user_id in self._commands.registration(call).users
        user = self._commands.users.name_of(user_id) if known else ""
        needs_users = item.tag is not None and item.tag.attribute.security in (
            Security.SECURED_WRITE,
            Security.VERIFIED_WRITE,
        )
        refusal = (
            status(
                pb.MX_STATUS_CATEGORY_SECURITY_ERROR,
                _NO_PERMISSION,
                f"{item.reference} takes secured writes only",
            )
            if needs_users
            else None
        )
        self._accept(call, item, value, moment, user, refusal)

    def _secured(self, call: Call, item: Item, entry: Any) -> None:
        users = self._commands.registration(call).users
        if entry.current_user_id not in users:
            raise MxFailureError(
                NOT_AUTHENTICATED,
                f"user id {entry.current_user_id} is not authenticated in this registration",
                pb.MX_STATUS_CATEGORY_SECURITY_ERROR,
                _NO_PERMISSION,
            )
        refusal = None
        if item.tag is not None and item.tag.attribute.security is Security.VERIFIED_WRITE:
            verifier = entry.verifier_user_id
            if verifier not in users or verifier == entry.current_user_id:
                refusal = status(
                    pb.MX_STATUS_CATEGORY_SECURITY_ERROR,
                    _NO_PERMISSION,
                    f"{item.reference} needs a verifier who is another authenticated user",
                )
        moment = entry.timestamp_value if "timestamp_value" in entry.DESCRIPTOR.fields_by_name else None
        self._accept(call, item, entry.value, moment, self._commands.users.name_of(entry.current_user_id), refusal)

    def _accept(
        self,
        call: Call,
        item: Item,
        value: pb.MxValue,
        moment: pb.MxValue | None,
        user: str,
        refusal: pb.MxStatusProxy | None,
    ) -> None:
        """Refuse what MXAccess refuses at once; the rest is completed by an event."""
        if not item.advised:
            raise MxFailureError(INVALID_ARGUMENT, f"item handle {item.handle} is not advised: advise it first")
        if value.WhichOneof("kind") is None and not value.is_null:
            raise MxFailureError(INVALID_ARGUMENT, "the write has no value")
        tag, key = item.tag, call.key
        if key is not None and tag is not None and not key.may_write(tag, self._commands.path(tag)):
            raise NotAllowedError(f"the API key may not write {item.reference!r}")
        if tag is not None and value.WhichOneof("kind") == "sparse_array_value":
            _check_sparse(value.sparse_array_value, tag)
        if moment is not None and moment.WhichOneof("kind") not in ("timestamp_value", None):
            raise MxFailureError(INVALID_ARGUMENT, "the timestamp is not a time")
        kept = pb.MxValue()
        kept.CopyFrom(value)
        at_us = None if moment is None or moment.WhichOneof("kind") is None else _micros(moment)
        clock = self._commands.clock
        due = clock.now_us() + round(self._commands.limits.write_delay * SECOND)
        session = call.session
        clock.call_at(due, lambda: self._complete(session, item, kept, at_us, user, refusal))

    def _complete(
        self,
        session: Session,
        item: Item,
        value: pb.MxValue,
        at_us: int | None,
        user: str,
        refusal: pb.MxStatusProxy | None,
    ) -> None:
        """Do the write and say what came of it; the data change follows the completion."""
        if session.state != pb.SESSION_STATE_READY:
            # The worker that had the write in hand is gone.
            return
        commands = self._commands
        now = commands.clock.now_us()
        said, coerced = (refusal, None) if refusal is not None else _judge(item, value)
        event = pb.MxEvent(
            family=pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE,
            session_id=session.id,
            server_handle=item.server_handle,
            item_handle=item.handle,
            statuses=[said],
            worker_timestamp=timestamp(now),
            gateway_receive_timestamp=timestamp(now + 400),
            hresult=0,
        )
        event.on_write_complete.SetInParent()
        if item.handle in session.items:
            session.log.append(event, now)
        if said.category == pb.MX_STATUS_CATEGORY_OK and item.tag is not None:
            when = self._not_before_the_last(item.tag, now if at_us is None else min(at_us, now))
            self.written.append(Written(session.id, item.tag.reference, coerced, when, user))
            commands.plant.write(item.tag, coerced, when)

    def _not_before_the_last(self, tag: Tag, at_us: int) -> int:
        """The time of a write; what was written last counts, even with an earlier time."""
        whole = tag.reference if tag.element is None else f"{tag.reference.rpartition('[')[0]}[]"
        earlier = self._commands.plant.writes(whole)()
        return max(at_us, earlier[-1][0]) if earlier else at_us

    def _bulk(self, call: Call, reply: pb.BulkWriteReply, one: Callable[[Item, Any], None]) -> None:
        registration = self._commands.registration(call)
        entries: Sequence[Any] = call.payload.entries
        self._commands.check_bulk(entries)
        reply.SetInParent()
        for entry in entries:
            result = reply.results.add(server_handle=registration.handle, item_handle=entry.item_handle)
            try:
                one(self._commands.item_of(call, entry.item_handle), entry)
            except MxFailureError as error:
                result.hresult = error.hresult
                result.error_message = str(error)
                result.statuses.append(status(error.category, error.detail, str(error)))
            except InvalidRequestError as error:
                result.hresult = INVALID_ARGUMENT
                result.error_message = str(error)
            else:
                result.was_successful = True
                result.hresult = 0
                result.statuses.append(OK_STATUS)


def _check_sparse(sparse: pb.MxSparseArray, tag: Tag) -> None:
    """The gateway expands a sparse array before the worker sees it, so it is the one to refuse a bad one.

    Raises:
        InvalidRequestError: it does not fit the attribute.
    """
    length = tag.attribute.array_length
    if length is None or tag.element is not None:
        raise InvalidRequestError(f"a sparse array cannot be written to {tag.reference}, which is no array")
    if sparse.total_length != length:
        raise InvalidRequestError(f"total_length is {sparse.total_length}, but {tag.reference} has {length} elements")
    indices = [element.index for element in sparse.elements]
    outside = next((index for index in indices if index >= length), None)
    if outside is not None:
        raise InvalidRequestError(f"index {outside} is outside 0 to {length - 1}")
    if len(set(indices)) < len(indices):
        raise InvalidRequestError("an index of the sparse array is named twice")


def _judge(item: Item, value: pb.MxValue) -> tuple[pb.MxStatusProxy, Any]:
    """What the plant says to a value, and the value in the attribute's type."""
    tag = item.tag
    if tag is None:
        text = f"the reference {item.reference!r} cannot be resolved"
        return status(pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR, 6, text), None
    if not tag.attribute.writeable or tag.attribute.security is Security.VIEW_ONLY:
        text = f"{tag.reference} cannot be written"
        source = pb.MX_STATUS_SOURCE_RESPONDING_AUTOMATION_OBJECT
        return status(pb.MX_STATUS_CATEGORY_OPERATIONAL_ERROR, _READ_ONLY, text, source), None
    try:
        return OK_STATUS, coerce(value, tag.attribute, element=tag.element is not None)
    except CoercionError as error:
        source = pb.MX_STATUS_SOURCE_RESPONDING_AUTOMATION_OBJECT
        return status(pb.MX_STATUS_CATEGORY_OPERATIONAL_ERROR, _WRONG_TYPE, str(error), source), None


def _micros(moment: pb.MxValue) -> int:
    micros: int = round(read_value(moment).timestamp() * SECOND)
    return micros
