"""The blocking facade: `connect()` and the `Gateway` that it returns."""

from __future__ import annotations

import html
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..options import ClientOptions
from ..recording import Pace, SimulatedPace
from .alarm_calls import AlarmViews
from .environment import options_from
from .facade import ReadOnlyError
from .galaxy_calls import GalaxyViews
from .portal import Portal, portal
from .value_calls import Background, ValueCalls
from .workbench import Workbench

if TYPE_CHECKING:
    from ..simulator import SimulatedGateway

__all__ = ["Background", "Gateway", "ReadOnlyError", "connect"]


def connect(
    endpoint: str | None = None,
    api_key: str | None = None,
    *,
    allow_writes: bool = False,
    simulator: SimulatedGateway | None = None,
    seed: int = 1,
    quiet: bool = False,
    **options: Any,
) -> Gateway:
    """Connect a notebook to a gateway.

    Without an endpoint, here or in `MXGATEWAY_ENDPOINT`, an embedded simulated gateway is started; one line says which
    it is. The key comes from the argument or from `MXGATEWAY_API_KEY`, TLS settings from the options or from
    `MXGATEWAY_PLAINTEXT`, `MXGATEWAY_CA_FILE`, `MXGATEWAY_SERVER_NAME_OVERRIDE`, `MXGATEWAY_PINNED_SHA256` and
    `MXGATEWAY_REQUIRE_CERTIFICATE_VALIDATION`.

    Args:
        endpoint: `host:port`.
        api_key: shown nowhere.
        allow_writes: let `write` and the write form write; a running plant is at the other end.
        simulator: a simulated gateway that is running; on a `VirtualClock`, collections move it on.
        seed: of the embedded gateway.
        quiet: print nothing.
        **options: further fields of `ClientOptions`.

    Raises:
        ValueError: an option cannot be used.
        MxGatewayError: nobody answers, or the key is not accepted.
    """
    owned: SimulatedGateway | None = None
    chosen = None if simulator is not None else options_from(endpoint, {"api_key": api_key, **options})
    if chosen is None:
        from ..simulator import SimulatedGateway as Embedded

        if simulator is None:
            simulator = owned = Embedded(seed=seed)
            owned.start()
        chosen = ClientOptions(endpoint=simulator.endpoint, api_key=simulator.api_key, plaintext=simulator.plaintext)
    pace = _pace_of(simulator)
    try:
        bench = portal().call(Workbench.open(chosen, pace))
    except BaseException:
        if owned is not None:
            owned.stop()
        raise
    gateway = Gateway(
        bench, portal(), chosen, allow_writes=allow_writes, simulator=simulator, owns_simulator=owned is not None
    )
    if not quiet:
        print(gateway.summary())
    return gateway


class Gateway(ValueCalls, AlarmViews, GalaxyViews):
    """A gateway for notebooks: blocking calls, DataFrames, read-only unless opened otherwise.

    Use `connect()`. Everything closes with the interpreter, with `close()`, or at the end of a `with` block.
    """

    def __init__(
        self,
        bench: Workbench,
        runner: Portal,
        options: ClientOptions,
        *,
        allow_writes: bool,
        simulator: SimulatedGateway | None,
        owns_simulator: bool,
    ) -> None:
        self.options = options
        self.allow_writes = allow_writes
        self._bench = bench
        self._portal = runner
        self._simulator = simulator
        self._owns_simulator = owns_simulator
        self._closed = False
        self._views = weakref.WeakSet()

    # What it is -----------------------------------------------------------------------------------------------------

    def summary(self) -> str:
        """One line: which gateway, how safe, whether it writes."""
        what = "gateway" if self._simulator is None else "simulated gateway"
        what = f"embedded {what}" if self._owns_simulator else what
        writes = "writes allowed" if self.allow_writes else "read-only"
        return f"{what} {self.options.address}, {self.tls}, {writes}"

    @property
    def tls(self) -> str:
        """How the connection is protected, in words."""
        if self.options.plaintext:
            return "plaintext"
        if self.options.ca_file:
            return f"TLS, trusting {self.options.ca_file}"
        if self.options.require_certificate_validation:
            return "TLS, trusting the system's roots"
        return "TLS, certificate pinned"

    def __repr__(self) -> str:
        return f"<Gateway {self.summary()}{', closed' if self._closed else ''}>"

    def _repr_html_(self) -> str:
        rows = {
            "endpoint": str(self.options.address),
            "protection": self.tls,
            "certificate SHA-256": self._bench.client.fingerprint or "-",
            "session": "closed" if self._closed else self._bench.session_state,
            "writes": "allowed" if self.allow_writes else "refused (read-only)",
        }
        rows |= {f"scope {scope}": f"refused: {why}" for scope, why in self._bench.refused_scopes.items()}
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in rows.items()
        )
        return f"<table>{cells}</table>"

    # Life -----------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the session and the connection, and the embedded gateway with them. Idempotent."""
        if self._closed:
            return
        self._closed = True
        for view in list(self._views):
            view.close("the gateway was closed")
        try:
            self._portal.call(self._bench.close())
        finally:
            if self._simulator is not None and self._owns_simulator:
                self._simulator.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _pace_of(simulator: SimulatedGateway | None) -> Pace | None:
    """On a virtual clock collections move the time on; else it goes by."""
    return None if simulator is None or simulator.clock.is_running else SimulatedPace(simulator)
