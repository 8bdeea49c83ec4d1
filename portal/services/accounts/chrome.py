"""The counts and the state in the frame of every page, read by the statement that checks the session."""

from typing import Any

from sqlalchemy import Boolean, Uuid, any_, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from portal.models import (
    ACTIVE_SQL,
    Company,
    Heartbeat,
    Membership,
    Notification,
    Role,
    Ticket,
    TicketFollower,
    User,
)

COUNT_CAP = 1000
# `users` has a status as well, so the table is named.
ACTIVE_TICKET = f"portal_tickets.{ACTIVE_SQL.text}"


def chrome_columns(door: str) -> tuple[Any, ...]:
    """(open tickets, unread notices, oldest sign of life), counts to 1,001 at most, for the login in the row."""
    return (_open_tickets() if door == "portal" else _own_open_tickets(), _unread(), _sign_of_life())


def _capped(query: Any) -> Any:
    return select(func.count()).select_from(query.limit(COUNT_CAP + 1).subquery()).scalar_subquery()


def _sign_of_life() -> Any:
    """When worker and Temporal were last both known to be alive; NULL where one never was."""
    return (
        select(func.min(Heartbeat.at))
        .where(Heartbeat.name.in_(("worker", "temporal")))
        .having(func.count() == 2)
        .scalar_subquery()
    )


def _unread() -> Any:
    return _capped(
        select(Notification.id)
        .where(
            Notification.tenant_id == User.tenant_id,
            Notification.user_id == User.id,
            Notification.read_at.is_(None),
        )
        .correlate(User)
    )


def _whole_companies() -> Any:
    """The companies all of whose tickets the login sees, as an array so that the index of tickets serves."""
    rows = (
        select(Membership.company_id)
        .join(Company, (Company.tenant_id == Membership.tenant_id) & (Company.id == Membership.company_id))
        .where(
            Membership.tenant_id == User.tenant_id,
            Membership.user_id == User.id,
            or_(Membership.role == Role.CUSTOMER_ADMIN, Company.shares_tickets),
        )
        .correlate(User)
    )
    return func.array(rows.scalar_subquery(), type_=ARRAY(Uuid))


def _companies() -> Any:
    rows = select(Membership.company_id).where(Membership.tenant_id == User.tenant_id, Membership.user_id == User.id)
    return func.array(rows.correlate(User).scalar_subquery(), type_=ARRAY(Uuid))


def _followed() -> Any:
    rows = select(TicketFollower.ticket_id).where(
        TicketFollower.tenant_id == User.tenant_id, TicketFollower.user_id == User.id
    )
    return func.array(rows.correlate(User).scalar_subquery(), type_=ARRAY(Uuid))


def _open_tickets() -> Any:
    """What `visible_to` shows a customer, without its OR: whole companies, own ones elsewhere, what is followed."""
    whole = _whole_companies()
    active = literal_column(ACTIVE_TICKET, Boolean)
    elsewhere = ~(Ticket.customer_id == any_(whole))
    company = select(Ticket.id).where(Ticket.tenant_id == User.tenant_id, Ticket.customer_id == any_(whole), active)
    own = select(Ticket.id).where(Ticket.tenant_id == User.tenant_id, Ticket.requester_id == User.id, elsewhere, active)
    followed = select(Ticket.id).where(
        Ticket.tenant_id == User.tenant_id,
        Ticket.id == any_(_followed()),
        Ticket.requester_id != User.id,
        Ticket.customer_id == any_(_companies()),
        elsewhere,
        active,
    )
    return _capped(company.correlate(User)) + _capped(own.correlate(User)) + _capped(followed.correlate(User))


def _own_open_tickets() -> Any:
    return _capped(
        select(Ticket.id)
        .where(
            Ticket.tenant_id == User.tenant_id, Ticket.assigned_to == User.id, literal_column(ACTIVE_TICKET, Boolean)
        )
        .correlate(User)
    )
