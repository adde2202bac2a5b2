"""A playbook and its plain data are the same thing, and its digest is that of its canonical bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import timedelta

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from workflow.domain.playbook import (
    About,
    BreakGlass,
    Check,
    Condition,
    ExceptionRule,
    Nature,
    Playbook,
    Prerequisite,
    Scope,
    Team,
    canonical,
    digest,
    from_data,
)
from workflow.domain.vocabulary import ENTITY_KINDS, Kind, Phase, Role, TenantFact

_TEXT = st.text(st.characters(exclude_categories=["C"]), max_size=20)
_SPAN = st.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds))
_RULE = st.builds(ExceptionRule, granted_by=st.sampled_from(Role), at_most=_SPAN)


def _tuples(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(values, max_size=3).map(tuple)


_CASES_OWN = st.builds(
    Prerequisite,
    id=_TEXT,
    title=_TEXT,
    required_by=st.sampled_from(Phase),
    required=st.booleans(),
    about=st.sampled_from(About),
    nature=st.sampled_from(Nature),
    fresh_within=st.none() | _SPAN,
    applies_if=_tuples(st.sampled_from(Condition)),
    any_of=_tuples(_TEXT),
    after=_tuples(_TEXT),
    evidence=_TEXT,
    exception=st.none() | _RULE,
    check=st.sampled_from(Check),
    role=_TEXT,
    portal=_TEXT,
    command=_TEXT,
    trap=_TEXT,
    source=_TEXT,
)
_PREREQUISITE = _CASES_OWN | st.builds(
    lambda item, fact: dataclasses.replace(item, scope=Scope.TENANT, fact=fact), _CASES_OWN, st.sampled_from(TenantFact)
)
_PLAYBOOK = st.builds(
    Playbook,
    name=_TEXT,
    version=_TEXT,
    title=_TEXT,
    summary=_TEXT,
    kinds=_tuples(st.sampled_from(ENTITY_KINDS)),
    prerequisites=st.lists(_PREREQUISITE, max_size=3).map(tuple),
    approvals=st.integers(1, 9),
    approval_team=st.sampled_from(Team),
    break_glass=st.sampled_from(BreakGlass),
    approval_within=_SPAN,
    watch_within=_SPAN,
    reopen_within=_SPAN,
    unblock_role=_TEXT,
    unblock_portal=_TEXT,
    unblock_command=_TEXT,
    read_command=_TEXT,
)


@given(_PLAYBOOK)
def test_plain_data_and_back_is_the_same_playbook(playbook: Playbook) -> None:
    """``from_data`` inverts ``to_data``, through the JSON that is stored."""
    assert playbook == from_data(json.loads(json.dumps(playbook.to_data())))


@given(_PLAYBOOK)
def test_canonical_bytes_are_rfc_8785(playbook: Playbook) -> None:
    """The digest is that of the bytes any other implementation of RFC 8785 would make."""
    expected = rfc8785.dumps(playbook.to_data())

    assert expected == canonical(playbook)
    assert hashlib.sha256(expected).hexdigest() == digest(playbook)


def test_a_digest_is_kept_and_does_not_change_the_digest() -> None:
    """What pins the playbook is not part of what is pinned."""
    plain = Playbook(name="a", version="1", title="A", kinds=(Kind.USER,), prerequisites=())
    pinned = from_data(plain.to_data(), digest(plain))

    assert digest(plain) == pinned.digest == digest(pinned)


def test_prerequisites_are_found_by_id() -> None:
    """A replaced list is looked up anew, and an unknown id is None."""
    first = Prerequisite(id="one", title="One", required_by=Phase.CONTAIN)
    second = Prerequisite(id="two", title="Two", required_by=Phase.CLOSE, required=False)
    playbook = Playbook(name="a", version="1", title="A", kinds=(Kind.USER,), prerequisites=(first,))
    changed = dataclasses.replace(playbook, prerequisites=(second,))

    assert (first, None) == (playbook.get("one"), playbook.get("two"))
    assert (None, second) == (changed.get("one"), changed.get("two"))
    assert ((first,), ()) == (playbook.required, playbook.recommended)
    assert ((), (second,)) == (changed.required, changed.recommended)
