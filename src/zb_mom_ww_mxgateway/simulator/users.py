"""The plant's users, for secured writes."""

from __future__ import annotations

import hmac

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .randomness import stable_key
from .replies import ACCESS_DENIED, MxFailureError

__all__ = ["SIMULATED_USERS", "Users"]

#: Name and password of the users that every simulated plant has; nothing real is behind them.
SIMULATED_USERS = {"operator": "operator", "supervisor": "supervisor", "engineer": "engineer"}


class Users:
    """Who can be authenticated.

    Args:
        seed: the GUIDs of the users follow from it.
        passwords: by name.
    """

    def __init__(self, seed: int, passwords: dict[str, str] | None = None) -> None:
        self._passwords = {name.lower(): word for name, word in (passwords or SIMULATED_USERS).items()}
        self._ids = {name: number for number, name in enumerate(self._passwords, start=1)}
        self.guids = {name: _guid(seed, name) for name in self._passwords}

    def authenticate(self, name: str, password: str) -> int:
        """The user's id.

        Raises:
            MxFailureError: name or password is wrong; which one is not told.
        """
        known = self._passwords.get(name.lower())
        same = hmac.compare_digest(password.encode(), (known or "").encode())
        if known is None or not same:
            raise MxFailureError(
                ACCESS_DENIED, "the user cannot be authenticated", pb.MX_STATUS_CATEGORY_SECURITY_ERROR
            )
        return self._ids[name.lower()]

    def by_guid(self, guid: str) -> int:
        """The id of the user with that GUID.

        Raises:
            MxFailureError: there is none.
        """
        wanted = guid.strip("{}").lower()
        for name, known in self.guids.items():
            if known == wanted:
                return self._ids[name]
        raise MxFailureError(ACCESS_DENIED, f"no user has the GUID {guid}", pb.MX_STATUS_CATEGORY_SECURITY_ERROR)

    def name_of(self, user_id: int) -> str:
        """The user's name; empty for an id that belongs to nobody."""
        return next((name for name, number in self._ids.items() if number == user_id), "")


def _guid(seed: int, name: str) -> str:
    high, low = (stable_key(seed, "user", name, half) for half in ("high", "low"))
    digits = f"{high:016x}{low:016x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
