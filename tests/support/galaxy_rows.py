"""A Galaxy of a few lines, for the widgets that walk through one."""

from __future__ import annotations

from collections.abc import Sequence

from zb_mom_ww_mxgateway import MxGatewayError
from zb_mom_ww_mxgateway.notebook.protocols import AttributeRow, Match, Matches, TreeRow

AREA = TreeRow(1, "Line1", "Line_001", "area", True)
PUMP = TreeRow(2, "FeedPump", "Pump_001", "machine", False)
SPEED = AttributeRow("Speed", "Pump_001.Speed", "Float", None, "Operate", True, True)
CURVE = AttributeRow("Curve", "Pump_001.Curve[]", "Double", 8, "Tune", False, False)


class RowGalaxy:
    """An area with a pump; or with any number of pumps.

    Attributes:
        calls: what was asked.
        failing: whether the gateway is away.
    """

    def __init__(self, pumps: int = 1) -> None:
        self.pumps = [PUMP] if pumps == 1 else [_pump(number) for number in range(pumps)]
        self.calls: list[str] = []
        self.failing = False

    def roots(self) -> Sequence[TreeRow]:
        self._call("roots")
        return [AREA]

    def children(self, gobject_id: int) -> Sequence[TreeRow]:
        self._call(f"children {gobject_id}")
        return self.pumps if gobject_id == AREA.gobject_id else []

    def attributes(self, gobject_id: int) -> Sequence[AttributeRow]:
        self._call(f"attributes {gobject_id}")
        return [SPEED, CURVE] if gobject_id == PUMP.gobject_id else []

    def search(self, text: str, limit: int) -> Matches:
        self._call(f"search {text}")
        found = [row for row in (SPEED, CURVE) if text.lower() in row.reference.lower()]
        return Matches(tuple(Match(PUMP, row, (1, 2), ("Line1", "FeedPump")) for row in found), "a note")

    def refresh(self) -> None:
        self.calls.append("refresh")

    def _call(self, what: str) -> None:
        self.calls.append(what)
        if self.failing:
            raise MxGatewayError("the gateway does not answer")


def _pump(number: int) -> TreeRow:
    return TreeRow(10_000 + number, f"CirculationPump{number:05d}", f"Pump_{number:05d}", "machine", number % 2 == 0)
