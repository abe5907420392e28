"""Values between plain Python objects and exact pandas columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = ["Objects", "elapsed_times", "exact", "objects", "python_datetimes"]

Objects: TypeAlias = np.ndarray[Any, np.dtype[np.object_]]

_ARROW = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


def objects(values: Iterable[Any]) -> Objects:
    """An object array of the values as they are; numpy by itself would make a matrix of lists of equal length."""
    return np.fromiter(values, dtype=object)


def elapsed_times(ticks: pd.Series[Any]) -> pd.Series[Any]:
    """Elapsed times, `timedelta64[us]`, of a column of 64-bit ticks of 100 ns; rounded down."""
    there = ticks.notna().to_numpy(bool)
    micros = np.full(len(ticks), np.iinfo(np.int64).min, np.int64)  # NaT, as numpy writes it
    micros[there] = ticks[there].to_numpy(np.int64) // 10
    return pd.Series(micros.view("timedelta64[us]"), index=ticks.index)


def python_datetimes(instants: pd.Series[Any]) -> Objects:
    """Aware datetimes, None for NaT."""
    return objects([None if each is pd.NaT else each.to_pydatetime() for each in instants])


def exact(values: Objects) -> Any:
    """An array of the exact type of Python objects.

    Args:
        values: Values of one tag, None (or another null) for no value.

    Returns:
        A pandas array: boolean, 64-bit integer, double or string (Arrow-backed), instants in the zone of the first
        one, or elapsed times, when all values are of one type; the values themselves otherwise.
    """
    # Lists first: isna would look into them.
    if any(isinstance(value, list) for value in values):
        return values
    there = ~pd.isna(values)
    types = {type(value) for value in values[there]}
    clean = [value if known else None for value, known in zip(values, there, strict=True)]
    if len(types) == 1 and (arrow := _ARROW.get(next(iter(types)))) is not None:
        return pd.array(pa.array(clean, arrow), dtype=pd.ArrowDtype(arrow))
    # Subclasses too: a frame that was worked on may hold pandas' own.
    if types and all(issubclass(kind, datetime) for kind in types):
        zone = values[there][0].tzinfo
        return values if zone is None else pd.array(clean, dtype=pd.DatetimeTZDtype("us", zone))
    if types and all(issubclass(kind, timedelta) for kind in types):
        # By way of numpy: pandas counts Python timedeltas in nanoseconds first, and 292 years are its limit then.
        return pd.array(np.array(clean, dtype="timedelta64[us]"))
    return values
