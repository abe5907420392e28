"""The alarms of the plant's scenarios, runs that repeat, and plants with many alarms."""

from __future__ import annotations

from collections import Counter

import pytest

from support.alarm_rig import CLEAR, RAISE, RETRIGGER, Rig, alarm_rig
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

HOUR = 3600


async def history(rig: Rig, seconds: int = HOUR) -> list[pb.OnAlarmTransitionEvent]:
    feed = await rig.feed()
    rig.gateway.advance(seconds)
    return await feed.news()


def most_raises(news: list[pb.OnAlarmTransitionEvent], seconds: int) -> int:
    """The most raises within any such span."""
    times = [each.transition_timestamp.ToSeconds() for each in news if each.transition_kind in (RAISE, RETRIGGER)]
    return max((sum(start <= at < start + seconds for at in times) for start in times), default=0)


async def test_quiet_has_no_alarms() -> None:
    """CONTRACT "alarms": no alarm, no transition; the snapshot is complete all the same."""
    async with alarm_rig("quiet") as rig:
        feed = await rig.feed()
        rig.gateway.advance(HOUR)
        assert (feed.snapshot, await feed.news()) == ([], [])


async def test_normal_has_a_few() -> None:
    """CONTRACT "alarms": transitions in order of time; over an hour the rate is one a minute at most (ISA-18.2)."""
    async with alarm_rig("normal") as rig:
        news = await history(rig)
        assert {each.transition_kind for each in news} >= {RAISE, CLEAR}
        assert 10 < sum(each.transition_kind == RAISE for each in news) <= 60
        times = [each.transition_timestamp.ToMicroseconds() for each in news]
        assert times == sorted(times)
        for reference in {each.alarm_full_reference for each in news}:
            kinds = [each.transition_kind for each in news if each.alarm_full_reference == reference]
            assert all((kind == CLEAR) == bool(number % 2) for number, kind in enumerate(kinds))


async def test_a_flood_has_more_than_ten_in_ten_minutes() -> None:
    """CONTRACT "alarms": a flood is more than ten alarms in ten minutes (ISA-18.2)."""
    async with alarm_rig("flood") as rig:
        assert most_raises(await history(rig), 600) > 10


async def test_a_chattering_alarm_comes_and_goes() -> None:
    """CONTRACT "alarms": three and more times a minute (ISA-18.2), each time after the first a retrigger."""
    async with alarm_rig("chattering") as rig:
        news = await history(rig, 300)
        ((worst, _),) = Counter(each.alarm_full_reference for each in news).most_common(1)
        own = [each for each in news if each.alarm_full_reference == worst]
        assert most_raises(own, 60) >= 3
        assert [each.transition_kind for each in own[:4]] == [RAISE, CLEAR, RETRIGGER, CLEAR]
        assert len({each.original_raise_timestamp.ToMicroseconds() for each in own}) == 1


async def test_stale_alarms_stand_for_more_than_a_day() -> None:
    """CONTRACT "alarms": the snapshot tells since when an alarm stands."""
    async with alarm_rig("stale") as rig:
        now = rig.gateway.clock.now_us()
        old = [
            each
            for each in await rig.query()
            if now - each.original_raise_timestamp.ToMicroseconds() > 24 * HOUR * 10**6
        ]
        assert len(old) > 1
        rig.gateway.advance(HOUR)
        still = {each.alarm_full_reference for each in await rig.query()}
        assert {each.alarm_full_reference for each in old} <= still


async def run(seed: int) -> list[bytes]:
    """All that a feed says in a run with acknowledgements and a failover."""
    async with alarm_rig("flood", seed=seed) as rig:
        feed = await rig.feed()
        said = list(feed.first)
        for minute in range(20):
            rig.gateway.advance(60)
            for alarm in (await rig.query())[:2]:
                await rig.acknowledge(alarm.alarm_full_reference, f"minute {minute}")
        guids = [rig.gateway.alarms.guid_of(alarm.alarm_full_reference) for alarm in await rig.query()]
        rig.gateway.fail_over_alarms("the end")
        while not said[-1].provider_status.degraded:
            said.append(await feed.read())
        return [message.SerializeToString(deterministic=True) for message in said] + [guid.encode() for guid in guids]


async def test_two_runs_with_one_seed_are_the_same_bytes() -> None:
    """CONTRACT "alarms", simulator: the same seed and the same calls give the same bytes, GUIDs included."""
    first = await run(7)
    assert len(first) > 20
    assert first == await run(7)
    assert first != await run(8)


@pytest.mark.parametrize("objects", [5_400])
async def test_the_work_does_not_grow_with_the_plant(objects: int) -> None:
    """CONTRACT "alarms": one monitor for all alarms; of 5,000 only those that will change are ever looked at again."""
    async with alarm_rig("normal", objects=objects) as rig:
        alarms = sum(1 for _ in rig.gateway.plant.alarms())
        assert alarms >= 5_000
        assert rig.gateway.alarms.scheduled == 0
        feed = await rig.feed()
        scheduled = rig.gateway.alarms.scheduled
        assert 0 < scheduled < alarms / 10
        rig.gateway.advance(HOUR)
        assert await feed.news()
        assert rig.gateway.alarms.scheduled < 2 * scheduled


async def test_writes_do_not_pile_up_work() -> None:
    """CONTRACT "alarms": writing a tag again and again leaves one time per alarm to look at."""
    async with alarm_rig("normal") as rig:
        await rig.feed()
        scheduled = rig.gateway.alarms.scheduled
        tag = rig.gateway.plant.resolve("TestMachine_001.TestAlarm001.AckMsg")
        assert tag is not None
        for number in range(100):
            rig.gateway.plant.write(tag, f"comment {number}", rig.gateway.clock.now_us())
        assert rig.gateway.alarms.scheduled == scheduled
