"""``holdfast completion``: what a shell sources so that it completes commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from workflow.cli.session import Verb

VARIABLE = "_HOLDFAST_COMPLETE"


@click.command(cls=Verb)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands.

    \b
    bash:  holdfast completion bash > ~/.local/share/bash-completion/completions/holdfast
    zsh:   holdfast completion zsh > "${fpath[1]}/_holdfast"
    fish:  holdfast completion fish > ~/.config/fish/completions/holdfast.fish
    """  # noqa: D301 - the escape is what keeps the lines apart.
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(kind(ctx.find_root().command, {}, "holdfast", VARIABLE).source())
