"""`mxgw-py stream-events`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..arguments import session_id
from ..bounded import Bounds, collect, stream_options
from ..connection_options import connection_options
from ..connections import with_session
from ..people import event_line

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, Session

__all__ = ["stream_events"]


@click.command("stream-events")
@connection_options()
@session_id
@stream_options("--max-events")
@click.option(
    "--after-worker-sequence",
    type=click.IntRange(0, 2**64 - 1),
    default=0,
    metavar="N",
    help="Resume after this event, as far back as the gateway keeps them.",
)
def stream_events(options: ClientOptions, session_id: str, bounds: Bounds, after_worker_sequence: int) -> None:
    """Show a session's events.

    With --json the events come at the end, in one object: after 30 s, or 10000 events, or earlier as --timeout and
    --max-events say. Otherwise each is shown as it comes. A session has one event stream at a time, and the gateway
    closes it some time (30 s) after its stream has ended.
    """

    async def work(session: Session) -> None:
        async with session.stream_events(
            after_worker_sequence=after_worker_sequence, on_replay_gap="yield", timeout=bounds.timeout
        ) as stream:
            await collect(stream, bounds, event_line, "events", {"sessionId": session_id})

    with_session(options, session_id, work)
