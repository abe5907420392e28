"""Frames as regression tests: compare with a baseline, or write it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UPDATE_VARIABLE", "FrameMismatchError", "assert_frame_matches"]

#: Set to 1, it makes `assert_frame_matches` write baselines instead of comparing.
UPDATE_VARIABLE = "MXGATEWAY_UPDATE_BASELINES"

_SHOWN = 10


class FrameMismatchError(AssertionError):
    """A frame is not what its baseline says; the text shows where."""


def assert_frame_matches(
    frame: pd.DataFrame,
    baseline: str | os.PathLike[str],
    *,
    tolerance: float | Mapping[str, float] = 0.0,
    ignore: Sequence[str] = (),
    sort_by: Sequence[str] = (),
) -> None:
    """Compare a frame with a Parquet file, column by column.

    With `MXGATEWAY_UPDATE_BASELINES=1` the file is written instead, and nothing is compared.

    Args:
        frame: what came out.
        baseline: the Parquet file with what should come out.
        tolerance: how far numbers may differ, absolutely; for all columns, or by column.
        ignore: columns that may differ, for example "received" or "session_id".
        sort_by: columns to sort both sides by first, where the order of rows says nothing.

    Raises:
        FileNotFoundError: there is no baseline; the text says how to write it.
        FrameMismatchError: the frames differ; the text shows the first differences.
        ValueError: a column in `ignore`, `sort_by` or `tolerance` is in neither frame.
    """
    import pandas as pd

    path = Path(baseline)
    kept = _without(frame, ignore)
    if os.environ.get(UPDATE_VARIABLE, "").strip() in ("1", "true", "yes"):
        path.parent.mkdir(parents=True, exist_ok=True)
        kept.to_parquet(path)
        return
    if not path.exists():
        raise FileNotFoundError(f"there is no baseline {path}: run once with {UPDATE_VARIABLE}=1 to write it")
    expected = _without(pd.read_parquet(path, dtype_backend="pyarrow"), ignore)
    _check_names([*ignore, *sort_by, *(tolerance if isinstance(tolerance, Mapping) else ())], frame, expected)
    problems = _shape(kept, expected)
    if not problems:
        if sort_by:
            kept, expected = (each.sort_values(list(sort_by)) for each in (kept, expected))
        problems = _values(kept.reset_index(drop=True), expected.reset_index(drop=True), tolerance)
    if problems:
        hint = f"if this is how it should be, run once with {UPDATE_VARIABLE}=1"
        raise FrameMismatchError("\n".join([f"the frame differs from {path}:", *problems, hint]))


def _without(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    return frame.drop(columns=[name for name in names if name in frame.columns])


def _check_names(names: Sequence[str], *frames: pd.DataFrame) -> None:
    known = {str(name) for frame in frames for name in frame.columns}
    unknown = [name for name in names if name not in known]
    # A baseline was written without the ignored columns, so only the frame can know them.
    if unknown:
        raise ValueError(f"no column {', '.join(unknown)}; the columns are {', '.join(sorted(known))}")


def _shape(frame: pd.DataFrame, expected: pd.DataFrame) -> list[str]:
    problems = []
    missing = [str(name) for name in expected.columns if name not in frame.columns]
    added = [str(name) for name in frame.columns if name not in expected.columns]
    if missing:
        problems.append(f"  columns missing: {', '.join(missing)}")
    if added:
        problems.append(f"  columns added: {', '.join(added)}")
    if len(frame) != len(expected):
        problems.append(f"  {len(frame)} rows, the baseline has {len(expected)}")
    return problems


def _values(frame: pd.DataFrame, expected: pd.DataFrame, tolerance: float | Mapping[str, float]) -> list[str]:
    problems = []
    for name in expected.columns:
        allowed = tolerance.get(str(name), 0.0) if isinstance(tolerance, Mapping) else tolerance
        rows = [
            (row, got, wanted)
            for row, (got, wanted) in enumerate(zip(frame[name], expected[name], strict=True))
            if not _same(got, wanted, allowed)
        ]
        if rows:
            problems.append(f"  column {name}: {len(rows)} of {len(frame)} rows differ")
            problems += [f"    row {row}: {got!r}, the baseline has {wanted!r}" for row, got, wanted in rows[:_SHOWN]]
            if len(rows) > _SHOWN:
                problems.append(f"    … and {len(rows) - _SHOWN} more")
    return problems


def _same(got: Any, wanted: Any, tolerance: float) -> bool:
    import pandas as pd

    if not _is_listed(got) and not _is_listed(wanted):
        if pd.isna(got) or pd.isna(wanted):
            return bool(pd.isna(got) and pd.isna(wanted))
        if _is_number(got) and _is_number(wanted):
            return bool(abs(got - wanted) <= tolerance)
        return bool(got == wanted)
    if not (_is_listed(got) and _is_listed(wanted)) or len(got) != len(wanted):
        return False
    return all(_same(left, right, tolerance) for left, right in zip(got, wanted, strict=True))


def _is_listed(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | bytes)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
