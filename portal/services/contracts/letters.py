"""Who hears of a contract, by bell and by mail, in their language; asked twice about an event, each is told once.

- Asked to sign, and reminded: those whose turn it is, and after each signature those whose turn comes by it.
- That somebody signed or declined, that it was voided: everybody who signs or has signed, and who drafted it.
- That the signed copy is ready, and that a contract ends soon: the same, by mail.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import system_actor
from portal.events import tell
from portal.events.notifications import NotificationsCreated
from portal.lib.links import contract_path
from portal.lib.wording import N_
from portal.models import (
    Contract,
    ContractStatus,
    Notification,
    OutboxEvent,
    Signature,
    Tenant,
    User,
    UserStatus,
)
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity, build_identity, select_identity
from portal.services.accounts.messages import AccountMessage, Addressee, queue_mail
from portal.services.contracts.document import written_day
from portal.services.contracts.queries import RECORD
from portal.services.signing.queries import is_their_turn, list_signatures
from portal.services.tenants.directory import TenantProfile, load_profile

_BY_MAIL = frozenset(
    {
        "contract_to_sign",
        "contract_reminder",
        "contract_declined",
        "contract_voided",
        "contract_sealed",
        "contract_expiring",
    }
)
_ASKS = {"contract.sent": "contract_to_sign", "contract.reminded": "contract_reminder"}
# The signed copy tells everybody that all have signed, so the last signature alone is news by the bell only.
_TELLS = {
    "contract.part_signed": "contract_part_signed",
    "contract.signed": "contract_signed",
    "contract.declined": "contract_declined",
    "contract.voided": "contract_voided",
    "contract.sealed": "contract_sealed",
    "contract.expiring": "contract_expiring",
}


@dataclass(frozen=True)
class _Desk:
    """What writing about a contract needs."""

    session: TenantSession
    event: OutboxEvent
    contract: Contract
    places: Sequence[Signature]
    people: dict[UUID, Identity]
    base_url: str
    now: datetime


def answer_contract(session: TenantSession, event_id: UUID, *, base_url: str, now: datetime) -> bool:
    """Write notices and mails of an event about a contract; False for events that are about none."""
    event = session.get(OutboxEvent, event_id)
    if event is None or event.record_type != RECORD:
        return False
    contract = session.scalar(select(Contract).where(Contract.id == event.record_id))
    if contract is None or contract.sent_at is None or event.kind not in _ASKS.keys() | _TELLS.keys():
        return True
    places = list_signatures(session, RECORD, contract.id)
    people = _people(session, contract, places)
    desk = _Desk(session, event, contract, places, people, base_url, now)
    tenant = load_profile(session, session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one())
    for kind, person in _who_hears(desk):
        if _ring(desk, kind, person) and kind in _BY_MAIL:
            _write(desk, kind, person, tenant)
    return True


def _who_hears(desk: _Desk) -> Iterable[tuple[str, Identity]]:
    kind = desk.event.kind
    if kind in _ASKS:
        yield from ((_ASKS[kind], person) for person in _whose_turn(desk))
        return
    asked = []
    if kind == "contract.part_signed" and desk.contract.in_order:
        asked = _whose_turn(desk)
        yield from (("contract_to_sign", person) for person in asked)
    own_deed = desk.event.actor_id
    for person in desk.people.values():
        if person not in asked and (person.user.id != own_deed or kind == "contract.sealed"):
            yield _TELLS[kind], person


def _whose_turn(desk: _Desk) -> list[Identity]:
    contract, places = desk.contract, desk.places
    if contract.status is not ContractStatus.SENT:
        return []
    turn = [place for place in places if is_their_turn(place, places, in_order=contract.in_order)]
    return [desk.people[place.user_id] for place in turn if place.user_id in desk.people]


def _people(session: TenantSession, contract: Contract, places: Sequence[Signature]) -> dict[UUID, Identity]:
    """Signers who may still see it, and who drafted it."""
    wanted = {place.user_id for place in places} | ({contract.created_by} if contract.created_by else set())
    rows = session.execute(
        select_identity()
        .where(User.id.in_(wanted), User.status == UserStatus.ACTIVE, User.portal_access)
        .order_by(User.created_at, User.id)
    )
    found = [build_identity(row) for row in rows]
    return {
        person.user.id: person
        for person in found
        if person.actor.is_staff or contract.customer_id in person.actor.company_ids
    }


def _ring(desk: _Desk, kind: str, person: Identity) -> bool:
    """One notice; whether it is the first about this event, so that a repeat mails nobody twice."""
    session = desk.session
    written = session.scalar(
        insert(Notification)
        .values(
            id=uuid4(),
            tenant_id=session.tenant_id,
            user_id=person.user.id,
            event_id=desk.event.id,
            kind=kind,
            record_type=RECORD,
            record_id=desk.contract.id,
            params={"number": desk.contract.number, "actor": _actor_name(desk)},
            created_at=desk.now,
        )
        .on_conflict_do_nothing()
        .returning(Notification.user_id)
    )
    if written is None:
        return False
    actor = system_actor(session.tenant_id)
    tell(session, NotificationsCreated(desk.event.id, user_ids=(person.user.id,)), actor=actor, now=desk.now)
    return True


def _write(desk: _Desk, kind: str, person: Identity, tenant: TenantProfile) -> None:
    contract = desk.contract
    locale = person.user.locale if person.user.locale in tenant.locales and person.user.locale else tenant.locale
    params: dict[str, Any] = {
        "number": contract.number,
        "topic": contract.title,
        "actor": _actor_name(desk),
        "quote": contract.void_reason if kind in ("contract_declined", "contract_voided") else "",
        "ends": written_day(contract.ends_on, locale),
    }
    facts = [(N_("Contract"), contract.number), (N_("Subject"), contract.title)]
    message = AccountMessage(
        kind,
        path=contract_path(contract.id, staff=person.actor.is_staff),
        params=params,
        facts=facts,
        folder="contracts",
    )
    addressee = Addressee(person.email, person.person_name, person.user.id, person.user.locale, person.user.timezone)
    queue_mail(
        desk.session,
        message,
        addressee,
        tenant=tenant,
        base_url=desk.base_url,
        actor=system_actor(desk.session.tenant_id),
        now=desk.now,
    )


def _actor_name(desk: _Desk) -> str:
    if desk.event.actor_id is None:
        return ""
    found = desk.people.get(desk.event.actor_id)
    return found.person_name if found else ""
