"""The demo's files: Parquet for programs, CSV for spreadsheets, a picture for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.recording import Collection

__all__ = ["CSV_COLUMNS", "make_directory", "write_files"]

#: Of the long form; the typed value columns of the Parquet file say the same as `value`.
CSV_COLUMNS = (
    "time",
    "tag",
    "value",
    "value_type",
    "quality",
    "good",
    "status_category",
    "status_detail",
    "sequence",
    "received",
)


def make_directory(path: Path) -> None:
    """Make the directory, if need be, before anything is collected for it.

    Raises:
        OSError: it cannot be made, or not be written to.
    """
    path.mkdir(parents=True, exist_ok=True)
    probe = path / ".write-test"
    probe.touch()
    probe.unlink()


def write_files(collection: Collection, directory: Path) -> list[Path]:
    """Write `events.parquet`, `events.csv` and `trend.png`, and return their paths in this order.

    The Parquet file's metadata say under `mxgateway.collection` where the events come from and why they end (JSON).
    """
    import pyarrow.parquet as pq

    from .trend import draw_trend

    parquet, csv, picture = (directory / name for name in ("events.parquet", "events.csv", "trend.png"))
    metadata = {**(collection.table.schema.metadata or {}), b"mxgateway.collection": json.dumps(collection.attrs)}
    pq.write_table(collection.table.replace_schema_metadata(metadata), parquet, compression="zstd")
    frame = collection.frame()[list(CSV_COLUMNS)]
    for name in ("time", "received"):
        # All with microseconds: readers guess the format from the first line.
        frame[name] = frame[name].map(lambda time: time.isoformat(timespec="microseconds"), na_action="ignore")
    frame.to_csv(csv, index=False, encoding="utf-8", lineterminator="\n")
    draw_trend(collection, picture)
    return [parquet, csv, picture]
