"""The MxAccessGateway service of the simulated gateway: sessions, commands, events."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import grpc
from google.protobuf.duration_pb2 import Duration

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .buffering import Buffering
from .clock import Clock
from .commands import Call, Commands
from .control import Control, worker_process_id
from .gateway_limits import Limits
from .keys import SCOPE_OF_RPC, AccessDeniedError, ApiKey, KeyRing, scope_of_command
from .pending import PendingCommands
from .plant import Plant
from .reading import Reading
from .replies import (
    BulkTooLargeError,
    InvalidRequestError,
    MxFailureError,
    NotAllowedError,
    failure,
    invalid_request,
    ok_reply,
)
from .sessions import SECOND, Item, Session, SessionStore
from .updates import Updates
from .writing import Writing

__all__ = ["GATEWAY_PROTOCOL_VERSION", "GatewayService"]

GATEWAY_PROTOCOL_VERSION = 3
WORKER_PROTOCOL_VERSION = 1
CAPABILITIES = (
    "unary-open-session",
    "unary-close-session",
    "unary-invoke",
    "server-stream-events",
    "unary-acknowledge-alarm",
    "server-stream-active-alarms",
)

Context = Any


class GatewayService:
    """The rpcs that need a session, over serialized events.

    Attributes:
        calls: how often each rpc, and each command as "Invoke:register", was called.
        open_streams: the server streams that are open now, by rpc.
    """

    def __init__(
        self,
        plant: Plant,
        clock: Clock,
        limits: Limits,
        keys: KeyRing,
        before_event: Callable[[Session], bool] = lambda session: True,
    ) -> None:
        self.plant = plant
        self.clock = clock
        self.limits = limits
        self.keys = keys
        self.calls: Counter[str] = Counter()
        self.open_streams: Counter[str] = Counter()
        self.buffering = Buffering(clock)
        self.updates = Updates(plant, clock, self._deliver)
        self.commands = Commands(plant, clock, limits, self.updates, self.buffering)
        self.sessions = SessionStore(plant.seed, clock, limits, self.commands.forget, before_event)
        self.pending = PendingCommands(clock, limits.max_pending_commands)
        self.writing = Writing(self.commands)
        self._handlers: dict[str, Callable[[Call], Awaitable[None] | None]] = {}
        for owner in (self.commands, Control(self.commands), self.writing, Reading(self.commands)):
            self.mount(owner)

    def mount(self, owner: object) -> None:
        """Take commands from `owner`: it has a method named as the payload for each that it handles."""
        for field in pb.MxCommand.DESCRIPTOR.oneofs_by_name["payload"].fields:
            handler = getattr(owner, field.name, None)
            if handler is not None:
                self._handlers[field.name] = handler

    def last_sequence(self, session_id: str) -> int:
        """The number of the newest event of a session; 0 for one that has none or is not known."""
        try:
            return self.sessions.find(session_id).log.sequence
        except AccessDeniedError:
            return 0

    # The rpcs -------------------------------------------------------------------------------------------------------

    async def open_session(self, request: pb.OpenSessionRequest, context: Context) -> pb.OpenSessionReply:
        """A new session."""
        key = await self.enter(context, "OpenSession")
        try:
            session = self.sessions.open(request.client_session_name, key)
        except AccessDeniedError as error:
            await refuse(context, error)
        if request.HasField("command_timeout") and request.command_timeout.ToMicroseconds() > 0:
            session.command_timeout = request.command_timeout.ToMicroseconds() / SECOND
        return pb.OpenSessionReply(
            session_id=session.id,
            backend_name=request.requested_backend or "mxaccess-worker",
            worker_process_id=worker_process_id(session),
            worker_protocol_version=WORKER_PROTOCOL_VERSION,
            capabilities=CAPABILITIES,
            default_command_timeout=_duration(session.command_timeout),
            protocol_status=pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_OK, message="OK"),
            gateway_protocol_version=GATEWAY_PROTOCOL_VERSION,
        )

    async def close_session(self, request: pb.CloseSessionRequest, context: Context) -> pb.CloseSessionReply:
        """End a session; again while it is known is answered the same."""
        await self.enter(context, "CloseSession")
        try:
            session = self.sessions.find(request.session_id)
        except AccessDeniedError as error:
            await refuse(context, error)
        self.sessions.close(session, "closed by the client")
        return pb.CloseSessionReply(
            session_id=session.id,
            final_state=session.state,  # type: ignore[arg-type]
            protocol_status=pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_OK, message="OK"),
        )

    async def invoke(self, request: pb.MxCommandRequest, context: Context) -> pb.MxCommandReply:
        """A command."""
        payload = request.command.WhichOneof("payload") or ""
        key = await self.enter(context, "Invoke", scope_of_command(request.command.kind), payload)
        try:
            session = self.sessions.ready(request.session_id)
            self.pending.check(session)
            return await self._run(session, key, request, payload)
        except AccessDeniedError as error:
            await refuse(context, error)
        except BulkTooLargeError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except NotAllowedError as error:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))
        raise AssertionError("unreachable")

    async def stream_events(self, request: pb.StreamEventsRequest, context: Context) -> AsyncIterator[bytes]:
        """The events of a session, serialized."""
        await self.enter(context, "StreamEvents")
        try:
            session = self.sessions.ready(request.session_id)
            self._check_subscribers(session)
        except AccessDeniedError as error:
            await refuse(context, error)
        subscriber = session.log.subscribe(request.after_worker_sequence, self.clock.now_us())
        self.sessions.attached(session)
        self.open_streams["StreamEvents"] += 1
        try:
            while batch := await subscriber.take():
                for raw in batch:
                    yield raw
        finally:
            self.open_streams["StreamEvents"] -= 1
            if subscriber in session.log.subscribers:
                session.log.subscribers.remove(subscriber)
            self.sessions.detached(session)
        if subscriber.overflowed:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"EventQueueOverflow: the subscriber was too slow, {self.limits.event_queue} events were queued",
            )
        if session.state == pb.SESSION_STATE_FAULTED:
            await context.abort(grpc.StatusCode.UNAVAILABLE, subscriber.ended)

    # What they share ------------------------------------------------------------------------------------------------

    async def enter(self, context: Context, rpc: str, scope: str = "", command: str = "") -> ApiKey | None:
        """Count a call and check its key."""
        self.calls[rpc] += 1
        if command:
            self.calls[f"{rpc}:{command}"] += 1
        try:
            return self.keys.authorize(context.invocation_metadata() or (), scope or SCOPE_OF_RPC[rpc])
        except AccessDeniedError as error:
            await refuse(context, error)

    def close(self) -> None:
        """End all sessions and stop listening to the plant."""
        self.sessions.shut("the gateway stops")
        self.pending.close()
        self.updates.close()

    @property
    def is_busy(self) -> bool:
        """Whether a command waits for something, or a subscriber has much to take."""
        return len(self.pending) > 0 or self.is_congested

    @property
    def is_congested(self) -> bool:
        """Whether a subscriber has half a queue to take."""
        return any(subscriber.fill > 0.5 for session in self.sessions.live for subscriber in session.log.subscribers)

    async def _run(
        self, session: Session, key: ApiKey | None, request: pb.MxCommandRequest, payload: str
    ) -> pb.MxCommandReply:
        kind = f"MX_COMMAND_KIND_{payload.removesuffix('_command').upper()}"
        if not payload or dict(pb.MxCommandKind.items()).get(kind) != request.command.kind:
            names = {number: name for name, number in pb.MxCommandKind.items()}
            said = names.get(request.command.kind, str(request.command.kind))
            return invalid_request(request, f"the command says {said}, but its payload is {payload or 'missing'}")
        handler = self._handlers.get(payload)
        if handler is None:
            return invalid_request(request, f"Unsupported MXAccess command kind {kind}")
        call = Call(session, key, request, ok_reply(request))
        try:
            outcome = handler(call)
            if outcome is not None:
                await self.pending.run(session, outcome)
        except NotAllowedError:
            raise
        except MxFailureError as error:
            return failure(request, error)
        except InvalidRequestError as error:
            return invalid_request(request, str(error))
        return call.reply

    def _check_subscribers(self, session: Session) -> None:
        most = self.limits.max_subscribers if self.limits.multiple_subscribers else 1
        if len(session.log.subscribers) >= most:
            raise AccessDeniedError(
                grpc.StatusCode.ALREADY_EXISTS, f"session {session.id} has its event subscriber already"
            )

    def _deliver(self, session: Session, item: Item, event: pb.MxEvent, now: int) -> None:
        if item.private or session.state != pb.SESSION_STATE_READY:
            return
        if item.buffered:
            self.buffering.add(session, item, event, now)
        else:
            session.log.append(event, now)


async def refuse(context: Context, error: AccessDeniedError) -> NoReturn:
    """End a call with the error's status."""
    await context.abort(error.code, str(error))
    raise AssertionError("unreachable")


def _duration(seconds: float) -> Duration:
    result = Duration()
    result.FromMicroseconds(round(seconds * SECOND))
    return result
