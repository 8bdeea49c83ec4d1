"""Tickets with their conversation and timeline (catalogue tables and columns, ledger PLT-03)."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    FetchedValue,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonList, JsonObject, Moment, UuidKey, str_enum


class TicketStatus(StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    WAITING_CUSTOMER = "waiting_customer"
    AWAITING_PAYMENT = "awaiting_payment"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class TicketPriority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class SenderType(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    SYSTEM = "system"


ACTIVE = frozenset(
    {TicketStatus.OPEN, TicketStatus.IN_PROGRESS, TicketStatus.WAITING_CUSTOMER, TicketStatus.AWAITING_PAYMENT}
)
FINAL = frozenset({TicketStatus.CLOSED, TicketStatus.CANCELLED})

# Legal moves are data: from -> to. Reopening is the only way out of `closed`.
MOVES: dict[TicketStatus, frozenset[TicketStatus]] = {
    **{status: (ACTIVE | {TicketStatus.RESOLVED} | FINAL) - {status} for status in ACTIVE},
    TicketStatus.RESOLVED: frozenset({TicketStatus.OPEN, TicketStatus.IN_PROGRESS, TicketStatus.CLOSED}),
    TicketStatus.CLOSED: frozenset({TicketStatus.OPEN}),
    TicketStatus.CANCELLED: frozenset(),
}
PRIORITY_RANK = {priority: rank for rank, priority in enumerate(TicketPriority)}

# Spelled out rather than bound: only so do expression and partial indexes serve prepared statements.
# What lies in the trash is in no index that lists read: being there must cost the others nothing.
KEPT_SQL = text("trashed_at IS NULL")
ACTIVE_SQL = text("status IN ('open','in_progress','waiting_customer','awaiting_payment') AND trashed_at IS NULL")
DUE_SQL = text("coalesce(sla_due_at, 'infinity'::timestamptz)")
PRIORITY_SQL = text("(CASE priority WHEN 'low' THEN 0 WHEN 'normal' THEN 1 WHEN 'high' THEN 2 ELSE 3 END)")


class TicketCategory(Tenanted, Base):
    """What a ticket is about; rows per tenant, named per language."""

    __tablename__ = "ticket_categories"
    __table_args__ = (tenant_key(), UniqueConstraint("tenant_id", "key"))

    id: Mapped[UuidKey]
    key: Mapped[str] = mapped_column(String(50))
    names: Mapped[JsonObject] = mapped_column(comment="locale -> name")
    position: Mapped[int] = mapped_column(Integer, default=0)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    fields: Mapped[JsonList] = mapped_column(
        comment="what new tickets are asked: [{key, kind, names, required, options}, …]"
    )

    def name_in(self, locale: str, fallback: str = "en") -> str:
        """The name in `locale`, else in the tenant's language, else the key made readable."""
        return str(self.names.get(locale) or self.names.get(fallback) or self.key.replace("_", " ").capitalize())


