"""Galaxy objects as bytes, fast: a template's attribute list is encoded once per length of tag name.

All objects of a template share their attributes; only `full_tag_reference` differs, by the tag name in front. For tag
names of one length even the length bytes are the same. So the encoded list is kept in the pieces between the tag names,
and an object's list is its tag name joined into them: one call, whatever the number of attributes.
Field numbers are read from the generated descriptors.
"""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb

from .galaxy_index import browse_name
from .model import Attribute, DataType, PlantObject
from .templates import Template

__all__ = ["ObjectEncoder", "length_delimited"]

_TYPE_NAMES = {
    DataType.BOOLEAN: "Boolean",
    DataType.INTEGER: "Integer",
    DataType.FLOAT: "Float",
    DataType.DOUBLE: "Double",
    DataType.STRING: "String",
    DataType.TIME: "Time",
    DataType.ELAPSED_TIME: "ElapsedTime",
    DataType.REFERENCE: "ReferenceType",
    DataType.ENUMERATION: "Enumeration",
    DataType.CUSTOM: "Custom",
    DataType.INTERNATIONALIZED_STRING: "InternationalizedString",
    DataType.BIG_STRING: "BigString",
}


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def length_delimited(message: type[Message], field: str, size: int) -> bytes:
    """What stands before a length-delimited field of `size` bytes."""
    return _varint(message.DESCRIPTOR.fields_by_name[field].number << 3 | 2) + _varint(size)


class ObjectEncoder:
    """Encodes the objects of one Galaxy.

    Args:
        templates: by name.
    """

    def __init__(self, templates: dict[str, Template]) -> None:
        self._templates = templates
        self._pieces: dict[tuple[str, int], Sequence[bytes]] = {}

    def encode(self, obj: PlantObject, *, attributes: bool) -> bytes:
        """A serialized `GalaxyObject`."""
        template = self._templates[obj.template]
        head = pb.GalaxyObject(
            gobject_id=obj.gobject_id,
            tag_name=obj.tag_name,
            contained_name=obj.contained_name,
            browse_name=browse_name(obj),
            parent_gobject_id=obj.parent_id,
            is_area=obj.is_area,
            category_id=obj.category,
            hosted_by_gobject_id=obj.host_id,
            template_chain=template.chain,
        ).SerializeToString()
        if not attributes:
            return head
        tag = obj.tag_name.encode()
        key = (obj.template, len(tag))
        pieces = self._pieces.get(key)
        if pieces is None:
            pieces = self._pieces[key] = self._split(template, len(tag))
        return head + tag.join(pieces)

    def _split(self, template: Template, tag_length: int) -> list[bytes]:
        pieces = [b""]
        for attribute in template.attributes:
            suffix = f".{attribute.name}{'[]' if attribute.array_length is not None else ''}".encode()
            rest = _row(attribute).SerializeToString()
            reference = length_delimited(pb.GalaxyAttribute, "full_tag_reference", tag_length + len(suffix))
            size = len(rest) + len(reference) + tag_length + len(suffix)
            row = length_delimited(pb.GalaxyObject, "attributes", size)
            pieces[-1] += row + rest + reference
            pieces.append(suffix)
        return pieces


def _row(attribute: Attribute) -> pb.GalaxyAttribute:
    return pb.GalaxyAttribute(
        attribute_name=attribute.name,
        mx_data_type=attribute.data_type,
        data_type_name=_TYPE_NAMES[attribute.data_type],
        is_array=attribute.array_length is not None,
        array_dimension=attribute.array_length or 0,
        array_dimension_present=attribute.array_length is not None,
        mx_attribute_category=attribute.category,
        security_classification=attribute.security,
        is_historized=attribute.historized,
        is_alarm=attribute.alarm is not None,
    )
