"""The page of a report: one valid, accessible document that loads nothing and in which nothing of outside acts."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from workflow.cli.text import visible
from workflow.reports.page import Reader, page
from workflow.reports.picture import WIDTH, timeline
from workflow.services.history import EntryView
from workflow.services.report import CaseReport, OccurrenceReport, Report

EVIL = "</td></title></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{7*7}}\u202e\x00\x1b[2J=1+1\n<b>"
VOID = {"meta", "br", "rect", "line"}
READER = Reader(ZoneInfo("Europe/Berlin"), visible, "9.9.9")
FIRST, LAST = "2026-11-24T08:00:00.000000Z", "2026-11-24T23:30:00.000000Z"


class Outline(HTMLParser):
    """Reads a document as strictly as it was written: every element is closed in its order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element; every attribute stands once."""
        self.elements.append((tag, dict(attrs)))
        if len(dict(attrs)) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element without content."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, and no other."""
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        """Keep the words, but for the style sheet's."""
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]


def decision(text: str, **changes: Any) -> dict[str, Any]:
    """Return a decision that stood on evidence and on an exception."""
    row = {"prerequisite": text, "about": text, "standing": "exception", "entry": 3, "by": text, "claimed": True}
    shown = {
        "version": 7,
        "seen_digest": text,
        "digest": text,
        "repeats": False,
        "evidence": [{**row, "until": LAST}, {**row, "entry": None, "until": None, "about": ""}],
        "exceptions": [],
    }
    whole = {"sequence": 9, "at": FIRST, "type": text, "text": text, "by": text, "claimed": True, "os_user": text}
    return {**whole, "role": text, "bulk": 300, "break_glass": True, "shown": shown, **changes}


def occurrence(text: str, number: int, times: dict[str, str | None]) -> OccurrenceReport:
    """Return an occurrence that says the text wherever it can."""
    accepted = {
        "granted_by": text,
        "granted_claimed": True,
        "asked_by": text,
        "asked_claimed": True,
        "expires_at": LAST,
    }
    step: dict[str, Any] = dict.fromkeys(
        ("id", "title", "phase", "about", "standing", "result", "method", "by", "reference"), text
    )
    step |= dict.fromkeys(("note", "before", "after", "attachment"), text)
    full = {**step, "required": True, "claimed": True, "observed_at": FIRST, "recorded_at": LAST, "exception": accepted}
    bare: dict[str, Any] = dict.fromkeys(step, "") | {"required": False, "claimed": False, "standing": "unanswered"}
    one: dict[str, Any] = dict.fromkeys(("prerequisite", "about", "asked_by", "granted_by", "reason", "ended"), text)
    one |= {"asked_claimed": True, "granted_claimed": True, "asked_at": FIRST, "granted_at": FIRST, "until": LAST}
    unseen: dict[str, Any] = {
        "version": None,
        "seen_digest": "",
        "digest": "d",
        "repeats": True,
        "evidence": [],
        "exceptions": [],
    }
    return OccurrenceReport(
        recurrence=number,
        times=times,
        unblocked="no",
        unblocked_words=text,
        resolution=text,
        playbook=text,
        playbook_version=text,
        playbook_title=text,
        playbook_digest=text,
        playbook_shipped=number > 1,
        states=[
            {"state": "detected", "from": FIRST, "to": LAST},
            {"state": "unblock_requested", "from": LAST, "to": None},
        ],
        prerequisites=[full, {**bare, "observed_at": None, "recorded_at": None, "exception": None}],
        exceptions=[one] if number == 1 else [],
        decisions=[decision(text), decision(text, claimed=False, shown=unseen), decision(text, shown=None)],
    )


TIMES: dict[str, str | None] = dict.fromkeys(
    (
        *("restricted_at", "began_at", "contained_at", "verified_at", "requested_at", "approved_at", "intended_at"),
        *("answered_at", "gone_at", "released_at", "ended_at"),
    ),
    None,
)


def made(text: str = "words", cases: int = 1, *, checkpoint: bool = True) -> Report:
    """Return a report that says the text wherever it can."""
    entry = EntryView(
        sequence=1,
        case="c",
        type=text,
        at=FIRST,
        clock="clamped",
        by=text,
        os_user=text,
        claimed=True,
        role=text,
        action=text,
        outcome=text,
        state_before="",
        state_after="detected",
        recurrence=1,
        text=text,
        details={},
        leaf="0" * 64,
        leaf_index=None,
    )
    case = dict.fromkeys(("kind", "tenant", "entity", "state", "resolution", "assignee", "id"), text)
    restriction = dict.fromkeys(("status", "source", "reason", "name"), text)
    point = {"origin": text, "size": 4, "root": text, "signatures": [text], "note": f"{text}\n4\n{text}\n\n{text}\n"}
    reports = [
        CaseReport(
            case={
                **case,
                "number": number,
                "restriction_reading": restriction,
                "opened_at": FIRST,
                "updated_at": LAST,
                "identities": [{"user": text, "facts": {"synced": True, "guest": False}}, {"user": text, "facts": {}}],
                "links": [{"number": 8, "relation": text, "state": text}],
            },
            marks=[text] if number == 1 else [],
            occurrences=[
                occurrence(text, 1, {**TIMES, "began_at": FIRST, "ended_at": LAST}),
                occurrence(text, 2, {**TIMES, "began_at": FIRST}),
            ],
            entries=[entry],
            unsealed=1,
        )
        for number in range(1, cases + 1)
    ]
    return Report(generated_at=LAST, checkpoint=point if checkpoint else None, cases=reports)


