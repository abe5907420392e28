"""Load a Galaxy into tables, search it, and keep it in a file.

A listing is of one deploy or it is an error: pages of two deploys never meet in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Unpack

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import GalaxyChangedError, GalaxyError
from ..frames.galaxy import GalaxySnapshot, GalaxyTableBuilder
from ..frames.galaxy_decode import GalaxyPageError
from ..frames.galaxy_find import TagFilter, find
from ..frames.galaxy_schema import ATTRIBUTE_SCHEMA, HIERARCHY_SCHEMA, GalaxyTableError
from ..galaxy import LISTING_ATTEMPTS, GalaxyRepositoryClient, HierarchyFilter

__all__ = ["find_tags", "load_galaxy", "read_galaxy", "save_galaxy"]

#: Called with the objects read so far and the total; it starts over at 0 when a deploy starts the listing over.
Progress = Callable[[int, int], None]


async def read_galaxy(
    galaxy: GalaxyRepositoryClient,
    *,
    page_size: int = 0,
    attempts: int = LISTING_ATTEMPTS,
    progress: Progress | None = None,
    decoder: Literal["auto", "ptars", "upb"] = "auto",
    **filters: Unpack[HierarchyFilter],
) -> GalaxySnapshot:
    """Load the Galaxy, or a part of it, into tables, page by page.

    Args:
        galaxy: a client whose key has the scope `metadata:read`.
        page_size: objects per page; 0 is the gateway's default (1,000), 5,000 the most.
        attempts: how often at most the listing is made, when deploys end it.
        progress: called on the event loop after each page.
        decoder: see `GalaxyTableBuilder`.
        **filters: see `HierarchyFilter`; with `include_attributes=False` there are objects only. For the names and
            paths of what lies above the filtered objects, the tree is listed once more without attributes.

    Returns:
        A snapshot of one deploy, which it names; empty tables for an empty Galaxy.

    Raises:
        GalaxyNotFoundError: the root does not exist.
        GalaxyChangedError: deploys kept ending the listing.
        GalaxyError: a page is damaged.
        MxGatewayAuthorizationError: the key lacks `metadata:read`.
        ValueError: `attempts` is below 1, or `page_size` out of range.
    """
    if attempts < 1:
        raise ValueError(f"attempts={attempts} must be at least 1")
    given = {name: value for name, value in filters.items() if value is not None}
    for attempt in range(1, attempts + 1):
        try:
            before = await galaxy.get_last_deploy_time()
            builder = GalaxyTableBuilder(decoder=decoder, with_attributes=bool(given.get("include_attributes", True)))
            await _read(galaxy, builder, page_size, filters, progress)
            # The tokens tie the pages together; this ties them to the deploy time that the snapshot tells.
            if await galaxy.get_last_deploy_time() != before:
                raise GalaxyChangedError(
                    f"the Galaxy was deployed while it was listed (after {builder.objects} objects)"
                )
            return builder.snapshot(
                deploy_time=before,
                endpoint=str(galaxy.options.address),
                filters=_as_json(given),
            )
        except GalaxyChangedError as error:
            if attempt == attempts:
                raise GalaxyChangedError(
                    f"the Galaxy was deployed during each of {attempts} listings: wait for the deploys to end",
                    code=error.code,
                    details=error.details,
                ) from error
    raise AssertionError("unreachable")


def _as_json(filters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, str | int) else list(value) for name, value in filters.items()}


async def _read(
    galaxy: GalaxyRepositoryClient,
    builder: GalaxyTableBuilder,
    page_size: int,
    filters: HierarchyFilter,
    progress: Progress | None,
) -> None:
    """All pages of one listing, and the names of what lies above its objects."""
    try:
        async for page in galaxy.iter_raw_pages(page_size=page_size, **filters):
            builder.add(page.data)
            if progress is not None:
                progress(builder.objects, max(builder.objects, page.total_object_count))
        # An unfiltered listing holds all that there is to see: what it lacks, the key may not see.
        if filters and builder.unknown():
            async for page in galaxy.iter_raw_pages(page_size=page_size, include_attributes=False):
                builder.add_context(page.data)
    except GalaxyPageError as error:
        raise GalaxyError(f"a page of the Galaxy is damaged (after {builder.objects} objects): {error}") from error


async def find_tags(
    galaxy: GalaxyRepositoryClient, glob: str | Sequence[str] | None = None, **filters: Unpack[TagFilter]
) -> pd.DataFrame:
    """Search a gateway's Galaxy for tags; what the gateway can filter is not even sent.

    Args:
        galaxy: a client whose key has the scope `metadata:read`.
        glob: over references; see `find`.
        **filters: see `TagFilter`.

    Returns:
        As `find`: one row per attribute, whose `full_tag_reference` goes into `collect_events` and `read_bulk`.

    Raises:
        ValueError: as `find`.
        TypeError: as `find`.
        GalaxyChangedError: deploys kept ending the listing.
    """
    # A mistake in the filters must show before the whole Galaxy was read.
    find(ATTRIBUTE_SCHEMA.empty_table(), glob, **filters)
    narrowed: HierarchyFilter = {}
    if filters.get("historized"):
        narrowed["historized_only"] = True
    if filters.get("alarm"):
        narrowed["alarm_bearing_only"] = True
    objects = _object_glob(glob)
    if objects is not None:
        narrowed["tag_name_glob"] = objects
    return find(await read_galaxy(galaxy, **narrowed), glob, **filters)


def _object_glob(glob: str | Sequence[str] | None) -> str | None:
    """The glob of tag names that is implied by one of references; None where there is none that loses nothing.

    A wildcard may stand for the dot between object and attribute, so that only a name without wildcards, or with a
    star at its end, says what the object must be called.
    """
    if not isinstance(glob, str) or "." not in glob:
        return None
    name = glob.partition(".")[0]
    literal = name.removesuffix("*")
    if not literal or "*" in literal or "?" in literal:
        return None
    return name


def save_galaxy(snapshot: GalaxySnapshot, path: str | Path) -> Path:
    """Keep a snapshot in one Parquet file, such as `galaxy-2026-01-05.parquet`.

    Its rows are the objects, then the attributes; the column `record` says which ("object" or "attribute"). A column
    that only the others have is null. Other tools read it as any Parquet file.

    Args:
        snapshot: deploy time, endpoint and filters are kept with it. An API key is in none of them.
        path: replaced when it exists, but only when the new file is complete.

    Returns:
        The path.
    """
    target = Path(path)
    parts = [
        table.append_column("record", pa.array([record] * table.num_rows, pa.string()).dictionary_encode())
        for record, table in (("object", _coded(snapshot.hierarchy)), ("attribute", snapshot.attributes))
    ]
    whole = pa.concat_tables([part.replace_schema_metadata(None) for part in parts], promote_options="default")
    part = target.with_name(f"{target.name}.part")
    try:
        pq.write_table(whole.replace_schema_metadata(snapshot.metadata()), part, compression="zstd")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _coded(hierarchy: pa.Table) -> pa.Table:
    """The objects with their tag names as the attributes have them, as a dictionary."""
    place = hierarchy.schema.get_field_index("tag_name")
    return hierarchy.set_column(place, "tag_name", hierarchy.column("tag_name").dictionary_encode())


def load_galaxy(path: str | Path) -> GalaxySnapshot:
    """Read a snapshot that `save_galaxy` kept.

    Raises:
        FileNotFoundError: there is no such file.
        GalaxyTableError: a ValueError; the file is no snapshot of a Galaxy, or is cut off.
    """
    try:
        with pq.ParquetFile(Path(path)) as file:
            whole = file.read()
    except pa.ArrowInvalid as error:
        raise GalaxyTableError(f"{path} is no saved Galaxy: it cannot be read as Parquet ({error})") from error
    wanted = {"record", *HIERARCHY_SCHEMA.names, *ATTRIBUTE_SCHEMA.names}
    metadata = whole.schema.metadata
    if wanted - set(whole.schema.names):
        raise GalaxyTableError(f"{path} is no saved Galaxy: its columns are {', '.join(whole.schema.names) or 'none'}")
    try:
        tables = [
            whole.filter(pc.equal(whole.column("record").cast(pa.string()), record))
            .select(schema.names)
            .cast(schema.with_metadata(None))
            .unify_dictionaries()
            for record, schema in (("object", HIERARCHY_SCHEMA), ("attribute", ATTRIBUTE_SCHEMA))
        ]
        bare = GalaxySnapshot.of(tables[0], tables[1], metadata)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, GalaxyTableError) as error:
        raise GalaxyTableError(f"{path} is no saved Galaxy: {error}") from error
    hierarchy, attributes = (table.replace_schema_metadata(bare.metadata()) for table in tables)
    return replace(bare, hierarchy=hierarchy, attributes=attributes)
