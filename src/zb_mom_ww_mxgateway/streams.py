"""Server streams on an event loop, read fast.

grpc.aio wakes the event loop once per message, which is what limits it (DESIGN "One event's way"). Here a thread of
its own reads with a synchronous channel and hands over batches of raw bytes through a bounded mailbox: a slow consumer
stops the reading, and flow control stops the gateway.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import threading
import weakref
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from grpc.experimental import ChannelOptions

from .channel import Dialer
from .errors import MxGatewayTransportError

__all__ = ["AioSource", "MessageStream", "Source", "ThreadSource"]

MessageT = TypeVar("MessageT", bound=Message)

#: Messages handed over at once; between two batches the event loop gets a turn.
BATCH_SIZE = 4096
#: Bytes kept for a slow consumer, whatever their number of messages.
BUFFER_BYTES = 64 * 1024 * 1024

_open_sources: weakref.WeakSet[ThreadSource] = weakref.WeakSet()


class Source(Protocol):
    """Where a stream's messages come from."""

    async def take(self) -> list[bytes]:
        """The next messages in order; an empty list at the end.

        Raises:
            grpc.RpcError: the stream broke; everything that came before has been taken.
        """
        ...

    def close(self) -> None:
        """Cancel the call. Safe from any thread, and more than once."""
        ...


