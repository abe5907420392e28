"""The floors in pyproject.toml are those that the checked-in bindings demand at import.

See docs/decisions/0001-binding-floors.md.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "src" / "zb_mom_ww_mxgateway" / "generated"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DEV: list[str] = PROJECT["optional-dependencies"]["dev"]


def _requirement(requirements: list[str], distribution: str) -> dict[str, str]:
    """The version limits of a requirement, such as {'>=': '6.31.1', '<': '8'}."""
    found = [line for line in requirements if re.match(rf"{re.escape(distribution)}\s*(?:[<>=!~;\[]|$)", line)]
    assert len(found) == 1, f"{distribution} stands {len(found)} times in {requirements}"
    return dict(re.findall(r"([<>=!~]+)\s*([\w.]+)", found[0].split(";")[0]))


def _grpc_release_that_the_bindings_demand() -> str:
    texts = [path.read_text(encoding="utf-8") for path in GENERATED.glob("*_pb2_grpc.py")]
    found: set[str] = {
        version for text in texts for version in re.findall(r"^GRPC_GENERATED_VERSION = '([\d.]+)'$", text, re.M)
    }
    assert len(texts) >= 2
    assert len(found) == 1, f"the bindings were written by different releases: {found}"
    return found.pop()


def _protobuf_release_that_the_bindings_demand() -> tuple[int, int, int]:
    call = re.compile(
        r"ValidateProtobufRuntimeVersion\(\s*_runtime_version\.Domain\.PUBLIC,\s*(\d+),\s*(\d+),\s*(\d+),"
    )
    texts = [path.read_text(encoding="utf-8") for path in GENERATED.glob("*_pb2.py")]
    found = {(int(major), int(minor), int(patch)) for text in texts for major, minor, patch in call.findall(text)}
    assert len(texts) >= 2
    assert len(found) == 1, f"the bindings were written by different releases: {found}"
    return found.pop()


def test_grpcio_floor_is_what_the_bindings_demand() -> None:
    assert _requirement(PROJECT["dependencies"], "grpcio") == {">=": _grpc_release_that_the_bindings_demand()}


def test_protobuf_floor_is_what_the_bindings_demand() -> None:
    demanded = ".".join(map(str, _protobuf_release_that_the_bindings_demand()))
    assert _requirement(PROJECT["dependencies"], "protobuf")[">="] == demanded


def test_protobuf_ceiling_admits_one_more_major() -> None:
    # protobuf promises that bindings of major N run on the runtimes of N and N + 1, and nothing beyond.
    major = _protobuf_release_that_the_bindings_demand()[0]
    assert _requirement(PROJECT["dependencies"], "protobuf")["<"] == str(major + 2)


@pytest.mark.parametrize("distribution", ["grpcio-health-checking", "grpcio-reflection"])
def test_simulator_services_share_the_grpcio_floor(distribution: str) -> None:
    floor = {">=": _grpc_release_that_the_bindings_demand()}
    assert _requirement(PROJECT["optional-dependencies"]["simulator"], distribution) == floor


def test_one_release_of_grpcio_tools_writes_the_bindings(generate_proto: ModuleType) -> None:
    release = generate_proto.TOOLS_VERSION
    assert _requirement(DEV, "grpcio-tools") == {"==": release}
    assert release == _grpc_release_that_the_bindings_demand()
