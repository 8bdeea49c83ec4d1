"""Whatever the source can write into the trail, and every permission, has words."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import portal.events
from portal.authz import Permission
from portal.config import ROOT
from portal.events import Event
from portal.lib.wording.audit import ACTIONS, RECORDS
from portal.lib.wording.permissions import AREAS, PERMISSIONS

Call = tuple[str, list[str], list[str]]


def audit_calls() -> Iterator[Call]:
    """(where, possible actions, possible kinds of record) of every call of `audit(session, action, record, …)`.

    A function may pass its own argument on; then it is what the module calls that function with.
    """
    for path in sorted(Path(ROOT, "portal").rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for function in [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]:
            for call in calls_of(function, "audit"):
                if len(call.args) >= 3 and function.name != "audit":
                    found = [texts(argument, function, module) for argument in call.args[1:3]]
                    yield f"{path.relative_to(ROOT)}:{call.lineno}", found[0], found[1]


def calls_of(tree: ast.AST, name: str) -> list[ast.Call]:
    called = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [node for node in called if getattr(node.func, "id", getattr(node.func, "attr", None)) == name]


def texts(node: ast.expr, function: ast.FunctionDef, module: ast.Module) -> list[str]:
    """The texts that an argument can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return texts(node.body, function, module) + texts(node.orelse, function, module)
    if isinstance(node, ast.FormattedValue):
        return texts(node.value, function, module)
    if isinstance(node, ast.JoinedStr):
        parts = [texts(part, function, module) for part in node.values]
        return ["".join(chosen) for chosen in product(*parts)]
    if isinstance(node, ast.Name):
        return [text for value in values_of(node.id, function, module) for text in texts(*value)]
    return []


def values_of(
    name: str, function: ast.FunctionDef, module: ast.Module
) -> Iterator[tuple[ast.expr, ast.FunctionDef, ast.Module]]:
    """What a name can stand for: what the function assigns to it, or is called with within its module."""
    for node in ast.walk(function):
        for target in node.targets if isinstance(node, ast.Assign) else []:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=True))
            yield from ((value, function, module) for to, value in pairs if getattr(to, "id", None) == name)
    arguments = [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]
    if name not in arguments:
        return
    place = arguments.index(name)
    for caller in [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]:
        for call in calls_of(caller, function.name):
            given = [word.value for word in call.keywords if word.arg == name] + call.args[place : place + 1]
            yield from ((value, caller, module) for value in given)


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
    assert [where for where, actions, _ in audit_calls() if not actions] == []


def test_every_action_has_words():
    written = {text: where for where, actions, _ in audit_calls() for text in actions}
    assert {text: where for text, where in written.items() if text not in ACTIONS} == {}
    assert all(ACTIONS.values())


def test_every_kind_of_record_has_words():
    written = {text: where for where, _, records in audit_calls() for text in records}
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
