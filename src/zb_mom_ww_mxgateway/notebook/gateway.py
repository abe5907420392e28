"""The blocking facade: `connect()` and the `Gateway` that it returns."""

from __future__ import annotations

import concurrent.futures
import html
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from ..errors import MxGatewayCommandError
from ..options import ClientOptions
from ..recording import Collection, Pace, SimulatedPace
from ..values import MxValueInput, from_mx_value
from .alarm_views import AlarmCollection, collect_alarm_feed
from .environment import options_from, progress_wanted
from .portal import Portal, portal
from .progress import ProgressBar
from .workbench import Workbench, WriteResult, gathered

if TYPE_CHECKING:
    import pandas as pd

    from ..simulator import SimulatedGateway

__all__ = ["Background", "Gateway", "ReadOnlyError", "connect"]

ResultT = TypeVar("ResultT")

READ_ONLY = "this gateway was opened read-only: connect(allow_writes=True) to write"


class ReadOnlyError(MxGatewayCommandError):
    """A write on a gateway that was opened without `allow_writes=True`."""


def connect(
    endpoint: str | None = None,
    api_key: str | None = None,
    *,
    allow_writes: bool = False,
    simulator: SimulatedGateway | None = None,
    seed: int = 1,
    quiet: bool = False,
    **options: Any,
) -> Gateway:
    """Connect a notebook to a gateway.

    Without an endpoint, here or in `MXGATEWAY_ENDPOINT`, an embedded simulated gateway is started; one line says which
    it is. The key comes from the argument or from `MXGATEWAY_API_KEY`, TLS settings from the options or from
    `MXGATEWAY_PLAINTEXT`, `MXGATEWAY_CA_FILE`, `MXGATEWAY_SERVER_NAME_OVERRIDE`, `MXGATEWAY_PINNED_SHA256` and
    `MXGATEWAY_REQUIRE_CERTIFICATE_VALIDATION`.

    Args:
        endpoint: `host:port`.
        api_key: shown nowhere.
        allow_writes: let `write` and the write form write; a running plant is at the other end.
        simulator: a simulated gateway that is running; on a `VirtualClock`, collections move it on.
        seed: of the embedded gateway.
        quiet: print nothing.
        **options: further fields of `ClientOptions`.

    Raises:
        ValueError: an option cannot be used.
        MxGatewayError: nobody answers, or the key is not accepted.
    """
    owned: SimulatedGateway | None = None
    chosen = None if simulator is not None else options_from(endpoint, {"api_key": api_key, **options})
    if chosen is None:
        from ..simulator import SimulatedGateway as Embedded

        if simulator is None:
            simulator = owned = Embedded(seed=seed)
            owned.start()
        chosen = ClientOptions(endpoint=simulator.endpoint, api_key=simulator.api_key, plaintext=simulator.plaintext)
    pace = _pace_of(simulator)
    try:
        bench = portal().call(Workbench.open(chosen, pace))
    except BaseException:
        if owned is not None:
            owned.stop()
        raise
    gateway = Gateway(
        bench, portal(), chosen, allow_writes=allow_writes, embedded=owned, simulated=simulator is not None
    )
    if not quiet:
        print(gateway.summary())
    return gateway


