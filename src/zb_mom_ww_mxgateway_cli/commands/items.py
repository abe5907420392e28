"""Items: add, remove, advise, read; one at a time and many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..arguments import INT32_MAX, NAME, as_json, item_handle, item_handles, items, server_handle, session_id, strict
from ..connection_options import connection_options
from ..connections import with_session
from ..outcome import REFUSED
from ..output import say, show_reply
from ..people import result_line

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions

__all__ = [
    "add_item",
    "add_item2",
    "advise",
    "advise_supervisory",
    "read_bulk",
    "remove_item",
    "show_results",
    "subscribe_bulk",
    "unadvise",
    "unsubscribe_bulk",
]

_item = click.option("--item", required=True, type=NAME, metavar="REFERENCE", help="Such as Object.Attribute.")


def show_results(results: Sequence[Any], session_id: str, server_handle: int, *, strict: bool, as_json: bool) -> int:
    """Show the entries of a bulk reply, in the order of the request.

    Returns:
        The exit code: a refused entry is a result, and a failure with --strict alone.
    """
    refused = sum(not result.was_successful for result in results)
    data = {
        "failedCount": refused,
        "results": list(results),
        "serverHandle": server_handle,
        "sessionId": session_id,
        "successfulCount": len(results) - refused,
    }
    show_reply(data, map(result_line, results), as_json=as_json)
    if refused and strict:
        say(f"error: {refused} of {len(results)} entries were refused")
        return REFUSED
    return 0


@click.command("add-item")
@connection_options()
@session_id
@server_handle
@_item
@as_json
def add_item(options: ClientOptions, session_id: str, server_handle: int, item: str, as_json: bool) -> None:
    """Add an item: gives its item handle. MXAccess tells an unknown reference when it is advised."""
    handle = with_session(options, session_id, lambda session: session.add_item(server_handle, item))
    _show_item(session_id, server_handle, handle, as_json=as_json, item=item)


@click.command("add-item2")
@connection_options()
@session_id
@server_handle
@_item
@click.option("--context", required=True, type=NAME, metavar="OBJECT", help="What the reference is relative to.")
@as_json
def add_item2(
    options: ClientOptions, session_id: str, server_handle: int, item: str, context: str, as_json: bool
) -> None:
    """Add an item by a reference relative to an object."""
    handle = with_session(options, session_id, lambda session: session.add_item2(server_handle, item, context))
    _show_item(session_id, server_handle, handle, as_json=as_json, item=item, context=context)


def _show_item(session_id: str, server_handle: int, item_handle: int, *, as_json: bool, **more: str) -> None:
    data = {"itemHandle": item_handle, "serverHandle": server_handle, "sessionId": session_id, **more}
    show_reply(data, f"item handle {item_handle}" if more else "done", as_json=as_json)


@click.command("remove-item")
@connection_options()
@session_id
@server_handle
@item_handle
@as_json
def remove_item(options: ClientOptions, session_id: str, server_handle: int, item_handle: int, as_json: bool) -> None:
    """Remove an item."""
    with_session(options, session_id, lambda session: session.remove_item(server_handle, item_handle))
    _show_item(session_id, server_handle, item_handle, as_json=as_json)


@click.command("advise")
@connection_options()
@session_id
@server_handle
@item_handle
@as_json
def advise(options: ClientOptions, session_id: str, server_handle: int, item_handle: int, as_json: bool) -> None:
    """Ask for an item's data changes: stream-events shows them."""
    with_session(options, session_id, lambda session: session.advise(server_handle, item_handle))
    _show_item(session_id, server_handle, item_handle, as_json=as_json)


@click.command("advise-supervisory")
@connection_options()
@session_id
@server_handle
@item_handle
@as_json
def advise_supervisory(
    options: ClientOptions, session_id: str, server_handle: int, item_handle: int, as_json: bool
) -> None:
    """Advise on behalf of a user: only then does the user id of a write count."""
    with_session(options, session_id, lambda session: session.advise_supervisory(server_handle, item_handle))
    _show_item(session_id, server_handle, item_handle, as_json=as_json)


@click.command("unadvise")
@connection_options()
@session_id
@server_handle
@item_handle
@as_json
def unadvise(options: ClientOptions, session_id: str, server_handle: int, item_handle: int, as_json: bool) -> None:
    """Stop an item's data changes."""
    with_session(options, session_id, lambda session: session.un_advise(server_handle, item_handle))
    _show_item(session_id, server_handle, item_handle, as_json=as_json)


@click.command("subscribe-bulk")
@connection_options()
@session_id
@server_handle
@items
@strict
@as_json
def subscribe_bulk(
    options: ClientOptions, session_id: str, server_handle: int, items: list[str], strict: bool, as_json: bool
) -> int:
    """Add and advise many items in one call."""
    results = with_session(options, session_id, lambda session: session.subscribe_bulk(server_handle, items))
    return show_results(results, session_id, server_handle, strict=strict, as_json=as_json)


@click.command("unsubscribe-bulk")
@connection_options()
@session_id
@server_handle
@item_handles
@strict
@as_json
def unsubscribe_bulk(
    options: ClientOptions, session_id: str, server_handle: int, item_handles: list[int], strict: bool, as_json: bool
) -> int:
    """Stop and remove many items in one call."""
    results = with_session(options, session_id, lambda session: session.unsubscribe_bulk(server_handle, item_handles))
    return show_results(results, session_id, server_handle, strict=strict, as_json=as_json)


@click.command("read-bulk")
@connection_options()
@session_id
@server_handle
@items
@click.option(
    "--timeout-ms",
    default=0,
    type=click.IntRange(0, INT32_MAX),
    metavar="MS",
    help="How long the gateway waits for values; 0 is its own default.",
)
@strict
@as_json
def read_bulk(
    options: ClientOptions,
    session_id: str,
    server_handle: int,
    items: list[str],
    timeout_ms: int,
    strict: bool,
    as_json: bool,
) -> int:
    """Read many values in one call: of advised items from the gateway's cache, of others from the plant."""
    results = with_session(
        options, session_id, lambda session: session.read_bulk(server_handle, items, timeout_ms=timeout_ms)
    )
    return show_results(results, session_id, server_handle, strict=strict, as_json=as_json)
