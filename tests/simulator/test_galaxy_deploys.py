"""Deploy events over the wire: the present state at once, then one per deploy, the oldest dropped for a slow reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2_grpc as pb_grpc
from zb_mom_ww_mxgateway.simulator.clock import VirtualClock
from zb_mom_ww_mxgateway.simulator.galaxy_service import GalaxyService
from zb_mom_ww_mxgateway.simulator.generate import PlantSpec, generate_plant
from zb_mom_ww_mxgateway.simulator.model import Category, PlantObject

Watch = pb.WatchDeployEventsRequest
SECOND = 1_000_000

CLOCK_START = VirtualClock().now_us()


class Site:
    """A running service over a small plant."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.plant = generate_plant(PlantSpec(objects=20), start_us=self.clock.now_us())
        self.subtrees: list[str] = []
        self.service = GalaxyService(self.plant, self.clock, subtrees=lambda context: self.subtrees)
        self.server = grpc.aio.server()
        pb_grpc.add_GalaxyRepositoryServicer_to_server(self.service, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")

    def deploy(self) -> None:
        self.clock.advance_us(SECOND)
        meter = PlantObject(
            1000 + self.plant.deploy_sequence,
            f"Meter_{900 + self.plant.deploy_sequence}",
            "",
            0,
            False,
            Category.USER_DEFINED,
            0,
            0,
            "$Meter_Electric",
        )
        self.plant.redeploy(add=[meter], at_us=self.clock.now_us())


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    await site.server.start()
    yield site
    await site.server.stop(None)


@pytest.fixture
async def stub(site: Site) -> AsyncIterator[pb_grpc.GalaxyRepositoryStub]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{site.port}") as channel:
        yield pb_grpc.GalaxyRepositoryStub(channel)


async def _subscribed(site: Site, watchers: int) -> None:
    # One callback is the service's own.
    while len(site.plant._deploy_callbacks) < watchers + 1:
        await asyncio.sleep(0)


async def test_the_present_state_then_each_deploy(site: Site, stub: pb_grpc.GalaxyRepositoryStub) -> None:
    site.clock.advance_us(5 * SECOND)
    call = stub.WatchDeployEvents(Watch())
    events = aiter(call)
    first = await anext(events)
    assert first.sequence == 1
    assert first.time_of_last_deploy_present
    assert first.time_of_last_deploy.ToMicroseconds() == site.plant.deploy_time_us
    assert first.observed_at.ToMicroseconds() == CLOCK_START
    assert (first.object_count, first.attribute_count) == (20, site.plant.attribute_count)
    for n in (2, 3):
        site.deploy()
        event = await anext(events)
        assert event.sequence == n
        assert event.object_count == 19 + n
        assert event.time_of_last_deploy.ToMicroseconds() == site.clock.now_us()
        assert event.observed_at.ToMicroseconds() == site.clock.now_us()
    call.cancel()


async def test_a_caller_that_has_the_present_state_waits_for_the_next(
    site: Site, stub: pb_grpc.GalaxyRepositoryStub
) -> None:
    seen = (await stub.GetLastDeployTime(pb.GetLastDeployTimeRequest())).time_of_last_deploy
    events = aiter(stub.WatchDeployEvents(Watch(last_seen_deploy_time=seen)))
    waiting = asyncio.ensure_future(anext(events))
    await _subscribed(site, 1)
    site.deploy()
    assert (await waiting).sequence == 2


async def test_a_caller_with_an_older_state_gets_the_present_one(
    site: Site, stub: pb_grpc.GalaxyRepositoryStub
) -> None:
    events = aiter(stub.WatchDeployEvents(Watch(last_seen_deploy_time=Timestamp(seconds=1))))
    assert (await anext(events)).sequence == 1


async def test_every_watcher_gets_every_deploy(site: Site, stub: pb_grpc.GalaxyRepositoryStub) -> None:
    watchers = [aiter(stub.WatchDeployEvents(Watch())) for _ in range(3)]
    assert [(await anext(watcher)).sequence for watcher in watchers] == [1, 1, 1]
    site.deploy()
    assert [(await anext(watcher)).sequence for watcher in watchers] == [2, 2, 2]


async def test_a_slow_watcher_loses_the_oldest_events(site: Site, stub: pb_grpc.GalaxyRepositoryStub) -> None:
    events = aiter(stub.WatchDeployEvents(Watch()))
    assert (await anext(events)).sequence == 1
    await _subscribed(site, 1)
    # All in one go: the stream has no chance to send in between.
    for _ in range(20):
        site.deploy()
    assert [(await anext(events)).sequence for _ in range(16)] == list(range(6, 22))


async def test_a_watcher_that_leaves_is_forgotten(site: Site, stub: pb_grpc.GalaxyRepositoryStub) -> None:
    call = stub.WatchDeployEvents(Watch())
    await anext(aiter(call))
    await _subscribed(site, 1)
    call.cancel()
    while len(site.plant._deploy_callbacks) > 1:
        await asyncio.sleep(0)
    site.deploy()


async def test_a_restricted_key_counts_what_it_sees(site: Site, stub: pb_grpc.GalaxyRepositoryStub) -> None:
    site.subtrees[:] = ["TestArea"]
    events = aiter(stub.WatchDeployEvents(Watch()))
    first = await anext(events)
    assert first.object_count == 9
    assert 0 < first.attribute_count < site.plant.attribute_count
    # The restriction is the one at the start of the stream.
    site.subtrees[:] = []
    site.deploy()
    assert (await anext(events)).object_count == 9
