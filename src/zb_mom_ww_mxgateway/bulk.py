"""Commands for many items at once: one round trip, one result per entry, in order.

A refused entry is a result with `was_successful` false and a message, never a failed call. More than `MAX_BULK_ITEMS`
entries are sent as several commands, one after the other, and the results are joined in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .generated import mxaccess_gateway_pb2 as pb
from .invoking import Invoker, check_count, named, parts

__all__ = ["BulkCommands"]


class BulkCommands(Invoker):
    """Bulk adding, advising and reading."""

    async def add_item_bulk(
        self, server_handle: int, tag_addresses: Sequence[str], *, correlation_id: str = ""
    ) -> list[pb.SubscribeResult]:
        """Add many items. A refused address has item handle 0, which is not a handle."""

        def command(part: Sequence[str]) -> pb.MxCommand:
            return pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_ADD_ITEM_BULK,
                add_item_bulk=pb.AddItemBulkCommand(server_handle=server_handle, tag_addresses=part),
            )

        return await self._addresses("add_item_bulk", tag_addresses, command, correlation_id)

    async def subscribe_bulk(
        self, server_handle: int, tag_addresses: Sequence[str], *, correlation_id: str = ""
    ) -> list[pb.SubscribeResult]:
        """Add and advise many items. A refused address has item handle 0, which is not a handle."""

        def command(part: Sequence[str]) -> pb.MxCommand:
            return pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_SUBSCRIBE_BULK,
                subscribe_bulk=pb.SubscribeBulkCommand(server_handle=server_handle, tag_addresses=part),
            )

        return await self._addresses("subscribe_bulk", tag_addresses, command, correlation_id)

    async def advise_item_bulk(
        self, server_handle: int, item_handles: Sequence[int], *, correlation_id: str = ""
    ) -> list[pb.SubscribeResult]:
        """Advise many items."""

        def command(part: Sequence[int]) -> pb.MxCommand:
            return pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_ADVISE_ITEM_BULK,
                advise_item_bulk=pb.AdviseItemBulkCommand(server_handle=server_handle, item_handles=part),
            )

        return await self._handles("advise_item_bulk", item_handles, command, correlation_id)

    async def unadvise_item_bulk(
        self, server_handle: int, item_handles: Sequence[int], *, correlation_id: str = ""
    ) -> list[pb.SubscribeResult]:
        """Stop the data changes of many items."""

        def command(part: Sequence[int]) -> pb.MxCommand:
            return pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_UN_ADVISE_ITEM_BULK,
                un_advise_item_bulk=pb.UnAdviseItemBulkCommand(server_handle=server_handle, item_handles=part),
            )

        return await self._handles("un_advise_item_bulk", item_handles, command, correlation_id)

    un_advise_item_bulk = unadvise_item_bulk

    async def remove_item_bulk(
        self, server_handle: int, item_handles: Sequence[int], *, correlation_id: str = ""
    ) -> list[pb.SubscribeResult]:
        """Remove many items."""

        def command(part: Sequence[int]) -> pb.MxCommand:
            return pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_REMOVE_ITEM_BULK,
                remove_item_bulk=pb.RemoveItemBulkCommand(server_handle=server_handle, item_handles=part),
            )

        return await self._handles("remove_item_bulk", item_handles, command, correlation_id)

    async def unsubscribe_bulk(
        self, server_handle: int, item_handles: Sequence[int], *, correlation_id: str = ""
    ) -> list[pb.SubscribeResult]:
        """Stop the data changes of many items and remove them."""

        def command(part: Sequence[int]) -> pb.MxCommand:
            return pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_UNSUBSCRIBE_BULK,
                unsubscribe_bulk=pb.UnsubscribeBulkCommand(server_handle=server_handle, item_handles=part),
            )

        return await self._handles("unsubscribe_bulk", item_handles, command, correlation_id)

    async def read_bulk(
        self,
        server_handle: int,
        tag_addresses: Sequence[str],
        *,
        timeout_ms: int = 0,
        correlation_id: str = "",
    ) -> list[pb.BulkReadResult]:
        """Read the current values of many tags.

        An item that is advised already answers from the gateway's cache (`was_cached`); any other is added, advised,
        waited for, and removed again.

        Args:
            server_handle: of the registration.
            tag_addresses: references.
            timeout_ms: how long the gateway waits for values; 0 is the worker's default.
            correlation_id: empty for a fresh one.
        """
        if timeout_ms < 0:
            raise ValueError(f"timeout_ms={timeout_ms} must be 0 (the worker's default) or more")
        results: list[pb.BulkReadResult] = []
        for part in parts([named(address, "tag address") for address in tag_addresses], "tag addresses"):
            command = pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_READ_BULK,
                read_bulk=pb.ReadBulkCommand(server_handle=server_handle, tag_addresses=part, timeout_ms=timeout_ms),
            )
            reply = await self._payload(command, "read_bulk", pb.BulkReadReply, correlation_id)
            check_count("read_bulk", len(part), reply, len(reply.results))
            results.extend(reply.results)
        return results

    async def _addresses(
        self,
        name: str,
        addresses: Sequence[str],
        command: Callable[[Sequence[str]], pb.MxCommand],
        correlation_id: str,
    ) -> list[pb.SubscribeResult]:
        checked = [named(address, "tag address") for address in addresses]
        results: list[pb.SubscribeResult] = []
        for part in parts(checked, "tag addresses"):
            results += await self._results(name, len(part), command(part), correlation_id)
        return results

    async def _handles(
        self,
        name: str,
        handles: Sequence[int],
        command: Callable[[Sequence[int]], pb.MxCommand],
        correlation_id: str,
    ) -> list[pb.SubscribeResult]:
        results: list[pb.SubscribeResult] = []
        for part in parts(list(handles), "item handles"):
            results += await self._results(name, len(part), command(part), correlation_id)
        return results

    async def _results(
        self, name: str, sent: int, command: pb.MxCommand, correlation_id: str
    ) -> Sequence[pb.SubscribeResult]:
        reply = await self._payload(command, name, pb.BulkSubscribeReply, correlation_id)
        check_count(name, sent, reply, len(reply.results))
        return reply.results
