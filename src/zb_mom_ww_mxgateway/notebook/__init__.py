"""Tools for notebooks: blocking calls that return DataFrames, over one background event loop.

`connect()` returns a `Gateway`. Without an endpoint it is an embedded simulated gateway, so everything can be tried
without a plant. A gateway is read-only unless it is opened with `allow_writes=True`.

`%load_ext zb_mom_ww_mxgateway.notebook` gives `%mxread` and `%%mxcollect`, and lets `asyncio.run` work in cells.
"""

from typing import Any

from .gateway import Background, Gateway, ReadOnlyError, connect
from .nesting import enable_nested_asyncio, run_nested
from .portal import Portal, portal
from .regression import FrameMismatchError, assert_frame_matches
from .workbench import WriteResult

__all__ = [
    "Background",
    "FrameMismatchError",
    "Gateway",
    "Portal",
    "ReadOnlyError",
    "WriteResult",
    "assert_frame_matches",
    "connect",
    "enable_nested_asyncio",
    "portal",
    "run_nested",
]


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext` calls."""
    from .magics import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext` calls."""
    from .magics import unload

    unload(shell)
