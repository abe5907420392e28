"""Search for tags in a table of attributes."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pytest

from frames.galaxy_pages import area, attribute, paged, small, thing
from zb_mom_ww_mxgateway.frames import (
    ATTRIBUTE_SCHEMA,
    GalaxySnapshot,
    GalaxyTableError,
    attribute_frame,
    find,
    galaxy_tables,
)


@pytest.fixture
def galaxy() -> GalaxySnapshot:
    more = [
        area(7, "Cook", 1),
        thing(8, "Pump.x", 7, template_chain=["$Valve"], attributes=[attribute("Speed", "Pump+x", is_alarm=True)]),
    ]
    return galaxy_tables(paged([*small(), *more], 3))


def references(galaxy: Any, *args: Any, **filters: Any) -> list[str]:
    return find(galaxy, *args, **filters)["full_tag_reference"].tolist()


@pytest.mark.parametrize(
    ("args", "filters", "wanted"),
    [
        (("Pump_*.Speed",), {}, ["Pump_001.Speed", "Pump_002.Speed"]),
        (("pump_00?.SPEED",), {}, ["Pump_001.Speed", "Pump_002.Speed"]),
        (("Speed",), {}, []),
        (("Pump+x.*",), {}, ["Pump+x.Speed"]),
        (("Pump_001.Trend",), {}, ["Pump_001.Trend[]"]),
        (("Pump_001.Trend[]",), {}, ["Pump_001.Trend[]"]),
        ((["*.Fault", "*.State"],), {}, ["Pump_001.State", "Pump_001.Fault"]),
        ((), {"regex": r"_002\.sp"}, ["Pump_002.Speed"]),
        ((), {"regex": re.compile("speed")}, []),
        ((), {"regex": r"^(?!Pump_).*Speed$"}, ["Pump+x.Speed"]),
        (("*.Speed",), {"area": "cook"}, ["Pump+x.Speed"]),
        (("*.Speed",), {"area": "Cook*"}, ["Pump_001.Speed", "Pump_002.Speed", "Pump+x.Speed"]),
        (("*.Speed",), {"area": "Site/Cooking"}, ["Pump_001.Speed", "Pump_002.Speed"]),
        (("*.Speed",), {"area": ["Site"]}, ["Pump_001.Speed", "Pump_002.Speed", "Pump+x.Speed"]),
        (("*.Speed",), {"area": "Site/*"}, ["Pump_001.Speed", "Pump_002.Speed", "Pump+x.Speed"]),
        (("*.Speed",), {"template": "$userdefined"}, ["Pump_001.Speed"]),
        (("*.Speed",), {"template": ["$Valve", "$Pump"]}, ["Pump_001.Speed", "Pump+x.Speed"]),
        ((), {"data_type": "boolean"}, ["Pump_001.Fault"]),
        ((), {"data_type": ["Time", "99"]}, ["Pump_001.Odd", "Pump_001.Bare"]),
        ((), {"data_type": "Double"}, []),
        ((), {"security": "viewonly"}, ["Pump_001.State"]),
        ((), {"security": "42"}, ["Pump_001.Odd"]),
        ((), {"alarm": True}, ["Pump_001.Fault", "Pump+x.Speed"]),
        ((), {"historized": True}, ["Pump_001.Speed"]),
        (("*Speed",), {"historized": False, "alarm": False}, ["Pump_002.Speed"]),
    ],
)
def test_what_is_found(galaxy: GalaxySnapshot, args: Any, filters: Any, wanted: list[str]) -> None:
    assert references(galaxy, *args, **filters) == wanted
    assert references(galaxy.attributes, *args, **filters) == wanted
    assert references(attribute_frame(galaxy), *args, **filters) == wanted


def test_the_result_is_a_frame_of_attributes(galaxy: GalaxySnapshot) -> None:
    found = find(galaxy, "*.Speed")
    assert list(found.columns) == ATTRIBUTE_SCHEMA.names
    assert list(found.index) == [0, 1, 2]
    assert list(found["attribute"].cat.categories) == ["Speed"]
    assert all(type(each) is str for each in found["full_tag_reference"])
    again = find(found, area="Cook")
    assert again["tag_name"].tolist() == ["Pump.x"]
    assert len(find(galaxy, "nothing")) == len(find(ATTRIBUTE_SCHEMA.empty_table(), alarm=True)) == 0
    assert len(find(galaxy)) == galaxy.attributes.num_rows


@pytest.mark.parametrize(
    ("filters", "error", "words"),
    [
        ({"regex": "("}, ValueError, "is no regular expression: .*use glob="),
        ({"regex": 5}, TypeError, "text or a compiled"),
        ({"regex": "*Speed"}, ValueError, "nothing to repeat"),
        ({"data_type": "Flaot"}, ValueError, "no data_type Flaot; there are 99, BigString, Boolean"),
        ({"security": "Root"}, ValueError, "no security Root; there are 42, Configure"),
        ({"alarm": 1}, TypeError, "alarm=1 must be True, False or None"),
        ({"area": []}, TypeError, "must be a name or a list"),
        ({"template": [5]}, TypeError, "must be a name or a list"),
        ({"glob": ""}, TypeError, "must be a name or a list"),
    ],
)
def test_a_mistaken_filter_says_what_is_wrong(
    galaxy: GalaxySnapshot, filters: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        find(galaxy, **filters)


@pytest.mark.parametrize(
    ("column", "filters"),
    [
        ("full_tag_reference", {"glob": "*"}),
        ("alarm", {"alarm": True}),
        ("data_type", {"data_type": "Float"}),
        ("area_path", {"area": "Site"}),
        ("template_chain", {"template": "$Pump"}),
    ],
)
def test_a_missing_column_is_named(galaxy: GalaxySnapshot, column: str, filters: Any) -> None:
    with pytest.raises(GalaxyTableError, match=f"needs the column {column}; the table's columns are: "):
        find(galaxy.attributes.drop_columns([column]), **filters)
    with pytest.raises(GalaxyTableError, match="needs the column"):
        find(pa.table({"x": [1]}), **filters)
