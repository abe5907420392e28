"""One connection to a gateway: the only place that makes calls.

Every call carries the key and a deadline, every failure becomes a typed error, every stream is opened here.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from .auth import authorization_metadata
from .channel import Dialer, diagnose, prepare
from .drift import Unknowns
from .errors import MxGatewayError, MxGatewayTransportError, from_grpc
from .options import ClientOptions
from .streams import AioSource, MessageStream, Source, ThreadSource

__all__ = ["Connection", "Method", "new_correlation_id"]

ReplyT = TypeVar("ReplyT", bound=Message)


@dataclass(frozen=True, slots=True)
class Method(Generic[ReplyT]):
    """An rpc: "package.Service/Rpc" and the type of its reply or of its messages."""

    name: str
    reply: type[ReplyT]


def new_correlation_id() -> str:
    """An id for one call that no other call has; it finds the call in the gateway's log."""
    return uuid.uuid4().hex


class Connection:
    """A connection to one gateway. Open it with `Connection.open`.

    Args:
        options: how to reach the gateway.
        dialer: opens its channels.

    Attributes:
        unknowns: what the gateway has sent and the contract does not know.
    """

    def __init__(self, options: ClientOptions, dialer: Dialer) -> None:
        self.options = options
        self.dialer = dialer
        self.closed = False
        self.unknowns = Unknowns()
        self._metadata = authorization_metadata(options.api_key)
        self._channel = dialer.aio_channel()

    @classmethod
    async def open(cls, options: ClientOptions) -> Connection:
        """Prepare TLS and make a channel; gRPC connects with the first call.

        Raises:
            MxGatewayTransportError: with trust-on-first-use, the certificate cannot be fetched.
            MxGatewayTlsError: the certificate or the CA file cannot be trusted or used.
        """
        return cls(options, await prepare(options))

    async def unary(
        self, method: Method[ReplyT], request: Message, *, timeout: float | None = None, correlation_id: str = ""
    ) -> ReplyT:
        """Make a unary call.

        Args:
            method: the rpc.
            request: its request.
            timeout: seconds; None is the options' `call_timeout`.
            correlation_id: kept on errors.

        Raises:
            MxGatewayError: the class that belongs to the gRPC status.
        """
        self._check_open()
        call: Any = self._channel.unary_unary(
            f"/{method.name}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=method.reply.FromString,
        )
        deadline = self.options.call_timeout if timeout is None else timeout
        try:
            reply: ReplyT | None = await call(request, metadata=self._metadata, timeout=deadline)
        except grpc.RpcError as error:
            raise await self.explain(error, method.name, correlation_id) from None
        if reply is None:
            # What grpc makes of a reply that cannot be parsed.
            raise MxGatewayTransportError(
                f"the reply of {self.options.address} to {method.name} cannot be decoded. If the gateway is newer than "
                "this client's contract, regenerate the bindings with generate_proto.py --proto-dir",
                correlation_id=correlation_id,
            )
        self.unknowns.look(reply)
        return reply

    def source(self, method: Method[ReplyT], request: Message, *, timeout: float | None = None) -> Source:
        """Start a server-streaming call and return its raw messages; the one place that opens streams."""
        self._check_open()
        raw = request.SerializeToString()
        limit = self.options.stream_timeout if timeout is None else timeout
        if self.options.stream_transport == "aio":
            call: Any = self._channel.unary_stream(f"/{method.name}")
            return AioSource(call(raw, metadata=self._metadata, timeout=limit))
        return ThreadSource(
            self.dialer,
            f"/{method.name}",
            raw,
            metadata=self._metadata,
            timeout=limit,
            buffer=self.options.stream_buffer,
        )

    def stream(
        self,
        method: Method[ReplyT],
        request: Message,
        *,
        timeout: float | None = None,
        correlation_id: str = "",
        check: Callable[[ReplyT], None] | None = None,
        share: Callable[[Callable[[], Source]], Source] | None = None,
    ) -> MessageStream[ReplyT]:
        """Make a server-streaming call; it starts with the first message that is asked for.

        Args:
            method: the rpc.
            request: its request.
            timeout: seconds until the stream ends with a timeout; None is the options' `stream_timeout`.
            correlation_id: kept on errors.
            check: looks at each message and may raise.
            share: may put another source around the stream's own, or in its place.
        """

        def open_source() -> Source:
            return self.source(method, request, timeout=timeout)

        async def explain(error: grpc.RpcError) -> Exception:
            return await self.explain(error, method.name, correlation_id)

        def look(message: ReplyT) -> None:
            self.unknowns.sample(message)
            if check is not None:
                check(message)

        opener = open_source if share is None else lambda: share(open_source)
        return MessageStream(opener, method.reply.FromString, explain, look)

    async def explain(self, error: grpc.RpcError, method: str, correlation_id: str) -> MxGatewayError:
        """The typed error of a failed call; looks at the endpoint when the gateway could not be reached."""
        cause: MxGatewayTransportError | None = None
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            cause = await asyncio.to_thread(diagnose, self.options, error.details() or "")
        return from_grpc(
            error,
            endpoint=str(self.options.address),
            method=method,
            correlation_id=correlation_id,
            api_key=self.options.api_key,
            cause=cause,
        )

    async def close(self) -> None:
        """Close the channel. Idempotent, and safe under concurrent calls."""
        if self.closed:
            return
        # Set before the await: a second close must not start another one.
        self.closed = True
        await self._channel.close()

    def _check_open(self) -> None:
        if self.closed:
            raise MxGatewayTransportError(f"the client of {self.options.address} is closed: connect again")
