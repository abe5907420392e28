"""Sessions of the simulated gateway: registrations, items, leases (CONTRACT.md "sessions")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import grpc

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .clock import Clock, Timer
from .event_log import EventLog
from .gateway_limits import Limits
from .keys import AccessDeniedError, ApiKey
from .model import Tag
from .randomness import stable_key

__all__ = ["Item", "Registration", "Session", "SessionStore"]

SECOND = 1_000_000
#: How long a closed session is still known, so that closing it again is answered.
_REMEMBERED_US = 300 * SECOND


@dataclass(slots=True, eq=False)
class Item:
    """An added item. `tag` is None for a reference that the Galaxy does not know."""

    server_handle: int
    handle: int
    reference: str
    tag: Tag | None
    buffered: bool = False
    advised: bool = False
    supervisory: bool = False
    suspended: bool = False
    #: Subscribed by a ReadBulk for itself alone: its values go to nobody else.
    private: bool = False
    #: Whether the first value was delivered; then the cache of ReadBulk can answer.
    bound: bool = False
    #: The newest event; value, quality, time and statuses are the item's, the rest may be another item's.
    last: pb.MxEvent | None = None


@dataclass(slots=True, eq=False)
class Registration:
    """A registered client: the owner of items and of authenticated users."""

    handle: int
    client_name: str
    users: set[int] = field(default_factory=set)
    buffered_interval_us: int = SECOND


class Session:
    """One session.

    Attributes:
        key: whose it is; None without authentication.
        state: a `SessionState`.
        pending: commands under way.
    """

    def __init__(
        self,
        session_id: str,
        name: str,
        key: ApiKey | None,
        clock: Clock,
        limits: Limits,
        on_end: Callable[[Session], None] = lambda session: None,
        before_event: Callable[[Session], bool] = lambda session: True,
    ) -> None:
        self.id = session_id
        self.name = name
        self.key = key
        self.state: int = pb.SESSION_STATE_READY
        self.reason = ""
        self.pending = 0
        self.registrations: dict[int, Registration] = {}
        self.items: dict[int, Item] = {}
        self.command_timeout = limits.command_timeout
        #: Whether a value has come: the names that follow are bound faster.
        self.warm = False
        #: Told with a reason when the session faults or closes: commands under way.
        self.waiting: set[Callable[[str], None]] = set()
        self.log = EventLog(limits, self._overflowed, lambda: before_event(self))
        self.streams = 0
        self.touched_us = clock.now_us()
        self.detached_us: int | None = None
        self.closed_us: int | None = None
        self._limits = limits
        self._on_end = on_end
        self._handles = 0

    def next_handle(self) -> int:
        """A handle that this session has not given out before."""
        self._handles += 1
        return self._handles

    def fault(self, reason: str) -> None:
        """The worker is of no use any more; only closing is left."""
        if self.state == pb.SESSION_STATE_READY:
            self.state = pb.SESSION_STATE_FAULTED
            self.reason = reason
            self.end(f"the session is faulted: {reason}")

    def end(self, reason: str) -> None:
        """Let go of everything that goes on: streams, commands under way, subscriptions."""
        for subscriber in self.log.subscribers:
            subscriber.end(reason)
        for tell in list(self.waiting):
            tell(reason)
        self._on_end(self)
        self.items.clear()
        self.registrations.clear()

    def _overflowed(self) -> None:
        if self._limits.fail_fast and not self._limits.multiple_subscribers:
            self.fault("EventQueueOverflow")


class SessionStore:
    """All sessions of a gateway.

    Args:
        seed: session ids follow from it and from the number of the session.
        clock: for leases.
        limits: how many, how long.
        on_end: called with a session that faults or closes, whoever ends it.
        before_event: called with a session before each of its events; False drops the event.
    """

    def __init__(
        self,
        seed: int,
        clock: Clock,
        limits: Limits,
        on_end: Callable[[Session], None],
        before_event: Callable[[Session], bool] = lambda session: True,
    ) -> None:
        self._seed = seed
        self._clock = clock
        self._limits = limits
        self._on_end = on_end
        self._before_event = before_event
        self._sessions: dict[str, Session] = {}
        self._opened = 0
        self._sweep: Timer | None = None

    @property
    def live(self) -> list[Session]:
        """The sessions that are not closed, in the order of opening."""
        return [session for session in self._sessions.values() if session.state != pb.SESSION_STATE_CLOSED]

    def open(self, name: str, key: ApiKey | None) -> Session:
        """A new session that is ready.

        Raises:
            AccessDeniedError: there are too many.
        """
        if len(self.live) >= self._limits.max_sessions:
            raise AccessDeniedError(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"the limit of {self._limits.max_sessions} sessions is reached"
            )
        self._opened += 1
        high, low = (stable_key(self._seed, f"session {self._opened} {part}") for part in ("high", "low"))
        session_id = f"session-{high & (2**64 - 1):016x}{low & (2**64 - 1):016x}"
        session = Session(session_id, name, key, self._clock, self._limits, self._on_end, self._before_event)
        self._sessions[session_id] = session
        self._arm()
        return session

    def find(self, session_id: str) -> Session:
        """A session that is known, whatever its state.

        Raises:
            AccessDeniedError: it is not.
        """
        session = self._sessions.get(session_id)
        if session is None:
            raise AccessDeniedError(grpc.StatusCode.NOT_FOUND, f"session {session_id!r} is not known")
        return session

    def ready(self, session_id: str) -> Session:
        """A session that takes commands; the call renews its lease.

        Raises:
            AccessDeniedError: it is not known, or not ready.
        """
        session = self.find(session_id)
        if session.state == pb.SESSION_STATE_CLOSED:
            raise AccessDeniedError(grpc.StatusCode.NOT_FOUND, f"session {session_id!r} is closed ({session.reason})")
        if session.state != pb.SESSION_STATE_READY:
            names = {number: name for name, number in pb.SessionState.items()}
            state = names.get(session.state, str(session.state)).removeprefix("SESSION_STATE_")
            raise AccessDeniedError(
                grpc.StatusCode.FAILED_PRECONDITION, f"session {session_id!r} is {state} ({session.reason})"
            )
        session.touched_us = self._clock.now_us()
        return session

    def close(self, session: Session, reason: str) -> None:
        """End a session; again for one that has ended is harmless."""
        if session.state == pb.SESSION_STATE_CLOSED:
            return
        session.state = pb.SESSION_STATE_CLOSED
        session.reason = reason
        session.closed_us = self._clock.now_us()
        session.end(f"the session was closed: {reason}")

    def attached(self, session: Session) -> None:
        """An event stream was attached: the detach grace is off."""
        session.streams += 1
        session.detached_us = None

    def detached(self, session: Session) -> None:
        """An event stream was dropped: with the last one the detach grace begins."""
        session.streams -= 1
        now = self._clock.now_us()
        session.touched_us = now
        if session.streams == 0 and self._limits.detach_grace > 0:
            session.detached_us = now

    def shut(self, reason: str) -> None:
        """Close all sessions and look at leases no more."""
        for session in self.live:
            self.close(session, reason)
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def _arm(self) -> None:
        if self._sweep is None:
            due = self._clock.now_us() + round(self._limits.sweep_interval * SECOND)
            self._sweep = self._clock.call_at(due, self._run_sweep)

    def _run_sweep(self) -> None:
        self._sweep = None
        now = self._clock.now_us()
        for session in list(self._sessions.values()):
            if session.closed_us is not None:
                if now - session.closed_us > _REMEMBERED_US:
                    del self._sessions[session.id]
            elif session.detached_us is not None and now - session.detached_us >= self._limits.detach_grace * SECOND:
                self.close(session, "detach-grace-expired")
            elif session.streams == 0 and now - session.touched_us >= self._limits.lease * SECOND:
                self.close(session, "lease-expired")
        if self._sessions:
            self._arm()
