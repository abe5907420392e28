"""A gateway of a few lines whose answers a test writes itself: for replies that no healthy gateway gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy_pb
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

GATEWAY = "mxaccess_gateway.v1.MxAccessGateway"
GALAXY = "galaxy_repository.v1.GalaxyRepository"

Handler = Callable[[Any, grpc.aio.ServicerContext], Awaitable[Any]]
StreamHandler = Callable[[Any, grpc.aio.ServicerContext], AsyncIterator[Any]]

_REQUESTS = {
    f"{GATEWAY}/OpenSession": pb.OpenSessionRequest,
    f"{GATEWAY}/CloseSession": pb.CloseSessionRequest,
    f"{GATEWAY}/Invoke": pb.MxCommandRequest,
    f"{GATEWAY}/AcknowledgeAlarm": pb.AcknowledgeAlarmRequest,
    f"{GATEWAY}/StreamEvents": pb.StreamEventsRequest,
    f"{GATEWAY}/StreamAlarms": pb.StreamAlarmsRequest,
    f"{GATEWAY}/QueryActiveAlarms": pb.QueryActiveAlarmsRequest,
    f"{GALAXY}/TestConnection": galaxy_pb.TestConnectionRequest,
    f"{GALAXY}/GetLastDeployTime": galaxy_pb.GetLastDeployTimeRequest,
    f"{GALAXY}/DiscoverHierarchy": galaxy_pb.DiscoverHierarchyRequest,
    f"{GALAXY}/BrowseChildren": galaxy_pb.BrowseChildrenRequest,
    f"{GALAXY}/WatchDeployEvents": galaxy_pb.WatchDeployEventsRequest,
}

OK = pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_OK)


class FakeGateway:
    """`unary` and `streams` map "Service/Rpc" (or just "Rpc") to handlers; calls are recorded."""

    def __init__(self, credentials: grpc.ServerCredentials | None = None) -> None:
        self.unary: dict[str, Handler] = {"OpenSession": self._open, "CloseSession": self._close}
        self.streams: dict[str, StreamHandler] = {}
        self.requests: list[tuple[str, Any]] = []
        self.metadata: list[dict[str, str]] = []
        self.ended: asyncio.Queue[str] = asyncio.Queue()
        self._credentials = credentials
        self._server = grpc.aio.server()
        self.port = 0

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def rpcs(self) -> list[str]:
        return [name for name, _ in self.requests]

    async def __aenter__(self) -> FakeGateway:
        for service in (GATEWAY, GALAXY):
            handlers = {}
            for path, request in _REQUESTS.items():
                owner, _, rpc = path.partition("/")
                if owner != service:
                    continue
                if rpc.startswith(("Stream", "Query", "Watch")):
                    handlers[rpc] = grpc.unary_stream_rpc_method_handler(
                        self._stream(rpc), request_deserializer=request.FromString, response_serializer=_bytes
                    )
                else:
                    handlers[rpc] = grpc.unary_unary_rpc_method_handler(
                        self._unary(rpc), request_deserializer=request.FromString, response_serializer=_bytes
                    )
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        if self._credentials is None:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            self.port = self._server.add_secure_port("127.0.0.1:0", self._credentials)
        await self._server.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._server.stop(0)

    async def stop(self) -> None:
        await self._server.stop(0)

    def _record(self, rpc: str, request: Any, context: grpc.aio.ServicerContext) -> None:
        self.requests.append((rpc, request))
        self.metadata.append(dict(context.invocation_metadata() or ()))

    def _unary(self, rpc: str) -> Handler:
        async def call(request: Any, context: grpc.aio.ServicerContext) -> Any:
            self._record(rpc, request, context)
            handler = self.unary.get(rpc)
            if handler is None:
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"no {rpc} here")
                raise AssertionError
            return await handler(request, context)

        return call

    def _stream(self, rpc: str) -> StreamHandler:
        async def call(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
            self._record(rpc, request, context)
            try:
                async for message in self.streams[rpc](request, context):
                    yield message
            finally:
                self.ended.put_nowait(rpc)

        return call

    async def _open(self, request: Any, context: grpc.aio.ServicerContext) -> pb.OpenSessionReply:
        return pb.OpenSessionReply(session_id=f"session-{len(self.requests):032x}", protocol_status=OK)

    async def _close(self, request: Any, context: grpc.aio.ServicerContext) -> pb.CloseSessionReply:
        return pb.CloseSessionReply(
            session_id=request.session_id, final_state=pb.SESSION_STATE_CLOSED, protocol_status=OK
        )


def _bytes(message: Any) -> bytes:
    return message if isinstance(message, bytes) else message.SerializeToString()


def event(sequence: int, value: int = 0) -> pb.MxEvent:
    """A data change as small as one can be."""
    return pb.MxEvent(
        family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE,
        server_handle=1,
        item_handle=1,
        worker_sequence=sequence,
        quality=192,
        value=pb.MxValue(data_type=pb.MX_DATA_TYPE_INTEGER, int32_value=value),
        on_data_change=pb.OnDataChangeEvent(),
    )
