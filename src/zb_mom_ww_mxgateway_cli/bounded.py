"""Streams that end: after so many messages, after so long, or with --ndjson when somebody ends them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from .arguments import as_json as as_json_option
from .arguments import timeout_option
from .output import show, show_json

__all__ = ["MAX_AGGREGATE_EVENTS", "Bounds", "collect", "stream_options"]

#: So many messages --json holds in memory at most; --ndjson holds none.
MAX_AGGREGATE_EVENTS = 10_000
#: Seconds that --json waits without --timeout: a command that prints at its end must have one.
AGGREGATE_TIMEOUT = 30.0

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


@dataclass(frozen=True)
class Bounds:
    """When a stream ends, and how it is shown.

    Attributes:
        limit: messages; None is no limit.
        timeout: seconds; None is no limit.
        as_json: one JSON object at the end.
        ndjson: one JSON object per message, as it comes.
    """

    limit: int | None
    timeout: float | None
    as_json: bool
    ndjson: bool


def stream_options(name: str) -> Callable[[CommandT], CommandT]:
    """Give a command --json, --ndjson, --timeout and its limit; it gets `bounds`.

    Args:
        name: of the limit, such as "--max-events".
    """

    def decorate(function: CommandT) -> CommandT:
        def command(limit: int | None, timeout: float | None, as_json: bool, ndjson: bool, **given: Any) -> Any:
            if as_json and ndjson:
                raise click.UsageError("--json and --ndjson exclude each other")
            if as_json:
                timeout = AGGREGATE_TIMEOUT if timeout is None else timeout
                limit = MAX_AGGREGATE_EVENTS if limit is None else min(limit, MAX_AGGREGATE_EVENTS)
            return function(bounds=Bounds(limit, timeout, as_json, ndjson), **given)

        command.__doc__ = function.__doc__
        command.__name__ = function.__name__
        inherited = getattr(function, "__click_params__", None)
        if inherited is not None:
            command.__click_params__ = inherited  # type: ignore[attr-defined]
        decorated: Any = as_json_option(command)
        decorated = click.option("--ndjson", is_flag=True, help="One line of JSON per message, as it comes.")(decorated)
        decorated = timeout_option(f"Stop after so long.  [default: {AGGREGATE_TIMEOUT:g} with --json]", None)(
            decorated
        )
        limited: CommandT = click.option(
            name,
            "limit",
            type=click.IntRange(min=1),
            metavar="N",
            help=f"Stop after so many; --json holds {MAX_AGGREGATE_EVENTS} at most.",
        )(decorated)
        return limited

    return decorate


async def collect(
    stream: AsyncIterator[Any], bounds: Bounds, line: Callable[[Any], str], name: str, more: dict[str, Any]
) -> None:
    """Show a stream's messages until it ends.

    Args:
        stream: a stream that ends with `MxGatewayTimeoutError` after `bounds.timeout`.
        bounds: when it ends.
        line: a message for people.
        name: what the list of messages is called in JSON; `ended` beside it says what ended it.
        more: also in JSON.
    """
    from zb_mom_ww_mxgateway import MxGatewayTimeoutError

    kept: list[Any] = []
    count, ended = 0, "gateway"
    try:
        async for message in stream:
            count += 1
            if bounds.as_json:
                kept.append(message)
            elif bounds.ndjson:
                show_json(message)
            else:
                show(line(message))
            if count == bounds.limit:
                ended = "limit"
                break
    except MxGatewayTimeoutError:
        # So long was asked for, and it is over.
        ended = "timeout"
    if bounds.as_json:
        show_json({name: kept, f"{name.removesuffix('s')}Count": count, "ended": ended, **more})
