"""A customer asks: the ticket, its number, its promise and its first next step, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Forbidden, Invalid
from portal.events import publish
from portal.events.tickets import TicketCreated
from portal.lib.text import excerpt, has_forbidden_characters, render_markdown
from portal.models import BusinessCalendar, SlaPolicy, Tenant, Ticket, TicketCategory, TicketPriority
from portal.models.session import TenantSession
from portal.services.tickets.clock import refresh_clock
from portal.services.tickets.policies import PolicyRow
from portal.services.tickets.timeline import add_line
from portal.services.tickets.validation import SUBJECT_LENGTH, TEXT_LENGTH, checked_text


@dataclass(frozen=True)
class NewTicket:
    """What a customer fills in; `company_id` only matters to somebody of several companies.

    `id` is the form's own: sent twice, the second INSERT meets the first one's key.
    """

    subject: str
    description: str
    category: str
    priority: str = TicketPriority.NORMAL.value
    company_id: UUID | None = None
    source: str = "portal"
    id: UUID | None = None


def create_ticket(session: TenantSession, request: NewTicket, *, actor: Actor, now: datetime) -> Ticket:
    """Open a ticket for the actor's company.

    Raises Invalid per field, and Forbidden for people without a company (staff open tickets elsewhere).
    """
    require(actor, Permission.TICKETS_CREATE)
    company_id = _company_of(actor, request)
    tenant, policies, category_known = _load_rules(session, request.category)
    subject, description, priority = _checked(request, category_known, tenant)
    ticket = Ticket(
        id=request.id or uuid4(),
        tenant_id=session.tenant_id,
        customer_id=company_id,
        requester_id=actor.user_id,
        subject=subject,
        description=description,
        description_html=render_markdown(description),
        category=request.category,
        priority=priority,
        source=request.source,
        clock_started_at=now,
        clock_cycle=1,
        clock_pauses=[],
        clock_fired=[],
        tags=[],
        custom_fields={},
        last_message=excerpt(description),
        created_at=now,
        updated_at=now,
    )
    session.add(ticket)
    _promise(session, ticket, policies, now)
    add_line(session, ticket, "created", actor=actor, now=now)
    publish(
        session,
        TicketCreated.about(ticket),
        actor=actor,
        now=now,
        after={"category": ticket.category, "priority": priority, "status": "open"},
    )
    return ticket


def _promise(session: TenantSession, ticket: Ticket, policies: list[PolicyRow], now: datetime) -> None:
    # Defaults are applied at the flush; the clock reads status and priority before it.
    ticket.status = ticket.status or Ticket.status.default.arg
    ticket.escalation_level = 0
    refresh_clock(session, ticket, now=now, policies=policies)


def _company_of(actor: Actor, request: NewTicket) -> UUID:
    if not actor.company_ids:
        raise Forbidden("no_company")
    if request.company_id is None:
        return actor.company_ids[0]
    if request.company_id not in actor.company_ids:
        raise Invalid(FieldError("company_id", "unknown_company"))
    return request.company_id


def _load_rules(session: TenantSession, category: str) -> tuple[Tenant, list[PolicyRow], bool]:
    """Tenant, policies and whether the category can be chosen, by one statement."""
    if has_forbidden_characters(category):
        # The database takes no NUL, not even to compare with.
        category = ""
    known = (
        select(TicketCategory.id)
        .where(
            TicketCategory.key == category,
            TicketCategory.active,
            TicketCategory.tenant_id == Tenant.id,
        )
        .exists()
    )
    rows = session.execute(
        select(Tenant, SlaPolicy, BusinessCalendar, known)
        .outerjoin(SlaPolicy, SlaPolicy.tenant_id == Tenant.id)
        .outerjoin(BusinessCalendar, BusinessCalendar.id == SlaPolicy.calendar_id)
        .where(Tenant.id == session.tenant_id)
        .order_by(SlaPolicy.position, SlaPolicy.name)
    ).all()
    policies = [PolicyRow(policy, calendar) for _, policy, calendar, _ in rows if policy is not None]
    return rows[0][0], policies, bool(rows[0][3])


def _checked(request: NewTicket, category_known: bool, tenant: Tenant) -> tuple[str, str, TicketPriority]:
    errors: list[FieldError] = []
    subject = checked_text("subject", request.subject, limit=SUBJECT_LENGTH, errors=errors)
    if "\n" in subject:
        subject = " ".join(subject.split())
    description = checked_text("description", request.description, limit=TEXT_LENGTH, errors=errors)
    if not request.category:
        errors.append(FieldError("category", "required"))
    elif not category_known:
        errors.append(FieldError("category", "unknown_category"))
    priority = TicketPriority.NORMAL
    try:
        priority = TicketPriority(request.priority)
    except ValueError:
        errors.append(FieldError("priority", "unknown_choice"))
    if errors:
        raise Invalid(*errors)
    return subject, description, priority
