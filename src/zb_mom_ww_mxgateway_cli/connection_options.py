"""The options that say which gateway, and how to reach it: the same for every command that talks to one."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .output import keep_secret

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions

__all__ = ["API_KEY_VARIABLE", "ENDPOINT_VARIABLE", "PLAINTEXT_VARIABLE", "connection_options", "key_from_environment"]

#: Read when neither --api-key nor --api-key-env is given. The library itself never looks at the environment.
API_KEY_VARIABLE = "MXGATEWAY_API_KEY"
#: Read without --endpoint, by the commands that always talk to a gateway.
ENDPOINT_VARIABLE = "MXGATEWAY_ENDPOINT"
#: 1 is --plaintext, for whoever tries many commands. Any option that asks for TLS overrules it.
PLAINTEXT_VARIABLE = "MXGATEWAY_PLAINTEXT"

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--api-key", metavar="KEY", help="API key. Others on this machine may see it here: prefer --api-key-env."
    ),
    click.option(
        "--api-key-env",
        metavar="NAME",
        help=f"Environment variable that holds the API key.  [default: {API_KEY_VARIABLE}, where it is set]",
    ),
    click.option(
        "--plaintext",
        is_flag=True,
        help=f"No TLS: the API key travels in clear text. {PLAINTEXT_VARIABLE}=1 says the same.",
    ),
    click.option("--tls", is_flag=True, help="TLS; this is the default. The first certificate seen is trusted."),
    click.option(
        "--ca-file",
        type=click.Path(path_type=Path),
        metavar="PEM",
        help="Trust the certificates in this file instead.",
    ),
    click.option(
        "--require-certificate-validation", is_flag=True, help="Trust what this machine's own roots vouch for instead."
    ),
    click.option("--pinned-sha256", metavar="HEX", help="Trust the certificate with this SHA-256 instead."),
    click.option("--server-name-override", metavar="NAME", help="Name to expect in the certificate."),
)


def connection_options(*, endpoint: str | None = "localhost") -> Callable[[CommandT], CommandT]:
    """Give a command the connection options; it gets `options`, a `ClientOptions`.

    Args:
        endpoint: used without --endpoint. With None, --endpoint is what makes a command leave the embedded gateway, and
            `options` is None without it.
    """
    default = (
        "the embedded gateway"
        if endpoint is None
        else f"{ENDPOINT_VARIABLE}, else {endpoint}, port 5001, with --plaintext 5000"
    )
    fallback = endpoint
    text = f"Gateway, as host:port.  [default: {default}]"

    def decorate(function: CommandT) -> CommandT:
        @functools.wraps(function)
        def command(*, endpoint: str | None, **given: Any) -> Any:
            own = {name: given.pop(name) for name in _NAMES}
            if endpoint is None and fallback is not None:
                endpoint = os.environ.get(ENDPOINT_VARIABLE, "").strip() or fallback
            return function(options=_client_options(endpoint, **own), **given)

        decorated: Any = command
        for option in reversed(_OPTIONS):
            decorated = option(decorated)
        wrapped: CommandT = click.option("--endpoint", metavar="HOST:PORT", help=text)(decorated)
        return wrapped

    return decorate


_NAMES = (
    "api_key",
    "api_key_env",
    "plaintext",
    "tls",
    "ca_file",
    "require_certificate_validation",
    "pinned_sha256",
    "server_name_override",
)


def key_from_environment(name: str) -> str:
    """The API key in an environment variable.

    Raises:
        click.UsageError: the variable is not set, or empty.
    """
    key = os.environ.get(name, "").strip()
    if not key:
        raise click.UsageError(f"--api-key-env: the environment variable {name} is not set, or empty")
    return key


def _plaintext_from_environment() -> bool:
    text = os.environ.get(PLAINTEXT_VARIABLE, "").strip().lower()
    if text not in ("", "0", "false", "1", "true"):
        raise click.UsageError(f"the environment variable {PLAINTEXT_VARIABLE} is {text!r}: expected 1 or 0")
    return text in ("1", "true")


def _client_options(
    endpoint: str | None, *, api_key: str | None, api_key_env: str | None, plaintext: bool, tls: bool, **others: Any
) -> ClientOptions | None:
    if endpoint is None:
        if api_key or api_key_env or plaintext or tls or any(others.values()):
            raise click.UsageError("options of the connection need --endpoint: the embedded gateway has its own")
        return None
    if plaintext and tls:
        raise click.UsageError("--plaintext and --tls exclude each other")
    if api_key and api_key_env:
        raise click.UsageError("--api-key and --api-key-env exclude each other")
    plaintext = plaintext or (not tls and not any(others.values()) and _plaintext_from_environment())
    if api_key_env:
        api_key = key_from_environment(api_key_env)
    key = api_key or os.environ.get(API_KEY_VARIABLE) or None
    keep_secret(key)
    from zb_mom_ww_mxgateway import ClientOptions

    try:
        return ClientOptions(endpoint=endpoint, api_key=key, plaintext=plaintext, **others)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
