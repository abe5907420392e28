"""What the facade mounts: the Galaxy, alarms, live views, the tree, the write form."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pandas as pd
import pytest

from zb_mom_ww_mxgateway import GalaxyNotFoundError, MxGatewayCommandError
from zb_mom_ww_mxgateway.notebook import Gateway, ReadOnlyError, connect
from zb_mom_ww_mxgateway.simulator import Limits, SimulatedGateway, VirtualClock


@pytest.fixture
def plant() -> Iterator[SimulatedGateway]:
    with SimulatedGateway(seed=7, clock=VirtualClock(), limits=Limits.immediate()) as plant:
        yield plant


@pytest.fixture
def gw(plant: SimulatedGateway) -> Iterator[Gateway]:
    with connect(simulator=plant, allow_writes=True, quiet=True) as gateway:
        yield gateway


def test_find_leads_to_collect(gw: Gateway) -> None:
    found = gw.find("Pump_00*.Speed")
    tags = list(found["full_tag_reference"])
    assert {"Pump_001.Speed", "Pump_002.Speed"} < set(tags)
    frame = gw.collect(tags, seconds=30, progress=False)
    assert set(frame["tag"]) == set(tags)
    assert frame.attrs["ended_by"] == "seconds"


def test_a_collection_may_end_at_a_moment(gw: Gateway) -> None:
    frame = gw.collect("Pump_001.Speed", until=datetime(2026, 1, 5, 6, 1, tzinfo=UTC), progress=False)
    assert frame.attrs["seconds"] == 60
    assert frame["time"].max() <= pd.Timestamp("2026-01-05 06:01", tz="UTC")
    with pytest.raises(ValueError, match="is over"):
        gw.collect("Pump_001.Speed", until=datetime(2026, 1, 5, 6, 1, tzinfo=UTC), progress=False)
    with pytest.raises(ValueError, match="no time zone"):
        gw.collect("Pump_001.Speed", until=datetime(2027, 1, 5), progress=False)
    with pytest.raises(ValueError, match="not both"):
        gw.collect("Pump_001.Speed", until=datetime(2027, 1, 5, tzinfo=UTC), seconds=1, progress=False)


def test_a_collection_has_a_status_per_tag(gw: Gateway) -> None:
    collected = gw.collection(["Pump_001.Speed", "Pump_001.Nope"], seconds=10, progress=False)
    status = collected.status()
    assert list(status["tag"]) == ["Pump_001.Speed", "Pump_001.Nope"]
    assert list(status["status"]) == ["ok", "refused"]
    assert status["events"][0] > 5
    assert "CONFIGURATION_ERROR" in status["message"][1]


def test_an_idle_gateway_keeps_its_session(gw: Gateway, plant: SimulatedGateway) -> None:
    gw.collect("Pump_001.Speed", seconds=1, progress=False)
    [session] = plant.sessions
    for _ in range(70):
        plant.advance(60)
    assert gw.read("TestChildObject.TestInt")["good"][0]
    assert plant.sessions == [session]


def test_the_galaxy_as_frames(gw: Gateway) -> None:
    objects = gw.hierarchy(progress=False)
    attributes = gw.attributes(progress=False, root_tag_name="Pump_001")
    assert "Pump_001" in set(objects["tag_name"])
    assert "Pump_001.Speed" in set(attributes["full_tag_reference"])
    with pytest.raises(GalaxyNotFoundError):
        gw.hierarchy(progress=False, root_tag_name="Nowhere")


def test_deploys_come_as_rows(gw: Gateway, plant: SimulatedGateway) -> None:
    [first] = gw.deploys().itertuples()
    assert first.object_count == plant.plant.object_count
    frame = gw.deploys(count=5, timeout=0.3)
    assert len(frame) == 1
    assert str(frame["deploy_time"].dtype) == "datetime64[us, UTC]"
    with pytest.raises(ValueError, match="count=0"):
        gw.deploys(count=0)


def test_alarms_are_collected_listed_and_acknowledged(gw: Gateway, plant: SimulatedGateway) -> None:
    feed = gw.collect_alarms(seconds=240, progress=False)
    assert feed.attrs["ended_by"] == "seconds"
    assert list(feed["message"][:2]) == ["snapshot_complete", "provider_status"]
    assert "RAISE" in set(feed["transition"].dropna())
    while gw.active_alarms().empty:
        plant.advance(5)
    active = gw.active_alarms()
    reference = active["reference"][0]
    assert active["state"][0] == "ACTIVE"
    gw.acknowledge(reference, "looked at it", "anna")
    after = gw.active_alarms(reference)
    assert list(after["state"]) == ["ACTIVE_ACKED"]
    assert list(after["comment"]) == ["looked at it"]


def test_reading_and_writing_on_a_clock_that_stands_still(gw: Gateway) -> None:
    assert gw.read("TestChildObject.TestInt")["value"][0] == 42
    assert gw.write("TestChildObject.TestInt", 7).ok
    assert gw.read("TestChildObject.TestInt")["value"][0] == 7


def test_live_views_end_with_their_gateway(plant: SimulatedGateway) -> None:
    gateway = connect(simulator=plant, quiet=True)
    watch = gateway.watch(["Pump_001.Speed"])
    alarms = gateway.alarms()
    deadline = threading.Event()
    while not plant.open_streams["StreamAlarms"] or not plant.open_streams["StreamEvents"]:
        deadline.wait(0.01)
    plant.advance(10)
    assert len(watch.frame()) > 1
    gateway.close()
    assert "the gateway was closed" in f"{watch!r} {alarms!r}"
    while plant.open_streams["StreamAlarms"] or plant.open_streams["StreamEvents"]:
        deadline.wait(0.01)
    with pytest.raises(MxGatewayCommandError, match="closed"):
        gateway.watch("Pump_001.Speed")


def test_the_tree_and_the_form_work_over_the_facade(gw: Gateway, plant: SimulatedGateway) -> None:
    tree = gw.browse()
    assert tree.selected.empty
    form = gw.write_form("TestChildObject.TestInt")
    assert form.info is not None
    assert form.info.data_type == "Integer"
    with connect(simulator=plant, quiet=True) as reader:
        shown = reader.write_form("TestChildObject.TestInt")
        assert "allow_writes=True" in shown.banner.value
        assert shown.review_button.disabled
        with pytest.raises(ReadOnlyError):
            reader.acknowledge("Galaxy!A.B")
