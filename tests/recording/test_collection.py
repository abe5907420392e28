from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from zb_mom_ww_mxgateway.frames import EventTableBuilder
from zb_mom_ww_mxgateway.recording import Collection

from .conftest import SERVER, change

TAGS = {(SERVER, 11): "Tank.Level", (SERVER, 12): "Tank.Valve"}
START = pd.Timestamp("2026-01-05T06:00:00Z")


def collection(*events: Any) -> Collection:
    builder = EventTableBuilder()
    builder.add([event.SerializeToString() for event in events], TAGS)
    return Collection(builder.table(), tuple(TAGS.values()), "seconds", endpoint="here:5000")


def received(event: Any, second: float) -> Any:
    event.gateway_receive_timestamp.FromMicroseconds(round((START.timestamp() + second) * 1_000_000))
    return event


def test_the_value_that_stood_counts_from_the_beginning_of_the_collection() -> None:
    # The level was set an hour ago, and changes in the middle of the ten seconds.
    old = received(change(1, 10.0, second=-3600), 0.0)
    events = collection(
        old,
        received(change(2, 0.0, item=12, second=0.0), 0.0),
        received(change(3, 20.0, second=5.0), 5.0),
        received(change(4, 30.0, second=10.0), 10.0),
    )
    line = events.summary().loc["Tank.Level"]
    assert line["mean"] == pytest.approx(15.0)
    assert line["first"] == 10.0
    assert line["first_time"] == START - pd.Timedelta(hours=1)
    assert line["last_time"] == START + pd.Timedelta(seconds=10)
    assert list(events.summary().columns) == [
        "events", "first", "last", "min", "mean", "max", "good_share", "first_time", "last_time",
    ]  # fmt: skip


def test_the_window_follows_the_changes_where_the_clocks_disagree() -> None:
    # The source's clock is an hour behind that of the gateway.
    events = collection(
        received(change(1, 1.0, second=-7200), 0.0),
        received(change(2, 2.0, second=-3600), 0.0),
        received(change(3, 3.0, second=-3590), 10.0),
    )
    window = events.window()
    assert window is not None
    assert window.start == START - pd.Timedelta(hours=1)
    assert window.end == START - pd.Timedelta(seconds=3590)


def test_constant_tags_span_the_time_of_the_gateway() -> None:
    events = collection(
        received(change(1, 1.0, second=-7200), 1.0), received(change(2, 1.0, item=12, second=-9000), 3.0)
    )
    window = events.window()
    assert window is not None
    assert (window.start, window.end) == (START + pd.Timedelta(seconds=1), START + pd.Timedelta(seconds=3))


def test_one_event_is_a_window_too() -> None:
    window = collection(change(1, 1.0)).window()
    assert window is not None
    assert window.end - window.start == pd.Timedelta(seconds=1)


def test_zones_and_columns() -> None:
    events = collection(change(1, 1.0), change(2, True, item=12, second=1.0))
    assert str(events.frame(tz="Europe/Vienna")["time"].dtype) == "datetime64[us, Europe/Vienna]"
    assert list(events.wide(tz="Europe/Vienna").columns) == ["Tank.Level", "Tank.Valve"]
    assert len(events) == 2
    assert repr(events) == "Collection(2 events of 2 tags from here:5000, ended by seconds)"
