"""The shapes of the demo world: plain frozen data that the seeder turns into rows.

Every time is an age in whole minutes before the moment of seeding, so that the world is as fresh in a year as today.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid5

Category = Literal["billing", "technical", "general", "feature_request", "drill"]
Priority = Literal["low", "normal", "high", "urgent"]
Status = Literal["open", "in_progress", "waiting_customer", "awaiting_payment", "resolved", "closed", "cancelled"]
Clock = Literal["within", "near", "breached", "paused", "met"]
Role = Literal["customer", "customer.admin", "agent", "manager", "billing", "designer", "tenant_admin"]

STAFF_ROLES: frozenset[Role] = frozenset({"agent", "manager", "billing", "designer", "tenant_admin"})
SYSTEM = "system"

# Chosen once. A new namespace would move every id of the demo world and break links people have kept.
_NAMESPACE = UUID("6b1f0c52-3d0a-5e5c-9a41-7f2f6f0d1e88")


def demo_uuid(*parts: str | int) -> UUID:
    """Return the stable id of a demo record: UUIDv5 of its parts, e.g. ``demo_uuid("demo", "ticket", "vpn-lyon")``."""
    return uuid5(_NAMESPACE, "/".join(str(part) for part in parts))


@dataclass(frozen=True)
class DemoMessage:
    """One message of a conversation; ``sender`` is a person's email address, or ``system``."""

    sender: str
    minutes_before_now: int
    text: str
    internal: bool = False


def note(sender: str, minutes_before_now: int, text: str) -> DemoMessage:
    """Return an internal note: staff read it, customers never do."""
    return DemoMessage(sender, minutes_before_now, text, internal=True)


@dataclass(frozen=True, kw_only=True)
class DemoTicket:
    """A ticket with its conversation; ``clock`` is what the SLA clock is meant to show right after seeding.

    The first message is the description. A cancelled ticket carries the time of its end in ``closed_minutes_ago``.
    """

    key: str
    number: int | None
    company: str
    requester: str
    subject: str
    category: Category
    priority: Priority
    status: Status
    created_minutes_ago: int
    messages: tuple[DemoMessage, ...]
    clock: Clock
    assignee: str | None = None
    first_response_minutes_ago: int | None = None
    resolved_minutes_ago: int | None = None
    closed_minutes_ago: int | None = None
    rating: int | None = None
    rating_comment: str | None = None
    tags: tuple[str, ...] = ()
    escalated_level: int = 0


@dataclass(frozen=True, kw_only=True)
class DemoPerson:
    """Someone who can sign in; ``company`` is a company's key, ``None`` for staff. Phones are E.164."""

    key: str
    email: str
    name: str
    role: Role
    locale: str
    timezone: str
    title: str
    phone: str | None = None
    company: str | None = None


@dataclass(frozen=True, kw_only=True)
class DemoCompany:
    """A customer company; ``country`` is ISO 3166-1 alpha-2, ``phone`` E.164."""

    key: str
    name: str
    customer_number: str
    city: str
    country: str
    phone: str


@dataclass(frozen=True, kw_only=True)
class DemoTenant:
    """A service provider with its brand, its people, its customers and their tickets."""

    key: str
    name: str
    slug: str
    locale: str
    locales: tuple[str, ...]
    timezone: str
    number_prefix: str
    support_email: str
    support_phone: str
    welcome_message: Mapping[str, str]
    mark_letter: str
    accent: str
    hosts: tuple[str, ...]
    companies: tuple[DemoCompany, ...]
    people: tuple[DemoPerson, ...]
    tickets: tuple[DemoTicket, ...]
    registration_open: bool = False
