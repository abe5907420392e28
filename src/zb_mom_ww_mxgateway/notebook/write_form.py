"""A form that writes one tag: look, enter, review, confirm.

Nothing is sent but by a click on Confirm: no input sends on Enter, and the focus is on Cancel when the confirmation
opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..errors import MxGatewayError
from ..status import quality_name
from ..values import MxValueInput
from .galaxy_words import VIEW_ONLY, security_name
from .protocols import TagInfo, TagWriter
from .write_confirm import Confirmation, Signature
from .write_inputs import Editor, editor_for, shown
from .write_log import WriteRecord, log_frame, log_html

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WriteForm"]

_STYLE = (Path(__file__).parent / "write_form.css").read_text(encoding="utf-8")
_NOT_SHOWN = "none"


@dataclass(frozen=True, slots=True)
class _Pending:
    """What is to be confirmed."""

    old: MxValueInput
    new: MxValueInput


class WriteForm(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Shows a tag and writes it.

    Args:
        writer: reads and writes.
        tag: the reference.

    Attributes:
        tag: the reference.
        info: the tag as it was read last; None when it could not be asked about.
        records: what was written through this form, oldest first.
        editor: the input for the tag's type; None while nothing can be entered.
        review_button: opens the confirmation.
        refresh_button: reads the tag again.
        confirmation: asks for the last word.
        message: what is wrong with the input, as HTML.
        result: what came of the last write, as HTML.
    """

    def __init__(self, writer: TagWriter, tag: str) -> None:
        self.tag = tag
        self.info: TagInfo | None = None
        self.records: list[WriteRecord] = []
        self.editor: Editor | None = None
        self._writer = writer
        self._pending: _Pending | None = None
        self.head = widgets.HTML()
        self.banner = widgets.HTML()
        self.hint = widgets.HTML()
        self.message = widgets.HTML()
        self.result = widgets.HTML()
        self.log_table = widgets.HTML()
        self.refresh_button = widgets.Button(description="Read again", icon="refresh")
        self.review_button = widgets.Button(description="Review…", button_style="primary", disabled=True)
        self.entry = widgets.VBox().add_class("mxw-entry")
        self.confirmation = Confirmation()
        buttons = widgets.HBox([self.review_button, self.refresh_button])
        super().__init__(
            [
                widgets.HTML(f"<style>{_STYLE}</style>", layout=widgets.Layout(display=_NOT_SHOWN)),
                self.head,
                self.banner,
                self.entry,
                self.hint,
                self.message,
                buttons,
                self.confirmation,
                self.result,
                self.log_table,
            ]
        )
        self.add_class("mxw")
        self.refresh_button.on_click(lambda _: self.refresh())
        self.review_button.on_click(lambda _: self._review())
        self.confirmation.confirm_button.on_click(lambda _: self._confirm())
        self.confirmation.cancel_button.on_click(lambda _: self._cancel())
        self._say(self.result, "")
        self.log_table.value = log_html(())
        self.refresh()

    @property
    def log(self) -> pd.DataFrame:
        """What was written through this form: `time`, `tag`, `old`, `new`, `ok`, `result`; oldest first."""
        return log_frame(self.records)

    def refresh(self) -> None:
        """Read the tag again and start over with its value. What was written stays in the log."""
        self._pending = None
        self.confirmation.close_up()
        self._say(self.message, "")
        if not self._read():
            return
        assert self.info is not None
        if self.info.quality is None and not self.info.data_type:
            # Neither the Galaxy nor MXAccess knows the tag, so there is nothing to write to.
            self._enter_nothing()
            return
        self.editor = editor_for(self.info)
        # A checkbox has its own text beside it.
        if not isinstance(self.editor.widget, widgets.Checkbox):
            self.editor.widget.description = "New value"
            self.editor.widget.style.description_width = "84px"
        self.entry.children = (self.editor.widget,)
        self.hint.value = f'<span class="mxw-dim">{escape(self.editor.hint)}</span>'
        self._enable()

    # Looking --------------------------------------------------------------------------------------------------------

    def _read(self) -> bool:
        """Read the tag and show it; False when it could not be asked about."""
        try:
            self.info = self._writer.describe(self.tag)
        except (MxGatewayError, OSError, RuntimeError) as error:
            self.info = None
            self.head.value = f'<div class="mxw-tag">{escape(self.tag)}</div>'
            self._say(self.message, str(error) or type(error).__name__, "bad")
            self._enter_nothing()
            return False
        self._draw_head(self.info)
        return True

    def _enter_nothing(self) -> None:
        self.editor = None
        self.entry.children = ()
        self.hint.value = ""
        self._enable()

    def _draw_head(self, info: TagInfo) -> None:
        length = "" if info.array_length is None else f" [{info.array_length or ''}]"
        facts = [f"{info.data_type}{length}" if info.data_type else "Type not known", security_name(info.security)]
        badges = "".join(f'<span class="mxw-badge">{escape(fact)}</span>' for fact in facts)
        if info.quality is None:
            value, quality, said = "not readable", "bad", info.problem
        else:
            value, quality = shown(info.value, 400), quality_name(info.quality)
            said = f"{quality} ({info.quality})"
        mark = {"good": "●", "uncertain": "▲", "bad": "✕"}[quality]
        self.head.value = (
            f'<div class="mxw-tag">{escape(self.tag)}{badges}</div>'
            f'<div class="mxw-now"><span class="mxw-dim">Current value</span>'
            f'<span class="mxw-value">{escape(value)}</span>'
            f'<span class="mxw-quality mxw-{quality}">{mark} {escape(said)}</span></div>'
        )

    @property
    def read_only_reason(self) -> str | None:
        """Why this tag cannot be written; None when it can."""
        if self._writer.read_only_reason is not None:
            return self._writer.read_only_reason
        if self.info is not None and self.info.security == VIEW_ONLY:
            return "its security classification is View only"
        return None

    def _enable(self) -> None:
        """Enable what can be used just now."""
        reason = self.read_only_reason
        self._say(self.banner, "" if reason is None else f"Read only: {reason}", "warn")
        can_enter = reason is None and self.editor is not None and self._pending is None
        if self.editor is not None:
            self.editor.widget.disabled = not can_enter
        self.review_button.disabled = not can_enter
        self.refresh_button.disabled = self._pending is not None

    # Writing --------------------------------------------------------------------------------------------------------

    def _review(self) -> None:
        if self.editor is None or self._pending is not None or self.read_only_reason is not None:
            return
        try:
            new = self.editor.read()
        except ValueError as error:
            self._say(self.message, str(error), "bad")
            return
        self._say(self.message, "")
        self._say(self.result, "")
        # The value may have moved since the form was opened.
        if not self._read():
            return
        assert self.info is not None
        self._pending = _Pending(self.info.value, new)
        self._enable()
        self.confirmation.open_up(self.info, shown(self.info.value, 400), shown(new, 400))

    def _cancel(self) -> None:
        if self._pending is None:
            return
        self._pending = None
        self.confirmation.close_up()
        self._say(self.result, "Cancelled: nothing was sent.", "plain")
        self._enable()

    def _confirm(self) -> None:
        pending = self._pending
        # A second click on Confirm arrives when the first one is through.
        if pending is None or self.read_only_reason is not None:
            return
        signature = self.confirmation.signature()
        if signature is None:
            return
        self.confirmation.close_up()
        self._say(self.result, "Writing…", "plain")
        try:
            self._write(pending, signature)
        finally:
            self._pending = None
            self._enable()

    def _write(self, pending: _Pending, signature: Signature) -> None:
        try:
            outcome = self._writer.write(
                self.tag,
                pending.new,
                user=signature.user,
                password=signature.password,
                verifier=signature.verifier,
                verifier_password=signature.verifier_password,
            )
        except (MxGatewayError, OSError, RuntimeError, ValueError, TypeError) as error:
            self._say(self.result, f"The write failed: {error}", "bad")
            return
        record = WriteRecord(outcome.at, self.tag, pending.old, pending.new, outcome.ok, outcome.text)
        self.records.append(record)
        self.log_table.value = log_html(self.records)
        self._say(self.result, outcome.text[:1].upper() + outcome.text[1:], "good" if outcome.ok else "bad")
        self._read()

    @staticmethod
    def _say(where: Any, text: str, kind: str = "plain") -> None:
        role = "alert" if kind == "bad" else "status"
        where.value = f'<div class="mxw-say mxw-say-{kind}" role="{role}">{escape(text)}</div>' if text else ""
        where.layout.display = None if text else _NOT_SHOWN
