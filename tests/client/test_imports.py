"""What the import of the library costs and does."""

from __future__ import annotations

import subprocess
import sys

import zb_mom_ww_mxgateway

HEAVY = ("pandas", "pyarrow", "ipywidgets", "numpy", "matplotlib", "ptars", "anywidget", "nest_asyncio", "IPython")


def test_the_library_imports_nothing_heavy_and_starts_nothing() -> None:
    code = (
        "import sys, threading, zb_mom_ww_mxgateway as m, zb_mom_ww_mxgateway_cli\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split("\n")[0] == "[] 1"


def test_all_names_exist_and_are_listed_once() -> None:
    names = zb_mom_ww_mxgateway.__all__
    assert len(names) == len(set(names))
    for name in names:
        assert getattr(zb_mom_ww_mxgateway, name) is not None
