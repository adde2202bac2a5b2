"""What an auditor looks at first: the kinds of things that went another way than usual."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORDED_LATE = timedelta(hours=24)
"""From how long after the observation on something counts as recorded late."""

KINDS: Mapping[str, str] = {
    "exception": "a prerequisite's risk was accepted instead",
    "break-glass": "one person stood in for the second",
    "dismissal": "a case was ended without a release",
    "playbook": "a case was moved to another playbook",
    "outside": "a restriction was lifted outside Holdfast",
    "changed-outside": "an account of a case was changed outside Holdfast",
    "two-names": "one operating system's user acted under two names on one case",
    "recorded-late": "something was recorded more than 24 hours after it was observed",
    "bulk": "an unblock was approved together with others",
    "erased": "names and texts of a case were erased",
    "retracted": "an answer or an exception was taken back",
}
"""Everything that is looked for, and what it means."""
