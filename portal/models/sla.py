"""Service levels: calendars, policies with their ladder, and the steps that come next."""

from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Tenanted, tenant_key, tenant_reference
from portal.models.types import CreatedAt, JsonList, JsonObject, Moment, UuidKey


class BusinessCalendar(Tenanted, Base):
    """When a team works: several intervals a day, holidays, one time zone."""

    __tablename__ = "business_calendars"
    __table_args__ = (tenant_key(), UniqueConstraint("tenant_id", "name"))

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(80))
    timezone: Mapped[str] = mapped_column(String(60))
    intervals: Mapped[JsonList] = mapped_column(comment="[[weekday 0=Monday, start minute, end minute], …]")
    holidays: Mapped[JsonList] = mapped_column(comment="ISO dates")


class SlaPolicy(Tenanted, Base):
    """A promise: which tickets it covers, its targets in working seconds, and its ladder."""

    __tablename__ = "sla_policies"
    __table_args__ = (
        tenant_key(),
        tenant_reference("calendar_id", "business_calendars"),
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("first_response_seconds > 0", name="first_response_positive"),
        CheckConstraint("resolution_seconds > 0", name="resolution_positive"),
        CheckConstraint("next_response_seconds > 0", name="next_response_positive"),
        CheckConstraint("update_seconds > 0", name="update_positive"),
    )

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(80))
    position: Mapped[int] = mapped_column(Integer, default=0, comment="the first that matches applies")
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    match_categories: Mapped[JsonList] = mapped_column(comment="category keys; empty means every one")
    match_priorities: Mapped[JsonList]
    match_companies: Mapped[JsonList] = mapped_column(comment="company ids; empty means every one")
    calendar_id: Mapped[UUID] = mapped_column(Uuid)
    first_response_seconds: Mapped[int | None] = mapped_column(Integer)
    resolution_seconds: Mapped[int | None] = mapped_column(Integer)
    next_response_seconds: Mapped[int | None] = mapped_column(Integer, comment="to each further question")
    update_seconds: Mapped[int | None] = mapped_column(Integer, comment="at least this often a word from the team")
    warn_before_seconds: Mapped[int | None] = mapped_column(Integer)
    auto_close_seconds: Mapped[int | None] = mapped_column(Integer, comment="elapsed, after the solution")
    pause_statuses: Mapped[JsonList]
    levels: Mapped[JsonList] = mapped_column(comment="[{metric, after_seconds, notify_role, assign_role}, …]")
    version: Mapped[int] = mapped_column(Integer, default=1)
    updated_at: Mapped[CreatedAt]


class NextStep(Tenanted, Base):
    """What will happen by itself, and when; written by the process, read by pages."""

    __tablename__ = "next_steps"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("tenant_id", "record_id", "key"),
        Index("ix_next_steps_record", "tenant_id", "record_id", "at"),
    )

    id: Mapped[UuidKey]
    record_type: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[UUID] = mapped_column(Uuid)
    key: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[Moment]
    staff_only: Mapped[bool] = mapped_column(Boolean, default=False)
    params: Mapped[JsonObject]
