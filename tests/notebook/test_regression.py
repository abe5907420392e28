"""Frames against baselines."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from zb_mom_ww_mxgateway.notebook import FrameMismatchError, assert_frame_matches


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "tag": ["a", "b", None],
            "value": [1.0, 2.0, float("nan")],
            "count": pd.array([1, 2, None], dtype="Int64"),
            "time": pd.to_datetime(["2026-01-01", "2026-01-02", None], utc=True),
            "received": [1, 2, 3],
            "array": [[1.0, 2.0], [], None],
        }
    )


@pytest.fixture
def baseline(tmp_path: Path, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "deep" / "baseline.parquet"
    monkeypatch.setenv("MXGATEWAY_UPDATE_BASELINES", "1")
    assert_frame_matches(frame, path, ignore=["received"])
    monkeypatch.delenv("MXGATEWAY_UPDATE_BASELINES")
    return path


def test_the_same_frame_matches_and_ignored_columns_may_differ(frame: pd.DataFrame, baseline: Path) -> None:
    frame["received"] = 9
    assert_frame_matches(frame, baseline, ignore=["received"])


def test_a_difference_is_shown_with_row_and_both_values(frame: pd.DataFrame, baseline: Path) -> None:
    frame.loc[1, "value"] = 2.5
    frame.loc[0, "tag"] = "x"
    with pytest.raises(FrameMismatchError) as caught:
        assert_frame_matches(frame, baseline, ignore=["received"])
    text = str(caught.value)
    assert "column tag: 1 of 3 rows differ" in text
    assert "row 0: 'x', the baseline has 'a'" in text
    assert "row 1: 2.5, the baseline has 2.0" in text
    assert "MXGATEWAY_UPDATE_BASELINES=1" in text


def test_numbers_may_differ_by_the_tolerance(frame: pd.DataFrame, baseline: Path) -> None:
    frame["value"] += 0.05
    assert_frame_matches(frame, baseline, ignore=["received"], tolerance=0.1)
    assert_frame_matches(frame, baseline, ignore=["received"], tolerance={"value": 0.1})
    with pytest.raises(FrameMismatchError, match="column value"):
        assert_frame_matches(frame, baseline, ignore=["received"], tolerance={"count": 0.1})


def test_missing_rows_and_columns_are_named(frame: pd.DataFrame, baseline: Path) -> None:
    changed = frame.drop(columns=["count"]).iloc[:2]
    with pytest.raises(FrameMismatchError, match=r"(?s)columns missing: count.*2 rows, the baseline has 3"):
        assert_frame_matches(changed, baseline, ignore=["received"])
    with pytest.raises(FrameMismatchError, match="columns added: received"):
        assert_frame_matches(frame, baseline)


def test_order_may_be_left_out_of_account(frame: pd.DataFrame, baseline: Path) -> None:
    turned = frame.iloc[::-1]
    with pytest.raises(FrameMismatchError):
        assert_frame_matches(turned, baseline, ignore=["received"])
    assert_frame_matches(turned, baseline, ignore=["received"], sort_by=["tag"])


def test_mistakes_are_named(frame: pd.DataFrame, baseline: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="MXGATEWAY_UPDATE_BASELINES=1"):
        assert_frame_matches(frame, tmp_path / "none.parquet")
    with pytest.raises(ValueError, match="no column wobble"):
        assert_frame_matches(frame, baseline, ignore=["wobble"])
