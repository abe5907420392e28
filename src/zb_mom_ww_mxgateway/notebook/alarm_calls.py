"""Alarms: the active ones, the feed, the live list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .alarm_views import AlarmCollection, collect_alarm_feed
from .environment import progress_wanted
from .facade import READ_ONLY, Facade
from .progress import ProgressBar

if TYPE_CHECKING:
    import pandas as pd

    from .alarm_list import AlarmList

__all__ = ["AlarmViews"]


class AlarmViews(Facade):
    """What a gateway does with alarms."""

    def active_alarms(self, prefix: str = "", *, tz: str = "UTC") -> pd.DataFrame:
        """The alarms that are active now, one row each; columns as in `frames.ACTIVE_ALARM_SCHEMA`.

        Args:
            prefix: only references that begin so, for example "Galaxy!Area001.".
            tz: time zone of the frame's times.
        """
        from ..frames.alarms import active_alarms_table, alarm_frame

        async def snapshot() -> list[Any]:
            return [alarm async for alarm in self._bench.client.query_active_alarms(prefix)]

        return alarm_frame(active_alarms_table(self._call(snapshot())), tz=tz)

    def collect_alarms(
        self,
        *,
        seconds: float | None = None,
        messages: int | None = None,
        prefix: str = "",
        progress: bool | None = None,
        tz: str = "UTC",
    ) -> pd.DataFrame:
        """The alarm feed, one row per message: the active alarms first, then each transition as it comes.

        An interrupted or broken collection returns what it has; `attrs` says why it ended.

        Args:
            seconds: how long.
            messages: stop at so many.
            prefix: only references that begin so.
            progress: a progress bar; by default unless `MXGATEWAY_PROGRESS=0`.
            tz: time zone of the frame's times.
        """
        if seconds is None and messages is None:
            raise ValueError("give seconds or messages: without either the collection would never end")
        into = AlarmCollection()
        with ProgressBar(progress_wanted(progress), seconds, messages) as bar:
            feed = collect_alarm_feed(
                self._bench.client,
                into,
                prefix=prefix,
                seconds=seconds,
                messages=messages,
                pace=self._bench.pace,
                progress=bar.update,
            )
            try:
                self._call(feed)
            except KeyboardInterrupt:
                print(f"interrupted: {len(into.messages)} messages collected so far")
        return into.frame(tz=tz)

    def acknowledge(self, reference: str, comment: str = "", operator: str = "") -> None:
        """Acknowledge an alarm by its full reference. Never repeated.

        Raises:
            ReadOnlyError: the gateway was opened read-only.
            MxGatewayError: it was refused; the text says what the plant said.
        """
        self._check_writes()
        self._call(self._bench.client.acknowledge_alarm(reference, comment, operator))

    def alarms(self, prefix: str = "", *, operator: str = "", tz: str = "UTC") -> AlarmList:
        """A live list of the active alarms; with `allow_writes=True` they can be acknowledged in it.

        Args:
            prefix: only references that begin so.
            operator: in whose name to acknowledge, unless the form says another.
            tz: time zone of the times.
        """
        from .alarm_list import AlarmList

        self._check_usable()
        client = self._bench.client
        alarms = AlarmList(
            self._portal,
            lambda: client.stream_alarms(prefix),
            acknowledge=client.acknowledge_alarm if self.allow_writes else None,
            read_only_reason=READ_ONLY,
            operator=operator,
            tz=tz,
        )
        self._views.add(alarms)
        return alarms
