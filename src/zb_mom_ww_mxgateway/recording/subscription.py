"""The items of one collection: subscribed in bulk, and given back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import MxGatewayCommandError, MxGatewayError, check_reply
from ..generated import mxaccess_gateway_pb2 as pb
from ..session import MAX_BULK_ITEMS, Session

__all__ = ["Subscription", "subscribe"]

_log = logging.getLogger(__name__)

#: Seconds for giving things back; a session that is gone must not hold up the data.
_LEAVE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Subscription:
    """Advised items of a session.

    Attributes:
        session: theirs.
        server_handle: of the registration that they belong to.
        registered: whether the registration was made for them.
        items: tag reference by (server handle, item handle).
        refused: tag to message.
    """

    session: Session
    server_handle: int
    registered: bool
    items: Mapping[tuple[int, int], str]
    refused: Mapping[str, str]

    async def leave(self) -> None:
        """Give the items, and the registration made for them, back. What fails is logged."""
        handles = [item for _, item in self.items]
        commands = [
            pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_UNSUBSCRIBE_BULK,
                unsubscribe_bulk=pb.UnsubscribeBulkCommand(
                    server_handle=self.server_handle, item_handles=handles[start : start + MAX_BULK_ITEMS]
                ),
            )
            for start in range(0, len(handles), MAX_BULK_ITEMS)
        ]
        if self.registered:
            commands.append(_unregister(self.server_handle))
        await _send(self.session, commands)


async def subscribe(
    session: Session, tags: Sequence[str], *, server_handle: int | None, client_name: str
) -> Subscription:
    """Add and advise all tags, registering first unless a server handle is given.

    Raises:
        MxGatewayCommandError: every tag was refused; the text has the first reasons.
        MxGatewayError: a call failed. Nothing is left behind.
    """
    handle = await session.register(client_name) if server_handle is None else server_handle
    items: dict[tuple[int, int], str] = {}
    refused: dict[str, str] = {}
    try:
        for tag, result in zip(tags, await session.subscribe_bulk(handle, tags), strict=True):
            if result.was_successful and result.item_handle:
                items[handle, result.item_handle] = tag
            else:
                refused[tag] = result.error_message or "refused without a reason"
        if not items:
            raise MxGatewayCommandError(_nothing(refused))
    except BaseException:
        if server_handle is None:
            await _send(session, [_unregister(handle)])
        raise
    return Subscription(session, handle, server_handle is None, items, refused)


def _unregister(server_handle: int) -> pb.MxCommand:
    return pb.MxCommand(
        kind=pb.MX_COMMAND_KIND_UNREGISTER, unregister=pb.UnregisterCommand(server_handle=server_handle)
    )


def _nothing(refused: Mapping[str, str]) -> str:
    shown = [f"{tag}: {message}" for tag, message in list(refused.items())[:3]]
    more = f"; and {len(refused) - len(shown)} more" if len(refused) > len(shown) else ""
    return f"none of the {len(refused)} tags can be subscribed: {'; '.join(shown)}{more}"


async def _send(session: Session, commands: Sequence[pb.MxCommand]) -> None:
    try:
        async with asyncio.timeout(_LEAVE_SECONDS):
            for command in commands:
                what = command.WhichOneof("payload") or "command"
                check_reply(await session.invoke_raw(command), what=what)
    except MxGatewayError as error:
        _log.info("the items of %s were not all given back: %s", session.session_id, error)
    except TimeoutError:
        _log.info("the items of %s were not given back within %g s", session.session_id, _LEAVE_SECONDS)
