"""Cmdlets about mailboxes: forwarding, rights, inbox rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.providers.simulated.cmdlets import Call, cmdlet, guid, texts
from workflow.providers.simulated.refusals import CmdletError, not_found

if TYPE_CHECKING:
    from workflow.providers.simulated.messages import Json
    from workflow.providers.simulated.state import Account, Rule

_DEFAULT_SIZE = 1000
_TASKS = "Microsoft.Exchange.Configuration.Tasks"


@cmdlet("Get-Mailbox", Identity="text", ResultSize="number")
def mailboxes(call: Call) -> list[Json]:
    """Return one mailbox, or all; without ResultSize the list ends at a thousand, with a warning."""
    if "Identity" in call.given:
        return [_mailbox(call.mailbox())]
    size = call.given.get("ResultSize") or _DEFAULT_SIZE
    everything = call.tenant.accounts
    shown = everything if size == "Unlimited" else everything[:size]
    if len(shown) < len(everything):
        call.warnings.append(
            "There are more results available than are currently displayed. To view them, increase the value for the "
            "ResultSize parameter."
        )
    return [_mailbox(account) for account in shown]


def _mailbox(account: Account) -> Json:
    box = account.mailbox
    return {
        "Identity": account.alias,
        "DisplayName": account.name,
        "Alias": account.alias,
        "UserPrincipalName": account.upn,
        "PrimarySmtpAddress": box.address,
        **guid("ExternalDirectoryObjectId", account.id),
        "RecipientTypeDetails": "SharedMailbox" if box.shared else "UserMailbox",
        "ForwardingAddress": box.forwards_inside or None,
        "ForwardingSmtpAddress": f"smtp:{box.forwards_outside}" if box.forwards_outside else None,
        "DeliverToMailboxAndForward": box.keeps_copy,
        **texts("GrantSendOnBehalfTo", [who.partition("@")[0] for who in box.on_behalf]),
    }


@cmdlet(
    "Set-Mailbox",
    writes=True,
    Identity="!text",
    ForwardingAddress="text",
    ForwardingSmtpAddress="text",
    DeliverToMailboxAndForward="flag",
    GrantSendOnBehalfTo="change",
)
def set_mailbox(call: Call) -> list[Json]:
    """Set forwarding and who sends on behalf; null clears."""
    account = call.mailbox()
    forwarding = {"ForwardingAddress", "ForwardingSmtpAddress", "DeliverToMailboxAndForward"} & set(call.given)
    if forwarding:
        outside = call.text("ForwardingSmtpAddress").removeprefix("smtp:").removeprefix("SMTP:")
        call.tenant.set_forwarding(
            account,
            call.by,
            call.at,
            inside=call.text("ForwardingAddress") if "ForwardingAddress" in forwarding else None,
            outside=outside if "ForwardingSmtpAddress" in forwarding else None,
            keeps_copy=call.given.get("DeliverToMailboxAndForward"),
        )
    if "GrantSendOnBehalfTo" in call.given:
        _on_behalf(call, account)
    if not forwarding and "GrantSendOnBehalfTo" not in call.given:
        call.warnings.append(
            f"The command completed successfully but no settings of '{account.name}' have been modified."
        )
    return []


def _on_behalf(call: Call, account: Account) -> None:
    """Change who sends on behalf: a table of what to add and remove, or the whole list."""
    value = call.given["GrantSendOnBehalfTo"]
    held = list(account.mailbox.on_behalf)
    if isinstance(value, dict):
        add, remove = (
            item if isinstance(item, list) else [item] for item in (value.get("add", []), value.get("remove", []))
        )
    else:
        add = [item for item in value or [] if item not in held]
        remove = [item for item in held if item not in (value or [])]
    for who in add:
        call.tenant.set_right(account, "on_behalf", _person(call, str(who)), call.by, call.at, given=True)
    for who in remove:
        call.tenant.set_right(account, "on_behalf", _person(call, str(who)), call.by, call.at, given=False)


def _person(call: Call, who: str) -> str:
    other = call.tenant.find_mailbox(who)
    if other is None:
        raise not_found(who)
    return other.upn


@cmdlet("Get-MailboxPermission", Identity="!text", User="text")
def mailbox_permissions(call: Call) -> list[Json]:
    """Return who may open a mailbox; the owner stands in it as SELF."""
    account = call.mailbox()
    holders = [("NT AUTHORITY\\SELF", ["FullAccess", "ReadPermission"])]
    holders += [(who, ["FullAccess"]) for who in account.mailbox.full_access]
    return [
        {"Identity": account.alias, "User": who, **texts("AccessRights", rights), "IsInherited": False, "Deny": False}
        for who, rights in holders
    ]


@cmdlet("Get-RecipientPermission", Identity="!text", Trustee="text")
def recipient_permissions(call: Call) -> list[Json]:
    """Return who may send as a mailbox."""
    account = call.mailbox()
    return [
        {
            "Identity": account.alias,
            "Trustee": who,
            "AccessControlType": "Allow",
            **texts("AccessRights", ["SendAs"]),
            "IsInherited": False,
        }
        for who in ("NT AUTHORITY\\SELF", *account.mailbox.send_as)
    ]


def _right(call: Call, right: str, parameter: str, *, given: bool) -> list[Json]:
    account, who = call.mailbox(), _person(call, call.text(parameter))
    if not call.tenant.set_right(account, right, who, call.by, call.at, given=given):
        state = "already has" if given else "doesn't have"
        call.warnings.append(f"The appropriate access control entry: '{who}' {state} the right on '{account.name}'.")
    return []


@cmdlet("Add-MailboxPermission", writes=True, Identity="!text", User="!text", AccessRights="any", AutoMapping="flag")
def add_mailbox_permission(call: Call) -> list[Json]:
    """Let somebody open a mailbox."""
    return _right(call, "full_access", "User", given=True)


@cmdlet("Remove-MailboxPermission", writes=True, Identity="!text", User="!text", AccessRights="any", Confirm="flag")
def remove_mailbox_permission(call: Call) -> list[Json]:
    """Let somebody no longer open a mailbox."""
    return _right(call, "full_access", "User", given=False)


@cmdlet("Add-RecipientPermission", writes=True, Identity="!text", Trustee="!text", AccessRights="any", Confirm="flag")
def add_recipient_permission(call: Call) -> list[Json]:
    """Let somebody send as a mailbox."""
    return _right(call, "send_as", "Trustee", given=True)


@cmdlet(
    "Remove-RecipientPermission", writes=True, Identity="!text", Trustee="!text", AccessRights="any", Confirm="flag"
)
def remove_recipient_permission(call: Call) -> list[Json]:
    """Let somebody no longer send as a mailbox."""
    return _right(call, "send_as", "Trustee", given=False)


@cmdlet("Get-InboxRule", Mailbox="!text", Identity="text", IncludeHidden="flag")
def inbox_rules(call: Call) -> list[Json]:
    """Return the rules of a mailbox; an Identity that fits none returns all of them."""
    account = call.mailbox("Mailbox")
    rules = [rule for rule in account.mailbox.rules if call.given.get("IncludeHidden") or not rule.hidden]
    wanted = call.text("Identity")
    return [_rule(account, rule) for rule in ([item for item in rules if _is(account, item, wanted)] or rules)]


def _is(account: Account, rule: Rule, identity: str) -> bool:
    """Whether an identity means this rule: its number or its name, the mailbox and a backslash in front or not."""
    last = identity.rpartition("\\")[2]
    return bool(last) and last in {str(_number(account, rule)), rule.name}


def _number(account: Account, rule: Rule) -> int:
    """Return a number as long as Exchange's are, the same for the same rule."""
    return int(account.id[:8], 16) * 1_000_000_000 + rule.number


