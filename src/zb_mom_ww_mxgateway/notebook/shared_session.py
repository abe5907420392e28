"""A session whose one event stream is kept open and shared by many readers.

A gateway allows one event stream per session and ends the session half a minute after it was dropped (CONTRACT
"sessions"). A notebook collects, watches and writes, often at the same time, and idles in between: so the stream stays
open as long as the session does, and every reader gets its own copy of what comes from then on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Literal

import grpc

from ..connection import Connection
from ..errors import MxGatewayLimitError, MxGatewaySessionError
from ..feed import EventFeed
from ..generated import mxaccess_gateway_pb2 as pb
from ..invoking import STREAM_EVENTS
from ..session import Session
from ..streams import MessageStream, Source

__all__ = ["SharedSession"]

#: Events kept for one reader that does not read.
READER_EVENTS = 200_000


class _Reader:
    """One reader's copy of the stream; a `Source`."""

    def __init__(self, session: SharedSession) -> None:
        self._session = session
        self._batches: deque[list[bytes]] = deque()
        self._count = 0
        self._wake = asyncio.Event()
        self._error: BaseException | None = None
        self._ended = False

    def put(self, batch: list[bytes]) -> None:
        if self._count + len(batch) > READER_EVENTS:
            self.end(
                MxGatewayLimitError(f"this reader has left {self._count} events unread: collect in shorter pieces")
            )
            self._session.leave(self)
            return
        self._batches.append(batch)
        self._count += len(batch)
        self._wake.set()

    def end(self, error: BaseException | None) -> None:
        self._ended = True
        self._error = error
        self._wake.set()

    async def take(self) -> list[bytes]:
        while not self._batches:
            if self._ended:
                if self._error is not None:
                    raise self._error
                return []
            self._wake.clear()
            await self._wake.wait()
        batch = self._batches.popleft()
        self._count -= len(batch)
        return batch

    def close(self) -> None:
        self._session.leave(self)
        self.end(None)


class SharedSession(Session):
    """A session for a notebook. Every method must be called on the event loop that started it.

    Attributes:
        broken: the error that ended the stream; None while it is open. A broken session is of no use any more.
        server_handle: a registration for everybody.
    """

    def __init__(self, connection: Connection, session_id: str, reply: pb.OpenSessionReply | None = None) -> None:
        super().__init__(connection, session_id, reply)
        self.broken: BaseException | None = None
        self.server_handle = 0
        self._readers: list[_Reader] = []
        self._source: Source | None = None
        self._pump: asyncio.Task[None] | None = None

    async def start(self, client_name: str) -> None:
        """Register and open the stream.

        Raises:
            MxGatewayError: the gateway refused.
        """
        self.server_handle = await self.register(client_name)
        self._source = self._connection.source(STREAM_EVENTS, pb.StreamEventsRequest(session_id=self.session_id))
        self._pump = asyncio.create_task(self._run(self._source))

    def stream_events(
        self,
        *,
        after_worker_sequence: int = 0,
        on_replay_gap: Literal["raise", "yield"] = "raise",
        timeout: float | None = None,
    ) -> MessageStream[pb.MxEvent]:
        """The session's events from now on; any number of readers at a time.

        Raises:
            ValueError: `after_worker_sequence` or `timeout` is given: a shared stream neither resumes nor ends by time.
            MxGatewaySessionError: the session is closed, or its stream has broken.
        """
        if after_worker_sequence or timeout is not None:
            raise ValueError("a shared stream neither resumes nor ends by time: open a session of your own")
        self._check_usable()
        request = pb.StreamEventsRequest(session_id=self.session_id)
        return self._connection.stream(STREAM_EVENTS, request, share=lambda _: self._join())

    def leave(self, reader: _Reader) -> None:
        """Give a reader nothing more."""
        if reader in self._readers:
            self._readers.remove(reader)

    async def _event_feed(self) -> EventFeed:
        self._check_usable()
        return EventFeed(self._join())

    def _leave_feed(self, feed: EventFeed) -> None:
        # Each write had a copy of its own.
        feed.close()

    async def _close(self) -> pb.CloseSessionReply:
        if self._source is not None:
            self._source.close()
        if self._pump is not None:
            await asyncio.gather(self._pump, return_exceptions=True)
        return await super()._close()

    def _join(self) -> _Reader:
        reader = _Reader(self)
        self._readers.append(reader)
        return reader

    def _check_usable(self) -> None:
        self._check_open()
        if self.broken is not None:
            raise MxGatewaySessionError(f"the event stream of {self.session_id} has ended: {self.broken}")

    async def _run(self, source: Source) -> None:
        error: BaseException | None = None
        try:
            while batch := await source.take():
                for reader in list(self._readers):
                    reader.put(batch)
        except grpc.RpcError as caught:
            error = await self._connection.explain(caught, STREAM_EVENTS.name, "")
        except Exception as caught:  # noqa: BLE001 - whatever it is, the readers must learn of it
            error = caught
        self.broken = error or MxGatewaySessionError("the gateway ended the event stream")
        for reader in list(self._readers):
            reader.end(error)
        self._readers.clear()
