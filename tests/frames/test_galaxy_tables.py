"""Pages of the Galaxy to tables: names, places, counts, and two decoders that agree."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames.galaxy_pages import area, attribute, page, paged, small, thing
from zb_mom_ww_mxgateway.frames import (
    ATTRIBUTE_SCHEMA,
    HIERARCHY_SCHEMA,
    GalaxyPageError,
    GalaxyTableBuilder,
    GalaxyTableError,
    attribute_frame,
    galaxy_decode,
    galaxy_tables,
    hierarchy_frame,
)
from zb_mom_ww_mxgateway.frames.projection import FIELD, Projection
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb

DECODERS = ("ptars", "upb")


@pytest.fixture(params=DECODERS)
def decoder(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize("size", [1, 2, 100])
def test_one_row_per_object_with_its_place_and_names(decoder: Any, size: int) -> None:
    snapshot = galaxy_tables(paged(small(), size), decoder=decoder)
    snapshot.hierarchy.validate(full=True)
    assert snapshot.hierarchy.schema.equals(HIERARCHY_SCHEMA)
    rows = {row["tag_name"]: row for row in snapshot.hierarchy.to_pylist()}
    assert list(rows) == ["Site", "Cooking", "Line_001", "Pump_001", "Pump_002", "Engine"]
    assert rows["Pump_001"] == {
        "gobject_id": 4,
        "tag_name": "Pump_001",
        "contained_name": "FeedPump",
        "path": "Site/Cooking/Line1/FeedPump",
        "depth": 3,
        "parent_gobject_id": 3,
        "parent": "Line_001",
        "area_gobject_id": 2,
        "area": "Cooking",
        "area_path": "Site/Cooking",
        "is_area": False,
        "category_id": 10,
        "category": "UserDefined",
        "template": "$Pump",
        "template_chain": "$Pump/$UserDefined",
        "host_gobject_id": 6,
        "host": "Engine",
        "attribute_count": 7,
        "alarm_count": 1,
        "historized_count": 1,
    }
    assert rows["Site"]["area"] is None
    assert rows["Site"]["parent"] is None
    assert (rows["Site"]["depth"], rows["Site"]["path"]) == (0, "Site")
    assert rows["Cooking"]["area_path"] == "Site"
    assert rows["Pump_002"]["category"] == "77"
    assert rows["Pump_002"]["template"] is None
    assert rows["Pump_002"]["template_chain"] is None
    assert rows["Pump_002"]["host"] is None


@pytest.mark.parametrize("size", [1, 2, 100])
def test_one_row_per_attribute_with_what_its_object_is(decoder: Any, size: int) -> None:
    snapshot = galaxy_tables(paged(small(), size), decoder=decoder)
    snapshot.attributes.validate(full=True)
    assert snapshot.attributes.schema.equals(ATTRIBUTE_SCHEMA)
    rows = snapshot.attributes.to_pylist()
    assert [row["attribute"] for row in rows] == ["Speed", "State", "Fault", "Trend", "Free", "Odd", "Bare", "Speed"]
    assert rows[0] == {
        "gobject_id": 4,
        "tag_name": "Pump_001",
        "attribute": "Speed",
        "full_tag_reference": "Pump_001.Speed",
        "data_type": "Float",
        "array_length": None,
        "attribute_category": "10",
        "security": "Operate",
        "historized": True,
        "alarm": False,
        "area": "Cooking",
        "area_path": "Site/Cooking",
        "template": "$Pump",
        "template_chain": "$Pump/$UserDefined",
    }
    assert [row["array_length"] for row in rows] == [None, None, None, 8, -1, None, None, None]
    assert [row["data_type"] for row in rows][-3:] == ["99", "Time", "Float"]
    assert rows[5]["security"] == "42"
    assert rows[7]["tag_name"] == "Pump_002"


def test_frames_are_views_with_categories_in_order(decoder: Any) -> None:
    snapshot = galaxy_tables(paged(small(), 2), decoder=decoder)
    objects, attributes = hierarchy_frame(snapshot), attribute_frame(snapshot.attributes)
    assert list(objects.columns) == HIERARCHY_SCHEMA.names
    assert list(attributes.columns) == ATTRIBUTE_SCHEMA.names
    assert list(objects["category"].cat.categories) == ["77", "AppEngine", "Area", "UserDefined"]
    assert attributes["array_length"].tolist()[3] == 8
    assert attributes["array_length"].dtype == pd.ArrowDtype(pa.int32())
    counts = attributes.groupby("tag_name", observed=True).size()
    assert counts.to_dict() == {"Pump_001": 7, "Pump_002": 1}
    with pytest.raises(GalaxyTableError, match="full_tag_reference; the table's columns are: gobject_id"):
        attribute_frame(snapshot.hierarchy)
    with pytest.raises(GalaxyTableError, match="none"):
        hierarchy_frame(pa.table({}))


@pytest.mark.parametrize("pages", [[], [b""], [b"", b""]])
def test_an_empty_galaxy_has_all_columns(decoder: Any, pages: list[bytes]) -> None:
    snapshot = galaxy_tables(pages, decoder=decoder)
    assert snapshot.hierarchy.schema.equals(HIERARCHY_SCHEMA)
    assert snapshot.attributes.schema.equals(ATTRIBUTE_SCHEMA)
    assert (len(hierarchy_frame(snapshot)), len(attribute_frame(snapshot))) == (0, 0)


def test_a_listing_without_attributes_does_not_say_that_there_are_none() -> None:
    builder = GalaxyTableBuilder(with_attributes=False)
    builder.add(page(thing(1, "A")))
    [row] = builder.snapshot().hierarchy.to_pylist()
    assert row["attribute_count"] is row["alarm_count"] is row["historized_count"] is None


def test_what_lies_above_a_part_can_be_made_known(decoder: Any) -> None:
    builder = GalaxyTableBuilder(decoder=decoder)
    builder.add(page(small()[3]))
    assert builder.unknown() == {3, 6}
    [row] = builder.snapshot().hierarchy.to_pylist()
    assert row["path"] is row["depth"] is row["parent"] is row["area"] is row["host"] is None
    for each in paged(small(), 4):
        builder.add_context(each)
    assert builder.unknown() == set()
    [row] = builder.snapshot().hierarchy.to_pylist()
    assert (row["path"], row["area"], row["host"]) == ("Site/Cooking/Line1/FeedPump", "Cooking", "Engine")
    assert builder.objects == 1


def test_a_circle_of_parents_has_no_place() -> None:
    rows = galaxy_tables([page(thing(1, "A", 2), thing(2, "B", 1), thing(3, "C", 3), area(4, "D"), thing(5, "E", 4))])
    places = {row["tag_name"]: (row["path"], row["depth"], row["area"]) for row in rows.hierarchy.to_pylist()}
    assert places == {
        "A": (None, None, None),
        "B": (None, None, None),
        "C": (None, None, None),
        "D": ("D", 0, None),
        "E": ("D/E", 1, "D"),
    }


def test_a_tree_deeper_than_the_stack() -> None:
    objects = [thing(number, f"O{number}", number - 1) for number in range(5000, 0, -1)]
    table = galaxy_tables(paged(objects, 700)).hierarchy
    assert table.column("depth").to_pylist() == list(range(4999, -1, -1))


@pytest.mark.parametrize(
    "damaged", [b"\xff\xff", page(*small())[:-3], b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x02\x12\x05"]
)
def test_a_damaged_page_is_named(decoder: Any, damaged: bytes) -> None:
    with pytest.raises(GalaxyPageError, match=f"{len(damaged)} bytes are not a serialized DiscoverHierarchyReply"):
        galaxy_tables([damaged], decoder=decoder)


def test_an_unknown_decoder_is_refused() -> None:
    with pytest.raises(ValueError, match="'auto', 'ptars' or 'upb'"):
        galaxy_tables([], decoder="fast")  # type: ignore[arg-type]
    assert GalaxyTableBuilder().decoder == "ptars"
    assert GalaxyTableBuilder(decoder="upb").decoder == "upb"


@pytest.mark.parametrize("kind", [galaxy_decode._PtarsPages, galaxy_decode._UpbPages])
def test_a_contract_without_a_name_gives_its_default(kind: Any) -> None:
    whole = pb.DiscoverHierarchyReply.DESCRIPTOR
    shapes = (
        {"objects": {"gobject_id": FIELD, "tag_name": FIELD}},
        {},
        {"objects": {"attributes": {"is_alarm": FIELD}}},
    )
    decoded = [kind(Projection(whole, shape)).decode(page(*small())) for shape in shapes]
    assert decoded[0].objects.column("tag_name").to_pylist()[0] == "Site"
    assert decoded[0].objects.column("template_chain").to_pylist() == [[]] * 6
    assert decoded[0].attributes.num_rows == decoded[1].objects.num_rows == 0
    assert decoded[2].attributes.column("is_alarm").to_pylist().count(True) == 1
    assert decoded[2].attributes.column("attribute_name").to_pylist() == [""] * 8


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.integers(-(2**31), 2**31 - 1)
ATTRIBUTES = st.builds(
    pb.GalaxyAttribute,
    attribute_name=NAMES,
    full_tag_reference=NAMES,
    mx_data_type=NUMBERS,
    data_type_name=NAMES,
    is_array=st.booleans(),
    array_dimension=NUMBERS,
    array_dimension_present=st.booleans(),
    mx_attribute_category=NUMBERS,
    security_classification=NUMBERS,
    is_historized=st.booleans(),
    is_alarm=st.booleans(),
)
SMALL_IDS = st.integers(-1, 6)
OBJECTS = st.builds(
    pb.GalaxyObject,
    gobject_id=SMALL_IDS,
    tag_name=NAMES,
    contained_name=NAMES,
    parent_gobject_id=SMALL_IDS,
    is_area=st.booleans(),
    category_id=NUMBERS,
    hosted_by_gobject_id=SMALL_IDS,
    template_chain=st.lists(NAMES, max_size=3),
    attributes=st.lists(ATTRIBUTES, max_size=4),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.lists(OBJECTS, max_size=4), max_size=3))
def test_the_two_decoders_agree_on_anything(objects: list[list[pb.GalaxyObject]]) -> None:
    pages = [page(*each) for each in objects]
    fast, plain = (galaxy_tables(pages, decoder=name) for name in DECODERS)
    for one, other in ((fast.hierarchy, plain.hierarchy), (fast.attributes, plain.attributes)):
        one.validate(full=True)
        assert one.equals(other)
        assert one.to_pylist() == other.to_pylist()


def test_many_small_pages_are_packed() -> None:
    objects = [thing(number, f"O{number}", attributes=[attribute("A", f"O{number}")]) for number in range(1, 301)]
    table = galaxy_tables(paged(objects, 1)).attributes
    assert (table.num_rows, table.column(0).num_chunks) == (300, 1)