def _rule(account: Account, rule: Rule) -> Json:
    number = _number(account, rule)
    actions = [f"forward the message to {', '.join(rule.forward_to)}"] if rule.forward_to else []
    actions += ["delete the message"] if rule.delete else []
    actions += [f"move the message to folder '{rule.move_to}'"] if rule.move_to else []
    return {
        "Name": rule.name,
        "Identity": f"{account.alias}\\{number}",
        "RuleIdentity": str(number),
        "Enabled": rule.enabled,
        "Priority": rule.number,
        "Description": f"Take these actions: {' and '.join(actions)}" if actions else "",
        "ForwardTo": [f'"{who.partition("@")[0]}" [SMTP:{who}]' for who in rule.forward_to] or None,
        "ForwardAsAttachmentTo": None,
        "RedirectTo": [f'"{who.partition("@")[0]}" [SMTP:{who}]' for who in rule.redirect_to] or None,
        "DeleteMessage": rule.delete,
        "MoveToFolder": rule.move_to or None,
        "MarkAsRead": False,
        "StopProcessingRules": bool(actions),
        "MailboxOwnerId": account.alias,
    }


def _switch(call: Call, *, enabled: bool) -> list[Json]:
    identity = call.text("Identity")
    owner = call.text("Mailbox") or identity.rpartition("\\")[0]
    account = call.tenant.find_mailbox(owner)
    rule = next((item for item in account.mailbox.rules if _is(account, item, identity)), None) if account else None
    if account is None or rule is None:
        text = f"No inbox rule with the identity '{identity}' was found."
        raise CmdletError(text, f"{_TASKS}.ManagementObjectNotFoundException", "ExE1B5A0", status=404)
    if rule.system:
        text = f"The rule '{rule.name}' can't be changed: Outlook and Exchange keep it themselves."
        raise CmdletError(text, f"{_TASKS}.TaskInvalidOperationException", "Ex7C1D20")
    call.tenant.set_rule(account, rule, call.by, call.at, enabled=enabled)
    return []


@cmdlet("Disable-InboxRule", writes=True, Identity="!text", Mailbox="text", Force="flag", Confirm="flag")
def disable_rule(call: Call) -> list[Json]:
    """Switch a rule off."""
    return _switch(call, enabled=False)


@cmdlet("Enable-InboxRule", writes=True, Identity="!text", Mailbox="text", Force="flag", Confirm="flag")
def enable_rule(call: Call) -> list[Json]:
    """Switch a rule on."""
    return _switch(call, enabled=True)
