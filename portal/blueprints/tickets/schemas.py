"""Tickets as the API gives them: one class for customers, another for staff (contract §5).

Customers get no internal notes, no lines and steps for staff only, and none of the team's own labels;
their classes have no place for what is staff's.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import ListOf, Named, NextStep, Shape, UtcDateTime
from portal.blueprints.files.schemas import AttachedFile, FileOfTicket, attached
from portal.blueprints.localisation import gettext
from portal.blueprints.tickets.labels import own_for_customers, own_for_staff, status_label
from portal.lib.sla_clock import Metric
from portal.lib.wording.tickets import event_text, step_text
from portal.models import NextStep as StepRow
from portal.models import SenderType, Ticket, TicketEvent, TicketMessage, TicketPriority, TicketStatus
from portal.services.tickets.detail import TicketDetail
from portal.services.tickets.rows import ComingStep, TicketRow
from portal.services.tickets.sla_view import view_sla

EXCERPT_SAYS = "Where the words of `q` stand; null without any, or where number, subject or company have them."
APPROXIMATE_SAYS = "Nothing here holds the words of `q`: these tickets come near them in number, subject or names."


class Sla(Shape):
    """How the promise stands now."""

    first_response_due_at: UtcDateTime | None
    first_response_at: UtcDateTime | None
    resolution_due_at: UtcDateTime | None
    state: Literal["within", "near", "breached", "paused", "met"]
    paused_reason: str | None = Field(description="The status that stops the clock, while it is stopped.")
    pending: Metric | None = Field(description="The open promise that is due first.")
    due_at: UtcDateTime | None = Field(description="When the pending promise is due; null while paused.")
    next_response_due_at: UtcDateTime | None = Field(description="When the open question is to be answered.")
    update_due_at: UtcDateTime | None = Field(description="When the team has to say a word again.")

    @classmethod
    def of(cls, ticket: Ticket, now: datetime) -> "Sla":
        """The promise of a ticket."""
        view = view_sla(ticket, now)
        return cls(
            first_response_due_at=view.first_response_due_at,
            first_response_at=view.first_response_at,
            resolution_due_at=view.resolution_due_at,
            state=view.state,
            paused_reason=view.paused_reason,
            pending=view.metric,
            due_at=view.due_at,
            next_response_due_at=view.next_response_due_at,
            update_due_at=view.update_due_at,
        )


class CustomerMessage(Shape):
    """An entry of the conversation."""

    id: UUID
    sender_type: SenderType
    sender_name: str
    message: str = Field(description="Light Markdown, as it was written.")
    attachments: list[AttachedFile]
    created_at: UtcDateTime
    edited_at: UtcDateTime | None = Field(description="When its author last changed the words.")

    @classmethod
    def values_of(cls, row: TicketMessage) -> dict[str, Any]:
        """What customers and staff see alike."""
        names = ("id", "sender_type", "sender_name", "message", "created_at", "edited_at")
        return {name: getattr(row, name) for name in names} | {"attachments": attached(row.attachments)}

    @classmethod
    def of(cls, row: TicketMessage) -> "CustomerMessage":
        """A public message; ValueError for a note, which must not come this far."""
        if row.is_internal:
            raise ValueError("an internal note is not for customers")
        return cls(**cls.values_of(row))


class StaffMessage(CustomerMessage):
    """An entry of the conversation, or an internal note."""

    is_internal: bool

    @classmethod
    def of(cls, row: TicketMessage) -> "StaffMessage":
        """Any entry."""
        return cls(**cls.values_of(row), is_internal=row.is_internal)


class CustomerEvent(Shape):
    """A line of the timeline."""

    kind: str
    at: UtcDateTime
    actor: str
    text: str = Field(description="In the reader's language.")

    @classmethod
    def of(cls, row: TicketEvent) -> "CustomerEvent":
        """A line for everybody; ValueError for one for staff, which must not come this far."""
        if row.staff_only:
            raise ValueError("a line for staff is not for customers")
        text = event_text(row.kind, row.actor_name, row.params, gettext, own=own_for_customers)
        return cls(kind=row.kind, at=row.at, actor=row.actor_name, text=text)


class StaffEvent(CustomerEvent):
    """A line of the timeline, perhaps for staff only."""

    staff_only: bool

    @classmethod
    def of(cls, row: TicketEvent) -> "StaffEvent":
        """Any line."""
        text = event_text(row.kind, row.actor_name, row.params, gettext, staff=True, own=own_for_staff)
        return cls(kind=row.kind, at=row.at, actor=row.actor_name, text=text, staff_only=row.staff_only)


class StaffStep(NextStep):
    """What happens by itself, perhaps seen by staff only."""

    staff_only: bool


class CustomerTicketItem(Shape):
    """A ticket in a customer's list."""

    id: UUID
    number: str
    subject: str
    description: str
    category: str
    priority: TicketPriority
    status: TicketStatus
    status_label: str = Field(description="What the status is called, in the reader's language.")
    assignee: Named | None
    company: Named
    requester: Named
    source: str
    tags: list[str] = Field(description="Labels shared with the customer; the team's own stay with the team.")
    custom_fields: dict[str, Any]
    sla: Sla
    escalation_level: int
    merged_into_id: UUID | None = Field(description="The ticket in which the conversation goes on.")
    satisfaction_rating: int | None
    next_step: NextStep | None
    created_at: UtcDateTime
    updated_at: UtcDateTime

    @classmethod
    def of_row(cls, row: TicketRow, now: datetime) -> "CustomerTicketItem":
        """The ticket of a row read for a customer; ValueError where a step for staff got into it."""
        if any(step.staff_only for step in row.steps):
            raise ValueError("a step for staff is not for customers")
        label = status_label(row.ticket, staff=False)
        step = _next_step(row.next_step)
        return cls(
            **_common(row, now),
            status_label=label,
            tags=[],
            custom_fields=row.ticket.custom_fields,
            next_step=step,
        )


