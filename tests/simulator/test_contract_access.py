"""CONTRACT.md, rows "auth" and "scopes", against the generated stubs."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from support.raw import PAYLOADS, Raw, code_of, command, raw_gateway, read_all
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy_pb
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.simulator import ALL_SCOPES, ApiKey

GOOD = ApiKey("good", "se_cr_et-1")

RPC_SCOPES = {
    "OpenSession": "session:open",
    "CloseSession": "session:close",
    "StreamEvents": "events:read",
    "StreamAlarms": "events:read",
    "QueryActiveAlarms": "events:read",
    "AcknowledgeAlarm": "invoke:write",
    "TestConnection": "metadata:read",
    "GetLastDeployTime": "metadata:read",
    "DiscoverHierarchy": "metadata:read",
    "BrowseChildren": "metadata:read",
    "WatchDeployEvents": "metadata:read",
}


def command_scope(kind: str) -> str:
    if kind in ("ACKNOWLEDGE_ALARM", "ACKNOWLEDGE_ALARM_BY_NAME"):
        return "invoke:write"
    if kind.startswith("WRITE"):
        return "invoke:secure" if "SECURED" in kind else "invoke:write"
    if kind in ("AUTHENTICATE_USER", "ARCHESTRA_USER_TO_ID"):
        return "invoke:secure"
    return "events:read" if kind == "DRAIN_EVENTS" else "invoke:read"


def without(scope: str) -> ApiKey:
    return ApiKey("partial", "secret", ALL_SCOPES - {scope})


async def call(raw: Raw, rpc: str) -> grpc.StatusCode:
    """Call an rpc with an empty request until its first answer."""
    owner: Any = raw.galaxy if hasattr(raw.galaxy, rpc) else raw.stub
    module = galaxy_pb if owner is raw.galaxy else pb
    started = getattr(owner, rpc)(getattr(module, f"{rpc}Request")(), metadata=raw.metadata)
    if not hasattr(started, "read"):
        return await code_of(started)
    return await code_of(started.read())


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {GOOD.token}",
        "Bearer mxgw_good",
        "Bearer mxgw_good_",
        "Bearer mxgw_good_se",
        "Bearer mxgw_other_se_cr_et-1",
        "Bearer xxxx_good_se_cr_et-1",
    ],
)
async def test_auth_a_missing_or_bad_key_is_unauthenticated_and_no_check_is_told(header: str | None) -> None:
    async with raw_gateway(keys=[GOOD]) as raw:
        raw.metadata = () if header is None else (("authorization", header),)  # type: ignore[assignment]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await raw.open()
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "se_cr_et" not in (caught.value.details() or "")


@pytest.mark.parametrize("prefix", ["Bearer", "bearer"])
async def test_auth_the_secret_may_contain_underscores(prefix: str) -> None:
    async with raw_gateway(keys=[GOOD]) as raw:
        raw.metadata = (("authorization", f"{prefix} {GOOD.token}"),)
        assert (await raw.open()).session_id


async def test_auth_disabled_lets_every_call_through() -> None:
    async with raw_gateway(authentication=False) as raw:
        raw.metadata = ()  # type: ignore[assignment]
        assert (await raw.open()).session_id


@pytest.mark.parametrize(("rpc", "scope"), RPC_SCOPES.items())
async def test_scopes_of_every_rpc(rpc: str, scope: str) -> None:
    only = ApiKey("only", "secret", frozenset({scope}))
    async with raw_gateway(keys=[without(scope), only]) as raw:
        assert await call(raw, rpc) is grpc.StatusCode.PERMISSION_DENIED
        denied = await call(raw.as_key(only.token), rpc)
        assert denied not in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED)


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_scopes_of_every_command(payload: str) -> None:
    kind = payload.removesuffix("_command")
    scope = command_scope(kind.upper())
    only = ApiKey("only", "secret", frozenset({scope, "session:open"}))
    async with raw_gateway(keys=[only, without(scope)]) as raw:
        await raw.open()
        assert await code_of(raw.as_key(without(scope).token).invoke(kind)) is grpc.StatusCode.PERMISSION_DENIED
        assert await code_of(raw.invoke(kind)) is grpc.StatusCode.OK


@pytest.mark.parametrize("kind", [0, 999])
async def test_scopes_unknown_requests_need_admin(kind: int) -> None:
    async with raw_gateway(keys=[GOOD, without("admin")]) as raw:
        await raw.open()
        request = pb.MxCommandRequest(session_id=raw.session_id, command=command("ping"))
        request.command.kind = kind  # type: ignore[assignment]
        other = raw.as_key(without("admin").token)
        assert await code_of(raw.stub.Invoke(request, metadata=other.metadata)) is grpc.StatusCode.PERMISSION_DENIED
        reply = await raw.stub.Invoke(request, metadata=raw.metadata)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST


async def test_scopes_constraints_deny_a_single_command_and_one_entry_of_a_bulk_command() -> None:
    key = ApiKey("area", "secret", read_tag_globs=("TestMachine_001.*",), write_tag_globs=("*.FreeValue",))
    async with raw_gateway(keys=[key]) as raw:
        await raw.ready()
        assert await code_of(raw.add("Pump001.Speed")) is grpc.StatusCode.PERMISSION_DENIED
        tags = ["TestMachine_001.FreeValue", "Pump001.Speed", "TestMachine_001.MachineID", "No.Such"]
        reply = await raw.invoke("subscribe_bulk", server_handle=raw.server_handle, tag_addresses=tags)
        results = reply.subscribe_bulk.results
        assert [each.tag_address for each in results] == tags
        assert [each.was_successful for each in results] == [True, False, True, False]
        entries = [
            pb.WriteBulkEntry(item_handle=each.item_handle, value=pb.MxValue(int32_value=1)) for each in results[:3]
        ]
        reply = await raw.invoke("write_bulk", server_handle=raw.server_handle, entries=entries)
        assert [each.was_successful for each in reply.write_bulk.results] == [True, False, False]
        assert (
            await code_of(raw.write(results[2].item_handle, pb.MxValue(string_value="x")))
            is grpc.StatusCode.PERMISSION_DENIED
        )


async def test_auth_counts_at_the_start_of_a_call() -> None:
    async with raw_gateway(keys=[GOOD]) as raw:
        await raw.ready()
        stream = await raw.attach()
        raw.gateway.revoke_key("good")
        assert await code_of(raw.invoke("ping")) is grpc.StatusCode.UNAUTHENTICATED
        raw.gateway.restore_key("good")
        await raw.close()
        await read_all(stream)
        assert await stream.code() is grpc.StatusCode.OK
