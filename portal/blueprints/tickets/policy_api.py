"""What customers may do with their own tickets, for programs of the team: rules, versions and the way back."""

from typing import Annotated, Any

from flask import Blueprint, current_app
from pydantic import Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import Body, NoBody, Shape
from portal.blueprints.policies import permission
from portal.blueprints.tickets.version_schemas import Versions
from portal.models import TicketPriority
from portal.services.tenants.directory import TenantDirectory
from portal.services.tenants.ticket_policy import EDIT_MINUTES, REOPEN_DAYS, TicketPolicy
from portal.services.tenants.ticket_settings import (
    TicketPolicyForm,
    list_policy_versions,
    load_policy,
    restore_policy,
    save_policy,
)

bp = Blueprint("ticket_rules_api", __name__, url_prefix="/api/v1/staff/ticket-rules")
_MINUTES = "How long authors may edit what they sent; null: until the other side has answered, 0: never."
_DAYS = "How long after its closing a ticket can be reopened."


class TicketRules(Shape):
    """What customers may do with their own tickets."""

    highest_priority: TicketPriority = Field(description="The highest that customers may choose.")
    edit_minutes: int | None = Field(description=_MINUTES)
    reopen_days: int = Field(description=_DAYS)

    @classmethod
    def of(cls, policy: TicketPolicy) -> "TicketRules":
        """The rules in force."""
        return cls(
            highest_priority=policy.highest_priority,
            edit_minutes=policy.edit_minutes,
            reopen_days=policy.reopen_days,
        )


class TicketRulesRequest(Body):
    """The rules as a whole."""

    highest_priority: TicketPriority
    edit_minutes: Annotated[int, Field(ge=EDIT_MINUTES[0], le=EDIT_MINUTES[1], strict=True)] | None = Field(
        description=_MINUTES
    )
    reopen_days: Annotated[int, Field(ge=REOPEN_DAYS[0], le=REOPEN_DAYS[2], strict=True)] = Field(description=_DAYS)

    def form(self) -> TicketPolicyForm:
        """What the service takes."""
        timed = self.edit_minutes is not None
        return TicketPolicyForm(self.highest_priority.value, timed, self.edit_minutes, self.reopen_days)


def _who() -> dict[str, Any]:
    return {"actor": http.actor(), "now": http.now()}


def _saved(policy: TicketPolicy) -> TicketRules:
    # The next request reads the tenant anew.
    directory: TenantDirectory = current_app.extensions["portal_tenants"]
    directory.forget()
    return TicketRules.of(policy)


@bp.get("")
@permission(Permission.SLA_CONFIGURE)
@operation("Read the rules of customers' tickets", answer=TicketRules)
def rules() -> TicketRules:
    """What customers may do with their own tickets."""
    return TicketRules.of(load_policy(http.session(), actor=http.actor()))


@bp.put("")
@permission(Permission.SLA_CONFIGURE)
@operation("Change the rules of customers' tickets", body=TicketRulesRequest, answer=TicketRules)
def change(body: TicketRulesRequest) -> TicketRules:
    """Replaces the rules, which makes a version where they differ; open tickets keep the priority they have."""
    return _saved(save_policy(http.session(), body.form(), **_who()))


@bp.get("/versions")
@permission(Permission.SLA_CONFIGURE)
@operation("List the versions of the rules of customers' tickets", answer=Versions)
def versions() -> Versions:
    """Who saved what when; empty while nobody has changed them."""
    return Versions.of_rows(list_policy_versions(http.session(), actor=http.actor()))


@bp.post("/versions/<int:version>/restore")
@permission(Permission.SLA_CONFIGURE)
@operation("Go back to a version of the rules of customers' tickets", body=NoBody, answer=TicketRules)
def back(version: int, body: NoBody) -> TicketRules:
    """Saves the rules as they were, which makes a new version."""
    return _saved(restore_policy(http.session(), version, **_who()))
