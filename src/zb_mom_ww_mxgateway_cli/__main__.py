"""The entry point of `mxgw-py` and of `python -m zb_mom_ww_mxgateway_cli`."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Sequence

from .app import PROGRAM, root
from .outcome import explain
from .output import say

__all__ = ["main", "run"]


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a failure is one line on stderr.

    Args:
        arguments: the words after `mxgw-py`; None takes them from the command line.
    """
    try:
        result = root.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        outcome = explain(error)
        if outcome is None:
            raise
        say(outcome.text)
        return outcome.code
    return result if isinstance(result, int) else 0


def main() -> None:
    """Run the command line and exit."""
    # grpc's own log would put several lines beside the one that says what is wrong.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A Windows code page must not turn a reference with an umlaut into a traceback.
            stream.reconfigure(errors="backslashreplace")
    if sys.platform == "win32":
        # Ctrl-Break ends like Ctrl-C: it is what a parent process can send there.
        signal.signal(signal.SIGBREAK, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.exit(run())


if __name__ == "__main__":
    main()
