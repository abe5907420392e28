"""The tree that suits the installation."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from .protocols import GalaxyTree

if TYPE_CHECKING:
    from .tree_fallback import SelectTree
    from .tree_widget import TreeWidget

__all__ = ["open_tree"]


def open_tree(source: GalaxyTree, *, height: int = 440) -> TreeWidget | SelectTree:
    """A widget that walks through a Galaxy; both kinds have `references`, `selected`, `on_select`, `refresh`, `clear`.

    Args:
        source: the Galaxy.
        height: in pixels.

    Returns:
        The tree; where anywidget is not installed, one list per level.
    """
    if find_spec("anywidget") is None:
        from .tree_fallback import SelectTree

        return SelectTree(source)
    from .tree_widget import TreeWidget

    return TreeWidget(source, height=height)
