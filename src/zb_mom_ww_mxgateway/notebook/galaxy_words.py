"""Numbers of the Galaxy database in words. They are the database's own, not the contract's."""

from __future__ import annotations

from ..generated import galaxy_repository_pb2 as pb
from .protocols import AttributeRow, ObjectKind, TreeRow

__all__ = ["SECURED_WRITE", "VERIFIED_WRITE", "VIEW_ONLY", "attribute_row", "security_name", "tree_row"]

SECURED_WRITE, VERIFIED_WRITE, VIEW_ONLY = 2, 3, 6

_SECURITY = ("Free access", "Operate", "Secured write", "Verified write", "Tune", "Configure", "View only")
_KINDS: dict[int, ObjectKind] = {
    1: "platform",
    2: "engine",
    3: "engine",
    4: "engine",
    11: "device",
    12: "device",
    13: "area",
    24: "device",
}


def security_name(classification: int | None) -> str:
    """A security classification in words."""
    if classification is None:
        return "Not known"
    return _SECURITY[classification] if 0 <= classification < len(_SECURITY) else f"Classification {classification}"


def tree_row(item: pb.GalaxyObject, has_children: bool) -> TreeRow:
    """An object as a row."""
    kind: ObjectKind = "area" if item.is_area else _KINDS.get(item.category_id, "machine")
    name = item.browse_name or item.contained_name or item.tag_name
    return TreeRow(item.gobject_id, name, item.tag_name, kind, has_children)


def attribute_row(item: pb.GalaxyAttribute) -> AttributeRow:
    """An attribute as a row."""
    length = (item.array_dimension if item.array_dimension_present else 0) if item.is_array else None
    return AttributeRow(
        item.attribute_name,
        item.full_tag_reference,
        item.data_type_name or f"Type {item.mx_data_type}",
        length,
        security_name(item.security_classification),
        item.is_alarm,
        item.is_historized,
    )
