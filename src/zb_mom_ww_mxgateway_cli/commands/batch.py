"""`mxgw-py batch`: many commands in one process, over connections that stay."""

from __future__ import annotations

import io
import shlex
import sys
from collections.abc import Iterator

import click

from ..connections import Connections
from ..outcome import INTERRUPTED, explain
from ..output import show_json

__all__ = ["END_OF_RESULT", "batch", "split"]

#: After each command's result, on a line of its own.
END_OF_RESULT = "__MXGW_BATCH_EOR__"

#: They would read the batch's stdin, or never end.
_REFUSED = frozenset({"batch", "simulate"})


@click.command("batch")
@click.pass_context
def batch(ctx: click.Context) -> int:
    """Run the commands on stdin, one per line, until it ends.

    Each line is what would follow mxgw-py on the command line. Its result goes to stdout, followed by the line
    __MXGW_BATCH_EOR__; a command that fails gives {"error": "…", "type": "error"} and the next one runs. Empty lines
    are skipped. Quotes, '…' or "…", group words; a backslash is a character like any other.
    """
    root = ctx.find_root().command
    with Connections() as connections:
        for line in _lines():
            if line.strip():
                _answer(root, line, connections)
    return 0


def _lines() -> Iterator[str]:
    """The lines of stdin, in UTF-8 wherever it is used, with or without a byte order mark."""
    stdin = getattr(sys.stdin, "buffer", None)
    if stdin is None:
        yield from sys.stdin
        return
    with io.TextIOWrapper(stdin, encoding="utf-8-sig", errors="surrogateescape") as text:
        yield from iter(text.readline, "")


def split(line: str) -> list[str]:
    """The words of a line.

    Raises:
        click.UsageError: a quote is not closed.
    """
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    # Paths of Windows and references of alarms hold backslashes.
    lexer.escape = ""
    try:
        words = list(lexer)
    except ValueError as error:
        raise click.UsageError(f"{line.strip()!r}: {error}") from None
    return words[1:] if words[:1] == ["mxgw-py"] else words


def _answer(root: click.Command, line: str, connections: Connections) -> None:
    try:
        words = split(line)
        if words[:1] and words[0] in _REFUSED:
            raise click.UsageError(f"{words[0]} cannot run in a batch")
        root.main(words, prog_name="mxgw-py", standalone_mode=False, obj=connections)
    except Exception as error:
        outcome = explain(error)
        if outcome is None or outcome.code == INTERRUPTED:
            raise
        show_json({"error": outcome.text, "type": "error"})
    # Not `show`: to it this looks like a key.
    click.echo(END_OF_RESULT)
