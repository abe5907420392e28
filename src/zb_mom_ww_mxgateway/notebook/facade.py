"""What all parts of the notebook's gateway stand on."""

from __future__ import annotations

import concurrent.futures
import weakref
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import MxGatewayCommandError
from ..options import ClientOptions
from ..recording import Collection
from .portal import Portal
from .workbench import Workbench

if TYPE_CHECKING:
    from ..simulator import SimulatedGateway
    from .live_view import LiveView

__all__ = ["READ_ONLY", "Facade", "ReadOnlyError"]

ResultT = TypeVar("ResultT")

READ_ONLY = "this gateway was opened read-only: connect(allow_writes=True) to write"


class ReadOnlyError(MxGatewayCommandError):
    """A write on a gateway that was opened without `allow_writes=True`."""


class Facade:
    """Blocking calls over the background loop.

    Attributes:
        options: how the gateway is reached.
        allow_writes: whether it was opened for writing.
    """

    options: ClientOptions
    allow_writes: bool
    _bench: Workbench
    _portal: Portal
    _closed: bool
    _simulator: SimulatedGateway | None
    _views: weakref.WeakSet[LiveView]

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def _call(self, coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
        try:
            self._check_usable()
        except MxGatewayCommandError:
            coroutine.close()
            raise
        return self._portal.call(coroutine)

    def _check_usable(self) -> None:
        if self._closed:
            raise MxGatewayCommandError(f"the gateway {self.options.address} is closed: connect again")

    def _check_writes(self) -> None:
        if not self.allow_writes:
            raise ReadOnlyError(READ_ONLY)


def wait_for(future: concurrent.futures.Future[Collection]) -> Collection:
    """The result of a collection; an interrupt is seen while waiting."""
    while True:
        try:
            return future.result(timeout=0.1)
        except concurrent.futures.TimeoutError:
            # In slices, so that an interrupt is seen on Windows as well.
            if future.done():
                return future.result()


def listed(tags: str | Sequence[str]) -> list[str]:
    """One or more references as a list.

    Raises:
        ValueError: there is none, or one is empty.
    """
    wanted = [tags] if isinstance(tags, str) else list(tags)
    if not wanted or not all(isinstance(tag, str) and tag.strip() for tag in wanted):
        raise ValueError(f"tags={tags!r}: give one or more references like 'Object.Attribute'")
    return wanted


def raise_refused(refused: Mapping[str, str], errors: str) -> None:
    """Raise what was refused, unless it is to be reported.

    Raises:
        MxGatewayCommandError: with errors="raise", naming the tags and why.
        ValueError: `errors` is neither.
    """
    if errors not in ("raise", "report"):
        raise ValueError(f"errors={errors!r} must be 'raise' or 'report'")
    if errors == "raise" and refused:
        shown = "; ".join(f"{tag}: {why}" for tag, why in list(refused.items())[:5])
        more = f"; and {len(refused) - 5} more" if len(refused) > 5 else ""
        raise MxGatewayCommandError(f"{len(refused)} tags have no value: {shown}{more}")
