"""The list of commands. Each is imported when it is called, so that `mxgw-py version` needs nothing of the others."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

__all__ = ["COMMANDS", "PROGRAM", "root"]

PROGRAM = "mxgw-py"

#: Command to "module:name" within `commands`, in the order of the help.
COMMANDS: Mapping[str, str] = {
    "demo": "demo:demo",
    "simulate": "simulate:simulate",
    "smoke": "smoke:smoke",
    "version": "version:version",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(f".commands.{module}", __package__), name)
        return command


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.",
)
def root() -> None:
    """Client of the MXAccess Gateway: live AVEVA System Platform values and the Galaxy.

    `mxgw-py demo` needs no gateway and no plant. Results go to stdout, everything else to stderr; with --json stdout
    holds JSON alone.
    """
