"""The list of commands. Each is imported when it is called, so that `mxgw-py version` needs nothing of the others."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

from .outcome import MEANINGS

__all__ = ["COMMANDS", "PROGRAM", "root"]

PROGRAM = "mxgw-py"

#: Command to "module:name" within `commands`, in the order of the help.
COMMANDS: Mapping[str, str] = {
    "demo": "demo:demo",
    "simulate": "simulate:simulate",
    "smoke": "smoke:smoke",
    "version": "version:version",
    "open-session": "sessions:open_session",
    "close-session": "sessions:close_session",
    "ping": "sessions:ping",
    "register": "sessions:register",
    "unregister": "sessions:unregister",
    "authenticate-user": "sessions:authenticate_user",
    "add-item": "items:add_item",
    "add-item2": "items:add_item2",
    "remove-item": "items:remove_item",
    "advise": "items:advise",
    "advise-supervisory": "items:advise_supervisory",
    "unadvise": "items:unadvise",
    "un-advise": "items:unadvise",
    "subscribe-bulk": "items:subscribe_bulk",
    "unsubscribe-bulk": "items:unsubscribe_bulk",
    "read-bulk": "items:read_bulk",
    "write": "writes:write",
    "write2": "writes:write2",
    "write-secured": "writes:write_secured",
    "write-secured2": "writes:write_secured2",
    "write-bulk": "writes:write_bulk",
    "write2-bulk": "writes:write2_bulk",
    "write-secured-bulk": "writes:write_secured_bulk",
    "write-secured2-bulk": "writes:write_secured2_bulk",
    "stream-events": "streams:stream_events",
    "stream-alarms": "alarms:stream_alarms",
    "query-active-alarms": "alarms:query_active_alarms",
    "acknowledge-alarm": "alarms:acknowledge_alarm",
    "galaxy-test-connection": "galaxy:galaxy_test_connection",
    "galaxy-last-deploy": "galaxy:galaxy_last_deploy",
    "galaxy-discover": "galaxy:galaxy_discover",
    "galaxy-browse": "galaxy:galaxy_browse",
    "galaxy-watch": "galaxy:galaxy_watch",
    "bench-read-bulk": "bench:bench_read_bulk",
    "batch": "batch:batch",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if name != "un-advise"]

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
    epilog=f"Exit codes: {'; '.join(f'{code} {meaning}' for code, meaning in MEANINGS.items())}.",
)
def root() -> None:
    """Client of the MXAccess Gateway: live AVEVA System Platform values and the Galaxy.

    `mxgw-py demo` needs no gateway and no plant. Results go to stdout, everything else to stderr; with --json stdout
    holds JSON alone.
    """
