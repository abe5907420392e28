"""Events as tables: serialized protobuf to Arrow to pandas. No I/O, no connection.

The Arrow table is the native result (`events_table`, `EventTableBuilder`); pandas (`events_frame`, `wide_frame`,
`tag_summary`), Polars and DuckDB are views of it. Needs the `[notebook]` extra.
"""

from .arrays import array_values
from .events import EventTableBuilder, events_table, replay_gaps
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
    # pandas
    "events_frame",
    "tag_summary",
    "wide_frame",
]
