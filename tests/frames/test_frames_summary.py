"""One line per tag, checked by hand against small irregular series."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from frames.frame_messages import START, event
from zb_mom_ww_mxgateway.frames import events_frame, events_table, tag_summary
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

TAGS = {(1, 1): "A", (1, 2): "B", (1, 3): "C"}


def line(*events: Any) -> pd.Series:
    """The summary of one tag; events as (value, seconds) or (value, seconds, quality)."""
    messages = [event(value, at, 1, quality=(rest or [192])[0]) for value, at, *rest in events]
    summary = tag_summary(events_table(messages, TAGS))
    assert list(summary.index) == ["A"]
    return summary.loc["A"]


class TestOneTag:
    def test_by_hand(self) -> None:
        # 10 for 1 s, 20 for 9 s, bad for 10 s, 40 for 30 s, then the last event.
        row = line((10.0, 0), (20.0, 1), (999.0, 10, 24), (40.0, 20), (-5.0, 50))
        assert row["events"] == 5
        assert (row["first"], row["last"]) == (10.0, -5.0)
        assert (row["min"], row["max"]) == (-5.0, 40.0)
        assert row["mean"] == pytest.approx((10 * 1 + 20 * 9 + 40 * 30) / 40)
        assert row["good_share"] == pytest.approx(40 / 50)
        assert row["first_time"] == START
        assert row["last_time"] == START + timedelta(seconds=50)

    def test_order_of_arrival_does_not_matter_but_the_last_of_equal_times_counts(self) -> None:
        row = line((7.0, 4), (1.0, 0), (3.0, 2), (5.0, 2))
        assert row["mean"] == pytest.approx((1 * 2 + 5 * 2) / 4)
        assert (row["first"], row["last"], row["min"], row["max"]) == (1.0, 7.0, 1.0, 7.0)

    def test_integers_stay_exact(self) -> None:
        row = line((2**53 + 1, 0), (2**53 + 3, 1), (2**53 + 5, 3))
        assert (row["min"], row["max"], row["last"]) == (2**53 + 1, 2**53 + 5, 2**53 + 5)
        assert row["mean"] == pytest.approx(2**53 + 1 + 4 / 3)

    def test_integers_and_doubles_together(self) -> None:
        row = line((1, 0), (2.5, 1), (3, 2))
        assert (row["min"], row["max"], row["mean"]) == (1.0, 3.0, pytest.approx(1.75))

    def test_spans_without_a_number_count_for_nothing(self) -> None:
        row = line((1.0, 0), (None, 1), ("stuck", 5), (float("nan"), 6), (3.0, 10), (3.0, 11))
        assert row["mean"] == pytest.approx(2.0)
        assert row["good_share"] == 1.0
        assert (row["min"], row["max"]) == (1.0, 3.0)

    def test_a_single_event(self) -> None:
        row = line((4.5, 0))
        assert (row["mean"], row["min"], row["max"], row["good_share"]) == (4.5, 4.5, 4.5, 1.0)
        row = line((4.5, 0, 0))
        assert row["good_share"] == 0.0
        assert row[["mean", "min", "max"]].isna().all()

    def test_all_at_one_instant(self) -> None:
        row = line((1.0, 0), (2.0, 0), (3.0, 0, 24), (4.0, 0, 0))
        assert (row["mean"], row["good_share"], row["first"], row["last"]) == (2.0, 0.5, 1.0, 4.0)

    def test_good_only_at_the_end(self) -> None:
        row = line((1.0, 0, 0), (2.0, 5))
        assert pd.isna(row["mean"])
        assert (row["min"], row["good_share"]) == (2.0, 0.0)

    def test_booleans_strings_and_times_are_no_numbers(self) -> None:
        for value in (True, "on", START, [1.0]):
            row = line((value, 0), (value, 1))
            assert row[["mean", "min", "max"]].isna().all()
            assert (row["first"], row["last"]) == (value, value)

    def test_infinity(self) -> None:
        row = line((1.0, 0), (float("inf"), 1), (2.0, 2))
        assert (row["mean"], row["max"]) == (float("inf"), float("inf"))
        assert pd.isna(line((float("-inf"), 0), (float("inf"), 1), (2.0, 2))["mean"])

    def test_uncertain_is_not_good(self) -> None:
        assert line((1.0, 0, 64), (1.0, 1))["good_share"] == 0.0


MESSAGES = [
    event(5, 0, 2),
    event(1.0, 1, 1),
    event("x", 1, 3),
    event(3.0, 2, 1),
    event(9, 2, 2),
    event(None, 3, 1, family=pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE, quality=0),
    event(1.0, 3, 99),
    event(7.0, None, 1),
]


class TestManyTags:
    def test_a_line_for_each_tag_and_nothing_else(self) -> None:
        summary = tag_summary(events_table(MESSAGES, TAGS))
        assert list(summary.index) == ["A", "B", "C"]
        assert summary.index.name == "tag"
        assert list(summary.columns) == [
            "events",
            "first",
            "last",
            "min",
            "mean",
            "max",
            "good_share",
            "first_time",
            "last_time",
        ]
        assert summary["events"].tolist() == [2, 2, 1]
        assert summary["first"].tolist() == [1.0, 5, "x"]
        assert summary["mean"].tolist() == [1.0, 5.0, pd.NA]
        assert str(summary["max"].dtype) == "double[pyarrow]"

    def test_types_are_exact_when_the_tags_agree(self) -> None:
        summary = tag_summary(events_table([event(2**53 + 1, 0, 1), event(5, 0, 2)], TAGS))
        assert summary["max"].tolist() == [2**53 + 1, 5]
        assert str(summary["max"].dtype) == "int64[pyarrow]"
        assert str(summary["last"].dtype) == "int64[pyarrow]"

    def test_the_zone_of_a_frame_is_kept(self) -> None:
        table = events_table(MESSAGES, TAGS)
        local = tag_summary(events_frame(table, tz="Asia/Tokyo"))
        assert str(local["first_time"].dtype) == "datetime64[us, Asia/Tokyo]"
        pd.testing.assert_frame_equal(
            local.drop(columns=["first_time", "last_time"]),
            tag_summary(table).drop(columns=["first_time", "last_time"]),
        )

    def test_nothing(self) -> None:
        empty = tag_summary(events_table([]))
        assert empty.empty
        assert list(empty.columns) == list(tag_summary(events_table(MESSAGES, TAGS)).columns)
        assert str(empty["first_time"].dtype) == "datetime64[us, UTC]"
        assert empty.index.name == "tag"

    def test_events_without_tags(self) -> None:
        assert tag_summary(events_table([event(1.0)])).empty
