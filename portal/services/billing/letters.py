"""Who hears of an invoice, by bell and by mail, in their language; asked twice about an event, each is told once."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Permission, system_actor
from portal.events import tell
from portal.events.notifications import NotificationsCreated
from portal.lib.i18n import format_minute
from portal.lib.money_format import format_amount
from portal.lib.wording import N_
from portal.models import (
    Company,
    Invoice,
    InvoiceStatus,
    Membership,
    Notification,
    OutboxEvent,
    Role,
    Tenant,
    User,
    UserKind,
    UserStatus,
)
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity, build_identity, select_identity
from portal.services.accounts.messages import AccountMessage, Addressee, queue_mail, queue_text
from portal.services.billing.reminders import Choice, choices_of, is_meant
from portal.services.tenants.directory import TenantProfile, load_profile

# Event -> (kind of the notice and template of the mail, whether customers get a mail, whether billing hears, too).
_TOLD: dict[str, tuple[str, bool, bool]] = {
    "invoice.issued": ("invoice_issued", True, False),
    "invoice.overdue": ("invoice_overdue", False, True),
    "invoice.reminded": ("invoice_reminder", True, False),
    "invoice.voided": ("invoice_voided", True, False),
    "invoice.credited": ("invoice_credited", True, False),
}
COPY = "invoice_copy"
REMINDED = "invoice.reminded"
REMINDER = "invoice_reminder"


@dataclass(frozen=True)
class _Desk:
    """What writing about an invoice needs."""

    session: TenantSession
    invoice: Invoice
    tenant: TenantProfile
    base_url: str
    now: datetime


def answer_invoice(session: TenantSession, event_id: UUID, *, base_url: str, now: datetime) -> bool:
    """Write notices and mails of an event about an invoice; False for events that are about none."""
    event = session.get(OutboxEvent, event_id)
    if event is None or event.record_type != "invoice" or event.kind not in _TOLD:
        return False
    invoice = session.scalar(select(Invoice).where(Invoice.id == event.record_id))
    if invoice is None or _is_over(event.kind, invoice):
        return True
    kind, by_mail, staff_too = _TOLD[event.kind]
    desk = _Desk(session, invoice, _profile(session), base_url, now)
    people = [person for person in _readers(desk, staff_too) if person.user.id != event.actor_id]
    choices = choices_of(session, [person.user.id for person in people]) if event.kind == REMINDED else {}
    if event.kind == REMINDED:
        step, at = str(event.payload["step"]), event.occurred_at
        people = [person for person in people if is_meant(choices.get(person.user.id), step, invoice, at)]
    told = _ring(desk, event, kind, people)
    for person in people:
        if by_mail and person.user.id in told and not person.actor.is_staff:
            _send(desk, kind, person, choices.get(person.user.id))
    return True


def _send(desk: _Desk, kind: str, person: Identity, choice: Choice | None) -> None:
    """By the ways somebody chose; a number that is proven no more gets a mail in its place."""
    by_text = choice is not None and choice.by_text and choice.phone is not None
    if choice is None or choice.by_mail or not by_text:
        send_letter(desk, kind, person)
    if choice is not None and by_text:
        send_letter(desk, kind, person, phone=choice.phone)


def _is_over(kind: str, invoice: Invoice) -> bool:
    """Whether there is nothing left to remind of by the time the mail is written."""
    settled = invoice.status in (InvoiceStatus.PAID, InvoiceStatus.VOID) or invoice.undisputed == 0
    return settled and kind in ("invoice.overdue", "invoice.reminded")


def mail_copy(session: TenantSession, invoice: Invoice, person: Identity, *, base_url: str, now: datetime) -> None:
    """Mail an invoice to somebody who asked for it (BIL-08)."""
    send_letter(_Desk(session, invoice, _profile(session), base_url, now), COPY, person)


def send_letter(desk: _Desk, template: str, to: Identity, *, phone: str | None = None) -> None:
    """Queue the mail `templates/mail/billing/<template>.txt` in the person's language; a text message to a phone."""
    invoice, tenant = desk.invoice, desk.tenant
    locale = to.user.locale if to.user.locale in tenant.locales and to.user.locale else tenant.locale
    params = {
        "number": invoice.number,
        "amount": format_amount(
            invoice.undisputed if template == REMINDER else invoice.outstanding, invoice.currency, locale
        ),
        "due": _day(invoice, locale),
        "overdue": invoice.plan_due_at is None and invoice.due_at is not None and invoice.due_at <= desk.now,
        "reason": invoice.void_reason,
    }
    facts = [
        (N_("Invoice"), str(invoice.number)),
        (N_("Total"), format_amount(invoice.total, invoice.currency, locale)),
        (N_("Outstanding"), format_amount(invoice.outstanding, invoice.currency, locale)),
    ]
    if params["due"]:
        facts.append((N_("Due date"), str(params["due"])))
    message = AccountMessage(
        template, path=f"/portal/invoices/{invoice.id}", params=params, facts=facts, folder="billing"
    )
    addressee = Addressee(phone or to.email, to.person_name, to.user.id, to.user.locale, to.user.timezone)
    queue = queue_text if phone else queue_mail
    queue(
        desk.session,
        message,
        addressee,
        tenant=tenant,
        base_url=desk.base_url,
        actor=system_actor(desk.session.tenant_id),
        now=desk.now,
    )


