"""Sessions: open, close, ping, register, authenticate."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from ..arguments import NAME, as_json, server_handle, session_id
from ..connection_options import connection_options
from ..connections import in_batch, with_gateway, with_session
from ..output import show_reply

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, GatewayClient
    from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

__all__ = ["authenticate_user", "close_session", "open_session", "ping", "register", "unregister"]


@click.command("open-session")
@connection_options()
@click.option("--client-name", default="mxgw-py", show_default=True, metavar="NAME", help="For the gateway's list.")
@click.option("--backend", default="", metavar="NAME", help="Instead of the gateway's default.")
@as_json
def open_session(options: ClientOptions, client_name: str, backend: str, as_json: bool) -> None:
    """Open a session and leave it open: close-session ends it, or its lease."""
    reply = with_gateway(options, lambda client: _open(client, client_name, backend))
    show_reply(reply, f"session {reply.session_id}", as_json=as_json)


async def _open(client: GatewayClient, client_name: str, backend: str) -> pb.OpenSessionReply:
    from zb_mom_ww_mxgateway import MxGatewayCommandError
    from zb_mom_ww_mxgateway.connection import new_correlation_id
    from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

    request = pb.OpenSessionRequest(
        client_session_name=client_name, requested_backend=backend, client_correlation_id=new_correlation_id()
    )
    reply = await client.open_session_raw(request)
    _check(reply, "open-session")
    if not reply.session_id:
        raise MxGatewayCommandError("open-session was answered without a session id", reply=reply)
    return reply


@click.command("close-session")
@connection_options()
@session_id
@as_json
def close_session(options: ClientOptions, session_id: str, as_json: bool) -> None:
    """Close a session; one that is closed already is no failure while the gateway knows it."""
    reply = with_gateway(options, lambda client: _close(client, session_id))
    show_reply(reply, f"closed {session_id}", as_json=as_json)


async def _close(client: GatewayClient, session_id: str) -> pb.CloseSessionReply:
    from zb_mom_ww_mxgateway.connection import new_correlation_id
    from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

    request = pb.CloseSessionRequest(session_id=session_id, client_correlation_id=new_correlation_id())
    reply = await client.close_session_raw(request)
    _check(reply, f"close-session of {session_id}")
    return reply


def _check(reply: pb.OpenSessionReply | pb.CloseSessionReply, what: str) -> None:
    """The raw calls judge the gRPC status alone."""
    from zb_mom_ww_mxgateway.errors import class_of_protocol_status, protocol_status_name
    from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

    code = reply.protocol_status.code
    if code not in (pb.PROTOCOL_STATUS_CODE_OK, pb.PROTOCOL_STATUS_CODE_UNSPECIFIED):
        reason = reply.protocol_status.message or "no reason given"
        raise class_of_protocol_status(code)(f"{what} failed: {reason}; {protocol_status_name(code)}", reply=reply)


@click.command("ping")
@connection_options()
@session_id
@click.option("--message", default="", metavar="TEXT", help="For the worker's log.")
@as_json
def ping(options: ClientOptions, session_id: str, message: str, as_json: bool) -> None:
    """Ask a session's worker for a sign of life; renews the lease."""
    with_session(options, session_id, lambda session: session.ping(message))
    show_reply({"ok": True, "sessionId": session_id}, "ok", as_json=as_json)


@click.command("register")
@connection_options()
@session_id
@click.option("--client-name", required=True, type=NAME, metavar="NAME", help="For the plant's own tools.")
@as_json
def register(options: ClientOptions, session_id: str, client_name: str, as_json: bool) -> None:
    """Register with MXAccess: gives the server handle that items need."""
    handle = with_session(options, session_id, lambda session: session.register(client_name))
    show_reply({"serverHandle": handle, "sessionId": session_id}, f"server handle {handle}", as_json=as_json)


@click.command("unregister")
@connection_options()
@session_id
@server_handle
@as_json
def unregister(options: ClientOptions, session_id: str, server_handle: int, as_json: bool) -> None:
    """Give a registration back, with all its items."""
    with_session(options, session_id, lambda session: session.unregister(server_handle))
    show_reply({"serverHandle": server_handle, "sessionId": session_id}, "done", as_json=as_json)


@click.command("authenticate-user")
@connection_options()
@session_id
@server_handle
@click.option("--user", required=True, type=NAME, metavar="NAME", help="Of the plant.")
@click.option("--password-env", metavar="NAME", help="Environment variable that holds the password.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")
@as_json
def authenticate_user(
    options: ClientOptions,
    session_id: str,
    server_handle: int,
    user: str,
    password_env: str | None,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Authenticate a plant user: gives the user id that secured writes need."""
    password = _password(password_env, password_stdin)
    number = with_session(options, session_id, lambda session: session.authenticate_user(server_handle, user, password))
    data = {"serverHandle": server_handle, "sessionId": session_id, "userId": number}
    show_reply(data, f"user id {number}", as_json=as_json)


def _password(variable: str | None, from_stdin: bool) -> str:
    """Never from the command line: others on the machine can read that."""
    if (variable is None) != from_stdin:
        raise click.UsageError("give --password-env or --password-stdin, one of them")
    if variable is not None:
        if variable not in os.environ:
            raise click.UsageError(f"--password-env: the environment variable {variable} is not set")
        return os.environ[variable]
    if in_batch():
        raise click.UsageError("in a batch stdin holds the commands: use --password-env")
    return sys.stdin.readline().rstrip("\r\n")
