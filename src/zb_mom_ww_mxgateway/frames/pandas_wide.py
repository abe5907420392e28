"""Events in wide form: one column per tag."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .pandas_events import as_frame, pick_value
from .schema import VALUE_COLUMNS

__all__ = ["sample_rows", "wide_frame"]

_SAMPLE_FAMILIES = ("ON_DATA_CHANGE", "ON_BUFFERED_DATA_CHANGE")


def wide_frame(
    table_or_frame: pa.Table | pd.DataFrame, *, value: str = "value", tz: str | tzinfo | None = None
) -> pd.DataFrame:
    """Events in wide form: one column per tag, indexed by source time.

    Values arrive on change, so a tag has a value at its own times only; elsewhere its column is null. Fill forward
    (`.ffill()`) to know what was current. Values of bad quality are in the frame like all others: take `value="good"`
    beside it to see or mask them.

    Args:
        table_or_frame: Events of `EVENT_SCHEMA`, or the frame that `events_frame` made of them.
        value: The column of the long form to spread: `"value"`, or `"quality"`, `"good"`, `"received"`, ….
        tz: Time zone of the index and of values that are instants; None keeps a frame's zone, and is UTC for a table.

    Returns:
        A frame with a `DatetimeIndex` named `time`, sorted and without duplicates, and a column per tag, in
        alphabetical order, each with the type that this tag's own values have. Of several events of a tag at one
        time the last one in the input counts. Only data changes are shown, plus other events that carry a value;
        rows without a source time or without a tag have no place and are left out.

    Raises:
        KeyError: If the long form has no such column.
    """
    frame = as_frame(table_or_frame, tz)
    if value not in frame.columns:
        raise KeyError(f"no column {value!r} in the events; there are: {', '.join(map(str, frame.columns))}")
    frame = sample_rows(frame)
    times = pd.DatetimeIndex(frame["time"])
    index = times.unique().sort_values().rename("time")
    places = index.get_indexer(times)
    columns: dict[Any, Any] = {}
    # Sorted here too: the tags of a frame that somebody built may be plain strings.
    for tag, rows in sorted(frame.groupby("tag", observed=True, sort=False).indices.items()):
        own = frame.iloc[rows]
        series = pick_value(own) if value == "value" and set(VALUE_COLUMNS) <= set(own.columns) else own[value]
        source = np.full(len(index), -1, np.intp)
        source[places[rows]] = np.arange(len(rows))
        columns[tag] = series.array.take(source, allow_fill=True)
    return pd.DataFrame(columns, index=index, columns=pd.Index(list(columns), name="tag"))


def sample_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a long frame that say what a tag's value was at a time: with time and tag, data or a value."""
    is_sample = frame["family"].isin(_SAMPLE_FAMILIES) | frame["value_type"].notna()
    return frame[is_sample & frame["time"].notna() & frame["tag"].notna()]
