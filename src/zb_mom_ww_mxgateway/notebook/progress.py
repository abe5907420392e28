"""A progress bar for collections."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

__all__ = ["ProgressBar"]


class ProgressBar:
    """A tqdm bar over seconds or events; nothing at all when it is not wanted.

    Args:
        wanted: whether to draw.
        seconds: the length, when the collection ends by time.
        events: the length, when it ends by number.
        unit: what is counted.
    """

    def __init__(self, wanted: bool, seconds: float | None, events: int | None, unit: str = " events") -> None:
        self._unit = unit
        self._wanted = wanted
        self._seconds = seconds
        self._events = events
        self._bar: Any = None

    def __enter__(self) -> Self:
        if self._wanted:
            from tqdm.auto import tqdm

            by_time = self._seconds is not None
            self._bar = tqdm(
                total=self._seconds if by_time else self._events,
                unit="s" if by_time else self._unit,
                bar_format="{l_bar}{bar}| {n:.0f}/{total:.0f}{unit}{postfix}",
            )
        return self

    def update(self, events: int, seconds: float) -> None:
        """Show how far it is."""
        if self._bar is not None:
            self._bar.n = seconds if self._seconds is not None else min(events, self._events or events)
            self._bar.set_postfix_str(f"{events} events")

    def objects(self, done: int, total: int) -> None:
        """Show how many of a total are done."""
        if self._bar is not None:
            self._bar.total = total
            self._bar.n = done
            self._bar.refresh()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
