"""The commands of `Invoke` that register, add, advise and control (CONTRACT.md "commands", "bulk")."""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Any

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .buffering import Buffering
from .clock import Clock
from .gateway_limits import Limits
from .keys import ApiKey
from .model import Tag
from .plant import Plant
from .randomness import pick, stable_key
from .replies import (
    INVALID_ARGUMENT,
    OK_STATUS,
    BulkTooLargeError,
    InvalidRequestError,
    MxFailureError,
    NotAllowedError,
    status,
)
from .sessions import SECOND, Item, Registration, Session
from .updates import Updates
from .users import Users

__all__ = ["Call", "Commands", "integer"]


@dataclass(slots=True)
class Call:
    """One command under way."""

    session: Session
    key: ApiKey | None
    request: pb.MxCommandRequest
    reply: pb.MxCommandReply

    @property
    def payload(self) -> Any:
        """The command's message."""
        return getattr(self.request.command, self.request.command.WhichOneof("payload") or "")


class Commands:
    """Handlers by the name of the payload.

    Each fills in the reply, or raises `MxFailureError` or `InvalidRequestError`.
    """

    def __init__(self, plant: Plant, clock: Clock, limits: Limits, updates: Updates, buffering: Buffering) -> None:
        self.plant = plant
        self.clock = clock
        self.limits = limits
        self.updates = updates
        self.buffering = buffering
        self.users = Users(plant.seed)

    # Registrations and items ----------------------------------------------------------------------------------------

    def register(self, call: Call) -> None:
        """A new server handle."""
        if not call.payload.client_name:
            raise InvalidRequestError("register needs a client_name")
        registration = Registration(call.session.next_handle(), call.payload.client_name)
        call.session.registrations[registration.handle] = registration
        call.reply.register.server_handle = registration.handle
        call.reply.return_value.CopyFrom(integer(registration.handle))

    def unregister(self, call: Call) -> None:
        """Give a registration back, with its items."""
        registration = self.registration(call)
        for item in [each for each in call.session.items.values() if each.server_handle == registration.handle]:
            self._remove(call.session, item)
        del call.session.registrations[registration.handle]

    def add_item(self, call: Call) -> None:
        """A new item."""
        call.reply.add_item.item_handle = self._added(call, call.payload.item_definition).handle
        call.reply.return_value.CopyFrom(integer(call.reply.add_item.item_handle))

    def add_item2(self, call: Call) -> None:
        """A new item, relative to a context."""
        item = self._added(call, _in_context(call.payload))
        call.reply.add_item2.item_handle = item.handle
        call.reply.return_value.CopyFrom(integer(item.handle))

    def add_buffered_item(self, call: Call) -> None:
        """A new item whose changes come together."""
        item = self._added(call, _in_context(call.payload))
        item.buffered = True
        call.reply.add_buffered_item.item_handle = item.handle
        call.reply.return_value.CopyFrom(integer(item.handle))

    def set_buffered_update_interval(self, call: Call) -> None:
        """How long buffered items collect."""
        milliseconds = call.payload.update_interval_milliseconds
        if milliseconds < 1:
            raise MxFailureError(INVALID_ARGUMENT, f"an update interval of {milliseconds} ms is not possible")
        self.registration(call).buffered_interval_us = milliseconds * 1000

    def remove_item(self, call: Call) -> None:
        """Remove an item."""
        self._remove(call.session, self.item(call))

    def advise(self, call: Call) -> None:
        """Send the item's changes."""
        self._advise(call.session, self.item(call))

    def un_advise(self, call: Call) -> None:
        """Send them no more."""
        self._unadvise(self.item(call))

    def advise_supervisory(self, call: Call) -> None:
        """Send the item's changes, on behalf of a user."""
        item = self.item(call)
        item.supervisory = True
        self._advise(call.session, item)

    def suspend(self, call: Call) -> None:
        """Hold back the changes of an advised item."""
        item = self._advised(call)
        self.updates.suspend(item)
        call.reply.suspend.status.CopyFrom(status(pb.MX_STATUS_CATEGORY_PENDING, text="suspended"))

    def activate(self, call: Call) -> None:
        """Send the changes of a suspended item again."""
        item = self._advised(call)
        if item.suspended:
            self.updates.activate(call.session, item)
        call.reply.activate.status.CopyFrom(OK_STATUS)

    # Bulk -----------------------------------------------------------------------------------------------------------

    def add_item_bulk(self, call: Call) -> None:
        """Add many items."""
        self._over_addresses(call, call.reply.add_item_bulk, lambda item: None)

    def subscribe_bulk(self, call: Call) -> None:
        """Add and advise many items."""
        self._over_addresses(call, call.reply.subscribe_bulk, lambda item: self._advise(call.session, item))

    def advise_item_bulk(self, call: Call) -> None:
        """Advise many items."""
        self._over_handles(call, call.reply.advise_item_bulk, lambda item: self._advise(call.session, item))

    def un_advise_item_bulk(self, call: Call) -> None:
        """Advise many items no more."""
        self._over_handles(call, call.reply.un_advise_item_bulk, self._unadvise)

    def remove_item_bulk(self, call: Call) -> None:
        """Remove many items."""
        self._over_handles(call, call.reply.remove_item_bulk, lambda item: self._remove(call.session, item))

    def unsubscribe_bulk(self, call: Call) -> None:
        """Advise many items no more, and remove them."""
        self._over_handles(call, call.reply.unsubscribe_bulk, lambda item: self._remove(call.session, item))

    # What they share ------------------------------------------------------------------------------------------------

    def registration(self, call: Call) -> Registration:
        """The registration that a command names."""
        found = call.session.registrations.get(call.payload.server_handle)
        if found is None:
            raise MxFailureError(INVALID_ARGUMENT, f"server handle {call.payload.server_handle} is not registered")
        return found

    def item(self, call: Call) -> Item:
        """The item that a command names."""
        return self.item_of(call, call.payload.item_handle)

    def item_of(self, call: Call, handle: int) -> Item:
        """An item of the command's registration."""
        registration = self.registration(call)
        item = call.session.items.get(handle)
        if item is None or item.server_handle != registration.handle:
            raise MxFailureError(INVALID_ARGUMENT, f"item handle {handle} is not known to this registration")
        return item

    def forget(self, session: Session) -> None:
        """Stop everything that goes on for a session that has ended."""
        for item in list(session.items.values()):
            self._remove(session, item)

    def add(self, session: Session, key: ApiKey | None, server_handle: int, reference: str) -> Item:
        """Add an item. MXAccess takes any reference; the key may not."""
        tag = self.plant.resolve(reference)
        if key is not None:
            allowed = key.may_read(reference, ()) if tag is None else key.may_read(tag.reference, self.path(tag))
            if not allowed:
                raise NotAllowedError(f"the API key may not read {reference!r}")
        item = Item(server_handle, session.next_handle(), reference, tag)
        session.items[item.handle] = item
        return item

    def path(self, tag: Tag) -> list[str]:
        """The names of a tag's object and of all above it."""
        names = []
        here = self.plant.by_id(tag.object.gobject_id)
        while here is not None:
            names += [here.tag_name, here.contained_name]
            here = self.plant.by_id(here.parent_id)
        return names

    def check_bulk(self, entries: Sized) -> None:
        """Refuse more entries than a bulk command may have."""
        if len(entries) > self.limits.max_bulk:
            raise BulkTooLargeError(
                f"{len(entries)} entries are more than the {self.limits.max_bulk} of a bulk command"
            )

    def delay_us(self, session: Session) -> int:
        """How long an advise takes to its first value: names are bound slowly in a fresh session."""
        if session.warm:
            return round(self.limits.value_delay * SECOND)
        delay = self.limits.first_value_delay
        if isinstance(delay, tuple):
            delay = pick(stable_key(self.plant.seed, "first value", session.id), 0, *delay)
        return round(delay * SECOND)

    def remove(self, session: Session, item: Item) -> None:
        """Remove an item that was added for a moment."""
        self._remove(session, item)

    def _added(self, call: Call, reference: str) -> Item:
        if not reference:
            raise MxFailureError(INVALID_ARGUMENT, "an empty reference")
        return self.add(call.session, call.key, self.registration(call).handle, reference)

    def _advised(self, call: Call) -> Item:
        item = self.item(call)
        if not item.advised:
            raise MxFailureError(INVALID_ARGUMENT, f"item handle {item.handle} is not advised")
        return item

    def _advise(self, session: Session, item: Item) -> None:
        if not item.advised:
            self.updates.advise(session, item, self.delay_us(session), self.limits.initial_quality)

    def _unadvise(self, item: Item) -> None:
        self.updates.unadvise(item)
        self.buffering.forget(item)

    def _remove(self, session: Session, item: Item) -> None:
        self._unadvise(item)
        session.items.pop(item.handle, None)

    def _over_addresses(self, call: Call, reply: pb.BulkSubscribeReply, then: Callable[[Item], None]) -> None:
        registration = self.registration(call)
        self.check_bulk(call.payload.tag_addresses)
        reply.SetInParent()
        for address in call.payload.tag_addresses:
            result = reply.results.add(server_handle=registration.handle, tag_address=address)
            try:
                item = self._added(call, address)
                then(item)
            except MxFailureError as error:
                result.error_message = str(error)
            else:
                result.item_handle = item.handle
                result.was_successful = True

    def _over_handles(self, call: Call, reply: pb.BulkSubscribeReply, then: Callable[[Item], None]) -> None:
        registration = self.registration(call)
        self.check_bulk(call.payload.item_handles)
        reply.SetInParent()
        for handle in call.payload.item_handles:
            result = reply.results.add(server_handle=registration.handle, item_handle=handle)
            try:
                item = self.item_of(call, handle)
                result.tag_address = item.reference
                then(item)
            except MxFailureError as error:
                result.error_message = str(error)
            else:
                result.was_successful = True


def integer(number: int) -> pb.MxValue:
    """A number as MXAccess returns one."""
    return pb.MxValue(data_type=pb.MX_DATA_TYPE_INTEGER, variant_type="VT_I4", int32_value=number)


def _in_context(payload: Any) -> str:
    reference: str = payload.item_definition
    return f"{payload.item_context}.{reference}" if payload.item_context and reference else reference
