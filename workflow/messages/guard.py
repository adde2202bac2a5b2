"""Where a webhook may not lead: to this machine, its network, or what a cloud tells its own machines.

A name is looked up once, every address it has is judged, and the connection goes to an address that was judged: what
the name says a moment later changes nothing.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final

from workflow.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable

    Resolver = Callable[[str, int], list[str]]

EMBEDDING: Final = (
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2002::/16"),
    IPv6Network("2001::/32"),
    IPv6Network("::/96"),
)
"""Networks whose addresses stand for an IPv4 address somewhere else (RFC 6052, 8215, 3056, 4380, 4291)."""
PLATFORM: Final = (IPv4Network("168.63.129.16/32"), IPv4Network("192.0.0.0/24"))
"""Answered by a cloud's own host, though not every Python calls them private: Azure's wire server, RFC 6890."""


def public(address: str) -> bool:
    """Say whether an address is one of the public Internet's, and no other network's in disguise."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None or any(found in network for network in EMBEDDING) or found.is_site_local:
            return False
    elif any(found in network for network in PLATFORM):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def look_up(host: str, port: int) -> list[str]:
    """Return every address a name has, in the system's order.

    Raises:
        DeliveryError: it has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise DeliveryError("The receiver's name has no address.") from None
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def addresses(host: str, port: int, *, loopback: bool = False, resolver: Resolver = look_up) -> list[str]:
    """Return the addresses of a receiver, each of which may be connected to.

    Args:
        host: its name or address.
        port: its port.
        loopback: whether a receiver on this very machine is allowed, called ``localhost`` or by its number.
        resolver: looks names up.

    Raises:
        DeliveryError: the name leads anywhere but to the public Internet, if only in part.
    """
    found = resolver(host, port)
    judged = own if loopback and own(host) else public
    if not found or not all(judged(item) for item in found):
        raise DeliveryError("The receiver's address is not one of the public Internet's: nothing is sent there.")
    return found


def own(host: str) -> bool:
    """Say whether this is this very machine, by the name or a number that nobody else can give to another."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
