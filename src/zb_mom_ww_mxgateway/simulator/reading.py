"""ReadBulk: from the cache where an item is advised, else added, advised, waited for, removed (CONTRACT.md "bulk")."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .commands import Call, Commands
from .replies import MxFailureError, status
from .sessions import SECOND, Item, Session

__all__ = ["Reading"]


class Reading:
    """The handler of ReadBulk."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def read_bulk(self, call: Call) -> None:
        """Fill in one result per address, in order."""
        commands = self._commands
        registration = commands.registration(call)
        commands.check_bulk(call.payload.tag_addresses)
        call.reply.read_bulk.SetInParent()
        loop = asyncio.get_running_loop()
        waiting: dict[asyncio.Future[pb.MxEvent], Item] = {}
        results = []
        cache = _cache(call.session, registration.handle)
        for address in call.payload.tag_addresses:
            result = call.reply.read_bulk.results.add(server_handle=registration.handle, tag_address=address)
            cached = cache.get(_normal(address))
            if cached is not None and cached.last is not None:
                result.was_cached = True
                _fill(result, cached, cached.last)
                continue
            if not address:
                result.error_message = "an empty reference"
                continue
            try:
                item = commands.add(call.session, call.key, registration.handle, address)
            except MxFailureError as error:
                result.error_message = str(error)
                result.statuses.append(status(error.category, error.detail, str(error)))
                continue
            future: asyncio.Future[pb.MxEvent] = loop.create_future()
            waiting[future] = item
            results.append((result, item, future))
            item.private = True
            commands.updates.advise(call.session, item, commands.delay_us(call.session))
            commands.updates.when_bound(item, _answer(future))
        try:
            await self._wait(list(waiting), call.payload.timeout_ms)
        finally:
            for _, item, _ in results:
                commands.remove(call.session, item)
        for result, item, future in results:
            if future.done():
                _fill(result, item, future.result())
            else:
                result.error_message = f"no value of {item.reference!r} within the timeout"
                result.statuses.append(
                    status(pb.MX_STATUS_CATEGORY_COMMUNICATION_ERROR, 0, "no value within the timeout")
                )

    async def _wait(self, futures: list[asyncio.Future[pb.MxEvent]], timeout_ms: int) -> None:
        """Wait for all, at most until the timeout on the simulator's clock."""
        if not futures:
            return
        clock = self._commands.clock
        seconds = timeout_ms / 1000 if timeout_ms else self._commands.limits.read_timeout
        late = asyncio.get_running_loop().create_future()

        def give_up() -> None:
            if not late.done():
                late.set_result(None)

        timer = clock.call_at(clock.now_us() + round(seconds * SECOND), give_up)
        pending: set[asyncio.Future[Any]] = set(futures)
        try:
            while pending and not late.done():
                await asyncio.wait({*pending, late}, return_when=asyncio.FIRST_COMPLETED)
                pending = {future for future in pending if not future.done()}
        finally:
            timer.cancel()
            late.cancel()


def _answer(future: asyncio.Future[pb.MxEvent]) -> Callable[[pb.MxEvent], None]:
    def answer(event: pb.MxEvent) -> None:
        if not future.done():
            copy = pb.MxEvent()
            copy.CopyFrom(event)
            future.set_result(copy)

    return answer


def _cache(session: Session, server_handle: int) -> dict[str, Item]:
    """The advised items with a value, by every name that they have; the first one added counts."""
    found: dict[str, Item] = {}
    for item in session.items.values():
        if item.server_handle != server_handle or not item.advised or item.private or not item.bound:
            continue
        found.setdefault(_normal(item.reference), item)
        if item.tag is not None:
            found.setdefault(_normal(item.tag.reference), item)
    return found


def _normal(reference: str) -> str:
    """A reference for comparison: case does not count, and a bare array name means the whole array."""
    return reference.lower().removesuffix("[]")


def _fill(result: pb.BulkReadResult, item: Item, event: pb.MxEvent) -> None:
    result.item_handle = item.handle
    result.value.CopyFrom(event.value)
    result.quality = event.quality
    result.source_timestamp.CopyFrom(event.source_timestamp)
    result.statuses.extend(event.statuses)
    result.was_successful = item.tag is not None
    if item.tag is None:
        result.error_message = event.statuses[0].diagnostic_text
