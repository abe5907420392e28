"""Things that go wrong on demand, from Python or from text: `drop-stream:after=100`.

| name                | what goes wrong                                                                       |
|---------------------|---------------------------------------------------------------------------------------|
| drop-stream         | a stream ends with an error after so many messages                                    |
| stall-stream        | a stream stays open and sends nothing more, for a while or for good                   |
| overflow            | a subscriber of events is taken to be too slow after so many events                   |
| skip-sequence       | `worker_sequence` leaves out numbers: events were lost on the way                     |
| fault-session       | the worker of a session dies after so many events                                     |
| delay-replies       | replies come late; the commands are done in time                                      |
| timeout-command     | a command is done and never answered, until the gateway gives up on it                |
| malformed-reply     | a reply says OK and lacks its payload                                                 |
| unknown-field       | a message carries a field that this contract does not know                            |
| unknown-enum        | a message carries an enum value that this contract does not know                      |
| refuse-key          | a key is revoked at some time, for a while or for good                                |
| restart             | the gateway dies, forgets its sessions, and comes back on the same port               |
| alarm-failover      | alarms come from subtags for a while: degraded                                        |
| refuse-acknowledge  | the alarm system does not take acknowledgements                                       |

Times are seconds of the simulator's clock. `times=0` is "every time".
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import ClassVar, get_type_hints

import grpc

__all__ = [
    "AlarmFailover",
    "DelayReplies",
    "DropStream",
    "Fault",
    "FaultSession",
    "MalformedReply",
    "OverflowSubscriber",
    "RefuseAcknowledge",
    "RefuseKey",
    "Restart",
    "SkipSequence",
    "StallStream",
    "TimeoutCommand",
    "UnknownEnum",
    "UnknownField",
    "parse_fault",
]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something to go wrong. Its fields say when, how often, and to what."""

    name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and value < 0:
                raise ValueError(f"{self.name}: {field.name}={value} must not be negative")


@dataclass(frozen=True, kw_only=True)
class _StreamFault(Fault):
    """Happens in a stream, after `after` of its messages, to the first `times` streams that get so far."""

    after: int = 0
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class DropStream(_StreamFault):
    """End a stream with an error.

    Args:
        after: messages that are sent before.
        times: how many streams.
        rpc: which rpc's streams.
        code: the gRPC status.
    """

    name: ClassVar[str] = "drop-stream"
    rpc: str = "StreamEvents"
    code: str = "UNAVAILABLE"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.code not in grpc.StatusCode.__members__ or self.code == "OK":
            raise ValueError(f"{self.name}: code={self.code!r} is not the name of a gRPC error")


@dataclass(frozen=True, kw_only=True)
class StallStream(_StreamFault):
    """Send nothing more on a stream that stays open.

    Args:
        after: messages that are sent before.
        times: how many streams.
        rpc: which rpc's streams.
        seconds: for how long; 0 is for good.
    """

    name: ClassVar[str] = "stall-stream"
    rpc: str = "StreamEvents"
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class OverflowSubscriber(_StreamFault):
    """Take a subscriber of events to be too slow, with all that follows from it.

    Args:
        after: events that the session makes before.
        times: in how many sessions.
    """

    name: ClassVar[str] = "overflow"


@dataclass(frozen=True, kw_only=True)
class SkipSequence(_StreamFault):
    """Leave out sequence numbers.

    Args:
        after: events that a session makes before.
        times: in how many sessions.
        count: how many numbers.
    """

    name: ClassVar[str] = "skip-sequence"
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class FaultSession(_StreamFault):
    """Let the worker of a session die.

    Args:
        after: events that the session makes before.
        times: how many sessions.
    """

    name: ClassVar[str] = "fault-session"


