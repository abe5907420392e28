"""Events as a pandas DataFrame, long form.

Which pandas types, and why:

- Instants are `datetime64[us, <zone>]`: exact from year 0001 to 9999, and what indexes, `resample` and plots expect
  (an Arrow-backed timestamp makes no `DatetimeIndex`). Elapsed times are `timedelta64[us]` for the same reason.
- `tag`, `value_type`, `status_category`, `family`, `session_id` are categoricals with sorted categories: group-by
  and pivot work on their codes and come out in alphabetical order, whatever came first. Arrow dictionaries would
  have to be unpacked for both.
- Everything else is Arrow-backed: a missing integer stays an integer, and 2**53 + 1 stays itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .arrays import array_values
from .pandas_values import Objects, elapsed_times, exact, objects, python_datetimes
from .schema import conform

__all__ = ["as_frame", "events_frame", "in_zone"]

#: Where the values of each `value_type` are, for types that a column of their own can hold.
_COLUMNS = {
    "bool": "value_bool",
    "int32": "value_int",
    "int64": "value_int",
    "float": "value_float",
    "double": "value_float",
    "string": "value_string",
    "time": "value_time",
}

_FIRST_LOCAL, _LAST_LOCAL = pd.Timestamp("0001-01-01"), pd.Timestamp("9999-12-31 23:59:59.999999")


def events_frame(table: pa.Table, *, tz: str | tzinfo = "UTC") -> pd.DataFrame:
    """Events in long form, one row per event.

    Args:
        table: Events of `EVENT_SCHEMA`, or what a file or another library made of them (see `conform`).
        tz: Time zone of all instants in the result.

    Returns:
        The columns `time, tag, value`, the other columns of `EVENT_SCHEMA` in its order, then whatever else the
        table has; a plain `RangeIndex`. `value` has the exact type (boolean, 64-bit integer, double, string, instant
        or elapsed time) when the whole frame holds one type; otherwise it is an object column of plain Python
        objects: bool, int, float, str, aware datetime, timedelta, list, bytes, and None for no value. `value_array`
        holds lists; instants in them are in UTC. An empty table gives an empty frame with the same columns and
        types. An instant that has no local time in the zone (year 0001 west of Greenwich) is NaT; in UTC all are
        exact.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: If the zone's name is not known.
        pyarrow.ArrowInvalid: If a column of the table cannot be read as `EVENT_SCHEMA` has it.
    """
    if "value" in table.schema.names:  # a frame was saved and read back; it is made again from the typed columns
        table = table.drop_columns(["value"])
    table = conform(table)
    place = table.schema.names.index("value_array")
    arrays = [None if data is None else array_values(data) for data in table.column(place).to_pylist()]
    frame: pd.DataFrame = table.remove_column(place).to_pandas(types_mapper=_pandas_type, ignore_metadata=True)
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            used = column.cat.remove_unused_categories().cat.categories
            frame[name] = column.cat.set_categories(used.sort_values())
        elif isinstance(column.dtype, pd.DatetimeTZDtype):
            frame[name] = in_zone(column, tz)
    frame.insert(place, "value_array", pd.Series(objects(arrays), index=frame.index, dtype=object))
    frame.insert(2, "value", _value(frame))
    return frame


def as_frame(events: pa.Table | pd.DataFrame, tz: str | tzinfo | None = None) -> pd.DataFrame:
    """A long frame of either form of it; `tz` None keeps the frame's zone, and means UTC for a table."""
    if not isinstance(events, pd.DataFrame):
        return events_frame(events, tz="UTC" if tz is None else tz)
    if tz is None:
        return events
    converted: dict[str, pd.Series[Any]] = {}
    for name in events.columns:
        column = events[name]
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            converted[name] = in_zone(column, tz)
        elif name == "value" and column.dtype == object:
            there = np.array([isinstance(value, datetime) for value in column], bool)
            values = column.to_numpy(copy=True)
            values[there] = python_datetimes(in_zone(pd.Series(exact(values[there])), tz)) if there.any() else None
            converted[name] = pd.Series(values, index=column.index, dtype=object)
    return events.assign(**converted)


def in_zone(instants: pd.Series[Any], tz: str | tzinfo) -> pd.Series[Any]:
    """Convert aware instants to a zone; NaT where they have no local time there that a calendar can name."""
    local: pd.Series[Any] = instants.dt.tz_convert(tz)
    wall = local.dt.tz_localize(None)
    nameless = (wall < _FIRST_LOCAL) | (wall > _LAST_LOCAL)
    return local.mask(nameless) if nameless.any() else local


def _value(frame: pd.DataFrame) -> pd.Series[Any]:
    """The one value column: exact when the frame holds one type, else Python objects."""
    types = frame["value_type"].to_numpy(object)
    present = {name for name in frame["value_type"].cat.categories if name != "null"}
    columns = {_COLUMNS.get(name, name) for name in present}
    if columns == {"elapsed"}:
        return elapsed_times(frame["value_int"]).rename("value")
    if len(columns) == 1 and (only := columns.pop()) in _COLUMNS.values():
        return pd.Series(frame[only], name="value")
    values = objects([None] * len(frame))
    for name in present:
        rows = types == name
        values[rows] = _objects(frame[rows], name)
    return pd.Series(values, index=frame.index, name="value", dtype=object)


def _objects(rows: pd.DataFrame, value_type: str) -> Objects:
    """The values of rows of one type as Python objects."""
    if value_type == "elapsed":
        return objects([timedelta(microseconds=ticks // 10) for ticks in rows["value_int"].tolist()])
    if value_type == "time":
        return python_datetimes(rows["value_time"])
    if value_type == "array":
        return objects(rows["value_array"].tolist())
    column = rows[_COLUMNS.get(value_type, "value_raw")]
    return objects([None if each is pd.NA else each for each in column.tolist()])


def _pandas_type(arrow: pa.DataType) -> pd.ArrowDtype | None:
    if pa.types.is_timestamp(arrow) or pa.types.is_dictionary(arrow):
        return None
    return pd.ArrowDtype(arrow)
