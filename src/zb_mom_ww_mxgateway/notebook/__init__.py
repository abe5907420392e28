"""Tools for notebooks: blocking calls that return DataFrames, over one background event loop.

`connect()` returns a `Gateway`. Without an endpoint it is an embedded simulated gateway, so everything can be tried
without a plant. A gateway is read-only unless it is opened with `allow_writes=True`.
"""

from .gateway import Background, Gateway, ReadOnlyError, connect
from .portal import Portal, portal
from .workbench import WriteResult

__all__ = ["Background", "Gateway", "Portal", "ReadOnlyError", "WriteResult", "connect", "portal"]
