"""Connections of a command, or of all commands of a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, GalaxyRepositoryClient, GatewayClient, Session

__all__ = ["Connections", "with_galaxy", "with_gateway", "with_session"]

ResultT = TypeVar("ResultT")


class Connections:
    """The clients of this process, one per service and options, each opened with its first use."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._clients: dict[tuple[type[Any], ClientOptions], Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._clients:
                self._runner.run(self._close())
        finally:
            self._runner.close()

    def run(self, kind: type[Any], options: ClientOptions, work: Callable[[Any], Awaitable[ResultT]]) -> ResultT:
        """Do the work with a client of that class."""
        return self._runner.run(self._work(kind, options, work))

    async def _work(
        self, kind: type[Any], options: ClientOptions, work: Callable[[Any], Awaitable[ResultT]]
    ) -> ResultT:
        from zb_mom_ww_mxgateway import MxGatewayTransportError

        client = self._clients.get((kind, options))
        if client is None:
            client = self._clients[kind, options] = await kind.connect(options)
        try:
            return await work(client)
        except MxGatewayTransportError:
            # A gateway that comes back may have another certificate than the one that this client has pinned.
            await self._clients.pop((kind, options)).close()
            raise

    async def _close(self) -> None:
        for client in self._clients.values():
            await client.close()


def _run(kind: type[Any], options: ClientOptions, work: Callable[[Any], Awaitable[ResultT]]) -> ResultT:
    context = click.get_current_context(silent=True)
    shared = context.find_object(Connections) if context is not None else None
    if shared is not None:
        return shared.run(kind, options, work)
    with Connections() as own:
        return own.run(kind, options, work)


def with_gateway(options: ClientOptions, work: Callable[[GatewayClient], Awaitable[ResultT]]) -> ResultT:
    """Connect, do the work, disconnect; in a batch the connection stays for the next line."""
    from zb_mom_ww_mxgateway import GatewayClient

    return _run(GatewayClient, options, work)


def with_session(options: ClientOptions, session_id: str, work: Callable[[Session], Awaitable[ResultT]]) -> ResultT:
    """`with_gateway`, with a session that exists and stays open."""
    return with_gateway(options, lambda client: work(client.session(session_id)))


def with_galaxy(options: ClientOptions, work: Callable[[GalaxyRepositoryClient], Awaitable[ResultT]]) -> ResultT:
    """`with_gateway` for the Galaxy."""
    from zb_mom_ww_mxgateway import GalaxyRepositoryClient

    return _run(GalaxyRepositoryClient, options, work)
