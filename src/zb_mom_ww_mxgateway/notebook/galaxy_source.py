"""The Galaxy for the tree, over the async client."""

from __future__ import annotations

import re
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from ..errors import GalaxyChangedError
from ..galaxy import GalaxyRepositoryClient
from ..generated import galaxy_repository_pb2 as pb
from .galaxy_words import attribute_row, tree_row
from .protocols import AttributeRow, Match, Matches, TreeRow

__all__ = ["AsyncGalaxyTree", "Call"]

ResultT = TypeVar("ResultT")

#: The largest page that a gateway gives: a level of 5,000 objects is one round trip.
_PAGE = 5000
#: Objects whose attributes a search by name looks through; a Galaxy can have a million attributes.
_SCANNED_OBJECTS = 2000
_SCAN_PAGE = 500
_ATTEMPTS = 3


class Call(Protocol):
    """Runs a coroutine on the event loop of the clients and waits for it, such as `Portal.call`."""

    def __call__(self, coroutine: Coroutine[Any, Any, ResultT], /) -> ResultT:
        """The result, or the error."""
        ...


class AsyncGalaxyTree:
    """A `GalaxyTree` over the async client.

    What a search needs (the names of all objects, the attributes of the first 2,000) is fetched with the first search
    and kept until `refresh`.

    Args:
        galaxy: the client.
        call: runs its coroutines.
    """

    def __init__(self, galaxy: GalaxyRepositoryClient, call: Call) -> None:
        self._galaxy = galaxy
        self._call = call
        self._objects: dict[int, pb.GalaxyObject] = {}
        self._parents: set[int] = set()
        self._scanned: list[tuple[int, AttributeRow]] | None = None

    def roots(self) -> Sequence[TreeRow]:
        """The objects at the top."""
        return self._call(self._children(0))

    def children(self, gobject_id: int) -> Sequence[TreeRow]:
        """The objects below one, areas first."""
        return self._call(self._children(gobject_id))

    def attributes(self, gobject_id: int) -> Sequence[AttributeRow]:
        """The attributes of an object."""
        return self._call(self._attributes(gobject_id))

    def search(self, text: str, limit: int) -> Matches:
        """Objects and attributes by name.

        With a dot, `text` is a reference: "Pump*.Speed", "001.Sp". The part before the dot is the object's tag name.
        """
        return self._call(self._search(text.strip(), limit))

    def refresh(self) -> None:
        """Forget what searches have fetched."""
        self._objects, self._parents, self._scanned = {}, set(), None

    async def _children(self, gobject_id: int) -> list[TreeRow]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._level(gobject_id)
            except GalaxyChangedError:
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def _level(self, gobject_id: int) -> list[TreeRow]:
        rows: list[TreeRow] = []
        token = ""
        while True:
            page = await self._galaxy.browse_children(
                parent_gobject_id=gobject_id or None, page_size=_PAGE, page_token=token, include_attributes=False
            )
            hints = list(page.child_has_children)
            # An older gateway may leave the hints out: then every child may have children.
            hints += [True] * (len(page.children) - len(hints))
            rows += [tree_row(item, hint) for item, hint in zip(page.children, hints, strict=False)]
            token = page.next_page_token
            if not token:
                return rows

    async def _attributes(self, gobject_id: int) -> list[AttributeRow]:
        items = await self._galaxy.discover_hierarchy(root_gobject_id=gobject_id, max_depth=0)
        return [attribute_row(row) for item in items for row in item.attributes]

    async def _search(self, text: str, limit: int) -> Matches:
        if not text:
            return Matches(())
        if not self._objects:
            items = await self._galaxy.discover_hierarchy(page_size=_PAGE, include_attributes=False)
            self._parents = {item.parent_gobject_id for item in items}
            self._objects = {item.gobject_id: item for item in items}
        if "." in text:
            return await self._search_references(text.removesuffix("[]"), limit)
        wanted = _pattern(text, "*{}*")
        found = [
            self._match(item, None)
            for item in self._objects.values()
            if wanted.fullmatch(item.tag_name) or wanted.fullmatch(item.browse_name)
        ]
        found.sort(key=lambda match: (match.item.name.lower(), match.item.tag_name.lower()))
        scanned = await self._scan()
        found += [self._match(self._objects[owner], row) for owner, row in scanned if wanted.fullmatch(row.name)]
        if len(found) > limit:
            return Matches(tuple(found[:limit]), f"The first {limit} of {len(found):,} results")
        if len(self._objects) > _SCANNED_OBJECTS:
            note = (
                f"Attributes of the first {_SCANNED_OBJECTS:,} objects were searched; write Object.Attribute for more"
            )
            return Matches(tuple(found), note)
        return Matches(tuple(found))

    async def _search_references(self, text: str, limit: int) -> Matches:
        owner, _, name = text.partition(".")
        wanted = _pattern(name, "{}*")
        found: list[Match] = []
        pages = self._galaxy.iter_pages(page_size=_SCAN_PAGE, tag_name_glob=_glob(owner, "*{}"))
        async for page in pages:
            for item in page.objects:
                rows = [attribute_row(row) for row in item.attributes if wanted.fullmatch(row.attribute_name)]
                found += [self._match(item, row) for row in rows]
            if len(found) > limit:
                return Matches(tuple(found[:limit]), f"The first {limit} results")
        return Matches(tuple(found))

    async def _scan(self) -> list[tuple[int, AttributeRow]]:
        """The attributes of the first objects, each with the id of its object."""
        if self._scanned is None:
            scanned: list[tuple[int, AttributeRow]] = []
            seen = 0
            async for page in self._galaxy.iter_pages(page_size=_SCAN_PAGE):
                for item in page.objects:
                    if item.gobject_id in self._objects:
                        scanned += [(item.gobject_id, attribute_row(row)) for row in item.attributes]
                seen += len(page.objects)
                if seen >= _SCANNED_OBJECTS:
                    break
            self._scanned = scanned
        return self._scanned

    def _match(self, item: pb.GalaxyObject, attribute: AttributeRow | None) -> Match:
        path: list[pb.GalaxyObject] = []
        above: pb.GalaxyObject | None = item
        while above is not None and above not in path:
            path.append(above)
            above = self._objects.get(above.parent_gobject_id)
        path.reverse()
        rows = [tree_row(step, step.gobject_id in self._parents) for step in path]
        return Match(rows[-1], attribute, tuple(row.gobject_id for row in rows), tuple(row.name for row in rows))


def _glob(text: str, form: str) -> str:
    """A glob as it was typed, or text made into one."""
    return text if "*" in text or "?" in text else form.format(text)


def _pattern(text: str, form: str) -> re.Pattern[str]:
    glob = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in _glob(text, form))
    return re.compile(glob, re.IGNORECASE | re.DOTALL)
