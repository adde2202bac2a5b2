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
FIRST_DOMAIN = ".onmicrosoft.com"
"""Every mailbox of a tenant has an address under the tenant's first domain as well."""


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
    (local, domain), (their_local, their_domain) = delivered_to(one), delivered_to(other)
    if not domain or not their_domain or local != their_local:
        return False
    return domain == their_domain or FIRST_DOMAIN in {domain[-len(FIRST_DOMAIN) :], their_domain[-len(FIRST_DOMAIN) :]}


def reaches(addresses: Iterable[str], about: Iterable[str]) -> bool:
    """Say whether a message to these addresses may reach an account that it is about."""
    accounts = list(about)
    return any(same_mailbox(address, account) for address in addresses for account in accounts)
