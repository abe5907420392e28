"""The widgets of the live views: what is shown comes as one trait, what is asked for goes as messages."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

__all__ = ["AlarmListWidget", "WatchWidget"]

_HERE = Path(__file__).parent


def _module(name: str) -> str:
    """A widget's module is sent as one text; what the live views share stands before it."""
    return "\n".join((_HERE / part).read_text(encoding="utf-8") for part in ("live_common.js", name))


class WatchWidget(anywidget.AnyWidget):
    """A table of tags with trends."""

    _esm = _module("live_watch.js")
    _css = _HERE / "live.css"

    view = traitlets.Dict().tag(sync=True)


class AlarmListWidget(anywidget.AnyWidget):
    """A list of alarms, with a form to acknowledge one."""

    _esm = _module("alarm_list.js")
    _css = _HERE / "live.css"

    view = traitlets.Dict().tag(sync=True)
