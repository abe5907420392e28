"""The attributes that are chosen in a tree, whatever the tree looks like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import MxGatewayError
from .protocols import AttributeRow, GalaxyTree

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "KnownAttributes", "TreeSelection"]

#: The columns of `selected`.
COLUMNS = ("tag", "object", "attribute", "data_type", "alarm", "historized")


class KnownAttributes:
    """What the tree has seen of attributes, by reference.

    Args:
        source: asked for references that nobody has shown yet.
    """

    def __init__(self, source: GalaxyTree) -> None:
        self._source = source
        self._known: dict[str, AttributeRow | None] = {}

    def add(self, rows: Sequence[AttributeRow]) -> None:
        """Remember attributes."""
        self._known.update((row.reference, row) for row in rows)

    def frame(self, references: Sequence[str]) -> pd.DataFrame:
        """One row per reference, in the order given; columns as in `COLUMNS`.

        What is not known of a reference (it is not in the Galaxy, or nobody answers) is missing.
        """
        import pandas as pd

        rows = [self._row(reference) for reference in references]
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        return frame.astype({name: "boolean" if name in ("alarm", "historized") else "string" for name in COLUMNS})

    def _row(self, reference: str) -> tuple[Any, ...]:
        owner, _, name = reference.partition(".")
        known = self._known.get(reference) or self._look_up(reference)
        if known is None:
            return reference, owner, name, None, None, None
        return reference, owner, known.name, known.data_type, known.alarm, known.historized

    def _look_up(self, reference: str) -> AttributeRow | None:
        if reference in self._known or "." not in reference:
            return None
        try:
            found = self._source.search(reference, 50).found
        except MxGatewayError:
            # Nobody answers: ask again next time.
            return None
        rows = [match.attribute for match in found if match.attribute is not None]
        self._known[reference] = next((row for row in rows if row.reference == reference), None)
        return self._known[reference]


class TreeSelection:
    """What every tree offers: `references`, `selected`, `on_select`.

    Attributes:
        references: the chosen references in the order of choice; a traitlet, so it can be set and observed.
    """

    references: Any
    observe: Callable[..., None]
    _known: KnownAttributes

    @property
    def selected(self) -> pd.DataFrame:
        """The chosen attributes: `tag`, `object`, `attribute`, `data_type`, `alarm`, `historized`."""
        return self._known.frame(self.references)

    def on_select(self, callback: Callable[[pd.DataFrame], object]) -> None:
        """Call `callback(selected)` whenever the choice changes."""
        self.observe(lambda _: callback(self.selected), names="references")

    def clear(self) -> None:
        """Choose nothing."""
        self.references = []
