"""A JupyterLab of our own on a loopback port, and a page in it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 90
#: A page waits so long for what it expects (milliseconds); a cell with a simulated plant takes a few seconds.
PATIENCE = 30_000
SCREENSHOTS = Path(os.environ.get("MXGATEWAY_SCREENSHOTS", Path(__file__).parent / "screenshots"))


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str
    root: Path


@contextmanager
def running_lab(root: Path) -> Iterator[Lab]:
    """JupyterLab with nothing of the user's: no configuration, no settings, no news."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    work = root / "work"
    work.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "MXGATEWAY_"))}
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        environment[name] = str(root / name.lower())
    environment["PYTHONPATH"] = str(Path(__file__).parents[2] / "src")
    settings = root / "jupyter_config_dir" / "labconfig"
    settings.mkdir(parents=True)
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    (settings / "default_setting_overrides.json").write_text(json.dumps(quiet), encoding="utf-8")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={work}"]
    command += [f"--IdentityProvider.token={token}", "--expose-app-in-browser"]
    with (root / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=work, stdout=log, stderr=subprocess.STDOUT)
        try:
            lab = Lab(f"http://127.0.0.1:{port}", token, work)
            _wait_for(lab, process, root / "server.log")
            yield lab
        finally:
            _shut_down(lab)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(lab: Lab, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{lab.url}/api/status?token={lab.token}", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _shut_down(lab: Lab) -> None:
    """Ask it to end, which ends its kernels too, on every operating system."""
    request = urllib.request.Request(f"{lab.url}/api/shutdown?token={lab.token}", method="POST")
    request.add_header("Authorization", f"token {lab.token}")
    try:
        with urllib.request.urlopen(request, timeout=10):
            pass
    except (urllib.error.URLError, OSError):
        return


class Notebook:
    """A notebook in a page; its cells are run one by one.

    Args:
        page: of the browser.
        lab: where it is opened.
        name: of the file.
        cells: their code.
    """

    def __init__(self, page: Any, lab: Lab, name: str, cells: Sequence[str]) -> None:
        self.page = page
        self.name = name
        path = lab.root / f"{name}.ipynb"
        path.write_text(json.dumps(_document(cells)), encoding="utf-8")
        page.set_default_timeout(PATIENCE)
        page.goto(f"{lab.url}/lab/workspaces/{name}/tree/{path.name}?token={lab.token}")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.connectionStatus === 'connected'"
        )
        # The file browser takes room that the widgets can show off in.
        self._command("application:toggle-left-area")

    def _command(self, command: str, arguments: dict[str, Any] | None = None) -> None:
        self.page.evaluate("([id, given]) => window.jupyterapp.commands.execute(id, given)", [command, arguments or {}])

    def theme(self, name: str) -> None:
        """Switch to "Light" or "Dark"."""
        self._command("apputils:change-theme", {"theme": f"JupyterLab {name}"})
        light = str(name == "Light").lower()
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")

    def cell(self, number: int) -> Any:
        """A cell."""
        return self.page.locator(f".jp-Cell[data-windowed-list-index='{number}']")

    def run(self, number: int) -> str:
        """Run a cell, wait for its end, and return what it printed."""
        self.page.evaluate(
            "number => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = number; }", number
        )
        self._command("notebook:run-cell")
        cell = self.cell(number)
        error = cell.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr'] pre")
        assert error.count() == 0, error.first.inner_text()
        output = cell.locator(".jp-OutputArea-output pre")
        return "\n".join(output.all_inner_texts()).strip()

    def screenshots(self, name: str, target: Any) -> None:
        """Pictures of an element in both themes."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for theme in ("Dark", "Light"):
            self.theme(theme)
            self.page.wait_for_timeout(300)
            target.screenshot(path=str(SCREENSHOTS / f"{name}-{theme.lower()}.png"))


def _document(cells: Sequence[str]) -> dict[str, Any]:
    made = [
        {
            "cell_type": "code",
            "id": f"cell{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": code,
        }
        for number, code in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
