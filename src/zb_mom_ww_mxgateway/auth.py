"""API keys: the one metadata list that every call carries, and their removal from every text.

A key has the form `mxgw_<id>_<secret>` and travels as `authorization: Bearer <key>` (CONTRACT "auth").
"""

from __future__ import annotations

import re

__all__ = ["REDACTED", "authorization_metadata", "check_api_key", "redact"]

REDACTED = "[redacted]"

# Anything that looks like a gateway key, whoever wrote it into the text. The secret is URL-safe base64.
_KEY_PATTERN = re.compile(r"(?<![A-Za-z0-9_])mxgw_[A-Za-z0-9_\-=.~+/]+", re.IGNORECASE)
_BEARER_PATTERN = re.compile(r"(?i)(bearer\s+)(?!\[redacted\])\S+")
# Shorter parts are common words; removing them would hide what an error says.
_SHORTEST_PART = 6


def check_api_key(api_key: str | None) -> str | None:
    """Return the key without surrounding white space, or None for an empty one.

    Raises:
        ValueError: the key has a character that cannot travel in a header. The text names its position only.
    """
    if api_key is None:
        return None
    key = api_key.strip()
    for position, character in enumerate(key):
        if not "!" <= character <= "~":
            raise ValueError(
                f"the API key has a character at position {position} that cannot be part of a key "
                f"(white space, control or non-ASCII): check how it was copied"
            )
    return key or None


def authorization_metadata(api_key: str | None) -> tuple[tuple[str, str], ...]:
    """The metadata of a call: the bearer token, or nothing without a key."""
    key = check_api_key(api_key)
    return () if key is None else (("authorization", f"Bearer {key}"),)


def _parts(api_key: str) -> list[str]:
    """The key and the pieces of it that must not show either, longest first."""
    pieces = {api_key}
    if api_key.lower().startswith("mxgw_"):
        rest = api_key[5:]
        pieces.add(rest)
        pieces.add(rest.partition("_")[2])
    return sorted((piece for piece in pieces if len(piece) >= _SHORTEST_PART), key=len, reverse=True)


def redact(text: str, api_key: str | None = None) -> str:
    """Return `text` without API keys.

    Args:
        text: what is about to be shown, logged or raised.
        api_key: the key in use; it is removed whole and in its parts. Anything else that has the form of a key or
            follows "Bearer" is removed too.
    """
    if api_key:
        for part in _parts(api_key.strip()):
            text = text.replace(part, REDACTED)
    return _BEARER_PATTERN.sub(rf"\g<1>{REDACTED}", _KEY_PATTERN.sub(REDACTED, text))
