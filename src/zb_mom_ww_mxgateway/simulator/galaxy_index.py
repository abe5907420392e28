"""The Galaxy as the repository service lists it: one immutable view per cache sequence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .model import PlantObject
from .plant import Plant

__all__ = ["GalaxyIndex", "browse_name"]


def browse_name(obj: PlantObject) -> str:
    """The name shown in a tree: the contained name where there is one."""
    return obj.contained_name or obj.tag_name


def _listing_order(obj: PlantObject) -> tuple[bool, str, int]:
    return not obj.is_area, browse_name(obj).lower(), obj.gobject_id


class GalaxyIndex:
    """All objects in listing order (areas first, then the display name in any case), and what lies below what.

    Args:
        plant: whose objects are listed as they are now; later deploys do not show.
    """

    def __init__(self, plant: Plant) -> None:
        self.sequence = plant.cache_sequence
        self.templates = dict(plant.templates)
        self.objects = sorted(plant.objects, key=_listing_order)
        self._by_id: dict[int, PlantObject] = {obj.gobject_id: obj for obj in self.objects}
        self._by_name = {obj.tag_name.lower(): obj for obj in self.objects}
        self._children: dict[int, list[PlantObject]] = {}
        for obj in self.objects:
            self._children.setdefault(obj.parent_id, []).append(obj)

    def children(self, gobject_id: int) -> Sequence[PlantObject]:
        """The objects directly below one, in listing order; 0 is above the roots."""
        return self._children.get(gobject_id, ())

    def by_id(self, gobject_id: int) -> PlantObject | None:
        """The object with that id."""
        return self._by_id.get(gobject_id)

    def by_name(self, tag_name: str) -> PlantObject | None:
        """The object with that tag name, in any case."""
        return self._by_name.get(tag_name.lower())

    def by_path(self, path: str) -> PlantObject | None:
        """The object at a path of display names such as `Area1/Line3`, in any case; tag names are taken as well."""
        found: PlantObject | None = None
        for name in path.strip("/").lower().split("/"):
            below = self.children(found.gobject_id if found is not None else 0)
            found = next((obj for obj in below if name in (browse_name(obj).lower(), obj.tag_name.lower())), None)
            if found is None:
                return None
        return found

    def below(self, gobject_id: int, max_depth: int | None) -> set[int]:
        """The ids of an object and of what lies below it, at most `max_depth` levels down.

        From 0 (above the roots) the roots are level 0.
        """
        level = [gobject_id] if gobject_id else [obj.gobject_id for obj in self.children(0)]
        found = set(level)
        depth = 0
        while level and (max_depth is None or depth < max_depth):
            level = [child.gobject_id for parent in level for child in self._children.get(parent, ())]
            found.update(level)
            depth += 1
        return found

    def visible(self, subtrees: Iterable[str]) -> set[int]:
        """The ids that a key restricted to `subtrees` sees: those trees, and the way down to them.

        Without the way down a tree could not be walked from its roots. Subtrees that do not exist show nothing.
        """
        seen: set[int] = set()
        for subtree in subtrees:
            top = self.by_path(subtree) or self.by_name(subtree)
            if top is None:
                continue
            seen |= self.below(top.gobject_id, None)
            above = self._by_id.get(top.parent_id)
            while above is not None:
                seen.add(above.gobject_id)
                above = self._by_id.get(above.parent_id)
        return seen
