"""Writes the reference pages that are generated: command line, errors and exit codes, settings.

``python -m tests.docs_build`` writes them; a test fails when a page is not what this module would write.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workflow import errors
from workflow.cli.door import root
from workflow.cli.exits import CURES, EXITS, INTERRUPTED, MEANINGS, WORST
from workflow.domain.vocabulary import Alteration
from workflow.providers.alterations import ALTERATIONS, SET_MAILBOX
from workflow.providers.operations import EXCHANGE, OPERATIONS, Grade
from workflow.settings import Person, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = Path(__file__).parent.parent / "docs" / "reference"
WIDTH = 100


def command_line() -> str:
    """Return the reference of every command, from click itself."""
    lines = [
        "# Command line",
        "",
        "Generated from the commands themselves by `make docs`. `--as` and `--json` may stand before or behind the",
        "command's name. CASE is a case's number, the address or connector id it is about, or the end of its id.",
        "TIME is such as `2026-05-01T08:12`, `2026-05-01T08:12Z`, `2026-05-01 08:12+02:00`, `-2h`, `+7d` or `now`;",
        "without a zone it is local and echoed in UTC. It lies in the years 2000 to 2199. People read local time with",
        "its zone; JSON and CSV are UTC.",
        "",
        "JSON stands alone on standard output, errors included; hints, echoed times and progress go to standard error.",
        "`NO_COLOR` and a pipe turn colours off. `HOLDFAST_DEBUG=1` shows where an unexpected error came from.",
        "",
        "Keys of JSON are written with underscores; values that name an option keep its dash. A case in `case",
        "list` has `id`, `number`, `tenant`, `kind`, `entity`, `state`, `recurrence`, `version`, `playbook` (its",
        "name), `playbook_version`, `playbook_digest`, `playbook_shipped`, `missing`, `assignee`, `opened_at`,",
        "`updated_at`, `due_at`, `due`, `overdue_seconds`, `resolution`, `restriction` (its status),",
        "`restricted_at`, `requested_at`, `intended_at`, `released_at`, `ended_at`, `labels`, `break_glass`,",
        "`waits_for` (answers, request, approver, unblock, confirmation, end-of-watch, close, or nothing), `late`",
        "and `overdue`; lists are arrays. `case view` has all of these with the same types, and more:",
        "`restriction_reading` is what was last known of the restriction, `break_glass_approvals` are the",
        "approvals in full. `missing` names each prerequisite between the case and *verified* once; an ended case",
        "lacks nothing. Elsewhere `case` is a case's id and `case_number` its number.",
        "",
        "A table that is wider than the terminal is cut, and then loses its least important columns, which a line",
        "below it names; ids, numbers, entities, states and *(claimed)* are never cut. In a pipe everything is",
        "there.",
        "",
    ]
    for path, command in _commands(root, "holdfast"):
        ctx = click.Context(command, info_name=path, terminal_width=WIDTH, help_option_names=["-h", "--help"])
        # click keeps the help option that the first context asked for, which may have been a test's.
        command._help_option = None
        help_text = command.get_help(ctx)
        lines += [f"## {path}", "", "```text", help_text, "```", ""]
    return "\n".join(lines)


def _commands(group: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, group
    if isinstance(group, click.Group):
        ctx = click.Context(group, info_name=path)
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            assert command is not None
            yield from _commands(command, f"{path} {name}")


def errors_and_exits() -> str:
    """Return the page of exit codes and of every error with its code."""
    lines = [
        "# Errors and exit codes",
        "",
        "Generated from the error tree and the command line's one table by `make docs`.",
        "",
        "## Exit codes",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {code.value} | {meaning} |" for code, meaning in MEANINGS.items()),
        f"| {INTERRUPTED} | interrupted (Ctrl-C) |",
        "",
        "A command over many cases exits with the worst of their results, the first of this list that occurs:",
        f"{', '.join(str(code.value) for code in WORST)}. A case that was skipped counts as done.",
        "Interrupted, it finishes the transaction under way, says what was done and what was not reached, and exits",
        f"with {INTERRUPTED}.",
        "",
        "Where the output is closed before its end (`… | head -3`), a command that reads exits with 1. A decision",
        "that was not shown whole is not taken: exit 1, and standard error says so. A step that was taken is told",
        "there instead: exit 0, or of many cases, which are all gone through, the worst of their results.",
        "",
        "`holdfast import` exits with 1 when an item or a file was broken; everything else was taken in.",
        "`holdfast case record --from` and `case unblock --outcomes` exit with 2 when the header or a row cannot be",
        "understood.",
        "`holdfast playbook check` exits with 1 when there is a fault. Whatever the command, a file that is named and",
        "cannot be opened, or that stands already where a new one would be written, is a matter of what was typed: 2.",
        "`holdfast tenant poll`, `case check` and `case contain` exit with 1 when the tenant did not answer everything",
        "they asked; what was read is recorded, the rest is named, and with `--json` is in `unread`. Where no answer",
        "came at all nothing is recorded. `case contain --dry-run` exits with 1 in the same way.",
        "`holdfast worker --once` exits with 1 when a chore failed, or a step to which the tenant gave no answer.",
        "",
        "## Errors",
        "",
        "An error is one message on standard error and what to do next. With `--json` it is an object on standard",
        'output: `{"error": {"code", "message", "exit", "next_step", …}}`. `gate_closed` adds `missing`, for each',
        "prerequisite `id`, `about`, `reason`, `title`, `required`, `phase`, `who`, `role` and `next`. `wrong_state`",
        "adds `possible` and `next`; `playbook` adds `faults`. Where another person can take the step, `roles` says",
        "with which role, and `on_call` who on the list could take it. A usage error's code is `usage`, an",
        "unexpected one's `unexpected`.",
        "",
        "| code | exit | what happened | what to do next |",
        "|---|---|---|---|",
    ]
    for kind in error_classes():
        doc = (inspect.getdoc(kind) or "").split("\n", 1)[0]
        lines.append(f"| `{kind.code}` | {EXITS[kind].value} | {doc} | {CURES.get(kind, '')} |")
    return "\n".join([*lines, ""])


def error_classes() -> list[type[errors.HoldfastError]]:
    """Return every class of the error tree, in the order in which it is written."""
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.HoldfastError)]


def settings() -> str:
    """Return the page of settings, from the model."""
    lines = [
        "# Settings",
        "",
        "Generated from the settings model by `make docs`. Each is read from the environment first, then from",
        "`config.toml`. `HOLDFAST_HOME` puts the three folders (config, data, state) under one place. Lists and",
        "tables in the environment are JSON. `holdfast config show` prints what is in force, and",
        "`holdfast config describe` this list.",
        "",
        "| setting | environment | unless given | what it is |",
        "|---|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        variable = field.alias or f"HOLDFAST_{name.upper()}"
        lines.append(f"| `{name}` | `{variable}` | {_default(name, field)} | {field.description} |")
    lines += [
        "",
        "## People",
        "",
        "Each `[[people]]` table of `config.toml` is one person.",
        "",
        "| member | unless given |",
        "|---|---|",
        *(f"| `{name}` | {_default(name, field)} |" for name, field in Person.model_fields.items()),
        "",
        "## For the command line only",
        "",
        "| variable | what it does |",
        "|---|---|",
        "| `HOLDFAST_HOME` | one folder for config, data and state |",
        "| `HOLDFAST_DEBUG` | any value: show where an unexpected error came from |",
        "| `NO_COLOR` | any value: no colours |",
        "| `_HOLDFAST_COMPLETE` | set by shells that complete commands (`holdfast completion bash`) |",
        "",
    ]
    return "\n".join(lines)


PLACES = {
    "database_url": "`holdfast.db` in the data folder",
    "config_file": "`config.toml` in the config folder",
    "key_file": "`signing.key` in the config folder",
    "checkpoint_file": "`checkpoints` in the state folder",
}


def _default(name: str, field: Any) -> str:
    if name in PLACES:
        return PLACES[name]
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value in ("", (), {}, None):
        return "empty"
    return f"`{', '.join(value)}`" if isinstance(value, tuple) else f"`{str(value).lower()}`"


def providers() -> str:
    """Return the page of what Holdfast asks of a tenant and does in it, from the table of operations."""
    lines = [
        "# What is asked of a tenant, and done in it",
        "",
        "Generated from the table of operations by `make docs`. `holdfast tenant permissions` prints the grants alone.",
        "",
        "The grade says what a row rests on: *documented* by Microsoft; *captured* from a live tenant and published by",
        "somebody; *believed*, as public projects do it and no documentation says. A tenant that does not answer as",
        "believed is named in the error, and what could not be read is *unable to verify*, never *met*. Cmdlets run",
        "through the gateway that Microsoft's own Exchange module uses, for which there is no published contract.",
        "",
        "A change is called once. When no answer comes, its outcome is unknown and found out by reading. Only a call",
        "that the service turned away unheard (429) is made again, where making it twice does no more than once.",
        "",
        "An application holds application permissions, and a role beside them where one is named. A person who signs",
        "in with a code delegates the permissions of the same names, holds the role in the last column of the two, and",
        "for cmdlets is a member of the role group, or holds that wider role of Microsoft's.",
        "",
    ]
    grades = {grade: sum(row.grade is grade for row in OPERATIONS.values()) for grade in Grade}
    lines += [f"{len(OPERATIONS)} operations: {', '.join(f'{n} {grade.value}' for grade, n in grades.items())}.", ""]
    for heading, changes in (("Reads", False), ("Changes", True)):
        lines += [f"## {heading}", "", *_operation_heads(changes=changes)]
        lines += [_operation(name, changes=changes) for name, row in OPERATIONS.items() if row.changes is changes]
        lines += [""]
    lines += [
        "## What is looked for in the audit log",
        "",
        "Beside listings, delistings and removals of a restriction: what tells of a change of somebody's account. The",
        "names are those of Microsoft's lists of activities. Believed is that each tenant writes each of them, and",
        "whose account a record is about: its object, a parameter of the cmdlet, or whoever acted where people do it",
        "to themselves.",
        "",
        "| operation | tells of |",
        "|---|---|",
        *(f"| `{name}` | {alteration.value} |" for name, alteration in ALTERATIONS.items()),
        f"| `{SET_MAILBOX}` | {', '.join(item.value for item in _OF_MAILBOXES)}, by its parameters |",
        "",
    ]
    return "\n".join(lines)


_OF_MAILBOXES = (Alteration.FORWARDING_SET, Alteration.FORWARDING_CLEARED, Alteration.RIGHTS_SET)


def _operation_heads(*, changes: bool) -> tuple[str, str]:
    heads = ["operation", "calls", "least permission", "an application's role", "a person's role", "grade"]
    heads += [*(["may be repeated"] if changes else []), "trap"]
    return f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"


_A_GROUP = "a role group with the cmdlets"


def _operation(name: str, *, changes: bool) -> str:
    row = OPERATIONS[name]
    cells = [
        f"`{name}`: {row.title}",
        "<br>".join(f"`{call}`" for call in row.calls),
        ", ".join(row.permissions),
        _A_GROUP if EXCHANGE in row.permissions else row.app_role,
        row.role,
        row.grade.value,
        *([("yes" if row.repeatable else "**no**")] if changes else []),
        row.trap,
    ]
    return f"| {' | '.join(cells)} |"


GENERATED = {
    "cli.md": command_line,
    "errors.md": errors_and_exits,
    "providers.md": providers,
    "settings.md": settings,
}
"""Each generated page and what writes it."""


def main() -> None:
    """Write every generated page."""
    for name, write in GENERATED.items():
        (PAGES / name).write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main()
