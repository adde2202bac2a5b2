"""``holdfast ledger access``: who could write, approve and sign, when that changed, and who did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from workflow.cli.output import as_csv, as_json, say, table
from workflow.cli.people import named
from workflow.cli.period import period_of, period_options, period_words
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible

if TYPE_CHECKING:
    from workflow.services.access_review import Access

COLUMNS = (
    *("row", "name", "os_user", "claimed", "roles", "team", "may_write", "may_approve", "since", "until"),
    *("entries", "approvals", "refused", "sequence", "what", "details"),
)
"""The columns of ``ledger access --csv``; ``row`` is could, key, changed or did."""


@click.command("access", cls=Verb)
@period_options
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, times in UTC.")
@click.pass_obj
def access(session: Session, begins: str | None, ends: str | None, wants_csv: bool) -> None:
    """Show who could write, approve and sign in a period, when that changed, and who did.

    From the ledger's own entries: the lists of people in force, settings and playbooks, the key, and every name that
    acted with the operating system's user behind it and the roles of the time.
    """
    from workflow.services.access_review import access as review

    if wants_csv and session.as_json:
        raise click.UsageError("Choose --csv or --json.")
    found = review(session.app, period_of(session, begins, ends))
    if session.as_json:
        as_json(found.to_data())
    elif wants_csv:
        as_csv(COLUMNS, _rows(found))
    else:
        _show(session, found)


def _rows(found: Access) -> list[dict[str, Any]]:
    """Return everything as rows of one table; what a row does not have is empty."""
    rows = [
        *({"row": "could", **row} for row in found.could),
        *({"row": "key", "name": row["origin"], "what": row["key"], "since": row["since"]} for row in found.keys),
        *(
            {
                "row": "changed",
                "name": row["by"],
                "since": row["at"],
                **{name: row[name] for name in ("os_user", "sequence", "what")},
                "details": "; ".join(row["details"]),
            }
            for row in found.changes
        ),
        *({"row": "did", **row, "since": row["first"], "until": row["last"]} for row in found.did),
    ]
    return [{name: row.get(name, "") for name in COLUMNS} for row in rows]


def _show(session: Session, found: Access) -> None:
    say(f"Access {period_words(session, found.period)}", bold=True)
    if found.everybody:
        say("While nobody is listed, everybody may do both: every name may write and approve.")
    say()
    rows = [
        (
            row["name"],
            ", ".join(row["roles"]),
            row["team"] or "-",
            "yes" if row["may_write"] else "no",
            "yes" if row["may_approve"] else "no",
            session.local(row["since"]),
            session.local(row["until"]) if row["until"] else "still",
        )
        for row in found.could
    ]
    table(("could", "roles", "team", "write", "approve", "since", "until"), rows, flexible=(1,), spare=(2, 5, 6))
    say()
    for row in found.keys:
        say(f"signed with {visible(row['key'])} since {session.local(row['since'])}")
    say("Whoever can read that key file could sign; every user below whose steps were recorded did.")
    say()
    say("Changed", bold=True)
    for row in found.changes:
        said = f" ({visible('; '.join(row['details']), 500)})" if row["details"] else ""
        say(
            f"  {session.local(row['at'])}  entry {row['sequence']} of the log, {visible(row['by'], 80)}: "
            f"{visible(row['what'], 200)}{said}"
        )
    if not found.changes:
        say("  Nothing: no people, settings, playbooks or keys.")
    say()
    _show_did(session, found)


def _show_did(session: Session, found: Access) -> None:
    if not found.did:
        say("Nobody acted.")
        return
    rows = [
        (
            row["os_user"],
            named(row["name"], row["claimed"]),
            ", ".join(row["roles"]),
            row["entries"],
            row["approvals"],
            row["refused"],
            session.local(row["first"]),
            session.local(row["last"]),
        )
        for row in found.did
    ]
    heads = ("user", "acted as", "roles then", "entries", "approvals", "refused", "first", "last")
    table(heads, rows, flexible=(2,), spare=(6, 7, 2))
    for user, names in found.several.items():
        say(f"{visible(user, 80)} acted under {len(names)} names: {visible(', '.join(names), 300)}.")
