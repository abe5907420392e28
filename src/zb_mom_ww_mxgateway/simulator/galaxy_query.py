"""What a listing asks for: root, depth and filters, the page it wants, and the token that leads to the next page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb

from .galaxy_index import GalaxyIndex
from .model import PlantObject

__all__ = ["Filters", "InvalidQueryError", "NoSuchObjectError", "StaleTokenError", "page", "resolve_root", "signature"]

PAGE_CAP = 5000


class InvalidQueryError(Exception):
    """The request cannot be answered as it is: INVALID_ARGUMENT."""


class StaleTokenError(InvalidQueryError):
    """The page token belongs to an older state of the Galaxy: INVALID_ARGUMENT, with the present sequence."""


class NoSuchObjectError(Exception):
    """The root or the parent does not exist: NOT_FOUND."""


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters that both listings share; an object passes when it passes each of them."""

    category_ids: tuple[int, ...]
    template_chain_contains: tuple[str, ...]
    tag_name_glob: str
    alarm_bearing_only: bool
    historized_only: bool

    @classmethod
    def of(cls, request: pb.DiscoverHierarchyRequest | pb.BrowseChildrenRequest) -> Filters:
        """The filters of a request."""
        return cls(
            tuple(sorted(set(request.category_ids))),
            tuple(sorted({text.lower() for text in request.template_chain_contains})),
            request.tag_name_glob.lower(),
            request.alarm_bearing_only,
            request.historized_only,
        )

    def test(self, index: GalaxyIndex, visible: set[int] | None) -> Callable[[PlantObject], bool]:
        """The test that an object must pass; `visible` restricts it further."""
        templates = {
            name
            for name, template in index.templates.items()
            if (not self.alarm_bearing_only or template.alarmed)
            and (not self.historized_only or template.historized)
            and (
                not self.template_chain_contains
                or any(text in base.lower() for text in self.template_chain_contains for base in template.chain)
            )
        }
        categories = frozenset(self.category_ids)
        name = _glob(self.tag_name_glob) if self.tag_name_glob else None

        def passes(obj: PlantObject) -> bool:
            return (
                obj.template in templates
                and (not categories or obj.category in categories)
                and (name is None or name.fullmatch(obj.tag_name) is not None)
                and (visible is None or obj.gobject_id in visible)
            )

        return passes


def _glob(pattern: str) -> re.Pattern[str]:
    """A glob with `*` and `?` and nothing else: a bracket is a bracket."""
    first, *rest = ("".join("." if char == "?" else re.escape(char) for char in part) for part in pattern.split("*"))
    if not rest:
        return re.compile(first, re.IGNORECASE | re.DOTALL)
    # The first place that fits will do for all parts but the last: atomic groups keep many stars from taking for ever.
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return re.compile(f"{first}{middle}.*{rest[-1]}", re.IGNORECASE | re.DOTALL)


def resolve_root(
    index: GalaxyIndex, request: pb.DiscoverHierarchyRequest | pb.BrowseChildrenRequest, visible: set[int] | None
) -> int:
    """The id that a request's root or parent selector means; 0 when none is set.

    Raises:
        NoSuchObjectError: no such object, or none that the key may see.
    """
    oneof = "root" if isinstance(request, pb.DiscoverHierarchyRequest) else "parent"
    selector = request.WhichOneof(oneof)
    if selector is None:
        return 0
    wanted = getattr(request, selector)
    if selector.endswith("gobject_id"):
        if wanted == 0 and oneof == "parent":
            return 0
        found = index.by_id(wanted)
    else:
        found = index.by_name(wanted) if selector.endswith("tag_name") else index.by_path(wanted)
    if found is None or (visible is not None and found.gobject_id not in visible):
        raise NoSuchObjectError(f"{selector} {wanted!r}: there is no such object in the Galaxy")
    return found.gobject_id


def signature(*parts: object) -> str:
    """A short text that differs when any part of a query differs."""
    return blake2b(repr(parts).encode(), digest_size=6).hexdigest()


def page(index: GalaxyIndex, sign: str, token: str, page_size: int, default: int, total: int) -> tuple[int, int, str]:
    """First and last index of the page that a request asks for, and the token of the next page ("" on the last).

    Args:
        index: the present Galaxy.
        sign: signature of the query.
        token: of the request.
        page_size: of the request; 0 is the default, more than 5,000 is 5,000.
        default: page size where the request has none.
        total: number of results.

    Raises:
        InvalidQueryError: negative page size, or a token that no server gave for this query.
        StaleTokenError: the token is from before a deploy.
    """
    if page_size < 0:
        raise InvalidQueryError(f"page_size {page_size} is negative")
    start = _offset(index, sign, token, total) if token else 0
    end = min(start + min(page_size or default, PAGE_CAP), total)
    return start, end, f"{index.sequence}:{sign}:{end}" if end < total else ""


def _offset(index: GalaxyIndex, sign: str, token: str, total: int) -> int:
    parts: Sequence[str] = token.split(":")
    if len(parts) != 3 or not (_is_number(parts[0]) and _is_number(parts[2])):
        raise InvalidQueryError("page_token is malformed: pass back the next_page_token of the page before unchanged")
    if int(parts[0]) != index.sequence:
        raise StaleTokenError("page_token is stale: the Galaxy was deployed since; start again at the first page")
    if parts[1] != sign:
        raise InvalidQueryError("page_token belongs to another query: root and filters must not change between pages")
    offset = int(parts[2])
    if offset > total:
        raise InvalidQueryError(f"page_token points beyond the {total} results")
    return offset


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def select(objects: Iterable[PlantObject], passes: Callable[[PlantObject], bool]) -> list[PlantObject]:
    """The objects that pass, in the order given."""
    return [obj for obj in objects if passes(obj)]
