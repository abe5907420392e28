"""`asyncio.run(...)` inside a cell, for scripts that are written that way.

A cell runs on the kernel's event loop, where `asyncio.run` is refused. nest_asyncio allows it. It is never applied by
an import: `enable_nested_asyncio()` or `%load_ext zb_mom_ww_mxgateway.notebook` does it. The reasons for what is done
here, and for what is not, are in docs/decisions/0005-nested-asyncio.md.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["enable_nested_asyncio", "run_nested"]

ResultT = TypeVar("ResultT")

_applied: str | None = None


def enable_nested_asyncio() -> str:
    """Let `asyncio.run` and `loop.run_until_complete` nest on the running loop.

    Returns:
        The package that does it: "nest_asyncio2" where it is installed, else "nest_asyncio".

    Raises:
        ImportError: none that works on this Python is installed; the text says what to install.
        RuntimeError: the running loop cannot be patched (uvloop): use the blocking `connect()` instead.
    """
    global _applied
    if _applied is not None:
        return _applied
    name = _choose()
    loop = _running_loop()
    if loop is not None and not isinstance(loop, asyncio.BaseEventLoop):
        raise RuntimeError(
            f"the running event loop is a {type(loop).__module__}.{type(loop).__name__}, which cannot nest: "
            "use zb_mom_ww_mxgateway.notebook.connect(), which needs no nesting"
        )
    importlib.import_module(name).apply()
    _applied = name
    return name


def run_nested(coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
    """`asyncio.run` for a cell, that leaves nothing behind when the cell is interrupted.

    An interrupted `run_until_complete` leaves its task running, and with it the call on the gateway; here the task is
    cancelled, and its end awaited.
    """
    enable_nested_asyncio()
    loop = asyncio.get_event_loop()
    task = loop.create_task(coroutine)
    try:
        return loop.run_until_complete(task)
    except BaseException:
        if not task.done():
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        raise


def _choose() -> str:
    """The package to use: the two must never be mixed, and the older one fails on Python 3.14."""
    if "nest_asyncio" in sys.modules and getattr(asyncio, "_nest_patched", False):
        return "nest_asyncio"
    if importlib.util.find_spec("nest_asyncio2") is not None:
        return "nest_asyncio2"
    if sys.version_info >= (3, 14):
        raise ImportError("on Python 3.14 nested asyncio needs nest-asyncio2: pip install nest-asyncio2")
    if importlib.util.find_spec("nest_asyncio") is None:
        raise ImportError("nested asyncio needs nest-asyncio2: pip install nest-asyncio2")
    return "nest_asyncio"


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
