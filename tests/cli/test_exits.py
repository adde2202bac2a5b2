"""One table translates the error tree; nobody may forget a class."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.docs_build import GENERATED, PAGES, error_classes
from workflow.cli.exits import CURES, EXITS, MEANINGS, Exit, cure_of, exit_of
from workflow.errors import ConflictError, HoldfastError, InputError, NotFoundError, RuleRefusedError


def test_every_error_has_an_exit_code() -> None:
    """The table and the tree hold the same classes."""
    assert set(error_classes()) == set(EXITS)


def test_every_exit_code_has_a_meaning() -> None:
    """No code is undocumented, and success belongs to no error."""
    assert set(Exit) == set(MEANINGS)
    assert Exit.DONE not in EXITS.values()


def test_every_cure_belongs_to_an_error() -> None:
    """No cure is left over."""
    assert set(CURES) <= set(EXITS)


def test_every_error_is_documented() -> None:
    """The class says what happened, and each has a code of its own."""
    assert [] == [kind for kind in error_classes() if not kind.__doc__]
    assert len(error_classes()) == len({kind.code for kind in error_classes()})


def test_an_unknown_kind_falls_back_to_the_class_above() -> None:
    """A class from elsewhere gets its parent's code and cure."""

    class LateError(ConflictError):
        """Late."""

    assert (Exit.CONFLICT, CURES[ConflictError]) == (exit_of(LateError()), cure_of(LateError()))
    assert (Exit.ERROR, "") == (exit_of(HoldfastError()), cure_of(InputError()))
    assert Exit.NOT_FOUND == exit_of(NotFoundError())


def test_an_error_knows_its_own_next_step() -> None:
    """What the error itself says goes before the table."""
    assert "that way" == cure_of(ConflictError("no", next_step="that way"))
    assert "that way" == cure_of(RuleRefusedError("no", next_step="that way"))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("import missing.csv", 2),
        ("import given.csv missing.csv", 1),
        ("ledger reconcile missing.csv", 2),
        ("case record --from missing.csv --ref x", 2),
        ("case unblock --outcomes missing.csv", 2),
        ("playbook check missing.yaml", 2),
        ("ledger verify --against missing", 2),
        ("ledger verify --key missing", 2),
        ("ledger verify --export missing --key key", 2),
        ("ledger restore missing", 2),
        ("case report 1 --html --output given.csv", 2),
        ("tenant permissions --script given.csv", 2),
        ("backup given.csv", 2),
        ("ledger export given.csv", 2),
        ("ledger sample --count 1 --population given.csv", 2),
        ("ledger restore", 3),
        ("alert test digest", 3),
    ],
)
def test_files_that_are_missing_or_there_already(case: Shell, home: Path, line: str, code: int) -> None:
    """Whatever the command, the same failure has the same code, and nothing is written over or begun."""
    (home / "given.csv").write_text("mine", encoding="utf-8")
    (home / "key").write_text(case.ok("ledger log --limit 99 --json").data["entries"][0]["details"]["vkey"])
    ran = case(line)

    assert code == ran.code, ran
    assert "mine" == (home / "given.csv").read_text(encoding="utf-8")
    assert "Errno" not in ran.err


def test_a_backup_that_is_there_names_force(case: Shell, home: Path) -> None:
    """The option that replaces it is said."""
    (home / "copy.db").touch()

    assert "replace it with --force" in case("backup copy.db").err
    case.ok("backup copy.db --force")


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("case view 99", "See them with: holdfast case list --all"),
        ("case record 1 pasword-reset --ref x", "See them with: holdfast case prerequisites 1"),
        ("case prerequisites 1 nosuch", "See them with: holdfast case prerequisites 1"),
        ("case view 1 --as-of 99", "See them with: holdfast case history 1"),
    ],
)
def test_the_next_step_is_data(case: Shell, line: str, step: str) -> None:
    """A program reads what a person reads, and it is not said twice."""
    error, ran = case(f"{line} --json").data["error"], case(line)

    assert (5, step) == (error["exit"], error["next_step"])
    assert step not in error["message"]
    assert 1 == ran.err.count(step)


def test_the_nearest_prerequisite(case: Shell) -> None:
    """A slip of the hand is told apart from a wrong idea."""
    assert "Was one of these meant: password-reset" in case("case record 1 pasword-reset --ref x").err
    assert "meant" not in case("case record 1 qqqq --ref x").err


def test_a_case_has_so_many_entries(case: Shell) -> None:
    """An entry that is not there yet is no past."""
    last = case.view()["sequence"]

    assert f"The case has {last} " in case(f"case view 1 --as-of {last + 1}").err
    case.ok(f"case view 1 --as-of {last}")


@pytest.mark.parametrize("name", GENERATED)
def test_generated_pages_are_current(name: str) -> None:
    """``make docs`` would write nothing new."""
    assert GENERATED[name]() == (PAGES / name).read_text(encoding="utf-8")
