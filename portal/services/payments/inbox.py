"""What the gateway tells: kept once per event, then looked into. An event only says where to look, never what is true.

Events belong to no tenant until their object was read: our own ids in its metadata say whose it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import NoResultFound

from portal.integrations.payment_gateway import PaymentGateway
from portal.integrations.payments import GatewayEventSeen, GatewayRefused, GatewayUnavailable
from portal.lib.faults import crash_point
from portal.models import GatewayEvent, PaymentMethod, Tenant
from portal.models.session import TenantSessions
from portal.services.payments.applying import Desk, GatewayMismatch, apply_payment
from portal.services.payments.methods import MethodFacts, renew_method
from portal.services.payments.setups import finish_setup

log = structlog.get_logger()
MOST_ATTEMPTS = 12
FOREIGN = "not of this portal"
# The pause doubles with each attempt, up to five minutes.
_WAITING = text(
    """
    SELECT id FROM gateway_events
    WHERE processed_at IS NULL AND attempts < :most
      AND received_at + CASE WHEN attempts = 0 THEN interval '0' ELSE
          least(power(2, attempts), 300) * interval '1 second' END <= :now
    ORDER BY received_at, id LIMIT :batch
    """
)


@dataclass(frozen=True)
class Office:
    """What looking into events needs, before it is known whose they are."""

    sessions: TenantSessions
    gateway: PaymentGateway
    base_url: str

    def desk(self, tenant_id: UUID) -> Desk:
        """The desk of the tenant that an object belongs to."""
        return Desk(self.sessions, self.gateway, tenant_id, self.base_url)


def store_events(sessions: TenantSessions, seen: Sequence[GatewayEventSeen], *, now: datetime) -> int:
    """Keep what was told and commit; what is known already changes nothing. Gives how many were new."""
    if not seen:
        return 0
    rows = [
        {
            "id": one.id,
            "kind": one.kind,
            "object_id": one.object_id,
            "created": one.created,
            "intent_id": one.intent_id,
            "customer_id": one.customer_id,
            "received_at": now,
        }
        for one in seen
    ]
    with sessions.begin_directory() as session:
        statement = insert(GatewayEvent).values(rows).on_conflict_do_nothing().returning(GatewayEvent.id)
        new = len(session.scalars(statement, execution_options={"all_tenants": True}).all())
        session.flush()
        crash_point("hook.pre_commit")
    crash_point("hook.post_commit")
    return new


def list_waiting(sessions: TenantSessions, *, now: datetime, batch: int = 50) -> list[str]:
    """Events that were not looked into yet, the oldest first."""
    with sessions.begin_directory() as session:
        found = session.connection().execute(_WAITING, {"now": now, "most": MOST_ATTEMPTS, "batch": batch})
        return [row.id for row in found]


def look_into(office: Office, event_id: str, *, now: datetime) -> bool:
    """Read the object that an event is about and book it; whether that is done. Safe to repeat."""
    with office.sessions.begin_directory() as session:
        event = session.scalar(
            select(GatewayEvent).where(GatewayEvent.id == event_id).execution_options(all_tenants=True)
        )
    if event is None or event.processed_at is not None:
        return True
    try:
        note = _look(office, event, now)
    except GatewayUnavailable as error:
        _mark(office.sessions, event_id, str(error), now=None)
        return False
    except (GatewayRefused, GatewayMismatch) as error:
        # It will answer the same again; the line stays for whoever looks.
        note = f"{type(error).__name__}: {error}"
        log.warning("gateway_event", id=event_id, kind=event.kind, error=note)
    _mark(office.sessions, event_id, note, now=now)
    return True


def _look(office: Office, event: GatewayEvent, now: datetime) -> str | None:
    gateway, object_id = office.gateway, event.object_id
    if object_id.startswith("cs_"):
        page = gateway.retrieve_session(object_id)
        desk = _desk(office, page.metadata.get("tenant_id"))
        if desk is None:
            return FOREIGN
        if page.mode == "setup":
            finish_setup(desk, page, now=now)
            return None
        return _apply(desk, page.metadata.get("payment_id"), now)
    if event.kind.startswith("payment_method."):
        return _renew_method(office, object_id, now)
    intent_id = event.intent_id
    if intent_id is None and object_id.startswith("re_"):
        intent_id = gateway.retrieve_refund(object_id).intent_id
    if intent_id is None and object_id.startswith(("du_", "dp_")):
        intent_id = gateway.retrieve_dispute(object_id).intent_id
    if intent_id is None:
        return None
    metadata = gateway.retrieve_intent(intent_id).metadata
    desk = _desk(office, metadata.get("tenant_id"))
    return FOREIGN if desk is None else _apply(desk, metadata.get("payment_id"), now)


def _apply(desk: Desk, payment_id: str | None, now: datetime) -> str | None:
    wanted = _uuid(payment_id)
    if wanted is None:
        return FOREIGN
    try:
        apply_payment(desk, wanted, now=now)
    except NoResultFound:
        return FOREIGN
    return None


def _renew_method(office: Office, token: str, now: datetime) -> str | None:
    """A bank sends a new card: what is shown of it follows."""
    found = office.gateway.retrieve_method(token)
    facts = MethodFacts(
        found.id, found.kind, found.brand, found.last4, found.exp_month, found.exp_year, found.fingerprint
    )
    with office.sessions.begin_directory() as session:
        tenants = list(session.scalars(select(Tenant.id).execution_options(all_tenants=True)))
    for tenant_id in tenants:
        with office.sessions.begin(tenant_id) as session:
            known = session.scalar(select(PaymentMethod).where(PaymentMethod.gateway_id == token).with_for_update())
            if known is not None:
                renew_method(session, known, facts, now=now)
                return None
    return FOREIGN


def _desk(office: Office, tenant_id: str | None) -> Desk | None:
    wanted = _uuid(tenant_id)
    return office.desk(wanted) if wanted else None


def _mark(sessions: TenantSessions, event_id: str, note: str | None, *, now: datetime | None) -> None:
    with sessions.begin_directory() as session:
        session.execute(
            update(GatewayEvent)
            .where(GatewayEvent.id == event_id, GatewayEvent.processed_at.is_(None))
            .values(processed_at=now, attempts=GatewayEvent.attempts + 1, error=note[:255] if note else None),
            execution_options={"all_tenants": True, "synchronize_session": False},
        )


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None
