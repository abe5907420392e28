"""Run a simulated gateway until somebody ends it, and say where it is."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .outcome import CommandFailed
from .output import say

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.simulator import SimulatedGateway

__all__ = ["announce", "describe", "serve"]


async def serve(gateway: SimulatedGateway, ready: Callable[[], None], *, until_stdin_closes: bool) -> None:
    """Serve until Ctrl-C or its like, or until stdin closes.

    Args:
        gateway: not running yet.
        ready: called when it is.
        until_stdin_closes: whether the end of the input ends it too.

    Raises:
        CommandFailed: a package that it needs is not installed.
        OSError: the port is taken.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    with _signals(end):
        try:
            await gateway.astart()
        except ImportError as error:
            raise CommandFailed(str(error)) from error
        try:
            if until_stdin_closes:
                threading.Thread(target=_wait_for_end_of_input, args=(end,), daemon=True).start()
            ready()
            await stop.wait()
        finally:
            await gateway.astop()


@contextmanager
def _signals(end: Callable[..., None]) -> Iterator[None]:
    """Ctrl-C, Ctrl-Break and a friendly kill end the server; that is no failure."""
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    before = {number: signal.signal(number, end) for name in names if (number := getattr(signal, name, None))}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_end_of_input(end: Callable[[], None]) -> None:
    # Not sys.stdin: at exit the interpreter would wait for the lock that a blocked read holds.
    while os.read(0, 1024):
        pass
    end()


def announce(gateway: SimulatedGateway, origin: str) -> None:
    """Say on stderr where the gateway is and how to try it.

    Args:
        gateway: a running one.
        origin: where users find the key; empty without authentication.
    """
    plaintext = " --plaintext" if gateway.plaintext else ""
    key = " --api-key-env MXGATEWAY_API_KEY" if origin else ""
    say(f"simulated gateway at {gateway.endpoint}, {'plaintext' if gateway.plaintext else 'TLS'}: {_plant(gateway)}")
    fingerprint = _fingerprint(gateway)
    if fingerprint is not None:
        say(f"certificate SHA-256: {fingerprint}")
    say(f"API key: {origin}" if origin else "authentication is off: every caller is let in, with any key or none")
    say(f"try it: mxgw-py smoke --endpoint {gateway.endpoint}{plaintext}{key} --item TestMachine_001.TestChangingInt")
    say("Ctrl-C ends it")


def _plant(gateway: SimulatedGateway) -> str:
    return f"{gateway.plant.object_count} objects, {gateway.plant.attribute_count} attributes"


def describe(gateway: SimulatedGateway, *, authentication: bool) -> dict[str, Any]:
    """The same for programs."""
    return {
        "attributes": gateway.plant.attribute_count,
        "authentication": authentication,
        "certificateSha256": _fingerprint(gateway),
        "endpoint": gateway.endpoint,
        "objects": gateway.plant.object_count,
        "plaintext": gateway.plaintext,
    }


def _fingerprint(gateway: SimulatedGateway) -> str | None:
    if gateway.certificate is None:
        return None
    # The first certificate of the chain is the gateway's own.
    begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
    pem = begin + gateway.certificate.partition(begin)[2].partition(end)[0] + end
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))).hexdigest()
