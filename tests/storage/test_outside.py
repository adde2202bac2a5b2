"""The checkpoints outside the database, and the key file."""

import json
import stat
import threading
from pathlib import Path

import pytest

from tests.storage.ledgers import ORIGIN, Ledger, noted
from workflow.errors import KeyMissingError, StorageError, VerificationError
from workflow.ledger import merkle
from workflow.ledger.checkpoint import Checkpoint, sign
from workflow.ledger.note import Signer
from workflow.storage import files, keyfile, outside, tree


def note_of(signer: Signer, size: int, root: bytes = b"r" * 32) -> str:
    """A signed checkpoint."""
    return sign(Checkpoint(signer.name, size, root), signer)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the checkpoints stand, in a folder that is not there yet."""
    return tmp_path / "state" / "checkpoints"


@pytest.fixture
def signer() -> Signer:
    """A log's key."""
    return Signer.generate(ORIGIN)


def test_the_largest_signed_checkpoint_is_the_newest(path: Path, signer: Signer) -> None:
    """Order in the file does not matter; size and a known signature do."""
    stranger = Signer.generate(ORIGIN)
    for writer, size in ((signer, 1), (signer, 7), (signer, 3), (stranger, 99)):
        outside.append(path, note_of(writer, size))

    found = outside.newest(path, [signer.verifier])
    assert found == (Checkpoint(ORIGIN, 7, b"r" * 32), note_of(signer, 7))
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)


def test_a_missing_file_remembers_nothing(path: Path, signer: Signer) -> None:
    """No file, no checkpoint, no error."""
    assert outside.newest(path, [signer.verifier]) is None


def test_torn_and_foreign_lines_are_passed_over(path: Path, signer: Signer) -> None:
    """A torn last line is ignored, and does not swallow the next checkpoint."""
    outside.append(path, note_of(signer, 1))
    whole = path.read_bytes()
    foreign = b'not json\n[1]\n{"checkpoint":7}\n{"other":1}\n{"checkpoint":"x"}\n' + b"[" * 70000 + b"\n"
    path.write_bytes(whole + foreign + whole[:40])

    assert ["x", note_of(signer, 1)] == list(outside.notes(path))
    outside.append(path, note_of(signer, 2))
    found = outside.newest(path, [signer.verifier])
    assert found is not None
    assert 2 == found[0].size


def test_a_start_reads_only_the_end_of_the_file(path: Path, signer: Signer) -> None:
    """The newest checkpoint is found near the end, however long the file; verification looks through all of it."""
    outside.append(path, note_of(signer, 900))
    older = "".join(json.dumps({"checkpoint": note_of(signer, 7)}) + "\n" for _ in range(1000))
    with path.open("a") as file:
        file.write(older)

    found = [outside.newest(path, [signer.verifier], lately=lately) for lately in (True, False)]
    assert [7, 900] == [checkpoint.size for checkpoint, _ in filter(None, found)]


