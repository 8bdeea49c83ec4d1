"""Every table of the product, so that `from portal.models import Ticket` is all a reader needs."""

from portal.models.accounts import (
    AuthSession,
    Company,
    IdempotencyKey,
    Membership,
    Person,
    RefreshToken,
    Role,
    TokenFamily,
    User,
    UserKind,
    UserStatus,
)
from portal.models.base import Base, Tenanted
from portal.models.conversations import Conversation, Message
from portal.models.knowledge import KbArticle, KbCategory
from portal.models.notifications import MailMessage, MailState, Notification
from portal.models.outbox import AuditEntry, OutboxEvent
from portal.models.sla import BusinessCalendar, NextStep, SlaPolicy
from portal.models.tenants import Heartbeat, Tenant, TenantCounter, TenantDomain
from portal.models.tickets import (
    ACTIVE,
    ACTIVE_SQL,
    DUE_SQL,
    FINAL,
    MOVES,
    PRIORITY_RANK,
    PRIORITY_SQL,
    SenderType,
    Ticket,
    TicketCategory,
    TicketEvent,
    TicketMessage,
    TicketPriority,
    TicketStatus,
)

__all__ = [
    "ACTIVE",
    "ACTIVE_SQL",
    "DUE_SQL",
    "FINAL",
    "MOVES",
    "PRIORITY_RANK",
    "PRIORITY_SQL",
    "AuditEntry",
    "AuthSession",
    "Base",
    "BusinessCalendar",
    "Company",
    "Conversation",
    "Heartbeat",
    "IdempotencyKey",
    "KbArticle",
    "KbCategory",
    "MailMessage",
    "MailState",
    "Membership",
    "Message",
    "NextStep",
    "Notification",
    "OutboxEvent",
    "Person",
    "RefreshToken",
    "Role",
    "SenderType",
    "SlaPolicy",
    "Tenant",
    "TenantCounter",
    "TenantDomain",
    "Tenanted",
    "Ticket",
    "TicketCategory",
    "TicketEvent",
    "TicketMessage",
    "TicketPriority",
    "TicketStatus",
    "TokenFamily",
    "User",
    "UserKind",
    "UserStatus",
]
