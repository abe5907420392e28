from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import PurePosixPath, PureWindowsPath

import pytest

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_cli import output
from zb_mom_ww_mxgateway_cli.output import clean, keep_secret, say, show, show_json

from .conftest import CANARY, no_key_in


@pytest.fixture(autouse=True)
def forget_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_secrets", set())


def test_json_is_one_line_with_sorted_keys_and_protobuf_names(capsys: pytest.CaptureFixture[str]) -> None:
    event = pb.MxEvent(worker_sequence=2**60, family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE, quality=192)
    when = datetime(2026, 1, 5, 6, tzinfo=UTC)
    show_json({"z": [event], "a": None, "path": PureWindowsPath("a\\b"), "n": float("nan"), "t": when, "x": 1.5})
    out, err = capsys.readouterr()
    assert err == ""
    assert out == (
        '{"a": null, "n": "NaN", "path": "a/b", "t": "2026-01-05T06:00:00Z", "x": 1.5, "z": '
        '[{"family": "MX_EVENT_FAMILY_ON_DATA_CHANGE", "quality": 192, "workerSequence": "1152921504606846976"}]}\n'
    )


def test_infinities_have_the_names_of_protobuf(capsys: pytest.CaptureFixture[str]) -> None:
    show_json([float("inf"), float("-inf"), True, PurePosixPath("/a")])
    assert json.loads(capsys.readouterr().out) == ["Infinity", "-Infinity", True, "/a"]


def test_what_has_no_json_form_is_an_error() -> None:
    with pytest.raises(TypeError, match="no JSON form for a object"):
        show_json({"a": object()})


def test_keys_are_removed_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    keep_secret(CANARY)
    say(f"key {CANARY}")
    show(CANARY)
    show_json({"a": [f"Bearer {CANARY}", "after"], CANARY: pb.ProtocolStatus(message=CANARY)})
    out, err = capsys.readouterr()
    no_key_in(out, err)
    assert json.loads(out.splitlines()[1])["a"][1] == "after"


def test_unknown_keys_of_the_usual_form_are_removed_too() -> None:
    no_key_in(clean(f"x {CANARY} y"))
    assert clean("nothing to hide") == "nothing to hide"
