"""What the live views share: a reader on the background loop, and one widget that it keeps up to date.

A view reads from the moment it is made, so that its `frame()` fills although nothing is shown. The widget is made when
the view is shown for the first time. Updates are sent from the background loop's thread, so they come while a cell
runs and while the kernel idles alike (tests/notebook/test_kernel.py holds that to a real kernel).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import html
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from .portal import Portal

__all__ = ["LiveView", "html_table", "text_table"]

_log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")

#: Seconds between two updates that have something new, and between two that show no more than that the kernel lives.
_SOONEST, _LATEST = 0.25, 1.0
#: Seconds without any view of the widget after which nothing is read any more: its output was closed.
ABSENCE = 15.0
#: Seconds that ending gets, calls on the gateway included.
_GRACE = 5.0


class LiveView(ABC):
    """Something live in an output: reads in the background, shows itself, and ends.

    Args:
        runner: the background loop.
    """

    #: What the widget is called where widgets cannot be shown.
    _what = "live view"

    def __init__(self, runner: Portal) -> None:
        self._portal = runner
        self._widget: Any = None
        self._task: concurrent.futures.Future[None] | None = None
        self._absent: asyncio.TimerHandle | None = None
        self._changed = True
        self._closed = False
        self._state = "connecting"
        self._begun = threading.Event()
        # Whether the reader was ended for want of anybody who looks.
        self._resting = False

    # What a cell uses -----------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """How it stands, in words: "connecting", "live", why it is not, or "closed"."""
        return self._state

    @property
    def closed(self) -> bool:
        """Whether `close` was called, or the gateway was closed."""
        return self._closed

    @property
    def widget(self) -> Any:
        """The widget, to put beside others; made with the first use.

        Raises:
            ImportError: anywidget is not installed.
        """
        if self._widget is None:
            self._widget = self._make_widget()
            self._widget.on_msg(self._heard)
            if self._widget.comm is not None:
                self._widget.comm.on_close(lambda _: self._portal.loop.call_soon_threadsafe(self._go))
            self._on_loop(self._send)
        return self._widget

    def close(self, why: str = "closed") -> None:
        """Stop reading. What it holds, and what it shows, stays. Idempotent.

        Args:
            why: what is shown from then on.
        """
        if self._closed:
            return
        self._closed = True
        self._stop()
        self._tell(why)
        self._on_loop(self._send)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        plain = {"text/plain": str(self)}
        try:
            widget = self.widget
        except ImportError:
            # The picture of this moment is better than nothing.
            return {**plain, "text/html": html_table(*self._on_loop(self._picture), self._state)}, {}
        data, metadata = widget._repr_mimebundle_()
        return {**data, **plain}, metadata

    def __str__(self) -> str:
        return f"{text_table(*self._on_loop(self._picture))}\n{self._state}"

    def __repr__(self) -> str:
        return f"<{self._what}, {self._state}>"

    def _on_loop(self, work: Callable[[], ResultT]) -> ResultT:
        """Do something where the reader does its work, so that neither sees the other's half."""

        async def run() -> ResultT:
            return work()

        return self._portal.call(run())

    # What a kind of view adds ---------------------------------------------------------------------------------------

    @abstractmethod
    def _make_widget(self) -> Any:
        """A widget with a synced trait `view`."""

    @abstractmethod
    async def _read(self) -> None:
        """Read until there is no more; on the background loop. Cancelled at the end."""

    @abstractmethod
    def _view(self) -> dict[str, Any]:
        """What the widget shows, as JSON."""

    @abstractmethod
    def _picture(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """What it shows now, where there are no widgets: names, and rows of cells."""

    def _asked(self, content: Mapping[str, Any]) -> None:
        """A message of the widget; on the kernel's thread."""
        _log.debug("%s: nothing to do for %r", self._what, content)

    # The reader -----------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Begin to read, and wait a moment until it is known how that went: the next cell may count on it."""
        self._task = self._portal.submit(self._run())
        try:
            self._begun.wait(_GRACE)
        except BaseException:
            self.close("interrupted")
            raise

    def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            concurrent.futures.wait([task], timeout=_GRACE)

    async def _run(self) -> None:
        pushing = asyncio.create_task(self._push())
        try:
            await self._read()
        except Exception as error:
            # Nobody waits for this task: what is shown is the only place to say it.
            self._tell(f"stopped by a fault: {error!r}")
            self._send()
            raise
        finally:
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)
        # The reader ends by itself only when the gateway was closed.
        self._closed = True
        self._send()

    def _tell(self, state: str) -> None:
        """Say how it stands."""
        if state != self._state:
            self._state = state
            self._changed = True
            self._begun.set()

    async def _push(self) -> None:
        waited = 0.0
        while True:
            if self._changed or waited >= _LATEST:
                waited = 0.0
                self._send()
            await asyncio.sleep(_SOONEST)
            waited += _SOONEST

    def _send(self) -> None:
        self._changed = False
        if self._widget is not None:
            self._widget.view = self._view()

    # The output -----------------------------------------------------------------------------------------------------

    def _heard(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, Mapping):
            return
        match content.get("type"):
            case "shown":
                self._portal.loop.call_soon_threadsafe(self._come_back)
            case "gone":
                self._portal.loop.call_soon_threadsafe(self._go_soon)
            case _:
                self._asked(content)

    def _come_back(self) -> None:
        if self._absent is not None:
            self._absent.cancel()
            self._absent = None
        if not self._closed and (self._resting or self._task is None or self._task.done()):
            self._resting = False
            self._tell("connecting")
            before, self._task = self._task, concurrent.futures.Future()
            # On the loop itself, where waiting for `submit` would never end.
            _follow(asyncio.get_running_loop().create_task(self._run_after(before)), self._task)

    async def _run_after(self, before: concurrent.futures.Future[None] | None) -> None:
        """One reader at a time: the one before may still be giving things back."""
        if before is not None:
            await asyncio.gather(asyncio.wrap_future(before), return_exceptions=True)
        await self._run()

    def _go_soon(self) -> None:
        if self._absent is None:
            self._absent = asyncio.get_running_loop().call_later(ABSENCE, self._go)

    def _go(self) -> None:
        """A notebook that is reloaded or scrolled shows it again at once; one that was closed does not."""
        if self._absent is not None:
            self._absent.cancel()
            self._absent = None
        if self._task is not None and not self._task.done():
            self._resting = True
            self._task.cancel()
            self._tell("stopped: its output was closed")


def _follow(task: asyncio.Task[None], future: concurrent.futures.Future[None]) -> None:
    """Let a future end with a task, and the task with the future."""
    loop = task.get_loop()
    future.cancel = lambda: loop.call_soon_threadsafe(task.cancel) is not None  # type: ignore[method-assign]

    def ended(done: asyncio.Task[None]) -> None:
        if not done.cancelled() and (error := done.exception()) is not None:
            future.set_exception(error)
        else:
            future.set_result(None)

    task.add_done_callback(ended)


def text_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under their names, each column as wide as it must be."""
    lines = [list(names), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def html_table(names: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """The same as HTML, everything escaped."""
    head = "".join(f"<th style='text-align:left'>{html.escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<p>{html.escape(caption)}</p><table><tr>{head}</tr>{body}</table>"
