"""What a panel of the trend shows: one tag's samples, when they held, and what kind of value they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.recording import Collection, Window

__all__ = ["Series", "all_series"]

Kind = Literal["number", "switch", "text", "other"]


@dataclass(frozen=True, slots=True)
class Series:
    """One tag's samples in order of time; each holds until the next, the last until the end of the window.

    Attributes:
        tag: its reference.
        kind: of its values.
        times: when each sample began to hold, within the window.
        values: Python values, None for none; elapsed times as seconds.
        qualities: OPC quality bytes.
        end: the end of the window.
    """

    tag: str
    kind: Kind
    times: list[pd.Timestamp]
    values: list[Any]
    qualities: list[int]
    end: pd.Timestamp

    def spans(self) -> Iterator[tuple[pd.Timestamp, pd.Timestamp, Any, int]]:
        """Begin, end, value and quality of each sample."""
        ends = [*self.times[1:], self.end]
        yield from zip(self.times, ends, self.values, self.qualities, strict=True)


def all_series(collection: Collection) -> tuple[list[Series], Window | None]:
    """The series of all tags of which something came, in alphabetical order, and the time that they span."""
    span = collection.window()
    if span is None:
        return [], None
    groups = collection.samples().sort_values("time", kind="stable").groupby("tag", observed=True, sort=True)
    return [_series(str(tag), own, span) for tag, own in groups], span


def _series(tag: str, own: pd.DataFrame, span: Window) -> Series:
    values = [_number_or_self(value) for value in own["value"].astype(object)]
    # What began before the window, or (by a clock that is ahead) after it, is shown at its edge.
    times = [min(max(time, span.start), span.end) for time in own["time"]]
    return Series(tag, _kind(values), times, values, [int(quality) for quality in own["quality"].fillna(0)], span.end)


def _number_or_self(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, list | bytes):
        return value
    return None if pd.isna(value) else value


def _kind(values: list[Any]) -> Kind:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "switch"
    if kinds and kinds <= {int, float}:
        return "number"
    return "text" if kinds == {str} else "other"
