"""The shipped playbooks hold everything that has to be held, and the schema says what the loader says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from workflow.domain import command
from workflow.domain.playbook import About, BreakGlass, Check, Condition, Nature, Playbook, Prerequisite, Team
from workflow.domain.vocabulary import ENTITY_KINDS, NEVER_EXCEPTED, Kind, Phase
from workflow.sources import playbook_fields, strict_yaml
from workflow.sources.playbook_faults import Faults
from workflow.sources.playbook_file import load, shipped

PLAYBOOKS = {name: load(entry) for name, entry in shipped().items()}
SCHEMA = json.loads((Path(__file__).parents[2] / "playbooks" / "playbook.schema.json").read_text("utf-8"))
STEPS = [(name, item) for name, book in PLAYBOOKS.items() for item in book.prerequisites]
VALUES = {
    "address": "o\u2019brien@contoso.com",
    "user": "anna@contoso.com",
    "connector_id": "2d5c6dd2-0b4f-4ac3-8d4a-5bd4e7f1a001",
    "case": "17",
    "restricted_at": "2026-11-02T09:15:00Z",
}


def _ids(book: Playbook, phase: Phase, *, required: bool = True) -> list[str]:
    return [it.id for it in book.prerequisites if it.required_by is phase and it.required is required]


def _item(book: str, name: str) -> Prerequisite:
    found = PLAYBOOKS[book].get(name)
    assert found is not None
    return found


def test_the_four_playbooks_are_there_under_their_names() -> None:
    """A file's name is the playbook's."""
    names = ["blocked-connector", "compromised-mailbox", "legitimate-bulk-sender", "privileged-account"]

    assert names == list(PLAYBOOKS)
    assert names == [book.name for book in PLAYBOOKS.values()]


def test_a_compromised_mailbox_is_held_by_these_steps() -> None:
    """The whole of the response, phase by phase, in the order in which it is worked."""
    book = PLAYBOOKS["compromised-mailbox"]

    assert [
        "snapshot-taken",
        "password-reset",
        "mfa-enabled",
        "sessions-revoked",
        "app-passwords-removed",
    ] == _ids(book, Phase.CONTAIN)
    assert [
        "audit-logging-on",
        "attacker-methods-removed",
        "app-consents-reviewed",
        "admin-roles-reviewed",
        "forwarding-reviewed",
        "inbox-rules-reviewed",
        "delegates-reviewed",
        "own-mailbox-reviewed",
        "sign-ins-reviewed",
        "cause-decided",
    ] == _ids(book, Phase.VERIFY)
    assert ["sign-in-enabled", "mfa-reregistered"] == _ids(book, Phase.REQUEST)
    assert ["watch-reviewed"] == _ids(book, Phase.CLOSE)
    assert [
        "account-disabled",
        "mail-protocols-disabled",
        "sent-mail-reviewed",
        "alert-policy-on",
        "custom-forms-reviewed",
        "safelist-reviewed",
        "profile-reviewed",
        "sharing-links-reviewed",
        "devices-reviewed",
        "risk-marked",
        "delivery-confirmed",
    ] == _ids(book, Phase.CLOSE, required=False)
    assert (1, Team.ANY, (Kind.MAILBOX, Kind.USER)) == (book.approvals, book.approval_team, book.kinds)


def test_registration_is_never_asked_for_while_sign_in_is_blocked() -> None:
    """MFA is required before containment holds; registering anew waits for the request, so nothing deadlocks."""
    assert (Phase.CONTAIN, ()) == (
        _item("compromised-mailbox", "mfa-enabled").required_by,
        _item("compromised-mailbox", "mfa-enabled").after,
    )
    for name in ("sign-in-enabled", "mfa-reregistered"):
        assert Phase.REQUEST is _item("compromised-mailbox", name).required_by
    assert Phase.REQUEST is _item("privileged-account", "phishing-resistant-mfa").required_by


def test_sessions_are_revoked_after_the_password_and_readings_follow() -> None:
    """A session that outlives the reset could add a rule after the rules were read."""
    assert ("password-reset",) == _item("compromised-mailbox", "sessions-revoked").after
    for name in ("inbox-rules-reviewed", "forwarding-reviewed", "delegates-reviewed", "app-consents-reviewed"):
        assert ("sessions-revoked",) == _item("compromised-mailbox", name).after


def test_what_is_about_a_person_is_answered_per_person() -> None:
    """A shared mailbox is restricted because of people who send as it."""
    personal = {it.id for it in PLAYBOOKS["compromised-mailbox"].prerequisites if it.about is About.IDENTITY}

    assert personal >= {
        *NEVER_EXCEPTED,
        "app-passwords-removed",
        "attacker-methods-removed",
        "app-consents-reviewed",
        "admin-roles-reviewed",
        "sign-ins-reviewed",
        "sign-in-enabled",
        "mfa-reregistered",
    }
    assert personal.isdisjoint({"forwarding-reviewed", "inbox-rules-reviewed", "delegates-reviewed", "cause-decided"})


def test_a_blocked_connector_waits_for_the_person_behind_it() -> None:
    """No password of a connector, but the linked case of whoever changed it, judged by the product itself."""
    book = PLAYBOOKS["blocked-connector"]

    assert ["snapshot-taken", "connectors-restored"] == _ids(book, Phase.CONTAIN)
    assert [
        "traffic-reviewed",
        "connector-changes-reviewed",
        "relay-secured",
        "admin-case-contained",
        "cause-decided",
    ] == _ids(book, Phase.VERIFY)
    assert Check.LINKED_CASE_CONTAINED is _item("blocked-connector", "admin-case-contained").check
    assert NEVER_EXCEPTED.isdisjoint(it.id for it in book.prerequisites)
    assert {About.ENTITY} == {it.about for it in book.prerequisites}


def test_a_privileged_account_adds_to_the_mailbox() -> None:
    """Everything of the mailbox stays; roles, tenant, applications and this tool come on top, and two approve."""
    book, base = PLAYBOOKS["privileged-account"], PLAYBOOKS["compromised-mailbox"]
    added = [it.id for it in book.prerequisites if base.get(it.id) is None]

    assert list(base.prerequisites) == [it for it in book.prerequisites if base.get(it.id)]
    assert [
        "admin-roles-removed",
        "tool-access-suspended",
        "compromised-app-disabled",
        "new-users-reviewed",
        "service-principals-reviewed",
        "app-permissions-reviewed",
        "conditional-access-reviewed",
        "federated-domains-reviewed",
        "mail-flow-rules-reviewed",
        "connectors-reviewed",
        "audit-settings-reviewed",
        "outbound-policy-reviewed",
        "app-credentials-rolled",
        "tool-actions-reviewed",
        "approvals-reviewed",
        "phishing-resistant-mfa",
        "admin-roles-restored",
    ] == added
    assert (2, Team.OTHER) == (book.approvals, book.approval_team)


def test_a_bulk_sender_proves_the_cause_and_changes_the_channel() -> None:
    """Fewer steps, none of them about shutting anybody out, and the same ids where the same is meant."""
    book = PLAYBOOKS["legitimate-bulk-sender"]

    assert ["snapshot-taken", "sending-stopped"] == _ids(book, Phase.CONTAIN)
    assert [
        "limit-identified",
        "sign-ins-reviewed",
        "forwarding-reviewed",
        "inbox-rules-reviewed",
        "sent-mail-reviewed",
        "compromise-ruled-out",
        "owner-confirmed",
        "cause-decided",
    ] == _ids(book, Phase.VERIFY)
    assert ["bulk-channel-agreed"] == _ids(book, Phase.REQUEST)
    assert len(book.required) < len(PLAYBOOKS["compromised-mailbox"].required)


@pytest.mark.parametrize(("name", "item"), STEPS, ids=[f"{name}:{item.id}" for name, item in STEPS])
def test_every_step_says_what_an_analyst_needs(name: str, item: Prerequisite) -> None:
    """Evidence, role, trap and source for each; and what can be filled in is filled in."""
    assert all([item.evidence, item.role, item.trap, item.source])
    assert (item.nature is Nature.READING) == (item.fresh_within is not None)
    assert "'o\u2019\u2019brien" in command.fill(item.command, VALUES) or "{address}" not in item.command
    assert not item.portal or command.fill_url(item.portal, VALUES).startswith("https://")
    assert not re.search(r"[Pp]assword\W+['\"]|AsPlainText", item.command)


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_every_playbook_says_how_to_unblock_and_to_read(name: str) -> None:
    """Role, page and both commands, filled in for the case."""
    book = PLAYBOOKS[name]
    verb = "Connector" if Kind.CONNECTOR in book.kinds else "SenderAddress"

    assert command.fill(book.unblock_command, VALUES).startswith(f"Remove-Blocked{verb} -")
    assert " -Reason ('Holdfast case ' + '17')" in command.fill(book.unblock_command, VALUES)
    assert command.fill(book.read_command, VALUES).startswith(f"Get-Blocked{verb} -")
    assert "https://security.microsoft.com/restrictedentities" == book.unblock_portal
    assert book.unblock_role
    assert book.summary


def test_no_command_of_the_playbooks_needs_a_value_its_case_lacks() -> None:
    """A mailbox has no connector id, and a connector has neither address nor user."""
    lacking = {Kind.MAILBOX: {"connector_id"}, Kind.CONNECTOR: {"address", "user"}, Kind.USER: {"connector_id"}}
    for book in PLAYBOOKS.values():
        texts = [book.unblock_command, book.read_command]
        texts += [text for it in book.prerequisites for text in (it.command, it.portal)]
        asked = {name for text in texts for name in command.PLACEHOLDERS if f"{{{name}}}" in text}
        assert set() == asked & set().union(*(lacking[kind] for kind in book.kinds))


def _plain(node: strict_yaml.Node) -> Any:
    """Return the node as an editor's YAML would understand it."""
    if isinstance(node, strict_yaml.Mapping):
        return {key: _plain(value) for key, value in node.items.items()}
    if isinstance(node, strict_yaml.Sequence):
        return [_plain(item) for item in node.items]
    if node.plain and node.text.isdigit():
        return int(node.text)
    return {"true": True, "false": False}.get(node.text, node.text) if node.plain else node.text


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_the_schema_accepts_what_is_shipped(name: str) -> None:
    """Editors show no error in these files, and each points to the schema."""
    data = shipped()[name].read_bytes()
    node = strict_yaml.read(data, name, Faults())
    assert node is not None

    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(_plain(node))
    assert data.startswith(b"# yaml-language-server: $schema=playbook.schema.json\n")


