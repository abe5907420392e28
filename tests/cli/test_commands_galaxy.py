"""The Galaxy on the command line, and the benchmark."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.command_line import CommandLine, command_line
from zb_mom_ww_mxgateway import MxGatewayCommandError, Session
from zb_mom_ww_mxgateway.simulator import ApiKey, SimulatedGateway
from zb_mom_ww_mxgateway_cli.commands.bench import percentile


@pytest.fixture(scope="module")
def mx() -> Iterator[CommandLine]:
    with command_line() as line:
        yield line


def test_the_connection(mx: CommandLine) -> None:
    assert mx("galaxy-test-connection", "--json").json == {"ok": True}
    assert mx("galaxy-test-connection").out == "ok\n"


def test_the_last_deploy(mx: CommandLine) -> None:
    data = mx("galaxy-last-deploy", "--json").json
    assert data["present"] is True
    assert data["timeOfLastDeploy"].endswith("Z")
    assert mx("galaxy-last-deploy").out.startswith("20")


def test_discover(mx: CommandLine) -> None:
    data = mx("galaxy-discover", "--json").json
    assert data["objectCount"] == len(data["objects"]) == mx.gateway.plant.object_count
    assert not any("attributes" in item for item in data["objects"])
    pumps = mx("galaxy-discover", "--tag-name-glob", "pump_*", "--attributes", "--page-size", 1, "--json").json
    assert {item["tagName"][:5] for item in pumps["objects"]} == {"Pump_"}
    assert all(item["attributes"] for item in pumps["objects"])
    one = mx("galaxy-discover", "--root-tag-name", "Area001", "--max-depth", 0, "--json").json
    assert [item["tagName"] for item in one["objects"]] == ["Area001"]
    areas = mx("galaxy-discover", "--category-id", 13, "--ndjson").out.splitlines()
    assert all(json.loads(line)["isArea"] for line in areas)
    some = mx("galaxy-discover", "--template-chain-contains", "Pump", "--historized-only", "--alarm-bearing-only")
    assert "Pump_001  " in some.out
    lost = mx("galaxy-discover", "--root-tag-name", "Nowhere")
    assert lost.code == 1
    assert "Nowhere" in lost.err


def test_browse(mx: CommandLine) -> None:
    whole = mx("galaxy-browse", "--json").json
    paged = mx("galaxy-browse", "--page-size", 1, "--json").json
    assert paged == whole
    assert len(whole["children"]) == len(whole["childHasChildren"]) == whole["totalChildCount"]
    assert "nextPageToken" not in whole
    assert mx("galaxy-browse", "--parent-tag-name", "Area001").out == "  Pump001  Pump001  $Pump_Centrifugal\n"
    assert mx("galaxy-browse").out.startswith("+ DEV  DEV  area\n")
    assert mx("galaxy-browse", "--parent-tag-name", "TestChildObject").out == "no children\n"
    assert mx("galaxy-browse", "--parent-tag-name", "Nowhere").code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("galaxy-discover", "--root-tag-name", "A", "--root-gobject-id", 1),
        ("galaxy-browse", "--parent-tag-name", "A", "--parent-contained-path", "B"),
        ("galaxy-discover", "--page-size", 5001),
        ("galaxy-discover", "--max-depth", -1),
        ("galaxy-discover", "--json", "--ndjson"),
        ("galaxy-watch", "--last-seen-deploy-time", "2026-01-01"),
        ("bench-read-bulk", "--tag", "A.B"),
        ("bench-read-bulk", "--bulk-size", 0),
    ],
)
def test_wrong_usage(mx: CommandLine, words: tuple[object, ...]) -> None:
    before = mx.gateway.calls.total()
    assert mx(*words).code == 2
    assert mx.gateway.calls.total() == before


def test_watch(mx: CommandLine) -> None:
    data = mx("galaxy-watch", "--max-events", 1, "--json").json
    [event] = data["events"]
    assert event["objectCount"] == mx.gateway.plant.object_count
    assert mx("galaxy-watch", "--max-events", 1).out.startswith("deploy 1  20")
    seen = event["timeOfLastDeploy"]
    known = mx("galaxy-watch", "--last-seen-deploy-time", seen, "--timeout", 0.2, "--json").json
    assert (known["ended"], known["events"]) == ("timeout", [])


def test_the_benchmark(mx: CommandLine) -> None:
    words = ("--bulk-size", 2, "--duration-seconds", 0.2, "--warmup-seconds", 0.1)
    report = mx("bench-read-bulk", *words, "--json").json
    assert report["language"] == "python"
    assert report["totalCalls"] == report["successfulCalls"] > 0
    assert report["failedCalls"] == 0
    assert report["totalReadResults"] == report["cachedReadResults"] == 2 * report["successfulCalls"]
    assert report["durationMs"] >= 200
    latency = report["latencyMs"]
    assert set(latency) == {"p50", "p95", "p99", "max", "mean"}
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"] <= latency["max"]
    assert "calls/s" in mx("bench-read-bulk", *words).out
    assert mx.gateway.sessions == []


def test_the_benchmark_tells_failed_calls_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Review findings Rust-015 and 018: a call that failed is in no latency of those that did not."""
    read_bulk, calls = Session.read_bulk, itertools.count()

    async def every_other(*given: Any, **more: Any) -> Any:
        if next(calls) % 2:
            raise MxGatewayCommandError("not this one")
        return await read_bulk(*given, **more)

    monkeypatch.setattr(Session, "read_bulk", every_other)
    words = ("bench-read-bulk", "--bulk-size", 1, "--duration-seconds", 0.1, "--warmup-seconds", 0, "--json")
    with command_line() as mx:
        report = mx(*words).json
        assert abs(report["failedCalls"] - report["successfulCalls"]) <= 1
        assert report["totalCalls"] == report["failedCalls"] + report["successfulCalls"]
        assert report["failureLatencyMs"]["max"] < report["latencyMs"]["max"]


def test_the_benchmark_reports_what_it_could_not_tidy_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Review finding 026."""

    async def close(self: Session) -> None:
        raise MxGatewayCommandError("it does not close")

    monkeypatch.setattr(Session, "close", close)
    with command_line() as mx:
        done = mx("bench-read-bulk", "--bulk-size", 1, "--duration-seconds", 0.05, "--warmup-seconds", 0, "--json")
    assert done.code == 0
    assert json.loads(done.out)["failedCalls"] == 0
    assert done.err.startswith("warning: closing session-")


def test_the_benchmark_fails_when_every_call_does() -> None:
    key = "mxgw_bench_secret-of-the-bench"
    words = ("bench-read-bulk", "--bulk-size", 1, "--duration-seconds", 0.05, "--warmup-seconds", 0, "--json")
    with SimulatedGateway(seed=7, keys=[ApiKey.parse(key, ["session:open", "session:close"])]) as gateway:
        assert CommandLine(gateway)(*words, MXGATEWAY_API_KEY=key).code == 3
        assert gateway.sessions == []


def test_percentiles_are_interpolated() -> None:
    assert percentile([], 50) == 0
    assert percentile([3.0], 99) == 3.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.5
    assert percentile([0.0, 10.0], 95) == pytest.approx(9.5)
    assert percentile([1.0, 2.0, 3.0], 100) == 3.0
