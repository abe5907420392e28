from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from zb_mom_ww_mxgateway import to_mx_value
from zb_mom_ww_mxgateway.frames import EventTableBuilder
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.recording import Collection
from zb_mom_ww_mxgateway_cli.demo.files import CSV_COLUMNS, write_files
from zb_mom_ww_mxgateway_cli.demo.report import summary_document, summary_table
from zb_mom_ww_mxgateway_cli.demo.series import Series, all_series
from zb_mom_ww_mxgateway_cli.demo.trend import draw_trend

START = 1_767_592_800_000_000
Sample = tuple[float, Any] | tuple[float, Any, int]


def collection(tags: dict[str, list[Sample]]) -> Collection:
    """Samples of tags as (second, value) or (second, value, quality)."""
    events = []
    names = {(1, item): tag for item, tag in enumerate(tags, 1)}
    for item, samples in enumerate(tags.values(), 1):
        for second, value, *quality in samples:
            event = pb.MxEvent(
                family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE,
                server_handle=1,
                item_handle=item,
                quality=quality[0] if quality else 192,
                value=to_mx_value(value, allow_nonfinite=True),
                on_data_change=pb.OnDataChangeEvent(),
            )
            event.source_timestamp.FromMicroseconds(START + round(second * 1e6))
            event.gateway_receive_timestamp.FromMicroseconds(START + max(0, round(second * 1e6)))
            events.append((second, event))
    events.sort(key=lambda pair: pair[0])
    for number, (_, event) in enumerate(events, 1):
        event.worker_sequence = number
    builder = EventTableBuilder()
    builder.add([event.SerializeToString() for _, event in events], names)
    return Collection(builder.table(), tuple(tags), "seconds", seconds=10.0, endpoint="here:5000")


EVERYTHING = collection(
    {
        "Boiler.Pressure": [(-3600, 8.25), (2, 8.5), (4, None, 0), (6, 8.75, 64), (10, 9.0)],
        "Boiler.Running": [(0, True), (5, False), (7, True)],
        "Boiler.State": [(0, "Running"), (5, "Stopped"), (7, "$Odd_{\\state"), (8, "")],
        "Many.States": [(second / 4, f"state number {second}") for second in range(40)],
        "Meter.Energy": [(second, 993_241_372.25 + second / 4) for second in range(10)],
        "Odd.Numbers": [(0, math.nan), (3, math.inf), (5, 1.0)],
        "Line.Count": [(0, 7)],
        "Long.Waits": [(0, timedelta(seconds=90)), (3, timedelta(seconds=91))],
        "Some.Array": [(0, [1.0, 2.0])],
        "Some.Time": [(0, datetime(2026, 1, 1, tzinfo=UTC)), (4, datetime(2026, 1, 2, tzinfo=UTC))],
        "Never.Good": [(0, None, 0)],
        "Bytes.Are": [(0, b"raw")],
        "Ünïcode.日本語": [(0, 1.0), (9, 2.0)],
        "Area.With.Many.Levels.And.A.Name.That.Is.Rather.Long.Indeed.Value": [(0, -1.5), (9, 1e-9)],
    }
)


def test_the_table_is_aligned_and_tells_close_numbers_apart() -> None:
    lines = summary_table(EVERYTHING.summary()).splitlines()
    assert len(lines) == 2 + 14
    assert len(set(map(len, lines))) == 1
    assert lines[0].split() == ["tag", "events", "first", "last", "min", "mean", "max", "good"]
    cells = {line.split()[0]: line.split() for line in lines[2:]}
    assert cells["Meter.Energy"][2:4] == ["993241372.2", "993241374.5"]
    assert cells["Boiler.Running"][1:4] == ["3", "on", "on"]
    assert cells["Line.Count"][1:] == ["1", "7", "7", "7", "7", "7", "100%"]
    assert cells["Never.Good"][1:] == ["1", "0%"]
    assert cells["Boiler.Pressure"][-1] == "40%"


def test_an_empty_table_has_its_heading() -> None:
    assert summary_table(collection({}).summary()).splitlines()[0].startswith("tag  events")


def test_the_document_has_plain_values() -> None:
    document = summary_document(EVERYTHING, EVERYTHING.summary(), [Path("a") / "b.csv"])
    tags = {tag["tag"]: tag for tag in document["tags"]}
    assert tags["Boiler.Running"]["first"] is True
    assert tags["Line.Count"]["min"] == 7
    assert tags["Some.Array"]["first"] == [1.0, 2.0]
    assert tags["Some.Time"]["first"] == "2026-01-01T00:00:00Z"
    assert tags["Bytes.Are"]["first"] == b"raw".hex()
    assert tags["Never.Good"]["first"] is None
    assert tags["Never.Good"]["mean"] is None
    assert document["files"] == [Path("a") / "b.csv"]


def series(name: str) -> Series:
    found, _ = all_series(EVERYTHING)
    return next(each for each in found if each.tag == name)


def test_each_value_holds_until_the_next() -> None:
    begin = pd.Timestamp("2026-01-05T06:00:00Z")
    spans = [
        ((start - begin).total_seconds(), (end - begin).total_seconds(), value, quality)
        for start, end, value, quality in series("Boiler.Pressure").spans()
    ]
    # The value of an hour ago begins with the window; the last one holds to its end.
    assert spans == [(0, 2, 8.25, 192), (2, 4, 8.5, 192), (4, 6, None, 0), (6, 10, 8.75, 64), (10, 10, 9.0, 192)]


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("Boiler.Pressure", "number"),
        ("Line.Count", "number"),
        ("Long.Waits", "number"),
        ("Boiler.Running", "switch"),
        ("Boiler.State", "text"),
        ("Some.Array", "other"),
        ("Some.Time", "other"),
        ("Never.Good", "other"),
        ("Bytes.Are", "other"),
    ],
)
def test_kinds(tag: str, kind: str) -> None:
    assert series(tag).kind == kind


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"One.Tag": [(0, 1.0)]},
        {"One.Tag": [(0, 1.0), (3600 * 30, 2.0)]},
        {f"Tag_{n:03d}.PV": [(0, n), (n % 7, n + 1)] for n in range(1, 101)},
    ],
)
def test_every_picture_can_be_drawn(tmp_path: Path, tags: dict[str, list[Sample]]) -> None:
    draw_trend(collection(tags), tmp_path / "trend.png")
    assert (tmp_path / "trend.png").read_bytes().startswith(b"\x89PNG")


def test_the_files_of_everything(tmp_path: Path) -> None:
    files = write_files(EVERYTHING, tmp_path)
    assert [file.name for file in files] == ["events.parquet", "events.csv", "trend.png"]
    read = pd.read_csv(files[1], parse_dates=["time", "received"])
    assert tuple(read.columns) == CSV_COLUMNS
    assert str(read["time"].dtype).endswith("UTC]")
    assert len(read) == len(EVERYTHING)
    assert set(read["tag"]) == set(EVERYTHING.tags)
