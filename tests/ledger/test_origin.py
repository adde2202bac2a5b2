"""The names of a log, and one key under all of them."""

from workflow.ledger import origin
from workflow.ledger.checkpoint import Checkpoint, open_checkpoint, sign
from workflow.ledger.note import Signer, Verifier


def test_names_follow_each_other() -> None:
    """The number behind the stem rises; a name without one is the first."""
    assert [("log", 1), ("log", 1), ("log", 12), ("a/b", 3), ("log/0", 1)] == [
        (origin.stem(name), origin.number(name)) for name in ("log", "log/1", "log/12", "a/b/3", "log/0")
    ]
    assert ["log/2", "log/2", "log/8"] == [
        origin.following("log"),
        origin.following("log/1"),
        origin.following("log/2", "log/7", "log"),
    ]
    assert (2, 5) == origin.rank(Checkpoint("log/2", 5, b"r" * 32))


def test_the_key_is_one_under_every_name() -> None:
    """What the key signed under one name is believed under that name, and a stranger's is not."""
    signer = Signer.generate("log/1")
    later = signer.under("log/2")
    note = sign(Checkpoint("log/2", 5, b"r" * 32), later)

    assert later.verifier.text == signer.verifier.under("log/2").text
    assert signer.verifier.text == Verifier(later.verifier.text).under("log/1").text
    assert (signer, signer.verifier) == (signer.under("log/1"), signer.verifier.under("log/1"))
    assert 5 == open_checkpoint(note, origin.named([signer.verifier], "log/2")).size
    stranger = Signer.generate("other/1").verifier
    assert [stranger] == origin.named([stranger], "log/2")


def test_the_name_a_log_goes_on_under() -> None:
    """Its newest checkpoint's, as long as that is one of its own."""
    notes = [sign(Checkpoint(name, 1, b"r" * 32), Signer.generate(name)) for name in ("log/3", "other/3")]
    assert ["log/3", "log/1", "log/1", "log/1"] == [origin.current(note, "log/1") for note in (*notes, "rubbish", None)]
