"""The picture of an account before anything is changed: every reading in one file, kept by its hash and erasable."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from workflow.domain.record import time_to_text
from workflow.domain.vocabulary import Kind
from workflow.errors import NotReachedError, ProviderError
from workflow.services.predicates import LOOK_BACK, held_roles, required_factors
from workflow.storage import attachments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from workflow.providers.shapes import Answer
    from workflow.services.predicates import Ground, Look

TRACED = timedelta(days=10)
"""How long before the restriction the trace of what was sent begins: what the tenant answers in one call."""
OPTIONAL = frozenset({"sign_ins", "directory_audit", "mfa_requirement"})
"""Readings that a tenant may not have a licence for: the file names what is not there, and stands without them."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The file's bytes, and the names of what could not be read and of what was too long to be kept whole."""

    content: bytes
    unread: tuple[str, ...]
    shortened: tuple[str, ...]


def take(
    look: Look, kind: Kind, entity: str, users: Iterable[str], ground: Ground, most: int = attachments.MAX_BYTES
) -> Snapshot:
    """Read everything about a mailbox and its users, in a file of at most so many bytes.

    Nothing secret is among it, for the port answers nothing secret. A mailbox is restricted because it sent a lot: of
    lists that are too long the newest is kept, which comes first, and how much was left out.

    Raises:
        NotReachedError: no reading at all got an answer.
    """
    unread: dict[str, None] = {}
    lost: list[NotReachedError] = []
    pictures: list[dict[str, Any]] = []
    for name, of, read in _readings(look, kind, entity, tuple(users), ground):
        picture: dict[str, Any] = {"reading": name, "of": of}
        try:
            picture["value"] = plain(read())
        except ProviderError as error:
            picture["unread"] = str(error)
            unread[name] = None
            if isinstance(error, NotReachedError):
                lost.append(error)
        else:
            source = look.reads[-1]
            picture |= {"call": source.call, "request": source.request, "read_at": time_to_text(source.at)}
        pictures.append(picture)
    if lost and len(lost) == len(pictures):
        raise lost[0]
    content = _file(pictures)
    longest = max((len(item["value"]) for item in pictures if isinstance(item.get("value"), list)), default=0)
    while len(content) > most and longest:
        longest //= 2
        for item in pictures:
            _shorten(item, longest)
        content = _file(pictures)
    shortened = dict.fromkeys(item["reading"] for item in pictures if "left_out" in item)
    return Snapshot(content, tuple(unread), tuple(shortened))


def _file(pictures: list[dict[str, Any]]) -> bytes:
    text = json.dumps({"format": 1, "readings": pictures}, indent=1, sort_keys=True, ensure_ascii=False)
    return text.encode(errors="backslashreplace")


def _shorten(picture: dict[str, Any], most: int) -> None:
    value = picture.get("value")
    if isinstance(value, list) and len(value) > most:
        picture |= {"value": value[:most], "left_out": picture.get("left_out", 0) + len(value) - most}


def _readings(
    look: Look, kind: Kind, entity: str, users: tuple[str, ...], ground: Ground
) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Yield what is read: its name, of whom, and how."""
    tenant, since = look.provider, ground.since - LOOK_BACK

    def logged(operation: Callable[[str, datetime], Answer[Any]], user: str) -> object:
        return look(operation, look(tenant.user, user).id, since)

    yield "restriction", entity, partial(look, tenant.restriction, kind, entity)
    # Accounts first: what the other readings show counts from when sessions were revoked.
    yield from (("user", user, partial(look, tenant.user, user)) for user in users)
    # Most often the restricted mailbox is the user's own, which is read once.
    for mailbox in dict.fromkeys((*users, *(() if kind is Kind.CONNECTOR else (entity,)))):
        yield "forwarding", mailbox, partial(look, tenant.forwarding, mailbox)
        yield "inbox_rules", mailbox, partial(look, tenant.inbox_rules, mailbox)
        yield "delegates", mailbox, partial(look, tenant.delegates, mailbox)
        yield "message_trace", mailbox, partial(look, tenant.message_trace, mailbox, ground.since - TRACED)
    for user in users:
        yield "sign_in_methods", user, partial(look, tenant.sign_in_methods, user)
        yield "mfa_requirement", user, partial(required_factors, look, user)
        yield "consents", user, partial(look, tenant.consents, user)
        yield "roles", user, partial(held_roles, look, user)
        yield "sign_ins", user, partial(logged, tenant.sign_ins, user)
        yield "directory_audit", user, partial(logged, tenant.directory_audit, user)


def plain(value: object) -> Any:
    """Return an answer as plain JSON values, times in UTC."""
    if isinstance(value, datetime):
        return time_to_text(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(item) for name, item in asdict(value).items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value
