"""A session: one MXAccess instance behind the gateway, with its handles and its events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

from .bulk import BulkCommands
from .connection import Connection, new_correlation_id
from .control import ControlCommands
from .errors import MxGatewayError, MxGatewayReplayGapError, check_session_reply
from .feed import EventFeed, ReopenedSource
from .generated import mxaccess_gateway_pb2 as pb
from .invoking import CLOSE_SESSION, MAX_BULK_ITEMS, STREAM_EVENTS
from .items import ItemCommands
from .streams import MessageStream, Source
from .writes import WriteCommands

__all__ = ["MAX_BULK_ITEMS", "Session"]

_log = logging.getLogger(__name__)


class Session(ItemCommands, BulkCommands, WriteCommands, ControlCommands):
    """A session of the gateway. `GatewayClient.open_session` opens one, `GatewayClient.session` finds one by its id.

    Attributes:
        session_id: the gateway's id of the session.
        reply: the raw `OpenSessionReply`; None when the session was found by its id.
    """

    def __init__(self, connection: Connection, session_id: str, reply: pb.OpenSessionReply | None = None) -> None:
        self.session_id = session_id
        self.reply = reply
        self._connection = connection
        self._closing: asyncio.Task[pb.CloseSessionReply] | None = None
        # The one event stream: read by the user's loop, looked into by writes that wait.
        self._feed: EventFeed | None = None
        self._feed_is_taken = False

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
        self.detach()
        request = pb.CloseSessionRequest(session_id=self.session_id, client_correlation_id=new_correlation_id())
        reply = await self._connection.unary(CLOSE_SESSION, request, correlation_id=request.client_correlation_id)
        check_session_reply(
            reply,
            what=f"closing {self.session_id}",
            correlation_id=request.client_correlation_id,
            api_key=self._connection.options.api_key,
        )
        return reply

    def detach(self) -> None:
        """End the event stream that a waiting write has opened; the session itself goes on.

        A stream of `stream_events` is the caller's to close. Thirty seconds after its last stream was dropped the
        gateway ends a session (CONTRACT "sessions").
        """
        if self._feed is not None and not self._feed_is_taken:
            self._feed.close()

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
        return self._connection.stream(STREAM_EVENTS, request, timeout=timeout, check=check, share=self._share)

    def _share(self, open_source: Callable[[], Source]) -> Source:
        """The feed of a new stream: the one that a waiting write has opened, or a new one."""
        if self._feed is None:
            self._feed = EventFeed(open_source())
        elif self._feed.ended:
            self._feed = EventFeed(ReopenedSource(open_source))
        elif self._feed_is_taken:
            # Two at a time: whether the session may have them is the gateway's to say.
            self._feed = EventFeed(open_source())
        self._feed_is_taken = True
        return self._feed

    async def _event_feed(self) -> EventFeed:
        self._check_open()
        if self._feed is None or self._feed.ended:
            request = pb.StreamEventsRequest(session_id=self.session_id)
            self._feed = EventFeed(self._connection.source(STREAM_EVENTS, request))
            self._feed_is_taken = False
        return self._feed


def _raise_replay_gap(event: pb.MxEvent) -> None:
    if event.HasField("replay_gap"):
        gap = event.replay_gap
        raise MxGatewayReplayGapError(gap.requested_after_sequence, gap.oldest_available_sequence)
