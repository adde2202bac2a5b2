"""Mail and paging services, through the library: apprise, and apprise only here.

The library can do far more than tell somebody something: attach files, read configuration from elsewhere, run commands.
Only a few of its services are let in, with a few of their options each.
"""

from __future__ import annotations

import logging
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from workflow.errors import DeliveryError

if TYPE_CHECKING:
    from workflow.messages.message import Message

MAIL: Final = ("mailto", "mailtos")
SERVICES: Final = ("opsgenie", "pagerduty")
"""Services whose host the library itself knows, so that no address can be slipped in."""
OPTIONS: Final = {
    **dict.fromkeys(MAIL, frozenset({"to", "cc", "bcc", "from", "name", "smtp", "mode", "reply", "user", "pass"})),
    **dict.fromkeys(SERVICES, frozenset({"region"})),
}
"""The options of each that are let in; the others switch off certificates, read files or name hosts."""
SECURE: Final = ("ssl", "starttls")
"""The modes of mail that an address may ask for."""


@cache
def _library() -> Any:
    """Load the library, once; it is half a second and hundreds of modules, which only whoever sends has to wait for."""
    with warnings.catch_warnings():
        # One of its modules looks for something that Python is about to drop.
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise  # noqa: PLC0415

        apprise.Apprise.instantiate("mailto://nobody")
    # It writes addresses into its log; ours says what happened without them.
    log = logging.getLogger("apprise")
    log.propagate = False
    log.handlers = [logging.NullHandler()]
    return apprise


def plugin(url: str) -> Any | None:
    """Return the library's sender for an address, None where it makes nothing of it."""
    apprise = _library()
    asset = apprise.AppriseAsset(
        app_id="Holdfast", app_desc="Holdfast", app_url="", allow_templates=False, storage_mode="memory"
    )
    found = apprise.Apprise.instantiate(url, asset=asset)
    if found is not None:
        found.notify_format = apprise.NotifyFormat.TEXT
        found.redirects = False
    return found


def mailboxes(url: str) -> tuple[str, ...]:
    """Return every address that mail goes to by an address of the settings: to, copies and blind copies."""
    found = plugin(url)
    if found is None:
        return ()
    return tuple(dict.fromkeys([*(address for _, address in found.targets), *sorted(found.cc), *sorted(found.bcc)]))


def send(url: str, message: Message) -> None:
    """Send a message.

    Raises:
        DeliveryError: it was not accepted.
    """
    sender = plugin(url)
    if sender is None:
        raise DeliveryError("The library makes nothing of this recipient's address.")
    headers = getattr(sender, "headers", None)
    if isinstance(headers, dict):
        headers["X-Holdfast-Alert"] = message.id
    try:
        accepted = sender.notify(title=f"[Holdfast] {message.title}", body=message.text)
    except Exception as error:  # noqa: BLE001 - what a library of a hundred services raises nobody can list.
        raise DeliveryError(f"The message could not be sent ({type(error).__name__}).") from None
    if not accepted:
        raise DeliveryError("The mail server or service could not be reached, or did not accept the message.")
