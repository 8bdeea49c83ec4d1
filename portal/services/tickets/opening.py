"""A customer asks: the ticket, its number, its promise and its first next step, in one transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import bindparam, select
from sqlalchemy.orm import make_transient_to_detached

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Forbidden, Invalid
from portal.events import Beside, publish
from portal.events.tickets import TicketCreated
from portal.lib.text import excerpt, has_forbidden_characters, render_markdown
from portal.models import Tenant, Ticket, TicketCategory, TicketPriority, TicketStatus
from portal.models.session import TenantSession, prepare
from portal.services.tenants.ticket_policy import read_ticket_policy
from portal.services.tickets.attaching import files_beside, take_files
from portal.services.tickets.clock import set_clock, steps_of
from portal.services.tickets.drafts import sent_draft_beside
from portal.services.tickets.field_answers import Answer, checked_answers
from portal.services.tickets.policies import PolicyTerms, read_terms, terms_as_text
from portal.services.tickets.timeline import Line, lines_beside
from portal.services.tickets.validation import SUBJECT_LENGTH, TEXT_LENGTH, checked_text


@dataclass(frozen=True)
class NewTicket:
    """What a customer fills in; `company_id` only matters to somebody of several companies.

    `id` is the form's own: sent twice, the second INSERT meets the first one's key. `custom_fields` answer what the
    category asks for; None is for ways in which nobody could be asked, such as mail.
    """

    subject: str
    description: str
    category: str
    priority: str = TicketPriority.NORMAL.value
    company_id: UUID | None = None
    source: str = "portal"
    id: UUID | None = None
    attachment_ids: tuple[UUID, ...] = ()
    custom_fields: Mapping[str, Any] | None = None


def create_ticket(session: TenantSession, request: NewTicket, *, actor: Actor, now: datetime) -> Ticket:
    """Open a ticket for the actor's company.

    Raises Invalid per field, and Forbidden for people without a company (staff open tickets elsewhere).
    """
    require(actor, Permission.TICKETS_CREATE)
    if actor.user_id is None:
        raise Forbidden("no_company")
    return _open(session, request, _company_of(actor, request), actor.user_id, (), actor=actor, now=now)


def open_like(
    session: TenantSession, request: NewTicket, *, other: Ticket, requester_id: UUID, lines: Sequence[Line] = (),
    actor: Actor, now: datetime
) -> Ticket:  # fmt: skip
    """Open a ticket that comes out of another one, for its company; `lines` are told beside that it was opened.

    The caller has checked that the actor may. Raises Invalid per field.
    """
    return _open(session, request, other.customer_id, requester_id, tuple(lines), actor=actor, now=now)


def _open(
    session: TenantSession,
    request: NewTicket,
    company_id: UUID,
    requester_id: UUID,
    lines: tuple[Line, ...],
    *,
    actor: Actor,
    now: datetime,
) -> Ticket:
    policies, fields, priorities = _load_rules(session, request.category)
    # The tenant's limit is for customers.
    choice = tuple(TicketPriority) if actor.is_staff else priorities
    subject, description, priority, answers = _checked(request, fields, choice)
    ticket = Ticket(
        tenant_id=session.tenant_id,
        customer_id=company_id,
        requester_id=requester_id,
        subject=subject,
        description=description,
        priority=priority,
        custom_fields=answers,
        **_standing_values(request, description, now),
    )
    taken = take_files(session, request.attachment_ids, ticket_id=ticket.id, message_id=None, actor=actor)
    reading = set_clock(ticket, now=now, policies=policies)
    ticket.ticket_number = publish(
        session,
        TicketCreated.about(ticket),
        actor=actor,
        now=now,
        after={"category": ticket.category, "priority": priority, "status": "open"},
        beside=(
            _ticket_beside(ticket),
            lines_beside(ticket, Line("created"), *lines),
            steps_of(ticket, reading),
            *files_beside(taken, ticket_id=ticket.id),
            sent_draft_beside("new"),
        ),
    )
    # It is in the database now; what was not set here is read when somebody asks for it.
    make_transient_to_detached(ticket)
    session.add(ticket)
    return ticket


def _standing_values(request: NewTicket, description: str, now: datetime) -> dict[str, Any]:
    """What every new ticket begins with."""
    return {
        "id": request.id or uuid4(),
        "description_html": render_markdown(description),
        "category": request.category,
        "status": TicketStatus.OPEN,
        "source": request.source,
        "clock_started_at": now,
        "customer_waits_since": now,
        "rounds_missed": 0,
        "clock_cycle": 1,
        "clock_pauses": [],
        "clock_fired": [],
        "escalation_level": 0,
        "last_message": excerpt(description),
        "created_at": now,
        "updated_at": now,
    }


# What is not named has its column's default; the number is one of those.
_TICKET = """
    ticket AS (
        INSERT INTO portal_tickets (id, tenant_id, customer_id, requester_id, subject, description, description_html,
                                    category, priority, status, source, sla_policy_id, sla_due_at, sla_state,
                                    first_response_due_at, resolution_due_at, update_due_at, clock_started_at,
                                    customer_waits_since, last_message, custom_fields, created_at,
                                    updated_at)
        VALUES (:ticket_id, :tenant_id, :customer_id, :requester_id, :subject, :description, :description_html,
                :category, :priority, :status, :source, :sla_policy_id, :sla_due_at, :sla_state,
                :first_response_due_at, :resolution_due_at, :update_due_at, :at, :at, :last_message,
                cast(:custom_fields AS jsonb), :at, :at)
        RETURNING ticket_number
    )
