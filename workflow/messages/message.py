"""What is told, and how each kind of receiver wants it written. Nothing of it is or becomes markup."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message.

    Args:
        id: the same for the same message: whoever gets it twice can drop the second.
        policy, severity: which alert policy it comes of, and how grave that is.
        title: one line.
        lines: what happened, one fact to a line.
        raised_at: when the cause was recorded, UTC text.
        cases: the numbers of the cases it is about.
        alerts: the ids of what it tells, as the log has them; for a single one that is ``id``.
        entity: whom the case is about, "" where the receiver is not to know.
        advice, command: what to do, and the command to begin with.
        test: whether it only tries whether the receiver is reached.
    """

    id: str
    policy: str
    severity: str
    title: str
    lines: tuple[str, ...]
    raised_at: str
    advice: str
    command: str
    cases: tuple[int, ...] = ()
    alerts: tuple[str, ...] = ()
    entity: str = ""
    test: bool = False

    @property
    def text(self) -> str:
        """The whole message as plain text."""
        return "\n".join(one_line(line) for line in (*self._body, f"Message {self.id}: drop it if you had it before."))

    @property
    def _body(self) -> tuple[str, ...]:
        about = (f"About: {self.entity}",) if self.entity else ()
        return (f"{self.title} ({self.severity})", *self.lines, *about, self.advice, f"  {self.command}")

    def data(self) -> dict[str, Any]:
        """Return it as plain JSON values, for a program."""
        found = {
            "id": self.id,
            "policy": self.policy,
            "severity": self.severity,
            "title": one_line(self.title),
            "raised_at": self.raised_at,
            "case_number": self.cases[0] if len(self.cases) == 1 else None,
            "cases": list(self.cases),
            "alerts": list(self.alerts),
            "lines": [one_line(line) for line in self.lines],
            "advice": self.advice,
            "command": self.command,
            "test": self.test,
        }
        return found | ({"entity": one_line(self.entity)} if self.entity else {})

    def card(self) -> dict[str, Any]:
        """Return it as Teams takes it from a workflow: an adaptive card of text runs, which know no markup."""
        runs = [{"type": "TextRun", "text": f"{line}\n"} for line in self.text.split("\n")]
        runs[0] |= {"weight": "Bolder"}
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [{"type": "RichTextBlock", "inlines": runs}],
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        return {"type": "message", "attachments": [attachment]}

    def slack(self) -> dict[str, Any]:
        """Return it as an incoming webhook of Slack takes it; the three characters that Slack reads are escaped."""
        text = self.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"blocks": [{"type": "section", "text": {"type": "plain_text", "text": text}}], "text": text}


def one_line(text: str) -> str:
    """Return text without line breaks and without characters that move, hide or reorder what stands beside them."""
    return "".join(" " if unicodedata.category(mark)[0] in "CZ" else mark for mark in text)
