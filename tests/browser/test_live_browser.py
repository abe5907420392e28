"""Watched tags and the alarm list in JupyterLab."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from .lab import Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Eight times as fast as a plant, so that pumps trip while somebody looks.
PLANT = """
from datetime import UTC, datetime
from zb_mom_ww_mxgateway.notebook import connect
from zb_mom_ww_mxgateway.simulator import Limits, PlantSpec, SimulatedGateway, WallClock

plant = SimulatedGateway(
    plant=PlantSpec(seed=7, alarm_scenario="flood"),
    clock=WallClock(speed=8, start=datetime(2026, 1, 5, 6, 0, tzinfo=UTC)),
    limits=Limits(first_value_delay=0.1),
)
plant.start()
gw = connect(simulator=plant, allow_writes=True, quiet=True)
"""
WATCH = """
tags = ["Pump_001.State", "Pump_001.Running", "Pump_001.Speed", "Pump_001.Flow", "Pump_001.Vibration",
        "Tank_001.Level", "Pump_001.PumpFault", "Pump_001.Sped"]
live = gw.watch(tags)
live
"""
ALARMS = """
alarms = gw.alarms(operator="ada")
alarms
"""
READ_ONLY = """
looking = connect(simulator=plant, quiet=True)
looking.alarms()
"""


@pytest.fixture(scope="module")
def opened(notebook: Callable[[str, Sequence[str]], Notebook]) -> Iterator[Notebook]:
    cells = [
        PLANT,
        WATCH,
        ALARMS,
        READ_ONLY,
        "plant.drop_streams()",
        "plant.fail_over_alarms()",
        "plant.restore_alarms()",
        "import time\nfor _ in range(4): time.sleep(1)",
        "print(live.state)",
        "live.close()\nprint(live.state)",
    ]
    book = notebook("live", cells)
    book.run(0)
    yield book
    book.page.close()


def shown(book: Notebook, number: int) -> Any:
    book.run(number)
    root = book.cell(number).locator(".mxl")
    root.wait_for()
    return root


def state(root: Any, words: str) -> None:
    root.locator(".mxl-state-text").filter(has_text=re.compile(words)).wait_for()


def test_a_watch_lives_while_a_cell_runs(opened: Notebook) -> None:
    root = shown(opened, 1)
    state(root, "^live$")
    row = root.locator("tr", has_text="Pump_001.Speed")
    row.locator(".mxl-chip", has_text="good").wait_for()
    assert root.locator(".mxl-chip.mxl-bad").inner_text() == "bad: the reference 'Pump_001.Sped' cannot be resolved"
    value = row.locator(".mxl-value")
    texts = set()
    opened.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 7; }")
    opened.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell'); }")
    for _ in range(8):
        opened.page.wait_for_timeout(350)
        texts.add(value.inner_text())
    assert opened.cell(7).locator(".jp-InputPrompt", has_text="[*]").count() == 1
    assert len(texts) >= 3


def test_a_tag_that_is_chosen_is_drawn_large(opened: Notebook) -> None:
    root = shown(opened, 1)
    root.get_by_role("button", name="Pump_001.Flow").click()
    root.locator(".mxl-figure-name", has_text="Pump_001.Flow").wait_for()
    root.get_by_role("img", name="Pump_001.Flow, the last 5 minutes").wait_for()
    root.locator(".mxl-chart path").wait_for()
    opened.page.wait_for_timeout(20_000)
    opened.screenshots("watch", root)


def test_broken_streams_are_said_and_come_back(opened: Notebook) -> None:
    watch, alarms = shown(opened, 1), shown(opened, 2)
    state(watch, "^live$")
    opened.run(4)
    state(watch, "broken: .*the connection was lost")
    state(alarms, "broken: .*the connection was lost")
    state(watch, "^live$")
    state(alarms, "^live$")


def test_an_alarm_is_acknowledged_with_a_comment(opened: Notebook) -> None:
    root = shown(opened, 2)
    button = root.get_by_role("button", name=re.compile("Acknowledge Galaxy!"))
    button.first.wait_for()
    button.first.click()
    comment = root.get_by_label("Comment")
    assert comment.evaluate("element => element === document.activeElement")
    assert root.get_by_label("Operator").input_value() == "ada"
    comment.fill("on my way")
    opened.screenshots("alarms-asking", root)
    root.locator(".mxl-primary").click()
    root.locator(".mxl-outcomes div").first.wait_for()
    outcome = root.locator(".mxl-outcomes div").first.inner_text()
    assert "acknowledged" in outcome or "refused" in outcome
    opened.page.wait_for_timeout(500)
    opened.screenshots("alarms", root)


def test_a_cancelled_form_sends_nothing(opened: Notebook) -> None:
    root = shown(opened, 2)
    button = root.get_by_role("button", name=re.compile("Acknowledge Galaxy!"))
    button.first.click()
    root.get_by_label("Comment").press("Escape")
    root.locator(".mxl-form").wait_for(state="hidden")


def test_degraded_alarms_have_a_banner(opened: Notebook) -> None:
    root = shown(opened, 2)
    opened.run(5)
    root.locator(".mxl-warning", has_text="degraded").wait_for()
    opened.screenshots("alarms-degraded", root)
    opened.run(6)
    root.locator(".mxl-warning").wait_for(state="detached")


def test_read_only_disables_the_buttons_and_says_why(opened: Notebook) -> None:
    root = shown(opened, 3)
    button = root.get_by_role("button", name=re.compile("Acknowledge Galaxy!")).first
    button.wait_for()
    assert button.is_disabled()
    assert "read-only" in button.get_attribute("title")
    assert "acknowledging is off: this gateway was opened read-only" in root.locator(".mxl-banner").inner_text()


def test_a_watch_that_is_closed_stays_in_sight(opened: Notebook) -> None:
    root = shown(opened, 1)
    state(root, "^live$")
    opened.run(9)
    state(root, "^closed$")
    assert root.locator("tr", has_text="Pump_001.Speed").count() == 1
