"""Commands that write. None of them is ever retried.

A reply that says OK means accepted. What came of it is an OnWriteComplete event (CONTRACT "writes"), which
`wait=True` waits for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar, overload

import grpc

from .errors import MxGatewayTimeoutError
from .feed import EventFeed
from .generated import mxaccess_gateway_pb2 as pb
from .invoking import STREAM_EVENTS, Invoker, check_count, parts
from .status import describe_hresult, describe_status, is_failure
from .values import MxValueInput, to_mx_value

__all__ = ["WriteCommands", "WriteCompletion"]

#: Seconds that `wait=True` waits for the completion by default.
WRITE_TIMEOUT = 30.0

EntryT = TypeVar("EntryT")


@dataclass(frozen=True, slots=True)
class WriteCompletion:
    """What the plant said about a write.

    Attributes:
        event: the OnWriteComplete event.
    """

    event: pb.MxEvent

    @property
    def ok(self) -> bool:
        """Whether no status and no hresult of the event reports a failure."""
        return not (self.hresult & 0x80000000 or any(is_failure(status) for status in self.statuses))

    @property
    def statuses(self) -> tuple[pb.MxStatusProxy, ...]:
        """The statuses of the event."""
        return tuple(self.event.statuses)

    @property
    def hresult(self) -> int:
        """The COM result as an unsigned 32-bit number; 0 when none came."""
        return self.event.hresult & 0xFFFFFFFF

    def __str__(self) -> str:
        said = [describe_hresult(self.hresult)] if self.hresult else []
        said += [describe_status(status) for status in self.statuses]
        return f"write {'completed' if self.ok else 'failed'}{': ' if said else ''}{'; '.join(said)}"


class WriteCommands(Invoker):
    """Single and bulk writes, plain, with a timestamp, and secured."""

    async def _event_feed(self) -> EventFeed:
        """The session's one event stream, opened if need be."""
        raise AttributeError("_event_feed")

    def _leave_feed(self, feed: EventFeed) -> None:
        """A write has seen its completion; the session's one stream stays open for the next."""

    @overload
    async def write(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput,
        user_id: int = 0,
        *,
        data_type: str | int | None = None,
        wait: Literal[False] = False,
        timeout: float = WRITE_TIMEOUT,
        correlation_id: str = "",
    ) -> None: ...

    @overload
    async def write(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput,
        user_id: int = 0,
        *,
        data_type: str | int | None = None,
        wait: Literal[True],
        timeout: float = WRITE_TIMEOUT,
        correlation_id: str = "",
    ) -> WriteCompletion: ...

    async def write(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput,
        user_id: int = 0,
        *,
        data_type: str | int | None = None,
        wait: bool = False,
        timeout: float = WRITE_TIMEOUT,
        correlation_id: str = "",
    ) -> WriteCompletion | None:
        """Write a value to an advised item.

        Args:
            server_handle: of the registration.
            item_handle: of an item that is advised; MXAccess refuses others with E_INVALIDARG.
            value: see `values`.
            user_id: counts only after a supervisory advise.
            data_type: what Python cannot tell, see `to_mx_value`.
            wait: wait for the OnWriteComplete event and return it; else return when the write is accepted.
            timeout: seconds to wait for the completion.
            correlation_id: empty for a fresh one.

        Raises:
            MxGatewayTimeoutError: no completion came in time; the write was accepted and may still take effect.
        """
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_WRITE,
            write=pb.WriteCommand(
                server_handle=server_handle,
                item_handle=item_handle,
                value=to_mx_value(value, data_type=data_type),
                user_id=user_id,
            ),
        )
        return await self._write(command, (server_handle, item_handle), wait, timeout, correlation_id)

    async def write2(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput,
        timestamp: datetime | pb.MxValue,
        user_id: int = 0,
        *,
        data_type: str | int | None = None,
        wait: bool = False,
        timeout: float = WRITE_TIMEOUT,
        correlation_id: str = "",
    ) -> WriteCompletion | None:
        """Write a value with a timestamp (aware). Otherwise like `write`."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_WRITE2,
            write2=pb.Write2Command(
                server_handle=server_handle,
                item_handle=item_handle,
                value=to_mx_value(value, data_type=data_type),
                timestamp_value=to_mx_value(timestamp),
                user_id=user_id,
            ),
        )
        return await self._write(command, (server_handle, item_handle), wait, timeout, correlation_id)

    async def write_secured(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput,
        current_user_id: int,
        verifier_user_id: int = 0,
        *,
        data_type: str | int | None = None,
        wait: bool = False,
        timeout: float = WRITE_TIMEOUT,
        correlation_id: str = "",
    ) -> WriteCompletion | None:
        """Write in the name of an authenticated user, with a verifier where the attribute asks for one.

        Needs the scope `invoke:secure`. Without authentication MXAccess refuses with 0x80004021. Otherwise like
        `write`.
        """
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_WRITE_SECURED,
            write_secured=pb.WriteSecuredCommand(
                server_handle=server_handle,
                item_handle=item_handle,
                value=to_mx_value(value, data_type=data_type),
                current_user_id=current_user_id,
                verifier_user_id=verifier_user_id,
            ),
        )
        return await self._write(command, (server_handle, item_handle), wait, timeout, correlation_id)

    async def write_secured2(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput,
        timestamp: datetime | pb.MxValue,
        current_user_id: int,
        verifier_user_id: int = 0,
        *,
        data_type: str | int | None = None,
        wait: bool = False,
        timeout: float = WRITE_TIMEOUT,
        correlation_id: str = "",
    ) -> WriteCompletion | None:
        """`write_secured` with a timestamp (aware)."""
        command = pb.MxCommand(
            kind=pb.MX_COMMAND_KIND_WRITE_SECURED2,
            write_secured2=pb.WriteSecured2Command(
                server_handle=server_handle,
                item_handle=item_handle,
                value=to_mx_value(value, data_type=data_type),
                timestamp_value=to_mx_value(timestamp),
                current_user_id=current_user_id,
                verifier_user_id=verifier_user_id,
            ),
        )
        return await self._write(command, (server_handle, item_handle), wait, timeout, correlation_id)

    # Bulk -----------------------------------------------------------------------------------------------------------

    async def write_bulk(
        self, server_handle: int, entries: Sequence[pb.WriteBulkEntry], *, correlation_id: str = ""
    ) -> list[pb.BulkWriteResult]:
        """Write many items; one result per entry, in order. A refused entry has `was_successful` false."""

        def command(part: Sequence[pb.WriteBulkEntry]) -> pb.MxCommand:
            return pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_WRITE_BULK,
                write_bulk=pb.WriteBulkCommand(server_handle=server_handle, entries=part),
            )

        return await self._write_bulk("write_bulk", entries, command, correlation_id)

    async def write2_bulk(
        self, server_handle: int, entries: Sequence[pb.Write2BulkEntry], *, correlation_id: str = ""
    ) -> list[pb.BulkWriteResult]:
        """`write_bulk` with a timestamp per entry."""

        def command(part: Sequence[pb.Write2BulkEntry]) -> pb.MxCommand:
            return pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_WRITE2_BULK,
                write2_bulk=pb.Write2BulkCommand(server_handle=server_handle, entries=part),
            )

        return await self._write_bulk("write2_bulk", entries, command, correlation_id)

    async def write_secured_bulk(
        self, server_handle: int, entries: Sequence[pb.WriteSecuredBulkEntry], *, correlation_id: str = ""
    ) -> list[pb.BulkWriteResult]:
        """`write_bulk` with user and verifier per entry. Needs the scope `invoke:secure`."""

        def command(part: Sequence[pb.WriteSecuredBulkEntry]) -> pb.MxCommand:
            return pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_WRITE_SECURED_BULK,
                write_secured_bulk=pb.WriteSecuredBulkCommand(server_handle=server_handle, entries=part),
            )

        return await self._write_bulk("write_secured_bulk", entries, command, correlation_id)

    async def write_secured2_bulk(
        self, server_handle: int, entries: Sequence[pb.WriteSecured2BulkEntry], *, correlation_id: str = ""
    ) -> list[pb.BulkWriteResult]:
        """`write_secured_bulk` with a timestamp per entry."""

        def command(part: Sequence[pb.WriteSecured2BulkEntry]) -> pb.MxCommand:
            return pb.MxCommand(
                kind=pb.MX_COMMAND_KIND_WRITE_SECURED2_BULK,
                write_secured2_bulk=pb.WriteSecured2BulkCommand(server_handle=server_handle, entries=part),
            )

        return await self._write_bulk("write_secured2_bulk", entries, command, correlation_id)

    async def _write_bulk(
        self,
        name: str,
        entries: Sequence[EntryT],
        command: Callable[[Sequence[EntryT]], pb.MxCommand],
        correlation_id: str,
    ) -> list[pb.BulkWriteResult]:
        results: list[pb.BulkWriteResult] = []
        for part in parts(list(entries), "entries"):
            reply = await self._payload(command(part), name, pb.BulkWriteReply, correlation_id)
            check_count(name, len(part), reply, len(reply.results))
            results.extend(reply.results)
        return results

    async def _write(
        self, command: pb.MxCommand, key: tuple[int, int], wait: bool, timeout: float, correlation_id: str
    ) -> WriteCompletion | None:
        if not wait:
            await self._command(command, correlation_id)
            return None
        feed = await self._event_feed()
        future = feed.expect(key)
        try:
            await self._command(command, correlation_id)
            async with asyncio.timeout(timeout):
                return WriteCompletion(await feed.wait(future))
        except TimeoutError as error:
            if isinstance(error, MxGatewayTimeoutError):
                raise
            raise MxGatewayTimeoutError(
                f"no completion of the write to item handle {key[1]} within {timeout:g} s: it was accepted and may "
                "still take effect, so look at the value before writing again",
                code=grpc.StatusCode.DEADLINE_EXCEEDED,
                correlation_id=correlation_id,
            ) from None
        except grpc.RpcError as error:
            # The stream broke, or another client has it, while the completion was awaited.
            cause = await self._connection.explain(error, STREAM_EVENTS.name, correlation_id)
            raise type(cause)(
                f"the write to item handle {key[1]} was accepted, but what came of it cannot be seen: {cause}; "
                "look at the value before writing again",
                code=cause.code,
                details=cause.details,
                correlation_id=correlation_id,
                api_key=self._connection.options.api_key,
            ) from None
        finally:
            feed.forget(key, future)
            self._leave_feed(feed)
