"""``holdfast case``: the table of its commands, in the order of the work."""

from __future__ import annotations

import click

from workflow.cli.lazy import Lazy, LazyGroup

_READ, _WORK, _FACTS, _OPEN, _DECIDE, _UNBLOCK = (
    f"workflow.cli.case_{room}" for room in ("read", "work", "facts", "open", "decide", "unblock")
)
_AUDIT = "workflow.cli.case_audit"

COMMANDS = {
    "open": Lazy(_OPEN, "open_", "Open a case by hand, from the portal or the telephone."),
    "list": Lazy(_READ, "list_", "List cases: filter, sort, page."),
    "view": Lazy(_READ, "view", "Show a case on one screen, now or as it was."),
    "prerequisites": Lazy(_READ, "prerequisites", "Show each playbook step, its status and how to do it."),
    "history": Lazy(_READ, "history", "Show everything that happened to a case."),
    "work": Lazy(_WORK, "work", "Work through what a case still needs, step by step."),
    "check": Lazy("workflow.cli.case_check", "check", "Read the tenant and record what holds."),
    "contain": Lazy("workflow.cli.case_contain", "contain", "Shut the attacker out of the account."),
    "restore": Lazy(
        "workflow.cli.case_contain", "restore", "Restore, or deliberately leave out, what containment removed."
    ),
    "record": Lazy(_FACTS, "record", "Record the answer to one or more prerequisites."),
    "retract": Lazy(_FACTS, "retract", "Take an answer back."),
    "except": Lazy(_FACTS, "except_", "Ask for, grant or refuse an exception."),
    "assign": Lazy(_FACTS, "assign", "Give the case to a person, or back to the queue."),
    "handover": Lazy("workflow.cli.case_handover", "handover", "Give a shift's open cases to somebody else."),
    "label": Lazy(_FACTS, "label", "Add labels to the case, or remove them."),
    "note": Lazy(_FACTS, "note", "Add a note."),
    "attachment": Lazy("workflow.cli.attachment", "attachment", "List a case's evidence files, or get one back."),
    "identity": Lazy(_OPEN, "identity", "Name a compromised user, say more about one, or remove one."),
    "link": Lazy(_OPEN, "link", "Link another case."),
    "playbook": Lazy(_OPEN, "playbook", "Move the case to another playbook."),
    "request-unblock": Lazy(_UNBLOCK, "request_unblock", "Ask that the entity be unblocked."),
    "withdraw": Lazy(_UNBLOCK, "withdraw", "Take your own request back; a lead may take back another's."),
    "approve": Lazy(_UNBLOCK, "approve", "Approve the request, as a second person."),
    "reject": Lazy(_UNBLOCK, "reject", "Turn the request down, or take an approval back."),
    "unblock": Lazy(_UNBLOCK, "unblock", "Start the approved unblock, or record what Microsoft answered."),
    "observe": Lazy(_DECIDE, "observe", "Record a reading of the restriction."),
    "look": Lazy("workflow.cli.case_tenant", "look_again", "Read the restriction in the tenant now, and record it."),
    "review": Lazy(_DECIDE, "review", "Review an approval that broke the glass."),
    "close": Lazy(_DECIDE, "close", "End the case."),
    "dismiss": Lazy(_DECIDE, "dismiss", "Propose or confirm a dismissal."),
    "reopen": Lazy(_DECIDE, "reopen", "Open an ended case again."),
    "erase": Lazy("workflow.cli.case_erase", "erase", "Erase names, texts and files of ended cases."),
    "report": Lazy(_AUDIT, "report", "Report cases for an auditor: as a page to print, as CSV or as JSON."),
    "exceptions": Lazy(_AUDIT, "exceptions", "List exceptions and irregularities of a period."),
    "stats": Lazy(_AUDIT, "stats", "Show how long each stage took, and where the time went."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def case() -> None:
    """Work on cases, from detected to released.

    CASE is a case's number, the address or connector id it is about, or the end of its id. Most commands that change
    something take many cases: several numbers (3,4,7-9), - for standard input (one case to a line, or what 'case list'
    prints with --json or --csv), or the filters of 'case list' instead of CASE. Each case is judged by itself.
    """
