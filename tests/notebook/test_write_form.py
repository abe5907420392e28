"""The write form without a browser: what it shows, what it refuses, and that nothing but a confirmation writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from zb_mom_ww_mxgateway import MxGatewayError
from zb_mom_ww_mxgateway.notebook.protocols import TagInfo, WriteOutcome
from zb_mom_ww_mxgateway.notebook.write_confirm import Signature
from zb_mom_ww_mxgateway.notebook.write_form import WriteForm
from zb_mom_ww_mxgateway.notebook.write_inputs import editor_for, shown

NOW = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
INFO = TagInfo("Pump001.SpeedSP", 42, 192, "Integer", 1)


class Desk:
    """A plant with one tag.

    Attributes:
        written: value and signature of every write.
    """

    def __init__(self, info: TagInfo = INFO, read_only_reason: str | None = None) -> None:
        self.info = info
        self.read_only_reason = read_only_reason
        self.written: list[tuple[Any, dict[str, Any]]] = []
        self.refusal = ""
        self.failing = False

    def describe(self, tag: str) -> TagInfo:
        if self.failing:
            raise MxGatewayError("the gateway does not answer")
        return self.info

    def write(self, tag: str, value: Any, **signature: Any) -> WriteOutcome:
        if self.failing:
            raise MxGatewayError("the gateway does not answer")
        self.written.append((value, {name: text for name, text in signature.items() if text is not None}))
        if self.refusal:
            return WriteOutcome(False, self.refusal, NOW)
        self.info = replace(self.info, value=value)
        return WriteOutcome(True, "write completed", NOW)


def form_of(**changes: Any) -> tuple[WriteForm, Desk]:
    desk = Desk(replace(INFO, **changes))
    return WriteForm(desk, desk.info.tag), desk


def enter(form: WriteForm, value: Any) -> None:
    assert form.editor is not None
    form.editor.widget.value = value
    form.review_button.click()


def test_it_shows_the_tag_and_writes_after_the_confirmation() -> None:
    form, desk = form_of()
    for text in ("Pump001.SpeedSP", "Integer", "Operate", "42", "good (192)"):
        assert text in form.head.value
    enter(form, 43)
    assert form.confirmation.is_open
    for text in ("Pump001.SpeedSP", ">42<", ">43<"):
        assert text in form.confirmation.text.value
    assert form.review_button.disabled
    assert form.editor is not None
    assert form.editor.widget.disabled
    assert desk.written == []
    form.confirmation.confirm_button.click()
    assert desk.written == [(43, {})]
    assert "Write completed" in form.result.value
    assert ">43<" in form.head.value
    assert not form.confirmation.is_open
    assert not form.review_button.disabled
    # The second click of a double click comes when the first one is through.
    form.confirmation.confirm_button.click()
    form.confirmation.cancel_button.click()
    assert len(desk.written) == 1
    log = form.log
    assert log.loc[0, ["tag", "old", "new", "ok", "result"]].tolist() == [
        "Pump001.SpeedSP",
        42,
        43,
        True,
        "write completed",
    ]
    assert log["time"].dt.tz is not None


def test_cancel_sends_nothing() -> None:
    form, desk = form_of()
    enter(form, 43)
    form.confirmation.cancel_button.click()
    assert desk.written == []
    assert "nothing was sent" in form.result.value
    assert not form.review_button.disabled
    assert form.log.empty
    assert form.log["time"].dt.tz is not None


def test_the_confirmation_shows_the_value_of_that_moment() -> None:
    form, desk = form_of()
    desk.info = replace(desk.info, value=7)
    enter(form, 7)
    assert ">7<" in form.confirmation.text.value
    assert ">42<" not in form.confirmation.text.value
    assert "has this value already" in form.confirmation.text.value


def test_no_input_sends_on_enter() -> None:
    form, desk = form_of(data_type="String", value="a", security=3)
    assert form.editor is not None
    box = form.editor.widget
    fields = (box, form.confirmation.user, form.confirmation.password, form.confirmation.verifier_password)
    enter(form, "b")
    for field in fields:
        field._handle_string_msg(field, {"event": "submit"}, [])
    assert desk.written == []
    assert form.confirmation.is_open


def test_a_refusal_stays_in_sight_and_in_the_log() -> None:
    form, desk = form_of()
    desk.refusal = "write failed: SECURITY_ERROR <b>"
    enter(form, 43)
    form.confirmation.confirm_button.click()
    assert "mxw-say-bad" in form.result.value
    assert "SECURITY_ERROR &lt;b&gt;" in form.result.value
    assert "SECURITY_ERROR &lt;b&gt;" in form.log_table.value
    assert form.log["ok"].tolist() == [False]


def test_a_gateway_that_is_away() -> None:
    form, desk = form_of()
    enter(form, 43)
    desk.failing = True
    form.confirmation.confirm_button.click()
    assert "does not answer" in form.result.value
    form.refresh()
    assert "does not answer" in form.message.value
    assert form.review_button.disabled
    assert not form.refresh_button.disabled
    desk.failing = False
    form.refresh_button.click()
    assert form.message.layout.display == "none"
    assert not form.review_button.disabled


def test_read_only_says_why() -> None:
    desk = Desk(read_only_reason="opened without allow_writes=True")
    form = WriteForm(desk, desk.info.tag)
    assert "Read only: opened without allow_writes=True" in form.banner.value
    assert form.review_button.disabled
    assert form.editor is not None
    assert form.editor.widget.disabled
    # The browser is not trusted with it.
    form.review_button.click()
    form.confirmation.confirm_button.click()
    assert desk.written == []
    view_only, _ = form_of(security=6)
    assert "View only" in view_only.banner.value
    assert view_only.review_button.disabled


def test_a_tag_that_nobody_knows() -> None:
    form, _ = form_of(value=None, quality=None, data_type="", security=None, problem="cannot be resolved")
    assert "not readable" in form.head.value
    assert "cannot be resolved" in form.head.value
    assert form.review_button.disabled


# Signatures -----------------------------------------------------------------------------------------------------------


def test_a_secured_write_asks_for_a_user() -> None:
    form, desk = form_of(security=2)
    question = form.confirmation
    enter(form, 43)
    question.confirm_button.click()
    assert desk.written == []
    assert "Enter user and password" in question.message.value
    question.user.value, question.password.value = "operator", "secret-word"
    question.confirm_button.click()
    assert desk.written == [(43, {"user": "operator", "password": "secret-word"})]
    assert question.password.value == ""
    assert "secret-word" not in repr(form.records) + form.log_table.value + form.result.value


def test_a_verified_write_asks_for_somebody_else_too() -> None:
    form, desk = form_of(security=3)
    question = form.confirmation
    enter(form, 43)
    question.user.value, question.password.value = "operator", "one"
    question.confirm_button.click()
    assert "needs a verifier" in question.message.value
    question.verifier.value, question.verifier_password.value = "Operator", "one"
    question.confirm_button.click()
    assert "somebody else" in question.message.value
    assert desk.written == []
    question.verifier.value, question.verifier_password.value = "supervisor", "two"
    question.confirm_button.click()
    names = {"user": "operator", "password": "one", "verifier": "supervisor", "verifier_password": "two"}
    assert desk.written == [(43, names)]
    assert question.password.value == question.verifier_password.value == ""


def test_passwords_are_forgotten_with_a_cancel_and_never_shown() -> None:
    form, _ = form_of(security=2)
    enter(form, 43)
    form.confirmation.password.value = "secret-word"
    form.confirmation.cancel_button.click()
    assert form.confirmation.password.value == ""
    assert "secret-word" not in repr(Signature("operator", "secret-word"))


# Inputs ---------------------------------------------------------------------------------------------------------------

ARRAY = {"array_length": 2}


@pytest.mark.parametrize(
    ("data_type", "old", "more", "entered", "written"),
    [
        ("Boolean", False, {}, True, True),
        ("Integer", 1, {}, -(2**31), -(2**31)),
        ("Float", 1.5, {}, 2.5, 2.5),
        ("Double", 1.5, {}, 1e300, 1e300),
        ("String", "a", {}, "", ""),
        ("BigString", "a\nb", {}, "c\nd", "c\nd"),
        ("Time", NOW, {}, NOW + timedelta(hours=1), NOW + timedelta(hours=1)),
        ("ElapsedTime", timedelta(seconds=3), {}, 90.5, timedelta(seconds=90.5)),
        ("Custom", b"\x01", {}, "01 a0", b"\x01\xa0"),
        ("Enumeration", "Auto", {}, "Manual", "Manual"),
        ("Enumeration", 1, {}, 2, 2),
        ("Enumeration", "Auto", {"enum_labels": ("Auto", "Manual")}, "Manual", "Manual"),
        ("Enumeration", 0, {"enum_labels": ("Auto", "Manual")}, 1, 1),
        ("Boolean", [True, False], ARRAY, "[false, false]", [False, False]),
        ("Integer", [1, 2], ARRAY, "[3, 4]", [3, 4]),
        ("Float", [1.0, 2.0], ARRAY, "[3, 4.5]", [3.0, 4.5]),
        ("String", ["a", "b"], ARRAY, '["c", "ü"]', ["c", "ü"]),
        ("Time", [NOW, NOW], ARRAY, '["2026-01-05T06:00:00Z", "2026-01-05T07:00:00+01:00"]', [NOW, NOW]),
        ("ElapsedTime", [timedelta(0)] * 2, ARRAY, "[1, 2.5]", [timedelta(seconds=1), timedelta(seconds=2.5)]),
        ("", 1.5, {}, 2.5, 2.5),
        ("", [1, 2], {}, "[3, 4]", [3, 4]),
    ],
)
def test_inputs(data_type: str, old: Any, more: dict[str, Any], entered: Any, written: Any) -> None:
    form, desk = form_of(data_type=data_type, value=old, **more)
    assert form.editor is not None
    # Unchanged, an input gives back what the tag has.
    assert form.editor.read() == old
    enter(form, entered)
    assert form.message.layout.display == "none"
    form.confirmation.confirm_button.click()
    assert [value for value, _ in desk.written] == [written]
    assert type(desk.written[0][0]) is type(written)


@pytest.mark.parametrize(
    ("data_type", "old", "more", "entered", "message"),
    [
        ("Integer", 1, {}, 2**31, "2,147,483,648 does not fit into 32 bits"),
        ("Float", 1.0, {}, 1e39, "does not fit into a 32-bit float"),
        ("Double", 1.0, {}, float("nan"), "not a finite number"),
        ("ElapsedTime", timedelta(0), {}, 1e300, "too long"),
        ("Time", None, {}, None, "Enter a date"),
        ("Custom", b"", {}, "0g", "hex"),
        ("Enumeration", "Other", {"enum_labels": ("Auto",)}, None, "Choose a value"),
        ("Integer", [1, 2], ARRAY, "[1, 2", "This is no list"),
        ("Integer", [1, 2], ARRAY, "12", "Write a list"),
        ("Integer", [1, 2], ARRAY, "[1]", "has 2 elements, this list has 1"),
        ("Integer", [1, 2], ARRAY, "[1, 2.5]", "Element 2: 2.5 is not a whole number"),
        ("Integer", [1, 2], ARRAY, "[1, true]", "Element 2: true is not a whole number"),
        ("Integer", [1, 2], ARRAY, "[1, 3000000000]", "Element 2: 3,000,000,000 does not fit"),
        ("Float", [1.0, 2.0], ARRAY, '["x", 1]', "Element 1: &quot;x&quot; is not a number"),
        ("Boolean", [True, True], ARRAY, "[1, 0]", "Element 1: 1 is not true or false"),
        ("String", ["a", "b"], ARRAY, '["a", null]', "Element 2: null is not text"),
        ("Time", [NOW, NOW], ARRAY, '["2026-01-05", "x"]', "no time zone"),
        ("Integer", [], {"array_length": 0}, "[]", "empty list"),
    ],
)
def test_what_does_not_fit_is_refused(
    data_type: str, old: Any, more: dict[str, Any], entered: Any, message: str
) -> None:
    form, desk = form_of(data_type=data_type, value=old, **more)
    enter(form, entered)
    assert message in form.message.value
    assert not form.confirmation.is_open
    form.confirmation.confirm_button.click()
    assert desk.written == []


def test_values_in_words() -> None:
    assert shown(0.10000000149011612) == "0.1"
    assert shown(1 / 3) == "0.3333333333333333"
    assert shown(True) == "true"
    assert shown(None) == "no value"
    assert shown(NOW) == "2026-01-05 06:00:00 UTC"
    assert shown(["a", "b"]) == '["a", "b"]'
    assert shown(b"\x01\xff") == "01 ff"
    assert shown("x" * 500, 10) == "x" * 9 + "…"
    assert editor_for(replace(INFO, data_type="Float", value=0.10000000149011612)).widget.value == 0.1
