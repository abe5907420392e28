"""The demo's files: Parquet for programs, CSV for spreadsheets, a picture for people."""

from __future__ import annotations

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
    """Write `events.parquet`, `events.csv` and `trend.png`, and return their paths in this order."""
    import pyarrow.parquet as pq

    from .trend import draw_trend

    parquet, csv, picture = (directory / name for name in ("events.parquet", "events.csv", "trend.png"))
    pq.write_table(collection.table, parquet, compression="zstd")
    frame = collection.frame()[list(CSV_COLUMNS)]
    for name in ("time", "received"):
        frame[name] = [
            None if time is None else time.isoformat()
            for time in frame[name].astype(object).where(frame[name].notna(), None)
        ]
    frame.to_csv(csv, index=False, encoding="utf-8", lineterminator="\n")
    draw_trend(collection, picture)
    return [parquet, csv, picture]
