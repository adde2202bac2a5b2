"""Labels: tokens that sort cases, and move nothing."""

import pytest

from tests.domain.casebook import ANN, Casebook, person
from workflow.domain import actions as act
from workflow.domain.labels import MOST_LABELS
from workflow.domain.picture import picture
from workflow.domain.replay import replay
from workflow.domain.vocabulary import Role
from workflow.errors import InputError


def many(*numbers: int) -> tuple[str, ...]:
    """Return numbered labels."""
    return tuple(f"label-{number}" for number in numbers)


def test_labels_are_added_and_removed() -> None:
    """They stand sorted, once each, in the case and its picture; the version stays, and every step replays."""
    book = Casebook().open()
    version = book.case.version
    assert ["case:labelled"] == book.done(act.LabelCase(add=("wave-1", "vip", "vip")))
    book.done(act.LabelCase(add=("3",), remove=("vip", "absent")))
    assert ("3", "wave-1") == book.case.labels == picture(book.case, book.playbook).labels
    assert version == book.case.version
    assert replay(book.entries, book.playbooks)[1] is None


def test_what_changes_nothing_is_no_entry() -> None:
    """A label that is there already, or not there, is passed over."""
    book = Casebook().open()
    book.done(act.LabelCase(add=("wave-1",)))
    assert [] == book.done(act.LabelCase(add=("wave-1",), remove=("vip",)))


def test_labels_stay_through_every_state() -> None:
    """An ended and reopened case keeps them, and can be given more."""
    book = Casebook().open()
    book.done(act.LabelCase(add=("wave-1",)))
    book.released()
    assert ["case:labelled"] == book.done(act.LabelCase(add=("late",)))
    assert ("late", "wave-1") == book.case.labels


@pytest.mark.parametrize(
    "label",
    [
        "",
        "-wave",
        "Wave",
        "wave 1",
        "wave_1",
        "ada@contoso.com",
        "x" * 33,
        "\u00fc",
        "wave\n",
        "\x1b[31m",
        '"',
        "\u0661",
    ],
)
def test_anything_but_a_token_is_no_label(label: str) -> None:
    """No name, no address, no control character fits."""
    for action in (act.LabelCase(add=(label,)), act.LabelCase(remove=("fine", label))):
        with pytest.raises(InputError, match="no label"):
            Casebook().open().do(action, ANN)


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (act.LabelCase(), "Name 1 to"),
        (act.LabelCase(add=many(*range(MOST_LABELS + 1))), "Name 1 to"),
        (act.LabelCase(add=("a", "b"), remove=("b",)), "both added and removed: b"),
    ],
)
def test_a_label_step_names_labels_once(action: act.LabelCase, why: str) -> None:
    """None, too many at once, or one both added and removed cannot be understood."""
    with pytest.raises(InputError, match=why):
        Casebook().open().do(action, ANN)


def test_a_case_has_so_many_labels_and_no_more() -> None:
    """What would be too many is refused as a whole; making room in the same step is fine."""
    book = Casebook().open()
    book.done(act.LabelCase(add=many(*range(MOST_LABELS))))
    assert "refused" == book.refused(act.LabelCase(add=("one-more",)))
    book.done(act.LabelCase(add=("one-more",), remove=many(3)))
    assert MOST_LABELS == len(book.case.labels)
    assert replay(book.entries, book.playbooks)[1] is None


def test_an_auditor_labels_nothing() -> None:
    """Labels are a step like others."""
    book = Casebook().open()
    assert "not_permitted" == book.refused(act.LabelCase(add=("x",)), person("eve", Role.AUDITOR))
