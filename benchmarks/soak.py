"""One simulated gateway serves many sessions for a while: events per second, and whether its memory stays flat.

    python benchmarks/soak.py --seconds 60 --sessions 20 --tags 1000

Gateway and clients share one process. Exits with 1 when memory grows, or an event is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from itertools import islice

import grpc
import grpc.aio
import psutil

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.simulator import SimulatedGateway

#: Memory may grow by so much between the first third and the end: caches of the allocator, no more.
_ALLOWED = 0.10
_PATH = "/mxaccess_gateway.v1.MxAccessGateway"


class Client:
    """One session with a stream; it counts and looks at the numbers of the events alone."""

    def __init__(self, gateway: SimulatedGateway, channel: grpc.aio.Channel) -> None:
        self._metadata = (("authorization", f"Bearer {gateway.api_key}"),)
        self._channel = channel
        self.session_id = ""
        self.events = 0
        self.lost = 0

    async def _call(self, rpc: str, request: object, reply: type) -> object:
        call = self._channel.unary_unary(
            f"{_PATH}/{rpc}", request_serializer=_bytes, response_deserializer=reply.FromString
        )
        return await call(request, metadata=self._metadata)

    async def _invoke(self, kind: int, **payload: object) -> object:
        command = pb.MxCommand(kind=kind, **payload)
        request = pb.MxCommandRequest(session_id=self.session_id, command=command)
        return await self._call("Invoke", request, pb.MxCommandReply)

    async def open(self, tags: list[str]) -> None:
        """Open the session and subscribe."""
        reply = await self._call("OpenSession", pb.OpenSessionRequest(), pb.OpenSessionReply)
        self.session_id = reply.session_id
        reply = await self._invoke(pb.MX_COMMAND_KIND_REGISTER, register=pb.RegisterCommand(client_name="soak"))
        subscribe = pb.SubscribeBulkCommand(server_handle=reply.register.server_handle, tag_addresses=tags)
        await self._invoke(pb.MX_COMMAND_KIND_SUBSCRIBE_BULK, subscribe_bulk=subscribe)

    async def run(self) -> None:
        """Read events until cancelled."""
        request = pb.StreamEventsRequest(session_id=self.session_id)
        stream = self._channel.unary_stream(
            f"{_PATH}/StreamEvents", request_serializer=_bytes, response_deserializer=pb.MxEvent.FromString
        )(request, metadata=self._metadata)
        before = 0
        async for event in stream:
            self.events += 1
            self.lost += event.worker_sequence - before - 1
            before = event.worker_sequence


def _bytes(message: object) -> bytes:
    return message.SerializeToString()


def _tags(gateway: SimulatedGateway, count: int) -> list[str]:
    plant = gateway.plant
    historized = (
        f"{item.tag_name}.{attribute.name}"
        for item in plant.objects
        for attribute in plant.attributes(item)
        if attribute.historized and attribute.array_length is None
    )
    return list(islice(historized, count))


async def soak(seconds: float, sessions: int, tags: int, objects: int) -> int:
    process = psutil.Process()
    async with SimulatedGateway(objects=objects) as gateway:
        names = _tags(gateway, tags)
        channels = [grpc.aio.insecure_channel(gateway.endpoint, options=[("c", n)]) for n in range(sessions)]
        clients = [Client(gateway, channel) for channel in channels]
        for client in clients:
            await client.open(names)
        readers = [asyncio.create_task(client.run()) for client in clients]
        print(f"{sessions} sessions x {len(names)} tags of {gateway.plant.object_count} objects")
        print("second   RSS MiB   events/s   queued   busy %")
        begin = time.monotonic()
        sizes: list[float] = []
        step = max(1.0, seconds / 12)
        total, cpu = 0, sum(process.cpu_times()[:2])
        while time.monotonic() - begin < seconds:
            await asyncio.sleep(step)
            now, used = sum(client.events for client in clients), sum(process.cpu_times()[:2])
            made = sum(gateway.last_sequence(client.session_id) for client in clients)
            gc.collect()
            sizes.append(process.memory_info().rss / 2**20)
            print(
                f"{time.monotonic() - begin:6.0f}   {sizes[-1]:7.1f}   {(now - total) / step:8.0f}"
                f"   {made - now:6d}   {100 * (used - cpu) / step:6.0f}"
            )
            total, cpu = now, used
        broken = [task for task in readers if task.done()]
        lost = sum(client.lost for client in clients)
        for task in readers:
            task.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        for channel in channels:
            await channel.close()
    settled, last = sizes[len(sizes) // 3], sizes[-1]
    growth = (last - settled) / settled
    print(f"{total} events, {total / seconds:.0f} per second; memory grew by {100 * growth:.1f} % after settling")
    for task in broken:
        print(f"a stream ended: {task.exception()}")
    if lost or broken or growth > _ALLOWED:
        print(f"FAILED: {lost} events lost, {len(broken)} streams ended, growth {100 * growth:.1f} %")
        return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--tags", type=int, default=1000)
    parser.add_argument("--objects", type=int, default=400)
    given = parser.parse_args()
    return asyncio.run(soak(given.seconds, given.sessions, given.tags, given.objects))


if __name__ == "__main__":
    sys.exit(main())
