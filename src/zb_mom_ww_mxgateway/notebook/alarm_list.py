"""`alarms`: the active alarms, live, with a form to acknowledge them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import MxGatewayError
from ..generated import mxaccess_gateway_pb2 as pb
from ..streams import MessageStream
from .alarm_rows import ActiveAlarms
from .live_view import LiveView
from .portal import Portal

__all__ = ["AlarmList"]

#: Seconds to wait before a broken feed is opened again, time after time.
_RETRY = (1.0, 2.0, 5.0, 10.0)
#: Outcomes of acknowledgements that stay in sight.
_OUTCOMES = 5
#: Alarms that are shown: nobody reads more, and a flood must not be made worse by showing it.
_SHOWN = 500

Acknowledge = Callable[[str, str, str], Awaitable[object]]


class AlarmList(LiveView):
    """The active alarms, live.

    It reads the alarm feed until `close()`, until the gateway is closed, or until its output is. A feed that breaks is
    shown in words, and opened again; what was shown stays meanwhile, marked as old.

    Args:
        runner: the background loop.
        feed: opens the alarm feed; called on the background loop, as in `client.stream_alarms`.
        acknowledge: of reference, comment and operator; awaited on the background loop. None when nothing may be
            written.
        read_only_reason: why `acknowledge` is None.
        operator: in whose name to acknowledge, unless the form says another.
        tz: time zone of the times.
    """

    _what = "alarm list"

    def __init__(
        self,
        runner: Portal,
        feed: Callable[[], MessageStream[pb.AlarmFeedMessage]],
        *,
        acknowledge: Acknowledge | None = None,
        read_only_reason: str = "this gateway was opened read-only",
        operator: str = "",
        tz: str = "UTC",
    ) -> None:
        super().__init__(runner)
        self._feed = feed
        self._acknowledge = acknowledge
        self._reason = read_only_reason if acknowledge is None else ""
        self._operator = operator
        self._tz = tz
        self._zone = UTC if tz == "UTC" else ZoneInfo(tz)
        self._alarms = ActiveAlarms()
        # What is shown until the snapshot of another feed is complete.
        self._before: list[dict[str, Any]] = []
        self._outcomes: list[dict[str, Any]] = []
        self._count = 0
        self._waiting: set[str] = set()
        self._start()

    @property
    def outcomes(self) -> list[str]:
        """What came of the last acknowledgements, the newest first."""
        return [outcome["text"] for outcome in self._outcomes]

    def acknowledge(self, reference: str, comment: str = "", operator: str = "") -> Future[None]:
        """Acknowledge an alarm as the button does; the outcome, or the refusal, is shown in the list.

        Returns:
            Done when the outcome is known; it never holds an error of the gateway.
        """
        return self._portal.submit(self._send_acknowledge(reference, comment, operator or self._operator))

    # Reading --------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        tries = 0
        while True:
            why = "the feed has ended"
            try:
                async with self._feed() as stream:
                    self._before = self._shown_rows()
                    self._alarms.begin()
                    async for message in stream:
                        self._alarms.take(message)
                        self._changed = True
                        if self._alarms.complete:
                            tries = 0
                            self._tell("live")
            except MxGatewayError as error:
                why = str(error)
            wait = _RETRY[min(tries, len(_RETRY) - 1)]
            tries += 1
            self._tell(f"broken: {why}; trying again in {wait:g} s")
            await asyncio.sleep(wait)

    def _shown_rows(self) -> list[dict[str, Any]]:
        return self._alarms.rows(self._zone) if self._alarms.complete else self._before

    # Acknowledging --------------------------------------------------------------------------------------------------

    def _asked(self, content: Mapping[str, Any]) -> None:
        if content.get("type") == "acknowledge":
            # Not waited for: the outcome comes with an update, and the kernel stays free.
            self.acknowledge(
                str(content.get("reference", "")), str(content.get("comment", "")), str(content.get("operator", ""))
            )

    async def _send_acknowledge(self, reference: str, comment: str, operator: str) -> None:
        if self._acknowledge is None:
            self._say(reference, False, f"not acknowledged: {self._reason}")
            return
        if reference in self._waiting:
            return
        self._waiting.add(reference)
        self._changed = True
        try:
            await self._acknowledge(reference, comment, operator)
        except MxGatewayError as error:
            self._say(reference, False, f"refused: {error}")
        else:
            self._say(reference, True, "acknowledged")
        finally:
            self._waiting.discard(reference)

    def _say(self, reference: str, ok: bool, text: str) -> None:
        at = datetime.now(self._zone).strftime("%H:%M:%S")
        self._count += 1
        self._outcomes.insert(0, {"ok": ok, "text": f"{at} {reference}: {text}", "number": self._count})
        del self._outcomes[_OUTCOMES:]
        self._changed = True

    # Showing --------------------------------------------------------------------------------------------------------

    def _make_widget(self) -> Any:
        from .live_widgets import AlarmListWidget

        return AlarmListWidget()

    def _view(self) -> dict[str, Any]:
        rows = self._shown_rows()
        active, open_ones = len(rows), sum(row["state"] == "active" for row in rows)
        return {
            "state": self._state,
            "live": self._state == "live",
            "closed": self._closed,
            "provider": self._alarms.provider,
            "degraded": self._alarms.degraded,
            "rows": [{**row, "waiting": row["reference"] in self._waiting} for row in rows[:_SHOWN]],
            "hidden": max(0, active - _SHOWN),
            "active": active,
            "unacknowledged": open_ones,
            "reason": self._reason,
            "operator": self._operator,
            "outcomes": self._outcomes,
            "tz": self._tz,
        }

    def _picture(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        names = ("severity", "state", "area", "reference", "raised", "value", "operator", "comment")
        rows = self._shown_rows()
        return names, [
            [f"{row['word']} ({row['severity']})", *[row[name] for name in names[1:]]] for row in rows[:_SHOWN]
        ]
