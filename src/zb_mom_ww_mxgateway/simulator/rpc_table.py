"""The rpcs of `MxAccessGateway`: which method serves which; events go out as the bytes that they are kept as."""

from __future__ import annotations

from typing import Any

import grpc

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .alarm_service import AlarmService
from .gateway_service import GatewayService

__all__ = ["GALAXY", "GATEWAY", "gateway_handlers", "serialize"]

GATEWAY = pb.DESCRIPTOR.services_by_name["MxAccessGateway"].full_name
GALAXY = "galaxy_repository.v1.GalaxyRepository"


def gateway_handlers(service: GatewayService, alarms: AlarmService) -> grpc.GenericRpcHandler:
    """What a server needs to serve both."""
    behaviours: dict[str, Any] = {
        "OpenSession": service.open_session,
        "CloseSession": service.close_session,
        "Invoke": service.invoke,
        "AcknowledgeAlarm": alarms.acknowledge_alarm,
        "StreamEvents": service.stream_events,
        "StreamAlarms": alarms.stream_alarms,
        "QueryActiveAlarms": alarms.query_active_alarms,
    }
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for rpc in pb.DESCRIPTOR.services_by_name["MxAccessGateway"].methods:
        make: Any = (
            grpc.unary_stream_rpc_method_handler if rpc.server_streaming else grpc.unary_unary_rpc_method_handler
        )
        request = getattr(pb, rpc.input_type.name)
        handlers[rpc.name] = make(
            behaviours[rpc.name], request_deserializer=request.FromString, response_serializer=serialize
        )
    return grpc.method_handlers_generic_handler(GATEWAY, handlers)


def serialize(message: Any) -> bytes:
    """Bytes as they are, and a message as bytes."""
    raw: bytes = message if isinstance(message, bytes) else message.SerializeToString()
    return raw
