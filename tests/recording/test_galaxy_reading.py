"""A whole Galaxy into tables: one deploy or an error, search at the gateway, snapshots in files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.fake_gateway import FakeGateway
from zb_mom_ww_mxgateway import (
    GalaxyChangedError,
    GalaxyNotFoundError,
    GalaxyRepositoryClient,
    GatewayClient,
    MxGatewayAuthorizationError,
    MxGatewayError,
)
from zb_mom_ww_mxgateway.frames import GalaxyTableError, attribute_frame, diff_hierarchy, find, hierarchy_frame
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway.recording import SimulatedPace, collect_events
from zb_mom_ww_mxgateway.recording.galaxy import find_tags, load_galaxy, read_galaxy, save_galaxy
from zb_mom_ww_mxgateway.simulator import ALL_SCOPES, ApiKey, SimulatedGateway, VirtualClock


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(seed=7, clock=VirtualClock()) as gateway:
        yield gateway


@pytest.fixture
async def galaxy(gateway: SimulatedGateway) -> AsyncIterator[GalaxyRepositoryClient]:
    async with await connected(gateway) as galaxy:
        yield galaxy


@pytest.fixture
async def fake() -> AsyncIterator[FakeGateway]:
    async with FakeGateway() as fake:
        yield fake


async def connected(gateway: SimulatedGateway, api_key: str | None = None) -> GalaxyRepositoryClient:
    return await GalaxyRepositoryClient.connect(gateway.endpoint, api_key=api_key or gateway.api_key, plaintext=True)


class Deployer:
    """A progress callback that deploys at some of its calls, and remembers them all."""

    def __init__(self, gateway: SimulatedGateway, *at: int) -> None:
        self._gateway = gateway
        self._at = at
        self.calls: list[tuple[int, int]] = []

    def __call__(self, done: int, total: int) -> None:
        self.calls.append((done, total))
        if len(self.calls) in self._at:
            plant = self._gateway.plant
            pump = plant.by_name("Pump_001") or plant.by_name("Pump_900")
            assert pump is not None
            name = "Pump_900" if pump.tag_name == "Pump_001" else "Pump_001"
            plant.redeploy(change=[replace(pump, tag_name=name)], at_us=plant.deploy_time_us + 1)


async def test_the_tables_are_what_the_messages_say(gateway: SimulatedGateway, galaxy: GalaxyRepositoryClient) -> None:
    calls: list[tuple[int, int]] = []
    snapshot = await read_galaxy(galaxy, page_size=25, progress=lambda *call: calls.append(call))
    messages = await galaxy.discover_hierarchy()
    assert calls == [(25, 60), (50, 60), (60, 60)]
    assert snapshot.hierarchy.column("tag_name").to_pylist() == [item.tag_name for item in messages]
    assert snapshot.hierarchy.column("attribute_count").to_pylist() == [len(item.attributes) for item in messages]
    references = [each.full_tag_reference for item in messages for each in item.attributes]
    assert snapshot.attributes.column("full_tag_reference").to_pylist() == references
    assert snapshot.deploy_time == await galaxy.get_last_deploy_time()
    assert snapshot.endpoint == gateway.endpoint
    assert "60 objects, 5519 attributes, deployed 2026-01-" in repr(snapshot)
    assert gateway.api_key not in repr(snapshot)
    plain = await read_galaxy(galaxy, decoder="upb")
    assert plain.hierarchy.equals(snapshot.hierarchy)
    assert plain.attributes.equals(snapshot.attributes)


@pytest.mark.parametrize("at", [1, 2, 3])
async def test_a_deploy_in_the_middle_starts_over(
    gateway: SimulatedGateway, galaxy: GalaxyRepositoryClient, at: int
) -> None:
    progress = Deployer(gateway, at)
    snapshot = await read_galaxy(galaxy, page_size=20, progress=progress)
    assert [done for done, _ in progress.calls] == [*[20, 40, 60][:at], 20, 40, 60]
    assert "Pump_900" in snapshot.hierarchy.column("tag_name").to_pylist()
    assert not len(find(snapshot, "Pump_001.*"))
    assert snapshot.deploy_time == await galaxy.get_last_deploy_time()


async def test_deploys_without_end_are_an_error(gateway: SimulatedGateway, galaxy: GalaxyRepositoryClient) -> None:
    progress = Deployer(gateway, *range(1, 100))
    with pytest.raises(GalaxyChangedError, match="during each of 3 listings"):
        await read_galaxy(galaxy, page_size=20, progress=progress)
    assert [done for done, _ in progress.calls] == [20, 20, 20]
    with pytest.raises(GalaxyChangedError, match="each of 1 "):
        await read_galaxy(galaxy, page_size=20, attempts=1, progress=progress)
    with pytest.raises(ValueError, match="attempts=0"):
        await read_galaxy(galaxy, attempts=0)


async def test_a_gateway_that_accepts_old_tokens_gives_no_mixture_either(fake: FakeGateway) -> None:
    deploys = 0

    async def deployed(request: Any, context: Any) -> Any:
        reply = pb.GetLastDeployTimeReply(present=True)
        reply.time_of_last_deploy.seconds = 1_770_000_000 + deploys
        return reply

    async def discover(request: pb.DiscoverHierarchyRequest, context: Any) -> Any:
        nonlocal deploys
        first = not request.page_token
        item = pb.GalaxyObject(gobject_id=1 if first else 2, tag_name=f"{'A' if first else 'B'}_{deploys}")
        deploys = min(deploys + 1, 1)
        return pb.DiscoverHierarchyReply(objects=[item], next_page_token="x" if first else "")

    fake.unary |= {"GetLastDeployTime": deployed, "DiscoverHierarchy": discover}
    async with await GalaxyRepositoryClient.connect(fake.endpoint, plaintext=True) as galaxy:
        snapshot = await read_galaxy(galaxy)
    assert snapshot.hierarchy.column("tag_name").to_pylist() == ["A_1", "B_1"]


async def test_an_empty_galaxy_and_a_damaged_page(fake: FakeGateway) -> None:
    replies: list[Any] = [pb.DiscoverHierarchyReply(), b"\x0a\x02\x12\x05", b"\x0a\xff"]

    async def deployed(request: Any, context: Any) -> Any:
        return pb.GetLastDeployTimeReply()

    async def discover(request: Any, context: Any) -> Any:
        return replies.pop(0)

    fake.unary |= {"GetLastDeployTime": deployed, "DiscoverHierarchy": discover}
    async with await GalaxyRepositoryClient.connect(fake.endpoint, plaintext=True) as galaxy:
        snapshot = await read_galaxy(galaxy)
        assert (len(hierarchy_frame(snapshot)), len(attribute_frame(snapshot))) == (0, 0)
        assert snapshot.deploy_time is None
        assert not len(find(snapshot, "*", area="x", alarm=True))
        assert not len(diff_hierarchy(snapshot, snapshot))
        for _ in range(2):
            with pytest.raises(MxGatewayError, match="damaged|cannot be decoded"):
                await read_galaxy(galaxy)


async def test_a_missing_scope_and_an_unknown_root_are_named() -> None:
    poor = ApiKey.parse("mxgw_poor_secret", scopes=ALL_SCOPES - {"metadata:read"})
    rich = ApiKey.parse("mxgw_rich_secret")
    async with SimulatedGateway(seed=7, clock=VirtualClock(), keys=[rich, poor]) as gateway:
        async with await connected(gateway, poor.token) as galaxy:
            for call in (read_galaxy(galaxy), find_tags(galaxy, "*.Speed")):
                with pytest.raises(MxGatewayAuthorizationError, match="metadata:read"):
                    await call
        async with await connected(gateway) as galaxy:
            with pytest.raises(GalaxyNotFoundError, match="Nowhere"):
                await read_galaxy(galaxy, root_contained_path="Nowhere")
            with pytest.raises(TypeError, match="unknown filter glob"):
                await read_galaxy(galaxy, glob="*")  # type: ignore[call-arg]


async def test_a_part_of_the_galaxy_knows_what_is_above_it(galaxy: GalaxyRepositoryClient) -> None:
    whole = {row["tag_name"]: row for row in (await read_galaxy(galaxy)).hierarchy.to_pylist()}
    for filters in ({"root_tag_name": "Line_001"}, {"template_chain_contains": ["$Pump"]}, {"tag_name_glob": "Pump_*"}):
        part = await read_galaxy(galaxy, **filters)  # type: ignore[arg-type]
        rows = part.hierarchy.to_pylist()
        assert 0 < len(rows) < len(whole)
        assert rows == [whole[row["tag_name"]] for row in rows]
        assert part.filters == filters
    bare = await read_galaxy(galaxy, include_attributes=False)
    assert bare.attributes.num_rows == 0
    assert bare.hierarchy.column("attribute_count").null_count == len(whole)


@pytest.mark.parametrize(
    ("glob", "filters", "sent"),
    [
        ("Pump_*.Speed", {}, "Pump_*"),
        ("pump_001.Sp*", {}, "pump_001"),
        ("*_001.Speed", {}, ""),
        ("Pu?p_001.Speed", {}, ""),
        ("Pump*Speed", {}, ""),
        (["Pump_001.Speed", "Tank_001.Level"], {}, ""),
        (None, {"alarm": True, "data_type": "Float"}, ""),
        (None, {"historized": True, "area": "Line_001"}, ""),
        ("*.Speed", {"historized": False, "regex": "_00[12]"}, ""),
    ],
)
async def test_searching_at_the_gateway_finds_what_searching_a_snapshot_finds(
    gateway: SimulatedGateway, galaxy: GalaxyRepositoryClient, glob: Any, filters: Any, sent: str
) -> None:
    requests: list[dict[str, Any]] = []
    pages = galaxy.iter_raw_pages

    def recorded(**given: Any) -> Any:
        requests.append(given)
        return pages(**given)

    galaxy.iter_raw_pages = recorded  # type: ignore[method-assign]
    found = await find_tags(galaxy, glob, **filters)
    assert requests[0].get("tag_name_glob", "") == sent
    assert requests[0].get("alarm_bearing_only", False) == filters.get("alarm", False)
    whole = find(await read_galaxy(galaxy), glob, **filters)
    assert found.equals(whole)
    if filters != {"historized": False, "regex": "_00[12]"}:
        assert len(found)


async def test_a_mistaken_search_reads_nothing(gateway: SimulatedGateway, galaxy: GalaxyRepositoryClient) -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        await find_tags(galaxy, regex="(")
    assert gateway.calls["DiscoverHierarchy"] == 0


async def test_what_was_found_is_collected_read_and_written(
    gateway: SimulatedGateway, galaxy: GalaxyRepositoryClient
) -> None:
    speeds = (await find_tags(galaxy, "Pump_00?.Speed", area="Line_001"))["full_tag_reference"]
    assert speeds.tolist() == ["Pump_001.Speed", "Pump_002.Speed"]
    async with await GatewayClient.connect(gateway.endpoint, api_key=gateway.api_key, plaintext=True) as client:
        async with await client.open_session() as session:
            server = await session.register("test")
            reading = asyncio.create_task(session.read_bulk(server, speeds))
            while not reading.done():
                await gateway.aadvance(1)
            assert [result.tag_address for result in await reading] == speeds.tolist()
            collected = await collect_events(session, speeds, seconds=30, pace=SimulatedPace(gateway))
            assert sorted(collected.frame()["tag"].unique()) == speeds.tolist()


async def test_a_snapshot_comes_back_from_a_file(
    gateway: SimulatedGateway, galaxy: GalaxyRepositoryClient, tmp_path: Path
) -> None:
    before = await read_galaxy(galaxy)
    path = tmp_path / "galaxy.parquet"
    assert save_galaxy(before, path) == path
    loaded = load_galaxy(str(path))
    assert loaded == before
    loaded.hierarchy.validate(full=True)
    loaded.attributes.validate(full=True)
    assert gateway.api_key.encode() not in path.read_bytes()
    gateway.plant.redeploy(remove=["Pump_001"], at_us=gateway.plant.deploy_time_us + 1)
    after = await read_galaxy(galaxy)
    found = diff_hierarchy(loaded, after)
    assert found[found["kind"] == "object"]["tag_name"].tolist() == ["Pump_001"]
    save_galaxy(after, path)
    assert load_galaxy(path).deploy_time == after.deploy_time
    assert [each.name for each in tmp_path.iterdir()] == ["galaxy.parquet"]


async def test_an_empty_and_a_partial_snapshot_come_back_too(galaxy: GalaxyRepositoryClient, tmp_path: Path) -> None:
    part = await read_galaxy(galaxy, tag_name_glob="Nothing*", category_ids=[10, 13])
    whole = await read_galaxy(galaxy, max_depth=1, include_attributes=False)
    for snapshot in (part, whole):
        assert load_galaxy(save_galaxy(snapshot, tmp_path / "part.parquet")) == snapshot
    assert part.filters == {"tag_name_glob": "Nothing*", "category_ids": [10, 13]}


def test_a_file_that_is_no_snapshot_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    with pytest.raises(FileNotFoundError):
        load_galaxy(path)
    path.write_text("tag,value\n", encoding="utf-8")
    with pytest.raises(GalaxyTableError, match=r"other\.parquet is no saved Galaxy: it cannot be read as Parquet"):
        load_galaxy(path)
    pq.write_table(pa.table({"tag": ["a"]}), path)
    with pytest.raises(GalaxyTableError, match="no saved Galaxy: its columns are tag"):
        load_galaxy(path)


async def test_a_snapshot_that_lost_where_it_came_from_is_refused(
    galaxy: GalaxyRepositoryClient, tmp_path: Path
) -> None:
    path = save_galaxy(await read_galaxy(galaxy, include_attributes=False), tmp_path / "galaxy.parquet")
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata(None), path)
    with pytest.raises(GalaxyTableError, match="does not say of which deploy"):
        load_galaxy(path)
    odd = table.set_column(0, "gobject_id", pa.array(["x"] * table.num_rows))
    pq.write_table(odd, path)
    with pytest.raises(GalaxyTableError, match="no saved Galaxy"):
        load_galaxy(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(GalaxyTableError, match="cannot be read as Parquet"):
        load_galaxy(path)
