"""How the team works with tickets: views, macros, statuses of its own, links, followers, time, assignment."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.tickets import TicketStatus
from portal.models.types import CreatedAt, JsonList, JsonObject, Moment, UuidKey, str_enum


class TicketView(Tenanted, Base):
    """A saved list: filters, columns and order; somebody's own, or shared by the team."""

    __tablename__ = "ticket_views"
    __table_args__ = (
        tenant_key(),
        tenant_reference("owner_id", "users"),
        Index("ix_ticket_views_audience", "tenant_id", "audience", "owner_id", "position"),
    )

    id: Mapped[UuidKey]
    audience: Mapped[str] = mapped_column(String(10), comment="staff or customer")
    owner_id: Mapped[UUID | None] = mapped_column(Uuid, comment="NULL: shared")
    name: Mapped[str] = mapped_column(String(60))
    filters: Mapped[JsonObject] = mapped_column(comment="the list's filters by name, as in its address")
    columns: Mapped[JsonList]
    sort: Mapped[str] = mapped_column(String(30), default="due", server_default="due")
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    created_at: Mapped[CreatedAt]


class Macro(Tenanted, Base):
    """A prepared answer with placeholders, and changes that go with it; for the team or for customers (H2.14)."""

    __tablename__ = "macros"
    __table_args__ = (
        tenant_key(),
        tenant_reference("owner_id", "users"),
        Index("ix_macros_audience", "tenant_id", "audience", "owner_id", "position"),
    )

    id: Mapped[UuidKey]
    audience: Mapped[str] = mapped_column(String(10), comment="staff or customer")
    owner_id: Mapped[UUID | None] = mapped_column(Uuid, comment="NULL: shared")
    name: Mapped[str] = mapped_column(String(80))
    texts: Mapped[JsonObject] = mapped_column(comment="locale -> text with {{placeholders}}")
    actions: Mapped[JsonObject] = mapped_column(comment="field changes: status, priority, assignee, add_tags")
    categories: Mapped[JsonList] = mapped_column(comment="category keys; empty means every one")
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    used: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    created_at: Mapped[CreatedAt]


class CustomStatus(Tenanted, Base):
    """A status of the tenant's own within one of ours, with a name for the team and one for customers."""

    __tablename__ = "ticket_statuses"
    __table_args__ = (tenant_key(), UniqueConstraint("tenant_id", "key"))

    id: Mapped[UuidKey]
    key: Mapped[str] = mapped_column(String(40))
    category: Mapped[TicketStatus] = mapped_column(str_enum(TicketStatus), comment="what it counts as everywhere")
    staff_names: Mapped[JsonObject] = mapped_column(comment="locale -> name")
    customer_names: Mapped[JsonObject] = mapped_column(comment="locale -> name")
    position: Mapped[int] = mapped_column(Integer, default=0)
    active: Mapped[bool] = mapped_column(Boolean, default=True)


class LinkKind(StrEnum):
    """How one ticket stands to another, read from the first to the second."""

    RELATED = "related"
    INCIDENT_OF = "incident_of"
    SPLIT_FROM = "split_from"
    MERGED_INTO = "merged_into"
    FOLLOWS_UP = "follows_up"


class TicketLink(Tenanted, Base):
    """Two tickets that have to do with each other."""

    __tablename__ = "ticket_links"
    __table_args__ = (
        tenant_key(),
        tenant_reference("ticket_id", "portal_tickets"),
        tenant_reference("other_id", "portal_tickets"),
        UniqueConstraint("tenant_id", "ticket_id", "other_id", "kind"),
        CheckConstraint("ticket_id <> other_id", name="not_to_itself"),
        Index("ix_ticket_links_other", "tenant_id", "other_id"),
    )

    id: Mapped[UuidKey]
    ticket_id: Mapped[UUID] = mapped_column(Uuid)
    other_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[LinkKind] = mapped_column(str_enum(LinkKind))
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[CreatedAt]


class TicketFollower(Tenanted, Base):
    """A colleague of the customer (CC) or of the team who hears of a ticket."""

    __tablename__ = "ticket_followers"
    __table_args__ = (
        tenant_reference("ticket_id", "portal_tickets"),
        tenant_reference("user_id", "users"),
        Index("ix_ticket_followers_user", "tenant_id", "user_id"),
    )

    ticket_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    added_by: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[CreatedAt]


class Draft(Tenanted, Base):
    """What somebody has typed and not sent; it survives a lost session."""

    __tablename__ = "drafts"
    __table_args__ = (tenant_reference("user_id", "users"),)

    user_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    place: Mapped[str] = mapped_column(String(80), primary_key=True, comment="new, reply:<ticket> or note:<ticket>")
    fields: Mapped[JsonObject]
    updated_at: Mapped[Moment]


