"""``holdfast tenant``: recorded once, listed, shown and taken back."""

from __future__ import annotations

import csv
import io

import pytest

from tests.cli.shell import Shell


def test_record_list_view_retract(case: Shell) -> None:
    """One command answers the step in every case, and every view says by whom and until when."""
    assert "Record one with: holdfast tenant record" in case.ok("tenant list").err
    recorded = case.ok("tenant record audit-logging --ref T-9 --value True --note x --at 2025-06-11T14:00 --as ben")
    assert recorded.out.startswith("audit-logging: held, counts until 2025-07-11 14:00 CEST")
    assert "answered in 1 open case," in recorded.out
    assert "audit-logging-on" not in case.view()["missing"]
    listed = case.ok("tenant list")
    assert "audit-logging      held        2025-07-11 14:00 CEST  ben (claimed)  T-9" in listed.out
    assert "" == listed.err
    shown = case.ok("tenant view audit-logging").out
    assert "seen          2025-06-11 14:00 CEST" in shown
    assert "value         True" in shown
    taken_back = case.ok("tenant retract audit-logging --reason wrong --as ana").out
    assert "taken back in 1 open case" in taken_back
    assert "alert-policy: unrecorded" in case.ok("tenant view alert-policy").out
    case.ok("ledger verify")


def test_as_data(case: Shell) -> None:
    """Programs get the same as plain data, with times in UTC."""
    data = case.ok("tenant record alert-policy --ref T-1 --valid 2d --json").data
    assert (1, "held", "alert-policy") == (data["cases_answered"], data["fact"]["standing"], data["fact"]["fact"])
    listed = case.ok("tenant list --json").data["facts"]
    rows = list(csv.DictReader(io.StringIO(case.ok("tenant list --csv").out)))
    assert list(listed[0]) == list(rows[0])
    assert [item["standing"] for item in listed] == [row["standing"] for row in rows]
    assert 2 == case("tenant list --csv --json").code
    assert ["unrecorded", "held", "unrecorded", "unrecorded", "unrecorded"] == [item["standing"] for item in listed]
    assert data["fact"] == case.ok("tenant view alert-policy --json").data
    assert {"fact": "alert-policy", "cases_retracted": 1} == case.ok(
        "tenant retract alert-policy --reason x --json"
    ).data


def test_where_it_can_be_checked(case: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note says how it is known as well; where neither is given a terminal asks, and a script is refused."""
    case.ok("tenant record audit-logging --valid 30d --note 'read in the portal'")
    assert 2 == case("tenant record alert-policy --valid 30d").code
    monkeypatch.setattr("workflow.cli.tenant.interactive", lambda: True)
    asked = case.ok("tenant record alert-policy --valid 30d", typed=b"INC-7\n").out
    assert "Where can it be checked?" in asked
    assert "INC-7" in case.ok("tenant view alert-policy").out
    case.ok("tenant record alert-opt-in --result not-met")
    case.ok("ledger verify")


@pytest.mark.parametrize(
    "line", ["tenant list --tenant", "case list --tenant", "tenant record alert-policy --ref x --tenant"]
)
def test_a_name_that_nobody_sees_is_refused(case: Shell, line: str) -> None:
    """Wherever a tenant is named."""
    ran = case(line, "con\u200btoso")
    assert (2, True) == (ran.code, "invisible characters" in ran.err)


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("tenant record audit-logging", 2, "--ref"),
        ("tenant record audit-logging --ref x --valid 91d", 2, "at most 90 days"),
        ("tenant record audit-logging --ref x --valid soon", 2, "not a length of time"),
        ("tenant record audit-logging --ref x --at +1h", 3, "future"),
        ("tenant record weather --ref x", 2, "audit-logging"),
        ("tenant retract audit-logging --reason x", 5, "nothing to retract"),
        ("tenant retract audit-logging", 2, "--reason"),
    ],
)
def test_refusals(case: Shell, line: str, code: int, words: str) -> None:
    """What cannot be recorded is refused with what to do instead."""
    ran = case(line)
    assert (code, True) == (ran.code, words in ran.err), ran


def test_help_lists_the_facts(shell: Shell) -> None:
    """Whoever asks for help finds every fact with its meaning."""
    assert "alert-daily-limit" in shell.ok("tenant record --help").out
