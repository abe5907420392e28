"""The spelling of references to arrays: `Name`, `Name[]` and `Name[3]`."""

from __future__ import annotations

import re

__all__ = ["split_element"]

_BRACKETS = re.compile(r"(?P<plain>.+)\[(?P<index>[0-9]{0,6})\]", re.DOTALL)


def split_element(reference: str) -> tuple[str, int | None, bool]:
    """The reference without brackets, the number in them if there is one, and whether they are empty."""
    found = _BRACKETS.fullmatch(reference)
    if found is None:
        return reference, None, False
    index = found["index"]
    return found["plain"], int(index) if index else None, not index