def test_appending_at_once_keeps_every_line(path: Path, signer: Signer) -> None:
    """Writers at the same moment do not tear each other's lines."""
    threads = [threading.Thread(target=outside.append, args=(path, note_of(signer, size))) for size in range(1, 21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 20 == len(list(outside.notes(path)))
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    """A folder in place of the file is named, in writing and in reading."""
    with pytest.raises(StorageError, match="recorded and sealed"):
        outside.append(tmp_path, "note")
    with pytest.raises(StorageError, match="cannot be read"):
        list(outside.notes(tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="folder"):
        outside.append(tmp_path / "file" / "below", "note")


def test_a_database_ahead_heals_the_file(sqlite_ledger: Ledger, path: Path) -> None:
    """A crash between commit and append is made good at the next start, once."""
    verifiers = [sqlite_ledger.signer.verifier]
    with sqlite_ledger.database.reading() as tx:
        assert not outside.reconcile(tx, path, verifiers)

    picture = sqlite_ledger.open()
    for expected in (1, 2):
        with sqlite_ledger.database.reading() as tx:
            assert outside.reconcile(tx, path, verifiers)
            assert not outside.reconcile(tx, path, verifiers)
            assert (tree.newest(tx), expected) == (next(iter(outside.notes(path))), tree.size(tx))
        sqlite_ledger.step(picture, noted())


def test_a_database_that_lost_entries_is_refused(sqlite_ledger: Ledger, path: Path) -> None:
    """A smaller tree, or another one of the same size, refuses everything that would be written."""
    sqlite_ledger.open()
    verifiers = [sqlite_ledger.signer.verifier]
    outside.append(path, note_of(sqlite_ledger.signer, 1))
    with sqlite_ledger.database.reading() as tx, pytest.raises(VerificationError, match="not those"):
        outside.reconcile(tx, path, verifiers)

    outside.append(path, note_of(sqlite_ledger.signer, 2))
    with sqlite_ledger.database.reading() as tx, pytest.raises(VerificationError, match="holds 1"):
        outside.reconcile(tx, path, verifiers)


def test_only_the_key_can_go_on_under_a_later_name(sqlite_ledger: Ledger, path: Path) -> None:
    """A newest checkpoint in the database that nobody signed heals nothing."""
    sqlite_ledger.open()
    verifiers = [sqlite_ledger.signer.verifier]
    outside.append(path, note_of(sqlite_ledger.signer, 7))
    sqlite_ledger.statement("DROP TRIGGER checkpoint_update")
    for note in ("rubbish", note_of(Signer.generate(f"{ORIGIN[:-1]}2"), 1)):
        sqlite_ledger.statement("UPDATE checkpoint SET note = ?", (note,))
        with sqlite_ledger.database.reading() as tx, pytest.raises(VerificationError, match="holds 1"):
            outside.reconcile(tx, path, verifiers)


def test_missing_nodes_are_named(sqlite_ledger: Ledger) -> None:
    """A reader of nodes that are not there is told so."""
    with sqlite_ledger.database.reading() as tx:
        for level in (0, 1):
            with pytest.raises(LookupError):
                tree.lookup(tx)(level, 5)
        assert tree.newest(tx) is None
        assert tree.index_of(tx, "case_1", 1) is None


def test_proofs_are_read_from_the_stored_nodes(ledger: Ledger) -> None:
    """An entry's leaf index and the stored nodes prove that it is in the tree."""
    picture = ledger.open()
    for _ in range(6):
        ledger.step(picture, noted())
    ledger.seal()

    with ledger.database.reading() as tx:
        index = tree.index_of(tx, picture.id, 3)
        lookup = tree.lookup(tx)
        assert index == 2
        assert tree.size(tx) == 7
        proof = merkle.inclusion_proof(index, 7, lookup)
        body = tree.body_at(tx, index)
        assert body is not None
        assert tree.body_at(tx, 7) is None
        root = merkle.root_at(7, lookup)
        assert merkle.verify_inclusion(merkle.leaf_hash(body), index, 7, proof, root)


def test_a_key_is_kept_and_read_back(tmp_path: Path, signer: Signer) -> None:
    """The key file is its owner's alone and never written over."""
    path = tmp_path / "config" / "key"
    keyfile.create(path, signer)

    assert signer.dump() == keyfile.read(path).dump()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    with pytest.raises(StorageError, match="already"):
        keyfile.create(path, Signer.generate(ORIGIN))
    assert signer.dump() == keyfile.read(path).dump()


def test_a_key_that_others_can_read_is_refused(tmp_path: Path, signer: Signer) -> None:
    """A loose mode is refused with the command that mends it."""
    path = tmp_path / "key"
    keyfile.create(path, signer)
    path.chmod(0o640)

    with pytest.raises(StorageError, match="chmod 600"):
        keyfile.read(path)


def test_missing_and_broken_keys_are_told_apart(tmp_path: Path) -> None:
    """No file is a missing key; a file of something else is a damaged one; a folder cannot be read."""
    with pytest.raises(KeyMissingError):
        keyfile.read(tmp_path / "none")
    for content in (b"rubbish", b"\xff\xfe"):
        path = tmp_path / content.hex()
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(StorageError, match="does not hold"):
            keyfile.read(path)
    with pytest.raises(StorageError, match="cannot be read"):
        keyfile.read(tmp_path)
    with pytest.raises(StorageError, match="cannot be made"):
        files.write_new(tmp_path / ("x" * 300))
