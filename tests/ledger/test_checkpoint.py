"""Checkpoints: three lines, signed under the log's own name."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.specimens import ORIGIN, SIGNER, STRANGER
from tests.ledger.test_note import WITNESS
from workflow.errors import InputError
from workflow.ledger import note
from workflow.ledger.checkpoint import Checkpoint, open_checkpoint, parse, sign
from workflow.ledger.malformed import Malformed

ROOT = bytes(range(32))
ENCODED = base64.b64encode(ROOT).decode()


def test_the_published_example_is_read() -> None:
    """The specification's own example parses into its three facts."""
    published = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    assert Checkpoint("example.com/behind-the-sofa", 20852163, root) == parse(published)


@given(st.integers(0, 2**53 - 1), st.binary(min_size=32, max_size=32))
def test_a_signed_checkpoint_opens_again(size: int, root: bytes) -> None:
    """Every size and root survives signing, parsing and opening."""
    checkpoint = Checkpoint(ORIGIN, size, root)
    signed = sign(checkpoint, SIGNER)
    assert (checkpoint, checkpoint) == (parse(signed), open_checkpoint(signed.encode(), [SIGNER.verifier]))


def test_every_flipped_bit_of_a_checkpoint_is_noticed() -> None:
    """No bit of a checkpoint can change unseen."""
    sound = sign(Checkpoint(ORIGIN, 7, ROOT), SIGNER).encode()
    for bit in range(len(sound) * 8):
        flipped = bytearray(sound)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Malformed):
            open_checkpoint(bytes(flipped), [SIGNER.verifier])


def test_a_stranger_with_the_same_name_is_not_the_log() -> None:
    """The name in a signature line proves nothing; the key does."""
    with pytest.raises(Malformed, match="known key"):
        open_checkpoint(sign(Checkpoint(ORIGIN, 7, ROOT), STRANGER), [SIGNER.verifier])


def test_a_witness_alone_does_not_make_a_checkpoint() -> None:
    """A known key of another name cannot speak for the log."""
    signed = note.sign(Checkpoint(ORIGIN, 7, ROOT).text(), WITNESS)
    with pytest.raises(Malformed, match="the log's own key"):
        open_checkpoint(signed, [SIGNER.verifier, WITNESS.verifier])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{ORIGIN}\n7\n", "three lines"),
        (f"{ORIGIN}\n7\n{ENCODED}\nextension\n", "three lines"),
        (f"\n7\n{ENCODED}\n", "origin"),
        (f"two words\n7\n{ENCODED}\n", "origin"),
        (f"{ORIGIN}\n07\n{ENCODED}\n", "size"),
        (f"{ORIGIN}\n-7\n{ENCODED}\n", "size"),
        (f"{ORIGIN}\n\n{ENCODED}\n", "size"),
        (f"{ORIGIN}\n\u0667\n{ENCODED}\n", "size"),
        (f"{ORIGIN}\n{'9' * 17}\n{ENCODED}\n", "size"),
        (f"{ORIGIN}\n7\n{ENCODED[:-4]}\n", "32 bytes"),
        (f"{ORIGIN}\n7\n{ENCODED[:-1]}\n", "base64"),
        (f"{ORIGIN}\n7\n \n", "base64"),
    ],
)
def test_a_signed_text_of_another_form_is_no_checkpoint(text: str, why: str) -> None:
    """Even the log's own signature does not make other text a checkpoint."""
    with pytest.raises(Malformed, match=why):
        open_checkpoint(note.sign(text, SIGNER), [SIGNER.verifier])


def test_a_log_signs_under_its_own_origin_only() -> None:
    """A key cannot speak for another log."""
    with pytest.raises(InputError, match="own origin"):
        sign(Checkpoint("other.example/ledger", 7, ROOT), SIGNER)


@pytest.mark.parametrize(("size", "root"), [(-1, ROOT), (7, ROOT[:31])])
def test_an_impossible_tree_head_is_not_signed(size: int, root: bytes) -> None:
    """The writer refuses what no reader would take."""
    with pytest.raises(InputError, match="size from 0"):
        sign(Checkpoint(ORIGIN, size, root), SIGNER)
