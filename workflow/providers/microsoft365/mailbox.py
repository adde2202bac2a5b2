"""A mailbox of Exchange Online: its rules, how it forwards, and who else may use it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from workflow.errors import NotReadableError, ProviderError, ProviderRefusedError
from workflow.providers.microsoft365.exchange import Exchange, changed
from workflow.providers.microsoft365.refusal import sure
from workflow.providers.microsoft365.values import Row, flag, present, text, texts
from workflow.providers.shapes import Answer, Delegate, Forwarding, InboxRule

if TYPE_CHECKING:
    from workflow.providers.shapes import Read

_TARGETS = ("ForwardTo", "ForwardAsAttachmentTo", "RedirectTo")
_ADDRESS = re.compile(r"\[(?:SMTP|EX):([^\]]+)\]", re.IGNORECASE)
_OWN = re.compile(r"(?i)junk e-mail rule|microsoft\.exchange\.oof\..*")
_SELF = "NT AUTHORITY\\SELF"
_SEND_AS, _ON_BEHALF = "send-as", "send-on-behalf"
_OF_EVERY_MAILBOX = ("PrimarySmtpAddress", "RecipientTypeDetails", "GrantSendOnBehalfTo")
_WORD = re.compile(r"(?<!^)(?=[A-Z])")
_RIGHT = re.compile(r"[a-z]+(?:-[a-z]+)*")


class Mailbox:
    """Mailboxes."""

    _exchange: Exchange

    def inbox_rules(self, mailbox: str) -> Answer[tuple[InboxRule, ...]]:
        """Return the inbox rules, hidden ones included.

        What only the second, wider list names is hidden. Exchange's own rules are left out while they do what they are
        for; one that forwards or deletes only bears their name.
        """
        box = sure(mailbox)
        seen, _ = self._exchange.run("inbox_rules", "Get-InboxRule", {"Mailbox": box}, mailbox=box)
        shown = {text(row, "Identity") for row in seen}
        parameters = {"Mailbox": box, "IncludeHidden": True}
        found, read = self._exchange.run("inbox_rules", "Get-InboxRule", parameters, mailbox=box)
        rules = [_rule(row, hidden=text(row, "Identity") not in shown) for row in found]
        return Answer(tuple(rule for rule in rules if not _is_exchanges_own(rule)), read)

    def set_rule(self, mailbox: str, rule: InboxRule, *, enabled: bool) -> Answer[None]:
        """Switch one rule off or on again."""
        box = sure(mailbox)
        parameters = {"Identity": sure(rule.id), "Mailbox": box, "Force": True}
        cmdlet = "Enable-InboxRule" if enabled else "Disable-InboxRule"
        _, read = self._exchange.run("set_rule", cmdlet, parameters, mailbox=box)
        return Answer(None, read)

    def forwarding(self, mailbox: str) -> Answer[Forwarding]:
        """Return how the mailbox forwards."""
        row, read = self._mailbox("forwarding", mailbox)
        # A yes or no is never left out. Null may be, where what every mailbox has shows that the row is whole.
        present(row, "DeliverToMailboxAndForward")
        if any(row.get(name) is None for name in _OF_EVERY_MAILBOX):
            present(row, "ForwardingAddress", "ForwardingSmtpAddress")
        external = text(row, "ForwardingSmtpAddress")
        return Answer(
            Forwarding(
                internal=text(row, "ForwardingAddress"),
                external=re.sub(r"(?i)^smtp:", "", external),
                keeps_copy=bool(flag(row, "DeliverToMailboxAndForward")),
            ),
            read,
        )

    def set_forwarding(self, mailbox: str, forwarding: Forwarding) -> Answer[None]:
        """Set, or with an empty value clear, how the mailbox forwards."""
        box = sure(mailbox)
        parameters = {
            "Identity": box,
            "ForwardingAddress": sure(forwarding.internal) if forwarding.internal else None,
            "ForwardingSmtpAddress": sure(forwarding.external) if forwarding.external else None,
            "DeliverToMailboxAndForward": forwarding.keeps_copy,
        }
        _, read = self._exchange.run("set_forwarding", "Set-Mailbox", parameters, mailbox=box)
        return Answer(None, read)

    def delegates(self, mailbox: str) -> Answer[tuple[Delegate, ...]]:
        """Return who else may open the mailbox or send as it; rights on folders are elsewhere."""
        box = sure(mailbox)
        opening, _ = self._exchange.run("delegates", "Get-MailboxPermission", {"Identity": box}, mailbox=box)
        sending, _ = self._exchange.run("delegates", "Get-RecipientPermission", {"Identity": box}, mailbox=box)
        row, read = self._mailbox("delegates", box)
        present(row, "GrantSendOnBehalfTo")
        found = [
            *(Delegate(who=who, right=_kebab(right)) for who, right in _allowed(opening, "User")),
            *(Delegate(who=who, right=_kebab(right)) for who, right in _allowed(sending, "Trustee")),
            *(Delegate(who=who, right=_ON_BEHALF) for who in texts(row, "GrantSendOnBehalfTo")),
        ]
        return Answer(tuple(dict.fromkeys(found)), read)

    def remove_delegate(self, mailbox: str, delegate: Delegate) -> Answer[None]:
        """Take one right away."""
        return self._delegate("remove_delegate", "Remove", mailbox, delegate)

    def add_delegate(self, mailbox: str, delegate: Delegate) -> Answer[None]:
        """Give one right back."""
        return self._delegate("add_delegate", "Add", mailbox, delegate)

    def _delegate(self, operation: str, verb: str, mailbox: str, delegate: Delegate) -> Answer[None]:
        box, who = sure(mailbox), sure(delegate.who)
        parameters: dict[str, Any] = {"Identity": box}
        if delegate.right == _ON_BEHALF:
            cmdlet = "Set-Mailbox"
            parameters["GrantSendOnBehalfTo"] = changed(verb.lower(), who)
        elif delegate.right == _SEND_AS:
            cmdlet = f"{verb}-RecipientPermission"
            parameters |= {"Trustee": who, "AccessRights": ["SendAs"], "Confirm": False}
        else:
            cmdlet = f"{verb}-MailboxPermission"
            parameters |= {"User": who, "AccessRights": [_pascal(delegate.right)]}
            # Adding such a right asks nobody, so the cmdlet is not told not to ask.
            parameters |= {"Confirm": False} if verb == "Remove" else {}
        _, read = self._exchange.run(operation, cmdlet, parameters, mailbox=box)
        return Answer(None, read)

    def _mailbox(self, operation: str, mailbox: str) -> tuple[Row, Read]:
        box = sure(mailbox)
        found, read = self._exchange.run(operation, "Get-Mailbox", {"Identity": box}, mailbox=box)
        if len(found) != 1:
            raise NotReadableError(f"Get-Mailbox: {len(found)} mailboxes answer to this name, and one is meant.")
        return found[0], read


def _rule(row: Row, *, hidden: bool) -> InboxRule:
    id_, enabled = text(row, "Identity"), flag(row, "Enabled")
    if not id_ or enabled is None:
        raise ProviderError("Get-InboxRule: a rule that does not say which it is, or whether it is on.")
    # What is null may be left out; a yes or no never is.
    present(row, "DeleteMessage")
    targets = [target for name in _TARGETS for target in texts(row, name)]
    return InboxRule(
        id=id_,
        name=text(row, "Name"),
        enabled=enabled,
        forwards_to=tuple(_address(target) for target in targets),
        deletes=bool(flag(row, "DeleteMessage")) or bool(flag(row, "SoftDeleteMessage")),
        moves_to=text(row, "MoveToFolder"),
        hidden=hidden,
    )


def _is_exchanges_own(rule: InboxRule) -> bool:
    return bool(_OWN.fullmatch(rule.name)) and not rule.forwards_to and not rule.deletes


def _address(target: str) -> str:
    """Return the address in ``"Ada" [SMTP:ada@contoso.example]``, or all of it where there is none."""
    found = _ADDRESS.search(target)
    return found[1] if found else target


def _allowed(rows: list[Row], who: str) -> list[tuple[str, str]]:
    """Return pairs of somebody and a right that is theirs, neither inherited nor denied nor the owner's own."""
    kept = []
    for row in rows:
        denied = flag(row, "Deny") or text(row, "AccessControlType").casefold() == "deny"
        name = text(row, who)
        # The gateway also writes a list of rights as one text, separated by commas.
        rights = [part.strip() for right in texts(row, "AccessRights") for part in right.split(",")]
        if denied or flag(row, "IsInherited") or name.upper() == _SELF:
            continue
        if not name or not any(rights):
            raise ProviderError(f"{row.call}: a right that does not say whose it is, or which.")
        kept += [(name, right) for right in rights if right]
    return kept


def _kebab(right: str) -> str:
    return _WORD.sub("-", right).lower()


def _pascal(right: str) -> str:
    if not _RIGHT.fullmatch(right):
        raise ProviderRefusedError(f"{right!r} is no right to a mailbox.")
    return "".join(word.capitalize() for word in right.split("-"))
