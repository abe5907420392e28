"""Endpoints, options, keys: understood, or refused clearly; never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zb_mom_ww_mxgateway import ClientOptions, GatewayClient
from zb_mom_ww_mxgateway.auth import authorization_metadata, redact
from zb_mom_ww_mxgateway.channel import RETRIED_METHODS, channel_options
from zb_mom_ww_mxgateway.endpoint import Endpoint, parse_endpoint

UNDERSTOOD = [
    ("localhost:5000", True, Endpoint("localhost", 5000)),
    ("localhost", True, Endpoint("localhost", 5000)),
    ("localhost", False, Endpoint("localhost", 5001)),
    (" plant.example:6000 ", False, Endpoint("plant.example", 6000)),
    ("[::1]:5001", False, Endpoint("::1", 5001)),
    ("[::1]", False, Endpoint("::1", 5001)),
    ("::1", True, Endpoint("::1", 5000)),
    ("fe80::1%eth0", True, Endpoint("fe80::1%eth0", 5000)),
    ("http://10.0.0.1:5000", True, Endpoint("10.0.0.1", 5000)),
    ("https://plant.example", False, Endpoint("plant.example", 5001)),
    ("https://plant.example:5001/", False, Endpoint("plant.example", 5001)),
]

REFUSED = [
    ("", True, "empty"),
    ("  ", True, "empty"),
    (":5000", True, "no valid host"),
    ("host:", True, "port ''"),
    ("host:0", True, "1 to 65535"),
    ("host:65536", True, "1 to 65535"),
    ("host:five", True, "1 to 65535"),
    ("[::1", True, "no valid host"),
    ("[host]:5", True, "no valid host"),
    ("[::1]5000", True, "port"),
    ("a:b:c", True, "no valid host"),
    ("ho st:5000", True, "no valid host"),
    ("http://host:5000", False, "plaintext=True"),
    ("https://host:5001", True, "contradicts"),
    ("ftp://host", False, "scheme"),
    ("dns:///host:5000", False, "scheme"),
    ("https://host/path", False, "path"),
    ("user:secretpassword@host:5000", True, "user name"),
]


@pytest.mark.parametrize(("text", "plaintext", "expected"), UNDERSTOOD)
def test_an_endpoint_is_understood(text: str, plaintext: bool, expected: Endpoint) -> None:
    assert parse_endpoint(text, plaintext=plaintext) == expected
    assert parse_endpoint(str(expected), plaintext=plaintext) == expected


@pytest.mark.parametrize(("text", "plaintext", "words"), REFUSED)
def test_an_endpoint_is_refused_with_a_reason(text: str, plaintext: bool, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        ClientOptions(endpoint=text, plaintext=plaintext)
    assert "secretpassword" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["localhost:5000", "127.0.0.1:5000", "[::1]:5000"])
def test_loopback_is_not_plaintext_unless_asked_for(endpoint: str) -> None:
    assert ClientOptions(endpoint=endpoint).plaintext is False
    assert ClientOptions(endpoint=endpoint).trust_on_first_use


BAD_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"plaintext": True, "ca_file": "x.pem"}, "contradicts ca_file"),
    ({"plaintext": True, "server_name_override": "x"}, "contradicts server_name_override"),
    ({"ca_file": "x.pem", "require_certificate_validation": True}, "exclude each other"),
    ({"pinned_sha256": "abc"}, "64 hex digits"),
    ({"call_timeout": 0}, "call_timeout=0"),
    ({"stream_timeout": -1.0}, "stream_timeout"),
    ({"connect_timeout": float("nan")}, "connect_timeout"),
    ({"stream_buffer": 0}, "stream_buffer"),
    ({"max_message_bytes": 0}, "max_message_bytes"),
    ({"stream_transport": "carrier pigeon"}, "carrier pigeon"),
    ({"api_key": "mxgw_a_b\nc"}, "position 8"),
]


@pytest.mark.parametrize(("given", "words"), BAD_OPTIONS)
def test_an_option_that_cannot_be_used_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ClientOptions(endpoint="host:1", **given)


def test_the_key_is_in_no_repr(canary: str) -> None:
    options = ClientOptions(endpoint="host:1", api_key=f" {canary}\n")
    assert options.api_key == canary
    assert repr(options) == "ClientOptions(endpoint='host:1', api_key='[redacted]')"
    assert repr(ClientOptions(endpoint="host:1")) == "ClientOptions(endpoint='host:1', api_key=None)"


def test_a_fingerprint_is_read_in_any_spelling() -> None:
    text = ":".join(["AB"] * 32)
    assert ClientOptions(endpoint="h:1", pinned_sha256=text).pinned_sha256 == "ab" * 32


async def test_connect_takes_options_an_endpoint_or_keywords() -> None:
    options = ClientOptions(endpoint="127.0.0.1:1", plaintext=True)
    for client in (
        await GatewayClient.connect(options),
        await GatewayClient.connect("127.0.0.1:1", plaintext=True),
        await GatewayClient.connect(endpoint="127.0.0.1:1", plaintext=True),
    ):
        assert client.options == options
        await client.close()
        await client.close()


CONNECT_MISTAKES: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    ((), {}, "no endpoint"),
    ((ClientOptions(endpoint="h:1"),), {"plaintext": True}, "not both"),
    (("h:1",), {"endpoint": "h:1"}, "twice"),
    (("h:1",), {"apikey": "x"}, "unknown option apikey: the options are endpoint, api_key"),
]


@pytest.mark.parametrize(("arguments", "keywords", "words"), CONNECT_MISTAKES)
async def test_a_mistaken_connect_says_what_is_wrong(
    arguments: tuple[Any, ...], keywords: dict[str, Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        await GatewayClient.connect(*arguments, **keywords)


def test_metadata_is_a_bearer_token_or_nothing(canary: str) -> None:
    assert authorization_metadata(canary) == (("authorization", f"Bearer {canary}"),)
    assert authorization_metadata(None) == ()
    assert authorization_metadata("  ") == ()


def test_redaction_leaves_no_part_of_a_key(canary: str) -> None:
    secret = canary.split("_", 2)[2]
    text = f"key {canary}, rest {canary[5:]}, secret {secret}, Bearer abc.def, other mxgw_x1_y2-z3 end"
    shown = redact(text, canary)
    for part in (canary, secret, "canary01", "abc.def", "y2-z3", secret[-6:], secret[:6]):
        assert part not in shown
    assert shown.startswith("key [redacted], rest [redacted]")
    assert shown.endswith("end")
    for harmless in ("nothing to hide", "the form is mxgw_<id>_<secret>", "__MXGW_BATCH_EOR__"):
        assert redact(harmless) == harmless


def test_channel_options_of_the_contract() -> None:
    given = dict(channel_options(ClientOptions(endpoint="h:1", max_message_bytes=1000, keepalive_seconds=7)))
    assert given["grpc.max_receive_message_length"] == 1000
    assert given["grpc.max_send_message_length"] == 1000
    assert given["grpc.keepalive_time_ms"] == 7000
    defaults = dict(channel_options(ClientOptions(endpoint="h:1")))
    assert defaults["grpc.max_receive_message_length"] == 16 * 1024 * 1024


def test_nothing_that_could_act_twice_is_retried() -> None:
    assert {method for _, method in RETRIED_METHODS} == {
        "TestConnection",
        "GetLastDeployTime",
        "DiscoverHierarchy",
        "BrowseChildren",
        "CloseSession",
    }


def test_a_ca_file_may_be_a_path() -> None:
    assert ClientOptions(endpoint="h:1", ca_file=Path("x.pem")).ca_file == "x.pem"
