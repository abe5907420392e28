"""The GalaxyRepository service of the simulated gateway (CONTRACT.md, rows "Galaxy", "deploys" and "limits")."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NoReturn, TypeAlias

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2_grpc as pb_grpc

from .clock import Clock
from .galaxy_encoding import ObjectEncoder, length_delimited
from .galaxy_index import GalaxyIndex
from .galaxy_query import (
    Filters,
    InvalidQueryError,
    NoSuchObjectError,
    StaleTokenError,
    page,
    resolve_root,
    select,
    signature,
)
from .model import PlantObject
from .plant import Plant

__all__ = ["Authorize", "GalaxyService", "Subtrees"]

DISCOVER_PAGE = 1000
BROWSE_PAGE = 500
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_LOAD_WAIT_US = 5_000_000
_DEPLOY_BUFFER = 16
_KEPT_LISTINGS = 8

Context: TypeAlias = "grpc.aio.ServicerContext[object, object]"
#: Aborts the call unless its key may use the rpc of that name.
Authorize: TypeAlias = Callable[[Context, str], Awaitable[None]]
#: The subtrees (paths such as `Area1/Line3`, or tag names) that the call's key is restricted to; empty: no restriction.
Subtrees: TypeAlias = Callable[[Context], Sequence[str]]


async def _allow(context: Context, rpc_name: str) -> None:
    return None


def _unrestricted(context: Context) -> Sequence[str]:
    return ()


class GalaxyService(pb_grpc.GalaxyRepositoryServicer):
    """A grpc.aio servicer over a plant.

    Args:
        plant: what is listed.
        clock: the simulator's time; the wait for the first load is on it.
        loaded: set when the first load of the Galaxy is complete; None: it is. Until then the listings answer
            UNAVAILABLE after five seconds.
        authorize: called first in every rpc.
        subtrees: what a call's key is restricted to.
        max_message_bytes: replies beyond it fail with RESOURCE_EXHAUSTED.
    """

    def __init__(
        self,
        plant: Plant,
        clock: Clock,
        *,
        loaded: asyncio.Event | None = None,
        authorize: Authorize = _allow,
        subtrees: Subtrees = _unrestricted,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self.plant = plant
        #: What TestConnection answers: whether the Galaxy database is reachable.
        self.database_ok = True
        self._clock = clock
        self._loaded = loaded
        self._authorize = authorize
        self._subtrees = subtrees
        self._max_message_bytes = max_message_bytes
        self._index: GalaxyIndex | None = None
        self._encoder = ObjectEncoder({})
        self._listings: OrderedDict[str, list[PlantObject]] = OrderedDict()
        self._visible: dict[tuple[str, ...], set[int]] = {}
        self._observed_us = clock.now_us()
        # Before any subscriber's: when an event is made, the time of observation is the deploy's.
        plant.on_deploy(self._observe)

    # The rpc names are the contract's.

    async def TestConnection(  # noqa: N802
        self, request: pb.TestConnectionRequest, context: Context
    ) -> pb.TestConnectionReply:
        """Whether the Galaxy database answers; needs no load."""
        await self._authorize(context, "TestConnection")
        return pb.TestConnectionReply(ok=self.database_ok)

    async def GetLastDeployTime(  # noqa: N802
        self, request: pb.GetLastDeployTimeRequest, context: Context
    ) -> pb.GetLastDeployTimeReply:
        """When the Galaxy was last deployed."""
        await self._authorize(context, "GetLastDeployTime")
        await self._wait_until_loaded(context)
        return pb.GetLastDeployTimeReply(present=True, time_of_last_deploy=_timestamp(self.plant.deploy_time_us))

    async def DiscoverHierarchy(  # noqa: N802
        self, request: pb.DiscoverHierarchyRequest, context: Context
    ) -> pb.DiscoverHierarchyReply:
        """A page of the objects at and below a root."""
        await self._authorize(context, "DiscoverHierarchy")
        await self._wait_until_loaded(context)
        index, visible = self._view(context)
        try:
            root = resolve_root(index, request, visible)
            filters = Filters.of(request)
            depth = request.max_depth.value if request.HasField("max_depth") else None
            if depth is not None and depth < 0:
                raise InvalidQueryError(f"max_depth {depth} is negative")
            sign = signature("discover", root, depth, filters, tuple(self._subtrees(context)))
            objects = self._listed(index, sign, lambda: self._discover(index, root, depth, filters, visible))
            first, last, token = page(index, sign, request.page_token, request.page_size, DISCOVER_PAGE, len(objects))
        except (InvalidQueryError, NoSuchObjectError) as error:
            await self._refuse(context, index, error)
        reply = pb.DiscoverHierarchyReply()
        reply.MergeFromString(self._encode(reply, "objects", objects[first:last], _with_attributes(request)))
        reply.next_page_token = token
        reply.total_object_count = len(objects)
        await self._check_size(context, reply)
        return reply

    async def BrowseChildren(  # noqa: N802
        self, request: pb.BrowseChildrenRequest, context: Context
    ) -> pb.BrowseChildrenReply:
        """A page of the objects directly below a parent.

        The hint of a child says whether a call with the same filters would show anything below it.
        """
        await self._authorize(context, "BrowseChildren")
        await self._wait_until_loaded(context)
        index, visible = self._view(context)
        try:
            parent = resolve_root(index, request, visible)
            filters = Filters.of(request)
            passes = filters.test(index, visible)
            sign = signature("browse", parent, filters, tuple(self._subtrees(context)))
            children = self._listed(index, sign, lambda: select(index.children(parent), passes))
            first, last, token = page(index, sign, request.page_token, request.page_size, BROWSE_PAGE, len(children))
        except (InvalidQueryError, NoSuchObjectError) as error:
            await self._refuse(context, index, error)
        shown = children[first:last]
        reply = pb.BrowseChildrenReply()
        reply.MergeFromString(self._encode(reply, "children", shown, _with_attributes(request)))
        reply.next_page_token = token
        reply.total_child_count = len(children)
        reply.cache_sequence = index.sequence
        reply.child_has_children.extend(any(map(passes, index.children(child.gobject_id))) for child in shown)
        await self._check_size(context, reply)
        return reply

    async def WatchDeployEvents(  # noqa: N802
        self, request: pb.WatchDeployEventsRequest, context: Context
    ) -> AsyncIterator[pb.DeployEvent]:
        """The present state (unless the caller has it), then each deploy; a slow reader loses the oldest ones."""
        await self._authorize(context, "WatchDeployEvents")
        await self._wait_until_loaded(context)
        subtrees = tuple(self._subtrees(context))
        events: deque[pb.DeployEvent] = deque(maxlen=_DEPLOY_BUFFER)
        arrived = asyncio.Event()

        def deployed() -> None:
            events.append(self._deploy_event(subtrees))
            arrived.set()

        unsubscribe = self.plant.on_deploy(deployed)
        try:
            present = self._deploy_event(subtrees)
            if not request.HasField("last_seen_deploy_time") or (
                request.last_seen_deploy_time != present.time_of_last_deploy
            ):
                yield present
            while True:
                await arrived.wait()
                arrived.clear()
                while events:
                    yield events.popleft()
        finally:
            unsubscribe()

    # -- the view ------------------------------------------------------------------------------------------------

    def _view(self, context: Context) -> tuple[GalaxyIndex, set[int] | None]:
        index = self._current()
        subtrees = tuple(self._subtrees(context))
        return index, self._seen(index, subtrees) if subtrees else None

    def _current(self) -> GalaxyIndex:
        if self._index is None or self._index.sequence != self.plant.cache_sequence:
            self._index = GalaxyIndex(self.plant)
            self._encoder = ObjectEncoder(self._index.templates)
            self._listings.clear()
            self._visible.clear()
        return self._index

    def _seen(self, index: GalaxyIndex, subtrees: tuple[str, ...]) -> set[int]:
        seen = self._visible.get(subtrees)
        if seen is None:
            seen = self._visible[subtrees] = index.visible(subtrees)
        return seen

    def _listed(self, index: GalaxyIndex, sign: str, make: Callable[[], list[PlantObject]]) -> list[PlantObject]:
        listed = self._listings.get(sign)
        if listed is None:
            listed = self._listings[sign] = make()
            if len(self._listings) > _KEPT_LISTINGS:
                self._listings.popitem(last=False)
        self._listings.move_to_end(sign)
        return listed

    @staticmethod
    def _discover(
        index: GalaxyIndex, root: int, depth: int | None, filters: Filters, visible: set[int] | None
    ) -> list[PlantObject]:
        if root or depth is not None:
            below = index.below(root, depth)
            visible = below if visible is None else below & visible
        return select(index.objects, filters.test(index, visible))

    def _encode(
        self,
        reply: pb.DiscoverHierarchyReply | pb.BrowseChildrenReply,
        field: str,
        objects: Sequence[PlantObject],
        attributes: bool,
    ) -> bytes:
        parts: list[bytes] = []
        for obj in objects:
            body = self._encoder.encode(obj, attributes=attributes)
            parts += (length_delimited(type(reply), field, len(body)), body)
        return b"".join(parts)

    def _observe(self) -> None:
        self._observed_us = self._clock.now_us()

    def _deploy_event(self, subtrees: tuple[str, ...]) -> pb.DeployEvent:
        objects, attributes = self.plant.object_count, self.plant.attribute_count
        if subtrees:
            index = self._current()
            seen = [obj for gobject_id in self._seen(index, subtrees) if (obj := index.by_id(gobject_id)) is not None]
            objects = len(seen)
            attributes = sum(len(index.templates[obj.template].attributes) for obj in seen)
        return pb.DeployEvent(
            sequence=self.plant.deploy_sequence,
            observed_at=_timestamp(self._observed_us),
            time_of_last_deploy=_timestamp(self.plant.deploy_time_us),
            time_of_last_deploy_present=True,
            object_count=objects,
            attribute_count=attributes,
        )

    # -- refusals ------------------------------------------------------------------------------------------------

    async def _wait_until_loaded(self, context: Context) -> None:
        if self._loaded is None or self._loaded.is_set():
            return
        late = asyncio.Event()
        timer = self._clock.call_at(self._clock.now_us() + _LOAD_WAIT_US, late.set)
        waits = [asyncio.create_task(self._loaded.wait()), asyncio.create_task(late.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            for wait in waits:
                wait.cancel()
        if not self._loaded.is_set():
            await context.abort(grpc.StatusCode.UNAVAILABLE, "The Galaxy hierarchy is not loaded yet; try again.")

    async def _refuse(self, context: Context, index: GalaxyIndex, error: Exception) -> NoReturn:
        if isinstance(error, NoSuchObjectError):
            await context.abort(grpc.StatusCode.NOT_FOUND, str(error))
        trailers = (("cache_sequence", str(index.sequence)),) if isinstance(error, StaleTokenError) else ()
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error), trailers)

    async def _check_size(self, context: Context, reply: pb.DiscoverHierarchyReply | pb.BrowseChildrenReply) -> None:
        if reply.ByteSize() > self._max_message_bytes:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED, "Sending message exceeds the maximum configured message size."
            )


def _with_attributes(request: pb.DiscoverHierarchyRequest | pb.BrowseChildrenRequest) -> bool:
    return request.include_attributes if request.HasField("include_attributes") else True


def _timestamp(time_us: int) -> Timestamp:
    seconds, micros = divmod(time_us, 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1000)
