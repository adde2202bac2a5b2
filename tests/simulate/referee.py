"""The referee of a life: compares what the tenant's own log says with what stands on our ledger, by hand."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.race.referee import VOIDING, by_hand
from tests.simulate.world import Broken
from workflow.domain import unblocking
from workflow.domain.reconciliation import SKEW
from workflow.domain.record import time_from_text
from workflow.domain.subject import normalise
from workflow.domain.vocabulary import Kind
from workflow.services import automation, casework, verification
from workflow.storage import cases, subjects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulate.world import World
    from workflow.domain.record import Entry
    from workflow.providers.simulated.state import Effect

UNHEARD = {401, 429, 301, 302, 307, 308}
"""Answers to a call that was not carried out, and may be sent again for the same intent."""
NEAR = timedelta(minutes=3)
"""How far the log of the tenant may be off."""


DAY = timedelta(days=1)
CHANGES = {
    "sign-in": "block-sign-in",
    "password": "reset-password",
    "sessions valid from": "revoke-sessions",
    "sign-in method removed": "remove-method",
    "consent removed": "remove-consent",
    "role removed": "remove-role",
    "role added": "remove-role",
    "forwarding": "clear-forwarding",
    "inbox rule": "disable-rule",
    "FullAccess taken": "remove-delegate",
    "FullAccess given": "remove-delegate",
    "SendAs taken": "remove-delegate",
    "SendAs given": "remove-delegate",
}
"""What the tenant calls an effect, and the change that has it, or takes it back."""
ALTERED = {
    "sign-in": {"sign-in-blocked", "sign-in-allowed"},
    "password": {"password-set"},
    "sessions valid from": {"sessions-revoked"},
    "per-user MFA": {"mfa-enforced", "mfa-lifted"},
    "sign-in method added": {"method-registered"},
    "sign-in method removed": {"method-removed"},
    "consent given": {"consent-given"},
    "consent removed": {"consent-removed"},
    "role added": {"role-given"},
    "role removed": {"role-removed"},
    "forwarding": {"forwarding-set", "forwarding-cleared"},
    "inbox rule made": {"rule-set"},
    "inbox rule": {"rule-on", "rule-off"},
    "inbox rule removed": {"rule-off"},
    "FullAccess given": {"right-given"},
    "FullAccess taken": {"right-removed"},
    "SendAs given": {"right-given"},
    "SendAs taken": {"right-removed"},
}
"""What the tenant calls an effect, and what the ledger calls it where others did it."""
SHOWS, SHOWN = timedelta(hours=9), timedelta(hours=20)
"""When the tenant's log was read so that it showed an event whatever our clock said: it is late, and looked back in."""


