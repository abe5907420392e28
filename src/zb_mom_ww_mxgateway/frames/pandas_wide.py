"""Events in wide form: one column per tag."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from .pandas_events import as_frame
from .pandas_values import exact, objects

__all__ = ["sample_rows", "tag_codes", "wide_frame"]

_Integers: TypeAlias = np.ndarray[Any, np.dtype[Any]]

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
        alphabetical order, each with the exact type that this tag's own values have (object for arrays, and for a
        tag that changed its type). Of several events of a tag at one time the last one in the input counts. Only
        data changes are shown, plus other events that carry a value; rows without a source time or without a tag
        have no place and are left out.

    Raises:
        KeyError: If the long form has no such column.
    """
    frame = as_frame(table_or_frame, tz)
    if value not in frame.columns:
        raise KeyError(f"no column {value!r} in the events; there are: {', '.join(map(str, frame.columns))}")
    frame = sample_rows(frame)
    codes, tags = tag_codes(frame)
    times = pd.DatetimeIndex(frame["time"])
    index = times.unique().sort_values().rename("time")
    places = index.get_indexer(times)
    column = frame[value]
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(tags)))
    columns = {}
    for tag, rows in zip(tags, np.split(order, ends[:-1]), strict=False):
        columns[tag] = _spread(column.iloc[rows], places[rows], len(index))
    return pd.DataFrame(columns, index=index, columns=tags)


def _spread(values: pd.Series[Any], places: _Integers, length: int) -> Any:
    """Put one tag's values at their places in a column; where two share a place, numpy keeps the last."""
    array = exact(values.to_numpy()) if values.dtype == object else values.array
    if isinstance(array, np.ndarray):
        column = objects([None] * length)
        column[places] = array
        return column
    source = np.full(length, -1, np.intp)
    source[places] = np.arange(len(places))
    return array.take(source, allow_fill=True)


def sample_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a long frame that say what a tag's value was at a time: with time and tag, data or a value."""
    is_sample = frame["family"].isin(_SAMPLE_FAMILIES) | frame["value_type"].notna()
    return frame[is_sample & frame["time"].notna() & frame["tag"].notna()]


def tag_codes(frame: pd.DataFrame) -> tuple[_Integers, pd.Index[Any]]:
    """The tags of a long frame in alphabetical order, as an index named `tag`, and the position in it for each row."""
    tag = frame["tag"].astype("category").cat.remove_unused_categories()
    tags = tag.cat.categories.sort_values().rename("tag")
    return tag.cat.set_categories(tags).cat.codes.to_numpy(np.intp), tags
