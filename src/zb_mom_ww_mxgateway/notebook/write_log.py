"""What was written through a form, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from ..values import MxValueInput
from .write_inputs import shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WriteRecord", "log_frame", "log_html"]


_GOOD = '<td class="mxw-good">✓'
_BAD = '<td class="mxw-bad">✕'


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """One write.

    Attributes:
        time: when it was answered (aware).
        tag: what was written to.
        old: the value before, as it was when the write was reviewed.
        new: the value written.
        ok: whether the plant took it.
        result: what the plant said.
    """

    time: datetime
    tag: str
    old: MxValueInput
    new: MxValueInput
    ok: bool
    result: str


def log_frame(records: Sequence[WriteRecord]) -> pd.DataFrame:
    """The writes as a frame, oldest first."""
    import pandas as pd

    columns = ["time", "tag", "old", "new", "ok", "result"]
    frame = pd.DataFrame([asdict(record) for record in records], columns=columns)
    return frame.astype({"time": "datetime64[us, UTC]", "tag": "string", "ok": "bool", "result": "string"})


def log_html(records: Sequence[WriteRecord]) -> str:
    """The writes as a table, newest first."""
    if not records:
        return '<p class="mxw-dim">Nothing was written yet.</p>'
    head = "".join(f"<th>{name}</th>" for name in ("Time", "Tag", "Old", "New", "Result"))
    rows = "".join(
        f"<tr><td>{record.time.astimezone():%H:%M:%S}</td><td>{escape(record.tag)}</td>"
        f"<td>{escape(shown(record.old, 40))}</td><td>{escape(shown(record.new, 40))}</td>"
        f"{_GOOD if record.ok else _BAD} {escape(record.result)}</td></tr>"
        for record in reversed(records)
    )
    return f'<table class="mxw-log"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
