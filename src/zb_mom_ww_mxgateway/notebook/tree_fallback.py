"""The Galaxy as one list per level, for installations without anywidget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import traitlets

from ..errors import MxGatewayError
from .protocols import AttributeRow, GalaxyTree, TreeRow
from .tree_selection import KnownAttributes, TreeSelection

__all__ = ["SelectTree"]

_ROWS = 12
_NARROW = "0 0 auto"


class SelectTree(TreeSelection, widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A level of the Galaxy as a list, the way up as breadcrumbs, and the attributes of the object that is marked.

    Args:
        source: the Galaxy.
        references: what is chosen at first.

    Attributes:
        path: the objects from the top down to the one whose children are listed.
    """

    references = traitlets.List(traitlets.Unicode())

    def __init__(self, source: GalaxyTree, *, references: tuple[str, ...] | list[str] = ()) -> None:
        self._source = source
        self._known = KnownAttributes(source)
        self.path: list[TreeRow] = []
        self._again: Callable[[], None] = self._list_level
        wide = widgets.Layout(width="100%")
        self.crumbs = widgets.HBox(layout=widgets.Layout(flex_flow="row wrap"))
        self.objects = widgets.Select(rows=_ROWS, layout=wide)
        self.open_button = widgets.Button(description="Open", icon="folder-open", disabled=True)
        self.attributes = widgets.SelectMultiple(rows=_ROWS, layout=wide)
        self.add_button = widgets.Button(description="Add", icon="plus", disabled=True)
        self.chosen = widgets.SelectMultiple(rows=5, layout=wide)
        self.remove_button = widgets.Button(description="Remove", icon="minus", disabled=True)
        self.problem = widgets.Label(layout=widgets.Layout(flex="1 1 auto"))
        self.retry_button = widgets.Button(description="Retry", icon="refresh", layout=widgets.Layout(flex=_NARROW))
        self.problem_box = widgets.HBox([self.problem, self.retry_button], layout=widgets.Layout(display="none"))
        half = widgets.Layout(width="50%")
        super().__init__(
            [
                self.crumbs,
                self.problem_box,
                widgets.HBox(
                    [
                        widgets.VBox([widgets.Label("Objects"), self.objects, self.open_button], layout=half),
                        widgets.VBox([widgets.Label("Attributes"), self.attributes, self.add_button], layout=half),
                    ]
                ),
                widgets.VBox([widgets.Label("Selected"), self.chosen, self.remove_button]),
            ]
        )
        self.objects.observe(lambda _: self._try(self._list_attributes), names="value")
        self.attributes.observe(self._on_marked, names="value")
        self.chosen.observe(self._on_marked, names="value")
        self.observe(lambda _: self._list_chosen(), names="references")
        self.open_button.on_click(lambda _: self._open())
        self.add_button.on_click(lambda _: self._add())
        self.remove_button.on_click(lambda _: self._remove())
        self.retry_button.on_click(lambda _: self._try(self._again))
        self.references = list(references)
        self._try(self._list_level)

    def refresh(self) -> None:
        """Fetch everything anew, for example after a deploy, from the top. What is chosen stays."""
        self._source.refresh()
        self._go([])

    def _go(self, path: list[TreeRow]) -> None:
        self.path = path
        self._try(self._list_level)

    def _open(self) -> None:
        row = self.objects.value
        if row is not None and row.has_children:
            self._go([*self.path, row])

    def _add(self) -> None:
        known = set(self.references)
        self.references = [
            *self.references,
            *(row.reference for row in self.attributes.value if row.reference not in known),
        ]

    def _remove(self) -> None:
        marked = set(self.chosen.value)
        self.references = [reference for reference in self.references if reference not in marked]

    def _try(self, work: Callable[[], None]) -> None:
        """Ask the gateway; what it cannot answer is shown, with a way to try again."""
        self._again = work
        try:
            work()
        except (MxGatewayError, OSError, RuntimeError) as error:
            self.problem.value = str(error) or type(error).__name__
            self.problem_box.layout.display = "flex"
        else:
            self.problem_box.layout.display = "none"

    def _list_level(self) -> None:
        self._draw_crumbs()
        self.objects.options = ()
        self.attributes.options = ()
        here = self.path[-1] if self.path else None
        rows = self._source.children(here.gobject_id) if here is not None else self._source.roots()
        # Nothing is marked at first: a marked object costs a call for its attributes.
        self.objects.options = [(_shown(row), row) for row in rows]
        self.objects.value = None

    def _draw_crumbs(self) -> None:
        steps = [("Galaxy", 0), *((row.name, depth) for depth, row in enumerate(self.path, start=1))]
        buttons = []
        for name, depth in steps:
            button = widgets.Button(description=name, layout=widgets.Layout(width="auto"))
            button.disabled = depth == len(self.path)
            button.on_click(lambda _, depth=depth: self._go(self.path[:depth]))
            buttons.append(button)
        self.crumbs.children = buttons

    def _list_attributes(self) -> None:
        row = self.objects.value
        self.open_button.disabled = row is None or not row.has_children
        self.attributes.options = ()
        if row is None:
            return
        found = self._source.attributes(row.gobject_id)
        self._known.add(found)
        self.attributes.options = [(_described(attribute), attribute) for attribute in found]

    def _list_chosen(self) -> None:
        self.chosen.options = list(self.references)

    def _on_marked(self, _: Any) -> None:
        self.add_button.disabled = not self.attributes.value
        self.remove_button.disabled = not self.chosen.value


def _shown(row: TreeRow) -> str:
    tag = "" if row.tag_name == row.name else f"  ({row.tag_name})"
    # The number keeps two objects of one name apart: a list needs different labels.
    return f"{'▸' if row.has_children else '•'} {row.name}{tag}  #{row.gobject_id}"


def _described(row: AttributeRow) -> str:
    length = "" if row.array_length is None else f"[{row.array_length or ''}]"
    marks = [word for word, has in (("alarm", row.alarm), ("history", row.historized)) if has]
    return "  ·  ".join([row.name, f"{row.data_type}{length}", *marks])
