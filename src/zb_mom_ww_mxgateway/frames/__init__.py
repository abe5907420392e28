"""Events as tables: serialized protobuf to Arrow to pandas. No I/O, no connection.

The Arrow table is the native result (`events_table`, `EventTableBuilder`); pandas (`events_frame`, `wide_frame`,
`tag_summary`), Polars and DuckDB are views of it. Needs the `[notebook]` extra.
"""

from .arrays import array_values
from .events import EventTableBuilder, events_table, replay_gaps
from .galaxy import GalaxySnapshot, GalaxyTableBuilder, galaxy_tables
from .galaxy_decode import GalaxyPageError
from .galaxy_diff import CHANGE_SCHEMA, diff_hierarchy, diff_table
from .galaxy_find import TagFilter, find, find_table
from .galaxy_pandas import attribute_frame, hierarchy_frame
from .galaxy_schema import ATTRIBUTE_SCHEMA, HIERARCHY_SCHEMA, GalaxyTableError
from .pandas_events import events_frame
from .pandas_wide import wide_frame
from .rows import ReplayGap
from .schema import EVENT_SCHEMA, VALUE_COLUMNS, VALUE_TYPES, conform
from .summary import tag_summary
from .wire import EventDecodeError

__all__ = [
    # tables
    "EVENT_SCHEMA",
    "VALUE_COLUMNS",
    "VALUE_TYPES",
    "EventDecodeError",
    "EventTableBuilder",
    "ReplayGap",
    "array_values",
    "conform",
    "events_table",
    "replay_gaps",
    # the Galaxy
    "ATTRIBUTE_SCHEMA",
    "CHANGE_SCHEMA",
    "HIERARCHY_SCHEMA",
    "GalaxyPageError",
    "GalaxySnapshot",
    "GalaxyTableBuilder",
    "GalaxyTableError",
    "TagFilter",
    "attribute_frame",
    "diff_hierarchy",
    "diff_table",
    "find",
    "find_table",
    "galaxy_tables",
    "hierarchy_frame",
    # pandas
    "events_frame",
    "tag_summary",
    "wide_frame",
]
