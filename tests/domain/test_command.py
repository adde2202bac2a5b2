"""Commands and addresses are filled in without letting a value become anything but a value."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workflow.domain import command
from workflow.errors import InputError

_QUOTES = "'\u2018\u2019\u201a\u201b"
_TYPED = "a typographic quotation mark is not allowed in a command; type ' or \""
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
        ('Get-It "{address}"', "{address} stands inside quotation marks"),
        ("Get-It '{address}'", "{address} stands inside quotation marks"),
        ("Get-It '' ' {address} '", "{address} stands inside quotation marks"),
        ("Get-It ${address}", "{address} is glued to other text; it has to stand alone as an argument"),
        ("Get-It {address}x", "{address} is glued to other text; it has to stand alone as an argument"),
        ("Get-It `{address}", "{address} is glued to other text; it has to stand alone as an argument"),
        ("& {address}", "& is not allowed in a command outside quotation marks"),
        ("if (1) {}& {address}", "& is not allowed in a command outside quotation marks"),
        ("Get-It; . {address}", "{address} would be run as a command"),
        ("if (1) {}.\n{address}", "{address} would be run as a command"),
        ("iex {address}", "a command that runs text is not allowed beside a placeholder"),
        ("{address} | Invoke-Expression", "a command that runs text is not allowed beside a placeholder"),
        ("[ScriptBlock]::Create( {address} )", "a command that runs text is not allowed beside a placeholder"),
        ('Get-It "$(Get-Date)"', "$ and ` are not allowed inside double quotation marks"),
        ('Get-It "a`" {address} "', "$ and ` are not allowed inside double quotation marks"),
        ('Get-It "${x" {address} "}"', "$ and ` are not allowed inside double quotation marks"),
        ("Get-It ${a'}' {address} '${b'}", "${ is not allowed in a command"),
        ("Get-It a$( ')' ) {address} )'", "$( is not allowed in a command"),
        ("Get-It 'open", "a quotation mark is never closed"),
        ('Get-It "open', "a quotation mark is never closed"),
        ("Get-It @'\nx\n'@", "@' is not allowed in a command"),
        ('Get-It @"\nx\n"@', "@' is not allowed in a command"),
        ('Get-It @\u201c\n" {address} "\n\u201d@', _TYPED),
        ("Get-It @\u2018\n' {address} '\n\u2019@", _TYPED),
        ("Get-It \u201c {address} \u201d", _TYPED),
        *((f"Get-It {mark}x{mark}", _TYPED) for mark in "\u2018\u2019\u201a\u201b\u201c\u201d\u201e"),
        ('Foo ` #" \n{address} #"', "` is not allowed in a command outside quotation marks"),
        ("Get-It `\n-For {address}", "` is not allowed in a command outside quotation marks"),
        ("Get-It # {address}", "# is not allowed in a command outside quotation marks"),
        ("Get-It <# x #>", "# is not allowed in a command outside quotation marks"),
        ("Get-It > {address}", "> is not allowed in a command outside quotation marks"),
        ("Get-It \u2013All", "\u2013 is not allowed in a command outside quotation marks"),
        ("Get-It --% {address}", "--% is not allowed in a command"),
        ("Get-It\t{address}", "an invisible character is not allowed in a command"),
        ("Get-It 'a\r' {address}", "an invisible character is not allowed in a command"),
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
        "Get-It -Filter (\"userId eq '{0}'\" -f $person.Id)",
        "Get-It | Where-Object { $_.Name -ne 'x' } | Select-Object 'A#B'",
        "Get-It -In @{ a={address}}",
        "Read-Host -AsSecureString -Prompt 'New password'",
        "Get-It 'Größe: 5 & more: `$(x) # <y> --% @'",
        "Get-It 'it''s' \"it's\" ''",
        "Get-It ([datetime] {restricted_at}).AddDays(-9)",
        "{address}",
    ],
)
def test_ordinary_powershell_is_let_through(template: str) -> None:
    """Script blocks, format strings and hash tables are no placeholders and no danger."""
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


_SINGLE = frozenset(_QUOTES)
_DOUBLE = frozenset('"\u201c\u201d\u201e')
_DASHES = "-\u2013\u2014\u2015"
_BREAKS = frozenset(" \t\n,;|&(){}\u00a0\u0085")
_VALUE = "x'\u2019; \u201d\"$(evil)`#}"


class _Tokens:
    """The literals of a command, as PowerShell's own tokenizer finds them.

    It knows what a template is not allowed to hold: escapes, comments at the start of a token, here-strings, names in
    braces, parentheses counted without minding strings, and arguments that are not parsed.
    """

    def __init__(self, text: str) -> None:
        self.text, self.at, self.literals = text, 0, list[str]()

    def read(self) -> list[str]:
        """Return the value of every single-quoted literal that nothing else encloses."""
        fresh = True
        while self.at < len(self.text):
            fresh = self._step(fresh=fresh)
        return self.literals

    def _step(self, *, fresh: bool) -> bool:
        """Read one thing; return whether a new token begins behind it."""
        text, at = self.text, self.at
        mark, pair = text[at], text[at : at + 2]
        if mark == "`":
            self.at += 2
            return False
        if fresh and mark == "#":
            self._until("\n")
        elif fresh and pair == "<#":
            self._until("#>")
        elif fresh and mark in _DASHES and text[at + 1 : at + 3] == "-%":
            self._until("\n")
        elif fresh and mark == "@" and pair[1:] in _SINGLE | _DOUBLE and self._opens_here_string():
            marks = _SINGLE if pair[1:] in _SINGLE else _DOUBLE
            ends = [text.find(f"\n{end}@", at) for end in marks]
            self.at = min((end + 3 for end in ends if end >= 0), default=len(text))
        elif pair == "${":
            self._until("}")
        elif pair == "$(" and not fresh:
            self._counted()
        elif mark in _SINGLE:
            self._single()
            return False
        elif mark in _DOUBLE:
            self._double()
            return False
        else:
            self.at += 1
            return mark in _BREAKS
        return True

    def _opens_here_string(self) -> bool:
        return self.text[self.at + 2 :].partition("\n")[0].strip() == ""

    def _until(self, end: str) -> None:
        found = self.text.find(end, self.at)
        self.at = len(self.text) if found < 0 else found + len(end)

    def _counted(self) -> None:
        depth, self.at = 1, self.at + 2
        while depth and self.at < len(self.text):
            depth += {"(": 1, ")": -1}.get(self.text[self.at], 0)
            self.at += 1

    def _single(self) -> None:
        value, self.at = "", self.at + 1
        while self.at < len(self.text):
            if self.text[self.at] in _SINGLE:
                self.at += 1
                if self.text[self.at : self.at + 1] not in _SINGLE:
                    self.literals.append(value)
                    return
            value += self.text[self.at]
            self.at += 1

    def _double(self) -> None:
        self.at += 1
        while self.at < len(self.text):
            mark, pair = self.text[self.at], self.text[self.at : self.at + 2]
            if pair == "${":
                self._until("}")
            elif pair == "$(":
                self._counted()
            else:
                self.at += 2 if mark == "`" else 1
                if mark in _DOUBLE:
                    return


_PIECES = st.sampled_from(
    [
        *(" {address} ", "{address}", "'", '"', "\u2018", "\u2019", "\u201c", "\u201d", "\u201e", "`", "#", "<#", "#>"),
        *("--%", "\u2013", "@", "@'\n", '@"\n', "\n'@", '\n"@', "$", "${", "$(", "(", ")", "{", "}", "\n", " ", "a"),
        *("'x'", '"x"', "-For", "=", ",", ";", "|", ".", "&", "%", ":", "[a]"),
    ]
)


@given(st.lists(_PIECES, max_size=14).map("".join) | st.text(st.characters(max_codepoint=0x2FFF), max_size=30))
@example("Get-It ${a'}' {address} '${b'}")
@example('Get-It "${x" {address} "}"')
@example('Foo ` #" \n{address} #"')
@example('Get-It @\u201c\n" {address} "\n\u201d@')
@example("Get-It -In @{ a={address}; b='it''s' } | % { {address} }")
def test_each_value_of_an_accepted_template_is_one_literal(template: str) -> None:
    """Read as PowerShell reads it, each value is the whole of one single-quoted literal, and nothing beside it."""
    if command.problems(template):
        return
    found = _Tokens(command.fill(template, dict.fromkeys(command.PLACEHOLDERS, _VALUE))).read()

    assert template.count("{address}") == found.count(_VALUE)
    assert not any("evil" in literal for literal in found if literal != _VALUE)


@pytest.mark.parametrize(
    ("text", "literals"),
    [
        ("a 'b' \"'c'\" 'it''s'", ["b", "it's"]),
        ("@'\n 'a'\n'@ 'b'", ["b"]),
        ("` #'a'", ["a"]),
        ("a # 'b'\n<# 'c' #>'d'", ["d"]),
        ("a --% 'b'", []),
        ("${a'}'b'", ["b"]),
        ("a$(')' 'b'", [" "]),
        ('"${a"}" \'b\' "a`" \'c\'" "$("\'a\')" \u2018d\u2019', ["b", "d"]),
    ],
)
def test_the_reader_above_knows_what_powershell_does(text: str, literals: list[str]) -> None:
    """Without that the test before this one would prove nothing."""
    assert literals == _Tokens(text).read()
