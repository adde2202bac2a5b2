"""Who may not be told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.domain.addressee import ALIAS, delivered_to, reaches, same_mailbox

ADA = "ada@contoso.example"


@pytest.mark.parametrize(
    "written",
    [
        *(
            ADA,
            "ADA@Contoso.EXAMPLE",
            "ada+alerts@contoso.example",
            "smtp:ada@contoso.example",
            "<ada@contoso.example>",
        ),
        *(
            ' "ada"@contoso.example',
            "ada@contoso.example.",
            "a\u200bda@contoso.example",
            "\uff41\uff44\uff41@contoso.example",
        ),
        *("ada@contoso.onmicrosoft.com", "ADA+x@Contoso.OnMicrosoft.com", "ada @ contoso.example"),
        *("ada@contoso.onmicrosoft.us", "ada@contoso.partner.onmschina.cn"),
    ],
)
def test_ways_to_write_one_mailbox(written: str) -> None:
    """Case, plus-tags, quotes, look-alikes, the tenant's first domain: all of them reach Ada."""
    assert same_mailbox(written, ADA)
    assert same_mailbox(ADA, written)


@pytest.mark.parametrize(
    "other",
    ["bob@contoso.example", "ada@fabrikam.example", "ada", "", "@contoso.example", "bob@contoso.onmicrosoft.com"],
)
def test_other_mailboxes(other: str) -> None:
    """Somebody else's mailbox, and what is none, is not Ada's."""
    assert not same_mailbox(other, ADA)


def test_domains_are_read_as_letters() -> None:
    """An encoded label is the letters that it stands for; one that cannot be decoded stays."""
    assert same_mailbox("a@xn--bcher-kva.example", "a@bücher.example")
    assert ("a", "xn--\x80.example".replace("\x80", "")) == delivered_to("a@xn--.example")
    assert ("+tag", "x.example") == delivered_to("+tag@x.example")


def test_reaches() -> None:
    """One address of many is enough."""
    assert reaches(["soc@x.example", "Ada+1@contoso.example"], ["eve@x.example", ADA])
    assert not reaches(["soc@x.example"], [ADA])
    assert not reaches([], [ADA])


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_can_be_compared(one: str, other: str) -> None:
    """Whatever somebody writes, comparing never fails and has no direction."""
    assert same_mailbox(one, other) == same_mailbox(other, one)


def test_names_of_recipients() -> None:
    """A name is no address."""
    assert [True, True, False, False, False] == [
        bool(ALIAS(name)) for name in ("soc", "on-call.2", "", "soc@contoso.example", "a" * 41)
    ]
