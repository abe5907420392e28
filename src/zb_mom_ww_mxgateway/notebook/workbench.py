"""What a notebook's gateway does, on the background loop: one client, one shared session, opened when needed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ..client import GatewayClient
from ..errors import MxGatewayAuthorizationError, MxGatewayCommandError, MxGatewayError
from ..galaxy import GalaxyRepositoryClient
from ..generated import mxaccess_gateway_pb2 as pb
from ..options import ClientOptions
from ..recording import Collection, Collector, Pace, WallPace
from ..values import MxValueInput
from ..writes import WriteCompletion
from .portal import portal
from .shared_session import SharedSession

__all__ = ["CLIENT_NAME", "WriteResult", "Workbench"]

_log = logging.getLogger(__name__)

CLIENT_NAME = "zb-mom-ww-mxgateway notebook"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What came of a write, as the plant said it.

    Attributes:
        tag: what was written to.
        value: what was written.
        ok: whether the plant took it.
        said: the plant's status in words.
        at: when the completion came (UTC).
    """

    tag: str
    value: MxValueInput
    ok: bool
    said: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.tag} = {self.value!r}: {self.said}"


class Workbench:
    """Runs on the background loop alone.

    Args:
        client: of the gateway.
        galaxy: of its Galaxy.
        pace: how time goes by for collections.
    """

    def __init__(self, client: GatewayClient, galaxy: GalaxyRepositoryClient, pace: Pace | None) -> None:
        self.client = client
        self.galaxy = galaxy
        self.pace: Pace = pace or WallPace()
        self.refused_scopes: dict[str, str] = {}
        self._session: SharedSession | None = None
        self._opening = asyncio.Lock()
        self._writing = asyncio.Lock()
        # A kernel that ends without `close` must leave no session behind.
        self._forget = portal().before_end(self.close)

    @classmethod
    async def open(cls, options: ClientOptions, pace: Pace | None) -> Workbench:
        """Connect, and see that somebody answers.

        Raises:
            MxGatewayError: nobody does, or the key is not accepted.
        """
        client = await GatewayClient.connect(options)
        galaxy = await GalaxyRepositoryClient.connect(options)
        bench = cls(client, galaxy, pace)
        try:
            await bench.check("metadata:read", galaxy.get_last_deploy_time)
        except BaseException:
            await bench.close()
            raise
        return bench

    @property
    def session_state(self) -> str:
        """The session in one word: "not opened", "open", "broken", "closed"."""
        if self._session is None:
            return "not opened"
        if self._session.closed:
            return "closed"
        return "broken" if self._session.broken is not None else "open"

    async def check(self, scope: str, call: Callable[[], Awaitable[object]]) -> None:
        """Make a call whose refusal for want of a scope is remembered and not raised."""
        try:
            await call()
        except MxGatewayAuthorizationError as error:
            self.refused_scopes[scope] = error.details or str(error)

    async def session(self) -> SharedSession:
        """The shared session; opened with the first call, and again when it has broken."""
        async with self._opening:
            if self._session is not None and (self._session.closed or self._session.broken is not None):
                broken, self._session = self._session, None
                try:
                    await broken.close()
                except MxGatewayError as error:
                    _log.info("%s is gone on the gateway as well: %s", broken.session_id, error)
            if self._session is None:
                session = await self.client.open_session(client_session_name=CLIENT_NAME, kind=SharedSession)
                await session.start(CLIENT_NAME)
                self._session = session
            return self._session

    async def read(self, tags: Sequence[str], timeout_ms: int) -> list[pb.BulkReadResult]:
        """The current values."""
        session = await self.session()
        return await session.read_bulk(session.server_handle, tags, timeout_ms=timeout_ms)

    async def collector(self, tags: Sequence[str], progress: Callable[[int, float], None] | None = None) -> Collector:
        """A collector on the shared session."""
        session = await self.session()
        return Collector(session, tags, server_handle=session.server_handle, progress=progress, pace=self.pace)

    async def write(
        self, tag: str, value: MxValueInput, data_type: str | int | None, user_id: int, timeout: float
    ) -> WriteResult:
        """Advise, write, wait for the completion, and give the item back. One write at a time."""
        async with self._writing:
            session = await self.session()
            handle = session.server_handle
            item = await session.add_item(handle, tag)
            try:
                await (session.advise_supervisory if user_id else session.advise)(handle, item)
                done = await session.write(
                    handle, item, value, user_id, data_type=data_type, wait=True, timeout=timeout
                )
            finally:
                await session.remove_item(handle, item)
        return _result(tag, value, done)

    async def write_secured(
        self,
        tag: str,
        value: MxValueInput,
        user: tuple[str, str],
        verifier: tuple[str, str] | None,
        data_type: str | int | None,
        timeout: float,
    ) -> WriteResult:
        """The same in the name of a user, and of a verifier where one is given: (name, password) each."""
        async with self._writing:
            session = await self.session()
            handle = session.server_handle
            user_id = await session.authenticate_user(handle, *user)
            verifier_id = 0 if verifier is None else await session.authenticate_user(handle, *verifier)
            item = await session.add_item(handle, tag)
            try:
                await session.advise_supervisory(handle, item)
                done = await session.write_secured(
                    handle, item, value, user_id, verifier_id, data_type=data_type, wait=True, timeout=timeout
                )
            finally:
                await session.remove_item(handle, item)
        if done is None:
            raise MxGatewayCommandError(f"the write to {tag} was not completed")
        return _result(tag, value, done)

    async def close(self) -> None:
        """Close the session and the connections. Idempotent."""
        self._forget()
        try:
            await self.client.close()
        finally:
            await self.galaxy.close()


def _result(tag: str, value: MxValueInput, done: WriteCompletion) -> WriteResult:
    return WriteResult(tag, value, done.ok, str(done), datetime.now(UTC))


async def gathered(collector: Collector, seconds: float | None, events: int | None) -> Collection:
    """Run a collector; what it has is returned when it is cancelled, too."""
    try:
        return await collector.run(seconds=seconds, events=events)
    except asyncio.CancelledError:
        return collector.collection()
