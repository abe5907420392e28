"""Lost events: `worker_sequence` is contiguous per session, so a hole in it is a loss (CONTRACT "events")."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Gap", "SequenceWatch"]


class Gap(NamedTuple):
    """Events of a session that never came.

    Attributes:
        after: the last sequence before the gap.
        before: the first sequence after it; the lost ones lie strictly between. Not above `after` when the sequence
            went back. 0 where the gateway keeps nothing.
        reason: "hole", "replay gap" (the gateway said so itself) or "sequence went back".
    """

    after: int
    before: int
    reason: str

    @property
    def missing(self) -> int:
        """How many events are missing; 0 where that cannot be told."""
        return max(0, self.before - self.after - 1)


class SequenceWatch:
    """Finds the holes in the sequences of one stream, chunk by chunk.

    Attributes:
        gaps: the gaps so far, in order.
    """

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self._last: int | None = None

    def see(self, sequences: npt.NDArray[np.uint64]) -> None:
        """Look at the next sequences, in stream order. Equal neighbours are the samples of one buffered event."""
        # Sequences stay far below 2**63; signed, so that a step back is negative. 0 is "not set".
        signed = sequences[sequences > 0].astype(np.int64)
        if not len(signed):
            return
        if self._last is not None:
            signed = np.concatenate(([self._last], signed))
        steps = np.diff(signed)
        for at in np.flatnonzero((steps < 0) | (steps > 1)).tolist():
            reason = "hole" if steps[at] > 1 else "sequence went back"
            self.gaps.append(Gap(int(signed[at]), int(signed[at + 1]), reason))
        self._last = int(signed[-1])
