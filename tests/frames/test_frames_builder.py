"""Building a table batch by batch; choosing a decoder; replay gaps."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from frames.frame_messages import event
from zb_mom_ww_mxgateway.frames import (
    EVENT_SCHEMA,
    EventDecodeError,
    EventTableBuilder,
    ReplayGap,
    events_table,
    replay_gaps,
)
from zb_mom_ww_mxgateway.frames import events as events_module
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb


def gap(requested: int, oldest: int) -> bytes:
    return pb.MxEvent(
        replay_gap=pb.ReplayGap(requested_after_sequence=requested, oldest_available_sequence=oldest)
    ).SerializeToString()


@pytest.fixture
def _without_ptars(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "ptars", None)
    monkeypatch.delitem(sys.modules, "zb_mom_ww_mxgateway.frames.decode_ptars", raising=False)
    monkeypatch.delattr("zb_mom_ww_mxgateway.frames.decode_ptars", raising=False)
    events_module._decoder.cache_clear()
    yield
    events_module._decoder.cache_clear()


class TestAdding:
    def test_in_pieces_or_at_once_is_the_same(self) -> None:
        messages = [event(float(i), at=i, item=i % 3, worker_sequence=i) for i in range(20_000)]
        tags = {(1, 0): "A", (1, 1): "B"}
        builder = EventTableBuilder()
        for start in range(0, len(messages), 7_001):
            builder.add(messages[start : start + 7_001], tags)
        assert builder.rows == 20_000
        assert builder.table().equals(events_table(messages, tags))

    def test_single_events_are_packed(self) -> None:
        builder = EventTableBuilder()
        for i in range(1_000):
            builder.add([event(i, worker_sequence=i)], {(1, 1): f"Tag{i % 5}"})
        table = builder.table()
        assert table.column("sequence").to_pylist() == list(range(1_000))
        assert table.column("tag").to_pylist() == [f"Tag{i % 5}" for i in range(1_000)]
        assert table.column("sequence").num_chunks <= 64

    def test_a_handle_that_is_used_again_gets_the_tag_of_its_time(self) -> None:
        builder = EventTableBuilder()
        builder.add([event(1), event(2)], {(1, 1): "Old.Tag"})
        builder.add([event(3)], {(1, 1): "New.Tag"})
        builder.add([event(4)])
        assert builder.table().column("tag").to_pylist() == ["Old.Tag", "Old.Tag", "New.Tag", None]
        assert len({tuple(chunk.dictionary.to_pylist()) for chunk in builder.table().column("tag").chunks}) == 1

    def test_nothing(self) -> None:
        builder = EventTableBuilder()
        builder.add([])
        assert (builder.rows, builder.gaps) == (0, [])
        assert builder.table().schema.equals(EVENT_SCHEMA)

    @pytest.mark.parametrize("decoder", ["ptars", "upb"])
    def test_what_came_before_a_corrupt_message_is_kept(self, decoder: str) -> None:
        builder = EventTableBuilder(decoder=decoder)
        builder.add([event(1)])
        messages = [event(float(i)) for i in range(8_200)]
        messages[8_195] = b"\xff"
        with pytest.raises(EventDecodeError, match=r"message 8195 of the list \(1 bytes\)") as caught:
            builder.add(messages)
        assert builder.rows == 1 + 8_195
        builder.add(messages[caught.value.index + 1 :])
        assert builder.rows == 1 + 8_199
        assert builder.table().column("value_float").to_pylist()[-5:] == [8194.0, 8196.0, 8197.0, 8198.0, 8199.0]

    def test_the_error_travels_between_processes(self) -> None:
        error = pickle.loads(pickle.dumps(EventDecodeError(3, 17, "cut off")))
        assert (error.index, error.length, error.reason) == (3, 17, "cut off")

    @pytest.mark.parametrize("decoder", ["ptars", "upb"])
    def test_messages_are_bytes(self, decoder: str) -> None:
        with pytest.raises(TypeError):
            EventTableBuilder(decoder=decoder).add(["text"])  # type: ignore[list-item]


class TestReplayGaps:
    @pytest.mark.parametrize("decoder", ["ptars", "upb"])
    def test_the_sentinel_is_no_row_and_is_not_lost(self, decoder: str) -> None:
        builder = EventTableBuilder(decoder=decoder)
        builder.add([gap(10, 40), event(1), event(2)])
        builder.add([gap(0, 0)])
        assert builder.rows == 2
        assert builder.gaps == [(10, 40), (0, 0)]
        assert builder.gaps[0].requested_after == 10
        assert replay_gaps(builder.table()) == [ReplayGap(10, 40), ReplayGap(0, 0)]

    def test_an_event_that_also_tells_of_a_gap_stays(self) -> None:
        table = events_table([event(1.5, replay_gap=pb.ReplayGap(requested_after_sequence=3))])
        assert table.num_rows == 1
        assert replay_gaps(table) == [(3, 0)]

    def test_gaps_survive_a_slice_and_a_file(self, tmp_path: Path) -> None:
        table = events_table([gap(1, 2**64 - 1), event(1), event(2)])
        pq.write_table(table, tmp_path / "events.parquet")
        back = pq.read_table(tmp_path / "events.parquet")
        assert replay_gaps(table.slice(1)) == replay_gaps(back) == [(1, 2**64 - 1)]
        assert back.schema.equals(EVENT_SCHEMA)

    def test_none(self) -> None:
        assert replay_gaps(events_table([event(1)])) == []
        assert replay_gaps(pa.table({"a": [1]})) == []


class TestDecoderChoice:
    def test_auto_is_ptars(self) -> None:
        assert EventTableBuilder().decoder == "ptars"
        assert EventTableBuilder(decoder="upb").decoder == "upb"

    @pytest.mark.usefixtures("_without_ptars")
    def test_auto_goes_without_ptars(self) -> None:
        builder = EventTableBuilder()
        builder.add([event(1.5)])
        assert builder.decoder == "upb"
        assert builder.table().column("value_float").to_pylist() == [1.5]

    @pytest.mark.usefixtures("_without_ptars")
    def test_asking_for_a_missing_decoder_fails(self) -> None:
        with pytest.raises(ImportError, match="ptars"):
            EventTableBuilder(decoder="ptars")

    def test_an_unknown_name_fails(self) -> None:
        with pytest.raises(ValueError, match="'auto', 'ptars' or 'upb', not 'fast'"):
            EventTableBuilder(decoder="fast")  # type: ignore[arg-type]


def test_the_library_starts_without_pandas() -> None:
    code = (
        "import sys, zb_mom_ww_mxgateway\n"
        "print([name for name in ('pandas', 'pyarrow', 'ptars', 'numpy') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
