"""Values and events: read, collect, write."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from ..recording import Collection
from ..status import is_good
from ..values import MxValueInput, from_mx_value
from .environment import progress_wanted
from .facade import READ_ONLY, Facade, listed, raise_refused, wait_for
from .portal import Portal
from .progress import ProgressBar
from .workbench import WriteResult, gathered

if TYPE_CHECKING:
    import pandas as pd

    from .live import LiveWatch
    from .write_form import WriteForm

__all__ = ["Background", "ValueCalls"]


class ValueCalls(Facade):
    """What a gateway does with tags."""

    def read(
        self, tags: str | Sequence[str], *, timeout: float = 10.0, errors: Literal["raise", "report"] = "report"
    ) -> pd.DataFrame:
        """The current values, one row per tag in the order asked for.

        Columns: `tag`, `value` (a Python value), `quality` (the OPC byte), `good`, `time` (source time, UTC),
        `status` (why there is no value).

        Args:
            tags: references.
            timeout: seconds that the gateway waits for values; the first can take 3 to 8 s on a fresh session.
            errors: "raise" when any tag has no value, or "report" it in its row.

        Raises:
            MxGatewayCommandError: with errors="raise", naming the tags.
        """
        import pandas as pd

        wanted = listed(tags)
        results = self._call(self._bench.read(wanted, round(timeout * 1000)))
        rows = [
            {
                "tag": tag,
                "value": from_mx_value(result.value),
                "quality": result.quality,
                "good": result.was_successful and is_good(result.quality),
                "time": result.source_timestamp.ToDatetime() if result.HasField("source_timestamp") else None,
                "status": "" if result.was_successful else result.error_message or "no value",
            }
            for tag, result in zip(wanted, results, strict=True)
        ]
        raise_refused({row["tag"]: row["status"] for row in rows if row["status"]}, errors)
        frame = pd.DataFrame(rows, columns=["tag", "value", "quality", "good", "time", "status"])
        frame["value"] = frame["value"].astype(object)
        frame["time"] = pd.to_datetime(frame["time"]).astype("datetime64[us]").dt.tz_localize("UTC")
        return frame

    def collect(
        self,
        tags: str | Sequence[str],
        *,
        seconds: float | None = None,
        events: int | None = None,
        until: datetime | None = None,
        errors: Literal["raise", "report"] = "report",
        progress: bool | None = None,
        tz: str = "UTC",
    ) -> pd.DataFrame:
        """Collect the events of some tags into a frame, one row per event.

        An interrupted or broken collection returns what it has; `attrs` says why it ended, and which tags were
        refused, silent, or lost events.

        Args:
            tags: references.
            seconds: how long.
            events: stop at so many data changes.
            until: stop at this moment (aware); instead of `seconds`.
            errors: "raise" when a tag cannot be resolved, or "report" it (`attrs["refused"]`).
            progress: a progress bar; by default unless `MXGATEWAY_PROGRESS=0`.
            tz: time zone of the frame's times.
        """
        return self.collection(
            tags, seconds=seconds, events=events, until=until, errors=errors, progress=progress
        ).frame(tz=tz)

    def collection(
        self,
        tags: str | Sequence[str],
        *,
        seconds: float | None = None,
        events: int | None = None,
        until: datetime | None = None,
        errors: Literal["raise", "report"] = "report",
        progress: bool | None = None,
    ) -> Collection:
        """`collect`, returning the `Collection`: the Arrow table, the long and the wide frame, the summary."""
        if until is not None:
            if seconds is not None:
                raise ValueError("give seconds or until, not both")
            seconds = self._seconds_to(until)
        if seconds is None and events is None:
            raise ValueError("give seconds, events or until: without any the collection would never end")
        wanted = listed(tags)
        with ProgressBar(progress_wanted(progress), seconds, events) as bar:
            collector = self._call(self._bench.collector(wanted, bar.update))
            future = self._portal.submit(gathered(collector, seconds, events))
            try:
                done = wait_for(future)
            except KeyboardInterrupt:
                future.cancel()
                done = wait_for(future)
                print(f"interrupted: {len(done)} events collected so far")
        raise_refused(done.refused, errors)
        return done

    def _seconds_to(self, moment: datetime) -> float:
        """Seconds from now, by the simulated clock where there is one."""
        if moment.tzinfo is None:
            raise ValueError(f"until={moment.isoformat()} has no time zone: add one, for example tzinfo=timezone.utc")
        now = time.time() if self._simulator is None else self._simulator.clock.now_us() / 1_000_000
        left = moment.timestamp() - now
        if left <= 0:
            raise ValueError(f"until={moment.isoformat()} is over: it was {-left:.0f} s ago")
        return left

    def background(self, tags: str | Sequence[str]) -> Background:
        """Collect while other cells run; `.frame()` is what has come, `.stop()` ends it."""
        collector = self._call(self._bench.collector(listed(tags)))
        return Background(self._portal, collector, self._portal.submit(gathered(collector, None, None)))

    def watch(self, tags: str | Sequence[str], *, minutes: float = 5.0) -> LiveWatch:
        """A live table and trends of some tags, until its output or the gateway is closed.

        Args:
            tags: references.
            minutes: how far back the trends go.
        """
        from .live import LiveWatch

        wanted = listed(tags)
        self._check_usable()
        timing: dict[str, Any] = {}
        if self._simulator is not None and not self._simulator.clock.is_running:
            clock = self._simulator.clock
            timing = {"now": lambda: clock.now_us() / 1_000_000, "settled": self._bench.pace.settled}
        watch = LiveWatch(self._portal, self._bench.session, wanted, minutes=minutes, **timing)
        self._views.add(watch)
        return watch

    def write(
        self,
        tag: str,
        value: MxValueInput,
        *,
        data_type: str | int | None = None,
        user_id: int = 0,
        timeout: float = 30.0,
    ) -> WriteResult:
        """Write a value and wait for what the plant says. Never repeated.

        Args:
            tag: a reference.
            value: see `zb_mom_ww_mxgateway.values`.
            data_type: what Python cannot tell, for example "float".
            user_id: in whose name.
            timeout: seconds to wait for the completion.

        Raises:
            ReadOnlyError: the gateway was opened read-only.
            MxGatewayError: the write was refused, or no completion came: then it may still take effect.
        """
        self._check_writes()
        return self._call(self._bench.write(tag, value, data_type, user_id, timeout))

    def write_secured(
        self,
        tag: str,
        value: MxValueInput,
        *,
        user: str,
        password: str,
        verifier: str | None = None,
        verifier_password: str = "",
        data_type: str | int | None = None,
        timeout: float = 30.0,
    ) -> WriteResult:
        """Write in the name of a plant user, and of a verifier where the attribute asks for one."""
        self._check_writes()
        second = None if verifier is None else (verifier, verifier_password)
        return self._call(self._bench.write_secured(tag, value, (user, password), second, data_type, timeout))

    def write_form(self, tag: str) -> WriteForm:
        """A form that shows a tag and writes it, after asking once more; read-only unless writes are allowed."""
        from .tag_writer import AsyncTagWriter
        from .write_form import WriteForm

        [wanted] = listed(tag)
        self._check_usable()
        reason = None if self.allow_writes else READ_ONLY
        return WriteForm(AsyncTagWriter(self._bench, self._call, read_only_reason=reason), wanted)


class Background:
    """A collection that goes on while other cells run."""

    def __init__(self, runner: Portal, collector: Any, future: concurrent.futures.Future[Collection]) -> None:
        self._portal = runner
        self._collector = collector
        self._future = future

    def __repr__(self) -> str:
        done = self.collection()
        return f"<Background {len(done)} events of {len(done.tags)} tags, {done.ended_by}>"

    def collection(self) -> Collection:
        """What has come so far."""

        async def look() -> Collection:
            return self._collector.collection()  # type: ignore[no-any-return]

        return self._future.result() if self._future.done() else self._portal.call(look())

    def frame(self, tz: str = "UTC") -> pd.DataFrame:
        """What has come so far, one row per event."""
        return self.collection().frame(tz=tz)

    def stop(self) -> pd.DataFrame:
        """End it and return what has come. Idempotent."""
        if not self._future.done():
            self._portal.loop.call_soon_threadsafe(self._collector.stop)
        return wait_for(self._future).frame()
