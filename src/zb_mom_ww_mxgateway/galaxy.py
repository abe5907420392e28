"""The async client of the Galaxy repository service: the object tree and its attributes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self, TypedDict, Unpack

from google.protobuf.wrappers_pb2 import Int32Value

from .connection import Connection, Method
from .generated import galaxy_repository_pb2 as pb
from .options import ClientOptions, ConnectKeywords, resolve_options
from .values import to_datetime

__all__ = ["GalaxyRepositoryClient", "HierarchyFilter"]

_SERVICE = "galaxy_repository.v1.GalaxyRepository"
TEST_CONNECTION = Method(f"{_SERVICE}/TestConnection", pb.TestConnectionReply)
GET_LAST_DEPLOY_TIME = Method(f"{_SERVICE}/GetLastDeployTime", pb.GetLastDeployTimeReply)
DISCOVER_HIERARCHY = Method(f"{_SERVICE}/DiscoverHierarchy", pb.DiscoverHierarchyReply)
BROWSE_CHILDREN = Method(f"{_SERVICE}/BrowseChildren", pb.BrowseChildrenReply)


class HierarchyFilter(TypedDict, total=False):
    """What narrows a listing; all given filters must hold (CONTRACT "Galaxy")."""

    root_gobject_id: int
    root_tag_name: str
    root_contained_path: str
    max_depth: int
    category_ids: Sequence[int]
    template_chain_contains: Sequence[str]
    tag_name_glob: str
    include_attributes: bool
    alarm_bearing_only: bool
    historized_only: bool


class GalaxyRepositoryClient:
    """The Galaxy: connectivity, deploy time, objects and attributes. Needs the scope `metadata:read`.

    Use `async with await GalaxyRepositoryClient.connect(endpoint=..., api_key=...) as galaxy:`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    async def connect(cls, options: ClientOptions | str | None = None, /, **keywords: Unpack[ConnectKeywords]) -> Self:
        """Prepare a connection; options and errors as for `GatewayClient.connect`."""
        return cls(await Connection.open(resolve_options(options, keywords)))

    @property
    def options(self) -> ClientOptions:
        """How the gateway is reached."""
        return self._connection.options

    def __repr__(self) -> str:
        return f"GalaxyRepositoryClient({self.options!r}{', closed' if self._connection.closed else ''})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        await self._connection.close()

    async def test_connection(self) -> bool:
        """Whether the gateway reaches the Galaxy database just now."""
        return (await self._connection.unary(TEST_CONNECTION, pb.TestConnectionRequest())).ok

    async def get_last_deploy_time(self) -> datetime | None:
        """When the Galaxy was last deployed (aware, UTC); None when it never was."""
        reply = await self._connection.unary(GET_LAST_DEPLOY_TIME, pb.GetLastDeployTimeRequest())
        return to_datetime(reply.time_of_last_deploy) if reply.present else None

    async def discover_hierarchy(
        self, *, page_size: int = 0, **filters: Unpack[HierarchyFilter]
    ) -> list[pb.GalaxyObject]:
        """All objects that pass the filters, in memory. See `iter_hierarchy` for a large Galaxy."""
        return [item async for item in self.iter_hierarchy(page_size=page_size, **filters)]

    async def iter_hierarchy(
        self, *, page_size: int = 0, **filters: Unpack[HierarchyFilter]
    ) -> AsyncIterator[pb.GalaxyObject]:
        """The objects that pass the filters, page by page as they are asked for.

        Args:
            page_size: objects per page; 0 is the gateway's default (1,000), 5,000 the most.
            **filters: see `HierarchyFilter`.
        """
        request = _discover_request(filters)
        request.page_size = page_size
        while True:
            reply = await self._connection.unary(DISCOVER_HIERARCHY, request)
            for item in reply.objects:
                yield item
            if not reply.next_page_token:
                return
            request.page_token = reply.next_page_token

    async def browse_children(self, request: pb.BrowseChildrenRequest | None = None) -> pb.BrowseChildrenReply:
        """One page of an object's children; an empty request asks for the roots."""
        return await self._connection.unary(BROWSE_CHILDREN, request or pb.BrowseChildrenRequest())


def _discover_request(filters: HierarchyFilter) -> pb.DiscoverHierarchyRequest:
    unknown = sorted(set(filters) - set(HierarchyFilter.__annotations__))
    if unknown:
        raise TypeError(
            f"unknown filter {', '.join(unknown)}; the filters are {', '.join(HierarchyFilter.__annotations__)}"
        )
    given = dict(filters)
    depth = given.pop("max_depth", None)
    roots = [name for name in given if name.startswith("root_")]
    if len(roots) > 1:
        raise TypeError(f"give one root, not {' and '.join(roots)}")
    request = pb.DiscoverHierarchyRequest(**given)  # type: ignore[arg-type]
    if depth is not None:
        request.max_depth.CopyFrom(Int32Value(value=depth))  # type: ignore[arg-type]
    return request
