"""`mxgw-py smoke`: one item through the whole way, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..arguments import NAME, as_json
from ..connection_options import connection_options
from ..connections import with_gateway
from ..outcome import CommandFailed, CommandRefused
from ..output import show_reply
from ..people import event_line

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, GatewayClient, Session

__all__ = ["smoke"]

_CLIENT_NAME = "mxgw-py"


@click.command
@connection_options()
@click.option("--item", required=True, type=NAME, metavar="REFERENCE", help="What to read, such as Object.Attribute.")
@click.option("--max-events", type=click.IntRange(min=1), default=1, show_default=True, help="Stop after so many.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=1e9),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Stop waiting for events. The first one takes 3 to 8 s on a fresh session.",
)
@as_json
def smoke(options: ClientOptions, item: str, max_events: int, timeout: float, as_json: bool) -> None:
    """Try a gateway with one item: open, register, add, advise, stream, close.

    Succeeds when at least one event of the item came.
    """
    report = with_gateway(options, lambda client: _smoke(client, item, max_events, timeout))
    lines = [
        f"gateway        {report['endpoint']}",
        f"session        {report['sessionId']}",
        f"server handle  {report['serverHandle']}",
        f"item handle    {report['itemHandle']} ({item})",
        *map(event_line, report["events"]),
    ]
    show_reply(report, lines, as_json=as_json)


async def _smoke(client: GatewayClient, item: str, max_events: int, timeout: float) -> dict[str, Any]:
    options = client.options
    session = await client.open_session(client_session_name=_CLIENT_NAME)
    try:
        server = await session.register(_CLIENT_NAME)
        handle = await session.add_item(server, item)
        await session.advise(server, handle)
        events = await _events(session, handle, max_events, timeout)
    finally:
        await session.close()
    _check(events, item, options, timeout)
    return {
        "endpoint": str(options.address),
        "eventCount": len(events),
        "events": events,
        "item": item,
        "itemHandle": handle,
        "serverHandle": server,
        "sessionId": session.session_id,
    }


async def _events(session: Session, handle: int, max_events: int, timeout: float) -> list[Any]:
    from zb_mom_ww_mxgateway import MxGatewayTimeoutError

    events: list[Any] = []
    async with session.stream_events(timeout=timeout) as stream:
        try:
            async for event in stream:
                if event.item_handle == handle:
                    events.append(event)
                if len(events) >= max_events:
                    break
        except MxGatewayTimeoutError:
            # The wait is over; what came decides.
            pass
    return events


def _check(events: list[Any], item: str, options: ClientOptions, timeout: float) -> None:
    from zb_mom_ww_mxgateway.status import describe_status, is_failure

    if not events:
        raise CommandFailed(
            f"no event of {item!r} came from {options.address} within {timeout:g} s: "
            "is its object deployed, and on scan?"
        )
    failed = [status for status in events[-1].statuses if is_failure(status)]
    if failed:
        raise CommandRefused(
            f"{item!r} at {options.address} has no value: MXAccess says {describe_status(failed[0])}; "
            "is there such a tag in the Galaxy?"
        )
