"""The alarm side of a notebook's gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..client import GatewayClient
from ..errors import MxGatewayError
from ..generated import mxaccess_gateway_pb2 as pb
from ..recording import Pace

if TYPE_CHECKING:
    import pandas as pd

    from ..streams import MessageStream

__all__ = ["AlarmCollection", "collect_alarm_feed"]

#: Seconds of the wall's time between two looks at what has come, and of a virtual clock's.
_STEP, _VIRTUAL_STEP = 0.25, 10.0
#: On a virtual clock nothing says that all has come; a feed that is quiet for so many seconds is taken to be.
_QUIET = 0.05


class AlarmCollection:
    """Feed messages, and why there are no more.

    Attributes:
        messages: in the order of the feed.
        ended_by: "running", "seconds", "messages", "interrupted", "stream end" or "stream error".
        error: what broke the feed; None otherwise.
    """

    def __init__(self) -> None:
        self.messages: list[pb.AlarmFeedMessage] = []
        self.ended_by = "running"
        self.error: MxGatewayError | None = None

    def frame(self, tz: str = "UTC") -> pd.DataFrame:
        """One row per message, see `frames.ALARM_SCHEMA`."""
        from ..frames.alarms import alarm_frame, alarms_table

        frame = alarm_frame(alarms_table(self.messages), tz=tz)
        frame.attrs.update(ended_by=self.ended_by, error=None if self.error is None else str(self.error))
        return frame


async def collect_alarm_feed(
    client: GatewayClient,
    into: AlarmCollection,
    *,
    prefix: str,
    seconds: float | None,
    messages: int | None,
    pace: Pace,
    progress: Callable[[int, float], None],
) -> AlarmCollection:
    """Read the alarm feed for a time or up to a number of messages; a feed that breaks is in the result."""
    stream = client.stream_alarms(prefix)
    arrived = asyncio.Event()
    reader = asyncio.create_task(_read(stream, into, messages, arrived))
    elapsed = 0.0
    length = _STEP if pace.settled("") is None else _VIRTUAL_STEP
    try:
        while not reader.done():
            if seconds is not None and elapsed >= seconds:
                into.ended_by = "seconds"
                break
            step = length if seconds is None else min(length, seconds - elapsed)
            await pace.sleep(step)
            elapsed += step
            if pace.settled("") is not None:
                await _until_quiet(arrived, reader)
            progress(len(into.messages), elapsed)
        if reader.done():
            # Anything but a typed error is a fault of this program and must show.
            reader.result()
    except asyncio.CancelledError:
        into.ended_by = "interrupted"
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        await stream.aclose()
    return into


async def _read(
    stream: MessageStream[pb.AlarmFeedMessage], into: AlarmCollection, most: int | None, arrived: asyncio.Event
) -> None:
    try:
        async for message in stream:
            into.messages.append(message)
            arrived.set()
            if most is not None and len(into.messages) >= most:
                into.ended_by = "messages"
                return
        into.ended_by = "stream end"
    except MxGatewayError as error:
        into.ended_by, into.error = "stream error", error


async def _until_quiet(arrived: asyncio.Event, reader: asyncio.Task[Any]) -> None:
    while not reader.done():
        arrived.clear()
        try:
            async with asyncio.timeout(_QUIET):
                await arrived.wait()
        except TimeoutError:
            return
