"""The Galaxy as two Arrow tables: its objects and their attributes, decoded page by page from bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .galaxy_decode import Page, page_decoder
from .galaxy_schema import (
    ATTRIBUTE_SCHEMA,
    HIERARCHY_SCHEMA,
    NAME,
    OBJECT_CATEGORIES,
    SECURITY_CLASSIFICATIONS,
    GalaxyTableError,
    names_of_data_types,
)
from .galaxy_tree import GalaxyTree

__all__ = ["GalaxySnapshot", "GalaxyTableBuilder", "galaxy_tables"]

_KEY = b"mxgateway.galaxy"
_FAIR_ROWS = 4096
#: Columns of the attribute table that belong to the object.
_OF_OBJECT = ("gobject_id", "tag_name", "area", "area_path", "template", "template_chain")


@dataclass(frozen=True)
class GalaxySnapshot:
    """A Galaxy as it was after one deploy.

    Attributes:
        hierarchy: `HIERARCHY_SCHEMA`, one row per object.
        attributes: `ATTRIBUTE_SCHEMA`, one row per attribute.
        deploy_time: when it was deployed (aware, UTC); None when that is not known or it never was.
        endpoint: the gateway that it came from, "host:port"; empty when that is not known.
        filters: what narrowed the listing, as JSON values; empty for the whole Galaxy.
    """

    hierarchy: pa.Table
    attributes: pa.Table
    deploy_time: datetime | None = None
    endpoint: str = ""
    filters: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        when = "unknown" if self.deploy_time is None else self.deploy_time.isoformat()
        rows = f"{self.hierarchy.num_rows} objects, {self.attributes.num_rows} attributes"
        return f"GalaxySnapshot({rows}, deployed {when}, from {self.endpoint or 'unknown'})"

    def metadata(self) -> dict[bytes, bytes]:
        """Where the tables come from, as the metadata of an Arrow schema."""
        about = {
            "deploy_time": None if self.deploy_time is None else self.deploy_time.isoformat(),
            "endpoint": self.endpoint,
            "filters": dict(self.filters or {}),
        }
        return {_KEY: json.dumps(about, sort_keys=True).encode()}

    @classmethod
    def of(cls, hierarchy: pa.Table, attributes: pa.Table, metadata: Mapping[bytes, bytes] | None) -> GalaxySnapshot:
        """The snapshot of two tables and what `metadata` made.

        Raises:
            GalaxyTableError: the metadata is not that of a snapshot.
        """
        try:
            about = json.loads((metadata or {})[_KEY])
            when = about["deploy_time"]
            time = None if when is None else datetime.fromisoformat(when)
            return cls(hierarchy, attributes, time, about["endpoint"], about["filters"])
        except (KeyError, TypeError, ValueError) as error:
            raise GalaxyTableError("no snapshot of a Galaxy: it does not say of which deploy it is") from error


class GalaxyTableBuilder:
    """Collects the pages of one listing into tables.

    Args:
        decoder: "ptars" (fast), "upb" (needs nothing but protobuf; equal results), or "auto": ptars where it can be
            imported.
        with_attributes: False for a listing without attributes: the counts are null then, and not 0.

    Attributes:
        objects: objects so far.

    Raises:
        ImportError: "ptars" is asked for and cannot be imported.
        ValueError: the decoder's name is none of the three.
    """

    def __init__(self, *, decoder: Literal["auto", "ptars", "upb"] = "auto", with_attributes: bool = True) -> None:
        self._decoder = page_decoder(decoder)
        self._with_attributes = with_attributes
        self._tree = GalaxyTree()
        self._objects: list[pa.RecordBatch] = []
        self._counts: list[pa.RecordBatch] = []
        self._attributes: list[pa.RecordBatch] = []
        self.objects = 0

    @property
    def decoder(self) -> str:
        """Name of the decoder in use: "ptars" or "upb"."""
        return self._decoder.name

    def add(self, page: bytes) -> None:
        """Decode a serialized `DiscoverHierarchyReply` and add its objects.

        Raises:
            GalaxyPageError: a ValueError; the bytes are none.
        """
        decoded = self._decoder.decode(page)
        self._know(decoded)
        self._objects.append(decoded.objects)
        self._counts.append(_counts(decoded))
        self._attributes.append(_compact(decoded, self.objects))
        self.objects += decoded.objects.num_rows

    def add_context(self, page: bytes) -> None:
        """Decode a page of objects that are no rows, but whose names are needed: parents, areas, hosts.

        Raises:
            GalaxyPageError: a ValueError; the bytes are no page.
        """
        self._know(self._decoder.decode(page))

    def unknown(self) -> set[int]:
        """Ids of parents and hosts that the objects so far name and that were not added."""
        ids: set[int] = set()
        for batch in self._objects:
            ids.update(batch.column("parent_gobject_id").to_pylist(), batch.column("hosted_by_gobject_id").to_pylist())
        return self._tree.unknown(ids)

    def snapshot(
        self, *, deploy_time: datetime | None = None, endpoint: str = "", filters: Mapping[str, Any] | None = None
    ) -> GalaxySnapshot:
        """The tables of what was added so far; with all columns when that is nothing."""
        hierarchy = self._hierarchy()
        attributes = _packed(self._attribute_table(hierarchy))
        about = GalaxySnapshot(hierarchy, attributes, deploy_time, endpoint, filters).metadata()
        return GalaxySnapshot(
            hierarchy.replace_schema_metadata(about),
            attributes.replace_schema_metadata(about),
            deploy_time,
            endpoint,
            filters,
        )

    def _know(self, page: Page) -> None:
        names = ("gobject_id", "tag_name", "contained_name", "parent_gobject_id", "is_area")
        self._tree.add(*(page.objects.column(name).to_pylist() for name in names))

    def _hierarchy(self) -> pa.Table:
        if not self._objects:
            return HIERARCHY_SCHEMA.empty_table()
        table = pa.Table.from_batches(self._objects).combine_chunks()
        tree = self._tree
        ids, parents = table.column("gobject_id").to_pylist(), table.column("parent_gobject_id").to_pylist()
        hosts = table.column("hosted_by_gobject_id").to_pylist()
        places = [tree.place(each) for each in ids]
        chain = table.column("template_chain").combine_chunks()
        counts = pa.Table.from_batches(self._counts)
        if not self._with_attributes:
            counts = pa.table({name: pa.nulls(len(ids), pa.int32()) for name in counts.schema.names})
        columns: dict[str, Any] = {
            **{name: table.column(name) for name in table.schema.names},
            "path": [place.path for place in places],
            "depth": [place.depth for place in places],
            "parent": [tree.tag_name(each) for each in parents],
            "area_gobject_id": [place.area_id for place in places],
            "area": [tree.tag_name(place.area_id) for place in places],
            "area_path": [place.area_path for place in places],
            "category": _named(table.column("category_id"), OBJECT_CATEGORIES),
            "template": _first(chain),
            "template_chain": _joined(chain),
            "host_gobject_id": table.column("hosted_by_gobject_id"),
            "host": [tree.tag_name(each) for each in hosts],
            **{name: counts.column(name) for name in counts.schema.names},
        }
        return pa.Table.from_arrays(
            [_typed(columns[f.name], f.type) for f in HIERARCHY_SCHEMA], schema=HIERARCHY_SCHEMA
        )

    def _attribute_table(self, hierarchy: pa.Table) -> pa.Table:
        if not self._attributes:
            return ATTRIBUTE_SCHEMA.empty_table()
        # Once per object, not once per attribute: an attribute gets a copy of its object's code in each dictionary.
        objects = {name: _typed(hierarchy.column(name), ATTRIBUTE_SCHEMA.field(name).type) for name in _OF_OBJECT}
        objects = {name: column.combine_chunks() for name, column in objects.items()}
        batches = []
        for batch in self._attributes:
            owners = batch.column("owner")
            columns = {name: column.take(owners) for name, column in objects.items()}
            columns |= {name: batch.column(name) for name in batch.schema.names}
            batches.append(
                pa.RecordBatch.from_arrays([columns[name] for name in ATTRIBUTE_SCHEMA.names], schema=ATTRIBUTE_SCHEMA)
            )
        return pa.Table.from_batches(batches, schema=ATTRIBUTE_SCHEMA).unify_dictionaries()


def galaxy_tables(pages: Iterable[bytes], *, decoder: Literal["auto", "ptars", "upb"] = "auto") -> GalaxySnapshot:
    """Decode the pages of one listing, in order.

    Args:
        pages: serialized `DiscoverHierarchyReply` messages, all of one deploy.
        decoder: "ptars", "upb" or "auto"; see `GalaxyTableBuilder`.

    Raises:
        GalaxyPageError: a ValueError; a page is none.
    """
    builder = GalaxyTableBuilder(decoder=decoder)
    for page in pages:
        builder.add(page)
    return builder.snapshot()


def _compact(page: Page, first: int) -> pa.RecordBatch:
    """The attributes of a page in their final columns, beside the row of the object that each belongs to."""
    rows = page.attributes
    length = pc.if_else(
        rows.column("array_dimension_present"), rows.column("array_dimension"), pa.scalar(-1, pa.int32())
    )
    type_names, numbers = rows.column("data_type_name"), rows.column("mx_data_type")
    nameless = pc.equal(type_names, "")
    if pc.any(nameless).as_py():
        type_names = pc.if_else(nameless, _named(numbers, names_of_data_types()).cast(pa.string()), type_names)
    columns = {
        "owner": pa.array(page.owners + np.int32(first)),
        "attribute": rows.column("attribute_name").dictionary_encode(),
        "full_tag_reference": rows.column("full_tag_reference"),
        "data_type": type_names.dictionary_encode(),
        "array_length": pc.if_else(rows.column("is_array"), length, pa.scalar(None, pa.int32())),
        "attribute_category": _named(rows.column("mx_attribute_category"), {}),
        "security": _named(rows.column("security_classification"), SECURITY_CLASSIFICATIONS),
        "historized": rows.column("is_historized"),
        "alarm": rows.column("is_alarm"),
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _counts(page: Page) -> pa.RecordBatch:
    """Per object: attributes, those with an alarm, those with history."""
    rows = page.objects.num_rows

    def count(flag: str | None) -> pa.Array:
        owners = page.owners
        if flag is not None:
            owners = owners[page.attributes.column(flag).to_numpy(zero_copy_only=False)]
        return pa.array(np.bincount(owners, minlength=rows).astype(np.int32), pa.int32())

    counts = {"attribute_count": None, "alarm_count": "is_alarm", "historized_count": "is_historized"}
    return pa.RecordBatch.from_arrays([count(flag) for flag in counts.values()], names=list(counts))


def _named(numbers: Any, names: Mapping[int, str]) -> Any:
    """Numbers as a dictionary column of names; an unknown number is its own text."""
    if isinstance(numbers, pa.ChunkedArray):
        numbers = numbers.combine_chunks()
    coded = numbers.dictionary_encode()
    texts = pa.array([names.get(number, str(number)) for number in coded.dictionary.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(coded.indices, texts)


def _first(chain: pa.ListArray) -> pa.Array:
    """The first member of each list; null for an empty one."""
    there = pc.greater(pc.list_value_length(chain), 0)
    starts = pc.if_else(there, chain.offsets[: len(chain)], pa.scalar(None, pa.int32()))
    return chain.values.take(starts)


def _joined(chain: pa.ListArray) -> pa.Array:
    """The members of each list joined by `/`; null for an empty one."""
    there = pc.greater(pc.list_value_length(chain), 0)
    return pc.if_else(there, pc.binary_join(chain, "/"), pa.scalar(None, pa.string()))


def _typed(values: Any, kind: pa.DataType) -> Any:
    if isinstance(values, list):
        values = pa.array(values, pa.string() if kind == NAME else kind)
    if values.type == kind:
        return values
    return values.dictionary_encode() if kind == NAME else values.cast(kind)


def _packed(table: pa.Table) -> pa.Table:
    """Many small chunks put together: each costs more than its rows."""
    chunks = table.column(0).num_chunks
    return table.combine_chunks() if chunks > 1 and table.num_rows < chunks * _FAIR_ROWS else table
