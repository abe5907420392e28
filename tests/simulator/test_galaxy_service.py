"""The Galaxy repository over the wire: listing, filters, pages, refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import grpc
import pytest
from google.protobuf.wrappers_pb2 import Int32Value

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2_grpc as pb_grpc
from zb_mom_ww_mxgateway.simulator.clock import VirtualClock
from zb_mom_ww_mxgateway.simulator.galaxy_service import GalaxyService
from zb_mom_ww_mxgateway.simulator.generate import PlantSpec, generate_plant
from zb_mom_ww_mxgateway.simulator.model import Category, PlantObject
from zb_mom_ww_mxgateway.simulator.plant import Plant

Discover = pb.DiscoverHierarchyRequest
Browse = pb.BrowseChildrenRequest


@dataclass
class Site:
    """A running service, and what a test may turn."""

    stub: pb_grpc.GalaxyRepositoryStub
    service: GalaxyService
    plant: Plant
    clock: VirtualClock
    loaded: asyncio.Event
    subtrees: list[str]
    asked: list[str]
    refuse: bool = False


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    clock = VirtualClock()
    plant = generate_plant(PlantSpec(), start_us=clock.now_us())
    loaded = asyncio.Event()
    loaded.set()
    subtrees: list[str] = []
    asked: list[str] = []

    async def authorize(context: grpc.aio.ServicerContext[object, object], rpc_name: str) -> None:
        asked.append(rpc_name)
        if made.refuse:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")

    service = GalaxyService(
        plant, clock, loaded=loaded, authorize=authorize, subtrees=lambda context: subtrees, max_message_bytes=1_000_000
    )
    server = grpc.aio.server()
    pb_grpc.add_GalaxyRepositoryServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        made = Site(pb_grpc.GalaxyRepositoryStub(channel), service, plant, clock, loaded, subtrees, asked)
        yield made
    await server.stop(None)


async def _refused(call: grpc.aio.UnaryUnaryCall[object, object]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def _names(site: Site, request: pb.DiscoverHierarchyRequest) -> list[str]:
    request.include_attributes = False
    reply = await site.stub.DiscoverHierarchy(request)
    assert reply.total_object_count == len(reply.objects)
    return [obj.tag_name for obj in reply.objects]


def _shown(objects: Sequence[pb.GalaxyObject]) -> list[tuple[bool, str]]:
    return [(not obj.is_area, obj.browse_name.lower()) for obj in objects]


# -- the plain rpcs ------------------------------------------------------------------------------------------------


async def test_connection(site: Site) -> None:
    assert (await site.stub.TestConnection(pb.TestConnectionRequest())).ok is True
    site.service.database_ok = False
    site.loaded.clear()
    assert (await site.stub.TestConnection(pb.TestConnectionRequest())).ok is False


async def test_last_deploy_time(site: Site) -> None:
    reply = await site.stub.GetLastDeployTime(pb.GetLastDeployTimeRequest())
    assert reply.present
    assert reply.time_of_last_deploy.ToMicroseconds() == site.plant.deploy_time_us


async def test_every_rpc_is_authorized(site: Site) -> None:
    site.refuse = True
    calls = {
        "TestConnection": pb.TestConnectionRequest(),
        "GetLastDeployTime": pb.GetLastDeployTimeRequest(),
        "DiscoverHierarchy": Discover(),
        "BrowseChildren": Browse(),
    }
    for name, request in calls.items():
        assert (await _refused(getattr(site.stub, name)(request))).code() is grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(grpc.aio.AioRpcError):
        await anext(aiter(site.stub.WatchDeployEvents(pb.WatchDeployEventsRequest())))
    assert site.asked == [*calls, "WatchDeployEvents"]


# -- the hierarchy -------------------------------------------------------------------------------------------------


async def test_the_whole_hierarchy(site: Site) -> None:
    reply = await site.stub.DiscoverHierarchy(Discover())
    assert reply.total_object_count == len(reply.objects) == 60
    assert reply.next_page_token == ""
    assert _shown(reply.objects) == sorted(_shown(reply.objects))
    assert sum(len(obj.attributes) for obj in reply.objects) == site.plant.attribute_count


async def test_an_object_on_the_wire_is_what_the_plant_holds(site: Site) -> None:
    reply = await site.stub.DiscoverHierarchy(Discover())
    for shown in reply.objects:
        obj = site.plant.by_id(shown.gobject_id)
        assert obj is not None
        attributes = list(shown.attributes)
        del shown.attributes[:]
        assert shown == pb.GalaxyObject(
            gobject_id=obj.gobject_id,
            tag_name=obj.tag_name,
            contained_name=obj.contained_name,
            browse_name=obj.contained_name or obj.tag_name,
            parent_gobject_id=obj.parent_id,
            is_area=obj.is_area,
            category_id=obj.category,
            hosted_by_gobject_id=obj.host_id,
            template_chain=site.plant.templates[obj.template].chain,
        )
        for row, attribute in zip(attributes, site.plant.attributes(obj), strict=True):
            array = attribute.array_length is not None
            assert row.attribute_name == attribute.name
            assert row.full_tag_reference == f"{obj.tag_name}.{attribute.name}{'[]' if array else ''}"
            tag = site.plant.resolve(row.full_tag_reference)
            assert tag is not None
            assert tag.reference == row.full_tag_reference
            assert row.mx_data_type == attribute.data_type
            assert row.data_type_name
            assert (row.is_array, row.array_dimension_present) == (array, array)
            assert row.array_dimension == (attribute.array_length or 0)
            assert row.mx_attribute_category == attribute.category
            assert row.security_classification == attribute.security
            assert row.is_historized == attribute.historized
            assert row.is_alarm == (attribute.alarm is not None)


async def test_a_pump_on_the_wire(site: Site) -> None:
    reply = await site.stub.DiscoverHierarchy(Discover(tag_name_glob="Pump_001"))
    (pump,) = reply.objects
    assert list(pump.template_chain) == ["$Pump_Centrifugal", "$Pump", "$UserDefined"]
    assert (pump.contained_name, pump.browse_name) == ("FeedPump", "FeedPump")
    rows = {row.attribute_name: row for row in pump.attributes}
    assert rows["PumpFault"].is_alarm
    assert rows["Speed"].is_historized
    assert rows["Speed"].data_type_name == "Float"
    assert not rows["Speed.EngUnits"].is_historized


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (Discover(root_tag_name="TestArea", max_depth=Int32Value(value=0)), ["TestArea"]),
        (Discover(root_tag_name="testarea", tag_name_glob="Test*"), None),
        (Discover(root_contained_path="DEV/TestArea", max_depth=Int32Value(value=0)), ["TestArea"]),
        (Discover(root_contained_path="/dev/testarea/", max_depth=Int32Value(value=0)), ["TestArea"]),
        (Discover(root_contained_path="Site_01/Receiving_01/Line1/FeedPump"), ["Pump_001"]),
        (Discover(root_contained_path="Site_01/Receiving_01/Line_001/Pump_001"), ["Pump_001"]),
        (Discover(root_gobject_id=3, max_depth=Int32Value(value=1)), ["DEV", "Area001", "TestArea"]),
        (Discover(root_gobject_id=3, category_ids=[13]), ["Area001", "DEV", "TestArea"]),
        (Discover(max_depth=Int32Value(value=0)), ["DEV", "Site_01", "DevPlatform"]),
        (Discover(category_ids=[1, 3]), ["AppEngine_001", "DevPlatform"]),
        (Discover(tag_name_glob="pump001"), ["Pump001"]),
        (Discover(tag_name_glob="PUMP?001"), ["Pump_001"]),
        (Discover(tag_name_glob="*_001", template_chain_contains=["$Pump"]), ["Pump_001"]),
        (Discover(tag_name_glob="Pump"), []),
        (Discover(tag_name_glob="P[uv]mp*"), []),
        (Discover(tag_name_glob="T*t*e*_00?", alarm_bearing_only=True), None),
        (Discover(template_chain_contains=["boiler", "$METER"], tag_name_glob="*_001"), ["Boiler_001", "Meter_001"]),
        (Discover(alarm_bearing_only=True, tag_name_glob="Meter*"), []),
        (Discover(historized_only=True, tag_name_glob="Test*"), None),
        (Discover(historized_only=True, category_ids=[13]), []),
    ],
    ids=lambda value: str(value).replace("\n", " ")[:60] if isinstance(value, pb.DiscoverHierarchyRequest) else "",
)
async def test_roots_and_filters(site: Site, request_: pb.DiscoverHierarchyRequest, names: list[str] | None) -> None:
    machines = ["TestMachine_001", "TestMachine_002", "TestMachine_003"]
    found = await _names(site, request_)
    if names is None and request_.HasField("root_tag_name"):
        names = ["TestArea", "TestChildObject", *machines]
    expected = machines if names is None else names
    assert sorted(found) == sorted(expected)
    if request_.max_depth.value == 0:
        assert found == expected or request_.category_ids


@pytest.mark.parametrize(
    "request_",
    [
        Discover(root_gobject_id=99_999),
        Discover(root_gobject_id=0),
        Discover(root_tag_name="Nobody"),
        Discover(root_tag_name=""),
        Discover(root_contained_path="DEV/Nobody"),
        Discover(root_contained_path=""),
    ],
)
async def test_an_unknown_root_is_not_found(site: Site, request_: pb.DiscoverHierarchyRequest) -> None:
    error = await _refused(site.stub.DiscoverHierarchy(request_))
    assert error.code() is grpc.StatusCode.NOT_FOUND


async def test_an_unknown_parent_is_not_found(site: Site) -> None:
    for request in (Browse(parent_gobject_id=99_999), Browse(parent_tag_name="X"), Browse(parent_contained_path="X/Y")):
        assert (await _refused(site.stub.BrowseChildren(request))).code() is grpc.StatusCode.NOT_FOUND


async def test_children_areas_first_with_hints(site: Site) -> None:
    reply = await site.stub.BrowseChildren(Browse())
    assert [obj.tag_name for obj in reply.children] == ["DEV", "Site_01", "DevPlatform"]
    assert list(reply.child_has_children) == [True, True, True]
    assert reply.total_child_count == 3
    assert reply.cache_sequence == site.plant.cache_sequence
    assert all(obj.attributes for obj in reply.children)
    same = await site.stub.BrowseChildren(Browse(parent_gobject_id=0))
    assert list(same.children) == list(reply.children)
    line = await site.stub.BrowseChildren(Browse(parent_contained_path="Site_01/Receiving_01/Line1"))
    assert [obj.browse_name for obj in line.children] == sorted(
        (obj.browse_name for obj in line.children), key=str.lower
    )
    assert not any(line.child_has_children)
    leaf = await site.stub.BrowseChildren(Browse(parent_tag_name="Pump_001"))
    assert (len(leaf.children), leaf.total_child_count) == (0, 0)


async def test_hints_say_what_the_same_filters_would_show(site: Site) -> None:
    reply = await site.stub.BrowseChildren(Browse(category_ids=[13]))
    assert dict(zip([obj.tag_name for obj in reply.children], reply.child_has_children, strict=True)) == {
        "DEV": True,
        "Site_01": True,
    }
    dev = await site.stub.BrowseChildren(Browse(parent_tag_name="DEV", category_ids=[13]))
    assert list(dev.child_has_children) == [False, False]
    platform = await site.stub.BrowseChildren(Browse(parent_tag_name="DevPlatform", category_ids=[3]))
    assert [obj.tag_name for obj in platform.children] == ["AppEngine_001"]


async def test_skeletons(site: Site) -> None:
    objects = (await site.stub.DiscoverHierarchy(Discover(include_attributes=False))).objects
    children = (await site.stub.BrowseChildren(Browse(include_attributes=False))).children
    assert not any(obj.attributes for obj in (*objects, *children))
    assert (await site.stub.DiscoverHierarchy(Discover(include_attributes=True, page_size=1))).objects[0].attributes


# -- pages ---------------------------------------------------------------------------------------------------------


async def test_pages_join_to_the_whole(site: Site) -> None:
    whole = await _names(site, Discover())
    found: list[str] = []
    request = Discover(page_size=7, include_attributes=False)
    sizes: list[int] = []
    while True:
        reply = await site.stub.DiscoverHierarchy(request)
        assert reply.total_object_count == 60
        found += [obj.tag_name for obj in reply.objects]
        sizes.append(len(reply.objects))
        request.page_token = reply.next_page_token
        if not reply.next_page_token:
            break
    assert found == whole
    assert sizes == [7] * 8 + [4]


async def test_children_come_in_pages(site: Site) -> None:
    request = Browse(parent_contained_path="DEV/TestArea", page_size=3, include_attributes=False)
    whole = await site.stub.BrowseChildren(Browse(parent_tag_name="TestArea", include_attributes=False))
    found: list[pb.GalaxyObject] = []
    while True:
        reply = await site.stub.BrowseChildren(request)
        assert len(reply.child_has_children) == len(reply.children)
        found += reply.children
        request.page_token = reply.next_page_token
        if not reply.next_page_token:
            break
        # The parent may be spelled otherwise on the next page: it is the same parent.
        request.parent_tag_name = "TestArea"
    assert found == list(whole.children)


@pytest.mark.parametrize(("size", "shown"), [(0, 1000), (10, 10), (4999, 4999), (5000, 5000), (5001, 5000)])
async def test_page_sizes_of_discover(size: int, shown: int) -> None:
    async with _Big(6000) as stub:
        reply = await stub.DiscoverHierarchy(Discover(page_size=size, include_attributes=False))
        assert len(reply.objects) == shown
        assert reply.total_object_count == 6000
        assert reply.next_page_token


@pytest.mark.parametrize(("size", "shown"), [(0, 500), (10, 10), (5000, 5000), (6000, 5000)])
async def test_page_sizes_of_browse(size: int, shown: int) -> None:
    big = _Big(10)
    children = [
        PlantObject(n, f"Thing_{n}", "", 3, False, Category.USER_DEFINED, 2, 3, "$UserDefined")
        for n in range(100, 5600)
    ]
    big.plant.redeploy(add=children, at_us=big.plant.start_us)
    async with big as stub:
        request = Browse(parent_tag_name="DEV", page_size=size, include_attributes=False)
        reply = await stub.BrowseChildren(request)
        assert len(reply.children) == len(reply.child_has_children) == shown
        assert reply.total_child_count == 5502
        assert [obj.tag_name for obj in reply.children[:3]] == ["Area001", "TestArea", "Thing_100"]
        assert reply.next_page_token


class _Big:
    """A service over a plant of many objects."""

    def __init__(self, objects: int) -> None:
        clock = VirtualClock()
        self.plant = generate_plant(PlantSpec(objects=objects), start_us=clock.now_us())
        self.server = grpc.aio.server()
        pb_grpc.add_GalaxyRepositoryServicer_to_server(GalaxyService(self.plant, clock), self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")

    async def __aenter__(self) -> pb_grpc.GalaxyRepositoryStub:
        await self.server.start()
        unlimited = [("grpc.max_receive_message_length", -1)]
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{self.port}", options=unlimited)
        return pb_grpc.GalaxyRepositoryStub(self.channel)

    async def __aexit__(self, *error: object) -> None:
        await self.channel.close()
        await self.server.stop(None)


async def test_five_thousand_objects_with_attributes_come_over_the_wire() -> None:
    async with _Big(5000) as stub:
        token, objects, attributes = "", 0, 0
        while True:
            reply = await stub.DiscoverHierarchy(Discover(page_token=token))
            objects += len(reply.objects)
            attributes += sum(len(obj.attributes) for obj in reply.objects)
            token = reply.next_page_token
            if not token:
                break
        assert objects == 5000
        assert attributes > 400_000
        error = await _refused(stub.DiscoverHierarchy(Discover(page_size=5000)))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_page_beyond_the_message_limit_is_refused_not_shrunk(site: Site) -> None:
    site.service._max_message_bytes = 100_000
    error = await _refused(site.stub.DiscoverHierarchy(Discover()))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len((await site.stub.DiscoverHierarchy(Discover(include_attributes=False))).objects) == 60


@pytest.mark.parametrize(
    "token",
    ["x", "1:2", "::", "1:2:3:4", "a:b:c", "-1:x:5", "1:x:-5", "1:wrong:10", "¹:x:5", "9" * 30 + ":x:1"],
)
async def test_a_token_that_nobody_gave(site: Site, token: str) -> None:
    for call in (
        site.stub.DiscoverHierarchy(Discover(page_token=token)),
        site.stub.BrowseChildren(Browse(page_token=token)),
    ):
        assert (await _refused(call)).code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_token_beyond_the_end(site: Site) -> None:
    first = await site.stub.DiscoverHierarchy(Discover(page_size=10, include_attributes=False))
    sequence, sign, _ = first.next_page_token.split(":")
    error = await _refused(site.stub.DiscoverHierarchy(Discover(page_token=f"{sequence}:{sign}:61")))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "other",
    [
        Discover(category_ids=[13]),
        Discover(template_chain_contains=["$Pump"]),
        Discover(tag_name_glob="*"),
        Discover(alarm_bearing_only=True),
        Discover(historized_only=True),
        Discover(root_tag_name="DEV"),
        Discover(max_depth=Int32Value(value=5)),
    ],
)
async def test_a_token_belongs_to_its_filters(site: Site, other: pb.DiscoverHierarchyRequest) -> None:
    first = await site.stub.DiscoverHierarchy(Discover(page_size=3, include_attributes=False))
    other.page_token = first.next_page_token
    assert (await _refused(site.stub.DiscoverHierarchy(other))).code() is grpc.StatusCode.INVALID_ARGUMENT
    # The page size may change.
    assert await site.stub.DiscoverHierarchy(Discover(page_size=5, page_token=first.next_page_token))


async def test_a_token_belongs_to_its_rpc_and_parent(site: Site) -> None:
    first = await site.stub.BrowseChildren(Browse(page_size=1, include_attributes=False))
    for call in (
        site.stub.DiscoverHierarchy(Discover(page_token=first.next_page_token)),
        site.stub.BrowseChildren(Browse(parent_tag_name="DEV", page_token=first.next_page_token)),
    ):
        assert (await _refused(call)).code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_deploy_ends_a_listing(site: Site) -> None:
    discovered = await site.stub.DiscoverHierarchy(Discover(page_size=10, include_attributes=False))
    browsed = await site.stub.BrowseChildren(Browse(page_size=1, include_attributes=False))
    site.plant.redeploy(remove=["Line_002"], at_us=site.clock.now_us())
    for call in (
        site.stub.DiscoverHierarchy(Discover(page_size=10, page_token=discovered.next_page_token)),
        site.stub.BrowseChildren(Browse(page_size=1, page_token=browsed.next_page_token)),
    ):
        error = await _refused(call)
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "stale" in (error.details() or "")
        assert ("cache_sequence", str(site.plant.cache_sequence)) in list(error.trailing_metadata() or ())
    assert len(await _names(site, Discover())) == site.plant.object_count


@pytest.mark.parametrize("request_", [Discover(page_size=-1), Discover(max_depth=Int32Value(value=-1))])
async def test_negative_numbers_are_refused(site: Site, request_: pb.DiscoverHierarchyRequest) -> None:
    assert (await _refused(site.stub.DiscoverHierarchy(request_))).code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_many_stars_do_not_take_for_ever(site: Site) -> None:
    assert await _names(site, Discover(tag_name_glob="*e*" * 40 + "x")) == []
    assert "TestMachine_001" in await _names(site, Discover(tag_name_glob="T*" + "*" * 40 + "M?ch*1"))


# -- restricted keys -----------------------------------------------------------------------------------------------


async def test_a_subtree_restriction_filters(site: Site) -> None:
    site.subtrees[:] = ["DEV/TestArea", "Line_001"]
    names = set(await _names(site, Discover()))
    assert {"TestArea", "TestMachine_001", "Pump_001", "Line_001"} <= names
    # The way down is shown, or a tree could not be walked from its roots.
    assert {"DEV", "Site_01", "Receiving_01"} <= names
    assert not names & {"Area001", "Pump001", "Pump_003", "DevPlatform"}
    roots = await site.stub.BrowseChildren(Browse())
    assert [obj.tag_name for obj in roots.children] == ["DEV", "Site_01"]
    hidden = await _refused(site.stub.BrowseChildren(Browse(parent_tag_name="Area001")))
    assert hidden.code() is grpc.StatusCode.NOT_FOUND
    site.subtrees[:] = ["Nowhere"]
    assert await _names(site, Discover()) == []


async def test_a_token_belongs_to_its_restriction(site: Site) -> None:
    first = await site.stub.DiscoverHierarchy(Discover(page_size=3, include_attributes=False))
    site.subtrees[:] = ["DEV"]
    error = await _refused(site.stub.DiscoverHierarchy(Discover(page_size=3, page_token=first.next_page_token)))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


# -- not loaded yet ------------------------------------------------------------------------------------------------


async def _until(condition: object) -> None:
    while not condition():  # type: ignore[operator]
        await asyncio.sleep(0)


async def test_a_galaxy_that_is_not_loaded_is_unavailable_after_five_seconds(site: Site) -> None:
    site.loaded.clear()
    for request, call in ((Discover(), site.stub.DiscoverHierarchy), (Browse(), site.stub.BrowseChildren)):
        asked = len(site.asked)
        waiting = asyncio.ensure_future(_refused(call(request)))
        await _until(lambda: len(site.asked) > asked)  # noqa: B023
        await _until(lambda: site.clock._queue.next_due() is not None)
        site.clock.advance_us(4_900_000)
        assert site.clock._queue.next_due() is not None
        site.clock.advance_us(200_000)
        assert (await waiting).code() is grpc.StatusCode.UNAVAILABLE


async def test_a_galaxy_that_loads_in_time_is_listed(site: Site) -> None:
    site.loaded.clear()
    waiting = asyncio.ensure_future(_names(site, Discover()))
    await _until(lambda: site.clock._queue.next_due() is not None)
    site.clock.advance_us(4_000_000)
    site.loaded.set()
    assert len(await waiting) == 60