class CustomerTicket(CustomerTicketItem):
    """A ticket with its public conversation and timeline."""

    attachments: list[FileOfTicket] = Field(description="What came with the ticket itself.")
    messages: list[CustomerMessage]
    timeline: list[CustomerEvent]

    @classmethod
    def of(cls, found: TicketDetail, now: datetime) -> "CustomerTicket":
        """The ticket read for a customer."""
        item = CustomerTicketItem.of_row(found.row, now)
        return cls(
            **dict(item),
            attachments=[FileOfTicket.of_file(file) for file in found.files_of(None)],
            messages=[CustomerMessage.of(row) for row in found.messages],
            timeline=[CustomerEvent.of(row) for row in found.events],
        )


class CustomerTicketHit(CustomerTicketItem):
    """A ticket in a customer's list, perhaps found by words."""

    excerpt: str | None = Field(description=EXCERPT_SAYS)

    @classmethod
    def of_hit(cls, row: TicketRow, now: datetime, excerpt: str | None) -> "CustomerTicketHit":
        """The ticket of a row read for a customer, with the place where its words stand."""
        return cls(**dict(CustomerTicketItem.of_row(row, now)), excerpt=excerpt)


class CustomerTickets(ListOf[CustomerTicketHit]):
    """A page of a customer's list."""

    approximate: bool = Field(description=APPROXIMATE_SAYS)


