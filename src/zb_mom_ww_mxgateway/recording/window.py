"""The time that a collection covers, by the clocks of the plant."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

__all__ = ["Window", "collection_window"]

#: An instant is no window: the shortest one, so that nothing divides by it.
_SHORTEST = pd.Timedelta(seconds=1)
#: Two clocks that are not further apart than this count as one.
_AGREE = pd.Timedelta(seconds=5)


class Window(NamedTuple):
    """From `start` to `end`, aware and in UTC."""

    start: pd.Timestamp
    end: pd.Timestamp


def collection_window(frame: pd.DataFrame) -> Window | None:
    """The time in which the events of a collection happened.

    A tag's first event brings the value that stands, with the source time of its last change: possibly days before the
    collection. So the window spans the events after the first ones. It is widened to when the gateway received the
    first and the last event, if its clock and those of the sources agree roughly.

    Args:
        frame: data changes in long form, times in UTC.

    Returns:
        None without any event that has a time.
    """
    later = frame[frame.groupby("tag", observed=True).cumcount() > 0].dropna(subset=["time"])
    received = frame["received"].dropna()
    for times in (later["time"], received, frame["time"].dropna()):
        if len(times):
            start, end = times.min(), times.max()
            break
    else:
        return None
    apart = (later["received"] - later["time"]).abs().dropna()
    if len(received) and not (apart > _AGREE).mean() > 0.5:
        start, end = min(start, received.min()), max(end, received.max())
    return Window(start, max(end, start + _SHORTEST))
