"""One table translates the error tree; nobody may forget a class."""

from __future__ import annotations

import pytest

from tests.docs_build import GENERATED, PAGES, error_classes
from workflow.cli.exits import CURES, EXITS, MEANINGS, Exit, cure_of, exit_of
from workflow.errors import ConflictError, HoldfastError, InputError, NotFoundError


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


@pytest.mark.parametrize("name", GENERATED)
def test_generated_pages_are_current(name: str) -> None:
    """``make docs`` would write nothing new."""
    assert GENERATED[name]() == (PAGES / name).read_text(encoding="utf-8")
