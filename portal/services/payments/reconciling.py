"""Finding what nobody told us: the gateway's list of events each minute, and its payments at night."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import NoResultFound

from portal.integrations.payments import GatewayIntent
from portal.models import GatewayMark, Payment, PaymentStatus
from portal.models.session import TenantSessions
from portal.services.payments import telling
from portal.services.payments.applying import Desk, GatewayMismatch, apply_payment
from portal.services.payments.inbox import Office, store_events

log = structlog.get_logger()
EVENTS = "events"
# The gateway's clock and ours differ, and its list is not written in order.
OVERLAP = timedelta(minutes=10)
# How far back the first look goes.
FIRST_LOOK = timedelta(days=1)
COMPARED = timedelta(days=3)
BATCH = 100


@dataclass(frozen=True)
class Difference:
    """A payment about which gateway and ledger do not agree; amounts in minor units."""

    intent_id: str
    payment_id: UUID | None
    at_gateway: int
    in_ledger: int


def fetch_missed(office: Office, *, now: datetime) -> int:
    """Put into the inbox what the gateway's list has and no webhook brought; how many there were. Safe to repeat."""
    since = _marked(office.sessions, now) - OVERLAP
    newest, found = 0, 0
    events = office.gateway.list_events(since=since)
    while batch := list(islice(events, BATCH)):
        newest = max(newest, *(event.created for event in batch))
        found += store_events(office.sessions, batch, now=now)
    if newest:
        _mark(office.sessions, newest)
    return found


def compare_books(office: Office, *, now: datetime) -> list[Difference]:
    """Every payment of the last days at the gateway against ours; what differs is read again, then told to the team."""
    return list(_differences(office, now))


def _differences(office: Office, now: datetime) -> Iterator[Difference]:
    for intent in office.gateway.list_intents(since=now - COMPARED):
        tenant_id, payment_id = _uuid(intent.metadata.get("tenant_id")), _uuid(intent.metadata.get("payment_id"))
        if tenant_id is None or payment_id is None:
            # Somebody else's use of the same account.
            continue
        desk = office.desk(tenant_id)
        before = _booked(desk, payment_id)
        if before == _at_gateway(intent):
            continue
        try:
            apply_payment(desk, payment_id, now=now)
        except (NoResultFound, GatewayMismatch):
            log.error("payment_differs", intent=intent.id, payment=str(payment_id))
        after = _booked(desk, payment_id)
        if after != _at_gateway(intent):
            difference = Difference(intent.id, payment_id, _at_gateway(intent), after or 0)
            _tell(desk, difference, now)
            yield difference


def _at_gateway(intent: GatewayIntent) -> int:
    return intent.amount_received - intent.amount_refunded if intent.status == "succeeded" else 0


def _booked(desk: Desk, payment_id: UUID) -> int | None:
    with desk.sessions.begin(desk.tenant_id) as session:
        row = session.execute(
            select(Payment.status, Payment.amount, Payment.refunded).where(Payment.id == payment_id)
        ).first()
    if row is None:
        return None
    status, amount, refunded = row
    return amount - refunded if status is PaymentStatus.SUCCEEDED else 0


def _tell(desk: Desk, difference: Difference, now: datetime) -> None:
    with desk.sessions.begin(desk.tenant_id) as session:
        payment = session.get(Payment, difference.payment_id)
        if payment is not None:
            amount = abs(difference.at_gateway - difference.in_ledger)
            telling.tell_staff(session, payment, "payment_differs", amount, base_url=desk.base_url, now=now)


def _marked(sessions: TenantSessions, now: datetime) -> datetime:
    with sessions.begin_directory() as session:
        query = select(GatewayMark.created).where(GatewayMark.name == EVENTS)
        created = session.scalar(query.execution_options(all_tenants=True))
    return datetime.fromtimestamp(created, UTC) if created else now - FIRST_LOOK


def _mark(sessions: TenantSessions, created: int) -> None:
    with sessions.begin_directory() as session:
        row = insert(GatewayMark).values(name=EVENTS, created=created)
        session.execute(
            row.on_conflict_do_update(
                index_elements=["name"],
                set_={"created": row.excluded.created},
                where=GatewayMark.created < row.excluded.created,
            ),
            execution_options={"all_tenants": True},
        )


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None
