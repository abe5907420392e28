"""The commands that concern the session, its worker and its users (CONTRACT.md "commands", "writes")."""

from __future__ import annotations

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .commands import Call, Commands, integer
from .sessions import Session

__all__ = ["Control", "worker_process_id"]

WORKER_VERSION = "simulated"


class Control:
    """Handlers by the name of the payload."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def ping(self, call: Call) -> None:
        """Answer."""
        call.reply.diagnostic_message = call.payload.message

    def get_session_state(self, call: Call) -> None:
        """The session's state."""
        call.reply.session_state.state = call.session.state  # type: ignore[assignment]

    def get_worker_info(self, call: Call) -> None:
        """The worker of the session: there is none, but a number that stays the same."""
        call.reply.worker_info.worker_process_id = worker_process_id(call.session)
        call.reply.worker_info.worker_version = WORKER_VERSION
        call.reply.worker_info.mxaccess_progid = "LMXProxy.LMXProxyServer.1"
        call.reply.worker_info.mxaccess_clsid = "{00000000-0000-0000-0000-000000000000}"

    def drain_events(self, call: Call) -> None:
        """Events that no stream has taken."""
        call.reply.drain_events.SetInParent()
        for raw in call.session.log.drain(call.payload.max_events):
            call.reply.drain_events.events.append(pb.MxEvent.FromString(raw))

    def shutdown_worker(self, call: Call) -> None:
        """The worker ends: the session is of no use any more."""
        call.session.fault("the worker was shut down")

    def authenticate_user(self, call: Call) -> None:
        """A user id for a name and a password, valid for this registration."""
        registration = self._commands.registration(call)
        user_id = self._commands.users.authenticate(call.payload.verify_user, call.payload.verify_user_password)
        registration.users.add(user_id)
        call.reply.authenticate_user.user_id = user_id
        call.reply.return_value.CopyFrom(integer(user_id))

    def archestra_user_to_id(self, call: Call) -> None:
        """A user id for the GUID of an ArchestrA user."""
        registration = self._commands.registration(call)
        user_id = self._commands.users.by_guid(call.payload.user_id_guid)
        registration.users.add(user_id)
        call.reply.archestra_user_to_id.user_id = user_id
        call.reply.return_value.CopyFrom(integer(user_id))


def worker_process_id(session: Session) -> int:
    """A process number that belongs to the session and repeats with the seed."""
    return 1000 + int(session.id[-4:], 16)
