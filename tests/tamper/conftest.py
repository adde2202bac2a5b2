"""One realistic ledger per session, copied for every attack."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from tests.tamper.histories import Place, build
from workflow.ledger.note import Signer
from workflow.services.verification import Options, Report, verify
from workflow.storage import keyfile


@dataclass
class Bench:
    """The untouched ledger, and copies of it to attack."""

    place: Place
    other: Place
    root: Path
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def signer(self) -> Signer:
        """The real key."""
        return keyfile.read(self.place.key)

    def copy(self, source: Path | None = None) -> Place:
        """Copy the database alone: no key, no checkpoints."""
        place = Place(self.root / f"copy-{next(self.numbers)}")
        place.root.mkdir()
        shutil.copyfile(source or self.place.database, place.database)
        return place

    def verdicts(self, place: Place, kept: Path) -> tuple[Report, Report, Report]:
        """What verification says of the database alone, with the public key, and with a kept checkpoint too."""
        vkey = self.signer.verifier.text
        return (
            look(place),
            look(place, Options(key=vkey)),
            look(place, Options(key=vkey, against=[kept])),
        )


def look(place: Place, options: Options | None = None) -> Report:
    """Verify a ledger and let its file go."""
    with place.app() as app:
        return verify(app, options)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Two ledgers that know nothing of each other, whatever the environment says."""
    root = tmp_path_factory.mktemp("ledgers")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("HOLDFAST_")]:
            patch.delenv(name)
        patch.setenv("HOLDFAST_HOME", str(root))
        places = Place(root / "real"), Place(root / "other")
        for place in places:
            build(place)
        yield Bench(*places, root)


@pytest.fixture
def copy(bench: Bench) -> Callable[[], Place]:
    """Makes a copy of the untouched database."""
    return bench.copy
