"""What the contract tests share: the generator, loaded from the file that people run."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def generate_proto() -> ModuleType:
    """The module generate_proto.py, which is a script beside the packages and not part of one."""
    spec = importlib.util.spec_from_file_location("generate_proto", ROOT / "generate_proto.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
