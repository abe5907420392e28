"""The Galaxy as a tree: one widget model, whatever the size of the Galaxy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from .protocols import GalaxyTree
from .tree_messages import TreeMessages
from .tree_selection import KnownAttributes, TreeSelection

__all__ = ["TreeWidget"]

_HERE = Path(__file__).parent


class TreeWidget(TreeSelection, anywidget.AnyWidget):
    """A tree of the Galaxy's objects with the attributes of one beside it.

    Levels are fetched when they are opened, and only what is in sight is drawn. Keys in the tree: arrows, Home, End,
    the first letters of a name; Space opens and closes, Enter goes to the attributes. There, Space flips the choice and
    Enter adds to it.

    Args:
        source: the Galaxy.
        height: of the widget, in pixels.
        references: what is chosen at first.
    """

    _esm = _HERE / "tree.js"
    _css = _HERE / "tree.css"

    references = traitlets.List(traitlets.Unicode()).tag(sync=True)
    height = traitlets.Int(440, min=200).tag(sync=True)

    def __init__(self, source: GalaxyTree, *, height: int = 440, references: tuple[str, ...] | list[str] = ()) -> None:
        self._known = KnownAttributes(source)
        self._messages = TreeMessages(source, self._known)
        super().__init__(height=height, references=list(references))
        self.on_msg(self._on_message)

    def refresh(self) -> None:
        """Fetch everything anew, for example after a deploy. What is open and what is chosen stays."""
        self._messages.refresh()
        self.send({"type": "reset"})

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if content.get("type") == "refresh":
            self.refresh()
        else:
            self.send(self._messages.answer(content))
