"""The table of names and numbers that the contract is held to, read from numbers.tsv."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

PROTO_DIR = Path(__file__).resolve().parents[2] / "protos"
TABLE = Path(__file__).with_name("numbers.tsv")
EMPTY_MESSAGE = "(empty message)"
ENUM_VALUE = "enum value"


class Row(NamedTuple):
    """One line: an rpc, an enum value, a field, or a message without fields."""

    package: str
    owner: str
    name: str
    number: str
    type: str
    label: str
    confidence: str

    @property
    def is_rpc(self) -> bool:
        return self.number == "rpc"

    @property
    def is_enum_value(self) -> bool:
        return self.type == ENUM_VALUE

    @property
    def is_empty_message(self) -> bool:
        return self.type == EMPTY_MESSAGE

    @property
    def is_field(self) -> bool:
        return not (self.is_rpc or self.is_enum_value or self.is_empty_message)

    @property
    def full_owner(self) -> str:
        return f"{self.package}.{self.owner}"

    @property
    def full_name(self) -> str:
        return f"{self.full_owner}.{self.name}"


def read_rows() -> list[Row]:
    """All rows of the table, in its order."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(lines)
        return [Row(*line) for line in lines]


def rows_by_owner() -> dict[str, list[Row]]:
    """The rows of each service, enum and message, keyed by its full name."""
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in read_rows():
        grouped[row.full_owner].append(row)
    return dict(grouped)
