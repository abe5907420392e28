"""The generated bindings say what numbers.tsv says: no name, number, type or label differs, and none is extra.

After regenerating from a gateway's own files these tests name what that gateway does differently: put its numbers into
numbers.tsv and protos/, and they pass again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from contract.numbers_table import EMPTY_MESSAGE, ENUM_VALUE, read_rows, rows_by_owner
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2, mxaccess_gateway_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, ServiceDescriptorProto


class Element(NamedTuple):
    """An rpc, an enum value, a field, or the emptiness of a message, in the words of the table."""

    name: str
    number: str
    type: str
    label: str


def _file(module: object) -> FileDescriptorProto:
    file = FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(file)  # type: ignore[attr-defined]
    return file


FILES = [_file(mxaccess_gateway_pb2), _file(galaxy_repository_pb2)]
TABLE = {
    owner: {Element(row.name, row.number, row.type, row.label) for row in rows}
    for owner, rows in rows_by_owner().items()
}


def _short(type_name: str, package: str) -> str:
    """A type as the table writes it: without the package where that is the file's own."""
    return type_name.removeprefix(".").removeprefix(f"{package}.")


def _service(service: ServiceDescriptorProto, package: str) -> Iterator[Element]:
    for method in service.method:
        request, reply = (_short(side, package) for side in (method.input_type, method.output_type))
        sides = (
            f"{'stream ' if method.client_streaming else ''}{request}",
            f"{'stream ' if method.server_streaming else ''}{reply}",
        )
        yield Element(method.name, "rpc", " -> ".join(sides), "")


def _enum(enum: EnumDescriptorProto) -> Iterator[Element]:
    for value in enum.value:
        yield Element(value.name, str(value.number), ENUM_VALUE, "")


def _message(message: DescriptorProto, package: str) -> Iterator[Element]:
    if not message.field:
        yield Element("", "", EMPTY_MESSAGE, "")
    for field in message.field:
        if field.label == FieldDescriptorProto.LABEL_REPEATED:
            label = "repeated"
        elif field.proto3_optional:
            label = "optional"
        elif field.HasField("oneof_index"):
            label = f"oneof {message.oneof_decl[field.oneof_index].name}"
        else:
            label = ""
        scalar = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
        yield Element(field.name, str(field.number), _short(field.type_name, package) or scalar, label)


def _bindings() -> dict[str, set[Element]]:
    found: dict[str, set[Element]] = {}
    for file in FILES:
        for service in file.service:
            found[f"{file.package}.{service.name}"] = set(_service(service, file.package))
        for enum in file.enum_type:
            found[f"{file.package}.{enum.name}"] = set(_enum(enum))
        for message in file.message_type:
            found[f"{file.package}.{message.name}"] = set(_message(message, file.package))
    return found


BINDINGS = _bindings()


def _lines(elements: set[Element]) -> str:
    return "".join(
        f"\n    {element.name or '(empty)'} = {element.number or '-'}  {element.label} {element.type}"
        for element in sorted(elements)
    )


@pytest.mark.parametrize("owner", TABLE)
def test_bindings_agree_with_the_table(owner: str) -> None:
    assert owner in BINDINGS, f"{owner} is in numbers.tsv, but not in the bindings"
    table, bindings = TABLE[owner], BINDINGS[owner]
    assert bindings == table, (
        f"{owner}\n  only in numbers.tsv:{_lines(table - bindings)}\n  only in the bindings:{_lines(bindings - table)}"
    )


def test_bindings_have_nothing_beyond_the_table() -> None:
    assert sorted(BINDINGS.keys() - TABLE.keys()) == []


def test_nothing_hides_from_the_comparison() -> None:
    for file in FILES:
        assert file.syntax == "proto3"
        assert not file.extension
        for message in file.message_type:
            assert not message.nested_type, message.name
            assert not message.enum_type, message.name
            assert not message.extension, message.name


def test_table_names_each_element_once() -> None:
    names = [row.full_name for row in read_rows()]
    assert len(names) == len(set(names)) > 500


def test_table_knows_three_degrees_of_certainty() -> None:
    assert {row.confidence for row in read_rows()} == {"certain", "inferred", "guess"}
