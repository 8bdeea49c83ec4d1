"""The rules of access as a text (ASVS 8.1.2): what of `docs/access-rules.md` the code itself says."""

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from flask import Flask
from pydantic import BaseModel

from portal.authz import ROLE_PERMISSIONS, Permission
from portal.blueprints.api.openapi import operations
from portal.blueprints.api.operations import Operation
from portal.blueprints.policies import policy_of
from portal.lib.wording.permissions import PERMISSIONS
from portal.models import Role

AUDIENCES = {"/api/v1/auth/": "Signing in", "/api/v1/portal/": "Customers", "/api/v1/staff/": "The team"}
_ROLES = [role for role in Role if role is not Role.CUSTOM]


def describe_access(app: Flask) -> str:
    """Markdown: permissions by role, operations with what they take, and the fields each audience is given."""
    return "\n\n".join(["### Permissions by role", _permissions(), *_operations(app), *_shapes(app)]) + "\n"


def shapes_by_audience(app: Flask) -> dict[str, dict[str, type[BaseModel]]]:
    """Every class that an operation gives, and those within it, by audience and name."""
    found: dict[str, dict[str, type[BaseModel]]] = {name: {} for name in AUDIENCES.values()}
    for rule, _, declared in operations(app):
        if declared.answer is not None:
            found[_audience(rule.rule)].update({shape.__name__: shape for shape in _within(declared.answer)})
    return found


def _permissions() -> str:
    lines = [[f"`{permission.value}`", PERMISSIONS[permission.value], *_marks(permission)] for permission in Permission]
    return _table(["permission", "what it allows", *(role.value for role in _ROLES)], lines)


def _marks(permission: Permission) -> list[str]:
    return ["x" if permission in ROLE_PERMISSIONS[role] else "" for role in _ROLES]


def _operations(app: Flask) -> Iterator[str]:
    for prefix, audience in AUDIENCES.items():
        rows = [
            [f"`{method} {rule.rule}`", f"`{policy_of(app, rule.endpoint)}`", _taken(declared), _given(declared)]
            for rule, method, declared in operations(app)
            if rule.rule.startswith(prefix)
        ]
        yield f"### Operations: {audience}"
        yield _table(["operation", "needs", "writable fields", "gives"], rows)


def _taken(declared: Operation) -> str:
    if declared.upload:
        return "`file`"
    return _names(declared.body.model_fields if declared.body is not None else ())


def _given(declared: Operation) -> str:
    return declared.answer.__name__ if declared.answer is not None else ""


def _shapes(app: Flask) -> Iterator[str]:
    for audience, shapes in shapes_by_audience(app).items():
        yield f"### Readable fields: {audience}"
        yield _table(["class", "fields"], [[name, _names(shapes[name].model_fields)] for name in sorted(shapes)])


def _within(shape: type[BaseModel]) -> set[type[BaseModel]]:
    found, unseen = set[type[BaseModel]](), [shape]
    while unseen:
        one = unseen.pop()
        if one not in found:
            found.add(one)
            unseen += [model for field in one.model_fields.values() for model in _models(field.annotation)]
    return found


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _audience(path: str) -> str:
    return next((name for prefix, name in AUDIENCES.items() if path.startswith(prefix)), "The team")


def _names(fields: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in fields)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
