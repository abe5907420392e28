"""One session's event stream, shared by the user's loop and by writes that wait for their completion.

A session has one event subscriber, and dropping it starts the countdown that closes the session (CONTRACT "sessions").
So a write that waits never opens a stream of its own beside another one: it looks into the stream that is there, and
what it reads on the way stays, in order, for whoever iterates.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from .errors import MxGatewaySessionError
from .generated import mxaccess_gateway_pb2 as pb
from .streams import Source

__all__ = ["EventFeed", "ReopenedSource"]

Key = tuple[int, int]

#: Seconds that a gateway gets to notice that the stream before was closed, and between two tries.
_PATIENCE, _PAUSE = 2.0, 0.05


class ReopenedSource:
    """The stream of a session that had one before.

    Closing a stream does not wait for the gateway to notice, and another connection carries the next one: so the
    gateway may still see the old subscriber and refuse the new one. That is tried again for a moment.

    Args:
        open_source: starts the call.
    """

    def __init__(self, open_source: Callable[[], Source]) -> None:
        self._open = open_source
        self._source = open_source()
        self._deadline = asyncio.get_running_loop().time() + _PATIENCE
        self._began = False
        self._closed = False

    async def take(self) -> list[bytes]:
        """See `Source`."""
        while True:
            try:
                batch = await self._source.take()
            except grpc.RpcError as error:
                late = asyncio.get_running_loop().time() > self._deadline
                if self._began or late or error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                    raise
                await asyncio.sleep(_PAUSE)
                if self._closed:
                    return []
                self._source.close()
                self._source = self._open()
                continue
            self._began = True
            return batch

    def close(self) -> None:
        """See `Source`."""
        self._closed = True
        self._source.close()


class EventFeed:
    """A `Source` of events in which write completions can be waited for.

    Args:
        source: the running stream.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._ready: deque[list[bytes]] = deque()
        self._waiting: dict[Key, deque[asyncio.Future[pb.MxEvent]]] = {}
        self._pull: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self.ended = False

    async def take(self) -> list[bytes]:
        """See `Source`; what a waiting write has read comes first."""
        while not self._ready:
            if self.ended:
                if self._error is not None:
                    raise self._error
                return []
            await asyncio.shield(self._next_pull())
        return self._ready.popleft()

    def close(self) -> None:
        """See `Source`; writes that still wait are told that nothing will come."""
        self._finish(None)
        self._source.close()

    def expect(self, key: Key) -> asyncio.Future[pb.MxEvent]:
        """The next write completion of an item, (server handle, item handle); ask before the write is sent.

        MXAccess gives completions no number: several writes to one item are completed in the order of sending.
        """
        future: asyncio.Future[pb.MxEvent] = asyncio.get_running_loop().create_future()
        if self.ended:
            future.set_exception(self._error or MxGatewaySessionError("the event stream has ended"))
            future.exception()
        else:
            self._waiting.setdefault(key, deque()).append(future)
        return future

    def forget(self, key: Key, future: asyncio.Future[pb.MxEvent]) -> None:
        """Stop expecting a completion."""
        queue = self._waiting.get(key)
        if queue is not None and future in queue:
            queue.remove(future)
            if not queue:
                del self._waiting[key]

    async def wait(self, future: asyncio.Future[pb.MxEvent]) -> pb.MxEvent:
        """Wait for what `expect` returned, reading the stream as far as needed."""
        while not future.done():
            waiting: set[asyncio.Future[Any]] = {self._next_pull(), future}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        return future.result()

    def _next_pull(self) -> asyncio.Task[None]:
        """The reading of the next batch. All who wait share it, and none cancels it: that would cancel the call."""
        if self._pull is None or self._pull.done():
            self._pull = asyncio.ensure_future(self._read())
        return self._pull

    async def _read(self) -> None:
        try:
            batch = await self._source.take()
        except Exception as error:  # noqa: BLE001 - kept for the one who iterates, after all events before it
            self._finish(error)
            return
        if not batch:
            self._finish(None)
            return
        self._ready.append(batch)
        if self._waiting:
            self._scan(batch)

    def _scan(self, batch: list[bytes]) -> None:
        for raw in batch:
            try:
                event = pb.MxEvent.FromString(raw)
            except DecodeError:
                # Whoever iterates is told; it is not the completion that is waited for.
                continue
            if event.family != pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE:
                continue
            queue = self._waiting.get((event.server_handle, event.item_handle))
            while queue:
                future = queue.popleft()
                if not future.done():
                    future.set_result(event)
                    break

    def _finish(self, error: BaseException | None) -> None:
        if self.ended:
            return
        self.ended = True
        self._error = error
        for queue in self._waiting.values():
            for future in queue:
                if not future.done():
                    future.set_exception(error or MxGatewaySessionError("the event stream has ended"))
                    # A write that was cancelled meanwhile will not ask.
                    future.exception()
        self._waiting.clear()