class StaffTicketItem(Shape):
    """A ticket in the team's queue."""

    id: UUID
    number: str
    subject: str
    description: str
    category: str
    priority: TicketPriority
    status: TicketStatus
    status_label: str = Field(description="What the status is called for the team, in the reader's language.")
    custom_status: str | None = Field(description="The key of a status of your own; `status` is what it counts as.")
    assignee: Named | None
    company: Named
    requester: Named
    source: str
    tags: list[str]
    custom_fields: dict[str, Any]
    sla: Sla
    escalation_level: int
    merged_into_id: UUID | None = Field(description="The ticket in which the conversation goes on.")
    satisfaction_rating: int | None
    satisfaction_comment: str | None
    minutes_spent: int = Field(description="What the team has written down as time spent.")
    next_step: NextStep | None
    next_steps: list[StaffStep] = Field(description="Everything that comes by itself, soonest first.")
    created_at: UtcDateTime
    updated_at: UtcDateTime

    @classmethod
    def of_row(cls, row: TicketRow, now: datetime) -> "StaffTicketItem":
        """The ticket of a row read for staff."""
        return cls(
            **_common(row, now),
            status_label=status_label(row.ticket, staff=True),
            custom_status=row.ticket.custom_status,
            tags=row.ticket.tags,
            minutes_spent=row.ticket.minutes_spent,
            custom_fields=row.ticket.custom_fields,
            satisfaction_comment=row.ticket.satisfaction_comment,
            next_step=_next_step(row.next_step, staff=True),
            next_steps=[_staff_step(step) for step in row.steps],
        )


class StaffTicket(StaffTicketItem):
    """A ticket with its whole conversation and timeline, internal notes among them."""

    attachments: list[FileOfTicket] = Field(description="What came with the ticket itself.")
    messages: list[StaffMessage]
    timeline: list[StaffEvent]

    @classmethod
    def of(cls, found: TicketDetail, now: datetime) -> "StaffTicket":
        """The ticket read for staff."""
        item = StaffTicketItem.of_row(found.row, now)
        return cls(
            **dict(item),
            attachments=[FileOfTicket.of_file(file) for file in found.files_of(None)],
            messages=[StaffMessage.of(row) for row in found.messages],
            timeline=[StaffEvent.of(row) for row in found.events],
        )


class StaffTicketHit(StaffTicketItem):
    """A ticket in the team's queue, perhaps found by words."""

    excerpt: str | None = Field(description=EXCERPT_SAYS)

    @classmethod
    def of_hit(cls, row: TicketRow, now: datetime, excerpt: str | None) -> "StaffTicketHit":
        """The ticket of a row read for staff, with the place where its words stand."""
        return cls(**dict(StaffTicketItem.of_row(row, now)), excerpt=excerpt)


class StaffTickets(ListOf[StaffTicketHit]):
    """A page of the team's queue."""

    approximate: bool = Field(description=APPROXIMATE_SAYS)


def _common(row: TicketRow, now: datetime) -> dict[str, Any]:
    """What customers and staff see alike."""
    ticket = row.ticket
    assignee = None
    if ticket.assigned_to is not None:
        assignee = Named(id=ticket.assigned_to, name=row.assignee_name or "")
    return {
        "id": ticket.id,
        "number": ticket.ticket_number,
        "subject": ticket.subject,
        "description": ticket.description,
        "category": ticket.category,
        "priority": ticket.priority,
        "status": ticket.status,
        "assignee": assignee,
        "company": Named(id=ticket.customer_id, name=row.company_name),
        "requester": Named(id=ticket.requester_id, name=row.requester_name),
        "source": ticket.source,
        "sla": Sla.of(ticket, now),
        "escalation_level": ticket.escalation_level,
        "merged_into_id": ticket.merged_into_id,
        "satisfaction_rating": ticket.satisfaction_rating,
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
    }


def _next_step(step: StepRow | ComingStep | None, *, staff: bool = False) -> NextStep | None:
    if step is None:
        return None
    return NextStep(kind=step.kind, at=step.at, text=step_text(step.kind, step.params, gettext, staff=staff))


def _staff_step(step: StepRow | ComingStep) -> StaffStep:
    text = step_text(step.kind, step.params, gettext, staff=True)
    return StaffStep(kind=step.kind, at=step.at, text=text, staff_only=step.staff_only)