class Ticket(Tenanted, Base):
    """A request of a customer, and the promise that goes with it.

    The table also has `search` (tsvector), which only the search function reads; it is not mapped.
    """

    __tablename__ = "portal_tickets"
    __table_args__ = (
        tenant_key(),
        tenant_reference("customer_id", "companies"),
        tenant_reference("requester_id", "users"),
        tenant_reference("assigned_to", "users"),
        tenant_reference("sla_policy_id", "sla_policies"),
        tenant_reference("merged_into_id", "portal_tickets"),
        ForeignKeyConstraint(["tenant_id", "custom_status"], ["ticket_statuses.tenant_id", "ticket_statuses.key"]),
        ForeignKeyConstraint(["tenant_id", "category"], ["ticket_categories.tenant_id", "ticket_categories.key"]),
        UniqueConstraint("tenant_id", "ticket_number"),
        CheckConstraint("satisfaction_rating BETWEEN 1 AND 5", name="rating_in_range"),
        CheckConstraint("char_length(btrim(subject)) > 0", name="subject_not_blank"),
        Index("idx_tickets_tenant", "tenant_id", "created_at", "id", postgresql_where=KEPT_SQL),
        Index("idx_tickets_customer", "tenant_id", "customer_id", "updated_at", "id", postgresql_where=KEPT_SQL),
        Index("idx_tickets_requester", "tenant_id", "requester_id", "updated_at", "id", postgresql_where=KEPT_SQL),
        Index("idx_tickets_status", "tenant_id", "status", "updated_at", "id", postgresql_where=KEPT_SQL),
        Index("idx_tickets_updated", "tenant_id", "updated_at", "id", postgresql_where=KEPT_SQL),
        Index("idx_tickets_open_updated", "tenant_id", "updated_at", "id", postgresql_where=ACTIVE_SQL),
        # With the column itself the index alone tells how many are due; the expression would need the table.
        Index(
            "idx_tickets_due",
            "tenant_id",
            DUE_SQL,
            "id",
            postgresql_where=ACTIVE_SQL,
            postgresql_include=["sla_due_at"],
        ),
        Index("idx_tickets_priority", "tenant_id", PRIORITY_SQL, "id", postgresql_where=ACTIVE_SQL),
        Index("idx_tickets_assignee", "tenant_id", "assigned_to", DUE_SQL, "id", postgresql_where=ACTIVE_SQL),
        Index("idx_tickets_open_company", "tenant_id", "customer_id", postgresql_where=ACTIVE_SQL),
        Index(
            "idx_tickets_rated",
            "tenant_id",
            "resolved_at",
            "id",
            postgresql_where=text("satisfaction_rating IS NOT NULL"),
        ),
        Index("idx_tickets_open_requester", "tenant_id", "requester_id", postgresql_where=ACTIVE_SQL),
        Index("idx_tickets_trashed", "tenant_id", "trashed_at", "id", postgresql_where=text("trashed_at IS NOT NULL")),
        Index("idx_tickets_merged", "tenant_id", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
    )

    # The database gives the number as the row's default; RETURNING brings it back in the same statement.
    __mapper_args__ = {"eager_defaults": True}

    id: Mapped[UuidKey]
    customer_id: Mapped[UUID] = mapped_column(Uuid, comment="the company it belongs to")
    requester_id: Mapped[UUID] = mapped_column(Uuid, comment="the login that asked")
    ticket_number: Mapped[str] = mapped_column(String(20), server_default=FetchedValue())
    subject: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text)
    description_html: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(50))
    priority: Mapped[TicketPriority] = mapped_column(
        str_enum(TicketPriority), default=TicketPriority.NORMAL, server_default="normal"
    )
    status: Mapped[TicketStatus] = mapped_column(
        str_enum(TicketStatus), default=TicketStatus.OPEN, server_default="open"
    )
    assigned_to: Mapped[UUID | None] = mapped_column(Uuid)

    sla_policy_id: Mapped[UUID | None] = mapped_column(Uuid)
    sla_due_at: Mapped[Moment | None] = mapped_column(comment="the due time that is pending now")
    sla_state: Mapped[str] = mapped_column(String(10), default="within", server_default="within")
    first_response_due_at: Mapped[Moment | None]
    resolution_due_at: Mapped[Moment | None]
    first_response_at: Mapped[Moment | None]
    resolved_at: Mapped[Moment | None]
    closed_at: Mapped[Moment | None]
    clock_started_at: Mapped[Moment]
    clock_cycle: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    clock_pauses: Mapped[JsonList] = mapped_column(comment="[[from, to or null, reason], …]")
    clock_fired: Mapped[JsonList] = mapped_column(comment="keys of the ladder's steps done in this cycle")
    escalation_level: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    satisfaction_rating: Mapped[int | None] = mapped_column(Integer)
    satisfaction_comment: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(20), default="portal", server_default="portal")
    tags: Mapped[JsonList]
    custom_fields: Mapped[JsonObject]
    custom_status: Mapped[str | None] = mapped_column(String(40), comment="key of the tenant's own status")
    next_response_due_at: Mapped[Moment | None]
    update_due_at: Mapped[Moment | None]
    customer_waits_since: Mapped[Moment | None] = mapped_column(comment="the oldest question without an answer")
    team_spoke_at: Mapped[Moment | None] = mapped_column(comment="the team's last public word; updates count from it")
    rounds_missed: Mapped[int] = mapped_column(
        Integer, default=0, server_default="0", comment="further answers and updates that came late in this cycle"
    )
    sla_policy_version: Mapped[int | None] = mapped_column(
        Integer, comment="the version it stays with, 0 for no promise; NULL follows the policies"
    )
    merged_into_id: Mapped[UUID | None] = mapped_column(Uuid)
    trashed_at: Mapped[Moment | None]
    minutes_spent: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    last_message: Mapped[str] = mapped_column(String(160), default="", comment="start of the newest public message")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]

    def is_active(self) -> bool:
        """Neither resolved nor closed nor cancelled."""
        return self.status in ACTIVE


class TicketMessage(Tenanted, Base):
    """One entry of the conversation; internal ones are for staff alone."""

    __tablename__ = "portal_ticket_messages"
    __table_args__ = (
        tenant_key(),
        tenant_reference("ticket_id", "portal_tickets"),
        Index("idx_ticket_messages_ticket", "tenant_id", "ticket_id", "created_at", "id"),
    )

    id: Mapped[UuidKey]
    ticket_id: Mapped[UUID] = mapped_column(Uuid)
    sender_type: Mapped[SenderType] = mapped_column(str_enum(SenderType))
    sender_id: Mapped[UUID] = mapped_column(Uuid)
    sender_name: Mapped[str] = mapped_column(String(100))
    message: Mapped[str] = mapped_column(Text)
    message_html: Mapped[str] = mapped_column(Text)
    attachments: Mapped[JsonList]
    is_internal: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    source: Mapped[str] = mapped_column(String(20), default="portal", server_default="portal")
    edited_at: Mapped[Moment | None]
    created_at: Mapped[CreatedAt]


class TicketEvent(Tenanted, Base):
    """A line of the timeline; `staff_only` ones never reach customers."""

    __tablename__ = "ticket_events"
    __table_args__ = (
        tenant_key(),
        tenant_reference("ticket_id", "portal_tickets"),
        Index("ix_ticket_events_ticket", "tenant_id", "ticket_id", "at", "id"),
    )

    id: Mapped[UuidKey]
    ticket_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[Moment]
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[UUID | None] = mapped_column(Uuid)
    actor_name: Mapped[str] = mapped_column(String(100))
    params: Mapped[JsonObject]
    staff_only: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
