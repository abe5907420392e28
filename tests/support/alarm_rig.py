"""A simulated gateway with an alarm that a test raises itself, and raw stubs to look at it with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2_grpc as pb_grpc
from zb_mom_ww_mxgateway.simulator import ApiKey, Clock, Limits, PlantSpec, SimulatedGateway, VirtualClock

RAISE = pb.ALARM_TRANSITION_KIND_RAISE
ACKNOWLEDGE = pb.ALARM_TRANSITION_KIND_ACKNOWLEDGE
CLEAR = pb.ALARM_TRANSITION_KIND_CLEAR
RETRIGGER = pb.ALARM_TRANSITION_KIND_RETRIGGER

#: Alarms of the test objects: they stand from a written True to a written False.
FIRST = "Galaxy!TestArea.TestMachine_001.TestAlarm001"
SECOND = "Galaxy!TestArea.TestMachine_002.TestAlarm001"


class Feed:
    """A StreamAlarms call that was read up to the end of its snapshot."""

    def __init__(self, rig: Rig, call: Any) -> None:
        self._rig = rig
        self._call = call
        self.first: list[pb.AlarmFeedMessage] = []

    @property
    def snapshot(self) -> list[str]:
        """The references of the alarms that stood."""
        return [each.active_alarm.alarm_full_reference for each in self.first if each.HasField("active_alarm")]

    async def begin(self) -> Feed:
        while not (self.first and self.first[-1].HasField("provider_status")):
            self.first.append(await self.read())
        return self

    async def read(self) -> pb.AlarmFeedMessage:
        message = await self._call.read()
        assert message is not grpc.aio.EOF, f"the feed ended: {await self._call.code()} {await self._call.details()}"
        assert isinstance(message, pb.AlarmFeedMessage)
        return message

    async def news(self) -> list[pb.OnAlarmTransitionEvent]:
        """All transitions so far: a failover and back without time between them marks the end."""
        self._rig.gateway.fail_over_alarms("a mark of the test")
        self._rig.gateway.restore_alarms("the test goes on")
        found = []
        while True:
            message = await self.read()
            if message.HasField("provider_status"):
                if message.provider_status.reason == "the test goes on":
                    return found
            else:
                found.append(message.transition)

    async def status(self) -> grpc.StatusCode:
        """How the call ended."""
        try:
            while await self._call.read() is not grpc.aio.EOF:
                pass
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK


class Rig:
    """A gateway and its stub."""

    def __init__(self, gateway: SimulatedGateway, stub: Any, token: str) -> None:
        self.gateway = gateway
        self.stub = stub
        self.metadata = (("authorization", f"Bearer {token}"),)

    def set(self, reference: str, value: bool) -> None:
        """Raise or clear the alarm of a test object."""
        tag = self.gateway.plant.resolve(reference.partition(".")[2])
        assert tag is not None
        self.gateway.plant.write(tag, value, self.gateway.clock.now_us())

    async def feed(self, prefix: str = "") -> Feed:
        call = self.stub.StreamAlarms(pb.StreamAlarmsRequest(alarm_filter_prefix=prefix), metadata=self.metadata)
        return await Feed(self, call).begin()

    async def query(self, prefix: str = "") -> list[pb.ActiveAlarmSnapshot]:
        request = pb.QueryActiveAlarmsRequest(alarm_filter_prefix=prefix)
        return [alarm async for alarm in self.stub.QueryActiveAlarms(request, metadata=self.metadata)]

    async def acknowledge(
        self, reference: str, comment: str = "seen", operator: str = "TestUser"
    ) -> pb.AcknowledgeAlarmReply:
        request = pb.AcknowledgeAlarmRequest(
            alarm_full_reference=reference, comment=comment, operator_user=operator, client_correlation_id="ack-1"
        )
        reply = await self.stub.AcknowledgeAlarm(request, metadata=self.metadata)
        assert isinstance(reply, pb.AcknowledgeAlarmReply)
        return reply


@asynccontextmanager
async def alarm_rig(
    scenario: Any = "quiet",
    *,
    objects: int = 60,
    seed: int = 1,
    key: ApiKey | None = None,
    limits: Limits | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Rig]:
    """A gateway, on a virtual clock unless told otherwise; in the quiet scenario no alarm is raised but by the test."""
    spec = PlantSpec(objects=objects, seed=seed, alarm_scenario=scenario)
    keys = () if key is None else (key,)
    async with (
        SimulatedGateway(plant=spec, seed=seed, clock=clock or VirtualClock(), keys=keys, limits=limits) as gateway,
        grpc.aio.insecure_channel(gateway.endpoint) as channel,
    ):
        yield Rig(gateway, pb_grpc.MxAccessGatewayStub(channel), gateway.api_key)
