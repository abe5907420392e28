"""Connect, choose tags, collect; what came survives Ctrl-C."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..outcome import CommandFailed
from ..output import say
from .tags import find_tags

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, Session
    from zb_mom_ww_mxgateway.recording import Collection, Collector

__all__ = ["Recording"]

_CLIENT_NAME = "mxgw-py demo"

Progress = Callable[[int, float], None]


class Recording:
    """One recording of a few tags.

    Args:
        options: how to reach the gateway.
        seconds: how long.
        count: how many tags.
    """

    def __init__(self, options: ClientOptions, seconds: float, count: int) -> None:
        self._options = options
        self._seconds = seconds
        self._count = count
        self._collector: Collector | None = None
        self.interrupted = False

    def run(self) -> Collection:
        """Record, and return what came whatever ended it.

        Raises:
            KeyboardInterrupt: before anything came.
            CommandFailed: there is nothing to collect.
            zb_mom_ww_mxgateway.MxGatewayError: the gateway cannot be used.
        """
        try:
            return asyncio.run(self._record())
        except KeyboardInterrupt:
            self.interrupted = True
            collection = None if self._collector is None else self._collector.collection()
            if collection is None or not len(collection):
                raise
            return collection

    async def _record(self) -> Collection:
        from zb_mom_ww_mxgateway import GalaxyRepositoryClient, GatewayClient

        async with await GalaxyRepositoryClient.connect(self._options) as galaxy:
            tags = await find_tags(galaxy, self._count)
        if not tags:
            raise CommandFailed(f"the Galaxy behind {self._options.address} has no attribute to collect")
        async with (
            await GatewayClient.connect(self._options) as client,
            await client.open_session(client_session_name=_CLIENT_NAME) as session,
        ):
            return await self._collect(session, tags)

    async def _collect(self, session: Session, tags: list[str]) -> Collection:
        from zb_mom_ww_mxgateway.recording import Collector

        say(
            f"collecting {len(tags)} tags of {self._options.address} for {self._seconds:g} s; "
            "Ctrl-C ends it early and keeps what has come"
        )
        with _progress(self._seconds) as progress:
            self._collector = Collector(session, tags, client_name=_CLIENT_NAME, progress=progress)
            return await self._collector.run(seconds=self._seconds)


@contextmanager
def _progress(seconds: float) -> Iterator[Progress]:
    """A bar on a terminal; one line elsewhere, since a log wants nothing that is drawn over and over."""
    if not sys.stderr.isatty():
        yield _say_once()
        return
    from tqdm import tqdm

    layout = "{percentage:3.0f}% |{bar:30}| {n:.1f} of {total:g} s{postfix}"
    with tqdm(total=seconds, file=sys.stderr, bar_format=layout) as bar:

        def draw(events: int, elapsed: float) -> None:
            bar.set_postfix_str(f"{events} events", refresh=False)
            bar.n = min(elapsed, seconds)
            bar.refresh()

        yield draw


def _say_once() -> Progress:
    said = False

    def first(events: int, elapsed: float) -> None:
        nonlocal said
        if events and not said:
            said = True
            say("the first events have come")

    return first
