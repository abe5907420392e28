from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points, version

from .conftest import Mxgw

HEAVY = ["pandas", "pyarrow", "numpy", "matplotlib", "tqdm", "grpc", "google.protobuf", "zb_mom_ww_mxgateway"]


def test_version_as_json(mxgw: Mxgw) -> None:
    done = mxgw("version", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {
        "clientVersion": version("zb-mom-ww-mxaccess-gateway-client"),
        "gatewayProtocolVersion": 3,
        "workerProtocolVersion": 1,
    }
    assert done.out == json.dumps(json.loads(done.out), sort_keys=True) + "\n"


def test_version_for_people(mxgw: Mxgw) -> None:
    done = mxgw("version")
    assert done.code == 0
    assert done.out.splitlines()[1:] == ["gateway protocol 3", "worker protocol 1"]


def test_version_imports_nothing_heavy() -> None:
    code = (
        "import sys; from zb_mom_ww_mxgateway_cli.__main__ import run; code = run(['version', '--json']);"
        f"print(code, sorted(set({HEAVY}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_the_entry_point_is_the_module() -> None:
    (entry,) = entry_points(group="console_scripts", name="mxgw-py")
    assert entry.value == "zb_mom_ww_mxgateway_cli.__main__:main"
