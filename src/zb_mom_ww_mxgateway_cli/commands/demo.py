"""`mxgw-py demo`: from nothing to a recording, a table and a picture."""

from __future__ import annotations

import contextlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..connection_options import connection_options
from ..outcome import INTERRUPTED, CommandFailed
from ..output import say, show, show_json

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions
    from zb_mom_ww_mxgateway.recording import Collection

__all__ = ["demo"]

_NEEDED = ("pandas", "pyarrow", "matplotlib", "tqdm")
_EXTRA = 'python -m pip install "zb-mom-ww-mxaccess-gateway-client[notebook]"'


@click.command
@connection_options(endpoint=None)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="How long to collect.",
)
@click.option("--tags", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many tags to pick.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("mxgw-demo"),
    show_default=True,
    metavar="DIR",
    help="Where the files go.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the embedded gateway's plant.")
@click.option("--json", "as_json", is_flag=True, help="The summary as one line of JSON.")
def demo(
    options: ClientOptions | None, seconds: float, tags: int, output: Path, seed: int, as_json: bool
) -> int | None:
    """Record some tags: a table here, and events.parquet, events.csv and trend.png in a directory.

    Starts a simulated gateway of its own; with --endpoint it reads from a real one. It only reads: nothing is written
    to the plant. Ctrl-C ends it early and keeps what has come.
    """
    _check_extra()
    from ..demo.embedded import embedded_gateway
    from ..demo.files import make_directory
    from ..demo.record import Recording

    make_directory(output)
    with contextlib.ExitStack() as stack:
        if options is None:
            say("starting a simulated gateway …")
            own = stack.enter_context(embedded_gateway(seed=seed))
        else:
            own = options
        recording = Recording(own, seconds, tags)
        collection = recording.run()
    _report(collection, output, as_json)
    if recording.interrupted:
        say("interrupted: this is what had come until then")
        return INTERRUPTED
    collection.raise_for_error()
    if options is None:
        _next_steps(output)
    return None


def _check_extra() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise CommandFailed(f"demo needs {', '.join(missing)}: {_EXTRA}")


def _report(collection: Collection, output: Path, as_json: bool) -> None:
    if not len(collection):
        collection.raise_for_error()
        reasons = [f"{tag}: {message}" for tag, message in collection.refused.items()][:1]
        raise CommandFailed(
            f"no event came from {collection.endpoint} within {collection.seconds:.1f} s; "
            + (reasons[0] if reasons else "the first values take 3 to 8 s on a fresh session: try more --seconds")
        )
    from ..demo.files import write_files
    from ..demo.report import summary_document, summary_table

    summary = collection.summary()
    files = write_files(collection, output)
    if as_json:
        show_json(summary_document(collection, summary, files))
    else:
        show(summary_table(summary))
    for tag, message in collection.refused.items():
        say(f"{tag}: {message}")
    if collection.silent:
        say(f"nothing came of {', '.join(collection.silent)}")
    for gap in collection.gaps:
        say(f"events are missing: {gap.missing} after sequence {gap.after} ({gap.reason})")
    say(f"wrote {', '.join(str(file) for file in files)}")


def _next_steps(output: Path) -> None:
    parquet = (output / "events.parquet").as_posix()
    say(
        f"""
what next:
  look at {output / "trend.png"}
  in Python: import pyarrow.parquet, zb_mom_ww_mxgateway.frames as frames
             frames.events_frame(pyarrow.parquet.read_table({parquet!r}))
  mxgw-py simulate                                              a gateway to try your own code against
  mxgw-py demo --endpoint HOST:5001 --api-key-env MXGATEWAY_API_KEY      the same with your plant"""
    )
