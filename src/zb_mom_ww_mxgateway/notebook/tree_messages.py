"""What the tree in the browser asks, and what it is answered.

| request                                | answer                                                                   |
|----------------------------------------|--------------------------------------------------------------------------|
| rows: id (0: the roots), offset        | rows: id, offset, total, at most 500 of [id, name, tag, kind, children?] |
| attributes: id                         | attributes: id, all of [name, reference, type, length, security, marks]  |
| search: text                           | matches: text, found, note                                               |

Every request carries a name of its own in `ask`, and its answer the same. What cannot be answered is answered with an
`error` that has a text, so that the browser never waits in vain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import MxGatewayError
from .protocols import AttributeRow, GalaxyTree, Match, TreeRow
from .tree_selection import KnownAttributes

__all__ = ["CHUNK", "SEARCH_LIMIT", "TreeMessages"]

#: Rows of one answer; the browser asks for the next ones when it has drawn these.
CHUNK = 500
SEARCH_LIMIT = 200

_ALARM, _HISTORY = 1, 2


class TreeMessages:
    """Answers the browser. Levels are kept, so that their chunks belong together.

    Args:
        source: the Galaxy.
        known: is told of every attribute that is sent.
    """

    def __init__(self, source: GalaxyTree, known: KnownAttributes) -> None:
        self._source = source
        self._known = known
        self._levels: dict[int, Sequence[TreeRow]] = {}

    def refresh(self) -> None:
        """Forget everything."""
        self._levels.clear()
        self._source.refresh()

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request."""
        ask = request.get("ask")
        try:
            return {"ask": ask, **self._answer(request)}
        except (MxGatewayError, OSError, RuntimeError) as error:
            # RuntimeError: the facade is closed, or its loop is gone.
            return {"ask": ask, "type": "error", "text": str(error) or type(error).__name__}

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        kind = request.get("type")
        if kind == "rows":
            return self._rows(int(request["id"]), int(request.get("offset", 0)))
        if kind == "attributes":
            gobject_id = int(request["id"])
            rows = self._source.attributes(gobject_id)
            self._known.add(rows)
            return {"type": "attributes", "id": gobject_id, "rows": [_attribute(row) for row in rows]}
        if kind == "search":
            return self._search(str(request["text"]))
        return {"type": "error", "text": f"{kind!r} is no request of the tree"}

    def _rows(self, gobject_id: int, offset: int) -> dict[str, Any]:
        # The first chunk is always fetched: it is asked for when the level is opened, and again on a retry.
        if not offset or gobject_id not in self._levels:
            fetched = self._source.children(gobject_id) if gobject_id else self._source.roots()
            self._levels[gobject_id] = fetched
        level = self._levels[gobject_id]
        rows = [_object(row) for row in level[offset : offset + CHUNK]]
        return {"type": "rows", "id": gobject_id, "offset": offset, "total": len(level), "rows": rows}

    def _search(self, text: str) -> dict[str, Any]:
        matches = self._source.search(text, SEARCH_LIMIT)
        self._known.add([match.attribute for match in matches.found if match.attribute is not None])
        found = [_match(match) for match in matches.found]
        return {"type": "matches", "text": text, "found": found, "note": matches.note}


def _object(row: TreeRow) -> list[Any]:
    tag = "" if row.tag_name == row.name else row.tag_name
    return [row.gobject_id, row.name, tag, row.kind, int(row.has_children)]


def _attribute(row: AttributeRow) -> list[Any]:
    marks = _ALARM * row.alarm | _HISTORY * row.historized
    return [row.name, row.reference, row.data_type, row.array_length, row.security, marks]


def _match(match: Match) -> dict[str, Any]:
    found: dict[str, Any] = {"object": _object(match.item), "path": match.path, "names": match.names}
    if match.attribute is not None:
        found["attribute"] = _attribute(match.attribute)
    return found
