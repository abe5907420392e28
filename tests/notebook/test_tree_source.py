"""The Galaxy behind the tree, from a simulated gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from zb_mom_ww_mxgateway import GalaxyNotFoundError, GalaxyRepositoryClient
from zb_mom_ww_mxgateway.notebook.galaxy_source import AsyncGalaxyTree
from zb_mom_ww_mxgateway.notebook.portal import Portal
from zb_mom_ww_mxgateway.simulator import SimulatedGateway, VirtualClock


@pytest.fixture(scope="module")
def source() -> Iterator[AsyncGalaxyTree]:
    portal = Portal()
    with SimulatedGateway(seed=5, objects=300, clock=VirtualClock()) as gateway:
        galaxy = portal.call(GalaxyRepositoryClient.connect(gateway.endpoint, api_key=gateway.api_key, plaintext=True))
        yield AsyncGalaxyTree(galaxy, portal.call)
        portal.call(galaxy.close())
    portal.close()


def test_levels(source: AsyncGalaxyTree) -> None:
    roots = source.roots()
    assert (roots[0].name, roots[0].kind) == ("DEV", "area")
    assert roots[-1].kind == "platform"
    assert [row.kind for row in source.children(roots[-1].gobject_id)] == ["engine"] * 3
    with pytest.raises(GalaxyNotFoundError):
        source.children(99_999)


def test_attributes(source: AsyncGalaxyTree) -> None:
    found = source.search("TestChildObject", 10).found[0]
    assert (found.item.name, found.attribute, found.names) == (
        "TestChildObject",
        None,
        ("DEV", "TestArea", "TestChildObject"),
    )
    rows = {row.name: row for row in source.attributes(found.item.gobject_id)}
    assert rows["TestIntArray"].reference == "TestChildObject.TestIntArray[]"
    assert rows["TestIntArray"].array_length == 50
    assert rows["TestInt"].array_length is None
    assert (rows["TestInt"].data_type, rows["TestInt"].security) == ("Integer", "Operate")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pump001.speed", "Pump001.Speed"),
        ("Pump001.Spe?d", "Pump001.Speed"),
        ("*001.TestAlarm00?", "TestMachine_001.TestAlarm001"),
        ("TestChildObject.TestIntArray[]", "TestChildObject.TestIntArray[]"),
        ("testhistory", "TestMachine_001.TestHistoryValue"),
    ],
)
def test_search_for_attributes(source: AsyncGalaxyTree, text: str, expected: str) -> None:
    found = source.search(text, 50).found
    assert expected in [match.attribute.reference for match in found if match.attribute is not None]
    for match in found:
        assert match.path[-1] == match.item.gobject_id
        assert len(match.path) == len(match.names)


def test_search_for_objects(source: AsyncGalaxyTree) -> None:
    names = {match.item.name for match in source.search("feed*", 500).found if match.attribute is None}
    assert names == {"FeedPump", "FeedTank", "FeedValve"}
    assert source.search("", 10).found == ()
    assert source.search("nothing is called this", 10).found == ()
    few = source.search("pump", 3)
    assert len(few.found) == 3
    assert few.note.startswith("The first 3 of ")
    assert source.search("[", 3).found == ()


def test_refresh_fetches_anew(source: AsyncGalaxyTree) -> None:
    before = source.search("Pump001", 5)
    source.refresh()
    assert source.search("Pump001", 5) == before
