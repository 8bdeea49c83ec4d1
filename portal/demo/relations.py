"""What lies between Kestrel's tickets: links, mail with a carrier, and an advertisement in the trash."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from portal.authz import Actor, ActorKind
from portal.demo.addresses import BEN, MIA, SAM
from portal.demo.content import DemoMessage, DemoPerson, DemoTenant, DemoTicket, demo_uuid
from portal.demo.tickets import seed_ticket
from portal.models import LinkKind, Role, SideConversation, SideMessage, Ticket, TicketEvent, TicketLink
from portal.models.session import TenantSession
from portal.services.tickets.policies import PolicyTerms
from portal.services.tickets.trash import trash_ticket

LINKS = (
    ("intranet-certificate", "shop-certificate", LinkKind.RELATED, SAM),
    ("aisle-seven-wifi", "guest-wifi-fair", LinkKind.RELATED, MIA),
)
CARRIER = "orders@line-carrier.example"
SIDE_TICKET = "graz-line-initech"
SIDE_MAILS = (
    (MIA, 280, "Good morning,\n\nwe need a line of 500/500 in Graz, second floor, for twelve people. From which day "
     "can your technician be there, and what do you need from the landlord?"),
    ("", 190, "Good morning Ms Lindqvist,\n\nour technician can be there on the 12th at nine. The riser has to be "
     "unlocked, and we need the landlord's signature on the attached form.\n\nKind regards, order desk"),
)  # fmt: skip
ADVERTISEMENT = DemoTicket(
    key="advertisement", number=999, company="acme", requester=BEN,
    subject="RE: RE: be on page one of every search engine",
    category="general", priority="low", status="open", created_minutes_ago=3000, clock="within",
    messages=(DemoMessage(BEN, 3000, "Dear owner of the web site, we looked at your rank and were sad. Only today: "
                          "five hundred links for the price of one."),),
)  # fmt: skip
TRASHED_MINUTES_AGO = 2900


def seed_relations(
    session: TenantSession,
    tenant: DemoTenant,
    *,
    users: dict[str, DemoPerson],
    policies: Sequence[PolicyTerms],
    now: datetime,
) -> None:
    """Write them, for the one tenant whose people know of them."""
    if tenant.key != "demo":
        return
    for first, second, kind, by in LINKS:
        _add_link(session, tenant, first, second, kind, users[by], now)
    _add_side_conversation(session, tenant, users, now)
    ticket = seed_ticket(session, tenant, ADVERTISEMENT, users=users, policies=policies, now=now)
    _trash(session, tenant, ticket, users[SAM], now - timedelta(minutes=TRASHED_MINUTES_AGO))


def _add_link(
    session: TenantSession,
    tenant: DemoTenant,
    first: str,
    second: str,
    kind: LinkKind,
    by: DemoPerson,
    now: datetime,
) -> None:
    ids = [demo_uuid(tenant.key, "ticket", key) for key in (first, second)]
    user = demo_uuid(tenant.key, "user", by.email)
    at = now - timedelta(minutes=120)
    session.add(TicketLink(ticket_id=ids[0], other_id=ids[1], kind=kind, created_by=user, created_at=at))


def _add_side_conversation(
    session: TenantSession, tenant: DemoTenant, users: dict[str, DemoPerson], now: datetime
) -> None:
    ticket_id = demo_uuid(tenant.key, "ticket", SIDE_TICKET)
    conversation = SideConversation(
        id=demo_uuid(tenant.key, "side", SIDE_TICKET),
        ticket_id=ticket_id,
        subject="Line for Graz: dates",
        recipient=CARRIER,
        created_by=demo_uuid(tenant.key, "user", MIA),
        created_at=now - timedelta(minutes=SIDE_MAILS[0][1]),
    )
    session.add(conversation)
    session.flush()
    for email, minutes, body in SIDE_MAILS:
        at, ours = now - timedelta(minutes=minutes), bool(email)
        session.add(
            SideMessage(
                conversation_id=conversation.id,
                inbound=not ours,
                sender_id=demo_uuid(tenant.key, "user", email) if ours else None,
                sender_name=users[email].name if ours else "Order desk",
                body=body,
                created_at=at,
            )
        )
        params = {"to": CARRIER} if ours else {"by": "Order desk"}
        kind = "side_opened" if ours else "side_answered"
        _add_event(session, tenant, ticket_id, kind, users[MIA] if ours else None, at, params)


def _trash(session: TenantSession, tenant: DemoTenant, ticket: Ticket, by: DemoPerson, at: datetime) -> None:
    actor = Actor(
        kind=ActorKind.STAFF,
        tenant_id=session.tenant_id,
        name=by.name,
        user_id=demo_uuid(tenant.key, "user", by.email),
        roles=frozenset({Role.AGENT}),
    )
    reason = "Advertisement, came by a rule of Ben’s mailbox"
    trash_ticket(session, ticket.id, reason=reason, actor=actor, now=at)


def _add_event(
    session: TenantSession,
    tenant: DemoTenant,
    ticket_id: Any,
    kind: str,
    by: DemoPerson | None,
    at: datetime,
    params: dict[str, str],
) -> None:
    session.add(
        TicketEvent(
            ticket_id=ticket_id,
            kind=kind,
            at=at,
            actor_kind="staff" if by else "system",
            actor_id=demo_uuid(tenant.key, "user", by.email) if by else None,
            actor_name=by.name if by else "",
            params=params,
            staff_only=True,
        )
    )
