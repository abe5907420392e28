"""The Galaxy's tables as pandas DataFrames."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from .galaxy import GalaxySnapshot
from .galaxy_schema import require

__all__ = ["attribute_frame", "galaxy_frame", "hierarchy_frame"]


def hierarchy_frame(galaxy: GalaxySnapshot | pa.Table) -> pd.DataFrame:
    """One row per object, in listing order.

    Args:
        galaxy: a snapshot, or its `hierarchy` table, whole or in part.

    Returns:
        The columns of `HIERARCHY_SCHEMA` with a plain `RangeIndex`. What repeats is categorical with sorted categories;
        everything else is Arrow-backed, so that a missing integer stays an integer. An empty Galaxy gives an empty
        frame with all columns.

    Raises:
        GalaxyTableError: a ValueError; the table is none of objects.
    """
    table = galaxy.hierarchy if isinstance(galaxy, GalaxySnapshot) else galaxy
    require(table, ("gobject_id", "tag_name"), "a frame of objects")
    return galaxy_frame(table)


def attribute_frame(galaxy: GalaxySnapshot | pa.Table) -> pd.DataFrame:
    """One row per attribute, object by object in listing order.

    Args:
        galaxy: a snapshot, or its `attributes` table, whole or in part.

    Returns:
        The columns of `ATTRIBUTE_SCHEMA`, typed as in `hierarchy_frame`.

    Raises:
        GalaxyTableError: a ValueError; the table is none of attributes.
    """
    table = galaxy.attributes if isinstance(galaxy, GalaxySnapshot) else galaxy
    require(table, ("full_tag_reference",), "a frame of attributes")
    return galaxy_frame(table)


def galaxy_frame(table: pa.Table) -> pd.DataFrame:
    """Any table of the Galaxy as a frame."""
    frame: pd.DataFrame = table.unify_dictionaries().to_pandas(types_mapper=_pandas_type, ignore_metadata=True)
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            used = column.cat.remove_unused_categories().cat.categories
            frame[name] = column.cat.set_categories(used.sort_values())
    return frame


def _pandas_type(arrow: pa.DataType) -> Any:
    return None if pa.types.is_dictionary(arrow) else pd.ArrowDtype(arrow)
