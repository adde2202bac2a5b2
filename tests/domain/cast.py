"""Who acts, under which playbooks, and what they may say, in the test of any sequence of steps."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from tests.domain.casebook import (
    ADA,
    ANN,
    BOB,
    CAT,
    DAN,
    DAY,
    HOUR,
    OTHER_WORDS,
    WORDS,
    person,
    small,
)
from workflow.domain.playbook import (
    About,
    BreakGlass,
    Check,
    Condition,
    ExceptionRule,
    Nature,
    Playbook,
    Prerequisite,
    Team,
)
from workflow.domain.private import NOTHING
from workflow.domain.record import SYSTEM
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import (
    Kind,
    Phase,
    RestrictionStatus,
    Role,
    State,
)
from workflow.sources.playbook_file import load, shipped_bytes

EVE = "sub_eve"
LEAD = person("lead", Role.LEAD, team="green")
ACTORS = (
    ANN,
    BOB,
    CAT,
    DAN,
    person("analyst", Role.ANALYST),
    person("approver", Role.APPROVER, team="green"),
    LEAD,
    person("auditor", Role.AUDITOR),
    person("nobody", Role.ANALYST, Role.APPROVER, identities=(ADA,)),
    person(ADA),
    SYSTEM,
)
ODD = small(
    name="odd",
    break_glass=BreakGlass.ALLOWED,
    approvals=2,
    approval_team=Team.OTHER,
    kinds=tuple(Kind),
    prerequisites=(
        Prerequisite(
            id="password-reset", title="x", required_by=Phase.CONTAIN, about=About.IDENTITY, any_of=("reset",)
        ),
        Prerequisite(
            id="reset", title="x", required_by=Phase.CLOSE, required=False, fresh_within=2 * HOUR, nature=Nature.READING
        ),
        Prerequisite(
            id="rules",
            title="x",
            required_by=Phase.VERIFY,
            nature=Nature.READING,
            fresh_within=6 * HOUR,
            after=("password-reset",),
            applies_if=(Condition.HOSTED, Condition.SYNCED),
            exception=ExceptionRule(Role.APPROVER, DAY),
        ),
        Prerequisite(
            id="relay",
            title="x",
            required_by=Phase.REQUEST,
            applies_if=(Condition.ON_PREMISES_RELAY,),
            check=Check.LINKED_CASE_CONTAINED,
        ),
        Prerequisite(id="watch", title="x", required_by=Phase.CLOSE, exception=ExceptionRule(Role.LEAD, DAY)),
    ),
)
SMALL = small(kinds=tuple(Kind), break_glass=BreakGlass.ALLOWED)
SHIPPED = {
    name: load(shipped_bytes(name) or b"", name)
    for name in ("blocked-connector", "compromised-mailbox", "legitimate-bulk-sender", "privileged-account")
}
BOOKS: tuple[Playbook, ...] = (SMALL, ODD, *SHIPPED.values())

moments = st.sampled_from((timedelta(0), timedelta(0), timedelta(0), -HOUR, -DAY, -40 * DAY, HOUR))
actors = st.sampled_from(ACTORS)
words = st.sampled_from((WORDS, WORDS, OTHER_WORDS, NOTHING))
abouts = st.sampled_from(("", ADA, ADA, EVE))
names = st.sampled_from(
    ("password-reset", "reset", "rules", "relay", "watch", "sessions-revoked", "mfa-enabled", "none")
)
facts = st.dictionaries(st.sampled_from([item.value for item in Condition]), st.booleans(), max_size=3)
linkings = st.sampled_from((None, None, {}, {"other": State.CONTAINED}, {"other": State.DETECTED}))
labels = st.sampled_from(((), ("wave",), ("wave", "vip"), ("Not A Label",)))
digests = st.sampled_from([item.digest for item in BOOKS])
statuses = st.sampled_from(RestrictionStatus)
sources = st.sampled_from(Source)
proposals = st.sampled_from(
    ("exception:rules", f"exception:rules/{ADA}", "exception:watch", "dismissal", "playbook", f"identity:{ADA}")
)
