"""Deploys as they happen, and how many of them were missed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from .generated import galaxy_repository_pb2 as pb
from .streams import MessageStream
from .values import to_datetime

__all__ = ["Deploy", "deploys_of"]


@dataclass(frozen=True, slots=True)
class Deploy:
    """A state of the Galaxy: the present one at the start of a watch, then one per deploy.

    Attributes:
        sequence: counts up from the gateway's start.
        deploy_time: when it was deployed (aware, UTC); None when the Galaxy was never deployed.
        observed_at: when the gateway noticed it (aware, UTC); None when it does not say.
        object_count: objects after the deploy.
        attribute_count: attributes after the deploy, built-in ones included.
        missed: deploys between the one before and this one that were never told: the gateway drops the oldest ones for
            a slow reader (CONTRACT "deploys").
        restarted: the sequence went back: the gateway was restarted, and what was missed cannot be told.
        event: the message itself.
    """

    sequence: int
    deploy_time: datetime | None
    observed_at: datetime | None
    object_count: int
    attribute_count: int
    missed: int
    restarted: bool
    event: pb.DeployEvent


async def deploys_of(
    events: MessageStream[pb.DeployEvent], after_sequence: int | None = None
) -> AsyncGenerator[Deploy, None]:
    """The deploys of a stream of deploy events, with the gaps in their sequence; closes the stream at the end.

    Args:
        events: from `GalaxyRepositoryClient.watch_deploy_events`.
        after_sequence: the sequence that was seen last, None when none was.
    """
    last = after_sequence
    async with contextlib.aclosing(events):
        async for event in events:
            sequence = event.sequence
            yield Deploy(
                sequence=sequence,
                deploy_time=to_datetime(event.time_of_last_deploy) if event.time_of_last_deploy_present else None,
                observed_at=to_datetime(event.observed_at) if event.HasField("observed_at") else None,
                object_count=event.object_count,
                attribute_count=event.attribute_count,
                missed=0 if last is None else max(0, sequence - last - 1),
                restarted=last is not None and sequence < last,
                event=event,
            )
            last = sequence
