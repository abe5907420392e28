"""Which gateway a notebook talks to: arguments, else the environment, else an embedded simulated one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..options import ClientOptions

__all__ = ["PROGRESS_VARIABLE", "options_from", "progress_wanted"]

PROGRESS_VARIABLE = "MXGATEWAY_PROGRESS"

# Variable to option; the key is handled like the others, and shown as little.
_TEXTS = {
    "MXGATEWAY_API_KEY": "api_key",
    "MXGATEWAY_CA_FILE": "ca_file",
    "MXGATEWAY_SERVER_NAME_OVERRIDE": "server_name_override",
    "MXGATEWAY_PINNED_SHA256": "pinned_sha256",
}
_FLAGS = {
    "MXGATEWAY_PLAINTEXT": "plaintext",
    "MXGATEWAY_REQUIRE_CERTIFICATE_VALIDATION": "require_certificate_validation",
}
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


def options_from(
    endpoint: str | None, given: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> ClientOptions | None:
    """The options of a gateway; None when neither an argument nor the environment names one.

    What is given wins over the environment, option by option.

    Args:
        endpoint: `host:port`, or None for `MXGATEWAY_ENDPOINT`.
        given: further options of `ClientOptions`; None counts as not given.
        environment: `os.environ` by default.
    """
    variables = os.environ if environment is None else environment
    chosen = {name: value for name, value in given.items() if value is not None}
    endpoint = endpoint or variables.get("MXGATEWAY_ENDPOINT", "").strip()
    if not endpoint:
        return None
    found: dict[str, Any] = {
        option: variables[name] for name, option in _TEXTS.items() if variables.get(name, "").strip()
    }
    found |= {option: _flag(name, variables[name]) for name, option in _FLAGS.items() if name in variables}
    return ClientOptions(endpoint=endpoint, **(found | chosen))


def progress_wanted(progress: bool | None) -> bool:
    """Whether to draw progress bars: as asked for, else unless `MXGATEWAY_PROGRESS` turns them off."""
    if progress is not None:
        return progress
    return _flag(PROGRESS_VARIABLE, os.environ.get(PROGRESS_VARIABLE, "1"))


def _flag(name: str, text: str) -> bool:
    value = text.strip().lower()
    if value not in _TRUE | _FALSE:
        raise ValueError(f"{name}={text!r} must be 1 or 0")
    return value in _TRUE
