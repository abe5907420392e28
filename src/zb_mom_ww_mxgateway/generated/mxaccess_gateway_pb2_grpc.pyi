"""Types of the module of the same name; written by generate_proto.py, never edited."""
from typing import Any, Self, overload, type_check_only

import grpc
import grpc.aio

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2

GRPC_GENERATED_VERSION: str
GRPC_VERSION: str

class MxAccessGatewayStub:
    @overload
    def __new__(cls, channel: grpc.Channel) -> Self: ...
    @overload
    def __new__(cls, channel: grpc.aio.Channel) -> MxAccessGatewayAsyncStub: ...
    OpenSession: grpc.UnaryUnaryMultiCallable[mxaccess_gateway_pb2.OpenSessionRequest, mxaccess_gateway_pb2.OpenSessionReply]
    CloseSession: grpc.UnaryUnaryMultiCallable[mxaccess_gateway_pb2.CloseSessionRequest, mxaccess_gateway_pb2.CloseSessionReply]
    Invoke: grpc.UnaryUnaryMultiCallable[mxaccess_gateway_pb2.MxCommandRequest, mxaccess_gateway_pb2.MxCommandReply]
    StreamEvents: grpc.UnaryStreamMultiCallable[mxaccess_gateway_pb2.StreamEventsRequest, mxaccess_gateway_pb2.MxEvent]
    AcknowledgeAlarm: grpc.UnaryUnaryMultiCallable[mxaccess_gateway_pb2.AcknowledgeAlarmRequest, mxaccess_gateway_pb2.AcknowledgeAlarmReply]
    StreamAlarms: grpc.UnaryStreamMultiCallable[mxaccess_gateway_pb2.StreamAlarmsRequest, mxaccess_gateway_pb2.AlarmFeedMessage]
    QueryActiveAlarms: grpc.UnaryStreamMultiCallable[mxaccess_gateway_pb2.QueryActiveAlarmsRequest, mxaccess_gateway_pb2.ActiveAlarmSnapshot]

@type_check_only
class MxAccessGatewayAsyncStub(MxAccessGatewayStub):
    def __new__(cls, channel: grpc.aio.Channel) -> Self: ...
    OpenSession: grpc.aio.UnaryUnaryMultiCallable[mxaccess_gateway_pb2.OpenSessionRequest, mxaccess_gateway_pb2.OpenSessionReply]  # type: ignore[assignment]
    CloseSession: grpc.aio.UnaryUnaryMultiCallable[mxaccess_gateway_pb2.CloseSessionRequest, mxaccess_gateway_pb2.CloseSessionReply]  # type: ignore[assignment]
    Invoke: grpc.aio.UnaryUnaryMultiCallable[mxaccess_gateway_pb2.MxCommandRequest, mxaccess_gateway_pb2.MxCommandReply]  # type: ignore[assignment]
    StreamEvents: grpc.aio.UnaryStreamMultiCallable[mxaccess_gateway_pb2.StreamEventsRequest, mxaccess_gateway_pb2.MxEvent]  # type: ignore[assignment]
    AcknowledgeAlarm: grpc.aio.UnaryUnaryMultiCallable[mxaccess_gateway_pb2.AcknowledgeAlarmRequest, mxaccess_gateway_pb2.AcknowledgeAlarmReply]  # type: ignore[assignment]
    StreamAlarms: grpc.aio.UnaryStreamMultiCallable[mxaccess_gateway_pb2.StreamAlarmsRequest, mxaccess_gateway_pb2.AlarmFeedMessage]  # type: ignore[assignment]
    QueryActiveAlarms: grpc.aio.UnaryStreamMultiCallable[mxaccess_gateway_pb2.QueryActiveAlarmsRequest, mxaccess_gateway_pb2.ActiveAlarmSnapshot]  # type: ignore[assignment]

class MxAccessGatewayServicer:
    def OpenSession(self, request: mxaccess_gateway_pb2.OpenSessionRequest, context: Any) -> Any: ...
    def CloseSession(self, request: mxaccess_gateway_pb2.CloseSessionRequest, context: Any) -> Any: ...
    def Invoke(self, request: mxaccess_gateway_pb2.MxCommandRequest, context: Any) -> Any: ...
    def StreamEvents(self, request: mxaccess_gateway_pb2.StreamEventsRequest, context: Any) -> Any: ...
    def AcknowledgeAlarm(self, request: mxaccess_gateway_pb2.AcknowledgeAlarmRequest, context: Any) -> Any: ...
    def StreamAlarms(self, request: mxaccess_gateway_pb2.StreamAlarmsRequest, context: Any) -> Any: ...
    def QueryActiveAlarms(self, request: mxaccess_gateway_pb2.QueryActiveAlarmsRequest, context: Any) -> Any: ...

def add_MxAccessGatewayServicer_to_server(
    servicer: MxAccessGatewayServicer, server: grpc.Server | grpc.aio.Server
) -> None: ...
