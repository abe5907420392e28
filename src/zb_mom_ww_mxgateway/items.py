"""Commands that register clients, add items and advise them."""

from __future__ import annotations

from datetime import timedelta

from .generated import mxaccess_gateway_pb2 as pb
from .invoking import Invoker, handle, named

__all__ = ["ItemCommands"]


class ItemCommands(Invoker):
    """Registration, items, advise. Handles mean something in the session that gave them out only.

    Every method raises `MxAccessError` when MXAccess refuses, and other `MxGatewayError`s as `errors` says.
    """

    async def register(self, client_name: str, *, correlation_id: str = "") -> int:
        """Register a client with MXAccess and return its server handle."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_REGISTER,
            register=pb.RegisterCommand(client_name=named(client_name, "client_name")),
        )
        reply = await self._payload(command, "register", pb.RegisterReply, correlation_id)
        return handle(reply.server_handle, "register", reply)

    async def unregister(self, server_handle: int, *, correlation_id: str = "") -> None:
        """Give a registration back, with all its items."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_UNREGISTER, unregister=pb.UnregisterCommand(server_handle=server_handle)
        )
        await self._command(command, correlation_id)

    async def add_item(self, server_handle: int, item: str, *, correlation_id: str = "") -> int:
        """Add an item by its reference ("Object.Attribute") and return its item handle.

        MXAccess accepts an unknown reference here; a status says so when the item is advised.
        """
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_ADD_ITEM,
            add_item=pb.AddItemCommand(server_handle=server_handle, item_definition=named(item, "item")),
        )
        reply = await self._payload(command, "add_item", pb.AddItemReply, correlation_id)
        return handle(reply.item_handle, "add_item", reply)

    async def add_item2(self, server_handle: int, item: str, context: str, *, correlation_id: str = "") -> int:
        """Add an item by a reference relative to `context` and return its item handle."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_ADD_ITEM2,
            add_item2=pb.AddItem2Command(
                server_handle=server_handle, item_definition=named(item, "item"), item_context=context
            ),
        )
        reply = await self._payload(command, "add_item2", pb.AddItem2Reply, correlation_id)
        return handle(reply.item_handle, "add_item2", reply)

    async def add_buffered_item(
        self, server_handle: int, item: str, context: str = "", *, correlation_id: str = ""
    ) -> int:
        """Add an item whose changes come in batches (OnBufferedDataChange) and return its item handle."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_ADD_BUFFERED_ITEM,
            add_buffered_item=pb.AddBufferedItemCommand(
                server_handle=server_handle, item_definition=named(item, "item"), item_context=context
            ),
        )
        reply = await self._payload(command, "add_buffered_item", pb.AddBufferedItemReply, correlation_id)
        return handle(reply.item_handle, "add_buffered_item", reply)

    async def set_buffered_update_interval(
        self, server_handle: int, interval: timedelta | int, *, correlation_id: str = ""
    ) -> None:
        """Set how often buffered items report.

        Args:
            server_handle: of the registration.
            interval: a timedelta, or whole milliseconds.
            correlation_id: empty for a fresh one.
        """
        milliseconds = round(interval / timedelta(milliseconds=1)) if isinstance(interval, timedelta) else interval
        if milliseconds < 1:
            raise ValueError(f"interval={interval!r} must be at least 1 ms")
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_SET_BUFFERED_UPDATE_INTERVAL,
            set_buffered_update_interval=pb.SetBufferedUpdateIntervalCommand(
                server_handle=server_handle, update_interval_milliseconds=milliseconds
            ),
        )
        await self._command(command, correlation_id)

    async def remove_item(self, server_handle: int, item_handle: int, *, correlation_id: str = "") -> None:
        """Remove an item."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_REMOVE_ITEM,
            remove_item=pb.RemoveItemCommand(server_handle=server_handle, item_handle=item_handle),
        )
        await self._command(command, correlation_id)

    async def advise(self, server_handle: int, item_handle: int, *, correlation_id: str = "") -> None:
        """Ask for the item's data changes. The first one can take 3 to 8 s on a fresh session."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_ADVISE,
            advise=pb.AdviseCommand(server_handle=server_handle, item_handle=item_handle),
        )
        await self._command(command, correlation_id)

    async def un_advise(self, server_handle: int, item_handle: int, *, correlation_id: str = "") -> None:
        """Stop the item's data changes."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_UN_ADVISE,
            un_advise=pb.UnAdviseCommand(server_handle=server_handle, item_handle=item_handle),
        )
        await self._command(command, correlation_id)

    unadvise = un_advise

    async def advise_supervisory(self, server_handle: int, item_handle: int, *, correlation_id: str = "") -> None:
        """Advise on behalf of a user: only then does the `user_id` of a write count."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_ADVISE_SUPERVISORY,
            advise_supervisory=pb.AdviseSupervisoryCommand(server_handle=server_handle, item_handle=item_handle),
        )
        await self._command(command, correlation_id)

    async def suspend(self, server_handle: int, item_handle: int, *, correlation_id: str = "") -> pb.MxStatusProxy:
        """Suspend an item's updates and return the status that MXAccess gave."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_SUSPEND,
            suspend=pb.SuspendCommand(server_handle=server_handle, item_handle=item_handle),
        )
        return (await self._payload(command, "suspend", pb.SuspendReply, correlation_id)).status

    async def activate(self, server_handle: int, item_handle: int, *, correlation_id: str = "") -> pb.MxStatusProxy:
        """Activate a suspended item and return the status that MXAccess gave."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_ACTIVATE,
            activate=pb.ActivateCommand(server_handle=server_handle, item_handle=item_handle),
        )
        return (await self._payload(command, "activate", pb.ActivateReply, correlation_id)).status
