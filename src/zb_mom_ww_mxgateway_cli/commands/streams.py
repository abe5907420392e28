"""`mxgw-py stream-events`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
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

#: How often, and how many seconds apart, a stream is tried that has another one before it.
ATTEMPTS, PAUSE = 10, 0.1


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

    with_session(options, session_id, lambda session: _patiently(work, session))


async def _patiently(work: Callable[[Session], Awaitable[None]], session: Session) -> None:
    """Do the work; again, for a while, where the gateway has not noticed the end of the stream before this one yet."""
    import grpc

    from zb_mom_ww_mxgateway import MxGatewaySessionError

    for _ in range(ATTEMPTS):
        try:
            return await work(session)
        except MxGatewaySessionError as error:
            # Said at the start of a stream or never: nothing has been shown.
            if error.code is not grpc.StatusCode.ALREADY_EXISTS:
                raise
        await asyncio.sleep(PAUSE)
    return await work(session)
