"""The write form over a simulated gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from zb_mom_ww_mxgateway import ClientOptions
from zb_mom_ww_mxgateway.notebook.portal import Portal
from zb_mom_ww_mxgateway.notebook.tag_writer import AsyncTagWriter
from zb_mom_ww_mxgateway.notebook.workbench import Workbench
from zb_mom_ww_mxgateway.notebook.write_form import WriteForm
from zb_mom_ww_mxgateway.simulator import Limits, SimulatedGateway

FAST = Limits(first_value_delay=0, value_delay=0, write_delay=0)


@pytest.fixture(scope="module")
def gateway() -> Iterator[SimulatedGateway]:
    with SimulatedGateway(seed=5, limits=FAST) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def parts(gateway: SimulatedGateway) -> Iterator[tuple[Workbench, Portal]]:
    portal = Portal()
    options = ClientOptions(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
    bench = portal.call(Workbench.open(options, None))
    yield bench, portal
    portal.call(bench.close())
    portal.close()


@pytest.fixture
def writer(parts: tuple[Workbench, Portal]) -> AsyncTagWriter:
    bench, portal = parts
    return AsyncTagWriter(bench, portal.call)


def write(form: WriteForm, value: Any) -> None:
    assert form.editor is not None
    form.editor.widget.value = value
    form.review_button.click()
    form.confirmation.confirm_button.click()


@pytest.mark.parametrize(
    ("name", "entered", "written"),
    [
        ("TestBool", True, True),
        ("TestInt", 17, 17),
        ("TestFloat", 2.5, 2.5),
        ("TestDouble", 2.5, 2.5),
        ("TestString", "new", "new"),
        ("TestEnum", "Two", "Two"),
        ("TestBoolArray[]", str([1] * 10).replace("1", "true"), [True] * 10),
        ("TestIntArray[3]", 99, 99),
    ],
)
def test_the_plant_has_the_value(
    gateway: SimulatedGateway, writer: AsyncTagWriter, name: str, entered: Any, written: Any
) -> None:
    form = WriteForm(writer, f"TestChildObject.{name}")
    write(form, entered)
    assert "Write completed" in form.result.value
    last = gateway.written[-1]
    assert (last.reference, last.value, last.user) == (form.tag, written, "")
    assert writer.describe(form.tag).value == written


def test_secured_and_verified(gateway: SimulatedGateway, writer: AsyncTagWriter) -> None:
    form = WriteForm(writer, "TestMachine_001.VerifiedValue")
    assert "Verified write" in form.head.value
    assert form.editor is not None
    form.editor.widget.value = True
    form.review_button.click()
    question = form.confirmation
    question.user.value, question.password.value = "operator", "operator"
    question.verifier.value, question.verifier_password.value = "supervisor", "wrong"
    question.confirm_button.click()
    assert "mxw-say-bad" in form.result.value
    form.review_button.click()
    question.password.value, question.verifier_password.value = "operator", "supervisor"
    question.confirm_button.click()
    assert "Write completed" in form.result.value
    assert gateway.written[-1].user == "operator"
    assert form.log["ok"].tolist() == [False, True]
    assert not writer.write("TestMachine_001.ProtectedValue", True).ok


def test_what_cannot_be_written(parts: tuple[Workbench, Portal], writer: AsyncTagWriter) -> None:
    assert "View only" in WriteForm(writer, "Pump001.Speed").banner.value
    unknown = WriteForm(writer, "Nope.Nope")
    assert "cannot be resolved" in unknown.head.value
    assert unknown.review_button.disabled
    bench, portal = parts
    closed = AsyncTagWriter(bench, portal.call, read_only_reason="read-only notebook")
    assert not closed.write("TestChildObject.TestInt", 1).ok
    assert "read-only notebook" in WriteForm(closed, "TestChildObject.TestInt").banner.value


def test_labels_of_an_enumeration(parts: tuple[Workbench, Portal]) -> None:
    bench, portal = parts
    labels = {"Pump001.Mode": ("Auto", "Manual", "Off")}
    form = WriteForm(AsyncTagWriter(bench, portal.call, enum_labels=labels), "Pump001.Mode")
    write(form, "Manual")
    assert "Write completed" in form.result.value
