"""``holdfast case work``: what is missing, one step after the other, each recorded as soon as it is answered.

It asks in plain lines: nothing moves the cursor, nothing is drawn, so it reads the same over SSH, in a log and in a
screen reader. It keeps nothing of its own. The ledger is where it left off, and every answer is an ordinary command,
which it prints.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from workflow.cli.asking import Stopped, ask
from workflow.cli.case_decisions import next_decision, same
from workflow.cli.case_facts import attachment
from workflow.cli.case_page import answers, label, show_step
from workflow.cli.output import as_json, say
from workflow.cli.refusals import show_error
from workflow.cli.session import Session, Verb
from workflow.cli.steps import about_id, look, take
from workflow.cli.text import visible
from workflow.domain import actions as act
from workflow.domain.private import private
from workflow.domain.record import time_to_text
from workflow.domain.vocabulary import Kind, Result
from workflow.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.services.shapes import CaseView, PrerequisiteView

ANSWERS: Final[Mapping[str, Result]] = {
    "m": Result.MET,
    "n": Result.NOT_MET,
    "u": Result.UNABLE_TO_VERIFY,
    "x": Result.NOT_APPLICABLE,
}
LEGEND: Final = """\
Answer with m met, n not met, u unable to verify, x not applicable, s skip, q stop here. A time may follow: 'm -20m'.
A reference that begins with @ names a file to attach. Everything is recorded at once: stop and resume as you like."""

Key = tuple[str, str]


@click.command(cls=Verb)
@click.argument("case")
@click.option("--all", "everything", is_flag=True, help="Recommended steps too; they want an answer before close.")
@click.pass_obj
def work(session: Session, case: str, everything: bool) -> None:
    """Work through what a case still needs, step by step.

    Shows each missing step with its portal page and filled-in command, asks for the answer and where it can be
    checked, and records it; then leads on to the request, the unblock and its outcome. Stop with q or Ctrl-C and
    resume at any time: nothing is lost. With --json it asks nothing and prints what it would ask for.
    """
    found = look(session, case)
    if session.as_json:
        steps = [item for item in found.to_data()["prerequisites"] if item["next"] and (everything or item["required"])]
        as_json({"number": found.number, "state": found.state, "steps": steps})
        return
    try:
        Guide(session, found.number, everything=everything).lead()
    except Stopped:
        say(f"Stopped. Everything answered is recorded; go on with: holdfast case work {found.number}")
    except click.Abort:
        say(f"\nStopped. Everything answered is recorded; go on with: holdfast case work {found.number}")
        raise


class Guide:
    """One person being led through one case.

    Args:
        session: the run.
        number: the case's number.
        everything: whether recommended steps are asked for before the request.
    """

    def __init__(self, session: Session, number: int, *, everything: bool = False) -> None:
        """Begin where the ledger stands; nothing is skipped yet, and no reference was given."""
        self.session = session
        self.number = number
        self.everything = everything
        self.skipped: set[Key] = set()
        self.answered: set[Key] = set()
        self.reference = ""

    def lead(self) -> None:
        """Ask for one step after the other, then for the decisions, until there is nothing to do now."""
        shown = look(self.session, str(self.number))
        say(f"Case #{shown.number}: {visible(shown.entity, 120)}, {shown.state}.", bold=True)
        if self._waiting(shown):
            say(LEGEND)
        while True:
            while waiting := self._waiting(shown):
                self._step(shown, waiting)
                shown = look(self.session, str(self.number))
            if not self._goes_on(shown):
                return
            shown = look(self.session, str(self.number))

    def _waiting(self, shown: CaseView) -> list[PrerequisiteView]:
        """Return the steps to ask for now, in playbook order: those of an earlier phase first."""
        after = shown.state == "released"
        wanted = [
            step
            for step in shown.prerequisites
            if not step.held
            and (step.id, step.about) not in self.skipped | self.answered
            and "record" in shown.possible
            and ((step.required and (after or step.phase != "close")) or (not step.required and self.everything))
        ]
        order = ("contain", "verify", "request", "close")
        return sorted(wanted, key=lambda step: (not step.required, order.index(step.phase)))

    def _step(self, shown: CaseView, waiting: list[PrerequisiteView]) -> None:
        step = waiting[0]
        say()
        say(f"{answers(len(waiting))} to go.")
        show_step(self.session, step, guided=True)
        try:
            if step.standing == "no-identity":
                self._name_user(step)
            elif not (step.conditions and self._settled(shown, step)):
                self._answer(shown, step)
        except HoldfastError as error:
            # What refuses one answer must not end the guidance: the person sees why, and is asked again.
            show_error(error, self.session)

    def _name_user(self, step: PrerequisiteView) -> None:
        """Ask who was compromised: the steps about a person are asked for each of them."""
        user = ask("Whose account was used? (address; s skip, q stop)", "s")
        if user == "s":
            self.skipped.add((step.id, step.about))
            return
        from workflow.services.casework import subject

        shown = look(self.session, str(self.number))
        identity = act.AddIdentity(subject=subject(self.session.app, shown.tenant, Kind.USER, user))
        self._do(["identity", str(self.number), user], identity)

    def _settled(self, shown: CaseView, step: PrerequisiteView) -> bool:
        """Ask for what decides whether the step applies at all; say whether it turned out not to."""
        if not step.about:
            return False
        for condition in step.conditions:
            reply = ask(f"Only where this holds: {condition}. Does it? (y yes, n no, Enter if you do not know)", "?")
            if reply[:1] in {"y", "n"}:
                fact = condition if reply[0] == "y" else f"no-{condition}"
                identity = act.AddIdentity(
                    subject=about_id(self.session, shown, step.id, step.about), facts={condition: reply[0] == "y"}
                )
                self._do(["identity", str(self.number), step.about, "--fact", fact], identity)
                if reply[0] == "y":
                    return False
        now = look(self.session, str(self.number))
        return (step.id, step.about) not in {(item.id, item.about) for item in now.prerequisites if item.applies}

    def _answer(self, shown: CaseView, step: PrerequisiteView) -> None:
        # Enter alone is no answer: a key held down must not attest anything.
        reply, _, when = ask("Answer (m, n, u, x, s, q)", "").partition(" ")
        while reply not in {*ANSWERS, "s"}:
            if reply not in {"", "?"}:
                say(f"{visible(reply, 40)!r} is no answer.")
            say(LEGEND)
            reply, _, when = ask("Answer (m, n, u, x, s, q)", "").partition(" ")
        if reply == "s":
            self.skipped.add((step.id, step.about))
            return
        result = ANSWERS[reply]
        linked = ask("Which linked case meets it? (number)", "") if "--linked" in step.next else ""
        reference = self._reference(result)
        note = ask("Note (Enter for none)", "") if result is not Result.MET else ""
        self._record(shown, step, result, reference, note=note, when=when.strip(), linked=linked)

    def _reference(self, result: Result) -> str:
        if result is not Result.MET:
            return ask("Where can it be checked? (Enter for nowhere)", "")
        hint = f" (Enter: {visible(self.reference, 60)})" if self.reference else " (a ticket, a log, an address, @file)"
        self.reference = ask(f"Where can it be checked?{hint}", self.reference)
        return self.reference

    def _record(
        self,
        shown: CaseView,
        step: PrerequisiteView,
        result: Result,
        reference: str,
        *,
        note: str,
        when: str,
        linked: str,
    ) -> None:
        from workflow.services.casework import find

        # What is printed is run later and has to mean the same moment then: "-20m" would not.
        observed_at = self.session.time(when) if when else self.session.app.now()
        file = Path(reference[1:]) if reference.startswith("@") else None
        given = {
            "--for": step.about,
            "--result": "" if result is Result.MET else result.value,
            "--ref": "" if file else reference,
            "--attach": str(file or ""),
            "--note": note,
            "--at": time_to_text(observed_at) if when else "",
            "--linked": linked,
        }
        action = act.RecordEvidence(
            prerequisite=step.id,
            about=about_id(self.session, shown, step.id, step.about or None),
            result=result,
            observed_at=observed_at,
            reference=private("" if file else reference),
            note=private(note),
            attachment=attachment(self.session, file) if file else "",
            file=private(file.name if file else ""),
            linked=(find(self.session.app, linked),) if linked else (),
        )
        options = [word for name, value in given.items() if value for word in (name, value)]
        self._do(["record", str(self.number), step.id, *options], action)
        # An answer that does not open the gate is an answer too: it is not asked for twice in one sitting.
        self.answered.add((step.id, step.about))

    def _do(self, words: list[str], action: act.Action) -> None:
        """Take the step, and say which command would have done the same."""
        take(self.session, look(self.session, str(self.number)), action, brief=True)
        say(same(self.session, *words))

    def _goes_on(self, shown: CaseView) -> bool:
        """Lead on to the next decision; say whether the case moved, so that there may be more to ask."""
        say()
        if self.skipped:
            names = ", ".join(sorted({visible(label_of(shown, key)) for key in self.skipped}))
            say(f"Skipped: {names}.")
        try:
            moved = next_decision(self.session, shown)
        except HoldfastError as error:
            show_error(error, self.session)
            return False
        if (
            not moved
            and not self.everything
            and any(not step.held and not step.required for step in shown.prerequisites)
        ):
            say(f"Recommended steps wait for an answer before close: holdfast case work {self.number} --all")
        return moved


def label_of(shown: CaseView, key: Key) -> str:
    """Return a step's id and whom it is about, by its key."""
    return next((label(step) for step in shown.prerequisites if (step.id, step.about) == key), key[0])
