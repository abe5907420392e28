"""Writes: one value or many, with a time of its own, in the name of a user.

None is ever tried twice. What a write came to is an event; --wait shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..arguments import (
    CSV,
    INT32_MAX,
    TIME,
    as_json,
    item_handle,
    item_handles,
    server_handle,
    session_id,
    strict,
    timeout_option,
    user_ids,
)
from ..connection_options import connection_options
from ..connections import in_batch, with_session
from ..outcome import REFUSED, CommandFailed
from ..output import say, show_reply
from ..plant_values import parse_array, parse_value, parse_values, type_option
from .items import show_results

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, Session, WriteCompletion

__all__ = [
    "write",
    "write2",
    "write2_bulk",
    "write_bulk",
    "write_secured",
    "write_secured2",
    "write_secured2_bulk",
    "write_secured_bulk",
]

#: As the library's own.
WRITE_TIMEOUT = 30.0

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_timestamp = click.option("--timestamp", required=True, type=TIME, metavar="TIME", help="ISO 8601 with its offset.")
_user_id = click.option(
    "--user-id",
    default=0,
    type=click.IntRange(0, INT32_MAX),
    metavar="N",
    help="Counts only after advise-supervisory.",
)


def _single(function: CommandT) -> CommandT:
    """The options of a write to one item."""
    for option in (
        as_json,
        timeout_option("How long --wait waits.", WRITE_TIMEOUT),
        click.option("--wait", is_flag=True, help="Wait for the plant's word, and exit with 5 when it is no."),
        click.option("--array", is_flag=True, help="The value is an array, in CSV; it replaces the whole array."),
        click.option("--value", required=True, metavar="VALUE", help="As --type says."),
        type_option,
        item_handle,
        server_handle,
        session_id,
        connection_options(),
    ):
        function = option(function)
    return function


def _bulk(function: CommandT) -> CommandT:
    """The options of a write to many items."""
    for option in (
        as_json,
        strict,
        click.option("--values", required=True, type=CSV, metavar="CSV", help="One per item handle."),
        type_option,
        item_handles,
        server_handle,
        session_id,
        connection_options(),
    ):
        function = option(function)
    return function


@click.command("write")
@_single
@_user_id
def write(options: ClientOptions, session_id: str, user_id: int, **given: Any) -> int:
    """Write a value to an advised item."""
    return _write(options, session_id, "write", {"user_id": user_id}, **given)


@click.command("write2")
@_single
@_timestamp
@_user_id
def write2(options: ClientOptions, session_id: str, user_id: int, timestamp: datetime, **given: Any) -> int:
    """Write a value with a time of its own."""
    return _write(options, session_id, "write2", {"timestamp": timestamp, "user_id": user_id}, **given)


@click.command("write-secured")
@_single
@user_ids
def write_secured(
    options: ClientOptions, session_id: str, current_user_id: int, verifier_user_id: int, **given: Any
) -> int:
    """Write in the name of an authenticated user."""
    users = {"current_user_id": current_user_id, "verifier_user_id": verifier_user_id}
    return _write(options, session_id, "write_secured", users, **given)


@click.command("write-secured2")
@_single
@_timestamp
@user_ids
def write_secured2(
    options: ClientOptions,
    session_id: str,
    timestamp: datetime,
    current_user_id: int,
    verifier_user_id: int,
    **given: Any,
) -> int:
    """Write in the name of an authenticated user, with a time of its own."""
    users = {"timestamp": timestamp, "current_user_id": current_user_id, "verifier_user_id": verifier_user_id}
    return _write(options, session_id, "write_secured2", users, **given)


def _write(
    options: ClientOptions,
    session_id: str,
    method: str,
    more: dict[str, Any],
    *,
    server_handle: int,
    item_handle: int,
    type_name: str,
    value: str,
    array: bool,
    wait: bool,
    timeout: float,
    as_json: bool,
) -> int:
    import grpc

    from zb_mom_ww_mxgateway import MxGatewaySessionError

    message = (parse_array if array else parse_value)(value, type_name)

    async def work(session: Session) -> WriteCompletion | None:
        try:
            completion: WriteCompletion | None = await getattr(session, method)(
                server_handle, item_handle, message, **more, wait=wait, timeout=timeout
            )
        except MxGatewaySessionError as error:
            if error.code is not grpc.StatusCode.ALREADY_EXISTS:
                raise
            raise CommandFailed(f"the write was accepted, and what it came to cannot be seen: {error}") from error
        finally:
            if wait and not in_batch():
                # The session keeps its one event stream for the next write that waits: here there is none.
                async with session.stream_events():
                    pass
        return completion

    completion = with_session(options, session_id, work)
    data = {
        "accepted": True,
        "itemHandle": item_handle,
        "serverHandle": server_handle,
        "sessionId": session_id,
        "value": message,
    }
    if completion is None:
        show_reply(data, "accepted", as_json=as_json)
        return 0
    data |= {"completed": completion.ok, "completion": completion.event}
    show_reply(data, "completed" if completion.ok else "accepted", as_json=as_json)
    if not completion.ok:
        say(f"error: {completion}")
        return REFUSED
    return 0


@click.command("write-bulk")
@_bulk
@_user_id
def write_bulk(options: ClientOptions, session_id: str, user_id: int, **given: Any) -> int:
    """Write many values in one call."""
    return _write_bulk(options, session_id, "write_bulk", "WriteBulkEntry", {"user_id": user_id}, **given)


@click.command("write2-bulk")
@_bulk
@_timestamp
@_user_id
def write2_bulk(options: ClientOptions, session_id: str, user_id: int, timestamp: datetime, **given: Any) -> int:
    """Write many values with one time of their own."""
    more = {"timestamp": timestamp, "user_id": user_id}
    return _write_bulk(options, session_id, "write2_bulk", "Write2BulkEntry", more, **given)


@click.command("write-secured-bulk")
@_bulk
@user_ids
def write_secured_bulk(
    options: ClientOptions, session_id: str, current_user_id: int, verifier_user_id: int, **given: Any
) -> int:
    """Write many values in the name of an authenticated user."""
    more = {"current_user_id": current_user_id, "verifier_user_id": verifier_user_id}
    return _write_bulk(options, session_id, "write_secured_bulk", "WriteSecuredBulkEntry", more, **given)


@click.command("write-secured2-bulk")
@_bulk
@_timestamp
@user_ids
def write_secured2_bulk(
    options: ClientOptions,
    session_id: str,
    timestamp: datetime,
    current_user_id: int,
    verifier_user_id: int,
    **given: Any,
) -> int:
    """Write many values in the name of an authenticated user, with one time of their own."""
    more = {"timestamp": timestamp, "current_user_id": current_user_id, "verifier_user_id": verifier_user_id}
    return _write_bulk(options, session_id, "write_secured2_bulk", "WriteSecured2BulkEntry", more, **given)


def _write_bulk(
    options: ClientOptions,
    session_id: str,
    method: str,
    entry: str,
    more: dict[str, Any],
    *,
    server_handle: int,
    item_handles: list[int],
    type_name: str,
    values: list[str],
    strict: bool,
    as_json: bool,
) -> int:
    if len(values) != len(item_handles):
        raise click.UsageError(f"{len(item_handles)} item handles and {len(values)} values: give one value per handle")
    from zb_mom_ww_mxgateway import to_mx_value
    from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

    messages = parse_values(values, type_name)
    same = dict(more)
    if "timestamp" in same:
        same["timestamp_value"] = to_mx_value(same.pop("timestamp"))
    entries = [
        getattr(pb, entry)(item_handle=handle, value=message, **same)
        for handle, message in zip(item_handles, messages, strict=True)
    ]

    async def work(session: Session) -> list[pb.BulkWriteResult]:
        results: list[pb.BulkWriteResult] = await getattr(session, method)(server_handle, entries)
        return results

    results = with_session(options, session_id, work)
    return show_results(results, session_id, server_handle, strict=strict, as_json=as_json)
