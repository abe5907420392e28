"""Connections of a command, or of all commands of a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, GalaxyRepositoryClient, GatewayClient, Session

__all__ = ["Connections", "in_batch", "with_galaxy", "with_gateway", "with_session"]

ResultT = TypeVar("ResultT")


class Connections:
    """The clients of this process, one per service and options, each opened with its first use."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._clients: dict[tuple[type[Any], ClientOptions], Any] = {}
        self._sessions: dict[tuple[ClientOptions, str], Session] = {}

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
            self._sessions = {key: session for key, session in self._sessions.items() if key[0] != options}
            # A gateway that comes back may have another certificate than the one that this client has pinned.
            await self._clients.pop((kind, options)).close()
            raise

    def session(self, client: GatewayClient, session_id: str) -> Session:
        """A session that exists, the same object each time: it keeps the one event stream of writes that wait."""
        key = client.options, session_id
        if key not in self._sessions:
            self._sessions[key] = client.session(session_id)
        return self._sessions[key]

    async def _close(self) -> None:
        for client in self._clients.values():
            await client.close()


def _run(kind: type[Any], options: ClientOptions, work: Callable[[Any], Awaitable[ResultT]]) -> ResultT:
    shared = _shared()
    if shared is not None:
        return shared.run(kind, options, work)
    with Connections() as own:
        return own.run(kind, options, work)


def in_batch() -> bool:
    """Whether this command is a line of a batch."""
    return _shared() is not None


def _shared() -> Connections | None:
    context = click.get_current_context(silent=True)
    return context.find_object(Connections) if context is not None else None


def with_gateway(options: ClientOptions, work: Callable[[GatewayClient], Awaitable[ResultT]]) -> ResultT:
    """Connect, do the work, disconnect; in a batch the connection stays for the next line."""
    from zb_mom_ww_mxgateway import GatewayClient

    return _run(GatewayClient, options, work)


def with_session(options: ClientOptions, session_id: str, work: Callable[[Session], Awaitable[ResultT]]) -> ResultT:
    """`with_gateway`, with a session that exists and stays open."""
    shared = _shared()

    async def with_its_session(client: GatewayClient) -> ResultT:
        if shared is not None:
            return await work(shared.session(client, session_id))
        return await work(client.session(session_id))

    return with_gateway(options, with_its_session)


def with_galaxy(options: ClientOptions, work: Callable[[GalaxyRepositoryClient], Awaitable[ResultT]]) -> ResultT:
    """`with_gateway` for the Galaxy."""
    from zb_mom_ww_mxgateway import GalaxyRepositoryClient

    return _run(GalaxyRepositoryClient, options, work)
