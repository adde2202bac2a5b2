"""No public callable of the domain reaches a state that ``advance`` refuses."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import workflow.domain
from tests.domain.casebook import ADA, ANN, BOB, SMALL, START, WORDS, Casebook, person
from workflow.domain import access, lifecycle, verbs
from workflow.domain import actions as act
from workflow.domain.case import Case
from workflow.domain.lifecycle import MACHINE, advance
from workflow.domain.restriction import Source
from workflow.domain.scene import Scene
from workflow.domain.vocabulary import (
    Answer,
    EntryType,
    Phase,
    Resolution,
    RestrictionStatus,
    State,
)
from workflow.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(workflow.domain.__file__).parent
MODULES = [importlib.import_module(f"workflow.domain.{item.name}") for item in pkgutil.iter_modules([str(FOLDER)])]
CASE_FIELDS = set(Case.__slots__)
CHANGERS = {"pop", "popitem", "update", "clear", "setdefault"}
WRITERS = {"history.py", "changing.py", "unblocking.py", "case.py"}
READERS = {"course.py"}
"""A room that never meets a case: it reads entries into a value of its own, whose attributes bear the same names."""


def test_readers_know_no_case() -> None:
    """What is excused below because it never meets a case does not import one."""
    for name in READERS:
        tree = ast.parse((FOLDER / name).read_text())
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert set() == imported & {"workflow.domain.case", "workflow.domain.history"}


def callables() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield every public function and class that a module of the domain defines, and the methods of the classes."""
    for module in MODULES:
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", "") != module.__name__:
                continue
            if callable(value):
                yield f"{module.__name__}.{name}", value


def test_the_machine_has_no_automatic_transitions() -> None:
    """No ``to_released`` and no other arrow that nobody drew."""
    assert MACHINE.auto_transitions is False
    assert [] == [name for name in MACHINE.events if name.startswith("to_")]
    assert [] == MACHINE.models


@pytest.mark.parametrize("kind", [Case, Scene])
def test_neither_case_nor_scene_carries_triggers(kind: type) -> None:
    """The machine adds nothing to them, and nothing can be added: they have slots."""
    names = {name for name in dir(kind) if not name.startswith("__")}
    own = {"request", "record"}  # What was requested, and the maker of records: neither is a trigger.
    machinery = {"trigger", "may_trigger", "set_state", "add_transition", "to", "machine"}
    assert set() == (names - own) & {*MACHINE.events, *machinery}
    assert "__dict__" not in dir(kind)
    assert [] == [name for name in names if name.startswith(("to_", "is_", "may_"))]


def _assigned(tree: ast.AST) -> Iterator[ast.Attribute]:
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        elif isinstance(node, ast.Delete):
            targets = node.targets
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store | ast.Del):
                    yield part
                elif isinstance(part, ast.Subscript) and isinstance(part.value, ast.Attribute):
                    yield part.value


def test_only_history_writes_to_a_case() -> None:
    """No other room assigns to an attribute that a case has, sets attributes by name, or changes its mappings."""
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        if path.name in WRITERS | READERS:
            continue
        tree = ast.parse(path.read_text())
        found += [f"{path.name}:{node.lineno} .{node.attr}" for node in _assigned(tree) if node.attr in CASE_FIELDS]
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name in {"setattr", "delattr"}:
                found.append(f"{path.name}:{node.lineno} {name}")
            if isinstance(node.func, ast.Attribute) and node.func.attr in CHANGERS:
                owner = node.func.value
                if isinstance(owner, ast.Attribute) and owner.attr in CASE_FIELDS:
                    found.append(f"{path.name}:{node.lineno} .{owner.attr}.{node.func.attr}")
    # The scene's own cursor, which the machine moves, starts where the case stands.
    assert ["scene.py .state"] == [f"{item.split(':')[0]} {item.split(' ')[1]}" for item in found]


def test_only_one_place_folds_an_entry() -> None:
    """``apply`` is called by the fold, by the carrying forward of a judged step, and by replay after its judgement."""
    callers = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "apply":
                callers.add(path.name)
    assert {"history.py", "scene.py", "replay.py"} == callers


def test_every_action_has_its_permission_its_arrow_and_its_maker() -> None:
    """A new verb is declared in each table, or it does not start (R11)."""
    kinds = set(act.ACTIONS.values())
    own_functions = {act.OpenCase, act.ConfirmProposal}
    assert kinds == set(access.PERMITTED)
    assert kinds - own_functions == set(verbs.TRIGGERS)
    assert kinds - own_functions - {act.ReportRestriction} == set(verbs.MAKERS)
    assert set(verbs.SECONDERS) <= kinds
    assert set(verbs.TRIGGERS.values()) <= set(MACHINE.events)


