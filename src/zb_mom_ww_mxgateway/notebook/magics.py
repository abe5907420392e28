"""IPython magics: `%mxread`, `%%mxcollect`, and nested asyncio.

%load_ext zb_mom_ww_mxgateway.notebook
%mxread Pump_001.Speed Pump_001.State
%%mxcollect events --seconds 10
Pump_001.Speed
Tank_001.Level
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from .gateway import Gateway, connect
from .nesting import enable_nested_asyncio, run_nested

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GatewayMagics", "load", "unload"]


class _Parser(argparse.ArgumentParser):
    """argparse that raises instead of ending the kernel."""

    def error(self, message: str) -> Any:
        raise UsageError(f"{self.prog}: {message}")


@magics_class
class GatewayMagics(Magics):
    """The magics. They use the `Gateway` in the notebook's namespace, or connect one as `connect()` does."""

    _own: Gateway | None = None

    @line_magic
    def mxread(self, line: str) -> pd.DataFrame:
        """`%mxread TAG [TAG …]`: the current values."""
        tags = shlex.split(line)
        if not tags:
            raise UsageError("%mxread: give one or more references, for example Pump_001.Speed")
        return self._gateway().read(tags)

    @cell_magic
    def mxcollect(self, line: str, cell: str) -> pd.DataFrame:
        """`%%mxcollect [NAME] [--seconds S | --events N]`, one tag per line: events into the variable NAME."""
        parser = _Parser(prog="%%mxcollect", add_help=False)
        parser.add_argument("name", nargs="?", default="")
        parser.add_argument("--seconds", type=float)
        parser.add_argument("--events", type=int)
        given = parser.parse_args(shlex.split(line))
        if given.name and not given.name.isidentifier():
            raise UsageError(f"%%mxcollect: {given.name!r} is not a name for a variable")
        tags = [text.strip() for text in cell.splitlines() if text.strip() and not text.lstrip().startswith("#")]
        if not tags:
            raise UsageError("%%mxcollect: put one reference per line below it")
        seconds = 10.0 if given.seconds is None and given.events is None else given.seconds
        frame = self._gateway().collect(tags, seconds=seconds, events=given.events)
        if given.name:
            self._names()[given.name] = frame
        return frame

    def _names(self) -> dict[str, Any]:
        """The notebook's variables."""
        assert self.shell is not None
        names: dict[str, Any] = self.shell.user_ns
        return names

    def _gateway(self) -> Gateway:
        for value in list(self._names().values()):
            if isinstance(value, Gateway) and not value.closed:
                return value
        if self._own is None or self._own.closed:
            self._own = connect()
        return self._own


_plain_run = asyncio.run


def _run(main: Any, *, debug: bool | None = None, **options: Any) -> Any:
    """`asyncio.run` that nests, and that leaves nothing behind when it is interrupted."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _plain_run(main, debug=debug, **options)
    return run_nested(main)


def load(shell: Any) -> None:
    """Register the magics and let `asyncio.run` nest."""
    shell.register_magics(GatewayMagics)
    enable_nested_asyncio()
    asyncio.run = _run


def unload(shell: Any) -> None:
    """Take `asyncio.run` back; magics stay until the kernel ends."""
    asyncio.run = _plain_run