class ThreadSource:
    """Reads one stream on a thread of its own, with a channel of its own.

    The channel uses gRPC's single-threaded unary-stream mode, which must never run on a thread with an event loop.

    Args:
        dialer: opens the channel.
        path: "/package.Service/Rpc".
        request: the serialized request.
        metadata: of the call.
        timeout: seconds until the stream ends with a timeout; None is no limit.
        buffer: messages kept for a slow consumer.
    """

    def __init__(
        self,
        dialer: Dialer,
        path: str,
        request: bytes,
        *,
        metadata: tuple[tuple[str, str], ...],
        timeout: float | None,
        buffer: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._changed = threading.Condition()
        self._messages: deque[bytes] = deque()
        self._bytes = 0
        self._buffer = buffer
        self._told = False
        self._ended = False
        self._closed = False
        self._error: BaseException | None = None
        self._cancel: Callable[[], object] | None = None
        _close_at_exit()
        _open_sources.add(self)
        self._thread = threading.Thread(
            target=_read,
            args=(self, dialer, path, request, metadata, timeout),
            name=f"mxgateway-stream{path.rpartition('/')[2]}",
            daemon=True,
        )
        self._thread.start()

    async def take(self) -> list[bytes]:
        """See `Source`."""
        # A consumer that always finds a batch ready must not keep the event loop to itself.
        await asyncio.sleep(0)
        while True:
            with self._changed:
                if self._messages:
                    count = min(len(self._messages), BATCH_SIZE)
                    batch = [self._messages.popleft() for _ in range(count)]
                    self._bytes -= sum(map(len, batch))
                    self._changed.notify()
                    return batch
                if self._ended or self._closed:
                    if self._error is not None and not self._closed:
                        raise self._error
                    return []
                self._told = False
                self._wake.clear()
            await self._wake.wait()

    def close(self) -> None:
        """See `Source`."""
        with self._changed:
            self._closed = True
            cancel, self._cancel = self._cancel, None
            self._changed.notify_all()
        if cancel is not None:
            cancel()
        self._tell()

    def attach(self, cancel: Callable[[], object]) -> bool:
        """Called by the reader when the call exists; False when nobody wants it any more."""
        with self._changed:
            if self._closed:
                return False
            self._cancel = cancel
            return True

    def put(self, message: bytes) -> bool:
        """Called by the reader with the next message; waits for room, False when nobody wants it any more."""
        with self._changed:
            self._changed.wait_for(self._has_room)
            if self._closed:
                return False
            self._messages.append(message)
            self._bytes += len(message)
            if self._told:
                return True
            self._told = True
        self._tell()
        return True

    def end(self, error: BaseException | None) -> None:
        """Called by the reader when the stream is over."""
        with self._changed:
            self._ended = True
            self._error = error
            self._cancel = None
        self._tell()

    def _has_room(self) -> bool:
        return self._closed or (len(self._messages) < self._buffer and self._bytes < BUFFER_BYTES)

    def _tell(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:
            # The event loop has ended, and the consumer with it.
            with self._changed:
                self._closed = True


def _read(
    source: ThreadSource,
    dialer: Dialer,
    path: str,
    request: bytes,
    metadata: tuple[tuple[str, str], ...],
    timeout: float | None,
) -> None:
    """The reader thread."""
    error: BaseException | None = None
    channel = dialer.sync_channel(((ChannelOptions.SingleThreadedUnaryStream, 1),))
    try:
        stream: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(path)
        call = stream(request, metadata=metadata, timeout=timeout)
        if source.attach(call.cancel):
            for message in call:
                if not source.put(message):
                    break
        call.cancel()
    except BaseException as caught:  # noqa: BLE001 - whatever it is, the consumer must learn of it
        error = caught
    finally:
        source.end(error)
        channel.close()


@functools.cache
def _close_at_exit() -> None:
    """Streams left open at interpreter exit are cancelled; registered with the first stream, not at import."""
    atexit.register(_close_open_sources)


def _close_open_sources() -> None:
    for source in list(_open_sources):
        source.close()


class AioSource:
    """Reads one stream with plain grpc.aio: slower, for where the reader thread cannot be used.

    Args:
        call: the running call; it yields raw bytes.
    """

    def __init__(self, call: grpc.aio.UnaryStreamCall[bytes, bytes]) -> None:
        self._call = call
        self._closed = False

    async def take(self) -> list[bytes]:
        """See `Source`."""
        try:
            message = await self._call.read()
        except asyncio.CancelledError:
            # grpc.aio reports its own cancellation like that of the task.
            if self._call.cancelled() and self._closed:
                return []
            raise
        return [message] if isinstance(message, bytes) else []

    def close(self) -> None:
        """See `Source`."""
        self._closed = True
        self._call.cancel()


class MessageStream(Generic[MessageT]):
    """The messages of one server stream, in order: `async for message in stream`.

    The call starts with the first message that is asked for (or `open`). It ends on the gateway when the stream is
    exhausted, closed with `aclose`, left by `async with`, left by `break`, or when the task is cancelled. An error
    comes after all messages that came before it.

    Args:
        open_source: starts the call.
        parse: bytes to message.
        explain: turns what grpc raised into a typed error.
        check: looks at each parsed message and may raise.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        parse: Callable[[bytes], MessageT],
        explain: Callable[[grpc.RpcError], Awaitable[Exception]],
        check: Callable[[MessageT], None] | None = None,
    ) -> None:
        self._open_source = open_source
        self._parse = parse
        self._explain = explain
        self._check = check
        self._source: Source | None = None
        self._batch: Iterator[bytes] = iter(())
        self._done = False

    def open(self) -> None:
        """Start the call now instead of with the first message."""
        if self._source is None and not self._done:
            self._source = self._open_source()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> MessageT:
        while True:
            for raw in self._batch:
                message = self._decode(raw)
                if self._check is not None:
                    self._check(message)
                return message
            self._batch = iter(await self._take())
            if self._done:
                raise StopAsyncIteration

    async def batches(self) -> AsyncIterator[list[bytes]]:
        """The same messages as lists of serialized bytes, for decoding in bulk; never an empty list.

        Do not mix it with iterating over messages.
        """
        while batch := await self._take():
            yield batch

    async def aclose(self) -> None:
        """End the call. Idempotent."""
        self._finish()

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # Leaving `async for` with `break` drops the last reference: that ends the call on the gateway.
        if getattr(self, "_source", None) is not None:
            self._finish()

    async def _take(self) -> list[bytes]:
        if self._done:
            return []
        self.open()
        source = self._source
        if source is None:
            return []
        try:
            batch = await source.take()
        except grpc.RpcError as error:
            self._finish()
            raise await self._explain(error) from None
        except BaseException:
            self._finish()
            raise
        if not batch:
            self._finish()
        return batch

    def _decode(self, raw: bytes) -> MessageT:
        try:
            return self._parse(raw)
        except DecodeError as error:
            self._finish()
            raise MxGatewayTransportError(
                f"a message of {len(raw)} bytes on the stream cannot be decoded: {error}. If the gateway is newer than "
                "this client's contract, regenerate the bindings with generate_proto.py --proto-dir"
            ) from error

    def _finish(self) -> None:
        self._done = True
        source, self._source = self._source, None
        if source is not None:
            source.close()
