"""Events to a DataFrame, four ways side by side: what the projection and ptars are worth.

    python benchmarks/decode_events.py [--events 200000]

Every way starts from the same serialized events in memory; times are the best of several runs, so read the ratios and
not the seconds. The slowest way gets a tenth of the events.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import pandas as pd
import ptars
import pyarrow as pa
from google.protobuf.json_format import MessageToDict

from zb_mom_ww_mxgateway.frames import events_frame, events_table
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

TAGS = {(1, item): f"Area{item // 10}.Pump{item:03}.Speed" for item in range(1, 101)}
CHUNK = 8192


def make_events(count: int) -> list[bytes]:
    """Data changes of a hundred tags, mostly numbers, with everything that a gateway sends beside the value."""
    session = "session-" + "0123456789abcdef" * 2
    events = []
    for number in range(count):
        event = pb.MxEvent(
            family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE,
            session_id=session,
            server_handle=1,
            item_handle=number % 100 + 1,
            quality=192 if number % 50 else 24,
            worker_sequence=number + 1,
            on_data_change=pb.OnDataChangeEvent(),
        )
        event.statuses.add(success=-1, category=pb.MX_STATUS_CATEGORY_OK)
        event.value.data_type = pb.MX_DATA_TYPE_DOUBLE
        event.value.variant_type = "VT_R8"
        event.value.double_value = number * 0.25
        for stamp in (event.source_timestamp, event.worker_timestamp, event.gateway_receive_timestamp):
            stamp.seconds, stamp.nanos = 1_772_366_400 + number // 1000, number % 1000 * 1_000_000
        events.append(event.SerializeToString())
    return events


def whole_message(messages: Sequence[bytes]) -> pa.Table:
    """All of MxEvent by ptars, without a projection: some 300 nested columns."""
    pool = ptars.HandlerPool([pb.MxEvent.DESCRIPTOR.file], config=ptars.PtarsConfig(timestamp_unit="us"))
    handler = pool.get_for_message(pb.MxEvent.DESCRIPTOR)
    batches = [
        handler.list_to_record_batch(list(messages[start : start + CHUNK])) for start in range(0, len(messages), CHUNK)
    ]
    return pa.Table.from_batches(batches)


def dictionaries(messages: Sequence[bytes]) -> pd.DataFrame:
    """The usual way: a dictionary per message."""
    return pd.DataFrame.from_records([MessageToDict(pb.MxEvent.FromString(message)) for message in messages])


def best(run: Callable[[], object], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000, help="how many events (default: 200000)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each way; the best counts (default: 3)")
    options = parser.parse_args()
    messages = make_events(options.events)
    few = messages[: max(1, options.events // 10)]
    ways: list[tuple[str, Sequence[bytes], Callable[[], object]]] = [
        ("ptars, projection -> Arrow", messages, lambda: events_table(messages, TAGS, decoder="ptars")),
        (
            "ptars, projection -> DataFrame",
            messages,
            lambda: events_frame(events_table(messages, TAGS, decoder="ptars")),
        ),
        ("ptars, whole message -> Arrow", messages, lambda: whole_message(messages)),
        ("upb, projection -> Arrow", messages, lambda: events_table(messages, TAGS, decoder="upb")),
        ("upb, projection -> DataFrame", messages, lambda: events_frame(events_table(messages, TAGS, decoder="upb"))),
        ("MessageToDict -> DataFrame", few, lambda: dictionaries(few)),
    ]
    size = sum(map(len, messages)) / len(messages)
    print(f"{len(messages)} events of {size:.0f} bytes; best of {options.repeats} runs")
    rates = [(name, len(batch) / best(run, options.repeats)) for name, batch, run in ways]
    slowest = rates[-1][1]
    print(f"{'way':32}{'events/s':>12}{'ratio':>8}")
    for name, rate in rates:
        print(f"{name:32}{rate:12,.0f}{rate / slowest:8.1f}")
    slim = events_table(messages, TAGS).nbytes / len(messages)
    print(f"bytes per row: {slim:.0f} projected, {whole_message(messages).nbytes / len(messages):.0f} whole message")


if __name__ == "__main__":
    main()
