"""What the README promises, read from the README: its code blocks and its two set-up commands."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of one language in a Markdown file, in order."""
    return [body for found, body in _BLOCK.findall(path.read_text(encoding="utf-8")) if found == language]


def commands(path: Path = ROOT / "README.md") -> list[str]:
    """The lines of the shell blocks of a Markdown file, continuation lines joined, comments left out."""
    lines: list[str] = []
    for body in blocks(path, "bash"):
        joined = body.replace("\\\n", " ")
        lines += [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return lines


def setup_commands() -> list[str]:
    """The README's commands that install: the one for the demo and the one for the tests."""
    return [line for line in commands() if "pip install" in line]


if __name__ == "__main__":
    if sys.argv[1:] != ["test-command"]:
        sys.exit("usage: readme.py test-command")
    print(next(line for line in setup_commands() if "pytest" in line))
