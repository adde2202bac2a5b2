"""Exit codes: the one table that translates the error tree for the command line."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from workflow import errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Exit(IntEnum):
    """What the process says to whoever called it."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    REFUSED = 3
    NOT_ALLOWED = 4
    NOT_FOUND = 5
    NOT_VERIFIED = 6
    CONFLICT = 7
    PENDING = 8
    DIFFERS = 9


MEANINGS: Mapping[Exit, str] = {
    Exit.DONE: "done",
    Exit.ERROR: "error",
    Exit.USAGE: "usage: what was typed cannot be understood",
    Exit.REFUSED: "refused by a requirement or rule",
    Exit.NOT_ALLOWED: "not allowed: it takes another role or another person",
    Exit.NOT_FOUND: "not found",
    Exit.NOT_VERIFIED: "the ledger does not verify",
    Exit.CONFLICT: "someone else moved the case first",
    Exit.PENDING: "still pending: nothing was changed",
    Exit.DIFFERS: "the tenant's audit log and the cases differ",
}
"""The sentence that the documentation gives for each code."""

WORST = (
    *(Exit.ERROR, Exit.NOT_VERIFIED, Exit.USAGE, Exit.NOT_FOUND, Exit.NOT_ALLOWED, Exit.REFUSED, Exit.CONFLICT),
    *(Exit.PENDING, Exit.DONE),
)
"""The order in which a command over many cases chooses among their results: the first that occurs is its own."""

INTERRUPTED = 130
"""Ctrl-C, as shells count it: 128 and the number of SIGINT."""

EXITS: Mapping[type[errors.HoldfastError], Exit] = {
    errors.HoldfastError: Exit.ERROR,
    errors.RuleRefusedError: Exit.REFUSED,
    errors.GateClosedError: Exit.REFUSED,
    errors.OldReadingsError: Exit.REFUSED,
    errors.WrongStateError: Exit.REFUSED,
    errors.EvidenceRefusedError: Exit.REFUSED,
    errors.SamePersonError: Exit.NOT_ALLOWED,
    errors.ReviewOwedError: Exit.REFUSED,
    errors.RestoreOwedError: Exit.REFUSED,
    errors.NotPermittedError: Exit.NOT_ALLOWED,
    errors.NotFoundError: Exit.NOT_FOUND,
    errors.ConflictError: Exit.CONFLICT,
    errors.PendingError: Exit.PENDING,
    errors.ErasurePendingError: Exit.PENDING,
    errors.InputError: Exit.USAGE,
    errors.PlaybookError: Exit.ERROR,
    errors.SourceError: Exit.ERROR,
    errors.SettingsError: Exit.ERROR,
    errors.StorageError: Exit.ERROR,
    errors.DatabaseBusyError: Exit.ERROR,
    errors.SchemaError: Exit.ERROR,
    errors.KeyMissingError: Exit.ERROR,
    errors.ProviderError: Exit.ERROR,
    errors.ProviderBusyError: Exit.ERROR,
    errors.ProviderRefusedError: Exit.ERROR,
    errors.UnblockLimitError: Exit.ERROR,
    errors.NotReadableError: Exit.ERROR,
    errors.NotReachedError: Exit.ERROR,
    errors.OutcomeUnknownError: Exit.PENDING,
    errors.DeliveryError: Exit.ERROR,
    errors.VerificationError: Exit.NOT_VERIFIED,
}
"""Every class of :mod:`workflow.errors`; a test fails when one is missing."""

CURES: Mapping[type[errors.HoldfastError], str] = {
    errors.SamePersonError: "Ask somebody else to do it, with their own --as NAME.",
    errors.NotPermittedError: "'holdfast config show' lists who may do what.",
    errors.ConflictError: "Look again with 'holdfast case view CASE', then repeat the command.",
    errors.PendingError: (
        "Look again: holdfast case look CASE; where no tenant is connected, record what you saw: "
        "holdfast case observe CASE --restriction WHICH --ref WHERE"
    ),
    errors.ErasurePendingError: "Repeat 'holdfast case erase CASE --confirm' when nobody reads: it finishes the work.",
    errors.OldReadingsError: "Read the tenant again: holdfast case check CASE",
    errors.SettingsError: "Correct the setting: 'holdfast config describe' lists them all.",
    errors.DatabaseBusyError: "Try again in a moment.",
    errors.ProviderBusyError: "Try again after the time it names.",
    errors.NotReachedError: "'holdfast tenant probe' says what answers; then repeat the command.",
    errors.UnblockLimitError: "Open a request with Microsoft Support, and record its number as the reference.",
    errors.OutcomeUnknownError: "Read the tenant before anything else: 'holdfast case check CASE'.",
    errors.VerificationError: (
        "Stop working on it, copy the database and the checkpoint file aside, then hold it against a checkpoint kept "
        "elsewhere: holdfast ledger verify --against CHECKPOINT"
    ),
    errors.KeyMissingError: "Restore the key file, or run 'holdfast init' on a new installation.",
}
"""What to do next, where the message itself does not say it; ``CASE`` stands for the case it is about."""


def worst(codes: Iterable[Exit]) -> Exit:
    """Return the exit code of a command whose parts ended with these; nothing at all is done."""
    return min(codes, key=WORST.index, default=Exit.DONE)


def exit_of(error: errors.HoldfastError) -> Exit:
    """Return the exit code of an error: its own row, or that of the nearest class above it."""
    return next(EXITS[kind] for kind in type(error).__mro__ if kind in EXITS)


def cure_of(error: errors.HoldfastError) -> str:
    """Return what to do next, or "" when the message says it."""
    return error.next_step or next((CURES[kind] for kind in type(error).__mro__ if kind in CURES), "")
