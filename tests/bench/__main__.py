"""``python -m tests.bench [--quick] [--large] [--only NAME]``: measure, and print each figure beside its target."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.machine import compiled, described
from tests.bench.sections import SECTIONS
from tests.bench.table import rendered


def main() -> None:
    """Run the sections asked for and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under a minute, for a first look")
    parser.add_argument("--large", action="store_true", help="verify 1,000,000 entries too: takes many minutes")
    parser.add_argument("--only", action="append", choices=list(SECTIONS), help="run this section (may be repeated)")
    options = parser.parse_args()
    compiled()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        root = Path(name)
        say(described(root))
        for section in options.only or SECTIONS:
            if section == "large" and not (options.large or options.only):
                continue
            began = time.monotonic()
            found = SECTIONS[section](root, quick=options.quick)
            for table in found if isinstance(found, list) else [found]:
                say(rendered(table))
            sys.stderr.write(f"({section}: {time.monotonic() - began:.0f} s)\n")
    say(f"Measured in {time.monotonic() - start:.0f} s.")


def say(text: str) -> None:
    """Print at once, so that a long run can be followed."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
