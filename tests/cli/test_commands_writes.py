"""Writes, and the values that are typed for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest

from support.command_line import CommandLine, command_line
from zb_mom_ww_mxgateway import from_mx_value
from zb_mom_ww_mxgateway_cli.plant_values import parse_array, parse_value


@pytest.fixture(scope="module")
def mx() -> Iterator[CommandLine]:
    with command_line() as line:
        yield line


@pytest.fixture(scope="module")
def own(mx: CommandLine) -> tuple[object, ...]:
    return ("--session-id", mx.session(), "--server-handle", 1)


@pytest.fixture(scope="module")
def user(mx: CommandLine, own: tuple[object, ...]) -> int:
    name = ("--user", "operator", "--password-env", "WORD", "--json")
    number: int = mx("authenticate-user", *own, *name, WORD="operator").json["userId"]
    return number


NUMBER = ("--type", "int32", "--value", 123)
TIME = ("--timestamp", "2026-01-31T12:00:00+01:00")


def test_a_write_is_accepted(mx: CommandLine, own: tuple[object, ...]) -> None:
    one = (*own, "--item-handle", 2)
    assert mx("write", *one, *NUMBER).out == "accepted\n"
    data = mx("write", *one, "--value-type", "int32", "--value", "-7", "--user-id", 1, "--json").json
    assert data["accepted"] is True
    assert data["value"] == {"dataType": "MX_DATA_TYPE_INTEGER", "int32Value": -7, "variantType": "VT_I4"}
    assert "completion" not in data


def test_a_write_is_seen_through(mx: CommandLine) -> None:
    one = ("--session-id", mx.session(), "--server-handle", 1, "--item-handle", 2)
    data = mx("write", *one, *NUMBER, "--wait", "--json").json
    assert data["completed"] is True
    assert data["completion"]["family"] == "MX_EVENT_FAMILY_ON_WRITE_COMPLETE"
    assert mx("write2", *one, *NUMBER, *TIME, "--wait").out == "completed\n"


def test_the_plant_says_no(mx: CommandLine) -> None:
    session_id = mx.session()
    own = ("--session-id", session_id, "--server-handle", 1)
    handle = mx("add-item", *own, "--item", "Pump_001.Tagname", "--json").json["itemHandle"]
    mx("advise", *own, "--item-handle", handle)
    done = mx("write", *own, "--item-handle", handle, "--type", "string", "--value", "x", "--wait")
    assert (done.code, done.out) == (5, "accepted\n")
    assert done.err.startswith("error: write failed: ")
    assert mx("write", *own, "--item-handle", 99, *NUMBER).code == 5


def test_writes_with_a_time_or_a_user(mx: CommandLine, own: tuple[object, ...], user: int) -> None:
    one, users = (*own, "--item-handle", 2), ("--current-user-id", user, "--verifier-user-id", user)
    for words in (("write2", *TIME), ("write-secured", *users), ("write-secured2", *users, *TIME)):
        assert mx(*words, *one, *NUMBER, "--json").json["accepted"] is True
    refused = mx("write-secured", *one, *NUMBER, "--current-user-id", 0)
    assert refused.code == 5
    assert "0x80004021" in refused.err


def test_bulk_writes(mx: CommandLine, own: tuple[object, ...], user: int) -> None:
    users = ("--current-user-id", user)
    many = (*own, "--item-handles", "2,99", "--type", "int32", "--values", "5, 6")
    for words in (
        ("write-bulk",),
        ("write2-bulk", *TIME),
        ("write-secured-bulk", *users),
        ("write-secured2-bulk", *users, *TIME),
    ):
        data = mx(*words, *many, "--json").json
        assert [entry.get("wasSuccessful", False) for entry in data["results"]] == [True, False]
        assert (data["successfulCount"], data["failedCount"]) == (1, 1)
    while not any(written.value == 5 for written in mx.gateway.written):
        # It was accepted; it takes effect some time later.
        mx("ping", *own[:2])
    assert mx("write-bulk", *many, "--strict", "--json").code == 5
    assert mx("write-bulk", *many).out.splitlines()[0] == "item 2  ok"
    one_short = mx("write-bulk", *own, "--item-handles", "2,3", "--type", "int32", "--values", "5")
    assert one_short.code == 2
    assert "2 item handles and 1 values" in one_short.err


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        ("bool", "true", True),
        ("bool", "FALSE", False),
        ("boolean", "1", True),
        ("bool", "0", False),
        ("int32", "-2147483648", -(2**31)),
        ("int32", " +5 ", 5),
        ("int64", "5", 5),
        ("integer", "9223372036854775807", 2**63 - 1),
        ("float", "1.5", 1.5),
        ("double", "-1e-3", -0.001),
        ("double", ".5", 0.5),
        ("string", "", ""),
        ("string", " a, b ", " a, b "),
        ("time", "2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("timestamp", "2026-01-31T12:00:00+01:00", datetime(2026, 1, 31, 11, tzinfo=UTC)),
        ("elapsed", "1.5", timedelta(seconds=1.5)),
        ("elapsed", "PT1M30.25S", timedelta(seconds=90.25)),
        ("elapsed_time", "-P1DT2H", -timedelta(days=1, hours=2)),
    ],
)
def test_a_value(type_name: str, text: str, value: Any) -> None:
    assert from_mx_value(parse_value(text, type_name)) == value


def test_sixty_four_bits_are_sixty_four_bits() -> None:
    assert parse_value("5", "int64").WhichOneof("kind") == "int64_value"
    assert parse_value("5", "int32").WhichOneof("kind") == "int32_value"
    assert list(parse_array("5,6", "int64").array_value.int64_values.values) == [5, 6]
    assert parse_value("1.5", "float").WhichOneof("kind") == "float_value"


def test_an_array() -> None:
    assert from_mx_value(parse_array('a,"b, c",d', "string")) == ["a", "b, c", "d"]
    assert from_mx_value(parse_array("1, 2", "double")) == [1.0, 2.0]
    assert from_mx_value(parse_array("", "int32")) == []


@pytest.mark.parametrize(
    ("type_name", "text", "why"),
    [
        ("bool", "yes", "expected true, false, 1 or 0"),
        ("int32", "2147483648", "does not fit into 32 bits"),
        ("int64", "9223372036854775808", "does not fit into 64 bits"),
        ("int32", "9" * 5000, "whole number"),
        ("int32", "1.0", "whole number"),
        ("int32", "1_0", "whole number"),
        ("int32", "\N{ARABIC-INDIC DIGIT ONE}", "whole number"),
        ("int32", "", "whole number"),
        ("double", "nan", "finite"),
        ("double", "inf", "finite"),
        ("double", "1e999", "does not fit"),
        ("float", "1e39", "32-bit float"),
        ("double", "1,5", "finite"),
        ("time", "2026-01-31T12:00:00", "no time zone"),
        ("time", "yesterday", "ISO 8601"),
        ("time", "0001-01-01T00:00:00+14:00", " is no "),
        ("elapsed", "P", "duration"),
        ("elapsed", "PT", "duration"),
        ("elapsed", "1e300", " is no "),
        ("string", "\udcff", " is no "),
    ],
)
def test_no_value(type_name: str, text: str, why: str) -> None:
    with pytest.raises(click.BadParameter, match=why) as caught:
        parse_value(text, type_name)
    assert caught.value.param_hint == "--value"
    with pytest.raises(click.BadParameter):
        parse_array(f'"{text}"', type_name)


def test_wrong_values_are_wrong_usage(mx: CommandLine, own: tuple[object, ...]) -> None:
    one = (*own, "--item-handle", 2)
    before = mx.gateway.calls.total()
    assert mx("write", *one, "--type", "int32", "--value", "x").err.startswith("mxgw-py write: ")
    for words in (
        ("write", *one, "--type", "int32", "--value", "x"),
        ("write", *one, "--type", "colour", "--value", "x"),
        ("write", *one, "--type", "int32", "--array", "--value", "1,x"),
        ("write2", *one, *NUMBER, "--timestamp", "2026-01-31T12:00:00"),
        ("write2", *one, *NUMBER, "--timestamp", "noon"),
        ("write-bulk", *own, "--item-handles", "2", "--type", "bool", "--values", "perhaps"),
        ("write-secured", *one, *NUMBER),
    ):
        done = mx(*words)
        assert (done.code, done.out) == (2, "")
    assert mx.gateway.calls.total() == before
