"""`watch`: some tags, live, in a table with trends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import MxGatewayError
from ..generated import mxaccess_gateway_pb2 as pb
from ..recording.subscription import subscribe
from .live_values import LiveValues
from .live_view import LiveView
from .portal import Portal
from .shared_session import SharedSession

if TYPE_CHECKING:
    import pandas as pd

    from ..streams import MessageStream

__all__ = ["LiveWatch"]

#: Seconds to wait before a broken stream is opened again, time after time.
_RETRY = (1.0, 2.0, 5.0, 10.0)
#: Seconds between two trends: with the width of a trend, more often shows nothing new.
_TREND_SECONDS = 1.0
#: Seconds to wait for events that are on their way on a virtual clock.
_PATIENCE = 2.0


class LiveWatch(LiveView):
    """Some tags, live: their last values in a table, and the last minutes as trends.

    It reads from the moment it is made until `close()`, until the gateway is closed, or until its output is. A stream
    that breaks is shown in words, and opened again.

    Args:
        runner: the background loop.
        session: the shared session; awaited on the background loop, again after a stream has broken.
        tags: references.
        minutes: how far back the trends go.
        now: a clock in seconds; that of a simulated plant where time stands still.
        settled: the last sequence that a session was given, where somebody knows; `frame` waits for it.

    Raises:
        ValueError: there is no tag, or `minutes` is not above 0.
    """

    _what = "watch"

    def __init__(
        self,
        runner: Portal,
        session: Callable[[], Awaitable[SharedSession]],
        tags: Sequence[str],
        *,
        minutes: float = 5.0,
        now: Callable[[], float] = time.monotonic,
        settled: Callable[[str], int | None] = lambda _: None,
    ) -> None:
        if not tags:
            raise ValueError("give at least one tag to watch, like 'Object.Attribute'")
        if not minutes > 0:
            raise ValueError(f"minutes={minutes!r} must be above 0")
        super().__init__(runner)
        self.tags = tuple(dict.fromkeys(tags))
        self._session = session
        self._now = now
        self._settled = settled
        self._values = LiveValues(self.tags, minutes)
        self._minutes = minutes
        self._session_id = ""
        self._sequence = 0
        self._trends: dict[str, Any] = {}
        self._trends_at = float("-inf")
        self._start()

    def frame(self, tz: str = "UTC") -> pd.DataFrame:
        """What it holds, one row per value: `time`, `tag`, `value`, `quality`, `good`.

        Of each tag the last 5,000 values are kept, of more than a hundred tags fewer; `attrs["dropped"]` says how many
        had to make room, `attrs["refused"]` which tags were refused.
        """

        async def look() -> pd.DataFrame:
            await self._until_settled()
            return self._values.frame(tz)

        return self._portal.call(look())

    # Reading --------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        tries = 0
        while True:
            try:
                session = await self._session()
                stream = session.stream_events(on_replay_gap="yield")
                stream.open()
                try:
                    if await self._follow(session, stream):
                        tries = 0
                finally:
                    await stream.aclose()
                why = "the stream has ended"
                if session.closed:
                    self._tell("the gateway was closed")
                    return
            except MxGatewayError as error:
                why = str(error)
            wait = _RETRY[min(tries, len(_RETRY) - 1)]
            tries += 1
            self._tell(f"broken: {why}; trying again in {wait:g} s")
            await asyncio.sleep(wait)

    async def _follow(self, session: SharedSession, stream: MessageStream[pb.MxEvent]) -> bool:
        """Read one stream to its end; whether anything came."""
        subscription = await subscribe(session, self.tags, server_handle=session.server_handle, client_name="")
        self._values.refused = subscription.refused
        self._values.forget_clock()
        self._session_id, self._sequence = session.session_id, 0
        self._tell("live")
        came = False
        try:
            async for batch in stream.batches():
                events = [pb.MxEvent.FromString(raw) for raw in batch]
                if self._values.add(events, subscription.items, self._now()):
                    came = self._changed = True
                self._sequence = max(self._sequence, events[-1].worker_sequence)
        finally:
            if not session.closed and session.broken is None:
                await subscription.leave()
        return came

    async def _until_settled(self) -> None:
        wanted = self._settled(self._session_id) if self._session_id else None
        if wanted is None:
            return
        deadline = time.monotonic() + _PATIENCE
        while self._sequence < wanted and self._state == "live" and time.monotonic() < deadline:
            await asyncio.sleep(0.005)

    # Showing --------------------------------------------------------------------------------------------------------

    def _make_widget(self) -> Any:
        from .live_widgets import WatchWidget

        return WatchWidget()

    def _view(self) -> dict[str, Any]:
        now = self._now()
        # By the wall's time: it is the widget that must not be flooded.
        if time.monotonic() - self._trends_at >= _TREND_SECONDS or self._closed:
            self._trends, self._trends_at = self._values.trends(now), time.monotonic()
        return {
            "state": self._state,
            "live": self._state == "live",
            "closed": self._closed,
            "minutes": self._minutes,
            "rows": self._values.rows(now),
            "trends": self._trends,
        }

    def _picture(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        rows = self._values.rows(self._now())
        cells = [
            [row["tag"], row["value"], row["quality"], f"{row['age']:.1f}" if "age" in row else ""] for row in rows
        ]
        return ("tag", "value", "quality", "age in s"), cells
