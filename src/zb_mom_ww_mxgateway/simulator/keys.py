"""API keys of the simulated gateway: what a key may do, and the one place that decides it.

The rules are CONTRACT.md "auth" and "scopes": a missing or bad key is UNAUTHENTICATED without saying which check
failed, a good key without the scope is PERMISSION_DENIED.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import grpc

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .model import Security, Tag

__all__ = ["ALL_SCOPES", "AccessDeniedError", "ApiKey", "KeyRing", "scope_of_command"]

ALL_SCOPES = frozenset(
    {
        "session:open",
        "session:close",
        "invoke:read",
        "invoke:write",
        "invoke:secure",
        "events:read",
        "metadata:read",
        "admin",
    }
)

SCOPE_OF_RPC = {
    "OpenSession": "session:open",
    "CloseSession": "session:close",
    "StreamEvents": "events:read",
    "StreamAlarms": "events:read",
    "QueryActiveAlarms": "events:read",
    "AcknowledgeAlarm": "invoke:write",
    "TestConnection": "metadata:read",
    "GetLastDeployTime": "metadata:read",
    "DiscoverHierarchy": "metadata:read",
    "WatchDeployEvents": "metadata:read",
    "BrowseChildren": "metadata:read",
}

_WRITES = {"WRITE", "WRITE2", "WRITE_BULK", "WRITE2_BULK", "ACKNOWLEDGE_ALARM", "ACKNOWLEDGE_ALARM_BY_NAME"}
_SECURE = {
    "WRITE_SECURED",
    "WRITE_SECURED2",
    "WRITE_SECURED_BULK",
    "WRITE_SECURED2_BULK",
    "AUTHENTICATE_USER",
    "ARCHESTRA_USER_TO_ID",
}


class AccessDeniedError(Exception):
    """A call that its key does not allow; `code` is the gRPC status."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key and what it may do.

    Args:
        id: the public part; no underscore.
        secret: the private part; it may contain underscores. Shown nowhere.
        scopes: of `ALL_SCOPES`.
        read_subtrees: areas or objects that items may be added from; empty is everything.
        write_subtrees: the same for writes.
        browse_subtrees: what listings of the Galaxy show.
        read_tag_globs: references that items may be added for; empty is everything.
        write_tag_globs: references that may be written.
        max_write_classification: the highest security classification that may be written; None is any.
    """

    id: str
    secret: str = field(repr=False)
    scopes: frozenset[str] = ALL_SCOPES
    read_subtrees: Sequence[str] = ()
    write_subtrees: Sequence[str] = ()
    browse_subtrees: Sequence[str] = ()
    read_tag_globs: Sequence[str] = ()
    write_tag_globs: Sequence[str] = ()
    max_write_classification: Security | None = None

    def __post_init__(self) -> None:
        if not self.id or "_" in self.id:
            raise ValueError(f"key id {self.id!r} must be a name without underscores: the first one ends it")
        if not self.secret:
            raise ValueError(f"key {self.id!r} has no secret")
        object.__setattr__(self, "scopes", frozenset(self.scopes))
        unknown = sorted(self.scopes - ALL_SCOPES)
        if unknown:
            raise ValueError(f"unknown scope {', '.join(unknown)}; the scopes are {', '.join(sorted(ALL_SCOPES))}")

    @classmethod
    def parse(cls, token: str, scopes: Iterable[str] = ALL_SCOPES) -> ApiKey:
        """The key with the token `mxgw_<id>_<secret>`.

        Raises:
            ValueError: the token has another form. The text does not show it.
        """
        prefix, _, rest = token.partition("_")
        key_id, underscore, secret = rest.partition("_")
        if prefix.lower() != "mxgw" or not key_id or not underscore or not secret:
            raise ValueError("an API key has the form mxgw_<id>_<secret>")
        return cls(key_id, secret, frozenset(scopes))

    @property
    def token(self) -> str:
        """What a client sends."""
        return f"mxgw_{self.id}_{self.secret}"

    def may_read(self, reference: str, path: Sequence[str]) -> bool:
        """Whether an item may be added.

        Args:
            reference: as the Galaxy spells it, or as it was given when the Galaxy does not know it.
            path: the names of the tag's object and of all above it; empty for an unknown reference, which is in no
                subtree.
        """
        return _within(path, self.read_subtrees) and _matches(reference, self.read_tag_globs)

    def may_write(self, tag: Tag, path: Sequence[str]) -> bool:
        """Whether a tag may be written."""
        limit = self.max_write_classification
        return (
            _within(path, self.write_subtrees)
            and _matches(tag.reference, self.write_tag_globs)
            and (limit is None or tag.attribute.security <= limit)
        )


class KeyRing:
    """The keys that a gateway accepts.

    Args:
        keys: None turns authentication off, as the gateway's mode "Disabled" does.
    """

    def __init__(self, keys: Iterable[ApiKey] | None) -> None:
        self._keys = None if keys is None else {key.id: key for key in keys}
        self._revoked: set[str] = set()

    @property
    def disabled(self) -> bool:
        """Whether every call is let through."""
        return self._keys is None

    def revoke(self, key_id: str) -> None:
        """Refuse a key from now on."""
        self._revoked.add(key_id)

    def restore(self, key_id: str) -> None:
        """Accept a revoked key again."""
        self._revoked.discard(key_id)

    def authenticate(self, metadata: Iterable[tuple[str, str | bytes]]) -> ApiKey | None:
        """The key of a call; None when authentication is off.

        Raises:
            AccessDeniedError: there is no key, or it is not accepted.
        """
        if self._keys is None:
            return None
        given = next((value for name, value in metadata if name == "authorization"), None)
        if given is None:
            raise AccessDeniedError(grpc.StatusCode.UNAUTHENTICATED, "an API key is required")
        text = given.decode() if isinstance(given, bytes) else given
        scheme, _, token = text.partition(" ")
        key_id, _, secret = token.strip()[5:].partition("_")
        known = self._keys.get(key_id)
        # Compared even for an unknown id, so that the time it takes tells nothing.
        same = hmac.compare_digest(secret.encode(), (known.secret if known else "").encode())
        bearer = scheme.lower() == "bearer" and token.lower().startswith("mxgw_")
        if not (bearer and known and same) or key_id in self._revoked:
            raise AccessDeniedError(grpc.StatusCode.UNAUTHENTICATED, "the API key is not accepted")
        return known

    def authorize(self, metadata: Iterable[tuple[str, str | bytes]], scope: str) -> ApiKey | None:
        """The key of a call that needs a scope; None when authentication is off.

        Raises:
            AccessDeniedError: as `authenticate`, or the key lacks the scope.
        """
        key = self.authenticate(metadata)
        if key is not None and scope not in key.scopes:
            raise AccessDeniedError(grpc.StatusCode.PERMISSION_DENIED, f"the API key lacks the scope {scope}")
        return key


def scope_of_command(kind: int) -> str:
    """The scope that a command needs; one that is not known needs `admin` (fail closed)."""
    names = {number: name for name, number in pb.MxCommandKind.items()}
    name = names.get(kind, "").removeprefix("MX_COMMAND_KIND_")
    if not name or name == "UNSPECIFIED":
        return "admin"
    if name in _WRITES:
        return "invoke:write"
    if name in _SECURE:
        return "invoke:secure"
    return "events:read" if name == "DRAIN_EVENTS" else "invoke:read"


def _within(path: Sequence[str], subtrees: Sequence[str]) -> bool:
    if not subtrees:
        return True
    wanted = {subtree.rpartition("/")[2].lower() for subtree in subtrees}
    return any(name.lower() in wanted for name in path)


def _matches(reference: str, globs: Sequence[str]) -> bool:
    return not globs or any(fnmatchcase(reference.lower(), glob.lower()) for glob in globs)
