"""Starting, stopping, two at a time, TLS, gRPC's own services, and the clock from other threads."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import threading
from datetime import timedelta

import grpc
import grpc.aio
import pytest
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from support.raw import Raw, raw_gateway
from zb_mom_ww_mxgateway.simulator import ApiKey, SimulatedGateway, VirtualClock
from zb_mom_ww_mxgateway.simulator.tls import self_signed

SERVICES = ("mxaccess_gateway.v1.MxAccessGateway", "galaxy_repository.v1.GalaxyRepository")


def test_stop_is_idempotent_and_start_is_not() -> None:
    gateway = SimulatedGateway(objects=30)
    gateway.stop()
    gateway.start()
    with pytest.raises(RuntimeError, match="running already"):
        gateway.start()
    gateway.stop()
    gateway.stop()
    assert repr(gateway).startswith("SimulatedGateway(not running")
    with pytest.raises(RuntimeError, match="not running"):
        _ = gateway.endpoint


def test_starting_again_gives_a_fresh_gateway() -> None:
    gateway = SimulatedGateway(objects=30)
    for _ in range(2):
        with gateway:
            assert gateway.sessions == []


def test_a_port_in_use_is_an_os_error() -> None:
    with SimulatedGateway(objects=30) as first:
        second = SimulatedGateway(objects=30, port=first.port)
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{first.port}"):
            second.start()
        second.stop()


async def test_two_gateways_in_one_process_know_nothing_of_each_other() -> None:
    async with raw_gateway(seed=1) as one, raw_gateway(seed=2) as other:
        await one.open()
        assert (len(one.gateway.sessions), len(other.gateway.sessions)) == (1, 0)
        assert one.gateway.api_key != other.gateway.api_key


async def test_advance_from_any_thread_and_any_loop() -> None:
    async with raw_gateway() as raw:
        await raw.ready()
        await raw.advise("TestMachine_001.TestChangingInt")
        await asyncio.to_thread(raw.gateway.advance, 1)
        assert raw.gateway.last_sequence(raw.session_id) == 1
    with SimulatedGateway(objects=30, clock=VirtualClock()) as gateway:
        before = gateway.clock.now_us()
        gateway.advance(2)
        await gateway.aadvance(3)
        assert gateway.clock.now_us() - before == 5_000_000


def test_no_thread_is_left() -> None:
    with SimulatedGateway(objects=30):
        assert any(thread.name == "mxgateway-simulator" for thread in threading.enumerate())
    assert not any(thread.name == "mxgateway-simulator" for thread in threading.enumerate())


def test_a_key_shows_in_no_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = ApiKey("id", "very_secret")
    with SimulatedGateway(objects=30, keys=[key]) as gateway:
        shown = f"{key!r} {gateway!r} {gateway.key_ring!r}"
    assert "very_secret" not in shown + caplog.text
    with pytest.raises(ValueError) as caught:
        ApiKey.parse("very_secret")
    assert "very_secret" not in str(caught.value)


def test_the_self_signed_certificate_lasts_ten_years_for_this_machine() -> None:
    chain, _ = self_signed()
    certificate = x509.load_pem_x509_certificate(chain)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) >= {"localhost", socket.gethostname()}
    assert {str(each) for each in names.get_values_for_type(x509.IPAddress)} == {"127.0.0.1", "::1"}
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert timedelta(days=3649) < lifetime < timedelta(days=3652)


@pytest.mark.parametrize("given", [True, False])
async def test_tls_with_a_given_or_a_made_certificate_over_a_restart(given: bool) -> None:
    pair = self_signed() if given else "self-signed"
    async with SimulatedGateway(objects=30, tls=pair) as gateway:
        assert not gateway.plaintext
        certificate = gateway.certificate
        await gateway.arestart()
        assert gateway.certificate == certificate
        credentials = grpc.ssl_channel_credentials(root_certificates=certificate)
        async with grpc.aio.secure_channel(f"localhost:{gateway.port}", credentials) as channel:
            assert (await Raw(gateway, channel, gateway.api_key).open()).session_id


@pytest.mark.parametrize("service", ["", *SERVICES])
async def test_health_checking_without_a_key(service: str) -> None:
    async with raw_gateway() as raw:
        stub = health_pb2_grpc.HealthStub(raw.channel)
        reply = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert reply.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_lists_the_services() -> None:
    async with raw_gateway() as raw:
        stub = reflection_pb2_grpc.ServerReflectionStub(raw.channel)
        call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        (reply,) = [each async for each in call]
        names = {each.name for each in reply.list_services_response.service}
        assert names == {*SERVICES, *raw.gateway.standard_services}


async def test_without_the_packages_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "zb_mom_ww_mxgateway")
    monkeypatch.setitem(sys.modules, "grpc_health.v1", None)
    monkeypatch.setitem(sys.modules, "grpc_reflection.v1alpha", None)
    async with raw_gateway() as raw:
        assert raw.gateway.standard_services == ()
        await raw.open()
    assert "grpcio-health-checking is not installed" in caplog.text
    assert "grpcio-reflection is not installed" in caplog.text
