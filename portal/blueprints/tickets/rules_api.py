"""One rule of assignment for programs of the team: reading, changing parts, order, taking away, versions."""

from typing import Any
from uuid import UUID

from flask import Blueprint
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import SOME_TEXT, Body, NoBody, left_out
from portal.blueprints.policies import permission
from portal.blueprints.tickets.assignment_api import Rules, RuleShape, Skills, Strategy
from portal.blueprints.tickets.requests import CategoryKey
from portal.blueprints.tickets.version_schemas import Versions
from portal.blueprints.tickets.views_api import MoveRequest
from portal.models import TicketPriority
from portal.services.tenants.config_versions import list_versions
from portal.services.tickets.assignment import list_rules
from portal.services.tickets.assignment_rules import (
    NAME_LENGTH,
    RULE,
    RuleForm,
    delete_rule,
    get_rule,
    move_rule,
    restore_rule,
    save_rule,
)

bp = Blueprint("rules_api", __name__, url_prefix="/api/v1/staff/assignment/rules/<uuid:rule_id>")


class RulePatch(Body):
    """Parts of a rule to change, at least one; each of them is replaced as a whole."""

    model_config = {"json_schema_extra": {"minProperties": 1}}

    name: str = left_out(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)
    strategy: Strategy = left_out()
    active: bool = left_out()
    match_categories: list[CategoryKey] = left_out()
    match_priorities: list[TicketPriority] = left_out()
    match_companies: list[UUID] = left_out()
    people: list[UUID] = left_out()
    skills: Skills = left_out()
    only_working: bool = left_out()

    @model_validator(mode="after")
    def _something(self) -> "RulePatch":
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_to_change", "nothing to change")
        return self


def _who() -> dict[str, Any]:
    return {"actor": http.actor(), "now": http.now()}


@bp.get("")
@permission(Permission.SLA_READ)
@operation("Read a rule of assignment", answer=RuleShape)
def rule(rule_id: UUID) -> RuleShape:
    """One rule."""
    return RuleShape.of(get_rule(http.session(), rule_id))


@bp.patch("")
@permission(Permission.SLA_CONFIGURE)
@operation("Change parts of a rule of assignment", body=RulePatch, answer=RuleShape)
def change(rule_id: UUID, body: RulePatch) -> RuleShape:
    """Replaces the named parts, which makes a version."""
    stored = get_rule(http.session(), rule_id)
    values: dict[str, Any] = {name: getattr(stored, name) for name in RuleForm.__dataclass_fields__}
    values |= body.model_dump(mode="json", exclude_unset=True)
    lists: dict[str, Any] = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return RuleShape.of(save_rule(http.session(), rule_id, form=RuleForm(**values | lists), **_who()))


@bp.delete("")
@permission(Permission.SLA_CONFIGURE)
@operation("Delete a rule of assignment", answer=None, status=204)
def delete(rule_id: UUID) -> None:
    """Takes it away; tickets keep who they have."""
    delete_rule(http.session(), rule_id, **_who())


@bp.post("/move")
@permission(Permission.SLA_CONFIGURE)
@operation("Move a rule of assignment", body=MoveRequest, answer=Rules)
def move(rule_id: UUID, body: MoveRequest) -> Rules:
    """Has it tried one place sooner or later."""
    move_rule(http.session(), rule_id, up=body.direction == "up", **_who())
    http.session().flush()
    return Rules(items=[RuleShape.of(row) for row in list_rules(http.session())])


@bp.get("/versions")
@permission(Permission.SLA_READ)
@operation("List a rule's versions", answer=Versions)
def versions(rule_id: UUID) -> Versions:
    """Who saved what when."""
    get_rule(http.session(), rule_id)
    return Versions.of_rows(list_versions(http.session(), RULE, rule_id))


@bp.post("/versions/<int:version>/restore")
@permission(Permission.SLA_CONFIGURE)
@operation("Go back to a rule's version", body=NoBody, answer=RuleShape)
def back(rule_id: UUID, version: int, body: NoBody) -> RuleShape:
    """Saves the rule as it was, which makes a new version."""
    return RuleShape.of(restore_rule(http.session(), rule_id, version, **_who()))
