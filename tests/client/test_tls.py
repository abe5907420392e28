"""TLS: given roots, trust-on-first-use, pins, and the mistakes of either side."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
import trustme

from support.fake_gateway import FakeGateway
from zb_mom_ww_mxgateway import GatewayClient, MxGatewayTlsError
from zb_mom_ww_mxgateway.channel import forget_pinned_certificates


@pytest.fixture(autouse=True)
def fresh_pins() -> Iterator[None]:
    forget_pinned_certificates()
    yield
    forget_pinned_certificates()


def issue(ca: trustme.CA, *names: str) -> tuple[grpc.ServerCredentials, str]:
    leaf = ca.issue_cert(*names)
    chain = leaf.cert_chain_pems[0].bytes()
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(chain.decode())).hexdigest()
    return grpc.ssl_server_credentials([(leaf.private_key_pem.bytes(), chain)]), fingerprint


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def secure(ca: trustme.CA) -> AsyncIterator[FakeGateway]:
    async with FakeGateway(issue(ca, "localhost", "127.0.0.1")[0]) as gateway:
        yield gateway


async def opens(**options: object) -> str:
    async with await GatewayClient.connect(**options) as client:  # type: ignore[arg-type]
        session = await client.open_session()
        await session.close()
        return client.fingerprint or ""


async def test_trust_on_first_use_pins_what_the_gateway_presents(ca: trustme.CA) -> None:
    credentials, fingerprint = issue(ca, "localhost", "127.0.0.1")
    async with FakeGateway(credentials) as gateway:
        assert await opens(endpoint=gateway.endpoint) == fingerprint
        assert await opens(endpoint=gateway.endpoint, pinned_sha256=fingerprint.upper()) == fingerprint
        with pytest.raises(MxGatewayTlsError, match="pinned_sha256 is " + "ab" * 32) as caught:
            await opens(endpoint=gateway.endpoint, pinned_sha256="ab" * 32)
        assert fingerprint in str(caught.value)


async def test_a_certificate_that_changes_is_refused_with_both_fingerprints(ca: trustme.CA) -> None:
    first, one = issue(ca, "localhost")
    second, two = issue(ca, "localhost")
    async with FakeGateway(first) as gateway:
        assert await opens(endpoint=gateway.endpoint) == one
        port = gateway.port
    server = grpc.aio.server()
    assert server.add_secure_port(f"127.0.0.1:{port}", second) == port
    await server.start()
    try:
        with pytest.raises(MxGatewayTlsError, match="has changed") as caught:
            await opens(endpoint=f"127.0.0.1:{port}")
    finally:
        await server.stop(0)
    assert one in str(caught.value)
    assert two in str(caught.value)


async def test_a_ca_file_is_verified_against(ca: trustme.CA, secure: FakeGateway, tmp_path: Path) -> None:
    good = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(good))
    assert await opens(endpoint=secure.endpoint, ca_file=good) == ""
    assert await opens(endpoint=secure.endpoint, ca_file=str(good), server_name_override="localhost") == ""
    with pytest.raises(MxGatewayTlsError, match=r"does not name 'elsewhere.example'.*server_name_override"):
        await opens(endpoint=secure.endpoint, ca_file=good, server_name_override="elsewhere.example")
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with pytest.raises(MxGatewayTlsError, match="not signed by ca_file .*other.pem"):
        await opens(endpoint=secure.endpoint, ca_file=other)


async def test_a_ca_file_that_cannot_be_used_is_named(secure: FakeGateway, tmp_path: Path) -> None:
    with pytest.raises(MxGatewayTlsError, match="nowhere.pem"):
        await opens(endpoint=secure.endpoint, ca_file=tmp_path / "nowhere.pem")
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate here")
    with pytest.raises(MxGatewayTlsError, match="no PEM certificate"):
        await opens(endpoint=secure.endpoint, ca_file=empty)


async def test_a_certificate_of_nobody_known_fails_validation(secure: FakeGateway) -> None:
    with pytest.raises(MxGatewayTlsError, match="not signed by the system's trust roots"):
        await opens(endpoint=secure.endpoint, require_certificate_validation=True)


async def test_an_expired_certificate_says_so(ca: trustme.CA, tmp_path: Path) -> None:
    leaf = ca.issue_cert("localhost", "127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    pair = (leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes())
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with FakeGateway(grpc.ssl_server_credentials([pair])) as gateway:
        for trust in ({"ca_file": tmp_path / "ca.pem"}, {}):
            with pytest.raises(MxGatewayTlsError, match="has expired.*must be renewed"):
                await opens(endpoint=gateway.endpoint, **trust)


async def test_plaintext_at_a_tls_port_says_so(secure: FakeGateway) -> None:
    with pytest.raises(MxGatewayTlsError, match="speaks TLS") as caught:
        await opens(endpoint=secure.endpoint, plaintext=True)
    assert secure.endpoint in str(caught.value)


async def test_tls_at_a_plaintext_port_says_so(fake: FakeGateway) -> None:
    with pytest.raises(MxGatewayTlsError, match="plaintext=True") as caught:
        await opens(endpoint=fake.endpoint)
    assert fake.endpoint in str(caught.value)


async def test_streams_use_the_same_trust(secure: FakeGateway) -> None:
    async def produce(request: object, context: object) -> AsyncIterator[bytes]:
        yield b""

    secure.streams["StreamEvents"] = produce
    async with await GatewayClient.connect(secure.endpoint) as client:
        events = [item async for item in client.session("session-1").stream_events()]
    assert len(events) == 1
