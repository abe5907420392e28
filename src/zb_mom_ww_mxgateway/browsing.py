"""The tree, one level at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from .generated import galaxy_repository_pb2 as pb

__all__ = ["LazyBrowseNode"]

BrowseChildren = Callable[[pb.BrowseChildrenRequest], Awaitable[pb.BrowseChildrenReply]]


class LazyBrowseNode:
    """An object of the Galaxy that fetches its children when it is expanded.

    After a deploy the tree is not the same any more: call `GalaxyRepositoryClient.browse` again.

    Attributes:
        object: the Galaxy object.
        has_children_hint: whether the gateway says that it has children; a hint, which saves an expansion.
    """

    def __init__(
        self,
        browse: BrowseChildren,
        template: pb.BrowseChildrenRequest,
        item: pb.GalaxyObject,
        has_children_hint: bool,
    ) -> None:
        self.object = item
        self.has_children_hint = has_children_hint
        self._browse = browse
        self._template = template
        self._children: list[LazyBrowseNode] | None = None
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        state = f"{len(self._children)} children" if self._children is not None else "not expanded"
        return f"LazyBrowseNode({self.object.tag_name!r}, {state})"

    @property
    def children(self) -> list[LazyBrowseNode]:
        """The children, areas first; empty until `expand` was called."""
        return list(self._children or ())

    @property
    def is_expanded(self) -> bool:
        """Whether the children were fetched."""
        return self._children is not None

    async def expand(self) -> list[LazyBrowseNode]:
        """Fetch the children, all pages of them, and return them.

        Idempotent, and safe under concurrent callers: the children are fetched once.
        """
        async with self._lock:
            if self._children is None:
                self._children = await children_of(self._browse, self._template, self.object.gobject_id)
        return self.children


async def children_of(
    browse: BrowseChildren, template: pb.BrowseChildrenRequest, parent_gobject_id: int
) -> list[LazyBrowseNode]:
    """All children of an object as nodes; 0 is the parent of the roots."""
    request = pb.BrowseChildrenRequest()
    request.CopyFrom(template)
    if parent_gobject_id:
        request.parent_gobject_id = parent_gobject_id
    nodes: list[LazyBrowseNode] = []
    while True:
        page = await browse(request)
        hints = list(page.child_has_children)
        # An older gateway may leave the hints out: then every child may have children.
        hints += [True] * (len(page.children) - len(hints))
        nodes += [
            LazyBrowseNode(browse, template, item, hint) for item, hint in zip(page.children, hints, strict=False)
        ]
        if not page.next_page_token:
            return nodes
        request.page_token = page.next_page_token
