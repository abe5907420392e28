"""A real kernel, driven over its channels as a notebook does; the gateway that counts its calls is in this process."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from queue import Empty
from typing import Any

import pytest

pytest.importorskip("ipykernel")
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from support.waiting import until
from zb_mom_ww_mxgateway.simulator import Limits, SimulatedGateway

pytestmark = pytest.mark.slow

TAG = "TestMachine_001.TestChangingInt"
PATIENCE = 60.0

# There a kernel is interrupted by an event object that only its own launcher holds.
needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="kernels are interrupted in another way")


class Kernel:
    """A kernel and a client of it."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client

    def start(self, code: str) -> str:
        return str(self.client.execute(code))

    def start_in(self, subshell: str, code: str) -> str:
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        return self.tell("execute_request", content, subshell)

    def finish(self, request: str, timeout: float = PATIENCE) -> tuple[str, str]:
        """What an execution printed, and the name of the error that ended it."""
        printed = ""
        deadline = time.monotonic() + timeout
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.01, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "stream":
                printed += content["text"]
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                break
        while True:
            reply = self.client.get_shell_msg(timeout=max(0.01, deadline - time.monotonic()))
            if reply["parent_header"].get("msg_id") == request:
                return printed, reply["content"].get("ename", "")

    def run(self, code: str) -> str:
        printed, error = self.finish(self.start(code))
        assert error == "", f"{error}\n{printed}"
        return printed

    def click(self, model_id: str, subshell: str | None = None) -> None:
        """What a frontend sends when a button is pressed."""
        content = {"comm_id": model_id, "data": {"method": "custom", "content": {"event": "click"}}}
        self.tell("comm_msg", content, subshell)

    def tell(self, kind: str, content: dict[str, Any], subshell: str | None = None) -> str:
        message = self.client.session.msg(kind, content)
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def subshell(self) -> str:
        """Another shell of the kernel, as JupyterLab opens one for its widgets."""
        info = self.client.kernel_info(reply=True, timeout=PATIENCE)
        if "kernel subshells" not in info["content"].get("supported_features", ()):
            pytest.skip("this ipykernel has no subshells")
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        return str(self.client.get_control_msg(timeout=PATIENCE)["content"]["subshell_id"])

    def updates(self, model_id: str, seconds: float) -> list[dict[str, Any]]:
        """The views that a widget sends meanwhile."""
        found = []
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = self.client.get_iopub_msg(timeout=left)
            except Empty:
                break
            if message["msg_type"] == "comm_msg" and message["content"]["comm_id"] == model_id:
                found.append(message["content"]["data"]["state"]["view"])
        return found


@pytest.fixture
def plant() -> Iterator[SimulatedGateway]:
    with SimulatedGateway(seed=7, limits=Limits(first_value_delay=0.05, value_delay=0.05, write_delay=0.01)) as plant:
        yield plant


@pytest.fixture
def kernel(plant: SimulatedGateway) -> Iterator[Kernel]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MXGATEWAY_")}
    environment |= {
        "MXGATEWAY_ENDPOINT": plant.endpoint,
        "MXGATEWAY_API_KEY": plant.api_key,
        "MXGATEWAY_PLAINTEXT": "1",
        "MXGATEWAY_PROGRESS": "0",
    }
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=environment)
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


@pytest.fixture
def connected(kernel: Kernel) -> Kernel:
    kernel.run("from zb_mom_ww_mxgateway.notebook import connect\ngw = connect(allow_writes=True, quiet=True)")
    return kernel


def open_calls(plant: SimulatedGateway) -> dict[str, int]:
    return {name: count for name, count in plant.open_streams.items() if count}


@needs_signals
def test_an_interrupted_collection_returns_what_it_has_and_leaves_nothing(
    connected: Kernel, plant: SimulatedGateway
) -> None:
    request = connected.start(f"frame = gw.collect([{TAG!r}], seconds=600)")
    until(lambda: plant.sessions and plant.last_sequence(plant.sessions[0]) >= 2)
    connected.manager.interrupt_kernel()
    printed, error = connected.finish(request)
    assert error == ""
    assert printed.startswith("interrupted: ")
    count, ended, good = connected.run("print(len(frame), frame.attrs['ended_by'], frame['good'].all())").split()
    assert int(count) >= 1
    assert (ended, good) == ("interrupted", "True")
    # The items are given back; the session's one stream stays for the next cell.
    assert plant.calls["Invoke:unsubscribe_bulk"] == 1
    assert open_calls(plant) == {"StreamEvents": 1}
    connected.run("gw.close()")
    until(lambda: not plant.sessions and not open_calls(plant))


