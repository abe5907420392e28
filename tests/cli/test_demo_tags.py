from __future__ import annotations

from collections import Counter
from dataclasses import replace

from zb_mom_ww_mxgateway_cli.demo.tags import Candidate, pick


def candidates(objects: int = 12) -> list[Candidate]:
    found = []
    for number in range(objects):
        name, template = f"Object_{number:03d}", f"$Template{number % 3}"
        for attribute, kind in (
            ("Level", "measurement"), ("Flow", "measurement"), ("Temperature", "measurement"),
            ("Count", "count"), ("Running", "switch"), ("State", "text"),
        ):  # fmt: skip
            found.append(Candidate(f"{name}.{attribute}", kind, name, template, attribute))
    return found


def test_kinds_by_their_shares_over_all_objects() -> None:
    chosen = pick(candidates(), 20)
    assert len(set(chosen)) == 20
    kinds = Counter(each.kind for each in candidates() if each.reference in chosen)
    assert kinds == {"measurement": 12, "count": 4, "switch": 2, "text": 2}
    objects = Counter(reference.partition(".")[0] for reference in chosen)
    assert len(objects) == 12
    assert max(objects.values()) == 2


def test_attributes_vary() -> None:
    chosen = pick(candidates(40), 20)
    assert {reference.partition(".")[2] for reference in chosen} == {
        "Level", "Flow", "Temperature", "Count", "Running", "State",
    }  # fmt: skip


def test_measurements_before_what_people_set() -> None:
    setpoints = [replace(each, set_by_people=True) for each in candidates() if each.attribute == "Level"]
    others = [each for each in candidates() if each.attribute != "Level"]
    assert not any("Level" in reference for reference in pick([*setpoints, *others], 20))


def test_fewer_candidates_than_wanted() -> None:
    few = candidates(1)
    assert sorted(pick(few, 20)) == sorted(each.reference for each in few)
    assert pick([], 20) == []


def test_the_same_candidates_give_the_same_choice() -> None:
    assert pick(candidates(), 7) == pick(candidates(), 7)