def _cases() -> list[Case]:
    """Return one case in each state short of a release, and one released."""
    books = [Casebook().open(), Casebook().open(), Casebook().open().fulfil(), Casebook().open().requested()]
    books[1].record("password-reset", ADA)
    books[1].record("sessions-revoked", ADA)
    books += [Casebook().open().approved(), Casebook().open().intended(), Casebook().open().released()]
    return [book.case for book in books]


def _arguments(function: Callable[..., Any], case: Case) -> dict[str, Any] | None:
    """Return something plausible for every parameter, or None when there is nothing."""
    now = case.updated_at or START
    scene = Scene(case, ANN, SMALL, now, {SMALL.digest: SMALL})
    actions = {
        "OpenCase": act.OpenCase(number=1, tenant="t", kind=case.kind, entity="e", playbook=SMALL.digest),
        "ReportRestriction": act.ReportRestriction(status=RestrictionStatus.LISTED, source=Source.CMDLET),
        "ObserveRestriction": act.ObserveRestriction(status=RestrictionStatus.NOT_LISTED, observed_at=now),
        "RecordEvidence": act.RecordEvidence(prerequisite="rules", observed_at=now, reference=WORDS),
        "RetractEvidence": act.RetractEvidence(prerequisite="rules", reason=WORDS),
        "RecordAnswer": act.RecordAnswer(answer=Answer.FAILED),
        "CloseCase": act.CloseCase(resolution=Resolution.NOT_UNBLOCKED, reason=WORDS),
        "ApproveUnblock": act.ApproveUnblock(),
        "IntendUnblock": act.IntendUnblock(),
        "RequestUnblock": act.RequestUnblock(),
        "ReopenCase": act.ReopenCase(reason=WORDS),
    }
    known: dict[str, Any] = {
        "case": case,
        "onto": case,
        "scene": scene,
        "actor": BOB,
        "playbook": SMALL,
        "playbooks": {SMALL.digest: SMALL},
        "now": now,
        "at": now,
        "phases": tuple(Phase),
        "phase": Phase.CONTAIN,
        "entries": [],
        "state": State.RELEASED,
        "after": State.RELEASED,
        "kind": EntryType.CASE_RELEASED,
        "trigger": "release",
        "status": RestrictionStatus.NOT_LISTED,
        "other_team": False,
        "version_before": case.version,
        "linked": None,
        "error": HoldfastError(),
        "first": "somebody",
        "what": "this",
    }
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in {"action", "report"}:
            text = str(parameter.annotation)
            found[name] = next((item for kind, item in actions.items() if kind in text), actions["ApproveUnblock"])
        elif name in known:
            found[name] = known[name]
        elif parameter.default is inspect.Parameter.empty:
            return None
    return found


def test_no_public_function_moves_a_case_but_by_an_entry() -> None:
    """Every public function that takes a case or a scene leaves the case's state alone, or refuses.

    ``settle`` and ``carry`` carry a copy forward on purpose: the one by conclusions the machine lets it draw, the other
    by a record that has been judged, and neither reaches anything that is stored.
    """
    moved, called = set(), 0
    for name, function in callables():
        if inspect.isclass(function) or name.endswith((".carry", ".apply")):
            continue
        for case in _cases():
            arguments = _arguments(function, case)
            if arguments is None or not {"case", "scene", "onto"} & arguments.keys():
                continue
            before = case.copy()
            try:
                function(**arguments)
            except (HoldfastError, AssertionError, KeyError, AttributeError, TypeError):
                continue
            called += 1
            if before != case:
                moved.add(name)
    assert called > 200
    assert set() == moved


def test_the_machine_itself_refuses_a_release_of_an_unworked_case() -> None:
    """Firing every trigger at a fresh case leads nowhere but where its guards allow."""
    case = _cases()[0]
    reached = set()
    for trigger in MACHINE.events:
        scene = Scene(case, person("mallory"), SMALL, START, {SMALL.digest: SMALL})
        try:
            reached.add(lifecycle.fire(trigger, scene))
        except HoldfastError:
            assert State.DETECTED is scene.state
    assert {State.DETECTED, State.DISMISSED} == reached


def test_records_of_a_refused_step_bear_no_state() -> None:
    """A refusal is written down and moves nothing."""
    case = _cases()[0]
    for kind in (act.RequestUnblock, act.ApproveUnblock, act.IntendUnblock, act.CloseCase):
        step = advance(case, kind(), ANN, {SMALL.digest: SMALL}, case.updated_at or START)
        assert step.error is not None
        assert [""] == [record.state_after for record in step.records]
        assert case.state is step.case.state
