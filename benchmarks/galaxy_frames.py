"""A whole Galaxy to DataFrames, three ways side by side over the same pages: time, rows per second, peak memory.

    python benchmarks/galaxy_frames.py [--objects 50000] [--attributes 20]

The pages come once over the wire from the simulated gateway and are kept in a file. Each way then runs in a process of
its own, so that its peak memory is its own; the process reads the pages one by one, as they would come from a gateway.
Times are of one run each, so read the ratios and not the seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from google.protobuf.json_format import MessageToDict

from zb_mom_ww_mxgateway import GalaxyRepositoryClient
from zb_mom_ww_mxgateway.frames import GalaxyTableBuilder, attribute_frame, hierarchy_frame
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway.simulator import PlantSpec, SimulatedGateway

PAGE_SIZE = 1000


async def fetch(objects: int, attributes: int, path: Path) -> None:
    """Fetch all pages from a simulated gateway into a file, each behind its length."""
    plant = PlantSpec(objects=objects, seed=7, attributes_per_object=attributes)
    async with SimulatedGateway(seed=7, plant=plant) as gateway:
        connection = {"endpoint": gateway.endpoint, "api_key": gateway.api_key, "plaintext": True}
        async with await GalaxyRepositoryClient.connect(**connection) as galaxy:
            with path.open("wb") as file:
                async for page in galaxy.iter_raw_pages(page_size=PAGE_SIZE):
                    file.write(len(page.data).to_bytes(8, "little") + page.data)


def pages(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while head := file.read(8):
            yield file.read(int.from_bytes(head, "little"))


def by_builder(path: Path, decoder: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    builder = GalaxyTableBuilder(decoder=decoder)
    for page in pages(path):
        builder.add(page)
    snapshot = builder.snapshot()
    return hierarchy_frame(snapshot), attribute_frame(snapshot)


def by_dicts(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What one would write without the frames: a dict per message, a DataFrame of the dicts."""
    objects: list[dict[str, Any]] = []
    attributes: list[dict[str, Any]] = []
    for page in pages(path):
        for message in pb.DiscoverHierarchyReply.FromString(page).objects:
            row = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
            for attribute in row.pop("attributes"):
                attribute["gobject_id"] = row["gobject_id"]
                attributes.append(attribute)
            objects.append(row)
    return pd.DataFrame(objects), pd.DataFrame(attributes)


WAYS: dict[str, Callable[[Path], tuple[pd.DataFrame, pd.DataFrame]]] = {
    "ptars": lambda path: by_builder(path, "ptars"),
    "upb": lambda path: by_builder(path, "upb"),
    "MessageToDict": by_dicts,
}


def peak_bytes() -> int | None:
    """The most memory that this process ever held; None where the system does not tell."""
    try:
        # Linux: its own, while ru_maxrss starts with that of the process that started this one.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        pass
    try:
        import resource
    except ImportError:
        return None
    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def run_way(way: str, path: Path) -> None:
    """Run one way and print what it cost as JSON; the first page runs before the clock starts, for the imports."""
    warm = path.with_suffix(".warm")
    WAYS[way](warm)
    start = time.perf_counter()
    objects, attributes = WAYS[way](path)
    seconds = time.perf_counter() - start
    held = sum(int(frame.memory_usage(deep=False).sum()) for frame in (objects, attributes))
    shape = {"objects": len(objects), "attributes": len(attributes)}
    print(json.dumps({"seconds": seconds, "peak": peak_bytes(), "held": held, **shape}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=50_000)
    parser.add_argument("--attributes", type=int, default=20, help="attributes per object")
    parser.add_argument("--way", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--pages", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        run_way(options.way, options.pages)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "galaxy.pages"
        asyncio.run(fetch(options.objects, options.attributes, path))
        first = next(pages(path))
        path.with_suffix(".warm").write_bytes(len(first).to_bytes(8, "little") + first)
        size = path.stat().st_size / 1e6
        results = {}
        for way in WAYS:
            command = [sys.executable, __file__, "--way", way, "--pages", str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            results[way] = json.loads(done.stdout)
    slow = results["MessageToDict"]["seconds"]
    one = results["ptars"]
    print(f"{one['objects']:,} objects, {one['attributes']:,} attributes, {size:,.0f} MB of pages")
    print(f"{'way':<15}{'seconds':>9}{'rows/s':>13}{'peak memory':>14}{'ratio':>8}")
    for way, result in results.items():
        rows = (result["objects"] + result["attributes"]) / result["seconds"]
        peak = "unknown" if result["peak"] is None else f"{result['peak'] / 1e6:,.0f} MB"
        print(f"{way:<15}{result['seconds']:>9.2f}{rows:>13,.0f}{peak:>14}{slow / result['seconds']:>7.1f}x")


if __name__ == "__main__":
    main()
