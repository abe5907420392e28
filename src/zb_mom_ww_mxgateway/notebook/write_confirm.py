"""The last question before a write, with the signatures that the tag asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

import ipywidgets as widgets

from .galaxy_words import SECURED_WRITE, VERIFIED_WRITE, security_name
from .protocols import TagInfo

__all__ = ["Confirmation", "Signature"]

_LABELS = {"description_width": "142px"}


@dataclass(frozen=True, slots=True)
class Signature:
    """In whose name a write is made; None where the tag does not ask."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    verifier: str | None = None
    verifier_password: str | None = field(default=None, repr=False)


class Confirmation(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Repeats what will be written, and asks for users where the tag is secured.

    Passwords are in the page only while the question is open: they are cleared with every answer.

    Attributes:
        text: the question, as HTML.
        user: name of the user of a secured write.
        password: of the user.
        verifier: name of the verifier of a verified write.
        verifier_password: of the verifier.
        cancel_button: has the focus when the question opens.
        confirm_button: sends.
        message: what is missing, as HTML.
    """

    def __init__(self) -> None:
        wide = widgets.Layout(width="100%", max_width="420px")
        self.text = widgets.HTML()
        self.user = widgets.Text(description="User", style=_LABELS, layout=wide)
        self.password = widgets.Password(description="Password", style=_LABELS, layout=wide)
        self.verifier = widgets.Text(description="Verifier", style=_LABELS, layout=wide)
        self.verifier_password = widgets.Password(description="Verifier's password", style=_LABELS, layout=wide)
        self.message = widgets.HTML()
        self.cancel_button = widgets.Button(description="Cancel")
        self.confirm_button = widgets.Button(description="Confirm write", button_style="danger", icon="check")
        self._signatures = widgets.VBox()
        self._security: int | None = None
        super().__init__(
            [self.text, self._signatures, self.message, widgets.HBox([self.cancel_button, self.confirm_button])],
            layout=widgets.Layout(display="none"),
        )
        self.add_class("mxw-confirm")

    @property
    def is_open(self) -> bool:
        """Whether the question is asked just now."""
        return bool(self.layout.display != "none")

    def open_up(self, info: TagInfo, old: str, new: str) -> None:
        """Ask."""
        self._security = info.security
        same = '<p class="mxw-dim">The tag has this value already.</p>' if old == new else ""
        rows = (("Tag", info.tag), ("Old value", old), ("New value", new))
        table = "".join(f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in rows)
        self.text.value = f'<div class="mxw-question">Write this value to the plant?</div><table>{table}</table>{same}'
        needed = []
        if self._needs_user:
            note = widgets.HTML(
                f'<span class="mxw-dim">{security_name(info.security)}: the plant asks who writes.</span>'
            )
            needed = [note, self.user, self.password]
        if self._needs_verifier:
            needed += [self.verifier, self.verifier_password]
        self._signatures.children = needed
        self._clear()
        self.layout.display = None
        self.cancel_button.focus()

    def close_up(self) -> None:
        """Ask no more, and forget the passwords."""
        self._clear()
        self.layout.display = "none"

    def signature(self) -> Signature | None:
        """Who signs; None when somebody is missing, which is said in the form."""
        missing = self._missing()
        self._say(missing)
        if missing:
            return None
        if not self._needs_user:
            return Signature()
        user, password = self.user.value.strip(), self.password.value
        if not self._needs_verifier:
            return Signature(user, password)
        return Signature(user, password, self.verifier.value.strip(), self.verifier_password.value)

    def _missing(self) -> str:
        user, verifier = self.user.value.strip(), self.verifier.value.strip()
        if self._needs_user and not (user and self.password.value):
            return "Enter user and password."
        if self._needs_verifier and not (verifier and self.verifier_password.value):
            return "A verified write needs a verifier and the verifier's password."
        if self._needs_verifier and verifier.lower() == user.lower():
            return "The verifier must be somebody else than the user."
        return ""

    @property
    def _needs_user(self) -> bool:
        return self._security in (SECURED_WRITE, VERIFIED_WRITE)

    @property
    def _needs_verifier(self) -> bool:
        return self._security == VERIFIED_WRITE

    def _say(self, text: str) -> None:
        self.message.value = f'<div class="mxw-say mxw-say-bad" role="alert">{escape(text)}</div>' if text else ""
        self.message.layout.display = None if text else "none"

    def _clear(self) -> None:
        self.password.value = ""
        self.verifier_password.value = ""
        self._say("")
