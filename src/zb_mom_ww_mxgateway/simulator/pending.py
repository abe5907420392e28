"""Commands under way: how many, how long they are waited for, what ends the waiting (CONTRACT.md "commands")."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import grpc

from .clock import Clock
from .keys import AccessDeniedError
from .sessions import SECOND, Session

__all__ = ["PendingCommands"]

ResultT = TypeVar("ResultT")


class PendingCommands:
    """Waits for commands that take time.

    A deadline, a cancelled call or the gateway's own timeout end the waiting, never the command.

    Args:
        clock: the timeout is on it.
        most: commands of one session that may be under way at a time.
    """

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        self._most = most
        self._tasks: set[asyncio.Task[object]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def check(self, session: Session) -> None:
        """Refuse one more command than a session may have under way.

        Raises:
            AccessDeniedError: RESOURCE_EXHAUSTED.
        """
        if session.pending >= self._most:
            raise AccessDeniedError(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"{session.pending} commands of session {session.id} are pending already",
            )

    async def run(self, session: Session, work: Awaitable[ResultT]) -> ResultT:
        """What the command comes to.

        Raises:
            AccessDeniedError: DEADLINE_EXCEEDED after the command timeout, UNAVAILABLE when the session ends first.
        """
        task: asyncio.Future[ResultT] = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._tasks.add(task)
        session.pending += 1
        task.add_done_callback(lambda done: self._done(session, done))
        ended: asyncio.Future[AccessDeniedError] = asyncio.get_running_loop().create_future()

        def give_up(code: grpc.StatusCode, reason: str) -> None:
            if not ended.done():
                ended.set_result(AccessDeniedError(code, reason))

        def gone(reason: str) -> None:
            give_up(grpc.StatusCode.UNAVAILABLE, reason)

        seconds = session.command_timeout
        timer = self._clock.call_at(
            self._clock.now_us() + round(seconds * SECOND),
            lambda: give_up(grpc.StatusCode.DEADLINE_EXCEEDED, f"the command was not done within {seconds:g} s"),
        )
        session.waiting.add(gone)
        try:
            await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            session.waiting.discard(gone)
        if ended.done():
            raise ended.result()
        result: ResultT = task.result()
        return result

    def close(self) -> None:
        """Give up all commands: the gateway stops."""
        for task in self._tasks:
            task.cancel()

    def _done(self, session: Session, task: asyncio.Task[object]) -> None:
        session.pending -= 1
        self._tasks.discard(task)
        if not task.cancelled():
            # Looked at here as well, for nobody may be waiting any more.
            task.exception()
