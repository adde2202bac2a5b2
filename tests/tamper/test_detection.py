"""The detection table: every class of attack, seeded, in three columns, with the first bad entry named."""

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from tests.tamper import attacks, beside
from tests.tamper.attacks import Done
from tests.tamper.conftest import Bench
from workflow.services.verification import FAILED, NOT_CHECKED, VERIFIED, Report

pytestmark = pytest.mark.slow

Judge = Callable[[Report], bool]

QUICK = 2
"""Mutations per class in a quick run."""
ROUNDS = int(os.environ.get("HOLDFAST_ROUNDS", "1000"))
"""Mutations per class in a long one; read before the fixture forgets what the environment says."""


def found(report: Report) -> bool:
    """Integrity failed, with findings."""
    return not report.ok and report.integrity == FAILED and bool(report.findings)


def unproven(report: Report) -> bool:
    """Found, or else the verdict says that nobody's authorship was proven."""
    said = any(note.startswith("Authorship not proven") for note in report.notes)
    return found(report) or (report.authorship == "claimed" and said)


def unchecked(report: Report) -> bool:
    """The verdict says that completeness was not checked."""
    said = any(note.startswith("Completeness not checked") for note in report.notes)
    return report.completeness == NOT_CHECKED and said


def incomplete(report: Report) -> bool:
    """The kept checkpoint does not fit."""
    return not report.ok and report.completeness == FAILED


def honest(report: Report) -> bool:
    """Nothing can be found, and the verdict claims no more than the kept checkpoint covers."""
    size = report.counts["sealed"]
    said = "later entries rest on the database alone" in report.freshness
    whole = any(f"covers {size} entries, the ledger holds {size}" in note for note in report.notes)
    return report.ok and report.completeness == VERIFIED and said is not whole


@dataclass(frozen=True)
class Class:
    """A row of the table: the attack, and what each column has to say."""

    attack: Callable[[Bench, random.Random], Done]
    alone: Judge = found
    key: Judge = found
    kept: Judge = found


TABLE: dict[str, Class] = {
    **{name: Class(partial(attacks.plain, name)) for name in attacks.MUTATIONS},
    "state set by SQL": Class(attacks.case_row),
    "opening edited": Class(attacks.opening),
    "attachment edited": Class(attacks.attachment),
    "playbook edited": Class(attacks.playbook),
    "names exchanged": Class(attacks.names),
    "row numbers exchanged": Class(attacks.row_numbers),
    "tree rows edited": Class(attacks.tree_rows),
    "rows beside the entries": Class(beside.stray_rows),
    "checkpoints taken out": Class(beside.checkpoints_gone, unchecked, unchecked, incomplete),
    **{
        f"{name}, recomputed without the key": Class(partial(attacks.without_key, name), unproven)
        for name in attacks.MUTATIONS
    },
    "signed with a key of their own": Class(attacks.own_key, unproven),
    "re-signed with the key": Class(attacks.rewritten_with_key, unchecked, unchecked, incomplete),
    "old backup, truncated": Class(attacks.restored, unchecked, unchecked, incomplete),
    "re-signed after the kept one": Class(attacks.rewritten_later, unchecked, unchecked, honest),
    "truncated after the kept one": Class(attacks.cut_later, unchecked, unchecked, honest),
    "rows of another ledger": Class(attacks.other_rows),
    "file of another ledger": Class(attacks.other_file, unproven),
    "back-dated append": Class(attacks.back_dated),
    "illegal step, re-signed": Class(attacks.forged_step),
}


@dataclass
class Score:
    """How a class went."""

    rounds: int = 0
    detected: int = 0
    nameable: int = 0
    named: int = 0


def names(report: Report, done: Done) -> bool:
    """Whether the first bad entry, or the first commit that does not hold, is among what was named."""
    return any(
        (item.case, item.sequence) in done.named
        or (done.index >= 0 and (item.index == done.index or f"; entries {done.commit} to " in item.why))
        for item in report.findings
    )


def attack(name: str, bench: Bench, rounds: int) -> Score:
    """Attack as often as told; each missed promise is an assertion with the seed in it."""
    row, score = TABLE[name], Score()
    newest = attacks.newest_kept(bench)
    for seed in range(rounds):
        rng = random.Random(f"{name}/{seed}")
        done = row.attack(bench, rng)
        reports = bench.verdicts(done.place, done.kept or newest)
        for column, judge, report in zip(
            ("alone", "key", "kept"), (row.alone, row.key, row.kept), reports, strict=True
        ):
            assert judge(report), (name, seed, column, report.to_data())
        score.rounds += 1
        score.detected += not reports[2].ok
        if done.named:
            score.nameable += 1
            score.named += names(reports[1], done)
            assert names(reports[1], done), (name, seed, done.named, done.index, reports[1].to_data())
        shutil.rmtree(done.place.root)
    return score


@pytest.mark.parametrize("name", TABLE)
def test_every_class_of_attack_is_found_and_the_first_bad_entry_named(name: str, bench: Bench) -> None:
    """What the detection table promises holds for a few mutations of each class."""
    score = attack(name, bench, QUICK)
    assert score.named == score.nameable


@pytest.mark.long
@pytest.mark.timeout(0)
def test_the_detection_table(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """The detection table at length (HOLDFAST_ROUNDS mutations per class), printed as a table."""
    with capsys.disabled():
        print(f"\n{'attack':<42} {'mutations':>9} {'detected':>9} {'named':>9}")  # noqa: T201 - the table is the point
        for name in TABLE:
            score = attack(name, bench, ROUNDS)
            named = f"{score.named}/{score.nameable}" if score.nameable else "-"
            print(f"{name:<42} {score.rounds:>9} {score.detected:>9} {named:>9}")  # noqa: T201 - as above
            assert score.named == score.nameable
