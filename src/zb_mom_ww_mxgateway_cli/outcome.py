"""What a command's end means: its exit code and the one line that says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import click

from .output import clean

__all__ = [
    "EXIT_CODES",
    "FAILED",
    "INTERRUPTED",
    "MEANINGS",
    "REFUSED",
    "CommandFailed",
    "CommandRefused",
    "Outcome",
    "explain",
]

FAILED, USAGE, NOT_ALLOWED, UNREACHABLE, REFUSED, INTERRUPTED = 1, 2, 3, 4, 5, 130

#: What an exit code means; the help shows it.
MEANINGS: Mapping[int, str] = {
    0: "done",
    FAILED: "failed",
    USAGE: "wrong usage",
    NOT_ALLOWED: "the API key is not accepted or lacks a scope",
    UNREACHABLE: "the gateway cannot be reached or trusted, or the connection broke",
    REFUSED: "MXAccess refused",
    INTERRUPTED: "interrupted",
}

#: Exit code by the name of the exception's class, or of the nearest base that is named here; by name, because the
#: classes of the library are imported only by the commands that use them. Anything else is a fault of this program and
#: shows its traceback.
EXIT_CODES: Mapping[str, int] = {
    "Abort": INTERRUPTED,
    "KeyboardInterrupt": INTERRUPTED,
    "UsageError": USAGE,
    "CommandFailed": FAILED,
    "CommandRefused": REFUSED,
    "MxGatewayAuthenticationError": NOT_ALLOWED,
    "MxGatewayAuthorizationError": NOT_ALLOWED,
    "MxGatewayTransportError": UNREACHABLE,
    "MxAccessError": REFUSED,
    "MxGatewayError": FAILED,
    "OSError": FAILED,
}


class CommandFailed(Exception):  # noqa: N818 - it reads as what it says
    """A command could not do its work; the text is for the user and names the endpoint, tag or file."""


class CommandRefused(CommandFailed):
    """MXAccess refused, and said so in a status and not in a failed call."""


class Outcome(NamedTuple):
    """An exit code and the line for stderr."""

    code: int
    text: str


def explain(error: BaseException) -> Outcome | None:
    """The outcome of a failed command; None for a fault of this program."""
    code = next((EXIT_CODES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in EXIT_CODES), None)
    if code is None:
        return None
    if code == INTERRUPTED:
        return Outcome(code, "interrupted")
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx is not None else "mxgw-py"
        return Outcome(code, _one_line(f"{path}: {error.format_message()} (see {path} --help)"))
    return Outcome(code, _one_line(f"error: {_text(error)}"))


def _text(error: BaseException) -> str:
    if isinstance(error, OSError) and not isinstance(error, TimeoutError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _one_line(text: str) -> str:
    return clean(" ".join(text.split()))
