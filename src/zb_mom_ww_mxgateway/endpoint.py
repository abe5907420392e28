"""Where a gateway is: `host:port` in the forms that people write."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

__all__ = ["PLAINTEXT_PORT", "TLS_PORT", "Endpoint", "parse_endpoint"]

#: The gateway's documented ports (CONTRACT "limits").
PLAINTEXT_PORT = 5000
TLS_PORT = 5001


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host (without brackets) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(text: str, *, plaintext: bool) -> Endpoint:
    """Read `host`, `host:port`, `[v6]:port`, a bare IPv6 literal, or an `http://` or `https://` address.

    Without a port it is 5000 for plaintext and 5001 for TLS.

    Raises:
        ValueError: it is none of these, or its scheme contradicts `plaintext`.
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"endpoint={text!r} is empty: give host:port, for example localhost:{TLS_PORT}")
    rest = text.strip()
    scheme, separator, after = rest.partition("://")
    if separator:
        rest = _without_scheme(scheme.lower(), after, plaintext)
    if "@" in rest:
        raise ValueError("the endpoint holds a user name or password: give host:port, and the key as api_key")
    host, port = _split(rest)
    if not host or any(character.isspace() or character in "/?#[]" for character in host):
        raise ValueError(f"endpoint={text!r} has no valid host: give host:port, for example localhost:{TLS_PORT}")
    if port is None:
        return Endpoint(host, PLAINTEXT_PORT if plaintext else TLS_PORT)
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ValueError(f"endpoint={text!r} has port {port!r}: a port is a number from 1 to 65535")
    return Endpoint(host, int(port))


def _without_scheme(scheme: str, rest: str, plaintext: bool) -> str:
    if scheme not in ("http", "https"):
        raise ValueError(f"endpoint scheme {scheme!r} is not supported: give host:port")
    if scheme == "http" and not plaintext:
        raise ValueError("an http:// endpoint is plaintext: pass plaintext=True (--plaintext), or use https://")
    if scheme == "https" and plaintext:
        raise ValueError("an https:// endpoint contradicts plaintext=True (--plaintext): drop one of them")
    host, slash, path = rest.partition("/")
    if slash and path:
        raise ValueError(f"the endpoint has a path, /{path}: the gateway is at the root, give host:port")
    return host


def _split(rest: str) -> tuple[str, str | None]:
    if rest.startswith("["):
        literal, bracket, after = rest[1:].partition("]")
        if not bracket or not _is_ipv6(literal):
            return "", None
        return literal, after[1:] if after.startswith(":") else (None if not after else "?")
    if rest.count(":") > 1:
        return (rest, None) if _is_ipv6(rest) else ("", None)
    host, colon, port = rest.partition(":")
    return host, port if colon else None


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text.partition("%")[0]).version == 6
    except ValueError:
        return False
