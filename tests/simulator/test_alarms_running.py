"""Alarms of a gateway whose time moves by itself, and of one that runs on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import grpc

from support.alarm_rig import CLEAR, FIRST, RAISE, SECOND, alarm_rig
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2_grpc as pb_grpc
from zb_mom_ww_mxgateway.simulator import PlantSpec, SimulatedGateway, VirtualClock, WallClock, generate_plant
from zb_mom_ww_mxgateway.simulator.alarms import AlarmMonitor
from zb_mom_ww_mxgateway.simulator.clock import Timer


async def test_the_wall_clock_tells_changes_too() -> None:
    """CONTRACT "alarms": snapshot, then transitions, also while a big plant is still being scheduled."""
    async with alarm_rig(objects=2_000, clock=WallClock()) as rig:
        rig.set(SECOND, True)
        feed = await rig.feed()
        assert feed.snapshot == [SECOND]
        rig.set(FIRST, True)
        assert [(each.alarm_full_reference, each.transition_kind) for each in await feed.news()] == [(FIRST, RAISE)]


async def test_the_wall_clock_finds_out_by_itself() -> None:
    """CONTRACT "alarms": a transition for each change, whether or not anybody asks."""
    async with alarm_rig("chattering", clock=WallClock(speed=100)) as rig:
        feed = await rig.feed()
        news = [(await feed.read()).transition for _ in range(6)]
        for reference in {each.alarm_full_reference for each in news}:
            own = [each for each in news if each.alarm_full_reference == reference]
            times = [each.transition_timestamp.ToMicroseconds() for each in own]
            assert times == sorted(set(times))
            assert all((one.transition_kind == CLEAR) != (two.transition_kind == CLEAR) for one, two in pairwise(own))


async def test_a_deploy_while_time_moves() -> None:
    """CONTRACT "deploys", "alarms": two deploys in a row, one after the other; the alarm of what went clears."""
    async with alarm_rig(clock=WallClock()) as rig:
        rig.set(FIRST, True)
        rig.set(SECOND, True)
        feed = await rig.feed()
        for name in ("TestMachine_001", "TestMachine_003"):
            rig.gateway.plant.redeploy(remove=[name], at_us=rig.gateway.clock.now_us())
        told = (await feed.read()).transition
        assert (told.alarm_full_reference, told.transition_kind) == (FIRST, CLEAR)
        assert [alarm.alarm_full_reference for alarm in await rig.query()] == [SECOND]


def test_a_gateway_on_a_thread_of_its_own_fails_over() -> None:
    """CONTRACT "alarms": `provider_status` again on each failover, caused from another thread."""
    spec = PlantSpec(alarm_scenario="quiet")
    with (
        SimulatedGateway(plant=spec, clock=VirtualClock()) as gateway,
        grpc.insecure_channel(gateway.endpoint) as channel,
    ):
        metadata = (("authorization", f"Bearer {gateway.api_key}"),)
        feed = pb_grpc.MxAccessGatewayStub(channel).StreamAlarms(pb.StreamAlarmsRequest(), metadata=metadata)
        assert [next(feed).WhichOneof("payload") for _ in range(2)] == ["snapshot_complete", "provider_status"]
        gateway.fail_over_alarms("COM does not answer")
        gateway.restore_alarms("it answers")
        assert [next(feed).provider_status.reason for _ in range(2)] == ["COM does not answer", "it answers"]
        feed.cancel()


class LateClock(VirtualClock):
    """Its callbacks run only when the test says so."""

    def call_at(self, when_us: int, callback: Callable[[], None]) -> Timer:
        return Timer(when_us, callback)


async def test_a_late_look_misses_nothing() -> None:
    """CONTRACT "alarms": a busy machine tells late, but each change with its own time, in order."""

    async def history(clock: VirtualClock) -> list[bytes]:
        plant = generate_plant(PlantSpec(alarm_scenario="chattering"), start_us=clock.now_us())
        monitor = AlarmMonitor(plant, clock)
        await monitor.ready()
        told: list[bytes] = []
        monitor.listen(lambda notice: told.append(notice.raw))
        clock.advance_us(600_000_000)
        await monitor.ready()
        monitor.close()
        return told

    exact = await history(VirtualClock())
    assert len(exact) > 100
    assert await history(LateClock()) == exact
