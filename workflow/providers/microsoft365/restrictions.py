"""Restricted entities of a real tenant: the two lists, and taking one entry off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workflow.domain.subject import normalise
from workflow.domain.vocabulary import Kind
from workflow.errors import InputError, NotReadableError, ProviderError, ProviderRefusedError, UnblockLimitError
from workflow.providers.microsoft365 import tolerant
from workflow.providers.microsoft365.exchange import CmdletError, Exchange, refused
from workflow.providers.microsoft365.redaction import redacted
from workflow.providers.microsoft365.refusal import sure
from workflow.providers.microsoft365.values import Row, text
from workflow.providers.shapes import Answer, Restricted

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIST = {Kind.MAILBOX: "BlockedSenderAddress", Kind.CONNECTOR: "BlockedConnector"}
_KEY = {Kind.MAILBOX: "SenderAddress", Kind.CONNECTOR: "ConnectorId"}

_LIFTED = r"(?:unblocked|released|removed|delisted)"
_LIMIT = re.compile(
    rf"(?i)\blimit\s+(?:for|of|on|to)\s+(?:unblock|releas|delist)(?:ing|es|s)?\b"
    rf"|\b(?:unblock|unblocking|release|delisting)\s+limit\b"
    rf"|\bnumber\s+of\s+times\b[^.]{{0,80}}\b{_LIFTED}\b|\b{_LIFTED}\b[^.]{{0,80}}\bnumber\s+of\s+times\b"
    rf"|\bnumber\s+of\s+(?:unblock|release|delisting)s?\b|\breached\s+the\s+limit\b.{{0,80}}\bcontact\s+microsoft\s+support\b"
    rf"|\b(?:can't|cannot)\s+(?:be\s+)?unblock(?:ed)?\b[^.]{{0,80}}\bany\s?more\b"
    rf"|\b{_LIFTED}\s+too\s+(?:many\s+times|often)\b"
    rf"|\bcontact\s+(?:microsoft\s+)?support\s+to\b[^.]{{0,40}}\b(?:unblock(?:ed)?|delist(?:ed)?)\b"
)
"""How Microsoft may say that it was once too often: the documentation promises an error and does not quote it.

It is about lifting a restriction, in as many words: limits of calls, sizes and budgets pass, and who takes one of them
for the end asks Microsoft Support for nothing.
"""

_LONGEST_REASON = 400


class Restrictions:
    """The lists of restricted senders and connectors."""

    _exchange: Exchange

    def restricted(self, kind: Kind) -> Answer[tuple[Restricted, ...]]:
        """Return the whole list of one kind."""
        found, read = self._exchange.run("restricted", f"Get-{_listed(kind)}")
        return Answer(tuple(_restricted(kind, row) for row in found), read)

    def restriction(self, kind: Kind, identifier: str) -> Answer[Restricted | None]:
        """Return one entity's row, or None when it is not listed."""
        cmdlet, name = f"Get-{_listed(kind)}", sure(identifier)
        try:
            found, read = self._exchange.attempt("restriction", cmdlet, {_KEY[kind]: name})
        except CmdletError as error:
            if error.lacks(name):
                return Answer(None, error.reply.read(cmdlet))
            raise refused("restriction", cmdlet, error) from None
        return Answer(_named(kind, name, [_restricted(kind, row) for row in found]), read)

    def unblock(self, kind: Kind, identifier: str, reason: str) -> Answer[None]:
        """Ask Microsoft to lift a restriction, once."""
        cmdlet = f"Remove-{_listed(kind)}"
        parameters = {_KEY[kind]: sure(identifier), "Reason": redacted(reason)[:_LONGEST_REASON] or "unblocked"}
        try:
            _, read = self._exchange.attempt("unblock", cmdlet, parameters)
        except CmdletError as error:
            if _LIMIT.search(error.said):
                raise UnblockLimitError(
                    f"Microsoft does not unblock this any more ({redacted(error.said)}). Only Microsoft Support can."
                ) from None
            if error.lacks(parameters[_KEY[kind]]):
                raise ProviderRefusedError(
                    f"{cmdlet}: it is not on the list, so nothing was changed. Read the restriction again."
                ) from None
            raise refused("unblock", cmdlet, error) from None
        return Answer(None, read)


def _listed(kind: Kind) -> str:
    if kind not in _LIST:
        raise NotReadableError("There is no list of restricted users: mailboxes and connectors are restricted.")
    return _LIST[kind]


def _named(kind: Kind, name: str, rows: Sequence[Restricted]) -> Restricted | None:
    """Return the row of one entity, in whichever spelling: some cmdlets answer with everything they have.

    Raises:
        ProviderError: there are rows whose names cannot be told from it.
    """
    wanted, strange = normalise(kind, name), []
    for row in rows:
        try:
            if normalise(kind, row.identifier) == wanted:
                return row
        except InputError:
            strange.append(row.identifier)
    if strange:
        raise ProviderError(
            f"Get-{_LIST[kind]}: a row is about {redacted(strange[0])[:60]!r}, so nobody can tell whose it is. "
            "Look at the Restricted entities page, and report what 'holdfast tenant probe' prints."
        )
    return None


def _restricted(kind: Kind, row: Row) -> Restricted:
    found = text(row, _KEY[kind])
    if not found:
        raise ProviderError(
            f"Get-{_LIST[kind]}: a row without {_KEY[kind]}; the list is not what it is believed to be. "
            "Look at the Restricted entities page, and report what 'holdfast tenant probe' prints."
        )
    return Restricted(
        identifier=found,
        name=tolerant.text(row, "ConnectorName"),
        reason=tolerant.text(row, "Reason"),
        temporary=tolerant.flag(row, "TemporaryBlock"),
        created_at=tolerant.moment(row, "CreatedDatetime", "CreatedTime"),
        changed_at=tolerant.moment(row, "ChangedDatetime"),
    )
