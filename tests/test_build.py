"""The package and its locks: what is promised to an installer is what the files say."""

import email
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email.message import Message
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import workflow

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = ("requirements.txt", "requirements-dev.txt")


def _asked_for(*extras: str) -> list[Requirement]:
    """Return what the project asks for, its own extras resolved."""
    lines = [
        *PROJECT["dependencies"],
        *(line for extra in extras for line in PROJECT["optional-dependencies"][extra]),
    ]
    requirements = [Requirement(line) for line in lines]
    others = [requirement for requirement in requirements if requirement.name != "holdfast"]
    nested = {extra for requirement in requirements if requirement.name == "holdfast" for extra in requirement.extras}
    return others + [Requirement(line) for extra in nested for line in PROJECT["optional-dependencies"][extra]]


def _locked(name: str) -> dict[str, tuple[Requirement, int]]:
    """Return each locked requirement and its number of hashes, by canonical name."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    locked: dict[str, tuple[Requirement, int]] = {}
    for line in (line for line in text.splitlines() if line and not line.lstrip().startswith("#")):
        requirement = Requirement(line.split("--hash")[0].strip())
        locked[canonicalize_name(requirement.name)] = (
            requirement,
            len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line)),
        )
    return locked


def _is_installed(package: str) -> bool:
    """Say whether a locked package is wanted on this system and so installed."""
    return next(iter(distributions(name=package)), None) is not None


@pytest.mark.parametrize(("name", "extras"), [("requirements.txt", ["build"]), ("requirements-dev.txt", ["dev"])])
def test_the_lock_satisfies_the_project(name: str, extras: list[str]) -> None:
    """Every requirement of the project is locked to one release that it allows; `make lock` repairs this."""
    locked = _locked(name)
    for asked in _asked_for(*extras):
        pin, _ = locked[canonicalize_name(asked.name)]
        versions = [specifier.version for specifier in pin.specifier if specifier.operator == "=="]
        assert [True] == [asked.specifier.contains(version) for version in versions], asked


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_release_is_pinned_by_hash(name: str) -> None:
    """An installer can refuse a file that is not the one that was tested."""
    assert [] == [pin for pin, (_, hashes) in _locked(name).items() if hashes == 0]


@pytest.mark.parametrize("name", LOCKS)
def test_an_extra_that_a_locked_package_asks_for_is_pinned_with_it(name: str) -> None:
    """An older pip takes a newer release for `package[extra]` where only `package` is pinned, and then has no hash."""
    locked = _locked(name)
    asked_for = [
        requirement
        for package in locked
        for line in (distribution(package).requires or [] if _is_installed(package) else [])
        if (requirement := Requirement(line)).extras
        and (requirement.marker is None or requirement.marker.evaluate({"extra": ""}))
        and canonicalize_name(requirement.name) in locked
    ]
    assert "pyjwt" in {canonicalize_name(requirement.name) for requirement in asked_for}
    assert [] == [
        str(requirement)
        for requirement in asked_for
        if not requirement.extras <= locked[canonicalize_name(requirement.name)][0].extras
    ]


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_an_index_or_a_path(name: str) -> None:
    """Where somebody's packages come from is not part of the lock."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [] == re.findall(r"https?:|file:|--index|--find-links| @ |(?:^|\s)/\S+", text)


def test_both_locks_agree() -> None:
    """What is tested is what is installed to run; what Windows alone needs may be needed for tests everywhere."""
    tested = {name: str(requirement.specifier) for name, (requirement, _) in _locked("requirements-dev.txt").items()}
    installed = {name: str(requirement.specifier) for name, (requirement, _) in _locked("requirements.txt").items()}
    assert {} == {name: pin for name, pin in installed.items() if tested.get(name) != pin}


def _build(tmp_path_factory: pytest.TempPathFactory, kind: str) -> Path:
    target = tmp_path_factory.mktemp(kind)
    command = [
        sys.executable,
        "-m",
        "build",
        f"--{kind}",
        "--no-isolation",
        "--outdir",
        str(target),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    [built] = target.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """A wheel built from this checkout, without fetching anything."""
    with zipfile.ZipFile(_build(tmp_path_factory, "wheel")) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    """The wheel's core metadata."""
    return email.message_from_bytes(wheel.read(f"holdfast-{workflow.__version__}.dist-info/METADATA"))


def test_the_wheel_carries_the_playbooks_and_its_types(wheel: zipfile.ZipFile) -> None:
    """An installation has every playbook of the checkout, the package's types and nothing of the tests."""
    names = set(wheel.namelist())
    playbooks = {path.relative_to(ROOT / "playbooks") for path in (ROOT / "playbooks").rglob("*.yaml")}
    assert playbooks
    assert {f"workflow/_playbooks/{path.as_posix()}" for path in playbooks} <= names
    assert {"workflow/py.typed", "workflow/__main__.py"} <= names
    assert {"workflow", f"holdfast-{workflow.__version__}.dist-info"} == {name.split("/")[0] for name in names}


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile, metadata: Message) -> None:
    """Name, version, licence, interpreter and command are what the documentation promises."""
    assert ("holdfast", workflow.__version__) == (metadata["Name"], metadata["Version"])
    assert ("Apache-2.0", ">=3.11") == (metadata["License-Expression"], metadata["Requires-Python"])
    entry_points = wheel.read(f"holdfast-{workflow.__version__}.dist-info/entry_points.txt").decode()
    assert "holdfast = workflow.cli:main" in entry_points.splitlines()


def test_the_source_distribution_can_be_tested(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A packager finds playbooks, tests, locks and the Makefile in the source distribution."""
    with tarfile.open(_build(tmp_path_factory, "sdist")) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    expected = {"Makefile", "CHANGELOG.md", "LICENSE", "tests/conftest.py", "workflow/__init__.py", *LOCKS}
    playbooks = {path.relative_to(ROOT).as_posix() for path in (ROOT / "playbooks").rglob("*.yaml")}
    assert set() == (expected | playbooks) - names
