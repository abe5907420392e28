"""Watched tags, without a browser."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from support.waiting import until
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.notebook import Gateway, connect, live_view
from zb_mom_ww_mxgateway.notebook.live import LiveWatch
from zb_mom_ww_mxgateway.notebook.live_values import LiveValues, shown
from zb_mom_ww_mxgateway.simulator import Limits, SimulatedGateway, VirtualClock, WallClock
from zb_mom_ww_mxgateway.values import to_timestamp

FAST = Limits(first_value_delay=0, value_delay=0, write_delay=0)
TAGS = ["Pump_001.Speed", "Pump_001.State", "Pump_001.Running", "Nope.Nope"]
BEGIN = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)


@pytest.fixture
def plant() -> Iterator[SimulatedGateway]:
    with SimulatedGateway(seed=7, clock=WallClock(speed=20), limits=FAST) as plant:
        yield plant


@pytest.fixture
def gw(plant: SimulatedGateway) -> Iterator[Gateway]:
    with connect(simulator=plant, quiet=True) as gateway:
        yield gateway


@pytest.fixture
def watch(gw: Gateway) -> Iterator[LiveWatch]:
    watch = LiveWatch(gw._portal, gw._bench.session, TAGS)
    yield watch
    watch.close()


def test_rows_say_value_quality_and_age_in_words(watch: LiveWatch) -> None:
    until(lambda: len(watch.frame()) > 20)
    view = watch._on_loop(watch._view)
    speed, state, running, nope = view["rows"]
    assert float(speed["value"]) >= 0
    assert (speed["quality"], speed["kind"]) == ("good", "good")
    assert 0 <= speed["age"] < 60
    assert state["value"].isalpha()
    assert running["value"] in ("true", "false")
    assert nope["quality"] == "bad: the reference 'Nope.Nope' cannot be resolved"
    assert nope["kind"] == "bad"
    assert set(view["trends"]) <= {"Pump_001.Speed", "Pump_001.Running"}
    assert "Pump_001.Speed" in str(watch)
    assert str(watch).endswith("live")
    assert repr(watch) == "<watch, live>"
    json.dumps(view)


def test_the_frame_has_what_came(watch: LiveWatch) -> None:
    until(lambda: len(watch.frame()) > 20)
    frame = watch.frame(tz="Europe/Berlin")
    assert list(frame.columns) == ["time", "tag", "value", "quality", "good"]
    assert str(frame["time"].dtype) == "datetime64[us, Europe/Berlin]"
    assert list(frame["tag"].cat.categories) == TAGS
    assert frame.attrs["dropped"] == 0
    assert not frame[frame["tag"] == "Nope.Nope"]["good"].any()


def test_it_is_shown_as_one_widget_and_throttled(watch: LiveWatch) -> None:
    pytest.importorskip("anywidget")
    data, _ = watch._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == watch.widget.model_id
    assert "Pump_001.Speed" in data["text/plain"]
    seen: list[Any] = []
    watch.widget.observe(lambda change: seen.append(change["new"]), "view")
    time.sleep(2.1)
    assert 2 <= len(seen) <= 9


def test_without_anywidget_it_is_a_table(watch: LiveWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Any:
        raise ImportError("no anywidget")

    monkeypatch.setattr(watch, "_make_widget", none)
    data, _ = watch._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html"}
    assert "<td style='text-align:left'>Pump_001.Speed</td>" in data["text/html"]


def test_a_broken_stream_is_said_and_opened_again(watch: LiveWatch, plant: SimulatedGateway) -> None:
    until(lambda: len(watch.frame()) > 5)
    plant.drop_streams()
    until(lambda: watch.state.startswith("broken: "))
    assert "the connection was lost" in watch.state
    assert "trying again in 1 s" in watch.state
    held = len(watch.frame())
    until(lambda: watch.state == "live")
    until(lambda: len(watch.frame()) > held)


def test_closing_gives_the_items_back_and_keeps_the_values(
    watch: LiveWatch, gw: Gateway, plant: SimulatedGateway
) -> None:
    until(lambda: len(watch.frame()) > 5)
    watch.close()
    watch.close()
    assert plant.calls["Invoke:unsubscribe_bulk"] == 1
    assert (watch.state, watch.closed) == ("closed", True)
    held = len(watch.frame())
    assert gw.read("Pump_001.State")["good"][0]
    assert len(watch.frame()) == held > 5


def test_it_ends_with_the_gateway(watch: LiveWatch, gw: Gateway, plant: SimulatedGateway) -> None:
    until(lambda: len(watch.frame()) > 5)
    gw.close()
    until(lambda: watch.closed)
    assert plant.sessions == []


def test_it_rests_while_its_output_is_closed(
    watch: LiveWatch, plant: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("anywidget")
    monkeypatch.setattr(live_view, "ABSENCE", 0.2)
    until(lambda: len(watch.frame()) > 5)
    tell = watch._heard
    tell(None, {"type": "shown"}, [])
    tell(None, {"type": "gone"}, [])
    tell(None, {"type": "shown"}, [])
    time.sleep(0.4)
    assert watch.state == "live"
    tell(None, {"type": "gone"}, [])
    until(lambda: watch.state == "stopped: its output was closed")
    until(lambda: plant.calls["Invoke:unsubscribe_bulk"] == 1)
    held = len(watch.frame())
    tell(None, {"type": "shown"}, [])
    until(lambda: len(watch.frame()) > held)
    assert watch.state == "live"


def test_on_a_virtual_clock_the_frame_has_all_of_the_time_that_went_by() -> None:
    frames = []
    for _ in range(2):
        with (
            SimulatedGateway(seed=7, clock=VirtualClock(), limits=FAST) as plant,
            connect(simulator=plant, quiet=True) as gw,
        ):
            watch = LiveWatch(
                gw._portal,
                gw._bench.session,
                TAGS[:3],
                now=lambda plant=plant: plant.clock.now_us() / 1e6,  # type: ignore[misc]
                settled=plant.last_sequence,
            )
            assert watch.state == "live"
            plant.advance(60)
            frames.append(watch.frame())
            assert watch._on_loop(watch._view)["rows"][0]["age"] < 2
    assert len(frames[0]) > 60
    assert frames[0].equals(frames[1])


def test_nothing_to_watch_is_refused(gw: Gateway) -> None:
    with pytest.raises(ValueError, match="at least one tag"):
        LiveWatch(gw._portal, gw._bench.session, [])
    with pytest.raises(ValueError, match="minutes"):
        LiveWatch(gw._portal, gw._bench.session, TAGS, minutes=0)


# What is held ---------------------------------------------------------------------------------------------------------


def event(seconds: float, value: float, quality: int = 192) -> pb.MxEvent:
    at = to_timestamp(datetime.fromtimestamp(BEGIN.timestamp() + seconds, UTC))
    return pb.MxEvent(
        server_handle=1,
        item_handle=1,
        value=pb.MxValue(double_value=value),
        quality=quality,
        source_timestamp=at,
        gateway_receive_timestamp=at,
        on_data_change=pb.OnDataChangeEvent(),
    )


def test_memory_is_bounded() -> None:
    values = LiveValues(["a.b"], 5)
    values.add((event(number / 100, number) for number in range(20_000)), {(1, 1): "a.b"}, 0.0)
    frame = values.frame("UTC")
    assert len(frame) == 5000
    assert frame["value"].iloc[-1] == 19_999
    assert frame.attrs["dropped"] == 15_000
    many = LiveValues([f"a.b{number}" for number in range(5000)], 5)
    many.add((event(number / 100, number) for number in range(500)), {(1, 1): "a.b1"}, 0.0)
    assert len(many.frame("UTC")) == 100


def test_a_trend_keeps_extremes_and_gaps_in_few_points() -> None:
    values = LiveValues(["a.b"], 5)
    events = [event(number / 10, 1000.0 if number == 1234 else number % 7) for number in range(3000)]
    events += [event(300, 0, quality=0), event(301, 5)]
    values.add(events, {(1, 1): "a.b"}, 1000.0)
    trend = values.trends(1000.0)["a.b"]
    assert len(trend["t"]) < 300
    assert trend["t"] == sorted(trend["t"])
    assert trend["t"][-1] == 0
    assert max(number for number in trend["v"] if number is not None) == 1000
    assert None in trend["v"]
    assert trend["v"][-1] == 5


def test_a_value_that_stands_for_long_is_a_line_over_the_whole_trend() -> None:
    values = LiveValues(["a.b"], 5)
    values.add([event(0, 3.5)], {(1, 1): "a.b"}, 0.0)
    trend = values.trends(3600.0)["a.b"]
    assert trend == {"t": [-300.0, 0.0], "v": [3.5, 3.5], "flag": False}
    assert values.rows(3600.0)[0]["age"] == 3600


def test_a_source_without_a_clock_has_no_age_of_centuries() -> None:
    values = LiveValues(["a.b"], 5)
    odd = event(0, 1)
    odd.source_timestamp.FromDatetime(datetime(1601, 1, 1, tzinfo=UTC))
    values.add([odd], {(1, 1): "a.b"}, 0.0)
    assert values.rows(2.0)[0]["age"] == 2
    assert values.frame("UTC")["time"][0].year == 1601


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (1234.56789, "1234.57"),
        ([1, 2.5, "x"], "[1, 2.5, x]"),
        (list(range(20)), "[0, 1, 2, 3, 4, 5, 6, 7, …]"),
        (b"abc", "3 bytes"),
        ("x" * 100, "x" * 59 + "…"),
        (BEGIN, "2026-01-05 06:00:00.000+00:00"),
    ],
)
def test_values_as_text(value: object, text: str) -> None:
    assert shown(value) == text
