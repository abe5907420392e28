"""How fast events reach an `async for` loop: this client against a plain grpc.aio loop, side by side.

Both read the same stream from the same replaying server, in turns, in one run; what counts is the ratio.

Usage: python benchmarks/stream_events.py [--events 200000] [--rounds 3] [--require 4.0] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc.aio

from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.generated.mxaccess_gateway_pb2_grpc import MxAccessGatewayStub


@contextmanager
def replay_server(events: int) -> Iterator[str]:
    """The endpoint of a replaying server in a process of its own."""
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("replay_server.py")), str(events)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        yield f"127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.stdin.close()
        server.wait(timeout=10)
        server.stdout.close()


def check(sequences: list[int], events: int) -> None:
    """No event lost, duplicated or reordered."""
    if sequences != list(range(1, events + 1)):
        raise SystemExit(f"the stream is not what was sent: {len(sequences)} of {events} events, or out of order")


async def plain(endpoint: str) -> list[int]:
    """A loop over a generated stub on grpc.aio."""
    async with grpc.aio.insecure_channel(endpoint) as channel:
        stub = MxAccessGatewayStub(channel)
        request = pb.StreamEventsRequest(session_id="session-0")
        return [event.worker_sequence async for event in stub.StreamEvents(request)]


async def ours(endpoint: str, transport: str) -> list[int]:
    """The same loop over this client."""
    async with await GatewayClient.connect(endpoint, plaintext=True, stream_transport=transport) as client:
        return [event.worker_sequence async for event in client.session("session-0").stream_events()]


async def batches(endpoint: str) -> int:
    """What the frames use: batches of bytes, not parsed."""
    async with await GatewayClient.connect(endpoint, plaintext=True) as client:
        return sum([len(batch) async for batch in client.session("session-0").stream_events().batches()])


def main() -> None:
    """Run all ways in turns and print events per second and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--require", type=float, default=0.0, help="exit 1 when the ratio is below this")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rates: dict[str, list[float]] = {"grpc.aio": [], "this client": [], "this client, batches": []}
    with replay_server(given.events) as endpoint:
        for _ in range(given.rounds):
            start = time.perf_counter()
            check(asyncio.run(plain(endpoint)), given.events)
            rates["grpc.aio"].append(given.events / (time.perf_counter() - start))
            start = time.perf_counter()
            check(asyncio.run(ours(endpoint, "thread")), given.events)
            rates["this client"].append(given.events / (time.perf_counter() - start))
            start = time.perf_counter()
            assert asyncio.run(batches(endpoint)) == given.events
            rates["this client, batches"].append(given.events / (time.perf_counter() - start))
    median = {name: statistics.median(values) for name, values in rates.items()}
    ratio = median["this client"] / median["grpc.aio"]
    if given.json:
        print(json.dumps({"events": given.events, "events_per_second": median, "ratio": ratio}))
    else:
        for name, value in median.items():
            print(f"{name:22} {value:10,.0f} events/s   {value / median['grpc.aio']:5.1f} x")
    if ratio < given.require:
        sys.exit(f"ratio {ratio:.1f} is below the required {given.require:.1f}")


if __name__ == "__main__":
    main()
