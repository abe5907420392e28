"""Puts the faults of `faults` into effect, in front of the services: streams, replies and events pass through here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from inspect import isasyncgenfunction
from typing import Any, TypeVar

import grpc
import grpc.aio

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .clock import Clock, sleep
from .fault_messages import with_unknown_enum, with_unknown_field, without_payload
from .faults import (
    DelayReplies,
    DropStream,
    Fault,
    FaultSession,
    MalformedReply,
    OverflowSubscriber,
    SkipSequence,
    StallStream,
    TimeoutCommand,
    UnknownEnum,
    UnknownField,
)
from .rpc_table import GALAXY, GATEWAY, serialize
from .sessions import Session

__all__ = ["FaultInjector"]

FaultT = TypeVar("FaultT", bound=Fault)
Context = Any


@dataclass(slots=True, eq=False)
class _Armed:
    """A fault, and how often it is still to happen; None is every time."""

    fault: Fault
    left: int | None
    #: Streams and sessions that it has happened to.
    done: set[int] = field(default_factory=set)

    def use(self, once_per: object) -> bool:
        """Whether it happens now: at most once to each stream or session."""
        if self.left == 0 or id(once_per) in self.done:
            return False
        self.done.add(id(once_per))
        return self.spend()

    def spend(self) -> bool:
        """Whether it happens now."""
        if self.left == 0:
            return False
        if self.left is not None:
            self.left -= 1
        return True


@dataclass(slots=True, eq=False)
class _Stream:
    """A server stream that is open."""

    rpc: str
    task: asyncio.Task[Any] | None
    is_waiting: bool = False
    broken: tuple[grpc.StatusCode, str] | None = None

    def is_broken(self) -> bool:
        """Whether it is to end with an error; it may become so while it waits."""
        return self.broken is not None


class FaultInjector(grpc.aio.ServerInterceptor):
    """An interceptor that lets everything pass until there are faults.

    Args:
        clock: delays are on it.
        command_timeout: after which a command that is never answered is given up (seconds).
    """

    def __init__(self, clock: Clock, command_timeout: float) -> None:
        self._clock = clock
        self._command_timeout = command_timeout
        self._armed: list[_Armed] = []
        self._streams: set[_Stream] = set()
        #: Replies that are held back now.
        self.waiting = 0

    # What is to go wrong --------------------------------------------------------------------------------------------

    def inject(self, fault: Fault) -> None:
        """Let something go wrong from now on."""
        self._armed.append(_Armed(fault, getattr(fault, "times", 1) or None))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._armed.clear()

    def break_streams(self, code: grpc.StatusCode, reason: str, rpc: str = "") -> int:
        """End the streams that are open with an error; how many there were."""
        hit = [stream for stream in self._streams if stream.broken is None and rpc in ("", stream.rpc)]
        for stream in hit:
            stream.broken = (code, reason)
            if stream.is_waiting and stream.task is not None:
                stream.task.cancel()
        return len(hit)

    def before_event(self, session: Session) -> bool:
        """Called before each event of a session; False drops it."""
        made = session.log.sequence
        for armed, skip in self._of(SkipSequence):
            if made >= skip.after and armed.use(session):
                session.log.skip += skip.count
        for armed, death in self._of(FaultSession):
            if made >= death.after and armed.use(session):
                session.fault("the worker died")
                return False
        for armed, overflow in self._of(OverflowSubscriber):
            if made >= overflow.after and session.log.subscribers and armed.use(session):
                for subscriber in list(session.log.subscribers):
                    session.log.drop_slow(subscriber)
        return session.state == pb.SESSION_STATE_READY

    # The way of a call ----------------------------------------------------------------------------------------------

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Wrap the rpcs of the gateway's two services."""
        handler = await continuation(handler_call_details)
        service, _, rpc = handler_call_details.method.lstrip("/").partition("/")
        if handler is None or service not in (GATEWAY, GALAXY):
            return handler
        make: Any
        behaviour: Any
        if handler.unary_unary is not None:
            make, behaviour = grpc.unary_unary_rpc_method_handler, self._unary(rpc, handler.unary_unary)
        else:
            assert isasyncgenfunction(handler.unary_stream)
            make, behaviour = grpc.unary_stream_rpc_method_handler, self._stream(rpc, handler.unary_stream)
        wrapped: grpc.RpcMethodHandler[Any, Any] = make(
            behaviour, request_deserializer=handler.request_deserializer, response_serializer=serialize
        )
        return wrapped

    def _unary(self, rpc: str, behaviour: Callable[[Any, Context], Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(request: Any, context: Context) -> Any:
            reply = await behaviour(request, context)
            if not self._armed:
                return reply
            names = ("", rpc, (request.command.WhichOneof("payload") or "") if rpc == "Invoke" else rpc)
            self.waiting += 1
            try:
                return await self._late(names, reply, context)
            finally:
                self.waiting -= 1

        return call

    async def _late(self, names: tuple[str, ...], reply: Any, context: Context) -> Any:
        for armed, _ in self._of(TimeoutCommand, names):
            if armed.spend():
                await sleep(self._clock, self._command_timeout)
                reason = f"the command was not done within {self._command_timeout:g} s"
                await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, reason)
        for armed, fault in self._of(DelayReplies, names):
            if armed.spend():
                await sleep(self._clock, fault.seconds)
        for armed, _ in self._of(MalformedReply, names):
            if armed.left != 0 and (stripped := without_payload(reply)) is not None and armed.spend():
                reply = stripped
        return self._altered(names, reply)

    def _stream(
        self, rpc: str, behaviour: Callable[[Any, Context], AsyncIterator[Any]]
    ) -> Callable[[Any, Context], AsyncIterator[Any]]:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            stream = _Stream(rpc, asyncio.current_task())
            self._streams.add(stream)
            sent = 0
            try:
                async with aclosing(behaviour(request, context)) as messages:  # type: ignore[type-var]
                    while True:
                        stream.is_waiting = True
                        await self._in_the_way(stream, sent)
                        message = await anext(messages, None)
                        stream.is_waiting = False
                        if message is None or stream.is_broken():
                            break
                        yield self._altered((rpc,), message) if self._armed else message
                        sent += 1
                        if stream.is_broken():
                            break
            except asyncio.CancelledError:
                if stream.broken is None or stream.task is None:
                    raise
                stream.task.uncancel()
            finally:
                stream.is_waiting = False
                self._streams.discard(stream)
            await _abort(stream, context)

        return call

    async def _in_the_way(self, stream: _Stream, sent: int) -> None:
        """What happens to a stream before its next message."""
        if not self._armed:
            return
        for armed, drop in self._of(DropStream):
            if drop.rpc == stream.rpc and sent >= drop.after and armed.use(stream):
                stream.broken = (grpc.StatusCode[drop.code], "the connection was lost")
                raise asyncio.CancelledError
        for armed, stall in self._of(StallStream):
            if stall.rpc == stream.rpc and sent >= stall.after and armed.use(stream):
                if stall.seconds:
                    await sleep(self._clock, stall.seconds)
                else:
                    await asyncio.get_running_loop().create_future()

    def _altered(self, names: tuple[str, ...], message: Any) -> Any:
        for armed, _ in self._of(UnknownEnum, names):
            if armed.left != 0 and (changed := with_unknown_enum(message, names)) is not None and armed.spend():
                message = changed
        for armed, _ in self._of(UnknownField, names):
            if armed.spend():
                message = with_unknown_field(message)
        return message

    def _of(self, kind: type[FaultT], names: Iterable[str] | None = None) -> list[tuple[_Armed, FaultT]]:
        return [
            (armed, armed.fault)
            for armed in self._armed
            if isinstance(armed.fault, kind) and (names is None or getattr(armed.fault, "command", "") in names)
        ]


async def _abort(stream: _Stream, context: Context) -> None:
    if stream.broken is not None:
        await context.abort(*stream.broken)
