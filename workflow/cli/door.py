"""The front door: ``holdfast`` itself and the table of its commands."""

from __future__ import annotations

import click

from workflow import __version__
from workflow.cli.lazy import Lazy, LazyGroup
from workflow.cli.session import shared_options

COMMANDS = {
    "demo": Lazy("workflow.cli.demo", "demo", "Run a self-contained demo, from restriction to release."),
    "init": Lazy("workflow.cli.setup", "init", "Make the ledger: signing key, database and checkpoint file."),
    "import": Lazy("workflow.cli.intake", "import_", "Import restrictions from what Microsoft's tools export."),
    "case": Lazy("workflow.cli.case", "case", "Work on cases, from detected to released."),
    "tenant": Lazy(
        "workflow.cli.tenant", "tenant", "Connect to the tenant, and record once what is true of all of it."
    ),
    "worker": Lazy("workflow.cli.worker", "worker", "Do what is due by itself, until it is stopped."),
    "alert": Lazy("workflow.cli.alert", "alert", "Choose who is alerted to what, and see what was sent."),
    "playbook": Lazy(
        "workflow.cli.playbook",
        "playbook",
        "Show, check, compare and install playbooks; draw the state machine.",
    ),
    "ledger": Lazy(
        "workflow.cli.ledger", "ledger", "Verify, checkpoint, export and restore the ledger; audit a period."
    ),
    "backup": Lazy("workflow.cli.keeping", "backup", "Write the whole ledger to one file while others work."),
    "doctor": Lazy("workflow.cli.keeping", "doctor", "Check everything a ledger depends on, and name each cure."),
    "upgrade": Lazy("workflow.cli.keeping", "upgrade", "Bring the database to this version, with a backup."),
    "config": Lazy("workflow.cli.setup", "config", "Look at the settings."),
    "completion": Lazy("workflow.cli.completion", "completion", "Print what makes a shell complete commands."),
    "version": Lazy("workflow.cli.setup", "version", "Print the version and where things are kept."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    params=shared_options(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="holdfast")
def root() -> None:
    """Hold a restricted Microsoft 365 account until the work that makes its release safe is recorded.

    Begin with 'holdfast demo', or with 'holdfast init' and 'holdfast import FILE'.
    """
