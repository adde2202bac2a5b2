"""Where a webhook may lead."""

from __future__ import annotations

import pytest

from workflow.errors import DeliveryError
from workflow.messages import guard


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "224.0.0.1"),
        *("240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254"),
        *("ff02::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::7f00:1"),
        *("64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:4136:e378::1", "2001:db8::1"),
    ],
)
def test_not_public(address: str) -> None:
    """Loopback, private, link-local, shared, metadata, reserved and every disguise of them are no receivers."""
    assert not guard.public(address)
    with pytest.raises(DeliveryError, match="public Internet"):
        guard.addresses("hook.example", 443, resolver=lambda _host, _port: ["9.9.9.9", address])


@pytest.mark.parametrize("address", ["9.9.9.9", "52.96.0.1", "2620:fe::fe", "2603:1026::1"])
def test_public(address: str) -> None:
    """An address of the public Internet is a receiver's."""
    assert guard.public(address)
    assert [address] == guard.addresses("hook.example", 443, resolver=lambda _host, _port: [address])


def test_this_machine_where_the_settings_let_it() -> None:
    """Loopback alone is let in by the setting, under its own names, and nothing else beside it."""
    here = ["127.0.0.1"]
    assert here == guard.addresses("localhost", 80, loopback=True, resolver=lambda _host, _port: here)
    for host, found in (("relay.example", here), ("localhost", [*here, "10.0.0.1"]), ("10.0.0.1", ["10.0.0.1"])):
        with pytest.raises(DeliveryError):
            guard.addresses(host, 80, loopback=True, resolver=lambda _host, _port, found=found: found)  # type: ignore[misc]


@pytest.mark.parametrize("written", ["127.0.0.1", "localhost", "::1"])
def test_names_are_looked_up(written: str) -> None:
    """However an address is written, what the system makes of it is judged."""
    with pytest.raises(DeliveryError, match="public Internet"):
        guard.addresses(written, 443)


def test_names_without_address() -> None:
    """A name that leads nowhere says so; so does one that leads to nothing."""
    with pytest.raises(DeliveryError, match="no address"):
        guard.look_up("127.0.0.1", "no such service")  # type: ignore[arg-type]
    with pytest.raises(DeliveryError, match="public Internet"):
        guard.addresses("hook.example", 443, resolver=lambda _host, _port: [])
