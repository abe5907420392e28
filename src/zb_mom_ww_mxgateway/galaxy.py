"""The async client of the Galaxy repository service: the object tree and its attributes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import Int32Value

from .browsing import LazyBrowseNode, children_of
from .connected import ConnectedClient
from .connection import Method
from .deploys import Deploy, deploys_of
from .errors import GalaxyChangedError, GalaxyError
from .galaxy_pages import RawPage
from .generated import galaxy_repository_pb2 as pb
from .streams import MessageStream
from .values import to_datetime, to_timestamp

__all__ = ["BrowseFilter", "GalaxyRepositoryClient", "HierarchyFilter"]

_SERVICE = "galaxy_repository.v1.GalaxyRepository"
TEST_CONNECTION = Method(f"{_SERVICE}/TestConnection", pb.TestConnectionReply)
GET_LAST_DEPLOY_TIME = Method(f"{_SERVICE}/GetLastDeployTime", pb.GetLastDeployTimeReply)
DISCOVER_HIERARCHY = Method(f"{_SERVICE}/DiscoverHierarchy", pb.DiscoverHierarchyReply)
# The same rpc, its reply left as bytes: `RawPage` reads what leads to the next page and nothing else.
DISCOVER_PAGES: Method[Any] = Method(f"{_SERVICE}/DiscoverHierarchy", RawPage)
BROWSE_CHILDREN = Method(f"{_SERVICE}/BrowseChildren", pb.BrowseChildrenReply)
WATCH_DEPLOY_EVENTS = Method(f"{_SERVICE}/WatchDeployEvents", pb.DeployEvent)

#: How often `discover_hierarchy` starts over when a deploy ends a listing.
LISTING_ATTEMPTS = 3


class BrowseFilter(TypedDict, total=False):
    """What narrows a listing; all given filters must hold (CONTRACT "Galaxy").

    `tag_name_glob` knows `*` and `?`, is anchored and ignores case; `template_chain_contains` holds parts of template
    names.
    """

    category_ids: Sequence[int]
    template_chain_contains: Sequence[str]
    tag_name_glob: str
    include_attributes: bool
    alarm_bearing_only: bool
    historized_only: bool


class HierarchyFilter(BrowseFilter, total=False):
    """The filters of a whole listing: one root at most, and how many levels below it (0 is the root alone)."""

    root_gobject_id: int
    root_tag_name: str
    root_contained_path: str
    max_depth: int


class GalaxyRepositoryClient(ConnectedClient):
    """The Galaxy: connectivity, deploys, objects and attributes. Needs the scope `metadata:read`.

    Use `async with await GalaxyRepositoryClient.connect(endpoint=..., api_key=...) as galaxy:`.
    """

    async def test_connection(self) -> bool:
        """Whether the gateway reaches the Galaxy database just now."""
        return (await self._connection.unary(TEST_CONNECTION, pb.TestConnectionRequest())).ok

    async def get_last_deploy_time(self) -> datetime | None:
        """When the Galaxy was last deployed (aware, UTC); None when it never was."""
        reply = await self._connection.unary(GET_LAST_DEPLOY_TIME, pb.GetLastDeployTimeRequest())
        return to_datetime(reply.time_of_last_deploy) if reply.present else None

    # Whole listings -------------------------------------------------------------------------------------------------

    async def discover_hierarchy(
        self, *, page_size: int = 0, **filters: Unpack[HierarchyFilter]
    ) -> list[pb.GalaxyObject]:
        """All objects that pass the filters, in memory; of one deploy, never a mixture.

        A deploy in the middle of the listing starts it over.

        Raises:
            GalaxyNotFoundError: the root does not exist.
            GalaxyChangedError: deploys kept ending the listing.
        """
        for attempt in range(1, LISTING_ATTEMPTS + 1):
            try:
                return [item async for item in self.iter_hierarchy(page_size=page_size, **filters)]
            except GalaxyChangedError:
                if attempt == LISTING_ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def iter_hierarchy(
        self, *, page_size: int = 0, **filters: Unpack[HierarchyFilter]
    ) -> AsyncIterator[pb.GalaxyObject]:
        """The objects that pass the filters, fetched page by page as they are asked for.

        Args:
            page_size: objects per page; 0 is the gateway's default (1,000), 5,000 the most.
            **filters: see `HierarchyFilter`.

        Raises:
            GalaxyNotFoundError: the root does not exist.
            GalaxyChangedError: a deploy happened in between; what came so far belongs to the Galaxy before it.
        """
        async for page in self.iter_pages(page_size=page_size, **filters):
            for item in page.objects:
                yield item

    async def iter_pages(
        self, *, page_size: int = 0, **filters: Unpack[HierarchyFilter]
    ) -> AsyncIterator[pb.DiscoverHierarchyReply]:
        """The pages of `iter_hierarchy` as the gateway sends them, with the total count of objects."""
        async for page in self._pages(DISCOVER_HIERARCHY, lambda page: len(page.objects), page_size, filters):
            yield page

    async def iter_raw_pages(self, *, page_size: int = 0, **filters: Unpack[HierarchyFilter]) -> AsyncIterator[RawPage]:
        """The pages of `iter_hierarchy` as serialized `DiscoverHierarchyReply` messages, for the frames.

        Raises:
            GalaxyNotFoundError: the root does not exist.
            GalaxyChangedError: a deploy happened in between.
            MxGatewayTransportError: a page cannot be decoded.
        """
        async for page in self._pages(DISCOVER_PAGES, lambda page: page.objects, page_size, filters):
            yield page

    async def _pages(
        self, method: Method[Any], count: Callable[[Any], int], page_size: int, filters: HierarchyFilter
    ) -> AsyncIterator[Any]:
        """The pages of a listing; `count` says how many objects one has."""
        request = pb.DiscoverHierarchyRequest(**_checked(dict(filters), HierarchyFilter, "root_"))
        request.page_size = _page_size(page_size)
        seen = 0
        while True:
            try:
                page = await self._connection.unary(method, request)
            except GalaxyError as error:
                raise _changed(error, bool(request.page_token), seen) from error
            yield page
            seen += count(page)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    # One level at a time --------------------------------------------------------------------------------------------

    async def browse_children(
        self,
        request: pb.BrowseChildrenRequest | None = None,
        *,
        parent_gobject_id: int | None = None,
        parent_tag_name: str | None = None,
        parent_contained_path: str | None = None,
        page_size: int = 0,
        page_token: str = "",
        **filters: Unpack[BrowseFilter],
    ) -> pb.BrowseChildrenReply:
        """One page of an object's children, with a hint for each whether it has children itself.

        Args:
            request: a whole request; an empty one asks for the roots. Or keywords:
            parent_gobject_id: the parent by its id,
            parent_tag_name: … by its tag name,
            parent_contained_path: … by its path, "Area1/Line3".
            page_size: children per page; 0 is the gateway's default (500), 5,000 the most.
            page_token: of the page before.
            **filters: see `BrowseFilter`.
        """
        given: dict[str, Any] = {
            "parent_gobject_id": parent_gobject_id,
            "parent_tag_name": parent_tag_name,
            "parent_contained_path": parent_contained_path,
        }
        given = {name: value for name, value in given.items() if value is not None}
        if request is None:
            if len(given) > 1:
                raise TypeError(f"give one parent, not {' and '.join(given)}")
            checked = _checked(dict(filters), BrowseFilter)
            request = pb.BrowseChildrenRequest(
                **given, **checked, page_size=_page_size(page_size), page_token=page_token
            )
        elif given or filters or page_size or page_token:
            raise TypeError("give a request or keywords, not both")
        try:
            return await self._connection.unary(BROWSE_CHILDREN, request)
        except GalaxyError as error:
            raise _changed(error, bool(request.page_token), 0) from error

    async def browse(self, *, page_size: int = 0, **filters: Unpack[BrowseFilter]) -> list[LazyBrowseNode]:
        """The roots of the tree; each fetches its children when it is expanded.

        Attributes are left out unless `include_attributes=True`: they multiply the size of a page.
        """
        template = pb.BrowseChildrenRequest(
            page_size=_page_size(page_size), **_checked({"include_attributes": False, **filters}, BrowseFilter)
        )
        return await children_of(self.browse_children, template, 0)

    # Deploys --------------------------------------------------------------------------------------------------------

    def watch_deploy_events(
        self, last_seen_deploy_time: datetime | None = None, *, timeout: float | None = None
    ) -> MessageStream[pb.DeployEvent]:
        """The current deploy state at once, then one event per deploy.

        A gap in `sequence` means that the gateway dropped events for a slow reader.

        Args:
            last_seen_deploy_time: leaves out the first event when the state is still this one (aware).
            timeout: seconds until the stream ends with a timeout; None is the options' `stream_timeout`.
        """
        seen: Timestamp | None = None if last_seen_deploy_time is None else to_timestamp(last_seen_deploy_time)
        request = pb.WatchDeployEventsRequest(last_seen_deploy_time=seen)
        return self._connection.stream(WATCH_DEPLOY_EVENTS, request, timeout=timeout)

    def watch_deploys(
        self,
        *,
        last_seen_deploy_time: datetime | None = None,
        after_sequence: int | None = None,
        timeout: float | None = None,
    ) -> AsyncGenerator[Deploy, None]:
        """The deploys of `watch_deploy_events`, each with how many before it were missed.

        Args:
            last_seen_deploy_time: as for `watch_deploy_events`.
            after_sequence: the sequence of the last deploy that an earlier watch saw: what happened in between is
                reported as missed. None: nothing was seen yet.
            timeout: as for `watch_deploy_events`.
        """
        return deploys_of(self.watch_deploy_events(last_seen_deploy_time, timeout=timeout), after_sequence)


def _checked(filters: dict[str, Any], known: type[Any], exclusive: str = "") -> dict[str, Any]:
    """The filters as fields of a request.

    Raises:
        TypeError: one is unknown, or two exclude each other.
    """
    names = list(known.__annotations__)
    unknown = sorted(set(filters) - set(names))
    if unknown:
        raise TypeError(f"unknown filter {', '.join(unknown)}; the filters are {', '.join(sorted(names))}")
    given = {name: value for name, value in filters.items() if value is not None}
    for name in ("category_ids", "template_chain_contains"):
        if isinstance(given.get(name), str | int):
            raise TypeError(f"{name}={given[name]!r} must be a list")
    roots = [name for name in given if exclusive and name.startswith(exclusive)]
    if len(roots) > 1:
        raise TypeError(f"give one root, not {' and '.join(roots)}")
    if "max_depth" in given:
        given["max_depth"] = Int32Value(value=given["max_depth"])
    return given


def _page_size(size: int) -> int:
    if not 0 <= size <= 5000:
        raise ValueError(f"page_size={size} must be 0 (the gateway's default) to 5000")
    return size


def _changed(error: GalaxyError, is_later_page: bool, seen: int) -> GalaxyError:
    """A page token that is refused has outlived its Galaxy: tokens are bound to the gateway's cache of one deploy."""
    if not is_later_page or error.code is not grpc.StatusCode.INVALID_ARGUMENT:
        return error
    return GalaxyChangedError(
        f"the Galaxy was deployed while it was listed (after {seen} objects): start over",
        code=error.code,
        details=error.details,
    )
