"""The command line: parse, call, print.

Nothing heavy is imported before a command runs, so that ``--help`` and shell completion answer at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


COLLECTING = (20_000, 20, 50)
"""How seldom a process looks for garbage: what a command makes it keeps to its end, for the greater part."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the ``holdfast`` command and leave the process with its exit code."""
    import gc
    import sys

    gc.set_threshold(*COLLECTING)
    try:
        from workflow.cli.run import run

        code = run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:
        # It came before click could see it, such as while modules were loaded; as in workflow.cli.exits.
        sys.stderr.write("Interrupted.\n")
        code = 130
    sys.exit(code)
