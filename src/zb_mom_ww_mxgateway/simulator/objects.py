"""The objects of a Galaxy: by id, by name, what lies below what, and what a reference means."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from .model import Attribute, PlantObject, Tag
from .templates import Template

__all__ = ["ObjectTable"]

_BRACKETS = re.compile(r"(?P<plain>.+)\[(?P<index>[0-9]{0,6})\]", re.DOTALL)


class ObjectTable:
    """An immutable set of objects.

    Args:
        objects: in any order.
        templates: by name; every object's template is among them.
    """

    def __init__(self, objects: Iterable[PlantObject], templates: Mapping[str, Template]) -> None:
        self._templates = templates
        self._by_id = {obj.gobject_id: obj for obj in objects}
        self._by_name = {obj.tag_name.lower(): obj for obj in self._by_id.values()}
        self._children: dict[int, list[PlantObject]] | None = None
        self._counts: dict[str, int] = {}
        for obj in self._by_id.values():
            self._counts[obj.template] = self._counts.get(obj.template, 0) + 1
        self.attribute_count = sum(len(templates[name].attributes) * count for name, count in self._counts.items())

    def __len__(self) -> int:
        return len(self._by_id)

    def all(self) -> Collection[PlantObject]:
        """All objects, in order of their creation."""
        return self._by_id.values()

    def by_id(self, gobject_id: int) -> PlantObject | None:
        """The object with that id."""
        return self._by_id.get(gobject_id)

    def by_name(self, tag_name: str) -> PlantObject | None:
        """The object with that tag name, in any case."""
        return self._by_name.get(tag_name.lower())

    def children(self, gobject_id: int) -> Sequence[PlantObject]:
        """The objects directly below one; 0 is above the roots."""
        if self._children is None:
            self._children = {}
            for obj in self._by_id.values():
                self._children.setdefault(obj.parent_id, []).append(obj)
        return self._children.get(gobject_id, ())

    def count(self, template: str) -> int:
        """How many objects have that template."""
        return self._counts.get(template, 0)

    def name_of(self, obj: PlantObject, what: str) -> str:
        """A name that belongs to an object: tag, contained, hierarchical, area, container, host or description."""
        match what:
            case "tag":
                return obj.tag_name
            case "contained":
                return obj.contained_name
            case "hierarchical":
                parent = self._by_id.get(obj.parent_id)
                if parent is None or parent.is_area or not obj.contained_name:
                    return obj.tag_name
                return f"{self.name_of(parent, what)}.{obj.contained_name}"
            case "description":
                kind = self._templates[obj.template].chain[0].removeprefix("$").replace("_", " ").lower()
                return f"{obj.tag_name} ({kind})"
        owner = self._by_id.get({"area": obj.area_id, "container": obj.parent_id, "host": obj.host_id}[what])
        # An area holds its objects, but it does not contain them.
        return "" if owner is None or (what == "container" and owner.is_area) else owner.tag_name

    def redeployed(
        self,
        add: Iterable[PlantObject],
        remove: Iterable[str],
        change: Iterable[PlantObject],
        templates: Mapping[str, Template],
    ) -> ObjectTable:
        """The objects after a deploy (see `Plant.redeploy`).

        Raises:
            ValueError: a name or an id that does not fit.
        """
        objects = dict(self._by_id)
        for name in remove:
            top = self.by_name(name)
            if top is None:
                raise ValueError(f"remove: there is no object {name!r}")
            gone = [top.gobject_id]
            while gone:
                gobject_id = gone.pop()
                gone += [child.gobject_id for child in self.children(gobject_id)]
                objects.pop(gobject_id, None)
        for obj in change:
            if obj.gobject_id not in objects:
                raise ValueError(f"change: there is no object with the id {obj.gobject_id} of {obj.tag_name}")
            objects[obj.gobject_id] = obj
        for obj in add:
            if obj.gobject_id in objects:
                raise ValueError(f"add: the id {obj.gobject_id} of {obj.tag_name} is taken")
            objects[obj.gobject_id] = obj
        for obj in objects.values():
            if obj.template not in templates:
                raise ValueError(f"{obj.tag_name}: there is no template {obj.template!r}")
            if obj.parent_id and obj.parent_id not in objects:
                raise ValueError(f"{obj.tag_name}: there is no parent with the id {obj.parent_id}")
        if len({obj.tag_name.lower() for obj in objects.values()}) < len(objects):
            raise ValueError("two objects would have the same tag name")
        return ObjectTable(objects.values(), templates)

    def resolve(self, reference: str) -> Tag | None:
        """What a reference means (see `Plant.resolve`)."""
        found = _BRACKETS.fullmatch(reference)
        plain, index = (reference, None) if found is None else (found["plain"], found["index"])
        head, dot, rest = plain.partition(".")
        obj = self._by_name.get(head.lower())
        while obj is not None and dot:
            member = self._templates[obj.template].index.get(rest.lower())
            if member is not None:
                return _tag(obj, member.attribute, index)
            head, dot, rest = rest.partition(".")
            name = head.lower()
            below = self.children(obj.gobject_id)
            obj = next((child for child in below if child.contained_name.lower() == name), None)
        return None


def _tag(obj: PlantObject, attribute: Attribute, index: str | None) -> Tag | None:
    reference = f"{obj.tag_name}.{attribute.name}"
    if attribute.array_length is None:
        return Tag(reference, obj, attribute) if index is None else None
    if not index:
        return Tag(f"{reference}[]", obj, attribute)
    element = int(index)
    return Tag(f"{reference}[{element}]", obj, attribute, element) if 1 <= element <= attribute.array_length else None
