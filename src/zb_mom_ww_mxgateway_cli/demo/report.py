"""The demo's summary: a table for people, a document for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from zb_mom_ww_mxgateway.recording import Collection

__all__ = ["summary_document", "summary_table"]

_COLUMNS = ("tag", "events", "first", "last", "min", "mean", "max", "good")
_LONGEST_TEXT = 14
_FEWEST_DIGITS, _MOST_DIGITS = 6, 10


def summary_table(summary: pd.DataFrame) -> str:
    """One line per tag, columns aligned; six significant digits, or as many as tell a line's numbers apart.

    Args:
        summary: of `frames.tag_summary`; `mean` is weighted by time.
    """
    rows = [_cells(str(tag), row) for tag, row in summary.astype(object).iterrows()]
    widths = [max(len(line[column]) for line in (_COLUMNS, *rows)) for column in range(len(_COLUMNS))]
    lines = [_line(_COLUMNS, widths), "  ".join("-" * width for width in widths)]
    return "\n".join([*lines, *(_line(row, widths) for row in rows)])


def summary_document(collection: Collection, summary: pd.DataFrame, files: Sequence[Path]) -> dict[str, Any]:
    """The same as a document for `output.show_json`."""
    tags = [
        {
            "tag": str(tag),
            "events": int(row["events"]),
            "first": _plain(row["first"]),
            "last": _plain(row["last"]),
            "min": _plain(row["min"]),
            "mean": _plain(row["mean"]),
            "max": _plain(row["max"]),
            "goodShare": float(row["good_share"]),
        }
        for tag, row in summary.astype(object).iterrows()
    ]
    return {
        "endedBy": collection.ended_by,
        "endpoint": collection.endpoint,
        "error": None if collection.error is None else str(collection.error),
        "events": len(collection),
        "files": list(files),
        "gaps": [{"after": gap.after, "before": gap.before, "reason": gap.reason} for gap in collection.gaps],
        "refused": dict(collection.refused),
        "seconds": round(collection.seconds, 3),
        "silent": list(collection.silent),
        "tags": tags,
    }


def _cells(tag: str, row: Any) -> list[str]:
    values = [_plain(row[name]) for name in _COLUMNS[1:-1]]
    digits = _digits([value for value in values[1:] if isinstance(value, float)])
    return [tag, *(_cell(value, digits) for value in values), _share(row["good_share"])]


def _digits(numbers: Sequence[float]) -> int:
    """Significant digits that show how far a line's numbers are apart."""
    finite = [number for number in numbers if math.isfinite(number)]
    largest = max(map(abs, finite), default=0.0)
    spread = max(finite, default=0.0) - min(finite, default=0.0)
    if not largest or not spread:
        return _FEWEST_DIGITS
    wanted = math.floor(math.log10(largest)) - math.floor(math.log10(spread)) + 2
    return min(max(wanted, _FEWEST_DIGITS), _MOST_DIGITS)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([first, *rest]).rstrip()


def _cell(value: object, digits: int) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    text = str(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def _share(value: object) -> str:
    share = _plain(value)
    return f"{share:.0%}" if isinstance(share, float) else ""


def _plain(value: Any) -> Any:
    """A value of a pandas cell as JSON can hold it; None for a missing one."""
    import pandas as pd

    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or pd.isna(value):
        return None
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value.item() if hasattr(value, "item") else value
