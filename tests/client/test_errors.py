"""One class per status, the key in none of the texts."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

import zb_mom_ww_mxgateway
from support.fake_gateway import FakeGateway
from zb_mom_ww_mxgateway import (
    GalaxyError,
    GalaxyNotFoundError,
    GalaxyRepositoryClient,
    GatewayClient,
    MxAccessError,
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewayLimitError,
    MxGatewaySessionError,
    MxGatewayTimeoutError,
    MxGatewayTransportError,
    MxGatewayWorkerError,
    errors,
)
from zb_mom_ww_mxgateway.errors import class_of_protocol_status
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

GRPC_ROWS = {
    grpc.StatusCode.CANCELLED: MxGatewayTransportError,
    grpc.StatusCode.UNKNOWN: MxGatewayTransportError,
    grpc.StatusCode.INVALID_ARGUMENT: MxGatewayCommandError,
    grpc.StatusCode.DEADLINE_EXCEEDED: MxGatewayTimeoutError,
    grpc.StatusCode.NOT_FOUND: MxGatewaySessionError,
    grpc.StatusCode.ALREADY_EXISTS: MxGatewaySessionError,
    grpc.StatusCode.PERMISSION_DENIED: MxGatewayAuthorizationError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: MxGatewayLimitError,
    grpc.StatusCode.FAILED_PRECONDITION: MxGatewaySessionError,
    grpc.StatusCode.ABORTED: MxGatewaySessionError,
    grpc.StatusCode.OUT_OF_RANGE: MxGatewayCommandError,
    grpc.StatusCode.UNIMPLEMENTED: MxGatewayTransportError,
    grpc.StatusCode.INTERNAL: MxGatewayTransportError,
    grpc.StatusCode.UNAVAILABLE: MxGatewayTransportError,
    grpc.StatusCode.DATA_LOSS: MxGatewayTransportError,
    grpc.StatusCode.UNAUTHENTICATED: MxGatewayAuthenticationError,
}

GALAXY_ROWS = {
    **GRPC_ROWS,
    grpc.StatusCode.NOT_FOUND: GalaxyNotFoundError,
    grpc.StatusCode.INVALID_ARGUMENT: GalaxyError,
    grpc.StatusCode.FAILED_PRECONDITION: GalaxyError,
}

PROTOCOL_ROWS = {
    pb.PROTOCOL_STATUS_CODE_UNSPECIFIED: MxGatewayCommandError,
    pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST: MxGatewayCommandError,
    pb.PROTOCOL_STATUS_CODE_SESSION_NOT_FOUND: MxGatewaySessionError,
    pb.PROTOCOL_STATUS_CODE_SESSION_NOT_READY: MxGatewaySessionError,
    pb.PROTOCOL_STATUS_CODE_WORKER_UNAVAILABLE: MxGatewayWorkerError,
    pb.PROTOCOL_STATUS_CODE_TIMEOUT: MxGatewayTimeoutError,
    pb.PROTOCOL_STATUS_CODE_CANCELED: MxGatewayCommandError,
    pb.PROTOCOL_STATUS_CODE_PROTOCOL_VIOLATION: MxGatewayWorkerError,
    pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE: MxAccessError,
}


def aborting(code: grpc.StatusCode, details: str) -> Any:
    async def handler(request: Any, context: Any) -> Any:
        await context.abort(code, details)

    return handler


def test_every_grpc_status_is_in_the_map() -> None:
    assert set(GRPC_ROWS) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


@pytest.mark.parametrize(("code", "kind"), GRPC_ROWS.items(), ids=lambda value: getattr(value, "name", None))
async def test_a_grpc_status_has_one_class(
    fake: FakeGateway, client: GatewayClient, code: grpc.StatusCode, kind: type[MxGatewayError]
) -> None:
    fake.unary["OpenSession"] = aborting(code, "the server's words")
    with pytest.raises(kind) as caught:
        await client.open_session()
    error = caught.value
    assert type(error) is kind
    assert error.code is code
    assert error.details == "the server's words"
    assert error.correlation_id == fake.requests[-1][1].client_correlation_id
    assert "the server's words" in str(error)
    assert fake.endpoint in str(error)
    assert error.is_transient is (code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED))


@pytest.mark.parametrize(("code", "kind"), GALAXY_ROWS.items(), ids=lambda value: getattr(value, "name", None))
async def test_a_grpc_status_of_the_galaxy_service_has_one_class(
    fake: FakeGateway, code: grpc.StatusCode, kind: type[MxGatewayError]
) -> None:
    fake.unary["BrowseChildren"] = aborting(code, "the server's words")
    async with await GalaxyRepositoryClient.connect(fake.endpoint, plaintext=True) as galaxy:
        with pytest.raises(kind) as caught:
            await galaxy.browse_children()
    assert type(caught.value) is kind


def test_every_protocol_status_is_in_the_map() -> None:
    assert {*PROTOCOL_ROWS, pb.PROTOCOL_STATUS_CODE_OK} == set(pb.ProtocolStatusCode.values())


@pytest.mark.parametrize(("code", "kind"), PROTOCOL_ROWS.items(), ids=lambda value: str(value))
async def test_a_protocol_status_has_one_class(
    fake: FakeGateway, client: GatewayClient, code: int, kind: type[MxGatewayError]
) -> None:
    async def invoke(request: Any, context: Any) -> pb.MxCommandReply:
        return pb.MxCommandReply(protocol_status=pb.ProtocolStatus(code=code, message="its words"))

    fake.unary["Invoke"] = invoke
    session = await client.open_session()
    with pytest.raises(kind) as caught:
        await session.advise(1, 2)
    assert type(caught.value) is kind
    assert "its words" in str(caught.value)


def test_an_unknown_protocol_status_is_a_command_error() -> None:
    assert class_of_protocol_status(77) is MxGatewayCommandError


def test_the_names_of_the_seed_are_exported_and_related() -> None:
    for name in errors.__all__:
        assert name in zb_mom_ww_mxgateway.__all__
        assert issubclass(getattr(errors, name), MxGatewayError)
    assert issubclass(MxAccessError, MxGatewayCommandError)
    tree = errors.__doc__ or ""
    assert all(name in tree for name in errors.__all__)


async def test_a_key_in_the_servers_words_does_not_show(fake: FakeGateway, client: GatewayClient, canary: str) -> None:
    fake.unary["OpenSession"] = aborting(grpc.StatusCode.UNAUTHENTICATED, f"bad token Bearer {canary} ({canary[5:]})")
    with pytest.raises(MxGatewayAuthenticationError) as caught:
        await client.open_session()
    shown = f"{caught.value!s} {caught.value!r} {caught.value.details} {client!r} {client.options!r}"
    secret = canary.split("_", 2)[2]
    for part in (canary, canary[5:], secret, secret[:8], secret[-8:]):
        assert part not in shown
    assert "[redacted]" in shown


async def test_nobody_there_is_one_sentence_with_the_endpoint() -> None:
    async with FakeGateway() as gone:
        endpoint = gone.endpoint
    async with await GatewayClient.connect(endpoint, plaintext=True) as client:
        with pytest.raises(MxGatewayTransportError, match="connection refused") as caught:
            await client.open_session()
    assert endpoint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
