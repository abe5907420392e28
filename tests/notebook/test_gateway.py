"""The blocking facade, as a cell uses it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from zb_mom_ww_mxgateway import MxGatewayAuthenticationError, MxGatewayCommandError, MxGatewayTransportError
from zb_mom_ww_mxgateway.notebook import Gateway, ReadOnlyError, connect, portal
from zb_mom_ww_mxgateway.notebook.environment import options_from, progress_wanted
from zb_mom_ww_mxgateway.simulator import ApiKey, Limits, SimulatedGateway

FAST = Limits(first_value_delay=0.05, write_delay=0.01)
CANARY = "mxgw_canary01_Zx9_secret-Part_77Qw"


@pytest.fixture
def plant() -> Iterator[SimulatedGateway]:
    with SimulatedGateway(seed=7, limits=FAST, api_key=CANARY) as plant:
        yield plant


@pytest.fixture
def gw(plant: SimulatedGateway) -> Iterator[Gateway]:
    with connect(simulator=plant, allow_writes=True, quiet=True) as gateway:
        yield gateway


def test_read_gives_one_row_per_tag_in_order(gw: Gateway) -> None:
    frame = gw.read(["TestChildObject.TestInt", "Nope.Nope", "Pump_001.State"])
    assert list(frame["tag"]) == ["TestChildObject.TestInt", "Nope.Nope", "Pump_001.State"]
    assert list(frame["good"]) == [True, False, True]
    assert frame["value"][0] == 42
    assert isinstance(frame["value"][2], str)
    assert "cannot be resolved" in frame["status"][1]
    assert str(frame["time"].dtype) == "datetime64[us, UTC]"
    with pytest.raises(MxGatewayCommandError, match=r"Nope\.Nope"):
        gw.read("Nope.Nope", errors="raise")


def test_collect_gives_a_frame_that_says_why_it_ended(gw: Gateway) -> None:
    frame = gw.collect(["TestMachine_001.TestChangingInt", "Nope.Nope"], events=3, progress=False)
    assert len(frame[frame["tag"] == "TestMachine_001.TestChangingInt"]) >= 2
    assert frame.attrs["ended_by"] == "events"
    assert list(frame.attrs["refused"]) == ["Nope.Nope"]
    with pytest.raises(MxGatewayCommandError, match=r"Nope\.Nope"):
        gw.collect(["TestMachine_001.TestChangingInt", "Nope.Nope"], events=3, progress=False, errors="raise")
    with pytest.raises(ValueError, match="seconds, events or until"):
        gw.collect("TestMachine_001.TestChangingInt")
    with pytest.raises(ValueError, match="references"):
        gw.collect([], seconds=1)


def test_collections_and_writes_share_one_session_and_one_stream(gw: Gateway, plant: SimulatedGateway) -> None:
    background = gw.background(["TestMachine_001.TestChangingInt"])
    gw.collect(["TestMachine_002.TestChangingInt"], events=2, progress=False)
    result = gw.write("TestChildObject.TestInt", 43)
    assert result.ok
    assert "completed" in str(result)
    assert gw.read("TestChildObject.TestInt")["value"][0] == 43
    assert len(plant.sessions) == 1
    assert plant.open_streams["StreamEvents"] == 1
    frame = background.stop()
    assert set(frame["tag"]) == {"TestMachine_001.TestChangingInt"}
    assert background.stop().equals(frame)
    assert frame.attrs["ended_by"] == "stopped"


def test_a_write_that_the_plant_refuses_is_a_result_that_says_so(gw: Gateway) -> None:
    result = gw.write("TestChildObject.TestInt", "no number")
    assert not result.ok
    assert "failed" in result.said
    assert "Integer" in result.said


def test_a_gateway_is_read_only_unless_asked_otherwise(plant: SimulatedGateway) -> None:
    with connect(simulator=plant, quiet=True) as gateway:
        before = plant.calls["Invoke:write"]
        with pytest.raises(ReadOnlyError, match="allow_writes=True"):
            gateway.write("TestChildObject.TestInt", 1)
        with pytest.raises(ReadOnlyError, match="allow_writes=True"):
            gateway.write_secured("TestChildObject.TestInt", 1, user="a", password="b")
        assert plant.calls["Invoke:write"] == before


def test_the_key_is_in_no_output(gw: Gateway, capsys: pytest.CaptureFixture[str], plant: SimulatedGateway) -> None:
    shown = f"{gw!r} {gw._repr_html_()} {gw.summary()} {gw.options!r} {gw.read('Pump_001.State').attrs}"
    assert CANARY not in shown
    assert "secret" not in shown
    assert "127.0.0.1" in gw._repr_html_()
    with pytest.raises(MxGatewayAuthenticationError) as caught:
        connect(plant.endpoint, "mxgw_canary01_wrong-and-secret", plaintext=True)
    assert "wrong-and-secret" not in str(caught.value)
    assert "secret" not in capsys.readouterr().out


def test_what_is_closed_says_so(plant: SimulatedGateway) -> None:
    gateway = connect(simulator=plant, quiet=True)
    gateway.read("Pump_001.State")
    gateway.close()
    gateway.close()
    assert plant.sessions == []
    assert "closed" in repr(gateway)
    with pytest.raises(MxGatewayCommandError, match="closed"):
        gateway.read("Pump_001.State")


def test_a_missing_scope_is_shown_and_not_fatal() -> None:
    scopes = frozenset({"session:open", "session:close", "invoke:read", "events:read"})
    with (
        SimulatedGateway(limits=FAST, keys=[ApiKey("reader", "secret", scopes)]) as plant,
        connect(simulator=plant, quiet=True) as gateway,
    ):
        assert "metadata:read" in gateway._repr_html_()
        assert gateway.read("Pump_001.State")["good"][0]


def test_an_embedded_gateway_is_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MXGATEWAY_ENDPOINT", raising=False)
    with connect(seed=7) as gateway:
        assert gateway.read("TestChildObject.TestInt")["value"][0] == 42
    assert capsys.readouterr().out.startswith("embedded simulated gateway 127.0.0.1:")


def test_the_environment_names_a_gateway(
    monkeypatch: pytest.MonkeyPatch, plant: SimulatedGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MXGATEWAY_ENDPOINT", plant.endpoint)
    monkeypatch.setenv("MXGATEWAY_API_KEY", plant.api_key)
    monkeypatch.setenv("MXGATEWAY_PLAINTEXT", "1")
    with connect() as gateway:
        assert len(gateway.read("Pump_001.State")) == 1
    assert capsys.readouterr().out == f"gateway {plant.endpoint}, plaintext, read-only\n"


def test_arguments_win_over_the_environment() -> None:
    environment = {"MXGATEWAY_ENDPOINT": "a:1", "MXGATEWAY_API_KEY": "mxgw_a_b", "MXGATEWAY_PLAINTEXT": "yes"}
    assert options_from(None, {}, {}) is None
    found = options_from(None, {}, environment)
    assert found is not None
    assert (found.endpoint, found.api_key, found.plaintext) == ("a:1", "mxgw_a_b", True)
    given = options_from("b:2", {"api_key": "mxgw_c_d", "plaintext": False}, environment)
    assert given is not None
    assert (given.endpoint, given.api_key, given.plaintext) == ("b:2", "mxgw_c_d", False)
    with pytest.raises(ValueError, match="MXGATEWAY_PLAINTEXT='maybe'"):
        options_from("b:2", {}, {"MXGATEWAY_PLAINTEXT": "maybe"})


def test_progress_is_turned_off_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXGATEWAY_PROGRESS", "0")
    assert progress_wanted(None) is False
    assert progress_wanted(True) is True
    monkeypatch.delenv("MXGATEWAY_PROGRESS")
    assert progress_wanted(None) is True


def test_nobody_there_is_an_error_and_leaves_nothing_behind() -> None:
    with pytest.raises(MxGatewayTransportError, match="connection refused"):
        connect("127.0.0.1:1", plaintext=True, quiet=True)


def test_an_interrupt_ends_the_call_on_the_gateway_and_keeps_what_came(
    gw: Gateway, plant: SimulatedGateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from zb_mom_ww_mxgateway.notebook import value_calls as module

    background = gw.background(["TestMachine_001.TestChangingInt"])
    real = module.wait_for
    waits = 0

    def interrupted(future: Any) -> Any:
        nonlocal waits
        waits += 1
        if waits == 1:
            while len(background.collection()) < 3:
                threading.Event().wait(0.02)
            raise KeyboardInterrupt
        return real(future)

    monkeypatch.setattr(module, "wait_for", interrupted)
    frame = gw.collect(["TestMachine_001.TestChangingInt"], seconds=600, progress=False)
    assert frame.attrs["ended_by"] == "interrupted"
    assert len(frame) >= 1
    assert "interrupted" in capsys.readouterr().out
    background.stop()
    assert len(gw._bench._session._readers) == 0


def test_a_blocking_call_on_the_background_loop_is_refused(gw: Gateway) -> None:
    async def misuse() -> None:
        gw.read("Pump_001.State")

    with pytest.raises(RuntimeError, match="async API"):
        portal().call(misuse())


def test_a_session_that_is_lost_is_opened_again(gw: Gateway, plant: SimulatedGateway) -> None:
    gw.read("Pump_001.State")
    [first] = plant.sessions
    loop = plant._owner()
    done = threading.Event()

    def fault() -> None:
        plant._running().sessions.find(first).fault("the worker has crashed")
        done.set()

    loop.call_soon_threadsafe(fault)
    assert done.wait(5)
    while gw._bench.session_state != "broken":
        threading.Event().wait(0.01)
    assert gw.read("Pump_001.State")["good"][0]
    assert first not in plant.sessions
