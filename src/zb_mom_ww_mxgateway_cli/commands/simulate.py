"""`mxgw-py simulate`: a gateway without a plant, to try things against."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ..connection_options import key_from_environment
from ..key_file import read_or_make_key
from ..outcome import CommandFailed
from ..output import keep_secret, say, show_json

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.simulator import SimulatedGateway

__all__ = ["simulate"]


@click.command
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=5000, show_default=True, help="0 takes a free one.")
@click.option("--objects", type=click.IntRange(min=10), default=60, show_default=True, help="Size of the plant.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same plant.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True, max=10_000),
    default=1.0,
    show_default=True,
    help="Simulated seconds per second.",
)
@click.option("--api-key", metavar="KEY", help="The one key to accept. Prefer --api-key-env or --key-file.")
@click.option("--api-key-env", metavar="NAME", help="Environment variable that holds the key to accept.")
@click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="File that holds the key to accept; made, with a new key, where there is none.",
)
@click.option("--tls-self-signed", is_flag=True, help="Serve TLS with a certificate made for this run.")
@click.option("--tls-cert", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificate (PEM).")
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its private key (PEM).")
@click.option("--until-stdin-closes", is_flag=True, help="End with the process at the other end of stdin.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout when it is ready.")
def simulate(
    host: str,
    port: int,
    objects: int,
    seed: int,
    speed: float,
    api_key: str | None,
    api_key_env: str | None,
    key_file: Path | None,
    tls_self_signed: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    until_stdin_closes: bool,
    as_json: bool,
) -> None:
    """Serve a simulated gateway with a generated plant until Ctrl-C.

    Without a key it accepts every caller, with any key or none.
    """
    key, origin = _key(api_key, api_key_env, key_file)
    keep_secret(key)
    certificate = _certificate(tls_self_signed, tls_cert, tls_key)
    from zb_mom_ww_mxgateway.simulator import ApiKey, SimulatedGateway, WallClock

    try:
        accepted = None if key is None else ApiKey.parse(key)
    except ValueError:
        raise click.UsageError(
            f"the API key, {origin}, has not the form of one: mxgw, an id and a secret, joined by underscores"
        ) from None
    gateway = SimulatedGateway(
        seed=seed,
        objects=objects,
        clock=WallClock(speed),
        keys=() if accepted is None else (accepted,),
        authentication=accepted is not None,
        host=host,
        port=port,
        tls=certificate,
    )

    def ready() -> None:
        _announce(gateway, origin)
        if as_json:
            show_json(_description(gateway, authentication=key is not None))

    asyncio.run(_serve(gateway, ready, until_stdin_closes=until_stdin_closes))


def _key(api_key: str | None, api_key_env: str | None, key_file: Path | None) -> tuple[str | None, str]:
    """The key to accept, and where a user finds it."""
    given = [
        name
        for name, value in (("--api-key", api_key), ("--api-key-env", api_key_env), ("--key-file", key_file))
        if value
    ]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} exclude each other")
    if api_key:
        return api_key, "the one given with --api-key"
    if api_key_env:
        return key_from_environment(api_key_env), f"the one in the environment variable {api_key_env}"
    if key_file is not None:
        key, new = read_or_make_key(key_file)
        return key, f"a new one, in {key_file}" if new else f"the one in {key_file}"
    return None, ""


def _certificate(
    self_signed: bool, certificate: Path | None, key: Path | None
) -> tuple[bytes, bytes] | Literal["self-signed"] | None:
    if (certificate is None) != (key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together")
    if self_signed and certificate is not None:
        raise click.UsageError("--tls-self-signed and --tls-cert exclude each other")
    if certificate is None or key is None:
        return "self-signed" if self_signed else None
    try:
        # grpc would log what is wrong with a file, and refuse every caller.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise CommandFailed(
            f"{certificate} and {key} are no certificate and its private key in PEM: {error}"
        ) from error
    return certificate.read_bytes(), key.read_bytes()


async def _serve(gateway: SimulatedGateway, ready: Callable[[], None], *, until_stdin_closes: bool) -> None:
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


def _announce(gateway: SimulatedGateway, origin: str) -> None:
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


def _description(gateway: SimulatedGateway, *, authentication: bool) -> dict[str, Any]:
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
