"""Labels: words a team sorts its cases by. They stand in entries as they are, so they are tokens and no free text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workflow.domain.vocabulary import EntryType
from workflow.errors import InputError, RuleRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.domain import actions as act
    from workflow.domain.record import Record
    from workflow.domain.scene import Scene

MOST_LABELS = 20
"""Labels of one case; one step adds and removes at most as many."""
SHAPE = "small letters, digits and hyphens, at most 32 characters, such as 'wave-0412'"
"""What a label looks like, in words."""

_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,31}").fullmatch


def labelled(action: act.LabelCase, scene: Scene) -> list[Record]:
    """Add and remove labels; what the case has, or lacks, already is passed over.

    Raises:
        InputError: nothing is named, a label is no such token, or one is both added and removed.
        RuleRefusedError: the case would have too many.
    """
    add, remove = set(action.add), set(action.remove)
    well_formed((*action.add, *action.remove))
    if (not add and not remove) or max(len(action.add), len(action.remove)) > MOST_LABELS:
        message = f"Name 1 to {MOST_LABELS} labels to add or to remove."
        raise InputError(message)
    if add & remove:
        message = f"These labels are both added and removed: {', '.join(sorted(add & remove))}."
        raise InputError(message)
    before = set(scene.case.labels)
    after = before - remove | add
    if len(after) > MOST_LABELS:
        message = f"A case has at most {MOST_LABELS} labels: remove one first."
        raise RuleRefusedError(message)
    return [scene.record(EntryType.CASE_LABELLED, action)] if after != before else []


def well_formed(labels: Iterable[str]) -> None:
    """Refuse what is no label.

    Raises:
        InputError: names the first that is none.
    """
    for label in labels:
        if not _LABEL(label):
            message = f"{label[:40]!r} is no label: a label is {SHAPE}."
            raise InputError(message)
