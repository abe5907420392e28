"""What a live view holds of its tags: the last value of each, and a ring of those before."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..generated import mxaccess_gateway_pb2 as pb
from ..status import is_failure, is_good, quality_name
from ..values import from_mx_value, to_datetime

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LiveValues", "shown"]

#: Values kept per tag, and of all tags together: some 100 MB at most.
_PER_TAG, _IN_ALL = 5000, 500_000
#: Pieces of time that a trend is drawn in; each has at most its lowest and its highest value.
_PIECES = 90
#: Tags that have a trend: the others are in the table alone.
TREND_TAGS = 40
_LONGEST_TEXT = 60
#: Qualities without a substatus.
_PLAIN = (0x00, 0x40, 0xC0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: A time in seconds, and a number; None is no good value.
_Point: TypeAlias = tuple[float, float | None]


class _Held(NamedTuple):
    """A value that came: its source's time, the same in seconds for the trend, and in which order."""

    time: datetime
    at: float
    value: Any
    quality: int
    order: int
    #: Why there is no good value, in the plant's words.
    why: str


class LiveValues:
    """The values of some tags, within bounds.

    Ages and trends go by the plant's time: when the gateway received the newest event, and what has gone by since. The
    clock of this machine may be another one.

    Args:
        tags: references, in the order to show.
        minutes: how far back a trend goes.
    """

    def __init__(self, tags: Sequence[str], minutes: float) -> None:
        size = max(50, min(_PER_TAG, _IN_ALL // len(tags)))
        self.seconds = minutes * 60
        self.refused: Mapping[str, str] = {}
        self._tags: dict[str, deque[_Held]] = {tag: deque(maxlen=size) for tag in tags}
        self._count = 0
        # The plant's time less that of the view's clock.
        self._ahead: float | None = None

    def forget_clock(self) -> None:
        """Another stream begins; clocks may have been set meanwhile."""
        self._ahead = None

    def add(self, events: Iterable[pb.MxEvent], items: Mapping[tuple[int, int], str], now: float) -> int:
        """Take the data changes of known items; how many there were."""
        before = self._count
        for event in events:
            name = items.get((event.server_handle, event.item_handle))
            if name is None or event.WhichOneof("body") != "on_data_change":
                continue
            source = to_datetime(event.source_timestamp)
            received = to_datetime(event.gateway_receive_timestamp).timestamp()
            # The event that was least delayed tells it best.
            ahead = received - now
            self._ahead = ahead if self._ahead is None else max(self._ahead, ahead)
            # A source without a clock sends the year 1 or 1601.
            at = source.timestamp() if source >= _EPOCH else received
            self._count += 1
            self._tags[name].append(
                _Held(source, at, from_mx_value(event.value), event.quality, self._count, _why(event))
            )
        return self._count - before

    def rows(self, now: float) -> list[dict[str, Any]]:
        """One row per tag: what to show of it."""
        return [self._row(name, ring, now + (self._ahead or 0.0)) for name, ring in self._tags.items()]

    def _row(self, name: str, ring: deque[_Held], plant_now: float) -> dict[str, Any]:
        if not ring:
            why = self.refused.get(name, "")
            return {"tag": name, "value": "", "quality": why or "no value yet", "kind": "bad" if why else "none"}
        held = ring[-1]
        word = quality_name(held.quality)
        return {
            "tag": name,
            "value": shown(held.value),
            "quality": f"{word}: {held.why}"
            if held.why
            else word
            if held.quality in _PLAIN
            else f"{word} ({held.quality})",
            "kind": word,
            "age": round(max(0.0, plant_now - held.at), 1),
            "time": held.time.isoformat(),
        }

    def trends(self, now: float) -> dict[str, dict[str, Any]]:
        """By tag: `t` (seconds before now, rising to 0) and `v` (numbers; None where there is no good value).

        A value holds until the next one, so a trend goes on to now; one of yes and no is 0 and 1.
        """
        names = list(self._tags)[:TREND_TAGS]
        plant_now = now + (self._ahead or 0.0)
        return {name: trend for name in names if (trend := self._trend(self._tags[name], plant_now)) is not None}

    def _trend(self, ring: deque[_Held], now: float) -> dict[str, Any] | None:
        begin = now - self.seconds
        points: list[_Point] = []
        for held in reversed(ring):
            points.append((max(held.at, begin), _number(held.value) if is_good(held.quality) else None))
            if held.at < begin:
                break
        if all(number is None for _, number in points):
            return None
        points.sort(key=lambda point: point[0])
        points = _thinned(points, begin, self.seconds / _PIECES)
        points.append((now, points[-1][1]))
        numbers = [None if number is None else float(f"{number:.6g}") for _, number in points]
        times = [round(min(at - now, 0.0), 1) for at, _ in points]
        return {"t": times, "v": numbers, "flag": isinstance(ring[-1].value, bool)}

    def frame(self, tz: str) -> pd.DataFrame:
        """All that is held, one row per value, oldest first."""
        import pandas as pd

        held = sorted(
            ((name, each) for name, ring in self._tags.items() for each in ring), key=lambda pair: pair[1].order
        )
        frame = pd.DataFrame(
            {
                "time": pd.Series([each.time for _, each in held], dtype="datetime64[us, UTC]").dt.tz_convert(tz),
                "tag": pd.Categorical([name for name, _ in held], categories=list(self._tags)),
                "value": pd.Series([each.value for _, each in held], dtype=object),
                "quality": pd.Series([each.quality for _, each in held], dtype="int32"),
            }
        )
        frame["good"] = frame["quality"] >= 0xC0
        frame.attrs.update(refused=dict(self.refused), dropped=self._count - len(held))
        return frame


def shown(value: Any) -> str:
    """A value as text that fits a cell."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.6g}"
        case datetime():
            return value.isoformat(sep=" ", timespec="milliseconds")
        case list() | tuple():
            text = f"[{', '.join(shown(each) for each in value[:8])}{', …' if len(value) > 8 else ''}]"
        case bytes():
            text = f"{len(value)} bytes"
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def _why(event: pb.MxEvent) -> str:
    if is_good(event.quality):
        return ""
    return next((status.diagnostic_text for status in event.statuses if is_failure(status)), "")


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _thinned(points: list[_Point], begin: float, length: float) -> list[_Point]:
    """Of each piece of time the lowest and the highest value and a gap, in their order; the last point stays last."""
    if len(points) <= 2 * _PIECES:
        return points
    pieces: dict[int, list[_Point]] = {}
    for point in points:
        pieces.setdefault(int((point[0] - begin) / length), []).append(point)
    kept: list[_Point] = []
    for piece in pieces.values():
        good = [(number, at) for at, number in piece if number is not None]
        chosen: set[_Point] = {(at, number) for number, at in (min(good), max(good))} if good else set()
        chosen |= {point for point in piece if point[1] is None and point[0] == piece[-1][0]}
        kept += sorted(chosen or {piece[-1]}, key=lambda point: point[0])
    if kept[-1] != points[-1]:
        kept.append(points[-1])
    return kept
