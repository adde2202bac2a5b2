"""The envelope: exactly these keys, exactly these shapes, and no entry too large."""

import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.specimens import body
from workflow.errors import InputError
from workflow.ledger import canonical, entry
from workflow.ledger.malformed import Malformed


def test_a_sealed_entry_opens_again() -> None:
    """Sealing and opening give the entry back."""
    assert body() == entry.open_body(entry.seal_body(body()))


def test_a_reader_takes_an_entry_as_it_stands() -> None:
    """What verification would refuse is still read; what is no object is not."""
    assert ({"v": 2.5}, body()) == (entry.read_body(b'{ "v": 2.5 }'), entry.read_body(entry.seal_body(body())))
    with pytest.raises(ValueError, match="Expected `object`"):
        entry.read_body(b"[]")


def test_the_keys_are_those_of_format_one() -> None:
    """The envelope's keys are fixed: changing them changes the format."""
    expected = (
        "action actor basis case cites clock data id log outcome playbook prev recorded_at recurrence "
        "request sequence state_after state_before tenant type v"
    )
    assert expected.split() == sorted(entry.KEYS)


def test_the_leaf_hash_of_an_entry_never_changes() -> None:
    """A known answer holds bytes and hash of format 1 in place."""
    expected = "ae2eb09bdb4115fb0ae0e98e8e92e6f72c4d76be79b3a0fd3a6fea48e3bc1197"
    assert expected == entry.leaf_hash(entry.seal_body(body())).hex()


WRONG: list[tuple[str, Any]] = [
    ("v", 2),
    ("v", True),
    ("log", ""),
    ("log", "two words"),
    ("log", "a+b"),
    ("log", 1),
    ("id", "0193b0c0-0000-4000-8000-000000000000"),
    ("id", "0193B0C0-0000-7000-8000-000000000000"),
    ("id", None),
    ("type", "Evidence:recorded"),
    ("type", "evidence"),
    ("type", "evidence:recorded\n"),
    ("type", 7),
    ("tenant", None),
    ("case", ""),
    ("case", 1),
    ("sequence", 0),
    ("sequence", True),
    ("sequence", "1"),
    ("prev", "AB" * 32),
    ("prev", "ab"),
    ("prev", None),
    ("recorded_at", "2026-11-24T00:00:00Z"),
    ("recorded_at", "2026-11-24T00:00:00.000000+00:00"),
    ("recorded_at", "2026-02-30T00:00:00.000000Z"),
    ("recorded_at", "\uff12026-11-24T00:00:00.000000Z"),
    ("recorded_at", 1),
    ("clock", "fine"),
    ("clock", []),
    ("actor", []),
    ("action", None),
    ("state_before", 1),
    ("state_after", None),
    ("recurrence", -1),
    ("recurrence", False),
    ("outcome", "ok"),
    ("playbook", "x"),
    ("data", None),
    ("basis", []),
    ("cites", {}),
    ("cites", [""]),
    ("cites", [1]),
    ("request", None),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_wrong_field_is_named_at_write_and_at_read(key: str, value: Any) -> None:
    """Neither sealing nor opening lets a field of the wrong shape pass, and both name it."""
    wrong = body(**{key: value})
    with pytest.raises(InputError, match=f"written: {key} is not"):
        entry.seal_body(wrong)
    with pytest.raises(Malformed, match=f"^{key} is not"):
        entry.open_body(canonical.encode(wrong))


@pytest.mark.parametrize("key", sorted(entry.KEYS))
def test_every_key_is_needed(key: str) -> None:
    """An entry without one of its keys is no entry."""
    less = body()
    del less[key]
    with pytest.raises(Malformed, match=f"the key {key} is missing"):
        entry.open_body(canonical.encode(less))


def test_no_other_key_is_allowed() -> None:
    """A key outside the format could carry facts that nobody verifies."""
    with pytest.raises(InputError, match="1 unknown keys"):
        entry.seal_body(body(extra=1))


@pytest.mark.parametrize(("sequence", "prev"), [(1, "ab" * 32), (2, "")])
def test_only_the_first_entry_of_a_case_has_no_predecessor(sequence: int, prev: str) -> None:
    """Sequence 1 goes with an empty link and every other sequence with a hash."""
    with pytest.raises(InputError, match="prev is empty"):
        entry.seal_body(body(sequence=sequence, prev=prev))


def test_the_writer_stops_at_four_kibibytes_and_the_reader_does_not() -> None:
    """4,096 bytes may be written, 4,097 may not, though a reader takes them."""
    rest = entry.MAX_WRITE - len(entry.seal_body(body(request="")))
    assert entry.MAX_WRITE == len(entry.seal_body(body(request="x" * rest)))
    larger = body(request="x" * (rest + 1))
    with pytest.raises(InputError, match="4097 bytes"):
        entry.seal_body(larger)
    assert larger == entry.open_body(canonical.encode(larger))


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])))
def test_times_are_written_and_read_as_the_same_moment(moment: datetime) -> None:
    """Every aware time survives the round trip, as UTC."""
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return
    read = entry.parse_time(entry.format_time(moment))
    assert (moment, UTC) == (read, read.tzinfo)


def test_a_time_is_written_in_its_one_shape() -> None:
    """Whole seconds keep their six zeros, and another zone is turned into UTC."""
    moment = datetime(2026, 11, 24, 1, 0, tzinfo=timezone(timedelta(hours=1)))
    assert "2026-11-24T00:00:00.000000Z" == entry.format_time(moment)


def test_a_naive_time_is_refused() -> None:
    """A time without a zone names no moment."""
    with pytest.raises(InputError, match="without a zone"):
        entry.format_time(datetime(2026, 11, 24))  # noqa: DTZ001 - naive on purpose


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_identifiers_are_uuids_of_version_seven(now_ms: int, random: bytes) -> None:
    """The time stands in front, version and variant are right, and 74 of the random bits are used."""
    read = uuid.UUID(entry.uuid7(now_ms, random))
    assert (now_ms, 7, uuid.RFC_4122) == (read.int >> 80, read.version, read.variant)
    kept = (read.int >> 64 & 0xFFF) << 62 | read.int & (1 << 62) - 1
    assert int.from_bytes(random) & (1 << 74) - 1 == kept


def test_identifiers_match_the_example_of_the_standard() -> None:
    """RFC 9562 appendix A.6 gives a value with its parts."""
    random = (0xCC3 << 62 | 0x18C4DC0C0C07398F).to_bytes(10)
    assert "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" == entry.uuid7(0x017F22E279B0, random)


@pytest.mark.parametrize(("now_ms", "random"), [(-1, bytes(10)), (1 << 48, bytes(10)), (0, bytes(9))])
def test_identifiers_need_their_parts(now_ms: int, random: bytes) -> None:
    """A time outside 48 bits or another number of random bytes is refused."""
    with pytest.raises(InputError, match="UUIDv7"):
        entry.uuid7(now_ms, random)