@needs_signals
def test_an_interrupted_alarm_collection_leaves_no_feed(connected: Kernel, plant: SimulatedGateway) -> None:
    request = connected.start("frame = gw.collect_alarms(seconds=600)")
    until(lambda: open_calls(plant).get("StreamAlarms"))
    time.sleep(0.5)
    connected.manager.interrupt_kernel()
    _, error = connected.finish(request)
    assert error == ""
    assert "interrupted" in connected.run("print(frame.attrs['ended_by'])")
    until(lambda: not open_calls(plant).get("StreamAlarms"))


SCRIPT = f"""
import asyncio
import os
from zb_mom_ww_mxgateway import GatewayClient

async def main():
    key = os.environ["MXGATEWAY_API_KEY"]
    client = await GatewayClient.connect(os.environ["MXGATEWAY_ENDPOINT"], api_key=key, plaintext=True)
    async with client, await client.open_session() as session:
        handle = await session.register("script")
        await session.subscribe_bulk(handle, [{TAG!r}])
        async for event in session.stream_events():
            pass

asyncio.run(main())
"""


@needs_signals
def test_an_interrupted_script_leaves_nothing(kernel: Kernel, plant: SimulatedGateway) -> None:
    kernel.run("%load_ext zb_mom_ww_mxgateway.notebook")
    request = kernel.start(SCRIPT)
    until(lambda: open_calls(plant).get("StreamEvents") and plant.last_sequence(plant.sessions[0]) >= 2)
    kernel.manager.interrupt_kernel()
    _, error = kernel.finish(request)
    assert error == "KeyboardInterrupt"
    until(lambda: not plant.sessions and not open_calls(plant))
    # The kernel is as good as before.
    assert kernel.run("import asyncio\nasync def two():\n    return 2\nprint(asyncio.run(two()))") == "2\n"


BUTTON = f"""
import time, ipywidgets
answers = []
def clicked(_):
    answers.append((time.monotonic(), gw.read({TAG!r})["good"][0]))
button = ipywidgets.Button()
button.on_click(clicked)
print(button.model_id)
"""


def test_a_widget_calls_the_gateway_while_the_kernel_idles(connected: Kernel) -> None:
    model = connected.run(BUTTON).strip()
    connected.click(model)
    assert connected.run("print(answers[0][1])") == "True\n"


def test_a_click_while_a_cell_runs_waits_and_does_no_harm(connected: Kernel) -> None:
    model = connected.run(BUTTON).strip()
    request = connected.start(f"frame = gw.collect([{TAG!r}], seconds=1.5)\nended = time.monotonic()")
    time.sleep(0.5)
    connected.click(model)
    assert connected.finish(request) == ("", "")
    assert connected.run("print(len(answers), answers[0][0] >= ended, len(frame) > 0)") == "1 True True\n"


def test_a_click_in_a_subshell_is_answered_while_a_cell_runs(connected: Kernel) -> None:
    subshell = connected.subshell()
    printed, _ = connected.finish(connected.start_in(subshell, BUTTON))
    model = printed.strip()
    request = connected.start(f"frame = gw.collect([{TAG!r}], seconds=3)\nended = time.monotonic()")
    time.sleep(0.7)
    connected.click(model, subshell)
    assert connected.finish(request) == ("", "")
    assert connected.run("print(len(answers), answers[0][0] < ended, len(frame) > 0)") == "1 True True\n"


WATCH = f"""
from zb_mom_ww_mxgateway.notebook.live import LiveWatch
watch = LiveWatch(gw._portal, gw._bench.session, [{TAG!r}, "Pump_001.Speed"])
print(watch.widget.model_id)
"""


def test_a_watch_is_updated_while_the_kernel_idles_and_while_a_cell_runs(
    connected: Kernel, plant: SimulatedGateway
) -> None:
    model = connected.run(WATCH).strip()
    connected.updates(model, 1.0)
    idle = connected.updates(model, 3.0)
    assert 3 <= len(idle) <= 13
    assert idle[-1]["live"]
    assert [row["quality"] for row in idle[-1]["rows"]] == ["good", "good"]
    assert idle[-1]["rows"][0]["value"] != ""
    request = connected.start("import time\nfor _ in range(3): time.sleep(1)")
    assert 3 <= len(connected.updates(model, 2.5)) <= 11
    connected.finish(request)
    # The output is closed: nothing is read any more.
    connected.tell("comm_close", {"comm_id": model, "data": {}})
    until(lambda: plant.calls["Invoke:unsubscribe_bulk"] == 1)
    assert "output was closed" in connected.run("print(watch.state)")
    assert int(connected.run("print(len(watch.frame()))")) > 2


def test_everything_is_closed_when_the_kernel_ends(connected: Kernel, plant: SimulatedGateway) -> None:
    connected.run(WATCH)
    connected.run(f"background = gw.background([{TAG!r}])")
    until(lambda: open_calls(plant).get("StreamEvents"))
    connected.client.shutdown()
    until(lambda: not plant.sessions and not open_calls(plant))
