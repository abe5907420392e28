"""One line per tag: how much came, what it was, how good it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .pandas_events import as_frame, pick_value
from .pandas_wide import sample_rows
from .schema import VALUE_COLUMNS

__all__ = ["tag_summary"]


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
        - `min`, `max`: over numbers of good quality; integers when all numeric tags are, else doubles.
        - `mean`: time-weighted, double; with all events at one instant, the last good number there.
        - `good_share`: share of the time with good quality, 0 to 1; share of the events when they span no time.
        - `first_time`, `last_time`: source times, in the zone of the input (UTC for a table).

        `min`, `mean` and `max` are null for tags without numbers of good quality. Booleans are no numbers here.
    """
    frame = sample_rows(as_frame(table))
    frame = frame.iloc[np.argsort(pd.DatetimeIndex(frame["time"]).asi8, kind="stable")]
    groups = sorted(frame.groupby("tag", observed=True, sort=False).indices.items())
    tags = pd.Index([tag for tag, _ in groups], name="tag", dtype=object if not groups else None)
    first = np.array([rows[0] for _, rows in groups], np.intp)
    last = np.array([rows[-1] for _, rows in groups], np.intp)
    facts = pd.DataFrame([_facts(frame.iloc[rows]) for _, rows in groups], index=tags, columns=list(_FACTS))
    ends = {
        "first": _values(frame.iloc[first], tags),
        "last": _values(frame.iloc[last], tags),
        "first_time": frame["time"].iloc[first].set_axis(tags),
        "last_time": frame["time"].iloc[last].set_axis(tags),
    }
    whole = all(isinstance(each, int) for each in facts["min"].dropna())
    number = pd.ArrowDtype(pa.int64() if whole and len(facts["min"].dropna()) else pa.float64())
    return pd.DataFrame(
        {
            "events": facts["events"].astype("int64"),
            "first": ends["first"],
            "last": ends["last"],
            "min": _column(facts["min"], number),
            "mean": _column(facts["mean"], pd.ArrowDtype(pa.float64())),
            "max": _column(facts["max"], number),
            "good_share": facts["good_share"].astype("float64"),
            "first_time": ends["first_time"],
            "last_time": ends["last_time"],
        },
        index=tags,
    )


_FACTS = ("events", "min", "mean", "max", "good_share")


def _facts(own: pd.DataFrame) -> tuple[int, Any, Any, Any, float]:
    """The facts of one tag, `_FACTS`, from its rows in order of time."""
    good = own["good"].fillna(False).to_numpy(bool)
    seconds = np.diff(pd.DatetimeIndex(own["time"]).as_unit("us").asi8) / 1e6
    total = seconds.sum()
    share = (seconds[good[:-1]].sum() / total) if total else good.mean()
    numbers = _numbers(own)
    exact = numbers[good & numbers.notna().to_numpy(bool)]
    if not len(exact):
        return len(own), None, None, None, float(share)
    values = numbers.astype("float64[pyarrow]").to_numpy(dtype=float, na_value=np.nan)
    counts = good[:-1] & ~np.isnan(values[:-1])
    weight = seconds[counts].sum()
    mean: float | None
    if total:
        mean = float((values[:-1][counts] * seconds[counts]).sum() / weight) if weight else None
    else:
        mean = float(exact.iloc[-1])
    return len(own), exact.min(), mean, exact.max(), float(share)


def _numbers(own: pd.DataFrame) -> pd.Series[Any]:
    """The numeric values of one tag: 64-bit integers when it has only those, else doubles."""
    integers, floats = own["value_int"], own["value_float"]
    if not floats.notna().any():
        return integers
    return floats if not integers.notna().any() else floats.fillna(integers.astype(floats.dtype))


def _values(rows: pd.DataFrame, tags: pd.Index[Any]) -> pd.Series[Any]:
    typed = set(VALUE_COLUMNS) <= set(rows.columns)
    return (pick_value(rows) if typed else rows["value"]).set_axis(tags)


def _column(values: pd.Series[Any], dtype: pd.ArrowDtype) -> pd.Series[Any]:
    objects = [None if pd.isna(value) else value for value in values]
    return pd.Series(pd.array(objects, dtype=dtype), index=values.index)
