"""The Galaxy: search, frames, the tree, deploys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from .environment import progress_wanted
from .facade import Facade
from .progress import ProgressBar

if TYPE_CHECKING:
    import pandas as pd

    from ..frames import GalaxySnapshot
    from ..frames.galaxy_find import TagFilter
    from ..galaxy import HierarchyFilter
    from .tree_fallback import SelectTree
    from .tree_widget import TreeWidget

__all__ = ["GalaxyViews"]


class GalaxyViews(Facade):
    """What a gateway does with its Galaxy."""

    def find(self, glob: str | Sequence[str] | None = None, **filters: Unpack[TagFilter]) -> pd.DataFrame:
        """Search for tags; the column `full_tag_reference` of the result goes into `read`, `collect` and `watch`.

        Args:
            glob: over references, with `*` and `?`; several are alternatives.
            **filters: see `frames.TagFilter`: regex, area, template, data type, alarm, historized, …
        """
        from ..recording.galaxy import find_tags

        return self._call(find_tags(self._bench.galaxy, glob, **filters))

    def snapshot(self, *, progress: bool | None = None, **filters: Unpack[HierarchyFilter]) -> GalaxySnapshot:
        """The Galaxy of one deploy as Arrow tables: `.hierarchy`, `.attributes`, and when it was deployed.

        Args:
            progress: a progress bar; by default unless `MXGATEWAY_PROGRESS=0`.
            **filters: see `HierarchyFilter`.
        """
        from ..recording.galaxy import read_galaxy

        with ProgressBar(progress_wanted(progress), None, 1, unit=" objects") as bar:
            return self._call(read_galaxy(self._bench.galaxy, progress=bar.objects, **filters))

    def hierarchy(self, *, progress: bool | None = None, **filters: Unpack[HierarchyFilter]) -> pd.DataFrame:
        """One row per object; see `frames.hierarchy_frame`."""
        from ..frames import hierarchy_frame

        return hierarchy_frame(self.snapshot(progress=progress, **filters))

    def attributes(self, *, progress: bool | None = None, **filters: Unpack[HierarchyFilter]) -> pd.DataFrame:
        """One row per attribute; see `frames.attribute_frame`."""
        from ..frames import attribute_frame

        return attribute_frame(self.snapshot(progress=progress, **filters))

    def deploys(self, *, count: int = 1, timeout: float | None = None) -> pd.DataFrame:
        """The present deploy state, and the next deploys as they happen, one row each.

        Args:
            count: rows to wait for; 1 is the present state and returns at once.
            timeout: seconds after which what has come is returned; None waits.
        """
        import pandas as pd

        from ..deploys import Deploy, deploys_of
        from ..errors import MxGatewayTimeoutError

        async def collect() -> list[Deploy]:
            found: list[Deploy] = []
            try:
                async for deploy in deploys_of(self._bench.galaxy.watch_deploy_events(timeout=timeout)):
                    found.append(deploy)
                    if len(found) >= count:
                        break
            except MxGatewayTimeoutError:
                # The time that was given is over; that is no failure.
                return found
            return found

        if count < 1:
            raise ValueError(f"count={count} must be at least 1")
        names = ("sequence", "deploy_time", "object_count", "attribute_count", "missed")
        rows: list[dict[str, Any]] = [{name: getattr(each, name) for name in names} for each in self._call(collect())]
        frame = pd.DataFrame(rows, columns=list(names))
        frame["deploy_time"] = pd.to_datetime(frame["deploy_time"], utc=True).astype("datetime64[us, UTC]")
        return frame

    def browse(self, *, height: int = 440) -> TreeWidget | SelectTree:
        """A tree of the Galaxy to pick tags from; `.selected` is a frame of what was picked.

        Args:
            height: in pixels.
        """
        from .galaxy_source import AsyncGalaxyTree
        from .tree import open_tree

        self._check_usable()
        return open_tree(AsyncGalaxyTree(self._bench.galaxy, self._call), height=height)
