"""Colleagues of the demo world who follow a ticket, and views that somebody saved."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.demo.content import DemoTenant, demo_uuid
from portal.models import TicketEvent, TicketFollower, TicketView
from portal.models.session import TenantSession


@dataclass(frozen=True)
class DemoFollower:
    """`follower` was added to a ticket by `by` some minutes ago; both are (address, name)."""

    ticket: str
    follower: tuple[str, str]
    by: tuple[str, str]
    minutes_ago: int


@dataclass(frozen=True)
class DemoView:
    """Filters that a customer keeps under a name."""

    owner: str
    name: str
    filters: tuple[tuple[str, str], ...]


_LENA, _BEN = ("lena@acme.example", "Lena Vogt"), ("ben@acme.example", "Ben Keller")
_PAUL, _CHLOE = ("paul@globex.example", "Paul Girard"), ("chloe@globex.example", "Chloe Laurent")
KESTREL_FOLLOWERS = (
    DemoFollower("vpn-lyon", _LENA, _BEN, 25),
    DemoFollower("sftp-carrier-globex", _PAUL, _CHLOE, 60),
)
KESTREL_VIEWS = (
    DemoView("ana@acme.example", "Urgent and open", (("view", "open"), ("priority", "urgent"))),
    DemoView("ana@acme.example", "Billing questions", (("view", "all"), ("category", "billing"))),
    DemoView("chloe@globex.example", "En attente de nous", (("view", "waiting"),)),
)


def seed_colleagues(session: TenantSession, tenant: DemoTenant, *, now: datetime) -> None:
    """Write followers with their lines of the timeline, and saved views; the tickets are there already."""
    if tenant.key != "demo":
        return
    for one in KESTREL_FOLLOWERS:
        at, ticket_id = now - timedelta(minutes=one.minutes_ago), demo_uuid(tenant.key, "ticket", one.ticket)
        added_by = demo_uuid(tenant.key, "user", one.by[0])
        follower_id = demo_uuid(tenant.key, "user", one.follower[0])
        session.add(TicketFollower(ticket_id=ticket_id, user_id=follower_id, added_by=added_by, created_at=at))
        session.add(
            TicketEvent(
                id=demo_uuid(tenant.key, "follower", one.ticket, one.follower[0]),
                ticket_id=ticket_id,
                kind="follower_added",
                at=at,
                actor_kind="customer",
                actor_id=added_by,
                actor_name=one.by[1],
                params={"name": one.follower[1]},
            )
        )
    for position, view in enumerate(KESTREL_VIEWS):
        session.add(
            TicketView(
                id=demo_uuid(tenant.key, "view", view.owner, view.name),
                audience="customer",
                owner_id=demo_uuid(tenant.key, "user", view.owner),
                name=view.name,
                filters=dict(view.filters),
                columns=[],
                sort="-updated",
                position=position,
                created_at=now - timedelta(days=20 - position),
            )
        )
