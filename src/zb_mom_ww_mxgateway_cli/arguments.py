"""The options that several commands share, and the forms of what is given to them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

__all__ = [
    "CSV",
    "HANDLES",
    "INT32_MAX",
    "ITEMS",
    "NAME",
    "TIME",
    "as_json",
    "handle",
    "item_handle",
    "item_handles",
    "items",
    "server_handle",
    "session_id",
    "strict",
    "timeout_option",
    "user_ids",
]

INT32_MAX = 2**31 - 1
CommandT = TypeVar("CommandT", bound=Callable[..., Any])


class _Name(click.ParamType[str]):
    """A text that is not empty and can travel."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if not text:
            self.fail("it is empty", param, ctx)
        try:
            text.encode()
        except UnicodeEncodeError:
            # A shell can hand over bytes that are no text.
            self.fail("it has a character that is not valid UTF-8", param, ctx)
        return text


class _Csv(click.ParamType[list[str]]):
    """Values in one line of CSV; quotes keep a comma in a value."""

    name = "csv"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        if isinstance(value, list):
            return value
        text = str(value)
        if "\n" in text or "\r" in text:
            self.fail("it has more than one line", param, ctx)
        try:
            row = next(csv.reader([text], skipinitialspace=True, strict=True), [])
        except csv.Error as error:
            self.fail(f"it is no line of CSV: {error}", param, ctx)
        return row


class _Items(_Csv):
    """References in CSV."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        return [NAME.convert(item, param, ctx) for item in super().convert(value, param, ctx) or [""]]


class _Handles(click.ParamType[list[int]]):
    """Item handles in CSV."""

    name = "csv"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        if isinstance(value, list):
            return value
        return [handle(each, param, ctx) for each in ITEMS.convert(value, param, ctx)]


class _Time(click.ParamType[datetime]):
    """A moment, in ISO 8601 with its offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time: expected ISO 8601, such as 2026-01-31T12:00:00Z", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} has no time zone: add Z or an offset such as +01:00", param, ctx)
        return moment


NAME = _Name()
CSV = _Csv()
ITEMS = _Items()
HANDLES = _Handles()
TIME = _Time()
#: 0 is not a handle (CONTRACT "bulk").
handle = click.IntRange(1, INT32_MAX)

as_json = click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
session_id = click.option("--session-id", required=True, type=NAME, metavar="ID", help="From open-session.")
server_handle = click.option("--server-handle", required=True, type=handle, metavar="N", help="From register.")
item_handle = click.option("--item-handle", required=True, type=handle, metavar="N", help="From add-item.")
items = click.option("--items", required=True, type=ITEMS, metavar="CSV", help="References, such as A.B,C.D.")
item_handles = click.option("--item-handles", required=True, type=HANDLES, metavar="CSV", help="Such as 1,2,3.")
strict = click.option("--strict", is_flag=True, help="Exit with 5 when an entry was refused.")
_current_user = click.option(
    "--current-user-id",
    required=True,
    type=click.IntRange(0, INT32_MAX),
    metavar="N",
    help="From authenticate-user.",
)
_verifier = click.option(
    "--verifier-user-id",
    default=0,
    type=click.IntRange(0, INT32_MAX),
    metavar="N",
    help="For attributes that ask for a second user.",
)


def user_ids(function: CommandT) -> CommandT:
    """Give a command the users of a secured write."""
    return _current_user(_verifier(function))


def timeout_option(text: str, default: float | None) -> Callable[[CommandT], CommandT]:
    """Give a command --timeout, in seconds."""
    shown = "" if default is None else f"  [default: {default:g}]"
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True, max=1e9),
        default=default,
        metavar="SECONDS",
        help=text + shown,
    )
