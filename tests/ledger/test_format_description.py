"""The format's description: its own recipes verify a real export, and its table is the envelope's."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.specimens import ORIGIN, SIGNER, chain, ledger
from workflow.ledger import bundle, entry

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "ledger-format.md"


def recipe(language: str) -> str:
    """Return the page's code in this language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def specimen(tmp_path: Path) -> Path:
    """An export of eleven entries, with checkpoint and key beside it."""
    made = ledger(chain("HF-1", 11))
    note = str(made.checkpoints[-1][1])
    header = bundle.Header((ORIGIN,), str(SIGNER.verifier), 11, note)
    (tmp_path / "export").write_text("".join(bundle.write(header, made.rows)), encoding="utf-8")
    (tmp_path / "checkpoint").write_text(note, encoding="utf-8")
    (tmp_path / "vkey").write_text(f"{SIGNER.verifier}\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("replaced", "verdict"), [("met", "MATCHES"), ("not", "DIFFERS")])
def test_the_python_recipe_verifies_an_export(specimen: Path, replaced: str, verdict: str) -> None:
    """Standard library alone finds the root, and a changed entry gives another."""
    export = specimen / "export"
    export.write_text(export.read_text(encoding="utf-8").replace("met", replaced, 1), encoding="utf-8")
    command = [sys.executable, "-X", "utf8", "-W", "ignore", "-c", recipe("python"), str(export)]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    assert [ORIGIN, "11", verdict] == [done.stdout.split("\n")[line] for line in (0, 1, 3)]


@pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("sh", "openssl", "xxd", "base64")),
    reason="the recipe needs sh, openssl, xxd and base64",
)
@pytest.mark.parametrize(("size", "good"), [("11", True), ("12", False)])
def test_the_openssl_recipe_verifies_a_checkpoint(specimen: Path, size: str, *, good: bool) -> None:
    """Four lines of shell accept the log's signature, and refuse it under another size."""
    checkpoint = specimen / "checkpoint"
    checkpoint.write_text(checkpoint.read_text(encoding="utf-8").replace("\n11\n", f"\n{size}\n"), encoding="utf-8")
    shell = str(shutil.which("sh"))
    done = subprocess.run([shell, "-c", recipe("sh")], cwd=specimen, capture_output=True, check=False)
    assert good == (done.returncode == 0)


def test_the_table_of_keys_is_the_envelope() -> None:
    """Every key is described, in one row, and no other."""
    keys = PAGE.read_text(encoding="utf-8").split("**Keys.**")[1].split("**Order.**")[0]
    assert sorted(entry.KEYS) == sorted(re.findall(r"^\| `(\w+)`", keys, re.MULTILINE))
