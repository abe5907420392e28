"""The write commands: accepted or refused at once, completed by an event later (CONTRACT.md "writes")."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .commands import Call, Commands
from .conversion import CoercionError, coerce, read_value, timestamp
from .model import Security
from .replies import INVALID_ARGUMENT, NOT_AUTHENTICATED, OK_STATUS, MxFailureError, status
from .sessions import SECOND, Item, Session

__all__ = ["Writing"]

# Details of statuses as MXAccess numbers them: wrong type or range, no permission, cannot be written.
_WRONG_TYPE, _NO_PERMISSION, _READ_ONLY = 1007, 1008, 1010


class Writing:
    """Handlers of the write commands, by the name of the payload."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

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
        user = self._commands.users.name_of(user_id) if item.supervisory else ""
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
            raise MxFailureError(
                INVALID_ARGUMENT, f"the API key may not write {item.reference!r}", pb.MX_STATUS_CATEGORY_SECURITY_ERROR
            )
        if moment is not None and moment.WhichOneof("kind") not in ("timestamp_value", None):
            raise MxFailureError(INVALID_ARGUMENT, "the timestamp is not a time")
        kept = pb.MxValue()
        kept.CopyFrom(value)
        at_us = None if moment is None or moment.WhichOneof("kind") is None else _micros(moment)
        clock = self._commands.clock
        due = clock.now_us() + round(self._commands.limits.write_delay * SECOND)
        session = call.session
        clock.call_at(due, lambda: self._complete(session, item, kept, at_us, refusal))

    def _complete(
        self,
        session: Session,
        item: Item,
        value: pb.MxValue,
        at_us: int | None,
        refusal: pb.MxStatusProxy | None,
    ) -> None:
        """Do the write and say what came of it; the data change follows the completion."""
        if session.state != pb.SESSION_STATE_READY or item.handle not in session.items:
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
        session.log.append(event, now)
        if said.category == pb.MX_STATUS_CATEGORY_OK and item.tag is not None:
            commands.plant.write(item.tag, coerced, now if at_us is None else min(at_us, now))

    def _bulk(self, call: Call, reply: pb.BulkWriteReply, one: Callable[[Item, Any], None]) -> None:
        registration = self._commands.registration(call)
        entries: Iterable[Any] = call.payload.entries
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
            else:
                result.was_successful = True
                result.hresult = 0
                result.statuses.append(OK_STATUS)


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
