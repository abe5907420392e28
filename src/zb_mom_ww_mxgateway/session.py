"""A session: one MXAccess instance behind the gateway, with its handles and its events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeVar

from google.protobuf.message import Message

from .connection import Connection, Method, new_correlation_id
from .errors import (
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewayReplayGapError,
    MxGatewaySessionError,
    check_reply,
)
from .generated import mxaccess_gateway_pb2 as pb
from .values import MxValueInput, to_mx_value

if TYPE_CHECKING:
    from .streams import MessageStream

__all__ = ["MAX_BULK_ITEMS", "Session"]

_log = logging.getLogger(__name__)

#: Entries in one bulk command (CONTRACT: the gateway's cap is not known, 1,000 is used).
MAX_BULK_ITEMS = 1000

_SERVICE = "mxaccess_gateway.v1.MxAccessGateway"
INVOKE = Method(f"{_SERVICE}/Invoke", pb.MxCommandReply)
CLOSE_SESSION = Method(f"{_SERVICE}/CloseSession", pb.CloseSessionReply)
STREAM_EVENTS = Method(f"{_SERVICE}/StreamEvents", pb.MxEvent)

PayloadT = TypeVar("PayloadT", bound=Message)


class Session:
    """A session of the gateway. `GatewayClient.open_session` opens one, `GatewayClient.session` finds one by its id.

    Handles (server and item handles) are numbers that the gateway gave out; they mean something in this session only.

    Attributes:
        session_id: the gateway's id of the session.
        reply: the raw `OpenSessionReply`; None when the session was found by its id.
    """

    def __init__(self, connection: Connection, session_id: str, reply: pb.OpenSessionReply | None = None) -> None:
        self.session_id = session_id
        self.reply = reply
        self._connection = connection
        self._closing: asyncio.Task[pb.CloseSessionReply] | None = None

    def __repr__(self) -> str:
        return f"Session({self.session_id!r}{', closed' if self.closed else ''})"

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closing is not None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.close()
        except MxGatewayError as close_error:
            if error is None:
                raise
            # The error that ended the block matters more than the one of tidying up after it.
            _log.warning("closing %s failed: %s", self.session_id, close_error)

    async def close(self) -> None:
        """Close the session on the gateway. Idempotent, and safe under concurrent calls: one call is made.

        Raises:
            MxGatewayError: the gateway could not be told; it ends the session when its lease runs out.
        """
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> pb.CloseSessionReply:
        request = pb.CloseSessionRequest(session_id=self.session_id, client_correlation_id=new_correlation_id())
        return await self._connection.unary(CLOSE_SESSION, request, correlation_id=request.client_correlation_id)

    # Registration and items -----------------------------------------------------------------------------------------

    async def register(self, client_name: str, *, correlation_id: str = "") -> int:
        """Register a client with MXAccess and return its server handle."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_REGISTER,
            register=pb.RegisterCommand(client_name=_named(client_name, "client_name")),
        )
        reply = await self._payload(command, "register", pb.RegisterReply, correlation_id)
        return _handle(reply.server_handle, "register", reply)

    async def add_item(self, server_handle: int, item: str, *, correlation_id: str = "") -> int:
        """Add an item by its reference ("Object.Attribute") and return its item handle.

        MXAccess accepts an unknown reference here; a status says so when the item is advised.
        """
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_ADD_ITEM,
            add_item=pb.AddItemCommand(server_handle=server_handle, item_definition=_named(item, "item")),
        )
        reply = await self._payload(command, "add_item", pb.AddItemReply, correlation_id)
        return _handle(reply.item_handle, "add_item", reply)

    async def add_item2(self, server_handle: int, item: str, context: str, *, correlation_id: str = "") -> int:
        """Add an item by a reference relative to `context` and return its item handle."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_ADD_ITEM2,
            add_item2=pb.AddItem2Command(
                server_handle=server_handle, item_definition=_named(item, "item"), item_context=context
            ),
        )
        reply = await self._payload(command, "add_item2", pb.AddItem2Reply, correlation_id)
        return _handle(reply.item_handle, "add_item2", reply)

    async def advise(self, server_handle: int, item_handle: int, *, correlation_id: str = "") -> None:
        """Ask for the item's data changes. The first one can take 3 to 8 s on a fresh session."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_ADVISE,
            advise=pb.AdviseCommand(server_handle=server_handle, item_handle=item_handle),
        )
        await self._command(command, correlation_id)

    async def subscribe_bulk(
        self, server_handle: int, tag_addresses: Sequence[str], *, correlation_id: str = ""
    ) -> list[pb.SubscribeResult]:
        """Add and advise many items; one result per address, in order.

        A refused address is a result with `was_successful` false and item handle 0, which is not a handle. More than
        `MAX_BULK_ITEMS` addresses are sent as several commands.
        """
        addresses = [_named(address, "tag address") for address in tag_addresses]
        if not addresses:
            raise ValueError("no tag addresses: give at least one")
        results: list[pb.SubscribeResult] = []
        for start in range(0, len(addresses), MAX_BULK_ITEMS):
            part = addresses[start : start + MAX_BULK_ITEMS]
            command = pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_SUBSCRIBE_BULK,
                subscribe_bulk=pb.SubscribeBulkCommand(server_handle=server_handle, tag_addresses=part),
            )
            reply = await self._payload(command, "subscribe_bulk", pb.BulkSubscribeReply, correlation_id)
            if len(reply.results) != len(part):
                raise MxGatewayCommandError(
                    f"subscribe_bulk of {len(part)} addresses was answered with {len(reply.results)} results",
                    reply=reply,
                )
            results.extend(reply.results)
        return results

    async def write(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput,
        user_id: int = 0,
        *,
        data_type: str | int | None = None,
        correlation_id: str = "",
    ) -> None:
        """Write a value to an advised item. Never retried.

        An OK reply means accepted; the result is an OnWriteComplete event.

        Args:
            server_handle: of the registration.
            item_handle: of an item that is advised.
            value: see `values`.
            user_id: counts only after a supervisory advise.
            data_type: what Python cannot tell, see `to_mx_value`.
            correlation_id: empty for a fresh one.
        """
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_WRITE,
            write=pb.WriteCommand(
                server_handle=server_handle,
                item_handle=item_handle,
                value=to_mx_value(value, data_type=data_type),
                user_id=user_id,
            ),
        )
        await self._command(command, correlation_id)

    # Events ---------------------------------------------------------------------------------------------------------

    def stream_events(
        self,
        *,
        after_worker_sequence: int = 0,
        on_replay_gap: Literal["raise", "yield"] = "raise",
        timeout: float | None = None,
    ) -> MessageStream[pb.MxEvent]:
        """The session's events in native order: `async for event in session.stream_events()`.

        The stream starts with the first event that is asked for; what the gateway had queued comes as a burst.

        Args:
            after_worker_sequence: 0 for a fresh stream; else the last sequence seen, to resume after it.
            on_replay_gap: "raise" a `MxGatewayReplayGapError` when events in between are no longer kept, or "yield"
                the gateway's sentinel event (`replay_gap` set, no body).
            timeout: seconds until the stream ends with a timeout; None is the options' `stream_timeout`.
        """
        self._check_open()
        if after_worker_sequence < 0:
            raise ValueError(f"after_worker_sequence={after_worker_sequence} must be 0 or more")
        request = pb.StreamEventsRequest(session_id=self.session_id, after_worker_sequence=after_worker_sequence)
        check = _raise_replay_gap if on_replay_gap == "raise" else None
        return self._connection.stream(STREAM_EVENTS, request, timeout=timeout, check=check)

    # Calls ----------------------------------------------------------------------------------------------------------

    async def invoke_raw(self, command: pb.MxCommand, *, correlation_id: str = "") -> pb.MxCommandReply:
        """Send any command and return its reply unchecked: failures of MXAccess are in the reply."""
        self._check_open()
        request = pb.MxCommandRequest(
            session_id=self.session_id,
            client_correlation_id=correlation_id or new_correlation_id(),
            command=command,
        )
        return await self._connection.unary(INVOKE, request, correlation_id=request.client_correlation_id)

    async def _command(self, command: pb.MxCommand, correlation_id: str) -> pb.MxCommandReply:
        reply = await self.invoke_raw(command, correlation_id=correlation_id)
        check_reply(reply, what=_describe(command), api_key=self._connection.options.api_key)
        return reply

    async def _payload(self, command: pb.MxCommand, name: str, kind: type[PayloadT], correlation_id: str) -> PayloadT:
        """The payload of a good reply; a reply that says OK without it is an error, never a default."""
        reply = await self._command(command, correlation_id)
        if reply.WhichOneof("payload") != name:
            raise MxGatewayCommandError(
                f"{_describe(command)} was answered OK, but without its {name} payload",
                correlation_id=reply.correlation_id,
                reply=reply,
            )
        payload: PayloadT = getattr(reply, name)
        return payload

    def _check_open(self) -> None:
        if self.closed:
            raise MxGatewaySessionError(f"session {self.session_id} is closed: open another one")


def _describe(command: pb.MxCommand) -> str:
    """A command in words, without values: "add_item of Pump_001.Speed"."""
    name = command.WhichOneof("payload") or "command"
    payload = getattr(command, name, None)
    if payload is None:
        return name
    for field in ("item_definition", "item_handle", "client_name"):
        if field in payload.DESCRIPTOR.fields_by_name:
            shown = getattr(payload, field)
            return f"{name} of {field.replace('_', ' ')} {shown}" if field == "item_handle" else f"{name} of {shown!r}"
    return name


def _named(text: str, what: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{what} is {text!r}: give a name")
    return text


def _handle(handle: int, what: str, reply: Message) -> int:
    if handle == 0:
        raise MxGatewayCommandError(f"{what} was answered OK with handle 0, which is not a handle", reply=reply)
    return handle


def _raise_replay_gap(event: pb.MxEvent) -> None:
    if event.HasField("replay_gap"):
        gap = event.replay_gap
        raise MxGatewayReplayGapError(gap.requested_after_sequence, gap.oldest_available_sequence)
