"""The tree in JupyterLab, with the mouse and with the keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from .lab import Notebook
from .plant import END, PLANT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TREE = """
tree = open_tree(source)
tree
"""
SELECTED = "print(json.dumps(tree.selected.to_dict('list')))"
LARGE = """
from zb_mom_ww_mxgateway.notebook.protocols import Matches, TreeRow

class Large:
    def roots(self):
        return [TreeRow(1, "Area", "Area", "area", True), TreeRow(2, "Broken", "Broken", "area", True)]
    def children(self, gobject_id):
        global attempts
        if gobject_id == 2:
            attempts += 1
            if attempts == 1:
                raise OSError("the gateway does not answer")
        return [TreeRow(gobject_id * 10000 + n, f"Pump{n:05d}", f"Pump{n:05d}", "machine", False) for n in range(5000)]
    def attributes(self, gobject_id):
        raise OSError("no attributes today")
    def search(self, text, limit):
        return Matches(())
    def refresh(self):
        pass

attempts = 0
large = open_tree(Large())
large
"""


@pytest.fixture(scope="module")
def opened(notebook: Callable[[str, Sequence[str]], Notebook]) -> Iterator[Notebook]:
    book = notebook("tree", [PLANT, TREE, SELECTED, LARGE, END])
    book.run(0)
    yield book
    book.run(4)
    book.page.close()


@pytest.fixture
def tree(opened: Notebook) -> Any:
    """A fresh tree."""
    opened.run(1)
    root = opened.cell(1).locator(".mxt")
    root.get_by_role("treeitem").first.wait_for()
    return root


def item(tree: Any, name: str) -> Any:
    return tree.locator(f"[role=treeitem]:has(.mxt-name:text-is('{name}'))")


def selected(book: Notebook) -> dict[str, list[Any]]:
    return dict(json.loads(book.run(2)))


def focused(book: Notebook) -> str:
    return str(book.page.evaluate("document.activeElement.innerText").split("\n")[0])


def test_mouse(opened: Notebook, tree: Any) -> None:
    item(tree, "Site_01").locator(".mxt-twist").click()
    item(tree, "Blending_01").locator(".mxt-twist").click()
    item(tree, "Line1").dblclick()
    pump = item(tree, "FeedPump")
    pump.click()
    assert pump.get_attribute("aria-level") == "4"
    assert pump.get_attribute("aria-selected") == "true"
    assert pump.get_attribute("aria-setsize") == "11"
    options = tree.locator(".mxt-attributes [role=option]")
    options.first.wait_for()
    options.nth(0).locator(".mxt-box").click()
    options.nth(2).dblclick()
    tree.locator(".mxt-chip").nth(1).wait_for()
    frame = selected(opened)
    assert list(frame) == ["tag", "object", "attribute", "data_type", "alarm", "historized"]
    assert frame["tag"] == ["Pump_005.State", "Pump_005.Running"]
    assert frame["data_type"] == ["String", "Boolean"]
    opened.screenshots("tree", tree)

    tree.get_by_role("button", name="Alarm", exact=True).click()
    tree.get_by_role("checkbox", name="Select all shown").click()
    tree.locator(".mxt-chip").nth(2).wait_for()
    frame = selected(opened)
    assert len(frame["tag"]) > 2
    assert all(frame["alarm"][2:])
    opened.screenshots("tree-alarms", tree)
    tree.get_by_role("button", name="Clear").click()
    tree.get_by_text("Nothing selected").wait_for()
    assert selected(opened)["tag"] == []


def test_keyboard(opened: Notebook, tree: Any) -> None:
    keyboard = opened.page.keyboard
    item(tree, "DEV").focus()
    for key in ("s", "ArrowRight", "ArrowRight"):
        keyboard.press(key)
        opened.page.wait_for_timeout(200)
    assert focused(opened) == "Blending_01"
    keyboard.press("Space")
    item(tree, "Line2").wait_for()
    keyboard.press("l")
    assert focused(opened) == "Line1"
    keyboard.press("ArrowRight")
    item(tree, "FeedPump").wait_for()
    keyboard.type("feedt")
    assert focused(opened) == "FeedTank"
    keyboard.press("ArrowLeft")
    assert focused(opened) == "Line1"
    keyboard.press("End")
    assert focused(opened) == "DevPlatform"
    keyboard.press("Home")
    assert focused(opened) == "DEV"
    # Of all rows one is in the tab order.
    assert tree.locator("[role=treeitem][tabindex='0']").count() == 1
    # Letters that are commands of the notebook: none of its cells is deleted, cut or pasted.
    cells = opened.page.locator(".jp-Notebook .jp-Cell").count()
    keyboard.type("ddxv")
    opened.page.wait_for_timeout(300)
    assert opened.page.locator(".jp-Notebook .jp-Cell").count() == cells

    item(tree, "FeedTank").focus()
    keyboard.press("Enter")
    options = tree.locator(".mxt-attributes [role=option]")
    options.first.wait_for()
    opened.page.wait_for_function("document.activeElement.matches('.mxt-attributes [role=option]')")
    names = options.locator(".mxt-name").all_inner_texts()[:2]
    keyboard.press("Space")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    tree.locator(".mxt-chip").nth(1).wait_for()
    assert selected(opened)["attribute"] == names


def test_search(opened: Notebook, tree: Any) -> None:
    box = tree.get_by_role("searchbox", name="Search objects and attributes")
    box.fill("Pump001.Spe")
    results = tree.get_by_role("listbox", name="Search results").get_by_role("option")
    results.first.wait_for()
    assert results.first.get_attribute("title") == "Pump001.Speed"
    opened.screenshots("tree-search", tree)
    results.first.locator(".mxt-box").click()
    tree.locator(".mxt-chip").wait_for()
    box.press("ArrowDown")
    opened.page.keyboard.press("Enter")
    pump = item(tree, "Pump001")
    pump.wait_for()
    assert pump.get_attribute("aria-selected") == "true"
    opened.page.wait_for_function("document.activeElement.title === 'Pump001.Speed'")
    assert selected(opened)["tag"] == ["Pump001.Speed"]

    box.fill("nothing is called this")
    tree.get_by_text("Nothing is called").wait_for()
    box.press("Escape")
    pump.wait_for()


def test_refresh_keeps_what_is_open_and_chosen(opened: Notebook, tree: Any) -> None:
    item(tree, "DEV").locator(".mxt-twist").click()
    item(tree, "Area001").locator(".mxt-twist").click()
    item(tree, "Pump001").click()
    tree.locator(".mxt-attributes .mxt-box").first.click()
    tree.get_by_role("button", name="Refresh").click()
    item(tree, "Pump001").wait_for()
    assert tree.locator(".mxt-chip").count() == 1


def test_a_large_level_and_one_that_fails(opened: Notebook) -> None:
    opened.run(3)
    tree = opened.cell(3).locator(".mxt")
    item(tree, "Broken").locator(".mxt-twist").click()
    retry = tree.get_by_role("button", name="Retry")
    retry.first.wait_for()
    tree.get_by_text("the gateway does not answer").wait_for()
    opened.screenshots("tree-error", tree)
    item(tree, "Area").locator(".mxt-twist").click()
    last = item(tree, "Pump00000")
    last.wait_for()
    tree.locator(".mxt-tree[aria-busy=false]").wait_for()
    assert last.get_attribute("aria-setsize") == "5000"
    # What is out of sight is not drawn.
    assert tree.get_by_role("treeitem").count() < 60
    last.focus()
    opened.page.keyboard.press("End")
    opened.page.keyboard.press("ArrowUp")
    assert focused(opened) == "Broken"
    opened.page.keyboard.press("ArrowUp")
    assert focused(opened) == "Pump04999"
    opened.page.keyboard.press("End")
    opened.page.keyboard.press("Enter")
    tree.locator(".mxt-tree[aria-busy=false]").wait_for()
    opened.page.keyboard.press("End")
    assert focused(opened) == "Pump04999"
    tree.get_by_text("no attributes today").wait_for()
