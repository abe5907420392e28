"""`mxgw-py version`."""

from __future__ import annotations

from importlib.metadata import version as installed_version

import click

from ..output import show, show_json

__all__ = ["version"]

_DISTRIBUTION = "zb-mom-ww-mxaccess-gateway-client"
#: What this client was made for; it talks to older and newer gateways too (CONTRACT "sessions").
GATEWAY_PROTOCOL_VERSION = 3
WORKER_PROTOCOL_VERSION = 1


@click.command
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def version(as_json: bool) -> None:
    """Show the versions of the client and of the protocols it was made for."""
    # From the distribution's metadata: importing the library would load grpc.
    client = installed_version(_DISTRIBUTION)
    if as_json:
        show_json(
            {
                "clientVersion": client,
                "gatewayProtocolVersion": GATEWAY_PROTOCOL_VERSION,
                "workerProtocolVersion": WORKER_PROTOCOL_VERSION,
            }
        )
        return
    show(f"mxgw-py {client}")
    show(f"gateway protocol {GATEWAY_PROTOCOL_VERSION}")
    show(f"worker protocol {WORKER_PROTOCOL_VERSION}")
