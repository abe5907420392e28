"""The Galaxy client: listings of one deploy, a tree that fetches once, deploy events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from support.fake_gateway import FakeGateway
from zb_mom_ww_mxgateway import (
    DeployEvent,
    GalaxyChangedError,
    GalaxyError,
    GalaxyNotFoundError,
    GalaxyRepositoryClient,
    MxGatewayAuthorizationError,
)
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb

SECONDS = 10
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
async def galaxy(fake: FakeGateway) -> AsyncIterator[GalaxyRepositoryClient]:
    async with await GalaxyRepositoryClient.connect(fake.endpoint, plaintext=True) as galaxy:
        yield galaxy


class Listing:
    """Five objects in pages of two; a deploy renames all and ends the pages of before."""

    def __init__(self, fake: FakeGateway, deploys_after_page: tuple[int, ...] = ()) -> None:
        self.deploys = 0
        self.calls = 0
        self._deploys_after = set(deploys_after_page)
        fake.unary["DiscoverHierarchy"] = self.discover

    async def discover(self, request: pb.DiscoverHierarchyRequest, context: Any) -> pb.DiscoverHierarchyReply:
        deploy, _, start = (request.page_token or f"{self.deploys}:0").partition(":")
        if int(deploy) != self.deploys:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the page token is stale")
        first = int(start)
        ids = range(first, min(first + 2, 5))
        reply = pb.DiscoverHierarchyReply(
            objects=[pb.GalaxyObject(gobject_id=i + 1, tag_name=f"deploy{self.deploys}_{i}") for i in ids],
            next_page_token=f"{self.deploys}:{first + 2}" if first + 2 < 5 else "",
            total_object_count=5,
        )
        self.calls += 1
        if self.calls in self._deploys_after:
            self.deploys += 1
        return reply


async def test_all_pages_are_fetched_as_they_are_asked_for(fake: FakeGateway, galaxy: GalaxyRepositoryClient) -> None:
    listing = Listing(fake)
    seen = []
    async for item in galaxy.iter_hierarchy(page_size=2):
        seen.append((item.tag_name, listing.calls))
    assert seen == [("deploy0_0", 1), ("deploy0_1", 1), ("deploy0_2", 2), ("deploy0_3", 2), ("deploy0_4", 3)]
    assert {request.page_size for _, request in fake.requests} == {2}
    assert [item.tag_name for item in await galaxy.discover_hierarchy()] == [name for name, _ in seen]


async def test_a_deploy_in_the_middle_starts_the_listing_over(
    fake: FakeGateway, galaxy: GalaxyRepositoryClient
) -> None:
    Listing(fake, deploys_after_page=(2,))
    assert {item.tag_name.split("_")[0] for item in await galaxy.discover_hierarchy()} == {"deploy1"}


async def test_deploys_without_end_are_reported(fake: FakeGateway, galaxy: GalaxyRepositoryClient) -> None:
    Listing(fake, deploys_after_page=tuple(range(1, 100)))
    with pytest.raises(GalaxyChangedError, match="start over"):
        await galaxy.discover_hierarchy()
    assert len(fake.requests) == 6


async def test_a_lazy_listing_says_that_the_galaxy_has_changed(
    fake: FakeGateway, galaxy: GalaxyRepositoryClient
) -> None:
    Listing(fake, deploys_after_page=(2,))
    seen = []
    with pytest.raises(GalaxyChangedError, match="after 4 objects") as caught:
        async for item in galaxy.iter_hierarchy():
            seen.append(item)
    assert len(seen) == 4
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_bad_first_request_is_no_deploy(fake: FakeGateway, galaxy: GalaxyRepositoryClient) -> None:
    async def refuse(request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "page_size is negative")

    fake.unary["DiscoverHierarchy"] = refuse
    with pytest.raises(GalaxyError) as caught:
        await galaxy.discover_hierarchy()
    assert type(caught.value) is GalaxyError


async def test_filters_travel_by_their_names(fake: FakeGateway, galaxy: GalaxyRepositoryClient) -> None:
    Listing(fake)
    await galaxy.discover_hierarchy(
        root_contained_path="Area1/Line3",
        max_depth=0,
        category_ids=[10, 13],
        template_chain_contains=["$Pump"],
        tag_name_glob="P*",
        include_attributes=False,
        alarm_bearing_only=True,
        historized_only=True,
    )
    request = fake.requests[0][1]
    assert request.root_contained_path == "Area1/Line3"
    assert request.HasField("max_depth")
    assert request.max_depth.value == 0
    assert list(request.category_ids) == [10, 13]
    assert list(request.template_chain_contains) == ["$Pump"]
    assert request.tag_name_glob == "P*"
    assert request.HasField("include_attributes")
    assert not request.include_attributes
    assert request.alarm_bearing_only
    assert request.historized_only


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"glob": "x"}, "unknown filter glob; the filters are alarm_bearing_only"),
        ({"root_gobject_id": 1, "root_tag_name": "x"}, "one root"),
        ({"category_ids": 5}, "must be a list"),
        ({"template_chain_contains": "$Pump"}, "must be a list"),
    ],
)
async def test_a_mistaken_filter_is_refused(galaxy: GalaxyRepositoryClient, filters: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        await galaxy.discover_hierarchy(**filters)
    with pytest.raises(ValueError, match="page_size=5001"):
        await galaxy.discover_hierarchy(page_size=5001)


class Tree:
    """Roots 1 and 2; 1 has the children 11, 12, 13 in pages of two."""

    def __init__(self, fake: FakeGateway) -> None:
        self.fake = fake
        fake.unary["BrowseChildren"] = self.browse

    async def browse(self, request: pb.BrowseChildrenRequest, context: Any) -> pb.BrowseChildrenReply:
        children = {0: [1, 2], 1: [11, 12, 13]}.get(request.parent_gobject_id)
        if children is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no object {request.parent_gobject_id}")
            raise AssertionError
        start = int(request.page_token or 0)
        page = children[start : start + 2]
        return pb.BrowseChildrenReply(
            children=[pb.GalaxyObject(gobject_id=i, tag_name=f"Object{i}") for i in page],
            child_has_children=[i == 1 for i in page],
            next_page_token=str(start + 2) if start + 2 < len(children) else "",
            total_child_count=len(children),
        )


async def test_ten_concurrent_expansions_make_one_call_per_page(
    fake: FakeGateway, galaxy: GalaxyRepositoryClient
) -> None:
    Tree(fake)
    first, second = await galaxy.browse()
    assert (first.has_children_hint, second.has_children_hint) == (True, False)
    assert first.children == []
    before = len(fake.requests)
    async with asyncio.timeout(SECONDS):
        results = await asyncio.gather(*(first.expand() for _ in range(10)))
    assert len(fake.requests) - before == 2
    assert all([node.object.gobject_id for node in nodes] == [11, 12, 13] for nodes in results)
    assert first.is_expanded
    assert "3 children" in repr(first)
    assert not fake.requests[0][1].include_attributes
    with pytest.raises(GalaxyNotFoundError, match="no object 2"):
        await second.expand()
    assert not second.is_expanded


async def test_browse_children_takes_a_request_or_keywords(fake: FakeGateway, galaxy: GalaxyRepositoryClient) -> None:
    Tree(fake)
    reply = await galaxy.browse_children(pb.BrowseChildrenRequest(parent_gobject_id=1))
    assert [item.gobject_id for item in reply.children] == [11, 12]
    reply = await galaxy.browse_children(parent_gobject_id=1, page_token=reply.next_page_token, page_size=2)
    assert [item.gobject_id for item in reply.children] == [13]
    assert len((await galaxy.browse_children()).children) == 2
    with pytest.raises(TypeError, match="not both"):
        await galaxy.browse_children(pb.BrowseChildrenRequest(), page_size=3)
    with pytest.raises(TypeError, match="one parent"):
        await galaxy.browse_children(parent_gobject_id=1, parent_tag_name="x")


async def test_connection_and_deploy_time(fake: FakeGateway, galaxy: GalaxyRepositoryClient) -> None:
    stamp = Timestamp()
    stamp.FromDatetime(MOMENT)
    replies = [pb.GetLastDeployTimeReply(), pb.GetLastDeployTimeReply(present=True, time_of_last_deploy=stamp)]

    async def deployed(request: Any, context: Any) -> Any:
        return replies.pop(0)

    async def reachable(request: Any, context: Any) -> Any:
        return pb.TestConnectionReply(ok=True)

    fake.unary["GetLastDeployTime"] = deployed
    fake.unary["TestConnection"] = reachable
    assert await galaxy.test_connection() is True
    assert await galaxy.get_last_deploy_time() is None
    assert await galaxy.get_last_deploy_time() == MOMENT


async def test_deploy_events_stream_until_the_loop_is_left(fake: FakeGateway, galaxy: GalaxyRepositoryClient) -> None:
    async def watch(request: Any, context: Any) -> Any:
        yield DeployEvent(sequence=1)
        yield DeployEvent(sequence=3)
        await asyncio.Event().wait()

    fake.streams["WatchDeployEvents"] = watch
    seen = []
    async with asyncio.timeout(SECONDS):
        async for event in galaxy.watch_deploy_events(last_seen_deploy_time=MOMENT):
            assert isinstance(event, DeployEvent)
            seen.append(event.sequence)
            if len(seen) == 2:
                break
        assert await fake.ended.get() == "WatchDeployEvents"
    assert seen == [1, 3]
    assert fake.requests[0][1].last_seen_deploy_time.ToDatetime(tzinfo=UTC) == MOMENT
    with pytest.raises(ValueError, match="no time zone"):
        galaxy.watch_deploy_events(last_seen_deploy_time=datetime(2026, 1, 1))


async def test_a_missing_scope_is_named(fake: FakeGateway, galaxy: GalaxyRepositoryClient) -> None:
    async def refuse(request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "the key lacks the scope metadata:read")

    fake.unary["BrowseChildren"] = refuse
    with pytest.raises(MxGatewayAuthorizationError, match="metadata:read"):
        await galaxy.browse()
