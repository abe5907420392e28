"""Which tags of a Galaxy are worth a look: what is historized, of varied types, spread over the objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GalaxyRepositoryClient
    from zb_mom_ww_mxgateway.generated.galaxy_repository_pb2 import GalaxyAttribute, GalaxyObject

__all__ = ["Candidate", "find_tags", "pick"]

#: Kinds of values by the Galaxy's data type, and how many of ten tags should be of each.
_KINDS = {1: "switch", 2: "count", 3: "measurement", 4: "measurement", 5: "text", 13: "text", 15: "text", 16: "text"}
_SHARES = (("measurement", 6), ("count", 2), ("switch", 1), ("text", 1))
#: Objects looked at: a Galaxy may have many thousands, and the first screenful of trends needs no more.
_ENOUGH_OBJECTS = 500
_PAGE = 100
#: Security classification of what nobody may write: measurements rather than setpoints, which hardly ever change.
_VIEW_ONLY = 6


@dataclass(frozen=True, slots=True)
class Candidate:
    """An attribute that could be collected."""

    reference: str
    kind: str
    object_name: str
    template: str
    attribute: str
    set_by_people: bool = False


async def find_tags(galaxy: GalaxyRepositoryClient, count: int) -> list[str]:
    """References of up to `count` interesting tags, in alphabetical order; historized ones first."""
    found = await _candidates(galaxy.iter_hierarchy(page_size=_PAGE, historized_only=True), historized=True)
    if len(found) < count:
        known = {each.reference for each in found}
        others = await _candidates(galaxy.iter_hierarchy(page_size=_PAGE), historized=False)
        chosen = [each.reference for each in found]
        chosen += pick([each for each in others if each.reference not in known], count - len(found))
        return sorted(chosen)
    return sorted(pick(found, count))


def pick(candidates: Iterable[Candidate], count: int) -> list[str]:
    """Choose up to `count` references: kinds by their shares, then objects, templates and attributes in turn.

    The same candidates give the same choice.
    """
    left: dict[str, list[Candidate]] = {kind: [] for kind, _ in _SHARES}
    for candidate in candidates:
        left[candidate.kind].append(candidate)
    used: Counter[tuple[str, str]] = Counter()
    taken: Counter[str] = Counter()
    chosen: list[str] = []
    while len(chosen) < count and any(left.values()):
        # The kind that is furthest behind its share.
        kind = min((kind for kind, _ in _SHARES if left[kind]), key=lambda kind: taken[kind] / dict(_SHARES)[kind])
        best = min(left[kind], key=lambda each: (each.set_by_people, [used[mark] for mark in _marks(each)]))
        left[kind].remove(best)
        used.update(_marks(best))
        taken[kind] += 1
        chosen.append(best.reference)
    return chosen


def _marks(candidate: Candidate) -> list[tuple[str, str]]:
    """What should not repeat, most important first."""
    return [
        ("object", candidate.object_name),
        ("attribute of template", f"{candidate.template}/{candidate.attribute}"),
        ("attribute", candidate.attribute),
        ("template", candidate.template),
    ]


async def _candidates(objects: AsyncIterable[GalaxyObject], *, historized: bool) -> list[Candidate]:
    found: list[Candidate] = []
    seen = 0
    async for item in objects:
        seen += 1
        found += [
            Candidate(
                attribute.full_tag_reference,
                _KINDS[attribute.mx_data_type],
                item.tag_name,
                item.template_chain[0] if item.template_chain else "",
                attribute.attribute_name,
                attribute.security_classification != _VIEW_ONLY,
            )
            for attribute in item.attributes
            if _is_plain(attribute) and (attribute.is_historized or not historized)
        ]
        if seen >= _ENOUGH_OBJECTS:
            break
    return found


def _is_plain(attribute: GalaxyAttribute) -> bool:
    """A single value of a kind that a trend can show; `_` starts the attributes that the system hides."""
    return (
        attribute.mx_data_type in _KINDS
        and not attribute.is_array
        and bool(attribute.full_tag_reference)
        and not attribute.attribute_name.startswith("_")
    )