def _day(invoice: Invoice, locale: str) -> str:
    if invoice.due_on is None:
        return ""
    return format_minute(datetime.combine(invoice.due_on, time(12), UTC), locale, "UTC", "d MMMM y")


def _readers(desk: _Desk, staff_too: bool) -> list[Identity]:
    """Logins of the company that may read invoices; where it matters to the team, those who do the billing."""
    member = select(Membership.user_id).where(Membership.company_id == desk.invoice.customer_id)
    billing = select(Membership.user_id).where(Membership.role == Role.BILLING)
    rows = desk.session.execute(
        select_identity()
        .where(
            User.id.in_(member) | (User.kind == UserKind.STAFF) & User.id.in_(billing)
            if staff_too
            else User.id.in_(member),
            User.status == UserStatus.ACTIVE,
            User.portal_access,
        )
        .order_by(User.created_at, User.id)
    )
    people = [build_identity(row) for row in rows]
    needed = {True: Permission.BILLING_READ, False: Permission.INVOICES_READ}
    return [person for person in people if person.actor.may(needed[person.actor.is_staff])]


def _ring(desk: _Desk, event: OutboxEvent, kind: str, people: list[Identity]) -> set[UUID]:
    """Notices of the event; gives who had none before, so that a repeat mails nobody twice."""
    if not people:
        return set()
    rows = [
        {
            "id": uuid4(),
            "tenant_id": desk.session.tenant_id,
            "user_id": person.user.id,
            "event_id": event.id,
            "kind": kind,
            "record_type": "invoice",
            "record_id": desk.invoice.id,
            "params": _params(desk, person),
            "created_at": desk.now,
        }
        for person in people
    ]
    written = desk.session.scalars(
        insert(Notification).values(rows).on_conflict_do_nothing().returning(Notification.user_id)
    ).all()
    if written:
        actor = system_actor(desk.session.tenant_id)
        tell(desk.session, NotificationsCreated(event.id, user_ids=tuple(written)), actor=actor, now=desk.now)
    return set(written)


def _params(desk: _Desk, person: Identity) -> dict[str, Any]:
    company = ""
    if person.actor.is_staff:
        name = select(Company.name).where(Company.id == desk.invoice.customer_id)
        company = str(desk.session.scalar(name))
    return {"number": desk.invoice.number, "company": company}


def _profile(session: TenantSession) -> TenantProfile:
    return load_profile(session, session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one())