class Referee:
    """Looks at one world."""

    def __init__(self, world: World, victim: str) -> None:
        self.world = world
        self.victim = victim
        world.watch = self.unblocking
        self._keys: Counter[str] = Counter()

    def fail(self, why: str) -> None:
        """Say that a rule was broken.

        Raises:
            Broken: always.
        """
        raise Broken(why)

    def unblocking(self, key: str, entity: str) -> None:
        """Look, before the tenant hears of an unblock, whether its intent stands committed on the ledger."""
        with self.world.quiet.database.reading() as tx:
            found = [cases.load(tx, case_id, self.world.quiet.cache) for case_id in cases.ids(tx)]
        begun = [case.open_attempt.leaf for case in found if case.open_attempt is not None]
        if key not in {unblocking.key(leaf) for leaf in begun}:
            self.fail(f"an unblock of {entity} is called without an intent that stands ({key!r})")

    def watch(self) -> None:
        """Hold what can be held at any time."""
        self._calls()
        self._restricted()

    def _calls(self) -> None:
        heard = Counter(item.key for item in self.world.lifted if item.status not in UNHEARD)
        took: Counter[str] = Counter()
        for item in self.world.lifted:
            took[item.key] += item.effects
        for name, counter in (("called", heard), ("carried out", took)):
            for key, count in counter.items():
                if count > 1:
                    self.fail(f"one intent ({key}) was {name} {count} times")

    def _restricted(self) -> None:
        """Every restriction that stood while two polls passed has an open case."""
        polls = [at for name, outcome, at in self.world.chores if name == "poll" and outcome == "done"]
        if len(polls) < 2:
            return
        app = self.world.quiet
        with app.database.reading() as tx:
            for row in self.world.simulator.tenant.rows.values():
                if row.created_at >= polls[-2]:
                    continue
                kind = Kind(row.kind)
                entity = subjects.find(tx, app.settings.tenant, kind, normalise(kind, row.key))
                if entity is None or cases.open_case_of(tx, app.settings.tenant, row.kind, entity) is None:
                    since = f"{row.created_at:%m-%d %H:%M}, and was polled at {polls[-1]:%m-%d %H:%M}"
                    self.fail(f"{row.key} is restricted since {since}, and has no open case")

    def verify(self) -> None:
        """Have the whole ledger verified: signatures, rows, and every step judged again."""
        found = verification.verify(self.world.quiet)
        if found.findings or not found.ok:
            told = "; ".join(f"{item.kind} {item.case} {item.sequence}: {item.why}" for item in found.findings)
            self.fail(f"verification finds {told or found.completeness}")

    def judge(self) -> None:
        """Hold everything at the end of a life, when the faults are over and a while has passed."""
        self.watch()
        self.verify()
        histories = dict(self._histories())
        for number, entries in histories.items():
            self._history(number, entries)
        self._effects(histories)
        self._changes(histories)
        self._altered(histories)
        self._secrets()
        self._due()

    def _histories(self) -> Iterator[tuple[int, list[Entry]]]:
        with self.world.quiet.database.reading() as tx:
            for case_id in cases.ids(tx):
                case = cases.load(tx, case_id)
                if case.number:
                    yield case.number, cases.entries(tx, case_id)

    def _history(self, number: int, entries: list[Entry]) -> None:
        """Walk through one case: who approved, and on what an unblock was begun and a release concluded."""
        # More than one intent is no fault in a long life; each needs an approval of its own.
        app = self.world.quiet
        with app.database.reading() as tx:
            books = [app.playbook(tx, digest) for digest in {entry.playbook for entry in entries}]
        conditions = {item.id: item.applies_if for book in books for item in book.prerequisites if item.applies_if}
        found = [why for why in by_hand(entries, conditions) if not why.endswith(". intent")]
        found += [*self._approvals(entries), *_intents(entries)]
        if found:
            self.fail(f"case #{number}: {'; '.join(found)}")

    def _approvals(self, entries: list[Entry]) -> Iterator[str]:
        """Name approvals by whoever requested, by the machine, and by the person the case is about."""
        vic = casework.person(self.world.quiet, "Vic")
        with self.world.quiet.database.reading() as tx:
            own = set(subjects.alike(tx, [normalise(Kind.USER, self.victim)]))
        requester = ""
        for entry in entries:
            actor = entry.actor["id"]
            if entry.type == "unblock:requested":
                requester = actor
            elif entry.type == "unblock:approved":
                if actor in {"system", requester}:
                    yield f"entry {entry.sequence} is approved by {actor}, who requested it or is the machine"
                if actor == vic and own & self._about(entries, entry.sequence):
                    yield f"entry {entry.sequence} is approved by whom the case is about"

    def _about(self, entries: list[Entry], until: int) -> set[str]:
        found: set[str] = set()
        for entry in entries[:until]:
            if entry.type == "case:opened":
                found |= {str(entry.data.get("entity", "")), *map(str, entry.data.get("identities", ()))}
            elif entry.type == "identity:added":
                found.add(str(entry.data["subject"]))
        return found

    def _effects(self, histories: dict[int, list[Entry]]) -> None:
        """Everything that really was unblocked is on the ledger: as ours, or as somebody else's."""
        keys = {
            unblocking.key(entry.leaf)
            for entries in histories.values()
            for entry in entries
            if entry.type == "unblock:intended"
        }
        for item in self.world.lifted:
            if item.effects and item.key not in keys:
                self.fail(f"{item.entity} was unblocked by us without an intent on the ledger")
        lifted: dict[str, list[datetime]] = {}
        opened: dict[str, datetime] = {}
        with self.world.quiet.database.reading() as tx:
            for entries in histories.values():
                case = cases.load(tx, entries[0].case)
                opened.setdefault(case.entity, time_from_text(entries[0].recorded_at))
                for entry in entries:
                    if entry.data.get("lifted_at"):
                        lifted.setdefault(case.entity, []).append(time_from_text(str(entry.data["lifted_at"])))
            for effect in self._outside():
                kind = Kind.CONNECTOR if effect.target.count("-") == 4 else Kind.MAILBOX
                entity = subjects.find(tx, self.world.settings.tenant, kind, normalise(kind, effect.target)) or ""
                if any(abs(at - effect.at) <= NEAR for at in lifted.get(entity, ())):
                    continue
                # What came and went before any case was about it is told to people, who decide whether to open one; and
                # so is what our clock, when it was off, had seen gone before it was.
                before = effect.at < opened.get(entity, effect.at + NEAR) or self.world.time.off(effect.at, DAY) > SKEW
                if not (before and any("chore: log: " in line and "untracked" in line for line in self.world.trace)):
                    self.fail(
                        f"{effect.target} was unblocked in the portal at {effect.at}, and the ledger does not say so"
                    )

    def _changes(self, histories: dict[int, list[Entry]]) -> None:
        """Everything that we changed of an account, there and back, has an intent on the ledger of its own."""
        told = [
            (str(entry.data.get("about") or entries[0].data["entity"]), str(entry.data["change"]))
            for entries in histories.values()
            for entry in entries
            if entry.type == "change:intended"
        ]
        with self.world.quiet.database.reading() as tx:
            known = subjects.names(tx, {about for about, _ in told})
        intended = Counter((known[about].identifier, change) for about, change in told)
        made = Counter(
            (normalise(Kind.USER, effect.target), CHANGES[effect.what])
            for effect in self.world.simulator.tenant.effects
            if effect.by.kind == "app" and effect.what in CHANGES
        )
        for (account, change), count in made.items():
            if count > intended[account, change]:
                self.fail(
                    f"{change} of {account} was done {count} times, and intended {intended[account, change]} times"
                )

    def _altered(self, histories: dict[int, list[Entry]]) -> None:
        """Everything that others did to an account while a case was about it stands in that case; nothing of ours does.

        Not judged is what happened while our clock was off, by which a case knows its own times.
        """
        read = [at for name, outcome, at in self.world.chores if name == "log" and outcome == "done"]
        effects = [
            effect
            for effect in self.world.simulator.tenant.effects
            if effect.what in ALTERED
            and effect.at >= self.world.time.began
            and self.world.time.off(effect.at, DAY) <= SKEW
        ]
        for number, entries in histories.items():
            told = [entry for entry in entries if entry.type == "change:seen"]
            for effect in effects:
                if not self._stood(entries, effect):
                    continue
                near = [entry for entry in told if _tells(entry, effect)]
                seen = any(effect.at + SHOWS <= at <= effect.at + SHOWN for at in read)
                if effect.by.kind == "app" and any(entry.data.get("own") for entry in near):
                    self.fail(f"case #{number} says that others did what we did: {effect.what} of {effect.target}")
                if effect.by.kind != "app" and seen and not near:
                    self.fail(
                        f"{effect.what} of {effect.target} by {effect.by.kind} at {effect.at} is not in case #{number}"
                    )

    def _stood(self, entries: list[Entry], effect: Effect) -> bool:
        """Say whether a case was open about an account when something was done to it, by a clock that was right."""
        wanted = normalise(Kind.USER, effect.target)
        with self.world.quiet.database.reading() as tx:
            same = set(subjects.alike(tx, [wanted]))
        is_about = is_open = False
        for entry in entries:
            at = time_from_text(entry.recorded_at)
            if at > effect.at:
                break
            if entry.state_after:
                is_open = entry.state_after not in {"closed", "dismissed"}
            is_about |= bool(same & self._about([entry], 1))
            if entry.type == "case:opened" and self.world.time.off(max(at, self.world.time.began), DAY) > SKEW:
                return False
        gone = any(entry.type in {"identity:removed", "case:erased"} for entry in entries)
        return is_about and is_open and not gone

    def _outside(self) -> Iterator[Effect]:
        """Yield the unblocks by others that began a lifting: what lifted already was somebody else's deed before."""
        lifting: set[str] = set()
        read = [at for name, outcome, at in self.world.chores if name == "log" and outcome == "done"]
        for effect in self.world.simulator.tenant.effects:
            if effect.what == "no longer restricted":
                lifting.discard(effect.target)
            elif effect.what == "unblocked":
                seen = any(effect.at + SHOWS <= at <= effect.at + SHOWN for at in read)
                if effect.target not in lifting and effect.by.kind == "portal" and seen:
                    yield effect
                lifting.add(effect.target)

    def _secrets(self) -> None:
        """No password that was ever set stands anywhere in what is kept."""
        kept = {path.name: path.read_bytes() for path in self.world.place.home.rglob("*") if path.is_file()}
        kept["trace"] = "\n".join(self.world.trace).encode()
        for secret in self.world.secrets:
            for name, content in kept.items():
                if secret.encode() in content:
                    self.fail(f"a password stands in {name}")

    def _due(self) -> None:
        """Nothing that is due is left."""
        app = self.world.quiet
        due = automation.due(self.world.worker.app, app.now())
        if not due:
            return
        with app.database.reading() as tx:
            left = [cases.load(tx, case_id) for case_id in due]
        told = ", ".join(f"#{case.number} ({case.state})" for case in left)
        self.fail(f"due and left: {told}; the worker last said: {' | '.join(self.world.trace[-6:])}")


def _tells(entry: Entry, effect: Effect) -> bool:
    """Say whether an entry tells of an effect."""
    near = abs(time_from_text(str(entry.data["altered_at"])) - effect.at) <= NEAR
    return near and entry.data["alteration"] in ALTERED[effect.what]


def _intents(entries: list[Entry]) -> Iterator[str]:
    """Name intents without an approval of their own, and releases without an intent of their own."""
    approvals, intended = 0, False
    for entry in entries:
        if entry.type == "unblock:approved":
            approvals += 1
        elif entry.type in VOIDING:
            approvals = 0
        elif entry.type == "unblock:intended":
            if not approvals:
                yield f"entry {entry.sequence} begins an unblock without an approval"
            approvals, intended = 0, True
        elif entry.type == "case:released":
            if not intended:
                yield f"entry {entry.sequence} releases without an intent"
            intended = False
        elif entry.type in {"case:reopened", "restriction:returned"}:
            intended = False