class Gateway:
    """A gateway for notebooks: blocking calls, DataFrames, read-only unless opened otherwise.

    Use `connect()`. Everything closes with the interpreter, with `close()`, or at the end of a `with` block.
    """

    def __init__(
        self,
        bench: Workbench,
        runner: Portal,
        options: ClientOptions,
        *,
        allow_writes: bool,
        embedded: SimulatedGateway | None,
        simulated: bool,
    ) -> None:
        self.options = options
        self.allow_writes = allow_writes
        self._bench = bench
        self._portal = runner
        self._embedded = embedded
        self._simulated = simulated
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    # What it is -----------------------------------------------------------------------------------------------------

    def summary(self) -> str:
        """One line: which gateway, how safe, whether it writes."""
        what = "embedded simulated gateway" if self._embedded else "simulated gateway" if self._simulated else "gateway"
        writes = "writes allowed" if self.allow_writes else "read-only"
        return f"{what} {self.options.address}, {self.tls}, {writes}"

    @property
    def tls(self) -> str:
        """How the connection is protected, in words."""
        if self.options.plaintext:
            return "plaintext"
        if self.options.ca_file:
            return f"TLS, trusting {self.options.ca_file}"
        if self.options.require_certificate_validation:
            return "TLS, trusting the system's roots"
        return "TLS, certificate pinned"

    def __repr__(self) -> str:
        return f"<Gateway {self.summary()}{', closed' if self._closed else ''}>"

    def _repr_html_(self) -> str:
        rows = {
            "endpoint": str(self.options.address),
            "protection": self.tls,
            "certificate SHA-256": self._bench.client.fingerprint or "-",
            "session": "closed" if self._closed else self._bench.session_state,
            "writes": "allowed" if self.allow_writes else "refused (read-only)",
        }
        rows |= {f"scope {scope}": f"refused: {why}" for scope, why in self._bench.refused_scopes.items()}
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in rows.items()
        )
        return f"<table>{cells}</table>"

    # Values ---------------------------------------------------------------------------------------------------------

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

        wanted = _listed(tags)
        results = self._call(self._bench.read(wanted, round(timeout * 1000)))
        rows = [
            {
                "tag": tag,
                "value": from_mx_value(result.value),
                "quality": result.quality,
                "good": result.was_successful and result.quality & 0xC0 == 0xC0,
                "time": result.source_timestamp.ToDatetime() if result.HasField("source_timestamp") else None,
                "status": "" if result.was_successful else result.error_message or "no value",
            }
            for tag, result in zip(wanted, results, strict=True)
        ]
        _raise_refused({row["tag"]: row["status"] for row in rows if row["status"]}, errors)
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
            errors: "raise" when a tag cannot be resolved, or "report" it (`attrs["refused"]`).
            progress: a progress bar; by default unless `MXGATEWAY_PROGRESS=0`.
            tz: time zone of the frame's times.
        """
        return self.collection(tags, seconds=seconds, events=events, errors=errors, progress=progress).frame(tz=tz)

    def collection(
        self,
        tags: str | Sequence[str],
        *,
        seconds: float | None = None,
        events: int | None = None,
        errors: Literal["raise", "report"] = "report",
        progress: bool | None = None,
    ) -> Collection:
        """`collect`, returning the `Collection`: the Arrow table, the long and the wide frame, the summary."""
        if seconds is None and events is None:
            raise ValueError("give seconds or events: without either the collection would never end")
        wanted = _listed(tags)
        with ProgressBar(progress_wanted(progress), seconds, events) as bar:
            collector = self._call(self._bench.collector(wanted, bar.update))
            future = self._portal.submit(gathered(collector, seconds, events))
            try:
                done = _wait(future)
            except KeyboardInterrupt:
                future.cancel()
                done = _wait(future)
                print(f"interrupted: {len(done)} events collected so far")
        _raise_refused(done.refused, errors)
        return done

    def background(self, tags: str | Sequence[str]) -> Background:
        """Collect while other cells run; `.frame()` is what has come, `.stop()` ends it."""
        collector = self._call(self._bench.collector(_listed(tags)))
        return Background(self._portal, collector, self._portal.submit(gathered(collector, None, None)))

    # Alarms ---------------------------------------------------------------------------------------------------------

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

    # Writes ---------------------------------------------------------------------------------------------------------

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

    # Life -----------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the session and the connection, and the embedded gateway with them. Idempotent."""
        if self._closed:
            return
        self._closed = True
        try:
            self._portal.call(self._bench.close())
        finally:
            if self._embedded is not None:
                self._embedded.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
        if self._closed:
            coroutine.close()
            raise MxGatewayCommandError(f"the gateway {self.options.address} is closed: connect again")
        return self._portal.call(coroutine)

    def _check_writes(self) -> None:
        if not self.allow_writes:
            raise ReadOnlyError(READ_ONLY)


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
        return _wait(self._future).frame()


def _pace_of(simulator: SimulatedGateway | None) -> Pace | None:
    """On a virtual clock collections move the time on; else it goes by."""
    return None if simulator is None or simulator.clock.is_running else SimulatedPace(simulator)


def _wait(future: concurrent.futures.Future[Collection]) -> Collection:
    while True:
        try:
            return future.result(timeout=0.1)
        except concurrent.futures.TimeoutError:
            # In slices, so that an interrupt is seen on Windows as well.
            if future.done():
                return future.result()


def _listed(tags: str | Sequence[str]) -> list[str]:
    wanted = [tags] if isinstance(tags, str) else list(tags)
    if not wanted or not all(isinstance(tag, str) and tag.strip() for tag in wanted):
        raise ValueError(f"tags={tags!r}: give one or more references like 'Object.Attribute'")
    return wanted


def _raise_refused(refused: Any, errors: str) -> None:
    if errors not in ("raise", "report"):
        raise ValueError(f"errors={errors!r} must be 'raise' or 'report'")
    if errors == "raise" and refused:
        shown = "; ".join(f"{tag}: {why}" for tag, why in list(refused.items())[:5])
        more = f"; and {len(refused) - 5} more" if len(refused) > 5 else ""
        raise MxGatewayCommandError(f"{len(refused)} tags have no value: {shown}{more}")
