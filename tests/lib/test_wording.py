"""Whatever the source can write into the trail, and every permission, has words."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import portal.events
from portal.authz import Permission
from portal.config import ROOT
from portal.events import Event
from portal.lib.wording.audit import ACTIONS, RECORDS
from portal.lib.wording.permissions import AREAS, PERMISSIONS


def audit_calls() -> Iterator[tuple[str, ast.expr, ast.expr]]:
    """(where, action, kind of record) of every call of `audit(session, action, record_type, …)`."""
    for path in sorted(Path(ROOT, "portal").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = getattr(node, "func", None)
            name = getattr(called, "id", getattr(called, "attr", None))
            if isinstance(node, ast.Call) and name == "audit" and len(node.args) >= 3:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.args[1], node.args[2]


def texts(node: ast.expr) -> list[str]:
    """The texts that an argument can be: a literal, or one of two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    return []


def events() -> list[type[Event]]:

    for module in pkgutil.iter_modules(portal.events.__path__, "portal.events."):
        importlib.import_module(module.name)
    found, todo = [], [Event]
    while todo:
        todo += (below := todo.pop().__subclasses__())
        found += [kind for kind in below if "kind" in vars(kind)]
    return found


def test_the_walk_sees_the_source():
    assert len(list(audit_calls())) > 10
    assert len(events()) > 8


def test_every_action_is_a_text_that_can_be_read_in_the_source():
    assert [where for where, action, _ in audit_calls() if not texts(action)] == []


def test_every_action_has_words():
    written = {text: where for where, action, _ in audit_calls() for text in texts(action)}
    assert {text: where for text, where in written.items() if text not in ACTIONS} == {}
    assert all(ACTIONS.values())


def test_every_kind_of_record_has_words():
    written = {text: where for where, _, record in audit_calls() for text in texts(record)}
    assert {text: where for text, where in written.items() if text not in RECORDS} == {}


def told_only() -> set[str]:
    """Names of the events that are sent without an entry in the trail: `tell(session, Event(…), …)`."""
    found = set()
    for path in sorted(Path(ROOT, "portal").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = getattr(getattr(node, "func", None), "id", None)
            if isinstance(node, ast.Call) and called == "tell" and len(node.args) >= 2:
                found |= {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
    return found


def test_every_event_has_words():
    told = told_only()
    # Written by a statement of its own, for many tickets at once.
    known = ACTIONS.keys() | {"ticket.clock_changed"}
    assert {event.kind for event in events() if event.kind not in known and event.__name__ not in told} == set()


def test_every_permission_has_words_and_one_area():
    placed = [name for _, names in AREAS for name in names]
    assert len(placed) == len(set(placed))
    assert set(placed) == set(PERMISSIONS) == {permission.value for permission in Permission}