@pytest.mark.parametrize("text", ["words", EVIL, ""])
@pytest.mark.parametrize("checkpoint", [True, False])
def test_nothing_of_outside_acts(text: str, *, checkpoint: bool) -> None:
    """Whatever stands in the ledger, the elements of the page are the same ones, closed in order, and load nothing."""
    written = page(made(text, 2, checkpoint=checkpoint), READER)
    outline = Outline(written)
    loading = {"src", "srcset", "href", "style", "action", "data", "background", "poster"}

    assert ([], []) == (outline.faults, outline.open)
    assert set() == {"script", "img", "iframe", "link", "base", "form", "object"} & {tag for tag, _ in outline.elements}
    assert {"href"} >= {name for _, attributes in outline.elements for name in attributes if name in loading}
    assert {True} == {str(item["href"]).startswith("#") for item in outline.all("a")}
    assert [] == [name for _, given in outline.elements for name in given if name.startswith("on")]
    assert [] == re.findall(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", written)
    assert "{{" not in written.replace("{{7*7}}", "")


def test_every_text_is_on_the_page_as_it_is() -> None:
    """What is escaped is not lost: the reader sees the very characters, and invisible ones by name."""
    words = "".join(Outline(page(made(EVIL), READER)).words)

    assert "<script>alert(1)</script><img src=x onerror=alert(1)>" in words
    assert "\\u202e\\x00\\x1b[2J=1+1" in words


def test_the_policy_allows_its_one_style_sheet_and_nothing_else() -> None:
    """The policy stands before anything it governs, and names the very bytes of the style sheet."""
    written = page(made(), READER)
    (style,) = re.findall("<style>(.*?)</style>", written, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(item["content"] for item in Outline(written).all("meta") if "http-equiv" in item)

    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" == policy
    assert written.index("Content-Security-Policy") < written.index("<title>")
    assert "url(" not in style
    assert "@import" not in style


def test_a_reader_who_does_not_see_finds_the_way() -> None:
    """Language, one first heading and no level left out, captions and scopes, and a picture told in words."""
    outline = Outline(page(made(cases=2), READER))
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch("h[1-6]", tag)]
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    named = {name for _, given in outline.elements for name in str(given.get("aria-labelledby", "")).split() if name}
    targets = {str(item["href"])[1:] for item in outline.all("a")}

    assert "en" == outline.all("html")[0]["lang"]
    assert 1 == levels.count(1)
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(outline.all("table")) == len(outline.all("caption"))
    assert {"row", "col"} == {item.get("scope") for item in outline.all("th")}
    assert {"img"} == {item.get("role") for item in outline.all("svg")}
    assert len(outline.all("svg")) == len(outline.all("desc"))
    assert len(ids) == len(set(ids))
    assert (named - {"None"}) | targets <= set(ids)


def test_contrast_of_both_themes() -> None:
    """Every colour of letters and of states stands out from its paper by 4.5 to 1, in the light and in the dark."""
    style = re.findall("<style>(.*?)</style>", page(made(), READER), re.DOTALL)[0]
    themes = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", theme)) for theme in themes]

    assert 2 == len(colours)
    for theme in colours:
        faint = {
            name
            for name in theme
            if name not in {"paper", "band", "line"} and contrast(theme[name], theme["paper"]) < 4.5
        }
        assert set() == faint


def contrast(colour: str, other: str) -> float:
    """Return the contrast of two colours, as WCAG counts it."""
    darker, lighter = sorted((luminance(colour), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_times_are_utc_with_the_local_one_beside() -> None:
    """The local day is named where it is another one; what is not known is a dash."""
    assert "2026-11-24 08:00:00 UTC (09:00 CET)" == READER.when(FIRST)
    assert "2026-11-24 23:30:00 UTC (2026-11-25 00:30 CET)" == READER.when(LAST)
    assert "-" == READER.when(None)


def test_what_was_seen_and_what_was_not() -> None:
    """A decision says what its author was shown; grounds that do not repeat and strange playbooks are called so."""
    words = " ".join("".join(Outline(page(made(), READER)).words).split())

    assert "version 7, evidence digest words. Bound to digest words. The entries before it do not give" in words
    assert "nothing was sent back as seen" in words
    assert 1 == words.count("Not the shipped version")
    assert "One of 300 approved together" in words


def test_the_same_evidence_is_drawn_once() -> None:
    """A decision that stood on what the one before stood on says so instead of repeating the table."""
    report = made()
    part = report.cases[0].occurrences[0]
    part.decisions[:] = [decision("words", sequence=4), decision("words", sequence=5)]
    words = " ".join("".join(Outline(page(report, READER)).words).split())

    assert "The evidence was the same as before entry 4." in words
    assert (1, 0) == (words.count("Evidence before entry 4"), words.count("Evidence before entry 5"))


def test_a_picture_to_scale() -> None:
    """Bars follow each other, the narrowest can be seen, and labels that would overlap stand in further rows."""
    found = timeline(
        {**TIMES, "began_at": FIRST, "contained_at": FIRST, "released_at": LAST},
        [{"state": "detected", "from": FIRST, "to": FIRST}, {"state": "contained", "from": FIRST, "to": None}],
        LAST,
    )

    assert ["detected", "contained"] == [bar.state for bar in found.bars]
    assert [True, False] == [bar.width < 2 for bar in found.bars]
    assert [0, 1, 0] == [tick.row for tick in found.ticks]
    assert [False, False, True] == [tick.before for tick in found.ticks]
    assert all(tick.text_x <= WIDTH - (0 if tick.before else len(tick.label) * 6) for tick in found.ticks)


def test_a_picture_of_a_moment() -> None:
    """An occurrence of no length can be drawn too."""
    found = timeline({**TIMES, "began_at": FIRST}, [{"state": "detected", "from": FIRST, "to": None}], FIRST)

    assert (1, 1) == (len(found.bars), len(found.ticks))