class TimeEntry(Tenanted, Base):
    """Time somebody spent on a ticket."""

    __tablename__ = "time_entries"
    __table_args__ = (
        tenant_key(),
        tenant_reference("ticket_id", "portal_tickets"),
        tenant_reference("user_id", "users"),
        CheckConstraint("minutes BETWEEN 1 AND 1440", name="minutes_in_a_day"),
        Index("ix_time_entries_ticket", "tenant_id", "ticket_id", "spent_at"),
    )

    id: Mapped[UuidKey]
    ticket_id: Mapped[UUID] = mapped_column(Uuid)
    user_id: Mapped[UUID] = mapped_column(Uuid)
    minutes: Mapped[int] = mapped_column(Integer)
    note: Mapped[str] = mapped_column(String(255), default="", server_default="")
    billable: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    spent_at: Mapped[Moment]
    created_at: Mapped[CreatedAt]


class AssignmentRule(Tenanted, Base):
    """Who gets new tickets of some kind; the first rule that matches decides."""

    __tablename__ = "assignment_rules"
    __table_args__ = (tenant_key(), UniqueConstraint("tenant_id", "name"))

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(80))
    position: Mapped[int] = mapped_column(Integer, default=0)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    match_categories: Mapped[JsonList]
    match_priorities: Mapped[JsonList]
    match_companies: Mapped[JsonList]
    strategy: Mapped[str] = mapped_column(String(20), comment="round_robin, least_loaded or person")
    people: Mapped[JsonList] = mapped_column(comment="user ids; empty: everybody with the skills")
    skills: Mapped[JsonList] = mapped_column(comment="what one has to know")
    only_working: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    last_person: Mapped[UUID | None] = mapped_column(Uuid, comment="whose turn was last")
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")


class StaffProfile(Tenanted, Base):
    """What the rules of assignment know of a member of the team."""

    __tablename__ = "staff_profiles"
    __table_args__ = (tenant_reference("user_id", "users"), tenant_reference("calendar_id", "business_calendars"))

    user_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    skills: Mapped[JsonList]
    calendar_id: Mapped[UUID | None] = mapped_column(Uuid)
    absent_from: Mapped[Moment | None]
    absent_until: Mapped[Moment | None]
    most_open: Mapped[int | None] = mapped_column(Integer, comment="no new tickets beyond this many open ones")
    signature: Mapped[str] = mapped_column(Text, default="", server_default="")


class Presence(Tenanted, Base):
    """Who looks at a ticket or writes an answer right now; rows older than a minute mean nothing."""

    __tablename__ = "ticket_presence"
    __table_args__ = (
        tenant_reference("ticket_id", "portal_tickets"),
        tenant_reference("user_id", "users"),
        Index("ix_ticket_presence_user", "tenant_id", "user_id"),
    )

    ticket_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    activity: Mapped[str] = mapped_column(String(10), comment="viewing or replying")
    at: Mapped[Moment]


class SideConversation(Tenanted, Base):
    """Mail with somebody else about a ticket (a supplier, say); customers never see it."""

    __tablename__ = "side_conversations"
    __table_args__ = (
        tenant_key(),
        tenant_reference("ticket_id", "portal_tickets"),
        Index("ix_side_conversations_ticket", "tenant_id", "ticket_id"),
    )

    id: Mapped[UuidKey]
    ticket_id: Mapped[UUID] = mapped_column(Uuid)
    subject: Mapped[str] = mapped_column(String(200))
    recipient: Mapped[str] = mapped_column(String(254))
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[CreatedAt]
    closed_at: Mapped[Moment | None]


class SideMessage(Tenanted, Base):
    """One mail of a side conversation."""

    __tablename__ = "side_messages"
    __table_args__ = (
        tenant_key(),
        tenant_reference("conversation_id", "side_conversations"),
        Index("ix_side_messages_conversation", "tenant_id", "conversation_id", "created_at"),
    )

    id: Mapped[UuidKey]
    conversation_id: Mapped[UUID] = mapped_column(Uuid)
    inbound: Mapped[bool] = mapped_column(Boolean)
    sender_id: Mapped[UUID | None] = mapped_column(Uuid)
    sender_name: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedAt]


class BulkChange(Tenanted, Base):
    """A change of many tickets at once, with its result per ticket, and what an undo needs."""

    __tablename__ = "bulk_changes"
    __table_args__ = (tenant_key(), tenant_reference("user_id", "users"))

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(Uuid)
    action: Mapped[JsonObject]
    results: Mapped[JsonList] = mapped_column(comment="[{id, number, ok, code, before}, …]")
    created_at: Mapped[CreatedAt]
    undone_at: Mapped[Moment | None]


class ConfigVersion(Tenanted, Base):
    """An earlier state of something that is configured, to look at and to go back to."""

    __tablename__ = "config_versions"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("tenant_id", "record_type", "record_id", "version"),
    )

    id: Mapped[UuidKey]
    record_type: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[UUID] = mapped_column(Uuid)
    version: Mapped[int] = mapped_column(Integer)
    data: Mapped[JsonObject]
    saved_by: Mapped[UUID | None] = mapped_column(Uuid)
    saved_by_name: Mapped[str] = mapped_column(String(100))
    saved_at: Mapped[Moment]