@dataclass(frozen=True, kw_only=True)
class _ReplyFault(Fault):
    """Happens to replies.

    Args:
        command: to which: "read_bulk", "OpenSession" …; empty is every one.
        times: how often; 0 is always.
    """

    command: str = ""
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class DelayReplies(_ReplyFault):
    """Answer late.

    Args:
        command: which; empty is every one.
        times: how often; 0 is always.
        seconds: how late.
    """

    name: ClassVar[str] = "delay-replies"
    times: int = 0
    seconds: float = 1.0


@dataclass(frozen=True, kw_only=True)
class TimeoutCommand(_ReplyFault):
    """Do a command and do not answer it: DEADLINE_EXCEEDED after the gateway's command timeout."""

    name: ClassVar[str] = "timeout-command"


@dataclass(frozen=True, kw_only=True)
class MalformedReply(_ReplyFault):
    """Say OK and leave out the payload."""

    name: ClassVar[str] = "malformed-reply"


@dataclass(frozen=True, kw_only=True)
class UnknownField(_ReplyFault):
    """Add a field with a number that the contract does not have. `command="StreamEvents"` is for events."""

    name: ClassVar[str] = "unknown-field"


@dataclass(frozen=True, kw_only=True)
class UnknownEnum(_ReplyFault):
    """Use enum values that the contract does not have. `command="StreamEvents"` is for events."""

    name: ClassVar[str] = "unknown-enum"


@dataclass(frozen=True, kw_only=True)
class RefuseKey(Fault):
    """Revoke a key.

    Args:
        key: its id; empty is the first one.
        at: when.
        seconds: for how long; 0 is for good.
    """

    name: ClassVar[str] = "refuse-key"
    key: str = ""
    at: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Restart(Fault):
    """Die and come back on the same port, without the sessions.

    Args:
        at: when.
        down: for how long nobody answers.
    """

    name: ClassVar[str] = "restart"
    at: float = 0.0
    down: float = 1.0


@dataclass(frozen=True, kw_only=True)
class AlarmFailover(Fault):
    """Get alarms from subtags.

    Args:
        at: when.
        seconds: for how long; 0 is for good.
    """

    name: ClassVar[str] = "alarm-failover"
    at: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RefuseAcknowledge(Fault):
    """Do not take acknowledgements.

    Args:
        times: how many.
    """

    name: ClassVar[str] = "refuse-acknowledge"
    times: int = 1


_KINDS: dict[str, type[Fault]] = {
    kind.name: kind
    for kind in (
        DropStream,
        StallStream,
        OverflowSubscriber,
        SkipSequence,
        FaultSession,
        DelayReplies,
        TimeoutCommand,
        MalformedReply,
        UnknownField,
        UnknownEnum,
        RefuseKey,
        Restart,
        AlarmFailover,
        RefuseAcknowledge,
    )
}


def parse_fault(text: str) -> Fault:
    """The fault that a text describes: a name, and after a colon its settings.

    Args:
        text: for example "drop-stream", "drop-stream:after=100,times=3", "restart:at=10,down=2".

    Raises:
        ValueError: there is no such fault, or it has no such setting; the text says what there is.
    """
    name, _, settings = text.strip().partition(":")
    kind = _KINDS.get(name)
    if kind is None:
        raise ValueError(f"no fault is called {name!r}; there are: {', '.join(sorted(_KINDS))}")
    types = get_type_hints(kind)
    known = [field.name for field in fields(kind)]
    given: dict[str, int | float | str] = {}
    for setting in filter(None, settings.split(",")):
        key, equals, value = (part.strip() for part in setting.partition("="))
        if key not in known or not equals:
            raise ValueError(f"{name} has no setting {setting.strip()!r}; it has: {', '.join(_shown(kind))}")
        try:
            given[key] = types[key](value)
        except ValueError:
            raise ValueError(f"{name}: {key}={value!r} is not a number") from None
    return kind(**given)


def _shown(kind: type[Fault]) -> list[str]:
    return [f"{field.name}={field.default if field.default is not MISSING else '…'}" for field in fields(kind)]
