"""What differs between two states of a Galaxy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from frames.galaxy_pages import attribute, paged, small, thing
from zb_mom_ww_mxgateway.frames import (
    CHANGE_SCHEMA,
    GalaxySnapshot,
    GalaxyTableError,
    diff_hierarchy,
    diff_table,
    galaxy_tables,
)
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb


def snapshot(objects: list[pb.GalaxyObject], size: int = 2) -> GalaxySnapshot:
    return galaxy_tables(paged(objects, size))


def changes(before: list[pb.GalaxyObject], after: list[pb.GalaxyObject]) -> list[tuple[Any, ...]]:
    table = diff_table(snapshot(before), snapshot(after, 3))
    table.validate(full=True)
    assert table.schema.equals(CHANGE_SCHEMA)
    names = ("kind", "change", "tag_name", "attribute", "field", "old", "new")
    return [tuple(row[name] for name in names) for row in table.to_pylist()]


def test_nothing_differs_whatever_the_order_and_the_pages() -> None:
    assert changes(small(), small()[::-1]) == []
    frame = diff_hierarchy(snapshot(small()), snapshot(small()))
    assert list(frame.columns) == CHANGE_SCHEMA.names
    assert len(frame) == len(diff_hierarchy(snapshot([]), snapshot([]))) == 0


def test_objects_come_and_go_with_their_attributes() -> None:
    new = thing(9, "Pump_009", 3, attributes=[attribute("Speed", "Pump_009")])
    before, after = small(), [each for each in small() if each.gobject_id != 5] + [new]
    assert changes(before, after) == [
        ("object", "removed", "Pump_002", None, None, None, None),
        ("object", "added", "Pump_009", None, None, None, None),
        ("attribute", "removed", "Pump_002", "Speed", None, None, None),
        ("attribute", "added", "Pump_009", "Speed", None, None, None),
    ]
    row = diff_table(snapshot(before), snapshot(after)).to_pylist()[2]
    assert (row["gobject_id"], row["full_tag_reference"]) == (5, "Pump_002.Speed")


def test_from_nothing_and_to_nothing() -> None:
    for before, after, word in (([], small(), "added"), (small(), [], "removed")):
        found = changes(before, after)
        assert len(found) == 6 + 8
        assert {each[1] for each in found} == {word}


def test_an_object_is_moved_with_its_area() -> None:
    after = small()
    after[2].parent_gobject_id = 1
    assert changes(small(), after) == [
        ("object", "moved", "Line_001", None, "parent", "Cooking", "Site"),
        ("object", "moved", "Line_001", None, "area", "Cooking", "Site"),
        ("object", "moved", "Pump_001", None, "area", "Cooking", "Site"),
        ("object", "moved", "Pump_002", None, "area", "Cooking", "Site"),
    ]


def test_a_renamed_parent_moves_nobody() -> None:
    after = small()
    after[1].tag_name = "Kitchen"
    assert changes(small(), after) == [("object", "renamed", "Kitchen", None, "tag_name", "Cooking", "Kitchen")]


def test_a_renamed_object_has_new_references() -> None:
    after = small()
    after[4].tag_name = "Pump_020"
    after[4].contained_name = "Spare"
    after[4].attributes[0].full_tag_reference = "Pump_020.Speed"
    assert changes(small(), after) == [
        ("object", "renamed", "Pump_020", None, "tag_name", "Pump_002", "Pump_020"),
        ("object", "renamed", "Pump_020", None, "contained_name", "", "Spare"),
        ("attribute", "renamed", "Pump_020", "Speed", "full_tag_reference", "Pump_002.Speed", "Pump_020.Speed"),
    ]


def test_changed_fields_with_old_and_new() -> None:
    after = small()
    after[3].template_chain[:] = ["$BigPump", "$Pump"]
    after[3].hosted_by_gobject_id = 0
    after[4].category_id = 11
    after[3].attributes[0].is_historized = False
    after[3].attributes[1].data_type_name = "BigString"
    after[3].attributes[3].array_dimension = 9
    after[3].attributes[0].is_array = True
    after[3].attributes[2].security_classification = 4
    after[3].attributes[2].is_alarm = False
    after[3].attributes[6].mx_attribute_category = 11
    assert changes(small(), after) == [
        ("object", "changed", "Pump_001", None, "template_chain", "$Pump/$UserDefined", "$BigPump/$Pump"),
        ("object", "changed", "Pump_001", None, "host", "Engine", None),
        ("object", "changed", "Pump_002", None, "category", "77", "DeviceIntegration"),
        ("attribute", "changed", "Pump_001", "State", "data_type", "String", "BigString"),
        ("attribute", "changed", "Pump_001", "Speed", "array_length", None, "-1"),
        ("attribute", "changed", "Pump_001", "Trend", "array_length", "8", "9"),
        ("attribute", "changed", "Pump_001", "Bare", "attribute_category", "10", "11"),
        ("attribute", "changed", "Pump_001", "Fault", "security", "Operate", "Tune"),
        ("attribute", "changed", "Pump_001", "Speed", "historized", "true", "false"),
        ("attribute", "changed", "Pump_001", "Fault", "alarm", "true", "false"),
    ]


def test_two_tables_compare_objects_alone() -> None:
    before, after = snapshot(small()), snapshot(small()[:-1])
    assert diff_hierarchy(before.hierarchy, after.hierarchy)["tag_name"].tolist()[0] == "Engine"
    with pytest.raises(TypeError, match="two snapshots or two hierarchy tables"):
        diff_hierarchy(before, after.hierarchy)
    with pytest.raises(GalaxyTableError, match="a comparison of objects needs the column contained_name"):
        diff_hierarchy(before.hierarchy.drop_columns(["contained_name"]), after.hierarchy)
    with pytest.raises(GalaxyTableError, match="needs the column"):
        diff_hierarchy(before.attributes, after.attributes)


def test_listings_with_different_filters_are_not_compared() -> None:
    part = replace(snapshot(small()), filters={"root_tag_name": "Site"})
    with pytest.raises(GalaxyTableError, match="different filters, .*root_tag_name"):
        diff_hierarchy(part, snapshot(small()))
    assert len(diff_hierarchy(part, part)) == 0


def test_an_odd_galaxy_with_doubles_is_compared_all_the_same() -> None:
    twice = [*small(), small()[0]]
    assert {each[1] for each in changes(twice, [*twice, thing(9, "New")])} == {"added"}
