"""`mxgw-py bench-read-bulk`: how fast cached values can be read."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from ..arguments import INT32_MAX, NAME, as_json
from ..connection_options import connection_options
from ..connections import with_gateway
from ..outcome import CommandFailed
from ..output import say, show_reply

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, GatewayClient, Session

__all__ = ["bench_read_bulk", "percentile"]

_CLIENT_NAME = "mxgw-py-bench"
_NUMBER = re.compile("N+")


def _tags(pattern: str, count: int) -> list[str]:
    """The first tags of a pattern: its NNN counts from 001."""
    found = _NUMBER.search(pattern)
    if found is None:
        raise click.BadParameter(f"{pattern!r} has no NNN to count in", param_hint="--tag")
    width = len(found.group())
    return [f"{pattern[: found.start()]}{number:0{width}}{pattern[found.end() :]}" for number in range(1, count + 1)]


@click.command("bench-read-bulk")
@connection_options()
@click.option("--bulk-size", default=6, show_default=True, type=click.IntRange(1, 1000), help="Tags per call.")
@click.option(
    "--duration-seconds",
    default=30.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True, max=86_400),
    help="How long to measure.",
)
@click.option(
    "--warmup-seconds",
    default=3.0,
    show_default=True,
    type=click.FloatRange(min=0, max=86_400),
    help="How long to read before that.",
)
@click.option(
    "--timeout-ms",
    default=1500,
    show_default=True,
    type=click.IntRange(0, INT32_MAX),
    help="Of one call; 0 is the gateway's own default.",
)
@click.option(
    "--tag",
    default="TestMachine_NNN.TestChangingInt",
    show_default=True,
    type=NAME,
    metavar="PATTERN",
    help="The tags; NNN counts from 001.",
)
@as_json
def bench_read_bulk(
    options: ClientOptions,
    bulk_size: int,
    duration_seconds: float,
    warmup_seconds: float,
    timeout_ms: int,
    tag: str,
    as_json: bool,
) -> None:
    """Measure ReadBulk of subscribed tags, in a session of its own.

    Latencies are those of calls that succeeded; percentiles are interpolated linearly between ranks.
    """
    tags = _tags(tag, bulk_size)
    bench = _Bench(tags, timeout_ms)
    with_gateway(options, lambda client: _measure(client, bench, warmup_seconds, duration_seconds))
    report = bench.report()
    latency = report["latencyMs"]
    lines = [
        f"{report['successfulCalls']} calls of {bulk_size} tags in {report['durationMs'] / 1000:.1f} s, "
        f"{report['failedCalls']} failed: {report['callsPerSecond']:.1f} calls/s",
        "latency ms  " + "  ".join(f"{name} {latency[name]:.2f}" for name in ("p50", "p95", "p99", "max", "mean")),
        f"{report['cachedReadResults']} of {report['totalReadResults']} values from the cache",
    ]
    show_reply(report, lines, as_json=as_json)
    if not bench.latencies:
        raise CommandFailed(
            f"none of {bench.failed} calls to {options.address} succeeded; the last: {bench.last_error}"
        )


@dataclass
class _Bench:
    """What was measured."""

    tags: list[str]
    timeout_ms: int
    latencies: list[float] = field(default_factory=list)
    failure_latencies: list[float] = field(default_factory=list)
    results: int = 0
    cached: int = 0
    seconds: float = 0.0
    last_error: str = ""

    @property
    def failed(self) -> int:
        return len(self.failure_latencies)

    async def run(self, session: Session, server: int, seconds: float) -> None:
        """Read until the time is over, one call at least."""
        from zb_mom_ww_mxgateway import MxGatewayError

        start = time.perf_counter()
        while True:
            before = time.perf_counter()
            try:
                results = await session.read_bulk(server, self.tags, timeout_ms=self.timeout_ms)
            except MxGatewayError as error:
                self.failure_latencies.append(time.perf_counter() - before)
                self.last_error = str(error)
            else:
                self.latencies.append(time.perf_counter() - before)
                self.results += len(results)
                self.cached += sum(result.was_cached for result in results)
            self.seconds = time.perf_counter() - start
            if self.seconds >= seconds:
                return

    def report(self) -> dict[str, Any]:
        """The report that all clients of the gateway give."""
        calls = len(self.latencies)
        return {
            "bulkSize": len(self.tags),
            "cachedReadResults": self.cached,
            "callsPerSecond": round(calls / self.seconds, 2),
            "durationMs": round(self.seconds * 1000),
            "failedCalls": self.failed,
            "failureLatencyMs": _summary(self.failure_latencies),
            "language": "python",
            "latencyMs": _summary(self.latencies),
            "successfulCalls": calls,
            "totalCalls": calls + self.failed,
            "totalReadResults": self.results,
        }


async def _measure(client: GatewayClient, bench: _Bench, warmup: float, duration: float) -> None:
    from zb_mom_ww_mxgateway import MxGatewayError

    session = await client.open_session(client_session_name=_CLIENT_NAME)
    try:
        server = await session.register(_CLIENT_NAME)
        subscribed = await session.subscribe_bulk(server, bench.tags)
        refused = next((entry for entry in subscribed if not entry.was_successful), None)
        if refused is not None:
            raise CommandFailed(f"{refused.tag_address} cannot be subscribed: {refused.error_message or 'no reason'}")
        if warmup:
            await _Bench(bench.tags, bench.timeout_ms).run(session, server, warmup)
        await bench.run(session, server, duration)
    finally:
        try:
            await session.close()
        except MxGatewayError as error:
            # The measurement stands, or has its own error; the gateway ends the session when its lease runs out.
            say(f"warning: closing {session.session_id} failed: {error}")


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    """Percentiles, the longest and the mean, in milliseconds; zeros without any."""
    ranked = sorted(seconds)
    shown = {f"p{share}": percentile(ranked, share) for share in (50, 95, 99)}
    shown |= {"max": ranked[-1] if ranked else 0.0, "mean": sum(ranked) / len(ranked) if ranked else 0.0}
    return {name: round(value * 1000, 3) for name, value in shown.items()}


def percentile(ranked: Sequence[float], share: float) -> float:
    """The value that `share` percent do not exceed, interpolated linearly between the two nearest ranks.

    Args:
        ranked: in rising order; empty gives 0.
        share: 0 to 100.
    """
    if not ranked:
        return 0.0
    place = (len(ranked) - 1) * share / 100
    below = int(place)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (ranked[above] - ranked[below]) * (place - below)
