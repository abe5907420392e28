"""The items of one collection: subscribed in bulk, and given back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import MxGatewayCommandError, MxGatewayError
from ..session import Session

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
        await _give_back(self.session, [item for _, item in self.items], self.server_handle, unregister=self.registered)


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
            await _give_back(session, [], handle, unregister=True)
        raise
    return Subscription(session, handle, server_handle is None, items, refused)


def _nothing(refused: Mapping[str, str]) -> str:
    shown = [f"{tag}: {message}" for tag, message in list(refused.items())[:3]]
    more = f"; and {len(refused) - len(shown)} more" if len(refused) > len(shown) else ""
    return f"none of the {len(refused)} tags can be subscribed: {'; '.join(shown)}{more}"


async def _give_back(session: Session, items: Sequence[int], server_handle: int, *, unregister: bool) -> None:
    try:
        async with asyncio.timeout(_LEAVE_SECONDS):
            if items:
                await session.unsubscribe_bulk(server_handle, items)
            if unregister:
                await session.unregister(server_handle)
    except MxGatewayError as error:
        _log.info("the items of %s were not all given back: %s", session.session_id, error)
    except TimeoutError:
        _log.info("the items of %s were not given back within %g s", session.session_id, _LEAVE_SECONDS)
