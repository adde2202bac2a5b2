"""A PowerShell script that unblocks many entities and writes down what became of each.

It is plain on purpose: whoever runs it in a privileged shell reads it first. Values stand in it only as single-quoted
literals (:mod:`workflow.domain.command`); nothing untrusted stands in a comment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow.domain.command import literal

if TYPE_CHECKING:
    from collections.abc import Iterable

MARK = "\ufeff"
"""Without a byte order mark Windows PowerShell 5.1 reads UTF-8 as another code page, in which bytes of an address can
become quotation marks."""
ATTEMPT_DIGITS = 16
"""Hexadecimal digits by which a result names the attempt it belongs to."""

_HEAD = """\
# Unblocks {count} in Microsoft 365, as approved in Holdfast.
#
# 1. Connect:  Connect-ExchangeOnline
# 2. Run this script. What became of each case is written into the file named below.
# 3. Give it back once you are through, for what failed ends its attempt:  holdfast case unblock --outcomes FILE
#
# Until then it can be run again: what is done is left alone, what failed is tried anew, each entity is looked up first.

param([string]$Results = (Join-Path $PSScriptRoot {results}))

function Add-Result($Case, $Attempt, $Outcome, $Message) {{
    [pscustomobject]@{{
        case      = $Case
        attempt   = $Attempt
        outcome   = $Outcome
        reference = ("$Message" -replace '\\s+', ' ').Trim()
        time      = [DateTime]::UtcNow.ToString('s') + 'Z'
    }} | Export-Csv -LiteralPath $Results -Append -NoTypeInformation -Encoding utf8
    Write-Host "Case ${{Case}}: $Outcome"
}}

function Add-Failure($Case, $Attempt, $Message) {{
    # Microsoft limits how often an entity can be unblocked; beyond that only its support can.
    $outcome = if ("$Message" -match 'Microsoft Support') {{ 'support' }} else {{ 'failed' }}
    Add-Result $Case $Attempt $outcome $Message
}}

$Done = @()
if (Test-Path -LiteralPath $Results) {{
    # Of a case that is tried anew only the new result is to be given back.
    $Kept = @(Import-Csv -LiteralPath $Results | Where-Object outcome -eq 'done')
    $Done = @($Kept | ForEach-Object attempt)
    if ($Kept) {{ $Kept | Export-Csv -LiteralPath $Results -NoTypeInformation -Encoding utf8 }}
    else {{ Remove-Item -LiteralPath $Results }}
}}

# The cmdlets live in a module, which sees only the global preference: errors have to end a case, not pass by.
$Before = $global:ErrorActionPreference
$global:ErrorActionPreference = 'Stop'
try {{
"""
_CASE = """\

# Case {number}
if ($Done -notcontains {attempt}) {{
    try {{
{read}        if ($Listed) {{
{command}
        }}
        Add-Result {case} {attempt} 'done' $(if ($Listed) {{ 'unblocked' }} else {{ 'not listed any more' }})
    }}
    catch [System.Management.Automation.CommandNotFoundException] {{
        throw 'Not connected: run Connect-ExchangeOnline, then this script again.'
    }}
    catch {{
        Add-Failure {case} {attempt} $_.Exception.Message
    }}
}}
"""
_READ = """\
        $Listed = $true
        try {{
            $Listed = @(
{read}
            ).Count -gt 0
        }}
        catch {{
            Write-Verbose 'It could not be looked up; the unblock itself will tell.'
        }}
"""
_FOOT = """\

}
finally {
    $global:ErrorActionPreference = $Before
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unblock:
    """One case of the script: its number, its attempt's leaf, and the filled-in commands to read and to unblock.

    ``read`` may be "".
    """

    number: int
    attempt: str
    read: str
    command: str


def script(unblocks: Iterable[Unblock], results: str) -> str:
    """Return the script.

    Args:
        unblocks: what it does, in this order.
        results: the name of the file beside it into which it writes what became of each.

    Raises:
        InputError: the name holds characters that cannot stand in a script.
    """
    parts = [_case(item) for item in unblocks]
    count = "1 entity" if len(parts) == 1 else f"{len(parts)} entities"
    return MARK + _HEAD.format(count=count, results=literal(results)) + "".join(parts) + _FOOT


def _case(item: Unblock) -> str:
    read = _READ.format(read=_indented(item.read, 16)) if item.read else "        $Listed = $true\n"
    return _CASE.format(
        number=int(item.number),
        case=literal(str(item.number)),
        attempt=literal(item.attempt[:ATTEMPT_DIGITS]),
        read=read,
        command=_indented(item.command, 12),
    )


def _indented(command: str, columns: int) -> str:
    return "\n".join(f"{' ' * columns}{line}" for line in command.strip().split("\n"))
