"""What follows from the tree: names of parents, areas and hosts, paths and depths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["GalaxyTree", "Place"]


class Place(NamedTuple):
    """Where an object stands; None is what cannot be told.

    Attributes:
        path: names from the top, joined by `/`.
        depth: 0 at the top.
        area_id: the nearest area above; 0 without one.
        area_path: tag names of the areas above from the top, joined by `/`.
    """

    path: str | None
    depth: int | None
    area_id: int
    area_path: str | None


_LOST = Place(None, None, 0, None)


class GalaxyTree:
    """Objects by id, and their places.

    An object whose parents cannot all be seen, or are in a circle, has no place.
    """

    def __init__(self) -> None:
        self._objects: dict[int, tuple[str, str, int, bool]] = {}
        self._places: dict[int, Place] = {}

    def add(
        self,
        ids: Sequence[int],
        tags: Sequence[str],
        contained: Sequence[str],
        parents: Sequence[int],
        areas: Sequence[bool],
    ) -> None:
        """Make objects known: column by column."""
        self._places.clear()
        for gobject_id, tag, name, parent, is_area in zip(ids, tags, contained, parents, areas, strict=True):
            self._objects[gobject_id] = (tag, name or tag, parent, is_area)

    def unknown(self, ids: Iterable[int]) -> set[int]:
        """Which of these ids are no known object; 0 is none."""
        return set(ids) - self._objects.keys() - {0}

    def tag_name(self, gobject_id: int) -> str | None:
        """The tag name of an object; None when it is not known."""
        known = self._objects.get(gobject_id)
        return None if known is None else known[0]

    def place(self, gobject_id: int) -> Place:
        """Where a known object stands."""
        # A loop and not a recursion: a Galaxy may be deeper than the stack, and a damaged one may be a circle.
        above: list[int] = []
        seen: set[int] = set()
        at = gobject_id
        while at and at not in self._places and at in self._objects and at not in seen:
            seen.add(at)
            above.append(at)
            at = self._objects[at][2]
        place = Place("", -1, 0, None) if at == 0 else self._places.get(at, _LOST)
        parent = self._objects.get(at)
        for each in reversed(above):
            _, name, _, _ = self._objects[each]
            if place.path is None or place.depth is None:
                place = _LOST
            else:
                area_id, area_path = place.area_id, place.area_path
                if parent is not None and parent[3]:
                    area_id, area_path = at, parent[0] if area_path is None else f"{area_path}/{parent[0]}"
                place = Place(f"{place.path}/{name}" if place.path else name, place.depth + 1, area_id, area_path)
            self._places[each] = place
            at, parent = each, self._objects[each]
        return self._places.get(gobject_id, _LOST)
