"""Pages of a Galaxy listing to flat Arrow columns: with ptars, or with protobuf's own parser."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError

from ..generated import galaxy_repository_pb2 as pb
from .projection import FIELD, Projection, Shape

__all__ = ["ATTRIBUTE_FIELDS", "OBJECT_FIELDS", "GalaxyPageError", "Page", "PageDecoder", "page_decoder"]

#: Fields of `GalaxyObject` that a frame shows.
OBJECT_FIELDS = pa.schema(
    [
        ("gobject_id", pa.int32()),
        ("tag_name", pa.string()),
        ("contained_name", pa.string()),
        ("parent_gobject_id", pa.int32()),
        ("is_area", pa.bool_()),
        ("category_id", pa.int32()),
        ("hosted_by_gobject_id", pa.int32()),
        ("template_chain", pa.list_(pa.string())),
    ]
)

#: Fields of `GalaxyAttribute` that a frame shows.
ATTRIBUTE_FIELDS = pa.schema(
    [
        ("attribute_name", pa.string()),
        ("full_tag_reference", pa.string()),
        ("mx_data_type", pa.int32()),
        ("data_type_name", pa.string()),
        ("is_array", pa.bool_()),
        ("array_dimension", pa.int32()),
        ("array_dimension_present", pa.bool_()),
        ("mx_attribute_category", pa.int32()),
        ("security_classification", pa.int32()),
        ("is_historized", pa.bool_()),
        ("is_alarm", pa.bool_()),
    ]
)

_SHAPE: Shape = {
    "objects": {
        **dict.fromkeys(OBJECT_FIELDS.names, FIELD),
        "attributes": dict.fromkeys(ATTRIBUTE_FIELDS.names, FIELD),
    }
}


class GalaxyPageError(ValueError):
    """Bytes that are no `DiscoverHierarchyReply`: cut off, damaged, or of another type."""

    def __init__(self, length: int, reason: str) -> None:
        super().__init__(f"{length} bytes are not a serialized DiscoverHierarchyReply: {reason}")


class Page(NamedTuple):
    """One decoded page.

    Attributes:
        objects: `OBJECT_FIELDS`, one row per object; what the wire leaves out has its default.
        attributes: `ATTRIBUTE_FIELDS`, one row per attribute, object by object.
        owners: for each attribute the row of its object, int32.
    """

    objects: pa.RecordBatch
    attributes: pa.RecordBatch
    owners: np.ndarray[Any, np.dtype[np.int32]]


class PageDecoder(Protocol):
    """Turns a serialized page into columns.

    Attributes:
        name: what users call it.
    """

    name: str

    def decode(self, page: bytes) -> Page:
        """Decode a page.

        Raises:
            GalaxyPageError: the bytes are no page.
        """
        ...


class _UpbPages:
    """Decodes pages with the protobuf runtime and a loop per column."""

    name = "upb"

    def __init__(self, projection: Projection) -> None:
        self._projection = projection

    def decode(self, page: bytes) -> Page:
        try:
            reply: Any = self._projection.message_class.FromString(page)
        except DecodeError as error:
            raise GalaxyPageError(len(page), str(error)) from error
        has = self._projection.has
        objects = list(reply.objects) if has("objects") else []
        lists = [list(each.attributes) for each in objects] if has("objects", "attributes") else [[] for _ in objects]
        rows = [attribute for each in lists for attribute in each]
        owners = np.repeat(np.arange(len(objects), dtype=np.int32), [len(each) for each in lists])
        return Page(
            _batch(OBJECT_FIELDS, lambda name: [_plain(getattr(o, name)) for o in objects], len(objects), has, ()),
            _batch(ATTRIBUTE_FIELDS, lambda name: [getattr(a, name) for a in rows], len(rows), has, ("attributes",)),
            owners,
        )


class _PtarsPages:
    """Decodes pages with ptars: no Python object per object or attribute."""

    name = "ptars"

    def __init__(self, projection: Projection) -> None:
        import ptars

        self._projection = projection
        pool = ptars.HandlerPool([projection.descriptor.file], config=ptars.PtarsConfig(timestamp_unit="us"))
        self._handler: Any = pool.get_for_message(projection.descriptor)

    def decode(self, page: bytes) -> Page:
        try:
            batch = self._handler.list_to_record_batch([page])
        except BaseException as error:
            # 0.0.25 panics at a damaged length, and a panic of Rust code is a BaseException that cannot be imported.
            # protobuf's own parser has the last word.
            if not isinstance(error, ValueError) and type(error).__name__ != "PanicException":
                raise
            return _UpbPages(self._projection).decode(page)
        has = self._projection.has
        if not has("objects"):
            return _UpbPages(self._projection).decode(page)
        objects = batch.column(batch.schema.get_field_index("objects")).flatten()
        if not has("objects", "attributes"):
            attributes, owners = None, np.empty(0, np.int32)
        else:
            lists = objects.field("attributes")
            attributes = lists.flatten()
            owners = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int32)
        return Page(
            _batch(OBJECT_FIELDS, objects.field, len(objects), has, ()),
            _batch(
                ATTRIBUTE_FIELDS,
                attributes.field if attributes is not None else None,
                len(owners),
                has,
                ("attributes",),
            ),
            owners,
        )


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | str) else list(value)


def _batch(schema: pa.Schema, column: Any, rows: int, has: Any, below: tuple[str, ...]) -> pa.RecordBatch:
    """Columns in their types; the default of the type for a field that the contract lacks."""
    columns = []
    for field in schema:
        if not has("objects", *below, field.name):
            columns.append(_default(field.type, rows))
            continue
        values = column(field.name)
        if isinstance(values, list):
            values = pa.array(values, field.type)
        columns.append(values if values.type == field.type else values.cast(field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _default(kind: pa.DataType, rows: int) -> pa.Array:
    zero: Any = [] if pa.types.is_list(kind) else "" if pa.types.is_string(kind) else False
    return pa.array([zero if not pa.types.is_integer(kind) else 0] * rows, kind)


@cache
def page_decoder(name: Literal["auto", "ptars", "upb"]) -> PageDecoder:
    """The decoder of that name; "auto" is ptars where it can be imported.

    Raises:
        ImportError: "ptars" is asked for and cannot be imported.
        ValueError: there is no decoder of that name.
    """
    if name not in ("auto", "ptars", "upb"):
        raise ValueError(f"decoder must be 'auto', 'ptars' or 'upb', not {name!r}")
    projection = Projection(pb.DESCRIPTOR.message_types_by_name["DiscoverHierarchyReply"], _SHAPE)
    if name != "upb":
        try:
            return _PtarsPages(projection)
        except ImportError:
            if name == "ptars":
                raise
    return _UpbPages(projection)
