"""An API key in a file: the way from a simulated gateway to its users that shows on no screen."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from .outcome import CommandFailed

__all__ = ["read_or_make_key"]


def read_or_make_key(path: Path) -> tuple[str, bool]:
    """The key in the file, and whether it was made just now.

    A new file is for its owner alone, where the system knows such a thing.

    Raises:
        CommandFailed: the file holds no key.
        OSError: it cannot be read or made.
    """
    key = f"mxgw_simulator_{secrets.token_urlsafe(32)}"
    try:
        # O_EXCL: two that start at once must not serve two keys with one file.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found = path.read_text(encoding="utf-8").strip()
        if not found or any(character.isspace() for character in found):
            raise CommandFailed(f"{path} holds no API key: one line with the key is expected") from None
        return found, False
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(f"{key}\n")
    return key, True
