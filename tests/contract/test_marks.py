"""What is not certain is marked so in the contract files, where a reader of a field meets it."""

from __future__ import annotations

import re

import pytest

from contract.numbers_table import PROTO_DIR, read_rows

CERTAIN, UNMARKED = "certain", ""

_OPENING = re.compile(r"^(?:message|enum|service|oneof)\s+(\w+)\s*\{")
_ELEMENT = re.compile(r"^(?:(?:optional|repeated)\s+)?(?:[\w.]+\s+)?(\w+)\s*=\s*\d+;(?P<rest>.*)$")
_MARK = re.compile(r"^  // \[(\w+)\](?: \S|$)")


def _marks_in(text: str, package: str) -> dict[str, str]:
    """The mark of each field and enum value, keyed by its full name; empty where there is none."""
    found: dict[str, str] = {}
    scopes: list[str] = []
    for raw in text.splitlines():
        line = raw.strip()
        if opening := _OPENING.match(line):
            scopes.append(opening[1])
        elif line.startswith("}"):
            scopes.pop()
        elif scopes and (element := _ELEMENT.match(line)):
            mark = _MARK.match(element["rest"])
            found[f"{package}.{scopes[0]}.{element[1]}"] = mark[1] if mark else UNMARKED
    assert not scopes, "unbalanced braces"
    return found


MARKS = {
    **_marks_in((PROTO_DIR / "mxaccess_gateway.proto").read_text(encoding="utf-8"), "mxaccess_gateway.v1"),
    **_marks_in((PROTO_DIR / "galaxy_repository.proto").read_text(encoding="utf-8"), "galaxy_repository.v1"),
}
EXPECTED = {
    row.full_name: UNMARKED if row.confidence == CERTAIN else row.confidence
    for row in read_rows()
    if row.is_field or row.is_enum_value
}


def test_every_element_was_found() -> None:
    assert MARKS.keys() == EXPECTED.keys()


@pytest.mark.parametrize("confidence", ["inferred", "guess", CERTAIN])
def test_marks_agree_with_the_table(confidence: str) -> None:
    wanted = UNMARKED if confidence == CERTAIN else confidence
    names = [name for name, mark in EXPECTED.items() if mark == wanted]
    assert names
    wrong = [f"{name}: {MARKS[name] or 'no mark'}" for name in names if MARKS[name] != wanted]
    assert wrong == [], f"these are {confidence}"


@pytest.mark.parametrize("name", ["mxaccess_gateway.proto", "galaxy_repository.proto"])
def test_marks_stand_nowhere_else(name: str) -> None:
    text = (PROTO_DIR / name).read_text(encoding="utf-8")
    body = text[text.index("syntax = ") :]
    expected = sum(1 for key, mark in MARKS.items() if mark and key.startswith(name.removesuffix(".proto")))
    assert len(re.findall(r"\[(?:inferred|guess)\]", body)) == expected


@pytest.mark.parametrize("name", ["mxaccess_gateway.proto", "galaxy_repository.proto"])
def test_header_explains_the_marks(name: str) -> None:
    text = (PROTO_DIR / name).read_text(encoding="utf-8")
    header = text[: text.index("syntax = ")]
    for part in ("[inferred]", "[guess]", "tests/contract/numbers.tsv", "python generate_proto.py --proto-dir DIR"):
        assert part in header
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("name", ["mxaccess_gateway.proto", "galaxy_repository.proto"])
def test_every_rpc_is_explained(name: str) -> None:
    lines = (PROTO_DIR / name).read_text(encoding="utf-8").splitlines()
    calls = [index for index, line in enumerate(lines) if line.strip().startswith("rpc ")]
    assert calls
    assert [lines[index] for index in calls if not lines[index - 1].strip().startswith("//")] == []