"""
_FIELDS = (
    Ticket.customer_id,
    Ticket.requester_id,
    Ticket.subject,
    Ticket.description,
    Ticket.description_html,
    Ticket.category,
    Ticket.priority,
    Ticket.status,
    Ticket.source,
    Ticket.sla_policy_id,
    Ticket.sla_due_at,
    Ticket.sla_state,
    Ticket.first_response_due_at,
    Ticket.resolution_due_at,
    Ticket.update_due_at,
    Ticket.last_message,
)


def _ticket_beside(ticket: Ticket) -> Beside:
    values = {field.key: getattr(ticket, field.key) for field in _FIELDS}
    answers = json.dumps(ticket.custom_fields, ensure_ascii=False)
    values = {"ticket_id": ticket.id, **values, "custom_fields": answers}
    return Beside(_TICKET, values, returning="(SELECT ticket_number FROM ticket)")


def _company_of(actor: Actor, request: NewTicket) -> UUID:
    if not actor.company_ids:
        raise Forbidden("no_company")
    if request.company_id is None:
        return actor.company_ids[0]
    if request.company_id not in actor.company_ids:
        raise Invalid(FieldError("company_id", "unknown_company"))
    return request.company_id


_RULES = prepare(
    select(
        terms_as_text().scalar_subquery(),
        select(TicketCategory.fields)
        .where(TicketCategory.key == bindparam("category"), TicketCategory.active)
        .scalar_subquery(),
        Tenant.settings,
    )
    .select_from(Tenant)
    .where(Tenant.id == bindparam("tenant"))
)


def _load_rules(
    session: TenantSession, category: str
) -> tuple[tuple[PolicyTerms, ...], list[dict[str, Any]] | None, tuple[TicketPriority, ...]]:
    """The policies, what the category asks (None: it cannot be chosen), and the priorities; by one statement."""
    if has_forbidden_characters(category):
        # The database takes no NUL, not even to compare with.
        category = ""
    terms, fields, settings = session.read(_RULES, {"category": category, "tenant": session.tenant_id}).one()
    return read_terms(terms), fields, read_ticket_policy(settings).priorities


def _checked(
    request: NewTicket, fields: list[dict[str, Any]] | None, priorities: tuple[TicketPriority, ...]
) -> tuple[str, str, TicketPriority, dict[str, Answer]]:
    errors: list[FieldError] = []
    subject = checked_text("subject", request.subject, limit=SUBJECT_LENGTH, errors=errors)
    if "\n" in subject:
        subject = " ".join(subject.split())
    description = checked_text("description", request.description, limit=TEXT_LENGTH, errors=errors)
    if not request.category:
        errors.append(FieldError("category", "required"))
    elif fields is None:
        errors.append(FieldError("category", "unknown_category"))
    priority = TicketPriority.NORMAL
    try:
        priority = TicketPriority(request.priority)
    except ValueError:
        errors.append(FieldError("priority", "unknown_choice"))
    else:
        if priority not in priorities:
            errors.append(FieldError("priority", "priority_too_high"))
    answers: dict[str, Answer] = {}
    if fields is not None and request.custom_fields is not None:
        answers = checked_answers(fields, request.custom_fields, errors)
    if errors:
        raise Invalid(*errors)
    return subject, description, priority, answers
