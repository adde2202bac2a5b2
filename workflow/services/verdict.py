"""What verification says: three verdicts, the faults behind them, and what could not be checked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflow.errors import HoldfastError
from workflow.ledger.verify import Finding, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.ledger.checkpoint import Checkpoint

NOT_CHECKED = "not checked"
VERIFIED = "verified"
FAILED = "failed"
ACCEPTED = "verified, but for what a declared restore lost"

KEPT_KINDS = frozenset({"kept-truncated", "kept-rewritten", "kept-unknown", "kept-lost", "kept-missing"})
"""Faults of completeness: a kept checkpoint does not fit. Everything else is one of integrity."""
TREE_KINDS = frozenset({Kind.MISSING, Kind.LEAF, Kind.GAP, Kind.NODE, Kind.ROOT})
"""Faults after which the tree as stored is not that of the entries: nothing can be held against it."""
MOST_OF_A_KIND = 50


@dataclass(slots=True)
class Report:
    """What verification found.

    ``integrity`` is verified or failed; ``completeness`` verified, failed or not checked; ``authorship`` says whose key
    the signatures were held against: ``given``, ``key file``, ``claimed`` (the ledger's own word: proves nothing).
    """

    integrity: str = VERIFIED
    completeness: str = NOT_CHECKED
    freshness: str = NOT_CHECKED
    authorship: str = "claimed"
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    checkpoint: Checkpoint | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing failed; what was not checked is not a failure, and is said."""
        return FAILED not in {self.integrity, self.completeness}

    def add(self, finding: Finding) -> None:
        """Keep a finding; beyond fifty of a kind they are only counted.

        By kind, because a hundred signatures that do not hold must not hide the one entry that was changed.
        """
        if sum(item.kind == finding.kind for item in self.findings) < MOST_OF_A_KIND:
            self.findings.append(finding)
        else:
            self.more += 1

    def conclude(self) -> None:
        """Judge integrity: a kept checkpoint that does not fit is a matter of completeness, everything else of this."""
        if self.findings or self.more:
            self.integrity = VERIFIED if all(item.kind in KEPT_KINDS for item in self.findings) else FAILED

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "ok": self.ok,
            "integrity": self.integrity,
            "completeness": self.completeness,
            "freshness": self.freshness,
            "authorship": self.authorship,
            "findings": [
                {
                    "kind": str(item.kind),
                    "case": item.case,
                    "case_number": self.numbers.get(item.case),
                    "sequence": item.sequence,
                    "index": item.index,
                    "why": item.why,
                }
                for item in self.findings
            ],
            "more_findings": self.more,
            "counts": self.counts,
            "notes": self.notes,
            "checkpoint": None
            if self.checkpoint is None
            else {"origin": self.checkpoint.origin, "size": self.checkpoint.size, "root": self.checkpoint.root.hex()},
        }


@contextmanager
def told(report: Report, errors: type[Exception], what: str, case: str = "", kind: str = "database") -> Iterator[None]:
    """Turn whatever a damaged file makes of reading it into a finding, so that the rest is still looked at.

    A damaged page, a text that is none, a number where a list belongs: a verifier is there to say so, not to stop.
    """
    try:
        yield
    except (errors, *SURPRISES) as error:
        report.add(Finding(kind, case, 0, -1, f"{what} cannot be read: {error}"[:LONGEST]))


SURPRISES = (
    HoldfastError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What hostile values can raise in code that was written for honest ones."""
LONGEST = 300
