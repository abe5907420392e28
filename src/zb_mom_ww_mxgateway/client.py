"""The async client of the gateway service."""

from __future__ import annotations

import logging
import weakref
from typing import TYPE_CHECKING, TypeVar, overload

from google.protobuf.duration_pb2 import Duration

from .alarms import AlarmCalls
from .connected import ConnectedClient
from .connection import Connection, Method, new_correlation_id
from .errors import MxGatewayCommandError, MxGatewayError, check_reply, check_session_reply
from .generated import mxaccess_gateway_pb2 as pb
from .invoking import CLOSE_SESSION, INVOKE, STREAM_EVENTS
from .options import OpenSessionOptions
from .session import Session

if TYPE_CHECKING:
    from .streams import MessageStream

__all__ = ["GatewayClient"]

_log = logging.getLogger(__name__)

SessionT = TypeVar("SessionT", bound=Session)

OPEN_SESSION = Method("mxaccess_gateway.v1.MxAccessGateway/OpenSession", pb.OpenSessionReply)


class GatewayClient(ConnectedClient, AlarmCalls):
    """The gateway's sessions and alarms.

    Use `async with await GatewayClient.connect(endpoint=..., api_key=...) as client:`. Methods that end in `_raw` take
    and return generated messages and check nothing but the gRPC status.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()
        self._found: weakref.WeakSet[Session] = weakref.WeakSet()

    async def close(self) -> None:
        """Close the sessions that this client opened and has not closed, then the connection. Idempotent.

        A session that cannot be closed is logged; the gateway ends it when its lease runs out.
        """
        if not self._connection.closed:
            for session in list(self._sessions):
                if session.closed:
                    continue
                try:
                    await session.close()
                except MxGatewayError as error:
                    _log.warning("closing %s failed: %s", session.session_id, error)
        for session in list(self._found):
            session.detach()
        await super().close()

    # Sessions -------------------------------------------------------------------------------------------------------

    @overload
    async def open_session(
        self, options: OpenSessionOptions | None = None, *, client_session_name: str | None = None
    ) -> Session: ...

    @overload
    async def open_session(
        self,
        options: OpenSessionOptions | None = None,
        *,
        client_session_name: str | None = None,
        kind: type[SessionT],
    ) -> SessionT: ...

    async def open_session(
        self,
        options: OpenSessionOptions | None = None,
        *,
        client_session_name: str | None = None,
        kind: type[Session] = Session,
    ) -> Session:
        """Open a session and return it when the gateway says that it is ready.

        Args:
            options: what to ask for.
            client_session_name: shown in the gateway's list of sessions; instead of `options`.
            kind: the class of the result.

        Raises:
            MxGatewayError: the gateway refused, or its reply has no session id.
        """
        if options is not None and client_session_name is not None:
            raise TypeError("give options or client_session_name, not both")
        wanted = options or OpenSessionOptions(client_session_name=client_session_name or "")
        timeout = wanted.timeout()
        duration = None
        if timeout is not None:
            duration = Duration()
            duration.FromTimedelta(timeout)
        request = pb.OpenSessionRequest(
            requested_backend=wanted.requested_backend,
            client_session_name=wanted.client_session_name,
            client_correlation_id=wanted.client_correlation_id or new_correlation_id(),
            command_timeout=duration,
        )
        reply = await self.open_session_raw(request)
        check_session_reply(
            reply,
            what="open_session",
            correlation_id=request.client_correlation_id,
            api_key=self.options.api_key,
        )
        if not reply.session_id:
            raise MxGatewayCommandError(
                "open_session was answered without a session id",
                correlation_id=request.client_correlation_id,
                reply=reply,
            )
        session = kind(self._connection, reply.session_id, reply)
        self._sessions.add(session)
        return session

    def session(self, session_id: str) -> Session:
        """A session that exists already, by its id. Closing the client does not close it."""
        if not session_id.strip():
            raise ValueError("session_id is empty")
        session = Session(self._connection, session_id)
        self._found.add(session)
        return session

    async def open_session_raw(self, request: pb.OpenSessionRequest) -> pb.OpenSessionReply:
        """OpenSession with generated messages, unchecked. The session is the caller's to close."""
        return await self._connection.unary(OPEN_SESSION, request, correlation_id=request.client_correlation_id)

    async def close_session_raw(self, request: pb.CloseSessionRequest) -> pb.CloseSessionReply:
        """CloseSession with generated messages, unchecked."""
        return await self._connection.unary(CLOSE_SESSION, request, correlation_id=request.client_correlation_id)

    # Commands and events --------------------------------------------------------------------------------------------

    async def invoke(self, request: pb.MxCommandRequest) -> pb.MxCommandReply:
        """Send a command; an empty correlation id is filled in.

        Raises:
            MxGatewayCommandError: the reply reports a failure; `MxAccessError` when MXAccess does.
        """
        reply = await self.invoke_raw(request)
        what = request.command.WhichOneof("payload") or "command"
        check_reply(reply, what=what, api_key=self.options.api_key)
        return reply

    async def invoke_raw(self, request: pb.MxCommandRequest) -> pb.MxCommandReply:
        """Send a command and return its reply unchecked: failures of MXAccess are in the reply."""
        if not request.client_correlation_id:
            filled = pb.MxCommandRequest()
            filled.CopyFrom(request)
            filled.client_correlation_id = new_correlation_id()
            request = filled
        return await self._connection.unary(INVOKE, request, correlation_id=request.client_correlation_id)

    def stream_events_raw(
        self, request: pb.StreamEventsRequest, *, timeout: float | None = None
    ) -> MessageStream[pb.MxEvent]:
        """The events of a session with a generated request; a `replay_gap` sentinel comes like any event."""
        return self._connection.stream(STREAM_EVENTS, request, timeout=timeout)
