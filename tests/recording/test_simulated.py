"""Collections from the simulated gateway on its virtual clock: exact, and the same every time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pyarrow as pa
import pytest

from zb_mom_ww_mxgateway import GatewayClient, Session
from zb_mom_ww_mxgateway.recording import Collection, SimulatedPace, collect_events
from zb_mom_ww_mxgateway.simulator import OverflowSubscriber, SimulatedGateway, VirtualClock

TAGS = ["TestMachine_001.TestChangingInt", "Pump001.Speed", "Pump001.Running", "Pump001.State", "Tank_001.Level"]


@asynccontextmanager
async def plant(**arguments: Any) -> AsyncIterator[tuple[SimulatedGateway, Session]]:
    async with SimulatedGateway(seed=5, clock=VirtualClock(), **arguments) as gateway:
        async with await GatewayClient.connect(gateway.endpoint, api_key=gateway.api_key, plaintext=True) as client:
            async with await client.open_session() as session:
                yield gateway, session


async def record(seconds: float, tags: list[str] = TAGS, **arguments: Any) -> Collection:
    async with plant(**arguments) as (gateway, session):
        return await collect_events(session, tags, seconds=seconds, pace=SimulatedPace(gateway))


async def test_ten_minutes_in_a_moment_and_the_same_every_time() -> None:
    first, second = await record(600), await record(600)
    assert first.ended_by == "seconds"
    assert first.seconds == 600
    assert len(first) > 1000
    assert first.gaps == ()
    assert first.silent == ()
    assert first.table.equals(second.table)
    assert first.summary().equals(second.summary())
    window = first.window()
    assert window is not None
    assert 595 < (window.end - window.start).total_seconds() <= 600


async def test_two_collections_in_a_row_follow_each_other(caplog: pytest.LogCaptureFixture) -> None:
    async with plant() as (gateway, session):
        pace = SimulatedPace(gateway)
        first = await collect_events(session, TAGS, seconds=10, pace=pace)
        second = await collect_events(session, TAGS, seconds=10, pace=pace)
        # Nothing of what the first one saw is waited for again.
        quiet = await collect_events(session, ["Pump001.Mode"], seconds=0.2, pace=pace)
        assert "has been sent, but nothing" not in caplog.text
        assert quiet.silent == ("Pump001.Mode",)
        assert gateway.sessions == [session.session_id]
    assert len(second) > 5
    assert first.frame()["time"].max() < second.frame()["received"].min()
    assert first.gaps == second.gaps == ()
    assert set(second.frame()["tag"]) <= set(TAGS)


async def test_an_exact_number_of_events() -> None:
    async with plant() as (gateway, session):
        collection = await collect_events(session, TAGS, events=123, pace=SimulatedPace(gateway))
    assert collection.ended_by == "events"
    assert len(collection) == 123


async def test_many_tags_do_not_overflow_the_queue_of_a_leaping_clock() -> None:
    async with plant(objects=400) as (gateway, session):
        tags = [
            f"{item.tag_name}.{attribute.name}"
            for item in gateway.plant.objects
            for attribute in gateway.plant.attributes(item)
            if attribute.historized and attribute.array_length is None
        ]
        collection = await collect_events(session, tags, seconds=30, pace=SimulatedPace(gateway))
    assert len(tags) > 1000
    assert collection.error is None
    assert collection.ended_by == "seconds"
    assert len(collection) > 10_000
    assert collection.gaps == ()


async def test_an_overflow_keeps_what_came_and_says_so() -> None:
    async with plant(faults=[OverflowSubscriber(after=20)]) as (gateway, session):
        collection = await collect_events(session, TAGS, events=1000, pace=SimulatedPace(gateway))
    assert len(collection) == 20
    assert collection.ended_by == "stream error"
    assert collection.error is not None
    assert collection.attrs["error"] == str(collection.error)


async def test_unknown_tags_among_known_ones() -> None:
    collection = await record(5, ["No.Such", "Pump001.Speed", "Pump001.NoSuch"])
    assert set(collection.refused) == {"No.Such", "Pump001.NoSuch"}
    assert all("CONFIGURATION_ERROR" in message for message in collection.refused.values())
    summary = collection.summary()
    assert summary.loc["No.Such", "good_share"] == 0
    assert summary.loc["Pump001.Speed", "good_share"] == 1


async def test_every_kind_of_value_keeps_its_type() -> None:
    collection = await record(20)
    frame = collection.frame()
    types = {tag: {type(value) for value in own["value"]} for tag, own in frame.groupby("tag", observed=True)}
    assert types == {
        "TestMachine_001.TestChangingInt": {int},
        "Pump001.Speed": {float},
        "Pump001.Running": {bool},
        "Pump001.State": {str},
        "Tank_001.Level": {float},
    }
    wide = collection.wide()
    assert wide["Pump001.Running"].dtype == "bool[pyarrow]"
    assert pa.types.is_int64(wide["TestMachine_001.TestChangingInt"].dtype.pyarrow_dtype)


async def test_a_plain_gateway_in_a_thread_of_its_own() -> None:
    with SimulatedGateway(seed=5, clock=VirtualClock()) as gateway:
        async with await GatewayClient.connect(gateway.endpoint, api_key=gateway.api_key, plaintext=True) as client:
            async with await client.open_session() as session:
                collection = await collect_events(session, TAGS, seconds=30, pace=SimulatedPace(gateway))
    assert collection.table.drop(["session_id"]).equals((await record(30)).table.drop(["session_id"]))


@pytest.mark.parametrize("transport", ["thread", "aio"])
async def test_both_transports_bring_the_same(transport: Any) -> None:
    async with SimulatedGateway(seed=5, clock=VirtualClock()) as gateway:
        async with await GatewayClient.connect(
            gateway.endpoint, api_key=gateway.api_key, plaintext=True, stream_transport=transport
        ) as client:
            async with await client.open_session() as session:
                collection = await collect_events(session, TAGS, seconds=30, pace=SimulatedPace(gateway))
    assert collection.table.equals((await record(30)).table)
