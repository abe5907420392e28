"""Alarms: the feed, the snapshot, acknowledging. None of them needs a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..arguments import NAME, as_json
from ..bounded import Bounds, collect, stream_options
from ..connection_options import connection_options
from ..connections import with_gateway
from ..output import show_reply
from ..people import alarm_line, feed_line

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, GatewayClient
    from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

__all__ = ["acknowledge_alarm", "query_active_alarms", "stream_alarms"]

_prefix = click.option(
    "--filter-prefix", default="", metavar="TEXT", help="Only references that begin so, such as Galaxy!Area001."
)


@click.command("stream-alarms")
@connection_options()
@_prefix
@stream_options("--max-messages")
def stream_alarms(options: ClientOptions, filter_prefix: str, bounds: Bounds) -> None:
    """Show the alarm feed: first what is active now, then each change.

    With --json the messages come at the end, in one object: after 30 s, or 10000 messages, or earlier as --timeout and
    --max-messages say. Otherwise each is shown as it comes.
    """

    async def work(client: GatewayClient) -> None:
        async with client.stream_alarms(filter_prefix, timeout=bounds.timeout) as stream:
            await collect(stream, bounds, feed_line, "messages", {"filterPrefix": filter_prefix})

    with_gateway(options, work)


@click.command("query-active-alarms")
@connection_options()
@_prefix
@as_json
def query_active_alarms(options: ClientOptions, filter_prefix: str, as_json: bool) -> None:
    """Show the alarms that are active now."""

    async def work(client: GatewayClient) -> list[pb.ActiveAlarmSnapshot]:
        return [alarm async for alarm in client.query_active_alarms(filter_prefix)]

    alarms = with_gateway(options, work)
    data = {"alarmCount": len(alarms), "alarms": alarms, "filterPrefix": filter_prefix}
    show_reply(data, [*map(alarm_line, alarms)] or "no active alarms", as_json=as_json)


@click.command("acknowledge-alarm")
@connection_options()
@click.option("--reference", required=True, type=NAME, metavar="REFERENCE", help="Provider!Group.Name, or its GUID.")
@click.option("--comment", default="", metavar="TEXT", help="Kept with the alarm.")
@click.option("--operator", default="", metavar="NAME", help="In whose name.")
@as_json
def acknowledge_alarm(options: ClientOptions, reference: str, comment: str, operator: str, as_json: bool) -> None:
    """Acknowledge an alarm. Never tried twice."""
    reply = with_gateway(options, lambda client: client.acknowledge_alarm(reference, comment, operator))
    show_reply(
        {"acknowledged": True, "reference": reference, "reply": reply}, f"acknowledged {reference}", as_json=as_json
    )