@pytest.mark.parametrize(
    "change",
    [{"x": 1}, {"approvals": 0}, {"version": 1.1}, {"kinds": []}, {"approval_within": "24"}, {"prerequisites": []}],
)
def test_the_schema_refuses_what_the_loader_refuses(change: dict[str, Any]) -> None:
    """An editor that knows the schema catches these while they are typed."""
    item = {"id": "one", "title": "One", "required_by": "contain"}
    sound = {
        "format": 1,
        "name": "a",
        "version": "1",
        "title": "A",
        "kinds": ["mailbox"],
        "prerequisites": [item],
    }
    validator = jsonschema.Draft202012Validator(SCHEMA)

    assert validator.is_valid(sound)
    assert not validator.is_valid(sound | change)
    assert not validator.is_valid(sound | {"prerequisites": [{"id": "one", "title": "One"}]})
    assert not validator.is_valid(sound | {"prerequisites": [item | {"before": "x"}]})
    assert not validator.is_valid(sound | {"prerequisites": [item | {"required": False}]})


def test_the_schema_knows_the_keys_and_words_of_the_loader() -> None:
    """Neither may learn a key or a word without the other."""
    top, step = SCHEMA["properties"], SCHEMA["$defs"]["prerequisite"]["properties"]

    assert set(playbook_fields.PLAYBOOK) == set(top)
    assert set(playbook_fields.PREREQUISITE) == set(step)
    assert list(playbook_fields.EXCEPTION) == list(step["exception"]["properties"])
    assert list(playbook_fields.PLAYBOOK_REQUIRED) == SCHEMA["required"]
    assert list(playbook_fields.PREREQUISITE_REQUIRED) == SCHEMA["$defs"]["prerequisite"]["required"]
    assert [*ENTITY_KINDS] == top["kinds"]["items"]["enum"]
    assert [*Team] == top["approval_team"]["enum"]
    assert [*BreakGlass] == top["break_glass"]["enum"]
    assert [*Phase] == step["required_by"]["enum"]
    assert [*About] == step["about"]["enum"]
    assert [*Nature] == step["nature"]["enum"]
    assert [*Condition] == step["applies_if"]["items"]["enum"]
    assert [check for check in Check if check] == step["check"]["enum"]
    assert [*playbook_fields.GRANTERS] == step["exception"]["properties"]["granted_by"]["enum"]
    assert f"^{playbook_fields.DURATION.pattern}$" == SCHEMA["$defs"]["duration"]["pattern"]
    assert f"^{playbook_fields.ID.pattern}$" == SCHEMA["$defs"]["id"]["pattern"]
    assert f"^{playbook_fields.VERSION.pattern}$" == top["version"]["pattern"]


