"""How a large simulated Galaxy behaves: time and room to make it, first page, whole listing, samples.

Run: python benchmarks/large_galaxy.py [--objects 50000] [--attributes-per-object 20]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2_grpc as pb_grpc
from zb_mom_ww_mxgateway.simulator.clock import VirtualClock
from zb_mom_ww_mxgateway.simulator.galaxy_service import GalaxyService
from zb_mom_ww_mxgateway.simulator.generate import PlantSpec, generate_plant
from zb_mom_ww_mxgateway.simulator.plant import Plant

Figures = dict[str, float | int | None]


def peak_rss_mb() -> float | None:
    """The process's largest resident size so far; None where the system does not tell (Windows)."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@contextmanager
def timed(figures: Figures, name: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    figures[name] = round(time.perf_counter() - begin, 4)


async def list_all(stub: pb_grpc.GalaxyRepositoryStub, *, attributes: bool, figures: Figures, name: str) -> None:
    token, pages, rows, size = "", 0, 0, 0
    with timed(figures, f"{name}_s"):
        while True:
            with timed(figures, "page"):
                reply = await stub.DiscoverHierarchy(
                    pb.DiscoverHierarchyRequest(page_token=token, include_attributes=attributes)
                )
            if not pages:
                figures[f"{name}_first_page_s"] = figures["page"]
            pages += 1
            rows += sum(len(obj.attributes) for obj in reply.objects)
            size += reply.ByteSize()
            token = reply.next_page_token
            if not token:
                break
    figures.pop("page")
    figures |= {f"{name}_pages": pages, f"{name}_attributes": rows, f"{name}_mb": round(size / 1e6, 1)}


async def browse(stub: pb_grpc.GalaxyRepositoryStub, figures: Figures) -> None:
    with timed(figures, "browse_roots_s"):
        await stub.BrowseChildren(pb.BrowseChildrenRequest(include_attributes=False))


def sample(plant: Plant, figures: Figures) -> None:
    """What one change of one moving tag costs: to find it, and to compute its value."""
    changes = 0
    begin = time.perf_counter()
    for name in ("Speed", "Flow", "MotorCurrent", "BearingTemp"):
        for number in range(1, 101):
            tag = plant.resolve(f"Pump_{number:03d}.{name}")
            if tag is None:
                continue
            signal = plant.signal(tag)
            at: int | None = plant.start_us
            for _ in range(50):
                assert at is not None
                at = signal.next_change(at)
                if at is None:
                    break
                signal.sample(at)
                changes += 1
    figures["microseconds_per_change"] = round((time.perf_counter() - begin) / changes * 1e6, 1)


async def measure(spec: PlantSpec) -> Figures:
    clock = VirtualClock()
    figures: Figures = {"rss_before_mb": peak_rss_mb()}
    with timed(figures, "make_plant_s"):
        plant = generate_plant(spec, start_us=clock.now_us())
    figures |= {"objects": plant.object_count, "attributes": plant.attribute_count, "rss_plant_mb": peak_rss_mb()}
    server = grpc.aio.server()
    pb_grpc.add_GalaxyRepositoryServicer_to_server(GalaxyService(plant, clock), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    unlimited = [("grpc.max_receive_message_length", -1)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=unlimited) as channel:
        stub = pb_grpc.GalaxyRepositoryStub(channel)
        await list_all(stub, attributes=False, figures=figures, name="skeleton")
        await browse(stub, figures)
        await list_all(stub, attributes=True, figures=figures, name="full")
    await server.stop(None)
    with timed(figures, "all_alarms_once_s"):
        for tag in plant.alarms():
            signal = plant.alarm_signal(tag)
            signal.sample(plant.start_us)
            signal.next_change(plant.start_us)
    sample(plant, figures)
    figures["rss_end_mb"] = peak_rss_mb()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--objects", type=int, default=50_000)
    parser.add_argument("--attributes-per-object", type=int, default=None)
    options = parser.parse_args()
    spec = PlantSpec(objects=options.objects, attributes_per_object=options.attributes_per_object)
    print(json.dumps(asyncio.run(measure(spec)), indent=2))


if __name__ == "__main__":
    main()
