"""Slim message types that read only what a frame needs.

A gateway message unfolds into hundreds of nested columns, most of which no frame shows. A **projection** is a message
type of our own, built at run time, that has only the wanted fields. Its field descriptors are copied **by name** from
the generated ones, so that field numbers and types still follow the contract (CONTRACT.md, rule 1), and a contract
that lacks an optional name gives a projection without it (rule 2). The bytes on the wire are the same; fields that
the projection does not have are skipped like any unknown field.

Two substitutions, both invisible on the wire: an enum is read as its number (`int32`), so that a value which the
contract does not know survives; and a member asked for as `BYTES` is kept as its serialized bytes, so that a rare
big member costs nothing until somebody decodes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, TypeAlias, Union

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

__all__ = ["BYTES", "FIELD", "FieldKind", "Projection", "Shape"]

_FieldProto = descriptor_pb2.FieldDescriptorProto
_TIMESTAMP = timestamp_pb2.Timestamp.DESCRIPTOR.full_name


class FieldKind(Enum):
    """How a field that is not taken apart is read."""

    FIELD = auto()
    """As it is: a scalar, an enum (as its number) or a Timestamp."""
    BYTES = auto()
    """A message, kept as its serialized bytes; presence is kept too."""


FIELD = FieldKind.FIELD
BYTES = FieldKind.BYTES

#: The wanted fields of a message by name; a nested mapping takes a message-typed field apart in its turn.
Shape: TypeAlias = Mapping[str, Union[FieldKind, "Shape"]]


class Projection:
    """A message type with a chosen part of another one's fields.

    Args:
        source: Descriptor of the generated message.
        shape: The wanted fields by name. Names that `source` lacks are left out, at every level.

    Attributes:
        descriptor: Descriptor of the slim type; it lives in a descriptor pool of its own.
        message_class: Message class of the slim type.

    Raises:
        ValueError: If the shape asks for bytes of a field that is no message, takes apart a field that is none, or
            asks for a message as a plain field.
    """

    def __init__(self, source: Descriptor, shape: Shape) -> None:
        file = descriptor_pb2.FileDescriptorProto()
        source.file.CopyToProto(file)
        slim = descriptor_pb2.FileDescriptorProto(
            name=f"frames/{source.full_name}.proto",
            package=f"frames.{source.file.package}",
            dependency=[timestamp_pb2.DESCRIPTOR.name],
        )
        # Syntax, edition and features decide about presence, packing and UTF-8 checks: they must stay the source's.
        if file.HasField("syntax"):
            slim.syntax = file.syntax
        if file.HasField("edition"):
            slim.edition = file.edition
        slim.options.CopyFrom(file.options)
        slim.message_type.append(_slim_message(source, source.name, f".{slim.package}", shape))
        pool = descriptor_pool.DescriptorPool()
        pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
        pool.AddSerializedFile(slim.SerializeToString())
        self.descriptor: Descriptor = pool.FindMessageTypeByName(f"{slim.package}.{source.name}")
        self.message_class: type[Message] = message_factory.GetMessageClass(self.descriptor)

    def has(self, *path: str) -> bool:
        """Tell whether the contract has the field at the end of a path of field names."""
        descriptor: Descriptor | None = self.descriptor
        for name in path:
            if descriptor is None or name not in descriptor.fields_by_name:
                return False
            descriptor = descriptor.fields_by_name[name].message_type
        return True

    def oneof(self, *path: str) -> str | None:
        """Name of the oneof that the field at the end of a path of field names is a member of."""
        descriptor: Any = self.descriptor
        for name in path[:-1]:
            descriptor = descriptor.fields_by_name[name].message_type
        group = descriptor.fields_by_name[path[-1]].containing_oneof
        return None if group is None else str(group.name)


def _slim_message(source: Descriptor, name: str, scope: str, shape: Shape) -> descriptor_pb2.DescriptorProto:
    """Build the slim form of one message; `scope` is the full name of what encloses it, with a leading dot."""
    whole = descriptor_pb2.DescriptorProto()
    source.CopyToProto(whole)
    slim = descriptor_pb2.DescriptorProto(name=name)
    oneofs: dict[int, int] = {}
    optional: list[descriptor_pb2.FieldDescriptorProto] = []
    for original in whole.field:
        wanted = shape.get(original.name)
        if wanted is None:
            continue
        field = slim.field.add()
        field.CopyFrom(original)
        field.ClearField("json_name")
        field.ClearField("oneof_index")
        _retype(field, source, wanted, slim, f"{scope}.{name}")
        if original.HasField("oneof_index") and not original.proto3_optional:
            if original.oneof_index not in oneofs:
                oneofs[original.oneof_index] = len(slim.oneof_decl)
                slim.oneof_decl.add(name=whole.oneof_decl[original.oneof_index].name)
            field.oneof_index = oneofs[original.oneof_index]
        elif field.proto3_optional:
            optional.append(field)
    # protobuf wants the one-member oneofs that carry the presence of `optional` fields after the real ones.
    for field in optional:
        field.oneof_index = len(slim.oneof_decl)
        slim.oneof_decl.add(name=f"_{field.name}")
    return slim


def _retype(
    field: descriptor_pb2.FieldDescriptorProto,
    source: Descriptor,
    wanted: FieldKind | Shape,
    slim: descriptor_pb2.DescriptorProto,
    scope: str,
) -> None:
    """Give a copied field its type in the slim message."""
    is_message = field.type == _FieldProto.TYPE_MESSAGE
    if isinstance(wanted, Mapping):
        nested = source.fields_by_name[field.name].message_type
        if nested is None:
            raise ValueError(f"{source.full_name}.{field.name} is no message and cannot be taken apart")
        name = f"{field.name}_fields"
        slim.nested_type.append(_slim_message(nested, name, scope, wanted))
        field.type_name = f"{scope}.{name}"
    elif wanted is BYTES:
        if not is_message:
            raise ValueError(f"{source.full_name}.{field.name} is no message; ask for it as a plain field")
        field.type = _FieldProto.TYPE_BYTES
        field.ClearField("type_name")
        # A message field knows whether it was set; in proto3 bytes do so only when they are `optional`.
        alone = source.fields_by_name[field.name].containing_oneof is None
        if alone and field.label != _FieldProto.LABEL_REPEATED:
            field.proto3_optional = True
    elif field.type == _FieldProto.TYPE_ENUM:
        field.type = _FieldProto.TYPE_INT32
        field.ClearField("type_name")
    elif is_message and field.type_name != f".{_TIMESTAMP}":
        raise ValueError(f"{source.full_name}.{field.name} is a message; give its shape or ask for its bytes")
