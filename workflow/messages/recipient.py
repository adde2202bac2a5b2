"""A recipient: one address of the settings, understood and held to what is let in.

An address carries passwords and tokens. It is never printed whole, and never leaves the settings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from workflow.domain.addressee import addresses_in
from workflow.errors import SettingsError
from workflow.messages import guard, library, webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from workflow.messages.message import Message


class Channel(StrEnum):
    """How a recipient is reached."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    TEAMS = "teams"
    SLACK = "slack"
    SERVICE = "service"


WEBHOOKS: Final[Mapping[str, tuple[Channel, Callable[[Message], dict[str, Any]]]]] = {
    "": (Channel.WEBHOOK, lambda message: message.data()),
    "teams": (Channel.TEAMS, lambda message: message.card()),
    "slack": (Channel.SLACK, lambda message: message.slack()),
}
"""What may stand before ``https://`` with a plus, and how the message is written then."""
_SCHEMES: Final = "https, teams+https, slack+https, mailtos, mailto, opsgenie, pagerduty"
_LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient of the settings.

    Args:
        name: what policies call it.
        channel: how it is reached.
        url: the address, secret.
        mailboxes: whose mail it is, where it is mail.
        loopback: whether it may be on this very machine.
    """

    name: str
    channel: Channel
    url: str = field(repr=False)
    mailboxes: tuple[str, ...] = ()
    loopback: bool = False
    form: str = ""

    @property
    def shown(self) -> str:
        """What may be said of the address: for mail the domains, for a webhook the host."""
        if self.channel is Channel.MAIL:
            domains = dict.fromkeys(address.rpartition("@")[2] for address in self.mailboxes)
            return f"{len(self.mailboxes)} at {', '.join(domains)}"
        if self.channel is Channel.SERVICE:
            return urlsplit(self.url).scheme
        return urlsplit(self.url).hostname or ""

    @property
    def mentions(self) -> tuple[str, ...]:
        """Every mailbox that the address names in any way: who gets mail, who sends it, who is paged."""
        return (*self.mailboxes, *addresses_in(unquote(unquote(self.url))))

    def send(self, message: Message) -> None:
        """Send a message, once.

        Raises:
            DeliveryError: it was not accepted, or must not be sent there.
        """
        if self.channel in {Channel.MAIL, Channel.SERVICE}:
            library.send(self.url, message)
        else:
            webhook.post(self.url, WEBHOOKS[self.form][1](message), message=message.id, loopback=self.loopback)


def read(name: str, url: str, *, loopback: bool = False) -> Recipient:
    """Understand an address of the settings.

    Raises:
        SettingsError: it is of no kind that is let in; the message does not repeat it.
    """

    def wrong(why: str) -> SettingsError:
        return SettingsError(f"The recipient {name!r} of alert_recipients {why}.")

    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise wrong(f"is no address: at most {_LONGEST} printable ASCII characters without blanks, others encoded")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong("is no address") from None
    scheme, form = parts.scheme.rpartition("+")[2], parts.scheme.rpartition("+")[0]
    relay = loopback and guard.own(parts.hostname or "")
    if form in WEBHOOKS and (scheme == "https" or (scheme == "http" and relay)):
        if not parts.hostname or parts.username is not None or parts.fragment or port == 0:
            raise wrong("needs a host, and neither a user nor a fragment")
        bare = url[len(form) + 1 :] if form else url
        return Recipient(name, WEBHOOKS[form][0], bare, loopback=loopback, form=form)
    if parts.scheme not in library.OPTIONS:
        raise wrong(f"has a kind that is not let in; let in are {_SCHEMES}")
    options = {key.casefold(): value.casefold() for key, value in parse_qsl(parts.query, keep_blank_values=True)}
    if options.keys() - library.OPTIONS[parts.scheme]:
        raise wrong(f"has options that are not let in; let in are {', '.join(sorted(library.OPTIONS[parts.scheme]))}")
    if options.get("mode", "ssl") not in library.SECURE or ";" in parts.query:
        raise wrong(f"may say of its mode only {' or '.join(library.SECURE)}")
    return _by_library(name, url, parts.scheme, wrong, password=parts.password is not None or "pass" in options)


def _by_library(
    name: str, url: str, scheme: str, wrong: Callable[[str], SettingsError], *, password: bool
) -> Recipient:
    if scheme == "mailto" and password:
        raise wrong("would send its password in the clear: use mailtos")
    if scheme in library.SERVICES:
        if library.plugin(url) is None:
            raise wrong("lacks something that this service needs")
        return Recipient(name, Channel.SERVICE, url)
    mailboxes = library.mailboxes(url)
    if not mailboxes:
        raise wrong("names no mailbox that mail could go to")
    return Recipient(name, Channel.MAIL, url, mailboxes)
