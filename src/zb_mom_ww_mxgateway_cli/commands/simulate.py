"""`mxgw-py simulate`: a gateway without a plant, to try things against."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ..connection_options import key_from_environment
from ..key_file import read_or_make_key
from ..outcome import CommandFailed
from ..output import keep_secret, show_json
from ..serving import announce, describe, serve

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.simulator import Fault
    from zb_mom_ww_mxgateway.simulator.config import PlantConfig

__all__ = ["simulate"]


#: What a configuration file may say in its table [gateway]: options that a command line overrides.
_FROM_FILE = ("host", "port", "speed", "faults")


def _read_config(ctx: click.Context, parameter: click.Parameter, path: Path | None) -> PlantConfig | None:
    if path is None:
        return None
    from zb_mom_ww_mxgateway.simulator.config import PlantConfigError, load_plant_config

    try:
        config = load_plant_config(path)
    except PlantConfigError as error:
        raise CommandFailed(str(error)) from error
    unknown = sorted(set(config.gateway) - set(_FROM_FILE))
    if unknown:
        raise CommandFailed(f"{path.name}: gateway.{unknown[0]}: expected one of {', '.join(_FROM_FILE)}")
    ctx.default_map = dict(config.gateway)
    return config


def _parse_faults(ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[Fault, ...]:
    if not texts:
        return ()
    from zb_mom_ww_mxgateway.simulator import parse_fault

    try:
        return tuple(parse_fault(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="TOML",
    is_eager=True,
    callback=_read_config,
    help="A plant of your own; its table [gateway] may hold host, port, speed and faults.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=5000, show_default=True, help="0 takes a free one.")
@click.option("--objects", type=click.IntRange(min=10), help="Size of the plant.  [default: 60]")
@click.option("--seed", type=int, help="The same seed gives the same plant.  [default: 1]")
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
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="FAULT",
    callback=_parse_faults,
    help="What is to go wrong, such as drop-stream:after=100. May be repeated; a wrong name shows all.",
)
@click.option("--until-stdin-closes", is_flag=True, help="End with the process at the other end of stdin.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout when it is ready.")
def simulate(
    config: PlantConfig | None,
    host: str,
    port: int,
    objects: int | None,
    seed: int | None,
    speed: float,
    api_key: str | None,
    api_key_env: str | None,
    key_file: Path | None,
    tls_self_signed: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    faults: tuple[Fault, ...],
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
    if config is not None and (objects is not None or seed is not None):
        raise click.UsageError("--objects and --seed go into the table [plant] of the configuration file")
    clock = WallClock(speed)
    plant: dict[str, Any] = {"seed": 1 if seed is None else seed, "objects": objects}
    if config is not None:
        plant = {"seed": config.spec.seed, "plant": config.plant(start_us=clock.now_us())}
    gateway = SimulatedGateway(
        **plant,
        clock=clock,
        keys=() if accepted is None else (accepted,),
        authentication=accepted is not None,
        host=host,
        port=port,
        tls=certificate,
        faults=faults,
    )

    def ready() -> None:
        announce(gateway, origin)
        if as_json:
            show_json(describe(gateway, authentication=key is not None))

    asyncio.run(serve(gateway, ready, until_stdin_closes=until_stdin_closes))


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
