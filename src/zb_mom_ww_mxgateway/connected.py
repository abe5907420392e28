"""What the clients of both services have in common: a connection, and its end."""

from __future__ import annotations

from types import TracebackType
from typing import Self, Unpack

from .connection import Connection
from .drift import Unknowns
from .options import ClientOptions, ConnectKeywords, resolve_options

__all__ = ["ConnectedClient"]


class ConnectedClient:
    """A client over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    async def connect(cls, options: ClientOptions | str | None = None, /, **keywords: Unpack[ConnectKeywords]) -> Self:
        """Prepare a connection to a gateway.

        gRPC connects with the first call; only trust-on-first-use contacts the gateway here.

        Args:
            options: a `ClientOptions`, or the endpoint.
            **keywords: the fields of `ClientOptions`: `endpoint`, `api_key`, `plaintext`, …

        Raises:
            TypeError: an option is unknown or given twice.
            ValueError: an option's value cannot be used.
            MxGatewayTransportError: the gateway's certificate cannot be fetched or trusted.
        """
        return cls(await Connection.open(resolve_options(options, keywords)))

    @property
    def options(self) -> ClientOptions:
        """How the gateway is reached."""
        return self._connection.options

    @property
    def unknowns(self) -> Unknowns:
        """Fields and enum values that the gateway has sent and this client's contract does not know."""
        return self._connection.unknowns

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 (hex) of the pinned certificate; None without trust-on-first-use."""
        return self._connection.dialer.fingerprint

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.options!r}{', closed' if self._connection.closed else ''})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        await self._connection.close()
