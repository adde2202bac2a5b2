"""Graph: the inbox rules that Outlook shows, messages sent, and their trace."""

from __future__ import annotations

from workflow.providers.simulated.graph_routes import NO_CONTENT, Asked, route
from workflow.providers.simulated.messages import Json, Reply, as_json
from workflow.providers.simulated.odata import equal_to, filtered, page
from workflow.providers.simulated.refusals import GraphError
from workflow.providers.simulated.stamp import zulu
from workflow.providers.simulated.state import Account, Rule

_RULES = "/users/{user}/mailFolders/{folder}/messageRules"


def _recipients(addresses: tuple[str, ...]) -> list[Json]:
    return [{"emailAddress": {"name": item.partition("@")[0], "address": item}} for item in addresses]


def _rule(item: Rule) -> Json:
    actions: Json = {"stopProcessingRules": True}
    if item.forward_to:
        actions["forwardTo"] = _recipients(item.forward_to)
    if item.redirect_to:
        actions["redirectTo"] = _recipients(item.redirect_to)
    if item.delete:
        actions["delete"] = True
    if item.move_to:
        actions["moveToFolder"] = item.move_to
    return {"id": f"AQAAA{item.number}", "displayName": item.name, "sequence": item.number, "isEnabled": item.enabled,
            "hasError": False, "isReadOnly": False, "actions": actions}  # fmt: skip


def _named_rule(asked: Asked) -> tuple[Account, Rule]:
    account = asked.account()
    for item in account.mailbox.rules:
        if not item.hidden and f"AQAAA{item.number}" == asked.names["rule"]:
            return account, item
    raise GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


@route("GET", _RULES, "MailboxSettings.Read", "MailboxSettings.ReadWrite", family="outlook")
def rules(asked: Asked) -> Reply:
    """Answer the inbox rules; hidden ones are not among them."""
    account = asked.account()
    rows = [_rule(item) for item in account.mailbox.rules if not item.hidden]
    return as_json(200, page(asked.request, rows, f"users('{account.id}')/mailFolders('inbox')/messageRules", 100))


@route("PATCH", _RULES + "/{rule}", "MailboxSettings.ReadWrite", family="outlook")
def change_rule(asked: Asked) -> Reply:
    """Switch an inbox rule."""
    account, item = _named_rule(asked)
    given = asked.body(isEnabled=bool)
    asked.tenant.set_rule(account, item, asked.by, asked.at, enabled=given.get("isEnabled", item.enabled))
    return as_json(200, _rule(item))


@route("DELETE", _RULES + "/{rule}", "MailboxSettings.ReadWrite", family="outlook")
def remove_rule(asked: Asked) -> Reply:
    """Delete an inbox rule."""
    account, item = _named_rule(asked)
    asked.tenant.remove_rule(account, item, asked.by, asked.at)
    return NO_CONTENT


@route("POST", "/users/{user}/sendMail", "Mail.Send", family="outlook")
def send_mail(asked: Asked) -> Reply:
    """Send a message to each recipient; it is accepted even where it then goes nowhere."""
    account = asked.account()
    message = asked.body(message=dict, saveToSentItems=bool).get("message", {})
    for part in ("toRecipients", "ccRecipients", "bccRecipients"):
        recipients = message.get(part)
        for item in recipients if isinstance(recipients, list) else []:
            box = item.get("emailAddress") if isinstance(item, dict) else None
            address = str(box.get("address", "")) if isinstance(box, dict) else ""
            asked.tenant.send(account, address, str(message.get("subject", "")), asked.by, asked.at)
    return Reply(202)


_TRACES = "/admin/exchange/tracing/messageTraces"


@route("GET", _TRACES, "ExchangeMessageTrace.Read.All", family="message-trace")
def traces(asked: Asked) -> Reply:
    """Answer messages, the newest first; in the public cloud alone."""
    if asked.tenant.scenario.cloud != "public":
        raise GraphError(400, "BadRequest", "Resource not found for the segment 'tracing'.")
    told = asked.request.query.get("$filter", "")
    sender = equal_to(told, "senderAddress")
    # Nearly all of a tenant's mail is somebody else's: it is not worth a row that the filter then drops.
    rows = [
        {
            "id": item.trace,
            "messageId": item.message_id,
            "receivedDateTime": zulu(item.at),
            "senderAddress": item.sender,
            "recipientAddress": item.recipient,
            "subject": item.subject,
            "status": item.status,
            "fromIP": item.address,
            "toIP": None,
            "size": item.size,
        }
        for item in sorted(asked.tenant.mail, key=lambda item: item.at, reverse=True)
        if sender is None or item.sender.casefold() == sender
    ]
    fields = ("senderAddress", "recipientAddress", "receivedDateTime", "status", "id")
    found = filtered(rows, told, fields)
    return as_json(200, page(asked.request, found, "admin/exchange/tracing/messageTraces", 1000, 5000))
