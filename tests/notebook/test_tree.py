"""The tree without a browser: what it answers, what is chosen, and the lists that stand in for it."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import pytest

from support.galaxy_rows import AREA, CURVE, PUMP, SPEED, RowGalaxy
from zb_mom_ww_mxgateway.notebook import tree as tree_module
from zb_mom_ww_mxgateway.notebook.tree import open_tree
from zb_mom_ww_mxgateway.notebook.tree_fallback import SelectTree
from zb_mom_ww_mxgateway.notebook.tree_messages import CHUNK, TreeMessages
from zb_mom_ww_mxgateway.notebook.tree_selection import COLUMNS, KnownAttributes
from zb_mom_ww_mxgateway.notebook.tree_widget import TreeWidget


class Browser:
    """The other end of a tree."""

    def __init__(self, tree: TreeWidget, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tree = tree
        self.sent: list[dict[str, Any]] = []
        monkeypatch.setattr(tree, "send", self.sent.append)

    def ask(self, **request: Any) -> dict[str, Any]:
        self.tree._handle_custom_msg({"ask": "q", **request}, [])
        return self.sent[-1]


@pytest.fixture
def galaxy() -> RowGalaxy:
    return RowGalaxy()


@pytest.fixture
def browser(galaxy: RowGalaxy, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(TreeWidget(galaxy), monkeypatch)


def test_levels_attributes_and_search(browser: Browser) -> None:
    assert browser.ask(type="rows", id=0, offset=0) == {
        "ask": "q",
        "type": "rows",
        "id": 0,
        "offset": 0,
        "total": 1,
        "rows": [[1, "Line1", "Line_001", "area", 1]],
    }
    assert browser.ask(type="rows", id=1)["rows"] == [[2, "FeedPump", "Pump_001", "machine", 0]]
    assert browser.ask(type="attributes", id=2)["rows"] == [
        ["Speed", "Pump_001.Speed", "Float", None, "Operate", 3],
        ["Curve", "Pump_001.Curve[]", "Double", 8, "Tune", 0],
    ]
    found = browser.ask(type="search", text="curve")
    assert (found["type"], found["text"], found["note"]) == ("matches", "curve", "a note")
    assert found["found"][0]["path"] == (1, 2)
    assert found["found"][0]["attribute"][1] == "Pump_001.Curve[]"


def test_five_thousand_children_come_in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    galaxy = RowGalaxy(pumps=5000)
    browser = Browser(TreeWidget(galaxy), monkeypatch)
    begin = time.perf_counter()
    first = browser.ask(type="rows", id=1, offset=0)
    assert time.perf_counter() - begin < 1
    rows = first["rows"]
    assert (len(rows), first["total"]) == (CHUNK, 5000)
    while len(rows) < first["total"]:
        rows += browser.ask(type="rows", id=1, offset=len(rows))["rows"]
    assert [row[0] for row in rows] == [row.gobject_id for row in galaxy.pumps]
    assert sum(len(json.dumps(message)) for message in browser.sent) < 1_000_000
    # One fetch, whatever the number of pieces.
    assert galaxy.calls == ["children 1"]


def test_what_fails_is_told_and_can_be_tried_again(browser: Browser, galaxy: RowGalaxy) -> None:
    galaxy.failing = True
    for request in ({"type": "rows", "id": 1}, {"type": "attributes", "id": 2}, {"type": "search", "text": "x"}):
        answer = browser.ask(**request)
        assert (answer["type"], answer["ask"]) == ("error", "q")
        assert "does not answer" in answer["text"]
    galaxy.failing = False
    assert browser.ask(type="rows", id=1)["total"] == 1
    assert "no request" in browser.ask(type="dance")["text"]


def test_refresh_forgets(browser: Browser, galaxy: RowGalaxy) -> None:
    browser.ask(type="rows", id=1)
    assert browser.ask(type="refresh") == {"type": "reset"}
    browser.tree.refresh()
    assert galaxy.calls == ["children 1", "refresh", "refresh"]
    browser.ask(type="rows", id=1)
    assert galaxy.calls[-1] == "children 1"


def test_selected_is_a_frame_of_what_was_shown(browser: Browser, galaxy: RowGalaxy) -> None:
    heard: list[Any] = []
    browser.tree.on_select(heard.append)
    browser.ask(type="attributes", id=2)
    browser.tree.references = [CURVE.reference, SPEED.reference]
    frame = browser.tree.selected
    assert tuple(frame.columns) == COLUMNS
    assert frame["tag"].tolist() == ["Pump_001.Curve[]", "Pump_001.Speed"]
    assert frame["object"].tolist() == ["Pump_001"] * 2
    assert frame["attribute"].tolist() == ["Curve", "Speed"]
    assert frame["data_type"].tolist() == ["Double", "Float"]
    assert frame["alarm"].tolist() == frame["historized"].tolist() == [False, True]
    assert heard[0].equals(frame)
    assert galaxy.calls == ["attributes 2"]
    browser.tree.clear()
    assert len(heard[-1]) == 0
    assert heard[-1].dtypes.equals(frame.dtypes)


def test_references_that_were_never_shown_are_looked_up_once(galaxy: RowGalaxy) -> None:
    known = KnownAttributes(galaxy)
    galaxy.failing = True
    assert known.frame([SPEED.reference])["data_type"].isna().all()
    galaxy.failing = False
    for _ in range(2):
        frame = known.frame([SPEED.reference, "Nope.Nope", "Nope"])
        assert frame["data_type"].fillna("").tolist() == ["Float", "", ""]
        assert frame["alarm"].isna().tolist() == [False, True, True]
    assert galaxy.calls == ["search Pump_001.Speed"] * 2 + ["search Nope.Nope"]


def test_one_model_whatever_the_size() -> None:
    tree = TreeWidget(RowGalaxy(pumps=5000), references=["Pump_001.Speed"])
    assert tree.references == ["Pump_001.Speed"]
    # Nothing of the plant is in the state that a notebook saves.
    assert set(tree.get_state()) >= {"references", "height"}
    assert "CirculationPump" not in json.dumps(tree.get_state(["references", "height"]))


def test_messages_know_nothing_of_widgets(galaxy: RowGalaxy) -> None:
    messages = TreeMessages(galaxy, KnownAttributes(galaxy))
    assert messages.answer({"type": "rows", "id": 0, "ask": 1})["total"] == 1


# Without anywidget ----------------------------------------------------------------------------------------------------


def test_lists_stand_in_where_anywidget_is_missing(galaxy: RowGalaxy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(open_tree(galaxy), TreeWidget)
    monkeypatch.setattr(tree_module, "find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "zb_mom_ww_mxgateway.notebook.tree_widget")
    assert isinstance(open_tree(galaxy), SelectTree)
    assert "zb_mom_ww_mxgateway.notebook.tree_widget" not in sys.modules


def test_lists_walk_down_and_up(galaxy: RowGalaxy) -> None:
    tree = SelectTree(galaxy)
    heard: list[Any] = []
    tree.on_select(heard.append)
    assert [label for label, _ in tree.objects.options] == ["▸ Line1  (Line_001)  #1"]
    tree.objects.value = AREA
    tree.open_button.click()
    assert [button.description for button in tree.crumbs.children] == ["Galaxy", "Line1"]
    tree.objects.value = PUMP
    assert tree.open_button.disabled
    labels = [label for label, _ in tree.attributes.options]
    assert labels == ["Speed  ·  Float  ·  alarm  ·  history", "Curve  ·  Double[8]"]
    tree.attributes.value = (SPEED, CURVE)
    tree.add_button.click()
    tree.add_button.click()
    assert tree.references == ["Pump_001.Speed", "Pump_001.Curve[]"]
    assert tree.selected["data_type"].tolist() == ["Float", "Double"]
    assert len(heard) == 1
    tree.chosen.value = ("Pump_001.Speed",)
    tree.remove_button.click()
    assert tree.references == ["Pump_001.Curve[]"]
    tree.crumbs.children[0].click()
    assert tree.path == []
    tree.refresh()
    assert galaxy.calls[-2:] == ["refresh", "roots"]
    assert tree.references == ["Pump_001.Curve[]"]


def test_lists_show_what_fails_and_try_again(galaxy: RowGalaxy) -> None:
    galaxy.failing = True
    tree = SelectTree(galaxy)
    assert tree.problem_box.layout.display == "flex"
    assert "does not answer" in tree.problem.value
    galaxy.failing = False
    tree.retry_button.click()
    assert tree.problem_box.layout.display == "none"
    assert len(tree.objects.options) == 1
