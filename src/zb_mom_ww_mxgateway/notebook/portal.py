"""One background event loop for all blocking calls of a process.

A notebook's own loop is busy while a cell runs, so everything that must go on meanwhile (streams, keepalive,
collections in the background) lives on a loop on a thread of its own. A blocking call submits a coroutine to it and
waits; an interrupted call cancels its coroutine, and with it the call on the gateway.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

__all__ = ["Portal", "portal"]

_log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")

#: On Windows a wait without end cannot be interrupted, so it is done in slices (seconds).
_SLICE = 0.1
#: Seconds that an interrupted call gets to end its call on the gateway.
_GRACE = 5.0


class Portal:
    """An event loop on a daemon thread. It starts with the first call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._last_acts: list[Callable[[], Awaitable[object]]] = []

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; started if need be."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._run, args=(self._loop,), name="mxgateway", daemon=True)
                self._thread.start()
            return self._loop

    def call(self, coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Run a coroutine on the loop and wait for its result.

        Raises:
            KeyboardInterrupt: after the coroutine was cancelled, so that nothing goes on behind the user's back.
            RuntimeError: called on the loop itself, where waiting would never end.
        """
        if self._thread is not None and threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("a blocking call on the background loop would wait for itself: use the async API there")
        future = self.submit(coroutine)
        try:
            while True:
                try:
                    return future.result(timeout=_SLICE)
                except concurrent.futures.TimeoutError:
                    # Ours, unless the coroutine itself has ended with one.
                    if future.done():
                        return future.result()
        except BaseException:
            if not future.done():
                future.cancel()
                concurrent.futures.wait([future], timeout=_GRACE)
            raise

    def submit(self, coroutine: Coroutine[Any, Any, ResultT]) -> concurrent.futures.Future[ResultT]:
        """Start a coroutine on the loop without waiting for it."""
        ended: concurrent.futures.Future[ResultT] = concurrent.futures.Future()
        loop = self.loop

        def start() -> None:
            task = loop.create_task(coroutine)
            # `ended` is done only when the task is: a cancelled one still has a call to end.
            ended.cancel = lambda: loop.call_soon_threadsafe(task.cancel) is not None  # type: ignore[method-assign]
            task.add_done_callback(lambda done: _copy(done, ended))

        started = threading.Event()

        def start_and_tell() -> None:
            try:
                start()
            finally:
                started.set()

        loop.call_soon_threadsafe(start_and_tell)
        started.wait()
        return ended

    def before_end(self, act: Callable[[], Awaitable[object]]) -> Callable[[], None]:
        """Await something on the loop before it ends, such as closing a session on the gateway.

        Returns:
            Takes it back.
        """
        self._last_acts.append(act)
        return lambda: self._last_acts.remove(act) if act in self._last_acts else None

    def close(self) -> None:
        """Do the last acts, cancel what runs and end the thread. Idempotent; the next call starts another one."""
        with self._lock:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None:
            return
        acts, self._last_acts = self._last_acts, []
        asyncio.run_coroutine_threadsafe(_end(acts), loop).result(timeout=2 * _GRACE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=_GRACE)

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()
        loop.close()


def _copy(task: asyncio.Task[ResultT], future: concurrent.futures.Future[ResultT]) -> None:
    if task.cancelled():
        future.set_exception(concurrent.futures.CancelledError())
    elif (error := task.exception()) is not None:
        future.set_exception(error)
    else:
        future.set_result(task.result())


async def _end(acts: Sequence[Callable[[], Awaitable[object]]]) -> None:
    try:
        async with asyncio.timeout(_GRACE):
            # What fails now has nobody to tell; the gateway ends a session that was not closed by itself.
            await asyncio.gather(*(act() for act in acts), return_exceptions=True)
    except TimeoutError:
        _log.info("what was open on the gateway was not all closed within %g s", _GRACE)
    await _cancel_all()


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


_portal = Portal()
_exit_hook = threading.Lock()


def portal() -> Portal:
    """The portal of this process; it ends with the interpreter."""
    if _exit_hook.acquire(blocking=False):
        atexit.register(_portal.close)
    return _portal
