"""Collections of live events: subscribe, stream, decode, and keep what came whatever ends it.

Needs the `[notebook]` extra (pandas and pyarrow).
"""

from .collection import Collection
from .collector import Collector, collect_events
from .pace import Pace, SimulatedPace, WallPace
from .sequence import Gap
from .window import Window

__all__ = [
    "Collection",
    "Collector",
    "Gap",
    "Pace",
    "SimulatedPace",
    "WallPace",
    "Window",
    "collect_events",
]
