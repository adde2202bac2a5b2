"""Files that are made once: for whom, and whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from workflow.errors import InputError, StorageError
from workflow.storage import files, keyfile


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return [path.name for path in folder.iterdir()]


def test_a_file_is_its_owners_or_the_groups_its_folder_is_shared_with(tmp_path: Path) -> None:
    """Nothing but the folder decides, the umask included."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2770)
    before = os.umask(0o077)
    try:
        for folder in (tmp_path, shared, tmp_path / "new"):
            files.write_new(folder / "file", "text")
    finally:
        os.umask(before)

    assert [0o600, 0o660, 0o600] == [mode(folder / "file") for folder in (tmp_path, shared, tmp_path / "new")]
    assert not files.is_shared(tmp_path / "nowhere")
    os.close(files.opened(shared / "file", os.O_RDONLY))


def test_a_whole_file_takes_its_place_at_once(tmp_path: Path) -> None:
    """Its owner's alone; over another only when that is asked for."""
    path = tmp_path / "file"
    for text in ("one", "two"):
        with files.whole(path, over=text == "two") as partial:
            partial.write_text(text)
    assert ("two", 0o600) == (path.read_text(), mode(path))
    with pytest.raises(InputError, match="exists already"), files.whole(path):
        pass
    assert ["file"] == names(tmp_path)


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    """What stood there stands; so it does when somebody else was first."""
    path = tmp_path / "file"
    with pytest.raises(KeyError), files.whole(path):
        raise KeyError
    assert [] == names(tmp_path)
    with pytest.raises(InputError, match="exists already"), files.whole(path):
        path.write_text("theirs")
    assert ("theirs", ["file"]) == (path.read_text(), names(tmp_path))


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    """A folder, and a folder that is not there, are named."""
    for path in (tmp_path, Path("/")):
        with pytest.raises(InputError, match="is a folder"), files.whole(path, over=True):
            pass
    with pytest.raises(InputError, match="cannot be written"), files.whole(tmp_path / "no" / "file"):
        pass


def test_a_file_that_may_not_be_looked_at_is_not_taken_for_none(tmp_path: Path) -> None:
    """There, not there, and not to be told."""
    (tmp_path / "file").touch()
    assert [True, False, False] == [files.is_there(tmp_path / name) for name in ("file", "none", "file/none")]
    with pytest.raises(StorageError, match="cannot be looked at"):
        files.is_there(tmp_path / ("long" * 100))


def test_a_file_is_read_up_to_a_bound(tmp_path: Path) -> None:
    """One byte more tells that there is more; a folder, a pipe and a device have no such end."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert [b"12345", b"1234"] == [files.read_at_most(path, most) for most in (5, 3)]
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InputError, match="a folder, a pipe or a device"):
            files.read_at_most(place, 3)
    with pytest.raises(InputError, match="No such file"):
        files.read_at_most(tmp_path / "none", 3)


def test_a_signing_key_that_is_no_file(tmp_path: Path) -> None:
    """A pipe in its place would be waited for by every command."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="a folder, a pipe or a device"):
        keyfile.read(tmp_path / "pipe")


def test_in_memory_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is named where it is there and has the room."""
    for folder, room, found in ((tmp_path, 0, tmp_path), (tmp_path, 1 << 62, None), (tmp_path / "none", 0, None)):
        monkeypatch.setattr(files, "MEMORY", folder)
        assert found == files.in_memory(room)
