"""The demo's picture: one small plot per tag, on one time axis."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib import dates as _untyped_dates
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from zb_mom_ww_mxgateway.status import quality_name

from .series import Series, all_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from zb_mom_ww_mxgateway.recording import Collection, Window

__all__ = ["draw_trend"]

# matplotlib has no types for this module.
_dates: Any = _untyped_dates

_PANEL_INCHES = (4.1, 1.75)
_LEAST_WIDTH = 8.2
_DPI = 110
#: A picture of more panels helps nobody.
_MOST_PANELS = 80
_MOST_STATES = 6
_LARGE = 1e7
#: Seconds between two labels of the time axis.
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_LONGEST_STATE = 16
_LONGEST_TAG = 40

_INK, _FAINT, _GRID = "#22303c", "#6b7a86", "#e3e8ec"
_LINE = {"number": "#1769aa", "switch": "#2e8b57", "text": "#9c83bd"}
_BAD, _UNCERTAIN = "#f4c7c3", "#fbe7b8"


def draw_trend(collection: Collection, path: Path) -> None:
    """Draw the collection's tags as a PNG.

    Numbers and switches are steps: a value holds until the next one comes. Text is a lane per state. Time of bad and of
    uncertain quality has a coloured background.
    """
    series, span = all_series(collection)
    shown = series[:_MOST_PANELS]
    columns = next(most for most, panels in ((1, 3), (2, 8), (3, 15), (4, _MOST_PANELS)) if len(shown) <= panels)
    rows = max(1, math.ceil(len(shown) / columns))
    # Few panels are larger ones: the words above them need the room as well.
    width = max(_PANEL_INCHES[0] * columns, _LEAST_WIDTH) + 0.4
    height = _PANEL_INCHES[1] * rows + 1.35
    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes: list[Axes] = list(figure.subplots(rows, columns, squeeze=False).flat)
    for index, ax in enumerate(axes):
        if index >= len(shown) or span is None:
            ax.set_visible(False)
            continue
        _frame_axes(ax, shown[index], span, lowest=index + columns >= len(shown))
        _draw(ax, shown[index])
    _title(figure, collection, span, len(shown), len(series), height)
    top, bottom = 1 - 0.95 / height, 0.62 / height
    figure.subplots_adjust(left=0.75 / width, right=1 - 0.4 / width, top=top, bottom=bottom, wspace=0.27, hspace=0.5)
    with warnings.catch_warnings():
        # A reference in a script that the font lacks shows as boxes; that is no reason for a line on stderr.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(path, format="png", metadata={"Software": None})


def _frame_axes(ax: Axes, series: Series, span: Window, *, lowest: bool) -> None:
    ax.set_title(_tail(series.tag), loc="left", fontsize=9, color=_INK, fontweight="bold", pad=4, parse_math=False)
    ax.set_xlim(_x(span.start), _x(span.end))
    ax.grid(True, color=_GRID, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=7.5, colors=_FAINT, length=2.5, color=_GRID, labelbottom=lowest)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(_GRID)
    step = _time_step(span)
    ax.set_xticks([_x(time) for time in pd.date_range(span.start.ceil(step), span.end, freq=step)])
    ax.xaxis.set_major_formatter(_dates.DateFormatter(_time_format(span.end - span.start), tz="UTC"))


def _draw(ax: Axes, series: Series) -> None:
    for start, end, _, quality in series.spans():
        colour = {"good": None, "uncertain": _UNCERTAIN, "bad": _BAD}[quality_name(quality)]
        if colour is not None:
            ax.axvspan(_x(start), _x(end), color=colour, linewidth=0, zorder=0.5)
    if series.kind == "number":
        _draw_numbers(ax, series)
    elif series.kind == "switch":
        _draw_switch(ax, series)
    elif series.kind == "text":
        _draw_states(ax, series)
    else:
        ax.set_yticks([])
        said = (
            "no value came" if all(value is None for value in series.values) else "values of this kind: see the files"
        )
        ax.text(0.5, 0.5, said, transform=ax.transAxes, ha="center", va="center", fontsize=8, color=_FAINT)


def _draw_numbers(ax: Axes, series: Series) -> None:
    x, y = _steps(series)
    ax.plot(x, y, drawstyle="steps-post", color=_LINE["number"], linewidth=1.4)
    # Few events: show where they are. Many would be a band.
    if len(series.values) <= 60:
        ax.plot(x[:-1], y[:-1], linestyle="none", marker="o", markersize=2.6, color=_LINE["number"])
    whole = all(isinstance(value, int) for value in series.values if value is not None)
    finite = [value for value in y if math.isfinite(value)] or [0.0]
    ax.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=whole))
    # A large counter would have labels of ten digits that differ in the last.
    formatter = ScalarFormatter(useOffset=max(map(abs, finite)) >= _LARGE)
    formatter.set_powerlimits((-4, 7))
    ax.yaxis.set_major_formatter(formatter)
    ax.yaxis.get_offset_text().set(fontsize=7, color=_FAINT)
    ax.margins(y=0.12)
    if min(finite) == max(finite):
        room = 1.0 if whole or abs(finite[0]) >= _LARGE else abs(finite[0]) * 0.05 or 1.0
        ax.set_ylim(finite[0] - room, finite[0] + room)


def _draw_switch(ax: Axes, series: Series) -> None:
    x, y = _steps(series)
    ax.fill_between(x, y, step="post", color=_LINE["switch"], alpha=0.22, linewidth=0)
    ax.plot(x, y, drawstyle="steps-post", color=_LINE["switch"], linewidth=1.4)
    ax.set_ylim(-0.18, 1.3)
    ax.set_yticks([0, 1], labels=["off", "on"])


def _draw_states(ax: Axes, series: Series) -> None:
    states = list(dict.fromkeys(value for value in series.values if value is not None))
    lanes = {state: min(lane, _MOST_STATES - 1) for lane, state in enumerate(states)}
    for start, end, value, _ in series.spans():
        if value is not None:
            ax.hlines(lanes[value], _x(start), _x(end), color=_LINE["text"], linewidth=7, capstyle="butt")
    labels = [_short(state) for state in states[:_MOST_STATES]]
    if len(states) > _MOST_STATES:
        labels[-1] = f"{len(states) - _MOST_STATES + 1} others"
    ax.set_yticks(range(len(labels)), labels=labels, parse_math=False)
    ax.set_ylim(-0.7, len(labels) - 0.3)


def _steps(series: Series) -> tuple[list[float], list[float]]:
    """Coordinates of the steps, with the last value once more at the end of the window."""
    x = [_x(time) for time in (*series.times, series.end)]
    values = [math.nan if value is None else float(value) for value in series.values]
    return x, [*values, values[-1]]


def _title(figure: Figure, collection: Collection, span: Window | None, shown: int, tags: int, height: float) -> None:
    left = 0.02
    words = "1 tag" if tags == 1 else f"{tags} tags"
    tags_text = words if shown == tags else f"{shown} of {words}"
    figure.text(left, 1 - 0.18 / height, f"{tags_text} of {collection.endpoint}", fontsize=14, fontweight="bold",
                color=_INK, va="top", parse_math=False)  # fmt: skip
    parts = [f"{len(collection)} events", "times in UTC", "a value holds until the next one comes"]
    if span is not None:
        parts.insert(0, f"{span.start:%Y-%m-%d %H:%M:%S} to {span.end:%H:%M:%S}")
    figure.text(left, 1 - 0.5 / height, "   ·   ".join(parts), fontsize=9, color=_FAINT, va="top")
    patches = [Patch(facecolor=_UNCERTAIN, label="uncertain quality"), Patch(facecolor=_BAD, label="bad quality")]
    figure.legend(handles=patches, loc="lower right", ncols=2, frameon=False, fontsize=8, labelcolor=_FAINT)


def _time_step(span: Window) -> pd.Timedelta:
    """The finest round step that gives at most five labels."""
    seconds = (span.end - span.start).total_seconds()
    fitting = (step for step in _STEPS if seconds / step <= 5)
    return pd.Timedelta(seconds=next(fitting, math.ceil(seconds / 5 / 86400) * 86400))


def _time_format(span: pd.Timedelta) -> str:
    if span < pd.Timedelta(minutes=15):
        return "%H:%M:%S"
    return "%H:%M" if span < pd.Timedelta(days=2) else "%d %b %H:%M"


def _short(state: str) -> str:
    text = state or "(empty)"
    return text if len(text) <= _LONGEST_STATE else f"{text[: _LONGEST_STATE - 1]}…"


def _tail(tag: str) -> str:
    """The end of a long reference: its attribute tells more than its area."""
    return tag if len(tag) <= _LONGEST_TAG else f"…{tag[1 - _LONGEST_TAG :]}"


def _x(time: pd.Timestamp) -> float:
    return float(_dates.date2num(time))
