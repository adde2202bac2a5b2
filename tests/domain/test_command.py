"""Commands and addresses are filled in without letting a value become anything but a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.domain import command
from workflow.errors import InputError

_QUOTES = "'\u2018\u2019\u201a\u201b"
_VISIBLE = st.characters(exclude_categories=("C", "Zl", "Zp", "Zs"))


def _read_literal(text: str) -> tuple[str, str]:
    """Read one single-quoted literal as PowerShell's tokenizer does; return its value and the rest."""
    assert text[0] == "'"
    value, at = "", 1
    while True:
        if text[at] in _QUOTES:
            if text[at + 1 : at + 2] == "" or text[at + 1] not in _QUOTES:
                return value, text[at + 1 :]
            at += 1
        value += text[at]
        at += 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("anna@contoso.com", "Get-It 'anna@contoso.com' -All"),
        ("o'brien@contoso.com", "Get-It 'o''brien@contoso.com' -All"),
        (
            "x\u2019; Remove-Everything; \u2018",
            "Get-It 'x\u2019\u2019; Remove-Everything; \u2018\u2018' -All",
        ),
        ("x\u201a\u201b", "Get-It 'x\u201a\u201a\u201b\u201b' -All"),
        ("$(whoami)`$x", "Get-It '$(whoami)`$x' -All"),
        ("{user}", "Get-It '{user}' -All"),
        ("-Force", "Get-It '-Force' -All"),
    ],
)
def test_a_value_becomes_one_quoted_literal(value: str, expected: str) -> None:
    """Quotation marks of every kind are doubled, and nothing in the value is expanded or filled in again."""
    assert expected == command.fill("Get-It {address} -All", {"address": value, "user": "other"})


@given(st.text(_VISIBLE | st.sampled_from(_QUOTES + '"`$;| '), min_size=1, max_size=40))
def test_powershell_reads_back_the_very_value(value: str) -> None:
    """Whatever visible text the value is, the literal ends exactly where it should."""
    filled = command.fill("{address} | Out-Null", {"address": value})

    assert (value, " | Out-Null") == _read_literal(filled)


@pytest.mark.parametrize(
    "value",
    [
        "a\nb",
        "a\rb",
        "a\0b",
        "a\x1b[2Jb",
        "a\u202eb",
        "a\u200bb",
        "a\u2028b",
        "\ud800",
        "a\u00a0b",
        "x" * 1025,
        "",
    ],
)
def test_values_that_cannot_be_shown_are_refused(value: str) -> None:
    """Control, direction and other invisible characters would not be what the reader sees."""
    with pytest.raises(InputError):
        command.fill("Get-It {address}", {"address": value})
    with pytest.raises(InputError):
        command.fill_url("https://example.com/{address}", {"address": value})


def test_a_value_that_is_not_known_is_named() -> None:
    """A connector's command cannot be filled in for a mailbox, and the message names the value."""
    with pytest.raises(InputError, match="connector_id"):
        command.fill("Get-BlockedConnector -ConnectorId {connector_id}", {"address": "a@b.c"})


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("Get-It {password}", "{password} is not a known placeholder"),
        ('Get-It "{address}"', "{address} stands inside quotation marks or a comment"),
        ("Get-It \u201c {address} \u201d", "{address} stands inside quotation marks or a comment"),
        ("Get-It '{address}'", "{address} stands inside quotation marks or a comment"),
        ("Get-It '' ' {address} '", "{address} stands inside quotation marks or a comment"),
        ('Get-It "a`" {address} "', "{address} stands inside quotation marks or a comment"),
        ("Get-It # {address}", "{address} stands inside quotation marks or a comment"),
        (
            "Get-It # it's\n-For ${address}",
            "{address} is glued to other text; it has to stand alone as an argument",
        ),
        ("Get-It {address}x", "{address} is glued to other text; it has to stand alone as an argument"),
        ("Get-It `{address}", "{address} is glued to other text; it has to stand alone as an argument"),
        ("& {address}", "{address} would be run as a command"),
        ("Get-It; . {address}", "{address} would be run as a command"),
        ("iex {address}", "{address} would be run as a command"),
        ("Invoke-Expression {address}", "{address} would be run as a command"),
        ('Get-It "$(Get-Date)"', "$( is not allowed inside a quoted string"),
        ("Get-It 'open", "a quotation mark is never closed"),
        ('Get-It "open`"', "a quotation mark is never closed"),
        ("Get-It @'\nx\n'@", "@' is not allowed in a command"),
        ("Get-It <# x #>", "<# is not allowed in a command"),
        ("Get-It --% {address}", "--% is not allowed in a command"),
        ("ConvertTo-SecureString x -AsPlainText", "a secret is written in the command"),
        ("Set-It -NewPassword 'Summer2026'", "a secret is written in the command"),
        ("@{ Password = 'Summer2026' }", "a secret is written in the command"),
    ],
)
def test_an_unsafe_template_is_refused_with_its_reason(template: str, problem: str) -> None:
    """Each way in which a value could be expanded, or end the string around it, is told apart."""
    assert problem in command.problems(template)
    with pytest.raises(InputError):
        command.fill(template, {"address": "a@b.c"})


@pytest.mark.parametrize(
    "template",
    [
        "",
        "Get-It # a comment at the end",
        "Get-It # don't\nGet-It {address}",
        "Get-It -Filter (\"userId eq '{0}'\" -f $person.Id)",
        "Get-It | Where-Object { $_.Name -ne 'x' } | Select-Object A#B",
        "Get-It -In @{ a={address}}",
        "Read-Host -AsSecureString -Prompt 'New password'",
        'Get-It "a`"b" ""',
        "Get-It ([datetime] {restricted_at}).AddDays(-9)",
        "{address}",
    ],
)
def test_ordinary_powershell_is_let_through(template: str) -> None:
    """Script blocks, format strings, comments and hash tables are no placeholders and no danger."""
    assert () == command.problems(template)


def test_a_portal_address_is_percent_encoded() -> None:
    """A value cannot add a path, a query or a fragment to the address."""
    filled = command.fill_url("https://example.com/u/{user}?x={case}", {"user": "a#b/../c?d@e", "case": "ä 1"})

    assert "https://example.com/u/a%23b%2F..%2Fc%3Fd%40e?x=%C3%A4%201" == filled


@pytest.mark.parametrize("value", [".", ".."])
def test_a_portal_address_cannot_be_climbed(value: str) -> None:
    """Dots alone survive percent-encoding and would change the path."""
    with pytest.raises(InputError, match="change the path"):
        command.fill_url("https://example.com/{user}/x", {"user": value})


@pytest.mark.parametrize(
    "template",
    [
        "http://example.com/",
        "https://{address}/",
        "https://example.com{address}",
        "https://example.com/ x",
        "https://example.com/\u202e",
        "https://example.com/{secret}",
        "javascript:alert(1)",
    ],
)
def test_an_unsafe_portal_address_is_refused(template: str) -> None:
    """Only https, a fixed host, visible characters and known placeholders."""
    assert command.url_problems(template)
    with pytest.raises(InputError):
        command.fill_url(template, {"address": "a"})


@given(st.text(st.sampled_from("{}address'\"`#@$(\n \u2019\u201d&.;") | st.characters(), max_size=60))
def test_any_template_is_judged_without_a_crash(template: str) -> None:
    """Whatever stands in a playbook, it is filled in or refused, never anything else."""
    try:
        filled = command.fill(template, {"address": "v"})
    except InputError:
        return

    assert "{address}" not in filled
