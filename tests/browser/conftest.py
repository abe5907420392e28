from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import pytest

from .lab import Lab, Notebook, running_lab

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")


def missing() -> str:
    """What the tests need and is not there."""
    modules = [name for name in ("playwright", "jupyterlab", "anywidget", "ipywidgets") if find_spec(name) is None]
    if modules:
        return f"{', '.join(modules)} not installed"
    if chromium() is None:
        return f"no Chromium in the path ({', '.join(CHROMIUM)})"
    return ""


def chromium() -> str | None:
    return next((found for name in CHROMIUM if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if reason := missing():
        pytest.skip(f"browser tests: {reason}")
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


# Not for the whole run: while Playwright is at work its event loop counts as running, and no other test could have one.
@pytest.fixture(scope="module")
def browser(lab: Lab) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def notebook(lab: Lab, browser: Any) -> Iterator[Callable[[str, Sequence[str]], Notebook]]:
    """Opens notebooks: `notebook(name, cells)`."""
    context = browser.new_context(viewport={"width": 1320, "height": 1000}, device_scale_factor=2)

    def is_local(url: str) -> bool:
        return url.startswith((lab.url, lab.url.replace("http", "ws", 1), "blob:", "data:"))

    # Nothing is fetched from anywhere else.
    context.route("**/*", lambda route: route.continue_() if is_local(route.request.url) else route.abort())
    yield lambda name, cells: Notebook(context.new_page(), lab, name, cells)
    context.close()
