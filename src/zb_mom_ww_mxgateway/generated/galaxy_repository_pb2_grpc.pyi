"""Types of the module of the same name; written by generate_proto.py, never edited."""
from typing import Any, Self, overload, type_check_only

import grpc
import grpc.aio

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2

GRPC_GENERATED_VERSION: str
GRPC_VERSION: str

class GalaxyRepositoryStub:
    @overload
    def __new__(cls, channel: grpc.Channel) -> Self: ...
    @overload
    def __new__(cls, channel: grpc.aio.Channel) -> GalaxyRepositoryAsyncStub: ...
    TestConnection: grpc.UnaryUnaryMultiCallable[galaxy_repository_pb2.TestConnectionRequest, galaxy_repository_pb2.TestConnectionReply]
    GetLastDeployTime: grpc.UnaryUnaryMultiCallable[galaxy_repository_pb2.GetLastDeployTimeRequest, galaxy_repository_pb2.GetLastDeployTimeReply]
    DiscoverHierarchy: grpc.UnaryUnaryMultiCallable[galaxy_repository_pb2.DiscoverHierarchyRequest, galaxy_repository_pb2.DiscoverHierarchyReply]
    WatchDeployEvents: grpc.UnaryStreamMultiCallable[galaxy_repository_pb2.WatchDeployEventsRequest, galaxy_repository_pb2.DeployEvent]
    BrowseChildren: grpc.UnaryUnaryMultiCallable[galaxy_repository_pb2.BrowseChildrenRequest, galaxy_repository_pb2.BrowseChildrenReply]

@type_check_only
class GalaxyRepositoryAsyncStub(GalaxyRepositoryStub):
    def __new__(cls, channel: grpc.aio.Channel) -> Self: ...
    TestConnection: grpc.aio.UnaryUnaryMultiCallable[galaxy_repository_pb2.TestConnectionRequest, galaxy_repository_pb2.TestConnectionReply]  # type: ignore[assignment]
    GetLastDeployTime: grpc.aio.UnaryUnaryMultiCallable[galaxy_repository_pb2.GetLastDeployTimeRequest, galaxy_repository_pb2.GetLastDeployTimeReply]  # type: ignore[assignment]
    DiscoverHierarchy: grpc.aio.UnaryUnaryMultiCallable[galaxy_repository_pb2.DiscoverHierarchyRequest, galaxy_repository_pb2.DiscoverHierarchyReply]  # type: ignore[assignment]
    WatchDeployEvents: grpc.aio.UnaryStreamMultiCallable[galaxy_repository_pb2.WatchDeployEventsRequest, galaxy_repository_pb2.DeployEvent]  # type: ignore[assignment]
    BrowseChildren: grpc.aio.UnaryUnaryMultiCallable[galaxy_repository_pb2.BrowseChildrenRequest, galaxy_repository_pb2.BrowseChildrenReply]  # type: ignore[assignment]

class GalaxyRepositoryServicer:
    def TestConnection(self, request: galaxy_repository_pb2.TestConnectionRequest, context: Any) -> Any: ...
    def GetLastDeployTime(self, request: galaxy_repository_pb2.GetLastDeployTimeRequest, context: Any) -> Any: ...
    def DiscoverHierarchy(self, request: galaxy_repository_pb2.DiscoverHierarchyRequest, context: Any) -> Any: ...
    def WatchDeployEvents(self, request: galaxy_repository_pb2.WatchDeployEventsRequest, context: Any) -> Any: ...
    def BrowseChildren(self, request: galaxy_repository_pb2.BrowseChildrenRequest, context: Any) -> Any: ...

def add_GalaxyRepositoryServicer_to_server(
    servicer: GalaxyRepositoryServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
