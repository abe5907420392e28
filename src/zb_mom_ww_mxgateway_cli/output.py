"""Where a command's words go: results to stdout, everything else to stderr, API keys nowhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

import click

__all__ = ["clean", "keep_secret", "say", "show", "show_json", "show_reply"]

_secrets: set[str] = set()
#: Nothing that looks like a key, or like its start, needs the library's help: most texts pass without importing it.
_SUSPICIOUS = re.compile(r"mxgw_|bearer", re.IGNORECASE)


def keep_secret(key: str | None) -> None:
    """Remove this key, whole and in its parts, from everything that is written from now on."""
    if key:
        _secrets.add(key)


def clean(text: str) -> str:
    """The text without API keys."""
    if not _secrets and not _SUSPICIOUS.search(text):
        return text
    from zb_mom_ww_mxgateway.auth import redact

    for key in sorted(_secrets, key=len, reverse=True):
        text = redact(text, key)
    return redact(text)


def say(text: str) -> None:
    """A message for people, on stderr."""
    click.echo(clean(text), err=True)


def show(text: str) -> None:
    """A result for people, on stdout."""
    click.echo(clean(text))


def show_json(data: Any) -> None:
    """A result for programs: one line of JSON on stdout, keys sorted, messages in protobuf's JSON form.

    Args:
        data: dicts, lists, protobuf messages, aware datetimes, paths and plain values, in any nesting.
    """
    click.echo(json.dumps(_plain(data), sort_keys=True, allow_nan=False))


def show_reply(data: Any, lines: str | Iterable[str], *, as_json: bool) -> None:
    """The result of a command, once: for programs with --json, else for people.

    Args:
        data: as for `show_json`.
        lines: the same in few words; only looked at without --json.
        as_json: whether --json was given.
    """
    if as_json:
        show_json(data)
        return
    for line in [lines] if isinstance(lines, str) else lines:
        show(line)


def _plain(data: Any) -> Any:
    if isinstance(data, str):
        return clean(data)
    if data is None or isinstance(data, bool | int):
        return data
    if isinstance(data, float):
        # JSON has no word for them; protobuf's JSON form spells them as strings.
        return data if data - data == 0 else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(data), "NaN")
    if isinstance(data, Mapping):
        return {clean(str(key)): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    if isinstance(data, datetime):
        return data.isoformat().replace("+00:00", "Z")
    if isinstance(data, PurePath):
        return data.as_posix()
    return _plain(_message(data))


def _message(data: Any) -> Any:
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import Message

    if not isinstance(data, Message):
        raise TypeError(f"no JSON form for a {type(data).__name__}")
    return MessageToDict(data)
