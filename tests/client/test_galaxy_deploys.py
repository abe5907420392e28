"""Deploys as they happen, with those that were missed; pages of a listing as bytes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from support.fake_gateway import FakeGateway
from zb_mom_ww_mxgateway import DeployEvent, GalaxyRepositoryClient, MxGatewayTransportError
from zb_mom_ww_mxgateway.galaxy_pages import RawPage
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway.simulator import SimulatedGateway, VirtualClock

SECONDS = 10


async def test_missed_deploys_are_counted(fake: FakeGateway) -> None:
    async def watch(request: Any, context: Any) -> Any:
        for sequence in (4, 5, 9, 9, 2, 3):
            yield DeployEvent(sequence=sequence, object_count=sequence * 10, attribute_count=7)
        await asyncio.Event().wait()

    fake.streams["WatchDeployEvents"] = watch
    async with await GalaxyRepositoryClient.connect(fake.endpoint, plaintext=True) as galaxy:
        for after, first in ((None, 0), (1, 2), (4, 0)):
            seen = []
            async with asyncio.timeout(SECONDS), aclosing(galaxy.watch_deploys(after_sequence=after)) as deploys:
                async for deploy in deploys:
                    seen.append((deploy.sequence, deploy.missed, deploy.restarted))
                    if len(seen) == 6:
                        break
            assert seen == [
                (4, first, False),
                (5, 0, False),
                (9, 3, False),
                (9, 0, False),
                (2, 0, True),
                (3, 0, False),
            ]
            # Leaving the loop ends the stream on the gateway too.
            assert await asyncio.wait_for(fake.ended.get(), SECONDS) == "WatchDeployEvents"
        assert deploy.deploy_time is None
        assert deploy.observed_at is None
        assert (deploy.object_count, deploy.attribute_count, deploy.event.object_count) == (30, 7, 30)


async def test_a_gateway_that_drops_deploys_for_a_slow_reader() -> None:
    async with SimulatedGateway(seed=7, clock=VirtualClock()) as gateway:
        connection = {"endpoint": gateway.endpoint, "api_key": gateway.api_key, "plaintext": True}
        async with await GalaxyRepositoryClient.connect(**connection) as galaxy:
            async with asyncio.timeout(SECONDS), aclosing(galaxy.watch_deploys()) as deploys:
                first = await anext(deploys)
                assert first.missed == 0
                assert first.deploy_time == await galaxy.get_last_deploy_time()
                # More at once than the gateway keeps for a subscriber.
                for number in range(20):
                    gateway.plant.redeploy(at_us=1_800_000_000_000_000 + number)
                second = await anext(deploys)
                assert second.missed == second.sequence - first.sequence - 1 == 4
                assert second.deploy_time == datetime(2027, 1, 15, 8, 0, 0, 4, tzinfo=UTC)
                rest = [await anext(deploys) for _ in range(15)]
                assert {each.missed for each in rest} == {0}
                last = rest[-1]
            async with asyncio.timeout(SECONDS):
                again = galaxy.watch_deploys(after_sequence=last.sequence - 3)
                assert (await anext(again)).missed == 2
                await again.aclose()


async def test_raw_pages_are_the_bytes_of_the_pages() -> None:
    async with SimulatedGateway(seed=7, clock=VirtualClock()) as gateway:
        connection = {"endpoint": gateway.endpoint, "api_key": gateway.api_key, "plaintext": True}
        async with await GalaxyRepositoryClient.connect(**connection) as galaxy:
            raw = [page async for page in galaxy.iter_raw_pages(page_size=25, historized_only=True)]
            parsed = [page async for page in galaxy.iter_pages(page_size=25, historized_only=True)]
    assert [pb.DiscoverHierarchyReply.FromString(page.data) for page in raw] == parsed
    assert [page.objects for page in raw] == [len(page.objects) for page in parsed]
    assert {page.total_object_count for page in raw} == {sum(page.objects for page in raw)}
    assert len(raw) > 1


async def test_a_damaged_page_is_a_typed_error(fake: FakeGateway) -> None:
    async def damaged(request: Any, context: Any) -> Any:
        return b"\x0a\xff"

    fake.unary["DiscoverHierarchy"] = damaged
    async with await GalaxyRepositoryClient.connect(fake.endpoint, plaintext=True) as galaxy:
        for listing in (galaxy.iter_raw_pages(), galaxy.iter_pages()):
            with pytest.raises(MxGatewayTransportError, match="DiscoverHierarchy cannot be decoded"):
                await anext(listing)


@pytest.mark.parametrize(
    "data", [b"\x0a", b"\x0a\x05ab", b"\x0b", b"\x12\x02\xff\xfe", b"\xff" * 11, b"\x09\x01", b"\x0d\x01", b"\x18"]
)
def test_bytes_that_are_no_page_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        RawPage.FromString(data)


PAGES = st.builds(
    pb.DiscoverHierarchyReply,
    objects=st.lists(
        st.builds(pb.GalaxyObject, gobject_id=st.integers(0, 10**6), tag_name=st.text(max_size=200)), max_size=5
    ),
    next_page_token=st.text(max_size=10),
    total_object_count=st.integers(0, 2**31 - 1),
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(PAGES, st.sampled_from([b"", b"\xf9\x01abcdefgh", b"\xfd\x01abcd", b"\xf8\x01\x80\x01", b"\xfa\x01\x02ab"]))
def test_the_outer_level_is_read_as_a_parser_reads_it(message: pb.DiscoverHierarchyReply, unknown: bytes) -> None:
    data = unknown + message.SerializeToString() + unknown
    read = RawPage.FromString(data)
    assert read == RawPage(data, len(message.objects), message.next_page_token, message.total_object_count)
