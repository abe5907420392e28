"""Commands of one session: how they are sent and how their replies are judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from google.protobuf.message import Message

from .connection import Connection, Method, new_correlation_id
from .errors import MxGatewayCommandError, MxGatewaySessionError, check_reply
from .generated import mxaccess_gateway_pb2 as pb

__all__ = ["CLOSE_SESSION", "INVOKE", "MAX_BULK_ITEMS", "STREAM_EVENTS", "Invoker"]

#: Entries in one bulk command (CONTRACT: the gateway's cap is not known, 1,000 is used).
MAX_BULK_ITEMS = 1000

_SERVICE = "mxaccess_gateway.v1.MxAccessGateway"
INVOKE = Method(f"{_SERVICE}/Invoke", pb.MxCommandReply)
CLOSE_SESSION = Method(f"{_SERVICE}/CloseSession", pb.CloseSessionReply)
STREAM_EVENTS = Method(f"{_SERVICE}/StreamEvents", pb.MxEvent)

PayloadT = TypeVar("PayloadT", bound=Message)
ItemT = TypeVar("ItemT")


class Invoker:
    """Sends commands for one session and checks what comes back."""

    session_id: str
    _connection: Connection

    @property
    def closed(self) -> bool:
        """Whether the session was closed from here."""
        raise AttributeError("closed")

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


def parts(items: Sequence[ItemT], what: str) -> list[Sequence[ItemT]]:
    """The items in lists of at most `MAX_BULK_ITEMS`.

    Raises:
        ValueError: there are none.
    """
    if not items:
        raise ValueError(f"no {what}: give at least one")
    return [items[start : start + MAX_BULK_ITEMS] for start in range(0, len(items), MAX_BULK_ITEMS)]


def check_count(what: str, sent: int, reply: Message, received: int) -> None:
    """A bulk reply has one result per entry, in order; anything else cannot be assigned.

    Raises:
        MxGatewayCommandError: it has not.
    """
    if sent != received:
        raise MxGatewayCommandError(f"{what} of {sent} entries was answered with {received} results", reply=reply)


def named(text: str, what: str) -> str:
    """The text itself.

    Raises:
        ValueError: it is empty or not a text.
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{what} is {text!r}: give a name")
    return text


def handle(number: int, what: str, reply: Message) -> int:
    """The handle itself.

    Raises:
        MxGatewayCommandError: it is 0, which is not a handle.
    """
    if number == 0:
        raise MxGatewayCommandError(f"{what} was answered OK with handle 0, which is not a handle", reply=reply)
    return number


def _describe(command: pb.MxCommand) -> str:
    """A command in words, without values: "add_item of 'Pump_001.Speed'"."""
    name = command.WhichOneof("payload") or "command"
    payload = getattr(command, name, None)
    if payload is None:
        return name
    for field in ("item_definition", "client_name"):
        if field in payload.DESCRIPTOR.fields_by_name:
            return f"{name} of {getattr(payload, field)!r}"
    if "item_handle" in payload.DESCRIPTOR.fields_by_name:
        return f"{name} of item handle {payload.item_handle}"
    return name
