"""The templates and objects of a configuration file, added to a layout."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from .config_attributes import read_members
from .config_reader import Table
from .generate import Layout
from .machine import MachineTraits
from .model import Category, PlantObject
from .templates import Template

__all__ = ["read_objects", "read_templates"]

_CATEGORIES = {each.name.title().replace("_", ""): each for each in Category}
_TAG_NAME = re.compile(r"[^\s\[\].]+")


def read_templates(top: Table, layout: Layout) -> None:
    """Add the `[[templates]]`; one may derive from any that stands before it."""
    for table in top.tables("templates"):
        name = table.text("name")
        if not name.startswith("$") or not _TAG_NAME.fullmatch(name):
            raise table.expected("name", "a template name, such as $Pump_Special")
        if name in layout.templates:
            raise table.error("name", f"there is already a template {name}")
        base = _template(table, "base", layout, "$UserDefined")
        traits = _read_traits(table, base.traits)
        made = base.with_members(name, read_members(table, base.index))
        layout.templates[name] = replace(
            made,
            chain=(name, *base.chain),
            category=table.choice("category", _CATEGORIES, base.category),
            traits=traits,
        )
        table.done()


def read_objects(top: Table, layout: Layout) -> None:
    """Add the `[[objects]]`; their parents may stand anywhere in the file, or be generated."""
    by_name = {obj.tag_name.lower(): obj for obj in layout.objects}
    places = {obj.gobject_id: number for number, obj in enumerate(layout.objects)}
    added: list[tuple[Table, PlantObject]] = []
    named: set[str] = set()
    next_id = max(places, default=0) + 1
    for table in top.tables("objects"):
        name = table.text("name")
        if not _TAG_NAME.fullmatch(name) or name.startswith("$"):
            raise table.expected("name", "a tag name without spaces, dots and brackets")
        if name.lower() in named:
            raise table.error("name", f'there are two objects "{name}"')
        named.add(name.lower())
        known = by_name.get(name.lower())
        if known is not None:
            layout.objects[places[known.gobject_id]] = _extended(table, known, layout)
        else:
            obj = _made(table, name, next_id, layout)
            places[next_id] = len(layout.objects)
            layout.objects.append(obj)
            by_name[name.lower()] = obj
            added.append((table, obj))
            next_id += 1
    _place(added, by_name, places, layout)


def _extended(table: Table, obj: PlantObject, layout: Layout) -> PlantObject:
    """A generated object with more attributes."""
    base = layout.templates[obj.template]
    members = read_members(table, base.index)
    for key in ("parent", "template", "area", "host", "category", "contained_name", "moved_by"):
        if key in table:
            raise table.error(key, f"{obj.tag_name} is generated: only attributes can be added to it")
    table.done(("name",))
    own = base.with_members(f"{base.name}:{obj.tag_name}", members)
    layout.templates[own.name] = own
    return replace(obj, template=own.name)


def _made(table: Table, name: str, gobject_id: int, layout: Layout) -> PlantObject:
    category = table.choice("category", _CATEGORIES) if "category" in table else None
    template = _template(table, "template", layout, "$Area" if category is Category.AREA else "$UserDefined")
    members = read_members(table, template.index)
    if members:
        template = template.with_members(f"{template.name}:{name}", members)
        layout.templates[template.name] = template
    category = template.category if category is None else category
    contained_name = table.text("contained_name", "")
    if contained_name and not _TAG_NAME.fullmatch(contained_name):
        raise table.expected("contained_name", "a name without spaces, dots and brackets")
    return PlantObject(
        gobject_id=gobject_id,
        tag_name=name,
        contained_name=contained_name,
        parent_id=0,
        is_area=category is Category.AREA,
        category=category,
        host_id=0,
        area_id=0,
        template=template.name,
    )


def _place(
    added: list[tuple[Table, PlantObject]],
    by_name: dict[str, PlantObject],
    places: dict[int, int],
    layout: Layout,
) -> None:
    """Give the new objects their parents, areas, hosts and machines, now that all names are known."""

    def named(table: Table, key: str, what: str, fits: Callable[[PlantObject], bool]) -> PlantObject | None:
        if key not in table:
            table.raw(key)
            return None
        found = by_name.get(table.text(key).lower())
        if found is None or not fits(found):
            raise table.expected(key, what)
        return found

    parents: dict[int, int] = {}
    for table, obj in added:
        parent = named(table, "parent", "the name of an object of this plant", lambda _: True)
        parents[obj.gobject_id] = parent.gobject_id if parent is not None else 0
    engine = next((obj for obj in layout.objects if obj.category is Category.APP_ENGINE), None)
    for table, obj in added:
        seen = {obj.gobject_id}
        above = parents[obj.gobject_id]
        while above in parents:
            if above in seen:
                raise table.error("parent", f"{obj.tag_name} would lie below itself")
            seen.add(above)
            above = parents[above]
    for table, obj in added:
        area = named(table, "area", "the name of an area of this plant", lambda found: found.is_area)
        area_id = area.gobject_id if area is not None else _area_above(obj, parents, places, layout)
        host = named(table, "host", "the name of an object of this plant", lambda _: True) or engine
        driver = named(
            table,
            "moved_by",
            "the name of an object with a machine",
            lambda found: layout.templates[found.template].traits is not None,
        )
        if driver is not None:
            if layout.templates[obj.template].traits is not None:
                raise table.error("moved_by", f"{obj.tag_name} has a machine of its own")
            layout.links[obj.gobject_id] = driver.gobject_id
        table.done()
        layout.objects[places[obj.gobject_id]] = replace(
            obj,
            parent_id=parents[obj.gobject_id],
            area_id=area_id,
            host_id=host.gobject_id if host is not None and host.gobject_id != obj.gobject_id else 0,
        )


def _area_above(obj: PlantObject, parents: dict[int, int], places: dict[int, int], layout: Layout) -> int:
    above = parents[obj.gobject_id]
    while above:
        there = layout.objects[places[above]]
        if there.is_area:
            return above
        if above not in parents:
            return there.area_id
        above = parents[above]
    return 0


def _template(table: Table, key: str, layout: Layout, default: str) -> Template:
    wanted = table.text(key, default)
    found = layout.templates.get(wanted)
    if found is None or ":" in wanted:
        known = sorted(name for name in layout.templates if ":" not in name)
        raise table.expected(key, f"one of {', '.join(known)}")
    return found


def _read_traits(table: Table, inherited: MachineTraits | None) -> MachineTraits | None:
    machine = table.table("machine")
    if machine is None:
        return inherited
    usual = inherited or MachineTraits()
    epoch, stop = machine.pair("epoch_s", usual.epoch_s), machine.pair("stop_s", usual.stop_s)
    if stop[1] > epoch[0] / 3:
        raise machine.expected("stop_s", f"two numbers up to {epoch[0] / 3:g}, a third of the shortest epoch_s")
    if epoch[0] < 60:
        raise machine.expected("epoch_s", "two numbers of at least 60")
    traits = MachineTraits(epoch, stop, machine.flag("trips", usual.trips))
    machine.done()
    return traits
