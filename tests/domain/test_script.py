"""The script that unblocks many: plain to read, safe to run twice, and no value in it that could be run."""

from __future__ import annotations

import re

import pytest

from workflow.domain.command import fill
from workflow.domain.script import MARK, Unblock, script
from workflow.errors import InputError

LEAF = "0123456789abcdef" * 4
READ = "Get-BlockedSenderAddress -SenderAddress {address}"
COMMAND = "Remove-BlockedSenderAddress -SenderAddress {address} -Reason ('Holdfast case ' + {case})"
HOSTILE = [
    "a'; Remove-Mailbox x; '@contoso.com",
    "a\u2019; Remove-Mailbox x; \u2018@contoso.com",
    "a\u201b;$(Remove-Mailbox x)@contoso.com",
    '"$(Remove-Mailbox x)"@contoso.com',
    "`nRemove-Mailbox x@contoso.com",
    "{case}{read}@contoso.com",
    "#> Remove-Mailbox x <#@contoso.com",
]


def unblock(number: int, address: str = "ada@contoso.com", read: str = READ) -> Unblock:
    """Return one case of a script."""
    values = {"address": address, "case": str(number)}
    return Unblock(number=number, attempt=LEAF, read=fill(read, values) if read else "", command=fill(COMMAND, values))


def outside_literals(text: str) -> str:
    """Return a script without its single-quoted literals, read as PowerShell reads them: any such mark, doubled."""
    marks = "'\u2018\u2019\u201a\u201b"
    return re.sub(f"[{marks}](?:[^{marks}]|[{marks}]{{2}})*[{marks}]", "''", text)


def test_each_case_has_its_own_try() -> None:
    """A case that fails is written down and does not end the script; what is done already is not done again."""
    text = script([unblock(1), unblock(12)], "out.results.csv")

    assert text.startswith(f"{MARK}# Unblocks 2 entities")
    assert 2 == text.count("if ($Done -notcontains '0123456789abcdef') {")
    assert 2 == text.count("    catch {\n        Add-Failure '")
    assert text.count("{") == text.count("}")
    assert (
        "            Remove-BlockedSenderAddress -SenderAddress 'ada@contoso.com' -Reason ('Holdfast case ' + '12')"
        in text
    )
    assert "Add-Result '12' '0123456789abcdef' 'done'" in text
    assert "(Join-Path $PSScriptRoot 'out.results.csv')" in text
    assert "throw 'Not connected" in text


def test_it_looks_before_it_unblocks() -> None:
    """The playbook's own reading stands before the unblock; without one nothing is looked up."""
    assert "                Get-BlockedSenderAddress -SenderAddress 'ada@contoso.com'\n" in script([unblock(1)], "x")
    assert "Get-BlockedSenderAddress" not in script([unblock(1, read="")], "x")
    assert "# Unblocks 1 entity" in script([unblock(1, read="")], "x")


@pytest.mark.parametrize("address", HOSTILE)
def test_no_address_is_run(address: str) -> None:
    """Outside its literals the script of a hostile address is that of a harmless one, byte for byte."""
    assert outside_literals(script([unblock(1)], "x")) == outside_literals(script([unblock(1, address)], "x"))


def test_a_name_that_cannot_stand_in_a_script() -> None:
    """The results file's name is a literal too."""
    assert "'it''s.csv'" in script([unblock(1)], "it's.csv")
    with pytest.raises(InputError):
        script([unblock(1)], "x\n.csv")
