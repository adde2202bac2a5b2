"""One run from arguments to exit code: the only place where errors become messages."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.door import root
from workflow.cli.exits import INTERRUPTED, Exit, exit_of
from workflow.cli.session import Session, colour
from workflow.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from workflow.providers.port import Provider


def run(arguments: list[str], clock: Callable[[], datetime] | None = None, provider: Provider | None = None) -> int:
    """Run one command and return its exit code; nothing is raised.

    Args:
        arguments: what stands behind ``holdfast``.
        clock: the present, for the demo and tests only.
        provider: the tenant, for tests only.
    """
    session = Session(clock=clock, provider=provider)
    wants_json = "--json" in arguments
    _never_fail_to_print()
    try:
        code = _run(arguments, session, wants_json=wants_json)
        sys.stdout.flush()
    except BrokenPipeError:
        return _closed(session)
    finally:
        session.close()
    return code


def _run(arguments: list[str], session: Session, *, wants_json: bool) -> int:
    out = sys.stdout
    try:
        result = root.main(arguments, prog_name="holdfast", standalone_mode=False, obj=session, color=colour())
        return result if isinstance(result, int) else Exit.DONE
    except HoldfastError as error:
        from workflow.cli.refusals import error_data, show_error

        if wants_json:
            _print_json(error_data(error, session))
        else:
            show_error(error, session)
        return exit_of(error)
    except click.ClickException as error:
        return _usage(error, wants_json=wants_json)
    except click.Abort:
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except SystemExit as stop:
        # Shell completion leaves this way, and click where the output is closed: it wraps the stream then.
        if sys.stdout is not out:
            sys.stdout = out
            raise BrokenPipeError from None
        return stop.code if isinstance(stop.code, int) else Exit.DONE
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence: a person gets a message, not a traceback.
        return _unexpected(error, wants_json=wants_json)


def _closed(session: Session) -> int:
    """Say whether a step was taken where nobody read to the end; a command that only reads ends quietly."""
    from workflow.cli.output import close_output, hint

    close_output()
    if session.recorded:
        hint(f"The output was closed before the end. Recorded: {session.recorded}")
        return Exit.DONE
    if session.deciding:
        hint("The output was closed before everything was shown: nothing was decided.")
    return Exit.ERROR


def _usage(error: click.ClickException, *, wants_json: bool) -> int:
    from workflow.cli.text import visible

    # Some of click's messages carry a word of the command line as it is, which a script may have had from anywhere.
    vars(error)["message"] = visible(error.message)
    if wants_json:
        message = error.format_message()
        _print_json({"error": {"code": "usage", "message": message, "exit": error.exit_code, "next_step": ""}})
    else:
        error.show()
    return error.exit_code


def _unexpected(error: Exception, *, wants_json: bool) -> int:
    if os.environ.get("HOLDFAST_DEBUG"):
        import traceback

        traceback.print_exception(error)
    from workflow.cli.text import visible

    message = f"Something unexpected went wrong: {type(error).__name__}: {visible(error, 300)}"
    if wants_json:
        _print_json({"error": {"code": "unexpected", "message": message, "exit": int(Exit.ERROR), "next_step": ""}})
    else:
        click.echo(f"Error: {message}\n  Run it again with HOLDFAST_DEBUG=1 to see where.", err=True)
    return Exit.ERROR


def _print_json(data: dict[str, Any]) -> None:
    from workflow.cli.output import as_json

    as_json(data)


def _never_fail_to_print() -> None:
    """Let neither a closed stream nor a terminal that lacks a character end the command half-way.

    A closed stream is replaced before anything else is opened, which could otherwise be given its number.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - it lives as long as the process.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
