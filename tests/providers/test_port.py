"""The port, its table of operations, and the filling that calls nothing."""

from __future__ import annotations

import pytest

from workflow.errors import NotReadableError
from workflow.providers import port
from workflow.providers.manual import Manual
from workflow.providers.operations import EXCHANGE, OPERATIONS, Grade
from workflow.providers.shapes import Secret

PARTS = (port.Restrictions, port.Identity, port.Mailbox, port.Posture, port.Audit)


def methods() -> set[str]:
    """Return the names of the port's operations."""
    return {name for part in PARTS for name, value in vars(part).items() if callable(value) and name[0] != "_"}


def test_every_operation_is_described() -> None:
    """The table names the port's operations, each and no other."""
    assert methods() == set(OPERATIONS)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_description_is_whole(name: str) -> None:
    """Each row names its calls and the least permission, and what cannot be repeated is a change."""
    row = OPERATIONS[name]

    assert row.title
    assert row.calls
    assert row.permissions
    assert row.trap.endswith(".")
    assert row.changes or row.repeatable
    assert (row.permissions == (EXCHANGE,)) is ("-" in row.calls[0].split(" ", maxsplit=1)[0])


def test_no_cmdlet_is_graded_as_documented() -> None:
    """Microsoft documents the cmdlets, and not the gateway through which they run: at most somebody captured that."""
    assert [] == [
        name for name, row in OPERATIONS.items() if EXCHANGE in row.permissions and row.grade is Grade.DOCUMENTED
    ]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_by_hand_nothing_is_called(name: str) -> None:
    """Without a tenant every operation says what a person does instead."""
    manual = Manual()

    with pytest.raises(NotReadableError, match="a person does this: " + OPERATIONS[name].title):
        getattr(manual, name)("ada@contoso.com")
    assert False is manual.acts
    manual.close()


def test_what_a_person_saw_of_the_restriction_is_an_observation() -> None:
    """It answers no prerequisite, which is what the other operations do."""
    manual = Manual()
    for name, command in (("restriction", "case observe"), ("unblock", "case unblock"), ("user", "case record")):
        with pytest.raises(NotReadableError, match=f"'holdfast {command}"):
            getattr(manual, name)("ada@contoso.com")


def test_by_hand_nothing_else_exists() -> None:
    """What the port does not have, the filling does not have either."""
    assert False is hasattr(Manual(), "delete_everything")


def test_a_secret_does_not_print() -> None:
    """A password shows in no representation, and two of them do not tell whether they are equal."""
    secret = Secret("correct horse")

    assert ("Secret(…)", "Secret(…)") == (repr(secret), str(secret))
    assert secret == Secret("battery staple")
