"""The limits of a gateway, with the real gateway's defaults (CONTRACT.md "sessions", "commands", "events")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Times are in seconds.

    Args:
        max_sessions: sessions at a time.
        max_pending_commands: commands of one session that wait at a time.
        command_timeout: how long the gateway waits for a command.
        lease: a session without calls and without a stream ends after this.
        sweep_interval: how often leases and graces are looked at.
        detach_grace: a session ends so long after its last event stream was dropped; 0 turns it off.
        event_queue: events kept for one subscriber.
        replay_events: events kept for resuming.
        replay_seconds: … and for how long.
        multiple_subscribers: whether a session may have more than one event stream.
        max_subscribers: … and how many.
        fail_fast: whether an overflow faults the session (in single-subscriber mode).
        max_bulk: entries of one bulk command.
        max_message_bytes: of one message.
        first_value_delay: from the first advise of a session to its value: a number, or a range that the session
            picks from. On a real plant it is (3, 8), while names are bound; short here, so that trying things is fun.
            `Limits.like_a_plant()` sets it and the next two as on a plant.
        value_delay: the same for an advise in a session that has had its first value.
        initial_quality: None sends nothing before the first value; a quality byte (64 uncertain, 0 bad) sends an
            event without a value and with that quality at once, as an item that is not bound yet may show.
        write_delay: from an accepted write to its completion.
        read_timeout: what a ReadBulk with a timeout of 0 waits for values.
    """

    max_sessions: int = 64
    max_pending_commands: int = 128
    command_timeout: float = 30.0
    lease: float = 1800.0
    sweep_interval: float = 30.0
    detach_grace: float = 30.0
    event_queue: int = 10_000
    replay_events: int = 1024
    replay_seconds: float = 300.0
    multiple_subscribers: bool = False
    max_subscribers: int = 8
    fail_fast: bool = True
    max_bulk: int = 1000
    max_message_bytes: int = 16 * 1024 * 1024
    first_value_delay: float | tuple[float, float] = 0.3
    value_delay: float = 0.3
    initial_quality: int | None = None
    write_delay: float = 0.05
    read_timeout: float = 10.0

    @classmethod
    def immediate(cls, **changes: Any) -> Limits:
        """The limits without delays, for tests and for a clock that stands still: nothing waits for time to pass."""
        return replace(cls(first_value_delay=0.0, value_delay=0.0, write_delay=0.0), **changes)

    @classmethod
    def like_a_plant(cls, **changes: Any) -> Limits:
        """The limits with the slow first value of a real plant: 3 to 8 s, uncertain until then."""
        return replace(cls(first_value_delay=(3.0, 8.0), value_delay=0.1, initial_quality=64), **changes)
