"""CONTRACT.md, row "writes", against the generated stubs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from support.raw import Raw, integer, raw_gateway
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

E_INVALIDARG = 0x80070057 - 2**32
NOT_AUTHENTICATED = 0x80004021 - 2**32
FREE = "TestMachine_001.FreeValue"
ARRAY = "TestChildObject.TestIntArray"


async def values(raw: Raw, handle: int) -> list[pb.MxEvent]:
    return [
        event
        for event in await raw.drain()
        if event.item_handle == handle and event.family == pb.MX_EVENT_FAMILY_ON_DATA_CHANGE
    ]


async def authenticate(raw: Raw, name: str = "operator") -> int:
    reply = await raw.invoke(
        "authenticate_user", server_handle=raw.server_handle, verify_user=name, verify_user_password=name
    )
    return reply.authenticate_user.user_id


async def bound(raw: Raw, reference: str) -> int:
    await raw.ready()
    handle = await raw.advise(reference)
    await raw.gateway.aadvance(1)
    await raw.drain()
    return handle


async def test_writes_are_accepted_then_completed_by_an_event_then_seen() -> None:
    async with raw_gateway() as raw:
        handle = await bound(raw, FREE)
        reply = await raw.write(handle, integer(42))
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK
        await raw.gateway.aadvance(1)
        complete, change = await raw.drain()
        assert complete.family == pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE
        assert complete.statuses[0].category == pb.MX_STATUS_CATEGORY_OK
        assert change.value.int32_value == 42


async def test_writes_to_an_item_that_is_not_advised_are_refused() -> None:
    async with raw_gateway() as raw:
        await raw.ready()
        reply = await raw.write(await raw.add(FREE), integer(1))
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
        assert reply.hresult == E_INVALIDARG


@pytest.mark.parametrize(
    ("reference", "value", "category"),
    [
        ("TestMachine_001.ReadOnlyValue", integer(1), pb.MX_STATUS_CATEGORY_OPERATIONAL_ERROR),
        (FREE, pb.MxValue(string_value="x"), pb.MX_STATUS_CATEGORY_OPERATIONAL_ERROR),
        ("TestMachine_001.ProtectedValue", pb.MxValue(bool_value=True), pb.MX_STATUS_CATEGORY_SECURITY_ERROR),
        ("No.Such", integer(1), pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR),
    ],
)
async def test_writes_that_fail_say_so_in_the_completion(reference: str, value: pb.MxValue, category: int) -> None:
    async with raw_gateway() as raw:
        handle = await bound(raw, reference)
        assert (await raw.written(handle, value)).statuses[0].category == category


async def test_writes_a_user_id_counts_only_after_a_supervisory_advise() -> None:
    async with raw_gateway() as raw:
        handle = await bound(raw, FREE)
        user_id = await authenticate(raw)
        await raw.written(handle, integer(1), user_id=user_id)
        await raw.invoke("advise_supervisory", server_handle=raw.server_handle, item_handle=handle)
        await raw.written(handle, integer(2), user_id=user_id)
        await raw.written(handle, integer(3), user_id=user_id + 1)
        assert [each.user for each in raw.gateway.written] == ["", "operator", ""]


async def test_writes_secured_need_an_authenticated_user() -> None:
    async with raw_gateway() as raw:
        handle = await bound(raw, "TestMachine_001.ProtectedValue")
        target = {"server_handle": raw.server_handle, "item_handle": handle, "value": pb.MxValue(bool_value=True)}
        reply = await raw.invoke("write_secured", **target, current_user_id=1)
        assert reply.hresult == NOT_AUTHENTICATED
        user_id = await authenticate(raw)
        reply = await raw.invoke("write_secured", **target, current_user_id=user_id)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK
        await raw.gateway.aadvance(1)
        assert (await raw.drain())[0].statuses[0].category == pb.MX_STATUS_CATEGORY_OK
        assert raw.gateway.written[-1].user == "operator"
        # The id belongs to the registration that it was given to.
        raw.server_handle = 0
        await raw.register()
        handle = await raw.advise("TestMachine_001.ProtectedValue")
        target |= {"server_handle": raw.server_handle, "item_handle": handle}
        assert (await raw.invoke("write_secured", **target, current_user_id=user_id)).hresult == NOT_AUTHENTICATED


async def test_writes_verified_need_a_second_user() -> None:
    async with raw_gateway() as raw:
        handle = await bound(raw, "TestMachine_001.VerifiedValue")
        operator, supervisor = await authenticate(raw), await authenticate(raw, "supervisor")
        categories = []
        for verifier in (0, operator, supervisor):
            await raw.invoke(
                "write_secured",
                server_handle=raw.server_handle,
                item_handle=handle,
                value=pb.MxValue(bool_value=True),
                current_user_id=operator,
                verifier_user_id=verifier,
            )
            await raw.gateway.aadvance(1)
            categories.append((await raw.drain())[0].statuses[0].category)
        refused = pb.MX_STATUS_CATEGORY_SECURITY_ERROR
        assert categories == [refused, refused, pb.MX_STATUS_CATEGORY_OK]


async def test_writes_of_an_array_replace_it_whole_and_may_shrink_it() -> None:
    async with raw_gateway() as raw:
        handle = await bound(raw, ARRAY)
        array = pb.MxArray(int32_values=pb.Int32Array(values=[7, 8, 9]))
        await raw.write(handle, pb.MxValue(array_value=array))
        await raw.gateway.aadvance(1)
        (change,) = await values(raw, handle)
        assert list(change.value.array_value.int32_values.values) == [7, 8, 9]


async def test_writes_of_a_sparse_array_reset_what_they_do_not_name() -> None:
    async with raw_gateway() as raw:
        handle = await bound(raw, ARRAY)
        await raw.written(handle, pb.MxValue(array_value=pb.MxArray(int32_values=pb.Int32Array(values=[5] * 50))))
        sparse = pb.MxSparseArray(total_length=50, elements=[pb.MxSparseElement(index=3, value=integer(9))])
        await raw.write(handle, pb.MxValue(sparse_array_value=sparse))
        await raw.gateway.aadvance(1)
        change = (await values(raw, handle))[-1]
        assert list(change.value.array_value.int32_values.values) == [0, 0, 0, 9] + [0] * 46


@pytest.mark.parametrize(("length", "indices"), [(49, [1]), (50, [50]), (50, [1, 1])])
async def test_writes_of_an_invalid_sparse_array_never_reach_the_worker(length: int, indices: list[int]) -> None:
    async with raw_gateway() as raw:
        handle = await bound(raw, ARRAY)
        elements = [pb.MxSparseElement(index=index, value=integer(9)) for index in indices]
        value = pb.MxValue(sparse_array_value=pb.MxSparseArray(total_length=length, elements=elements))
        reply = await raw.write(handle, value)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST


async def test_writes_with_a_time_show_it_and_the_last_write_counts() -> None:
    async with raw_gateway() as raw:
        handle = await bound(raw, FREE)
        shown = []
        for number, hour in ((1, 5), (2, 4)):
            moment = Timestamp()
            moment.FromDatetime(datetime(2026, 1, 5, hour, tzinfo=UTC))
            await raw.invoke(
                "write2",
                server_handle=raw.server_handle,
                item_handle=handle,
                value=integer(number),
                timestamp_value=pb.MxValue(timestamp_value=moment),
            )
            await raw.gateway.aadvance(1)
            shown += await values(raw, handle)
        assert [event.value.int32_value for event in shown] == [1, 2]
        assert shown[0].source_timestamp.ToDatetime(UTC).hour == 5


async def test_writes_in_bulk_answer_each_entry() -> None:
    async with raw_gateway() as raw:
        handle = await bound(raw, FREE)
        idle = await raw.add("TestMachine_002.FreeValue")
        entries = [pb.WriteBulkEntry(item_handle=each, value=integer(3)) for each in (handle, idle, 0, handle)]
        reply = await raw.invoke("write_bulk", server_handle=raw.server_handle, entries=entries)
        results = reply.write_bulk.results
        assert [each.item_handle for each in results] == [handle, idle, 0, handle]
        assert [each.was_successful for each in results] == [True, False, False, True]
        assert results[1].hresult == E_INVALIDARG
