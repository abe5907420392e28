"""One line per tag: how much came, what it was, how good it was."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from .pandas_events import as_frame
from .pandas_values import exact
from .pandas_wide import sample_rows, tag_codes

__all__ = ["tag_summary"]

_Numbers: TypeAlias = np.ndarray[Any, np.dtype[Any]]
_INTEGERS = ("int32", "int64")
_FLOATS = ("float", "double")
_DOUBLE = pd.ArrowDtype(pa.float64())


def tag_summary(table: pa.Table | pd.DataFrame) -> pd.DataFrame:
    """Summarize events per tag.

    A tag sends its value when it changes, so every value holds until the next event of the tag. An arithmetic mean
    would count a value that lasted a second like one that lasted an hour. `mean` is therefore **weighted by time**,
    over the spans of good quality between the first and the last event of the tag; spans of other quality, and spans
    without a number, count for nothing. The last event opens no span.

    Args:
        table: Events of `EVENT_SCHEMA`, or the frame that `events_frame` made of them. Rows need not be in order of
            time; events of a tag at the same time keep their order, and the last of them counts for the span.

    Returns:
        A frame indexed by `tag`, in alphabetical order:

        - `events`: number of data changes, of any quality.
        - `first`, `last`: the values at `first_time` and `last_time`; typed like `value` in `events_frame`.
        - `min`, `max`: over numbers of good quality; 64-bit integers when all of them are, else doubles.
        - `mean`: time-weighted, double; with all events at one instant, the last good number there.
        - `good_share`: share of the time with good quality, 0 to 1; share of the events when they span no time.
        - `first_time`, `last_time`: source times, in the zone of the input (UTC for a table).

        `min` and `max` are null for tags without numbers of good quality, `mean` also when no time passed while
        there was one. Booleans, instants and elapsed times are no numbers here, and neither is NaN.
    """
    frame = sample_rows(as_frame(table))
    codes, tags = tag_codes(frame)
    times = pd.DatetimeIndex(frame["time"]).as_unit("us").asi8
    order = np.lexsort((times, codes))  # stable: events at one time keep their order
    frame, codes, times = frame.iloc[order], codes[order], times[order]
    first = np.flatnonzero(np.diff(codes, prepend=-1))
    last = np.flatnonzero(np.diff(codes, append=-1))

    seconds = np.diff(times, append=0) / 1e6
    seconds[last] = 0
    good = frame["good"].fillna(False).to_numpy(bool)
    numbers = _numbers(frame, good)
    count = np.add.reduceat(np.ones(len(frame), np.int64), first)
    total = np.add.reduceat(seconds, first)
    good_share = np.add.reduceat(good.astype(float), first) / count
    np.divide(np.add.reduceat(seconds * good, first), total, out=good_share, where=total > 0)
    return pd.DataFrame(
        {
            "events": count,
            "first": _ends(frame["value"].iloc[first]),
            "last": _ends(frame["value"].iloc[last]),
            "min": numbers.groupby(codes).min().array,
            "mean": _mean(numbers, seconds, first, total),
            "max": numbers.groupby(codes).max().array,
            "good_share": good_share,
            "first_time": frame["time"].iloc[first].array,
            "last_time": frame["time"].iloc[last].array,
        },
        index=tags,
    )


def _ends(values: pd.Series[Any]) -> Any:
    return exact(values.to_numpy(object)) if values.dtype == object else values.array


def _numbers(frame: pd.DataFrame, good: _Numbers) -> pd.Series[Any]:
    """The number of each row, null without one of good quality: integers when all numbers are, else doubles."""
    types = frame["value_type"].astype(object)
    integers = frame["value_int"].where(good & types.isin(_INTEGERS).to_numpy(bool))
    floats = frame["value_float"]
    is_float = good & types.isin(_FLOATS).to_numpy(bool) & ~np.isnan(floats.to_numpy(float, na_value=np.nan))
    if integers.notna().any() and not is_float.any():
        return integers
    return floats.where(is_float).fillna(integers.astype(_DOUBLE))


def _mean(numbers: pd.Series[Any], seconds: _Numbers, first: _Numbers, total: _Numbers) -> Any:
    """Time-weighted mean per tag; rows in order of tag and time, `seconds` the span that each row opens."""
    values = numbers.to_numpy(float, na_value=np.nan)
    there = ~np.isnan(values)
    held = there & (seconds > 0)
    weight = np.add.reduceat(np.where(held, seconds, 0.0), first)
    with np.errstate(invalid="ignore"):  # infinities of both signs
        area = np.add.reduceat(np.multiply(values, seconds, out=np.zeros(len(values)), where=held), first)
    mean = np.full(len(first), np.nan)
    np.divide(area, weight, out=mean, where=weight > 0)
    # Where no time passed there is nothing to weigh; the last number is what the tag ended with.
    newest = np.maximum.reduceat(np.where(there, np.arange(len(values)), -1), first)
    instant = (total == 0) & (newest >= 0)
    mean[instant] = values[newest[instant]]
    return pd.array(pa.array(mean, pa.float64(), mask=np.isnan(mean)), dtype=_DOUBLE)
