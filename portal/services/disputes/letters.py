"""Who hears of disputes and wishes for more time, by bell and by mail; asked twice about an event, each is told once.

The team's billing hears what customers do, by the bell. Whoever asked, and the company's administrators, hear what
the team says; a decision comes by mail, too, in their language. Files are told of to the other side.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import ActorKind, Permission, system_actor
from portal.events import tell
from portal.events.notifications import NotificationsCreated
from portal.lib.i18n import format_minute
from portal.lib.letters import translator
from portal.lib.money_format import format_amount
from portal.lib.wording import N_
from portal.lib.wording.disputes import OUTCOMES
from portal.models import DisputeOutcome, Membership, Notification, OutboxEvent, Tenant, User, UserKind, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity, build_identity, select_identity
from portal.services.accounts.messages import AccountMessage, Addressee, queue_mail
from portal.services.disputes.queries import DisputeRow, ExtensionRow, read_dispute, read_extension
from portal.services.tenants.directory import TenantProfile, load_profile

_EVIDENCE = "dispute.evidence_added"
# Event -> kind of the notice, and whether the team hears of it or the customer.
_TO_STAFF = {
    "dispute.opened": "dispute_opened",
    "dispute.withdrawn": "dispute_withdrawn",
    "extension.requested": "invoice_extension_requested",
    "extension.withdrawn": "invoice_extension_withdrawn",
}
_TO_CUSTOMER = {
    "dispute.under_review": "dispute_under_review",
    "dispute.resolved": "dispute_resolved",
    "extension.granted": "invoice_extension_granted",
    "extension.refused": "invoice_extension_refused",
}
_BY_MAIL = frozenset({"dispute_resolved", "invoice_extension_granted", "invoice_extension_refused"})


@dataclass(frozen=True)
class _Post:
    """What writing about one event needs."""

    session: TenantSession
    event: OutboxEvent
    row: DisputeRow | ExtensionRow
    tenant: TenantProfile
    base_url: str
    now: datetime

    @property
    def company_id(self) -> UUID:
        return self.row.dispute.customer_id if isinstance(self.row, DisputeRow) else self.row.wish.customer_id

    @property
    def asked_by(self) -> UUID | None:
        return self.row.dispute.opened_by if isinstance(self.row, DisputeRow) else self.row.wish.asked_by

    @property
    def number(self) -> str:
        return self.row.number if isinstance(self.row, DisputeRow) else str(self.row.invoice.number)


def answer_dispute(session: TenantSession, event_id: UUID, *, base_url: str, now: datetime) -> bool:
    """Write notices and mails of an event about a dispute or a request; False for events that are about neither."""
    event = session.get(OutboxEvent, event_id)
    if event is None or event.record_type not in ("dispute", "extension_request"):
        return False
    system = system_actor(session.tenant_id)
    read = read_dispute if event.record_type == "dispute" else read_extension
    row = read(session, event.record_id, actor=system)
    tenant = load_profile(session, session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one())
    post = _Post(session, event, row, tenant, base_url, now)
    if event.kind in _TO_STAFF:
        _ring(post, _TO_STAFF[event.kind], billing_team(session))
    elif event.kind == _EVIDENCE:
        if event.actor_kind == ActorKind.CUSTOMER:
            _ring(post, "dispute_evidence", billing_team(session))
        else:
            _ring(post, "dispute_evidence_ours", _customers(post))
    elif event.kind in _TO_CUSTOMER:
        kind = _TO_CUSTOMER[event.kind]
        for person in _ring(post, kind, _customers(post)):
            if kind in _BY_MAIL:
                _write(post, kind, person)
    return True


def _ring(post: _Post, kind: str, people: Iterable[Identity]) -> list[Identity]:
    others = [person for person in people if person.user.id != post.event.actor_id]
    params = {"number": post.number, "company": post.row.company_name}
    return ring(post.session, post.event, kind, others, params=params, now=post.now)


def ring(
    session: TenantSession,
    event: OutboxEvent,
    kind: str,
    people: Iterable[Identity],
    *,
    params: dict[str, Any],
    now: datetime,
) -> list[Identity]:
    """A notice for each; gives whom it is the first for, so that a repeat mails nobody twice."""
    told = []
    for person in people:
        values = {
            "id": uuid4(),
            "tenant_id": session.tenant_id,
            "user_id": person.user.id,
            "event_id": event.id,
            "kind": kind,
            "record_type": event.record_type,
            "record_id": event.record_id,
            "params": params,
            "created_at": now,
        }
        statement = insert(Notification).values(values).on_conflict_do_nothing().returning(Notification.user_id)
        if session.scalar(statement) is not None:
            told.append(person)
    if told:
        fact = NotificationsCreated(event.id, user_ids=tuple(person.user.id for person in told))
        tell(session, fact, actor=system_actor(session.tenant_id), now=now)
    return told


def _write(post: _Post, kind: str, person: Identity) -> None:
    user, tenant = person.user, post.tenant
    locale = user.locale if user.locale in tenant.locales and user.locale else tenant.locale
    row = post.row
    params, facts = _about_dispute(row, locale) if isinstance(row, DisputeRow) else _about_extension(row, locale)
    path = f"/portal/disputes/{post.event.record_id}"
    if isinstance(row, ExtensionRow):
        path = f"/portal/invoices/{row.invoice.id}"
    queue_mail(
        post.session,
        AccountMessage(kind, path=path, params=params, facts=facts, folder="disputes"),
        Addressee(person.email, person.person_name, user.id, user.locale, user.timezone),
        tenant=tenant,
        base_url=post.base_url,
        actor=system_actor(post.session.tenant_id),
        now=post.now,
    )


def _about_dispute(row: DisputeRow, locale: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    dispute = row.dispute
    outcome = dispute.outcome.value if dispute.outcome else ""
    if dispute.outcome is DisputeOutcome.ACCEPTED and dispute.accepted < dispute.amount:
        outcome = "partly"
    facts = [
        (N_("Invoice") if dispute.invoice_id else N_("Payment"), row.number),
        (N_("Disputed"), format_amount(dispute.amount, dispute.currency, locale)),
        (N_("Decision"), translator(locale)(OUTCOMES[outcome]) if outcome else ""),
        (N_("Credited") if dispute.invoice_id else N_("Refund"), _amount(dispute.accepted, dispute.currency, locale)),
    ]
    params = {
        "number": row.number,
        "outcome": outcome,
        "quote": dispute.answer,
        "amount": format_amount(dispute.accepted, dispute.currency, locale),
        "refunded": dispute.payment_id is not None,
    }
    return params, [(label, value) for label, value in facts if value]


def _about_extension(row: ExtensionRow, locale: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    invoice = row.invoice
    due = _day(row.wish.granted_on or invoice.due_on, locale)
    facts = [
        (N_("Invoice"), str(invoice.number)),
        (N_("Outstanding"), format_amount(invoice.outstanding, invoice.currency, locale)),
        (N_("Due date"), due),
    ]
    return {"number": invoice.number, "due": due, "quote": row.wish.answer}, facts


def _amount(amount: int, currency: str, locale: str) -> str:
    return format_amount(amount, currency, locale) if amount else ""


def _day(day: date | None, locale: str) -> str:
    return format_minute(datetime.combine(day, time(12), UTC), locale, "UTC", "d MMMM y") if day else ""


def billing_team(session: TenantSession) -> list[Identity]:
    """Whoever of the team decides about invoices now."""
    people = find_people(session, User.kind == UserKind.STAFF)
    return [person for person in people if person.actor.may(Permission.BILLING_MANAGE)]


def _customers(post: _Post) -> list[Identity]:
    return concerned(post.session, post.company_id, post.asked_by)


def concerned(session: TenantSession, company: UUID, asked_by: UUID | None) -> list[Identity]:
    """Whoever asked, and the company's administrators, as far as they may read its invoices now."""
    members = select(Membership.user_id).where(Membership.company_id == company)
    people = find_people(session, User.id.in_(members), User.kind == UserKind.CUSTOMER)
    return [
        person
        for person in people
        if person.actor.may(Permission.INVOICES_READ)
        and company in person.actor.company_ids
        and (person.user.id == asked_by or company in person.actor.admin_company_ids)
    ]


def find_people(session: TenantSession, *conditions: Any) -> list[Identity]:
    """Those with an active login, the oldest first."""
    query = select_identity().where(*conditions, User.status == UserStatus.ACTIVE, User.portal_access)
    return [build_identity(row) for row in session.execute(query.order_by(User.created_at, User.id))]
