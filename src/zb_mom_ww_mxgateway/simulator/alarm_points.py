"""One alarm of the plant: its name, its state, and what makes it change (CONTRACT.md "alarms")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .model import Tag
from .plant import Plant
from .randomness import mix, stable_key

__all__ = ["PROVIDER", "AlarmPoint", "parse_reference", "reference_of"]

#: The name under which System Platform's alarm provider runs; it is not the name of the Galaxy.
PROVIDER = "Galaxy"
#: An alarm that comes back so soon after it cleared unacknowledged is the old one again, later it is a new one.
_RETRIGGER_US = 60_000_000
_GUID = re.compile(r"\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.IGNORECASE)
_FULL_NAME = re.compile(r"[^!\\]+![^.!]+\..+")
_UNC_NAME = re.compile(r"\\{1,2}(?P<provider>[^\\!]+)\\(?P<rest>[^.\\!]+\..+)")


@dataclass(slots=True, eq=False)
class AlarmPoint:
    """An alarm, active or not.

    | state          | condition begins              | acknowledged | condition ends |
    |----------------|-------------------------------|--------------|----------------|
    | inactive       | RAISE, or RETRIGGER           | refused      | -              |
    | active         | -                             | ACKNOWLEDGE  | CLEAR          |
    | active, acked  | -                             | accepted     | CLEAR          |

    It is a RETRIGGER when the previous activation cleared without an acknowledgement not more than a minute before:
    to the operator that is the same alarm again, so it keeps its GUID and its original raise time.

    Attributes:
        reference: `Galaxy!Area.Object.Attribute`.
        original_us: when the first of a row of unacknowledged activations began.
        changed_us: when the last transition was.
        cleared_us: when it cleared without an acknowledgement; None otherwise.
        due_us: when the monitor looks at it again; None: not by itself.
    """

    tag: Tag
    reference: str
    active: bool = False
    acknowledged: bool = False
    original_us: int = 0
    changed_us: int = 0
    cleared_us: int | None = None
    operator: str = ""
    comment: str = ""
    due_us: int | None = None

    def found_active(self, since_us: int) -> None:
        """It stood already when the monitor looked for the first time."""
        self.active = True
        self.original_us = self.changed_us = since_us

    def activate(self, at_us: int) -> int:
        """The condition begins; returns the kind of the transition."""
        again = self.cleared_us is not None and at_us - self.cleared_us <= _RETRIGGER_US
        self.active, self.acknowledged = True, False
        self.operator = self.comment = ""
        self.changed_us = at_us
        self.cleared_us = None
        if again:
            return pb.ALARM_TRANSITION_KIND_RETRIGGER
        self.original_us = at_us
        return pb.ALARM_TRANSITION_KIND_RAISE

    def acknowledge(self, operator: str, comment: str, at_us: int) -> int:
        """Somebody has seen it; returns the kind of the transition."""
        self.acknowledged = True
        self.operator, self.comment = operator, comment
        self.changed_us = at_us
        return pb.ALARM_TRANSITION_KIND_ACKNOWLEDGE

    def clear(self, at_us: int) -> int:
        """The condition ends; returns the kind of the transition."""
        self.active = False
        self.cleared_us = None if self.acknowledged else at_us
        self.changed_us = at_us
        return pb.ALARM_TRANSITION_KIND_CLEAR

    def guid(self, seed: int, *, synthetic: bool) -> UUID:
        """The GUID of the present activation; subtags carry none, so that one is made up from the name alone."""
        source = "subtag" if synthetic else str(self.original_us)
        key = stable_key(seed, self.reference, source)
        return UUID(int=mix(key, 1) << 64 | mix(key, 2), version=4)


def reference_of(plant: Plant, tag: Tag) -> str:
    """The full reference of the alarm on a tag; an object outside any area is its own group."""
    area = plant.area_of(tag.object) or tag.object
    return f"{PROVIDER}!{area.tag_name}.{tag.reference}"


def parse_reference(text: str) -> UUID | str | None:
    r"""What an acknowledgement names: a GUID, a full reference in its usual spelling, or nothing that is known.

    `\\Galaxy\Area001.Pump001.PumpFault` is another spelling of `Galaxy!Area001.Pump001.PumpFault`.
    """
    text = text.strip()
    if found := _GUID.fullmatch(text):
        return UUID(found[1])
    if found := _UNC_NAME.fullmatch(text):
        return f"{found['provider']}!{found['rest']}"
    return text if _FULL_NAME.fullmatch(text) else None
