"""Who is told, by name, and who may not be told about a case: whoever reads the mail of an account it is about.

An attacker who holds the mailbox would read along, and change what is said. Addresses are therefore compared by what a
mail server makes of them, not by how they are written, and in doubt somebody is not told.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ALIAS = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?").fullmatch
"""How a recipient is called: the settings say what stands behind the name, the ledger never does."""
_ADDRESSES = re.compile(r"[^\s@/,;:?&=<>\"']+@[^\s@/,;:?&=<>\"']+").findall
FIRST_DOMAINS = (".onmicrosoft.com", ".onmicrosoft.us", ".onmicrosoft.de", ".onmschina.cn")
"""Every mailbox of a tenant has an address under the tenant's first domain as well, in national clouds too."""


def delivered_to(address: str) -> tuple[str, str]:
    """Return local part and domain under which a server delivers: no case, plus-tag, quotes or look-alike letters.

    Text without an at sign is all local part.
    """
    text = unicodedata.normalize("NFKC", address)
    text = "".join(mark for mark in text if unicodedata.category(mark)[0] not in "CZ").casefold()
    text = text.removeprefix("smtp:").strip("<>")
    local, _, domain = text.rpartition("@") if "@" in text else (text, "", "")
    local = local.strip('"')
    return local.partition("+")[0] or local, _readable(domain.rstrip("."))


def _readable(domain: str) -> str:
    """Return a domain with its encoded labels (RFC 3492) as letters."""
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


def same_mailbox(one: str, other: str) -> bool:
    """Say whether two addresses may well be one mailbox's."""
    return reaches([one], [other])


def reaches(addresses: Iterable[str], about: Iterable[str]) -> bool:
    """Say whether a message to these addresses may reach an account that it is about."""
    domains: dict[str, set[str]] = {}
    for local, domain in map(delivered_to, addresses):
        domains.setdefault(local, set()).add(domain)
    for local, domain in map(delivered_to, about):
        theirs = domains.get(local, set()) - {""}
        if domain and (domain in theirs or (theirs and domain.endswith(FIRST_DOMAINS))):
            return True
        if domain and any(item.endswith(FIRST_DOMAINS) for item in theirs):
            return True
    return False


def addresses_in(text: str) -> tuple[str, ...]:
    """Return whatever in a text may be an address."""
    return tuple(_ADDRESSES(text))
