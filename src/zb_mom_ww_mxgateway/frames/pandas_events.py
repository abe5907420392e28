"""Events as a pandas DataFrame, long form.

Which pandas types, and why:

- Instants are `datetime64[us, <zone>]`: exact from year 0001 to 9999, and what indexes, `resample` and plots expect
  (an Arrow-backed timestamp makes no `DatetimeIndex`).
- `tag`, `value_type`, `status_category`, `family`, `session_id` are categoricals with sorted categories: group-by
  and pivot work on their codes and come out in alphabetical order, whatever came first. Arrow dictionaries would
  have to be unpacked for both.
- Everything else is Arrow-backed: a missing integer stays an integer, and 2**53 + 1 stays itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .arrays import array_values
from .schema import VALUE_COLUMNS, conform

__all__ = ["as_frame", "events_frame", "in_zone", "pick_value"]

#: Typed columns that `value` can take over as they are; arrays and raw bytes are Python objects there.
_PLAIN = ("value_bool", "value_int", "value_float", "value_string", "value_time")

_FIRST_LOCAL, _LAST_LOCAL = pd.Timestamp("0001-01-01"), pd.Timestamp("9999-12-31 23:59:59.999999")


def events_frame(table: pa.Table, *, tz: str | tzinfo = "UTC") -> pd.DataFrame:
    """Events in long form, one row per event.

    Args:
        table: Events of `EVENT_SCHEMA`, or what a file or another library made of them (see `conform`).
        tz: Time zone of all instants in the result.

    Returns:
        The columns `time, tag, value`, the other columns of `EVENT_SCHEMA` in its order, then whatever else the
        table has; a plain `RangeIndex`. `value` has the exact type (boolean, 64-bit integer, double, string or
        instant) when the whole frame holds one type; otherwise it is an object column of plain Python objects: bool,
        int, float, str, aware datetime, list, bytes, and None for no value. An empty table gives an empty frame with
        the same columns and types. An instant that has no local time in the zone (year 0001 west of Greenwich) is
        NaT; in UTC all are exact.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: If the zone's name is not known.
        pyarrow.ArrowInvalid: If a column of the table cannot be read as `EVENT_SCHEMA` has it.
    """
    frame: pd.DataFrame = conform(table).to_pandas(types_mapper=_pandas_type)
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            used = column.cat.remove_unused_categories().cat.categories
            frame[name] = column.cat.set_categories(used.sort_values())
        elif isinstance(column.dtype, pd.DatetimeTZDtype):
            frame[name] = in_zone(column, tz)
    frame["value_array"] = _objects(frame["value_array"], array_values)
    frame.insert(2, "value", pick_value(frame))
    return frame


def as_frame(events: pa.Table | pd.DataFrame, tz: str | tzinfo | None = None) -> pd.DataFrame:
    """A long frame of either form of it; `tz` None keeps the frame's zone, and means UTC for a table."""
    if not isinstance(events, pd.DataFrame):
        return events_frame(events, tz="UTC" if tz is None else tz)
    if tz is None:
        return events
    instants = {
        name: in_zone(events[name], tz) for name in events.columns if isinstance(events[name].dtype, pd.DatetimeTZDtype)
    }
    return events.assign(**instants)


def in_zone(instants: pd.Series[Any], tz: str | tzinfo) -> pd.Series[Any]:
    """Convert aware instants to a zone; NaT where they have no local time there that a calendar can name."""
    local = instants.dt.tz_convert(tz)
    wall = local.dt.tz_localize(None)
    return local.mask((wall < _FIRST_LOCAL) | (wall > _LAST_LOCAL))


def pick_value(frame: pd.DataFrame) -> pd.Series[Any]:
    """The one value column of rows that have typed ones: exact when one type is there, else Python objects."""
    present = [name for name in VALUE_COLUMNS if name in frame.columns and frame[name].notna().any()]
    if len(present) == 1 and present[0] in _PLAIN:
        return frame[present[0]].rename("value")
    values = np.full(len(frame), None, object)
    for name in present:
        there = frame[name].notna().to_numpy(bool)
        values[there] = _python_objects(frame[name][there])
    return pd.Series(values, index=frame.index, name="value", dtype=object)


def _pandas_type(arrow: pa.DataType) -> pd.ArrowDtype | None:
    if pa.types.is_timestamp(arrow) or pa.types.is_dictionary(arrow):
        return None
    return pd.ArrowDtype(arrow)


def _python_objects(column: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.object_]]:
    values: Sequence[Any] = column.tolist()
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        values = [value.to_pydatetime() for value in values]
    return _object_array(values)


def _objects(column: pd.Series[Any], read: Any) -> pd.Series[Any]:
    """Replace bytes by what `read` makes of them, None where there are none."""
    values = [None if value is pd.NA else read(value) for value in column.array]
    return pd.Series(_object_array(values), index=column.index, name=column.name, dtype=object)


def _object_array(values: Sequence[Any]) -> np.ndarray[Any, np.dtype[np.object_]]:
    # Element by element: numpy would make a matrix of lists of equal length.
    result = np.empty(len(values), object)
    for index, value in enumerate(values):
        result[index] = value
    return result
