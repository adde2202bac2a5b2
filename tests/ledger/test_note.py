"""Signed notes: public known answers, every bit flipped, and what hostile notes try."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.specimens import ORIGIN, SIGNER, STRANGER
from workflow.errors import InputError
from workflow.ledger import note
from workflow.ledger.malformed import Malformed

# The example of Go's golang.org/x/mod/sumdb/note, from which the specification grew.
PUBLIC_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PRIVATE_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
WITNESS = note.Signer("witness.example", Ed25519PrivateKey.from_private_bytes(bytes(32)))


def test_a_known_note_verifies() -> None:
    """A note signed by another implementation is accepted under its public key."""
    verified = note.verify(f"{TEXT}\n{LINE}", [note.Verifier(PUBLIC_KEY)])
    assert (TEXT, 0, ["PeterNeumann"]) == (
        verified.text,
        verified.unknown,
        [s.name for s in verified.signatures],
    )


def test_a_known_key_signs_the_known_note() -> None:
    """Ed25519 has one signature per key and text, so the note comes out byte for byte."""
    signer = note.Signer.load(f" {PRIVATE_KEY}\n")
    assert f"{TEXT}\n{LINE}" == note.sign(TEXT, signer)
    assert (PRIVATE_KEY, PUBLIC_KEY) == (signer.dump(), str(signer.verifier))


def test_a_generated_key_survives_its_text_form() -> None:
    """What dump writes, load reads, and the two sign alike."""
    signer = note.Signer.generate(ORIGIN)
    again = note.Signer.load(signer.dump())
    assert (str(signer.verifier), note.sign("x\n", signer)) == (str(again.verifier), note.sign("x\n", again))


def test_a_signer_does_not_show_its_secret() -> None:
    """The repr that ends up in logs names the key only."""
    assert f"Signer({ORIGIN}+{SIGNER.key_hash.hex()})" == repr(SIGNER)


LINES = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n"), max_size=40)


@given(LINES)
def test_every_text_that_can_be_signed_can_be_verified(text: str) -> None:
    """Blank lines, dashes and all of Unicode survive, because the last blank line separates."""
    text += "\n"
    assert text == note.verify(note.sign(text, SIGNER), [SIGNER.verifier]).text


@given(st.text() | st.binary() | LINES.map(lambda tail: f"{TEXT}\n{LINE}{tail}"))
def test_no_hostile_note_breaks_the_reader(hostile: str | bytes) -> None:
    """Anything at all is either a note or malformed."""
    try:
        parsed = note.parse(hostile)
    except Malformed:
        return
    assert parsed.text.endswith("\n")
    assert parsed.signatures


def test_every_flipped_bit_of_a_note_is_noticed() -> None:
    """There is no bit of text, name, key hash or signature that can change unseen."""
    sound = note.sign("holdfast.example/ledger\n7\n", SIGNER).encode()
    unseen = []
    for bit in range(len(sound) * 8):
        flipped = bytearray(sound)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            note.verify(bytes(flipped), [SIGNER.verifier])
        except Malformed:
            continue
        unseen.append(bit)
    assert [] == unseen


def test_every_shortened_note_is_noticed() -> None:
    """A note cut anywhere is refused."""
    sound = note.sign("a\n\nb\n", SIGNER)
    for length in range(len(sound)):
        with pytest.raises(Malformed):
            note.verify(sound[:length], [SIGNER.verifier])


def test_unknown_signatures_are_counted_and_ignored() -> None:
    """A stranger under the same name and a witness nobody named change nothing."""
    verified = note.verify(note.sign("x\n", STRANGER, SIGNER, WITNESS), [SIGNER.verifier])
    assert (2, (SIGNER.key_hash,)) == (verified.unknown, tuple(s.key_hash for s in verified.signatures))


def test_a_key_that_signed_twice_counts_once() -> None:
    """Repeating a signature line gives no second voice."""
    verified = note.verify(note.sign("x\n", SIGNER, SIGNER), [SIGNER.verifier])
    assert 1 == len(verified.signatures)


def test_a_failing_signature_of_a_known_key_rejects_the_note() -> None:
    """One good signature does not make up for a forged one."""
    forged = note.sign("y\n", WITNESS).split("\n\n")[1]
    with pytest.raises(Malformed, match="does not belong to this text"):
        note.verify(note.sign("x\n", SIGNER) + forged, [SIGNER.verifier, WITNESS.verifier])


def test_a_note_by_strangers_alone_is_rejected() -> None:
    """Without a known key a note says nothing."""
    with pytest.raises(Malformed, match="no signature is by a known key"):
        note.verify(note.sign("x\n", SIGNER), [])


def test_two_verifiers_of_one_name_and_hash_are_refused() -> None:
    """A signature must belong to one key."""
    with pytest.raises(InputError, match="share their name and hash"):
        note.verify("", [SIGNER.verifier, SIGNER.verifier])


def test_sixteen_signatures_are_read() -> None:
    """The specification asks every reader for at least that many, and this one stops at its own bound."""
    line = LINE
    assert 16 == len(note.parse(f"x\n\n{line * 16}").signatures)
    assert note.MAX_SIGNATURES == len(note.parse(f"x\n\n{line * note.MAX_SIGNATURES}").signatures)
    with pytest.raises(Malformed, match="more than 64"):
        note.parse(f"x\n\n{line * (note.MAX_SIGNATURES + 1)}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"\xff", "UTF-8"),
        ("\ud800", "UTF-8"),
        ("x" * (note.MAX_NOTE + 1), "262145 bytes"),
        (f"x\r\n\n{LINE}", "control character"),
        (f"x\0\n\n{LINE}", "control character"),
        (f"x\n{LINE}", "a blank line"),
        (f"x\n\n{LINE[:-1]}", "ended by a newline"),
        ("x\n\n", "ended by a newline"),
        (f"x\n\n{LINE}junk\n", "em dash"),
        (f"x\n\n{LINE.replace('—', '-')}", "em dash"),
        ("x\n\n— name\n", "a key's name and base64"),
        ("x\n\n—  bm8=\n", "a key's name and base64"),
        ("x\n\n— a+b bm8=\n", "a key's name and base64"),
        ("x\n\n— a\u00a0b bm8=\n", "a key's name and base64"),
        ("x\n\n— name b m8=\n", "not base64"),
        ("x\n\n— name bm8\n", "not base64"),
        ("x\n\n— name é\n", "not base64"),
        ("x\n\n— name bm9=\n", "unusual spelling"),
        ("x\n\n— name AAAAAA==\n", "too short"),
        ("x\n\n— name \n", "too short"),
    ],
)
def test_what_is_no_note_is_refused_with_its_reason(text: str | bytes, why: str) -> None:
    """Each departure from the format is named."""
    with pytest.raises(Malformed, match=why):
        note.parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "name"),
        ("PeterNeumann", "name"),
        (PUBLIC_KEY.replace("c74f20a3", "C74F20A3"), "name"),
        (PUBLIC_KEY.replace("Peter", "Peter "), "name"),
        (PUBLIC_KEY.replace("c74f20a3", "c74f20a4"), "hash does not belong"),
        (PUBLIC_KEY.replace("Neumann", "Newman"), "hash does not belong"),
        (PUBLIC_KEY[:-4], "Ed25519"),
        ("PeterNeumann+c74f20a3+" + base64.b64encode(b"\x04" + bytes(32)).decode(), "Ed25519"),
        (PUBLIC_KEY[:-1], "base64"),
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str, why: str) -> None:
    """A damaged key never becomes another key."""
    with pytest.raises(Malformed, match=why):
        note.Verifier(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (PUBLIC_KEY, "PRIVATE"),
        (PRIVATE_KEY.replace("c74f20a3", "c74f20a4"), "hash does not belong"),
        (PRIVATE_KEY[:-1], "base64"),
    ],
)
def test_what_is_no_private_key_is_refused(text: str, why: str) -> None:
    """A damaged private key is noticed before it signs anything."""
    with pytest.raises(Malformed, match=why):
        note.Signer.load(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\u2003b", "line\n", "x" * 256])
def test_a_key_needs_a_usable_name(name: str) -> None:
    """Blanks and plus signs would break the formats that names stand in."""
    with pytest.raises(InputError, match="name"):
        note.Signer.generate(name)


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n"])
def test_what_no_reader_would_take_is_not_signed(text: str) -> None:
    """The writer keeps to the format its own reader demands."""
    with pytest.raises(InputError, match="a note needs"):
        note.sign(text, SIGNER)


def test_a_note_needs_a_signer() -> None:
    """A note without signature is only text."""
    with pytest.raises(InputError, match="a signer"):
        note.sign("x\n")
