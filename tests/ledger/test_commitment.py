"""Commitments: they open with their salt and value and with nothing else."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.test_canonical import VALUES
from workflow.errors import InputError
from workflow.ledger.canonical import encode
from workflow.ledger.commitment import commit, matches

SALT = bytes(range(32))


def test_a_commitment_is_the_hash_of_salt_and_canonical_value() -> None:
    """The formula stands in the format's description and cannot change."""
    expected = hashlib.sha256(SALT + b'"adele@contoso.example"').hexdigest()
    assert expected == commit("adele@contoso.example", SALT)


@given(VALUES, VALUES, st.binary(min_size=32, max_size=32))
def test_only_the_same_value_opens_a_commitment(value: Any, other: Any, salt: bytes) -> None:
    """A commitment matches a value exactly when the canonical bytes are the same."""
    assert matches(commit(value, salt), salt, value)
    assert (encode(value) == encode(other)) == matches(commit(value, salt), salt, other)


def test_another_salt_opens_nothing() -> None:
    """Without its salt a commitment cannot be tried against guesses."""
    assert not matches(commit("x", SALT), bytes(32), "x")


@pytest.mark.parametrize("commitment", ["", "no hash", "é\ud800"])
def test_a_damaged_commitment_matches_nothing(commitment: str) -> None:
    """Hostile text in place of the hash is a mismatch, not an error."""
    assert not matches(commitment, SALT, "x")


def test_what_cannot_be_encoded_matches_nothing() -> None:
    """A value without canonical form, or a salt of another length, opens no commitment."""
    assert not matches(commit("x", SALT), SALT, 1.5)
    assert not matches(commit("x", SALT), b"", "x")


def test_a_short_salt_is_refused() -> None:
    """Less than 32 bytes of salt would let short values be guessed."""
    with pytest.raises(InputError, match="32 random bytes"):
        commit("x", bytes(31))