def test_the_reference_page_names_every_key_and_word() -> None:
    """What a file may say stands in the reference."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "playbook-format.md").read_text("utf-8")
    words = [
        *playbook_fields.PLAYBOOK,
        *playbook_fields.PREREQUISITE,
        *playbook_fields.EXCEPTION,
        *Condition,
        *Phase,
        *About,
        *Nature,
        *Team,
        *BreakGlass,
        *ENTITY_KINDS,
        *playbook_fields.GRANTERS,
        *(check for check in Check if check),
        *(f"{{{name}}}" for name in command.PLACEHOLDERS),
    ]

    assert [] == [word for word in words if f"`{word}`" not in page]


def test_only_ordinary_mailboxes_may_be_approved_alone() -> None:
    """Never an account with roles, and never a connector."""
    found = {name: load(source, name).break_glass for name, source in shipped().items()}
    allowed = {name for name, said in found.items() if said is BreakGlass.ALLOWED}
    assert {"compromised-mailbox", "legitimate-bulk-sender"} == allowed


def test_the_how_to_builds_a_sound_playbook() -> None:
    """The example that people copy is read by the loader as it stands."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-playbook.md").read_text("utf-8")
    examples = re.findall(r"```yaml\n(format: 1\n.*?)```", page, re.DOTALL)

    assert ["finance-mailbox", "scanner-relay"] == [load(text.encode()).name for text in examples]
