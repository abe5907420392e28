"""Commands about the session itself, and about users."""

from __future__ import annotations

from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from .generated import mxaccess_gateway_pb2 as pb
from .invoking import Invoker, named

__all__ = ["ControlCommands"]


class ControlCommands(Invoker):
    """Ping, state, worker, queued events; authentication of users.

    Gateways from before June 2026 answer these with INVALID_REQUEST ("unsupported command kind").
    """

    async def ping(self, message: str = "", *, correlation_id: str = "") -> None:
        """Ask for a sign of life of the worker; renews the session's lease."""
        command = pb.MxCommand(kind=pb.MX_COMMAND_KIND_PING, ping=pb.PingCommand(message=message))
        await self._command(command, correlation_id)

    async def get_session_state(self, *, correlation_id: str = "") -> int:
        """The session's state, a `SessionState` number."""
        command = pb.MxCommand(kind=pb.MX_COMMAND_KIND_GET_SESSION_STATE, get_session_state=pb.GetSessionStateCommand())
        return (await self._payload(command, "session_state", pb.SessionStateReply, correlation_id)).state

    async def get_worker_info(self, *, correlation_id: str = "") -> pb.WorkerInfoReply:
        """The worker process behind the session."""
        command = pb.MxCommand(kind=pb.MX_COMMAND_KIND_GET_WORKER_INFO, get_worker_info=pb.GetWorkerInfoCommand())
        return await self._payload(command, "worker_info", pb.WorkerInfoReply, correlation_id)

    async def drain_events(self, max_events: int = 0, *, correlation_id: str = "") -> list[pb.MxEvent]:
        """Take events out of the session's queue without a stream; 0 takes all. Needs the scope `events:read`."""
        if max_events < 0:
            raise ValueError(f"max_events={max_events} must be 0 (all) or more")
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_DRAIN_EVENTS, drain_events=pb.DrainEventsCommand(max_events=max_events)
        )
        return list((await self._payload(command, "drain_events", pb.DrainEventsReply, correlation_id)).events)

    async def shutdown_worker(self, grace_period: timedelta | None = None, *, correlation_id: str = "") -> None:
        """End the worker process; the session is of no use afterwards."""
        duration = None
        if grace_period is not None:
            duration = Duration()
            duration.FromTimedelta(grace_period)
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_SHUTDOWN_WORKER, shutdown_worker=pb.ShutdownWorkerCommand(grace_period=duration)
        )
        await self._command(command, correlation_id)

    async def authenticate_user(self, server_handle: int, user: str, password: str, *, correlation_id: str = "") -> int:
        """Authenticate a plant user and return a user id, valid for this server handle only.

        Needs the scope `invoke:secure`. The password is in no error and no log.
        """
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_AUTHENTICATE_USER,
            authenticate_user=pb.AuthenticateUserCommand(
                server_handle=server_handle, verify_user=named(user, "user"), verify_user_password=password
            ),
        )
        return (await self._payload(command, "authenticate_user", pb.AuthenticateUserReply, correlation_id)).user_id

    async def archestra_user_to_id(self, server_handle: int, user_guid: str, *, correlation_id: str = "") -> int:
        """The user id of an ArchestrA user, by its GUID. Needs the scope `invoke:secure`."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_ARCHESTRA_USER_TO_ID,
            archestra_user_to_id=pb.ArchestrAUserToIdCommand(
                server_handle=server_handle, user_id_guid=named(user_guid, "user_guid")
            ),
        )
        return (await self._payload(command, "archestra_user_to_id", pb.ArchestrAUserToIdReply, correlation_id)).user_id
