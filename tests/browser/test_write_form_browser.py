"""The write form in JupyterLab."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from .lab import Notebook
from .plant import END, PLANT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FORM = """
form = WriteForm(writer, "TestChildObject.TestInt")
form
"""
VERIFIED = """
verified = WriteForm(writer, "TestMachine_001.VerifiedValue")
verified
"""
READ_ONLY = """
read_only = WriteForm(reader, "TestChildObject.TestString")
read_only
"""
WRITTEN = "print([(w.reference, w.value, w.user) for w in gateway.written])"


@pytest.fixture(scope="module")
def opened(notebook: Callable[[str, Sequence[str]], Notebook]) -> Iterator[Notebook]:
    book = notebook("write-form", [PLANT, FORM, VERIFIED, READ_ONLY, WRITTEN, END])
    book.run(0)
    yield book
    book.run(5)
    book.page.close()


def form(book: Notebook, cell: int) -> Any:
    book.run(cell)
    root = book.cell(cell).locator(".mxw")
    root.get_by_text("Current value").wait_for()
    return root


def button(root: Any, name: str) -> Any:
    return root.get_by_role("button", name=name)


def focus(book: Notebook) -> str:
    return str(book.page.evaluate("document.activeElement.innerText"))


def test_nothing_is_sent_but_by_confirm(opened: Notebook) -> None:
    root = form(opened, 1)
    number = root.locator("input[type=number]")
    number.fill("99999999999")
    number.press("Enter")
    button(root, "Review").click()
    root.get_by_text("does not fit into 32 bits").wait_for()
    opened.screenshots("write-form-refused", root)

    number.fill("1234")
    number.press("Enter")
    opened.page.wait_for_timeout(500)
    assert opened.run(4) == "[]"
    button(root, "Review").click()
    button(root, "Confirm write").wait_for()
    opened.page.wait_for_function("document.activeElement.innerText === 'Cancel'")
    opened.screenshots("write-form-confirm", root)
    opened.page.keyboard.press("Enter")
    root.get_by_text("nothing was sent").wait_for()
    assert opened.run(4) == "[]"

    button(root, "Review").click()
    button(root, "Confirm write").click()
    root.locator(".mxw-say-good", has_text="Write completed").wait_for()
    root.locator(".mxw-log td", has_text="1234").first.wait_for()
    assert opened.run(4) == "[('TestChildObject.TestInt', 1234, '')]"
    assert root.locator(".mxw-value").inner_text() == "1234"
    opened.screenshots("write-form", root)


def test_verified_write(opened: Notebook) -> None:
    root = form(opened, 2)
    root.get_by_role("checkbox").check()
    button(root, "Review").click()
    root.get_by_label("User", exact=True).fill("operator")
    root.get_by_label("Password", exact=True).fill("operator")
    button(root, "Confirm write").click()
    root.get_by_text("needs a verifier").wait_for()
    root.get_by_label("Verifier", exact=True).fill("supervisor")
    opened.screenshots("write-form-verified", root)
    password = root.get_by_label("Verifier's password", exact=True)
    password.fill("supervisor")
    password.press("Enter")
    opened.page.wait_for_timeout(300)
    assert "VerifiedValue" not in opened.run(4)
    button(root, "Confirm write").click()
    root.locator(".mxw-say-good", has_text="Write completed").wait_for()
    assert "('TestMachine_001.VerifiedValue', True, 'operator')" in opened.run(4)
    assert [box.input_value() for box in root.locator("input[type=password]").all()] in ([], ["", ""])


def test_read_only(opened: Notebook) -> None:
    root = form(opened, 3)
    root.get_by_text("Read only: this notebook was connected without").wait_for()
    assert root.locator("input[type=text]").is_disabled()
    assert button(root, "Review").is_disabled()
    opened.screenshots("write-form-read-only", root)
