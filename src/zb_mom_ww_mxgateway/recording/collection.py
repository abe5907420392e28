"""What a collection brought, and why it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Literal, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import MxGatewayError
from ..frames import events_frame, tag_summary, wide_frame
from .event_store import DATA_CHANGES
from .sequence import Gap
from .window import Window, collection_window

__all__ = ["Collection", "EndedBy"]

#: Why a collection ended: its time, its count, `Collector.stop`, cancellation, the gateway, an error.
EndedBy: TypeAlias = Literal["running", "seconds", "events", "stopped", "interrupted", "stream end", "stream error"]

_UNKNOWN_TAG = "CONFIGURATION_ERROR"


@dataclass(frozen=True, slots=True, repr=False)
class Collection:
    """The events of some tags.

    Attributes:
        table: one row per event in stream order, `frames.EVENT_SCHEMA`.
        tags: what was asked for, without those that the gateway refused.
        ended_by: see `EndedBy`; "running" when asked for before the end.
        error: the error that ended the stream; None without one.
        refused: tag to message: refused by the gateway, or answered by MXAccess with a configuration error, which is
            how it says that there is no such tag.
        gaps: events that were lost on the way.
        seconds: how long it took, by its pace.
        endpoint: the gateway.
        corrupt: events that could not be decoded.
    """

    table: pa.Table
    tags: tuple[str, ...]
    ended_by: EndedBy
    error: MxGatewayError | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    seconds: float = 0.0
    endpoint: str = ""
    corrupt: int = 0

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        text = f"Collection({len(self)} events of {len(self.tags)} tags from {self.endpoint}, ended by {self.ended_by}"
        extras = [f"{len(each)} {name}" for name, each in (("refused", self.refused), ("gaps", self.gaps)) if each]
        if self.silent:
            extras.append(f"{len(self.silent)} silent")
        return ", ".join([text, *extras]) + ")"

    @property
    def silent(self) -> tuple[str, ...]:
        """The subscribed tags of which nothing came, in the order asked for."""
        came = set(self.table.column("tag").unique().to_pylist())
        return tuple(tag for tag in self.tags if tag not in came)

    @property
    def attrs(self) -> dict[str, Any]:
        """What the frames carry in `DataFrame.attrs`: plain values that fit into the metadata of a Parquet file."""
        return {
            "endpoint": self.endpoint,
            "ended_by": self.ended_by,
            "error": None if self.error is None else str(self.error),
            "seconds": round(self.seconds, 3),
            "refused": dict(self.refused),
            "silent": list(self.silent),
            "gaps": [{"after": gap.after, "before": gap.before, "reason": gap.reason} for gap in self.gaps],
            "corrupt": self.corrupt,
        }

    def frame(self, tz: str | tzinfo = "UTC") -> pd.DataFrame:
        """The events in long form, one row per event; see `frames.events_frame`."""
        return self._described(events_frame(self.table, tz=tz))

    def wide(self, tz: str | tzinfo = "UTC") -> pd.DataFrame:
        """One column per tag, indexed by source time; see `frames.wide_frame`."""
        return self._described(wide_frame(self.table, tz=tz))

    def samples(self) -> pd.DataFrame:
        """The data changes that have a time, in long form, in UTC."""
        frame = self.frame()
        return frame[frame["family"].isin(DATA_CHANGES) & frame["time"].notna()]

    def window(self) -> Window | None:
        """The time that the collection covers, by the clocks of the plant; None when it is empty."""
        return collection_window(self.samples())

    def summary(self) -> pd.DataFrame:
        """One line per tag with its events, values and quality; see `frames.tag_summary`.

        The value that stood when the collection began counts from then on, and not from its last change, which may be
        days before; `first_time` still says when that was.
        """
        samples = self.samples()
        span = collection_window(samples)
        summary = tag_summary(samples)
        if span is not None:
            time = samples["time"].where(samples["time"] >= span.start, span.start)
            inside = tag_summary(samples.assign(time=time))
            summary = inside.assign(first_time=summary["first_time"], last_time=summary["last_time"])
        return self._described(summary)

    def status(self) -> pd.DataFrame:
        """One row per tag that was asked for: `tag`, `events`, `status` ("ok", "silent", "refused"), `message`."""
        counts = self.table.column("tag").value_counts().to_pylist()
        events = {row["values"]: row["counts"] for row in counts}
        rows = []
        for tag in dict.fromkeys((*self.tags, *self.refused)):
            state = "refused" if tag in self.refused else "silent" if tag in self.silent else "ok"
            message = self.refused.get(tag, "nothing has come" if state == "silent" else "")
            rows.append({"tag": tag, "events": events.get(tag, 0), "status": state, "message": message})
        return self._described(pd.DataFrame(rows, columns=["tag", "events", "status", "message"]))

    def raise_for_error(self) -> None:
        """Raise the error that ended the collection, if one did."""
        if self.error is not None:
            raise self.error

    def _described(self, frame: pd.DataFrame) -> pd.DataFrame:
        frame.attrs.update(self.attrs)
        return frame


def unknown_tags(table: pa.Table) -> dict[str, str]:
    """The tags all of whose events carry a configuration error, with that status in words."""
    category = table.column("status_category").cast(pa.string())
    wrong = pc.fill_null(pc.equal(category, _UNKNOWN_TAG), False)
    suspects = table.filter(wrong)
    if not suspects.num_rows:
        return {}
    fine = set(table.filter(pc.invert(wrong)).column("tag").unique().to_pylist())
    found: dict[str, str] = {}
    for tag, detail in zip(
        suspects.column("tag").to_pylist(), suspects.column("status_detail").to_pylist(), strict=True
    ):
        if tag not in fine:
            found.setdefault(
                tag,
                f"MXAccess answers with {_UNKNOWN_TAG} detail {detail}: is there such a tag in the Galaxy, "
                "and is its object deployed?",
            )
    return found
