"""Pages of a small Galaxy, as messages and as bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb


def attribute(name: str, tag: str = "X", **fields: Any) -> pb.GalaxyAttribute:
    given: dict[str, Any] = {
        "attribute_name": name,
        "full_tag_reference": f"{tag}.{name}",
        "mx_data_type": 3,
        "data_type_name": "Float",
        "mx_attribute_category": 10,
        "security_classification": 1,
    }
    return pb.GalaxyAttribute(**{**given, **fields})


def thing(gobject_id: int, tag: str, parent: int = 0, **fields: Any) -> pb.GalaxyObject:
    given: dict[str, Any] = {"category_id": 10, "template_chain": ["$Pump", "$UserDefined"]}
    return pb.GalaxyObject(gobject_id=gobject_id, tag_name=tag, parent_gobject_id=parent, **{**given, **fields})


def area(gobject_id: int, tag: str, parent: int = 0, **fields: Any) -> pb.GalaxyObject:
    return thing(gobject_id, tag, parent, is_area=True, category_id=13, template_chain=["$Area"], **fields)


def page(*objects: pb.GalaxyObject, token: str = "", total: int = 0) -> bytes:
    return pb.DiscoverHierarchyReply(
        objects=objects, next_page_token=token, total_object_count=total or len(objects)
    ).SerializeToString()


def paged(objects: Iterable[pb.GalaxyObject], size: int) -> list[bytes]:
    every = list(objects)
    return [page(*every[start : start + size]) for start in range(0, len(every), size)]


def small() -> list[pb.GalaxyObject]:
    """A site, an area in it, a line in that, two pumps, one with attributes of many kinds."""
    pump = thing(
        4,
        "Pump_001",
        3,
        contained_name="FeedPump",
        hosted_by_gobject_id=6,
        attributes=[
            attribute("Speed", "Pump_001", is_historized=True),
            attribute("State", "Pump_001", mx_data_type=5, data_type_name="String", security_classification=6),
            attribute("Fault", "Pump_001", mx_data_type=1, data_type_name="Boolean", is_alarm=True),
            attribute(
                "Trend",
                "Pump_001",
                full_tag_reference="Pump_001.Trend[]",
                is_array=True,
                array_dimension=8,
                array_dimension_present=True,
            ),
            attribute("Free", "Pump_001", full_tag_reference="Pump_001.Free[]", is_array=True, array_dimension=5),
            attribute("Odd", "Pump_001", mx_data_type=99, data_type_name="", security_classification=42),
            attribute("Bare", "Pump_001", mx_data_type=6, data_type_name=""),
        ],
    )
    return [
        area(1, "Site"),
        area(2, "Cooking", 1),
        thing(3, "Line_001", 2, contained_name="Line1", template_chain=["$Line"]),
        pump,
        thing(5, "Pump_002", 3, category_id=77, template_chain=[], attributes=[attribute("Speed", "Pump_002")]),
        thing(6, "Engine", category_id=3, template_chain=["$AppEngine"]),
    ]
