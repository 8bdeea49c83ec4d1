"""Who is told of a payment, by bell and by mail; written in the booking's own transaction, so once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Permission, system_actor
from portal.events import tell
from portal.events.notifications import NotificationsCreated
from portal.lib.i18n import format_day_and_time
from portal.lib.letters import translator
from portal.lib.money_format import format_amount
from portal.lib.wording import N_
from portal.lib.wording.payments import failure_text, method_text
from portal.models import (
    Chargeback,
    ChargebackState,
    Membership,
    Notification,
    Payment,
    Role,
    Tenant,
    User,
    UserKind,
    UserStatus,
)
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity, build_identity, select_identity
from portal.services.accounts.messages import AccountMessage, Addressee, queue_mail
from portal.services.payments.queries import invoices_of
from portal.services.tenants.directory import TenantProfile, load_profile

Words = Callable[..., str]


@dataclass
class Post:
    """Mails and notices about one payment."""

    session: TenantSession
    payment: Payment
    base_url: str
    now: datetime
    tenant: TenantProfile = field(init=False)

    def __post_init__(self) -> None:
        tenant = self.session.scalars(select(Tenant).where(Tenant.id == self.session.tenant_id)).one()
        self.tenant = load_profile(self.session, tenant)

    def locale_of(self, person: Identity) -> str:
        """The language that somebody is written to in."""
        wanted = person.user.locale
        return wanted if wanted in self.tenant.locales and wanted else self.tenant.locale

    def when(self, at: datetime, person: Identity) -> str:
        """A time in the reader's language and zone."""
        return format_day_and_time(at, self.locale_of(person), person.user.timezone or self.tenant.timezone)

    def mail(
        self,
        person: Identity,
        template: str,
        path: str,
        facts: Iterable[tuple[str, str]],
        params: dict[str, Any] | None = None,
    ) -> None:
        """One mail, where the person wants mails about payments."""
        user = person.user
        queue_mail(
            self.session,
            AccountMessage(template, path, params=params or {}, facts=tuple(facts), folder="payments"),
            Addressee(person.email, person.person_name, user.id, user.locale, user.timezone),
            tenant=self.tenant,
            base_url=self.base_url,
            actor=system_actor(self.session.tenant_id),
            now=self.now,
        )

    def ring(
        self, people: Iterable[Identity], kind: str, amount: int, *, record: tuple[str, UUID] | None = None
    ) -> None:
        """A notice behind the bell of each; `record` is what it leads to where that is not the payment."""
        told, event_id = [person.user.id for person in people], uuid4()
        payment = self.payment
        record_type, record_id = record or ("payment", payment.id)
        for user_id in told:
            self.session.add(
                Notification(
                    id=uuid4(),
                    user_id=user_id,
                    event_id=event_id,
                    kind=kind,
                    record_type=record_type,
                    record_id=record_id,
                    params={"number": payment.number, "amount": format_amount(amount, payment.currency, "en")},
                    created_at=self.now,
                )
            )
        if told:
            fact = NotificationsCreated(event_id, user_ids=tuple(told))
            tell(self.session, fact, actor=system_actor(self.session.tenant_id), now=self.now)


def tell_received(session: TenantSession, payment: Payment, excess: int, *, base_url: str, now: datetime) -> None:
    """The receipt, at once (H7.6); and the team where more came than was owed."""
    post = Post(session, payment, base_url, now)
    payers = payers_of(session, payment)
    for person in payers:
        post.mail(person, "payment_received", f"/portal/payments/{payment.id}", _facts(post, person))
    post.ring(payers, "payment_received", payment.amount)
    if excess:
        post.ring(staff_who_may(session, Permission.BILLING_MANAGE), "payment_excess", excess)


def tell_failed(
    session: TenantSession, payment: Payment, planned: datetime | None, *, base_url: str, now: datetime
) -> None:
    """Why it failed and what to do; of automatic payments also when they are tried again (BIL-04, WFL-05)."""
    post = Post(session, payment, base_url, now)
    payers = payers_of(session, payment)
    for person in payers:
        translate = translator(post.locale_of(person))
        confirm = payment.failure_code == "authentication_required"
        params = {
            "reason_text": failure_text(payment.failure_code, translate),
            "planned": post.when(planned, person) if planned else "",
            "confirm": confirm,
        }
        path = f"/portal/payments/{payment.id}"
        post.mail(person, "payment_failed", path, _facts(post, person), params)
    post.ring(payers, "payment_failed", payment.amount)
    if payment.kind.value == "auto_pay":
        post.ring(staff_who_may(session, Permission.BILLING_MANAGE), "payment_auto_failed", payment.amount)


def tell_refunded(session: TenantSession, payment: Payment, amount: int, *, base_url: str, now: datetime) -> None:
    """That money is on its way back (BIL-13)."""
    post = Post(session, payment, base_url, now)
    payers = payers_of(session, payment)
    for person in payers:
        money = format_amount(amount, payment.currency, post.locale_of(person))
        facts = [(N_("Refund"), money), *_facts(post, person)]
        post.mail(person, "payment_refunded", f"/portal/payments/{payment.id}", facts)
    post.ring(payers, "payment_refunded", amount)


def tell_reversed(session: TenantSession, payment: Payment, *, base_url: str, now: datetime) -> None:
    """That a receipt was given by mistake, and what it was for is owed again."""
    post = Post(session, payment, base_url, now)
    payers = payers_of(session, payment)
    for person in payers:
        post.mail(person, "payment_reversed", f"/portal/payments/{payment.id}", _facts(post, person))
    post.ring(payers, "payment_reversed", payment.amount)


def tell_announced(
    session: TenantSession, payment: Payment, charge_at: datetime, *, base_url: str, now: datetime
) -> None:
    """That an amount will be charged by itself, and when; `payment` is not stored and only says which."""
    post = Post(session, payment, base_url, now)
    for person in payers_of(session, payment):
        money = format_amount(payment.amount, payment.currency, post.locale_of(person))
        facts = [
            (N_("Amount"), money),
            (N_("Charged"), post.when(charge_at, person)),
            (N_("Method"), method_text(payment.method, translator(post.locale_of(person)))),
        ]
        post.mail(person, "payment_announced", "/portal/payment-methods", facts)


def tell_over_limit(
    session: TenantSession, payment: Payment, invoice_id: UUID, *, base_url: str, now: datetime
) -> None:
    """That an invoice is above the limit of auto-pay; `payment` is not stored and only says how much."""
    post = Post(session, payment, base_url, now)
    for person in payers_of(session, payment):
        locale = post.locale_of(person)
        params = {"reason_text": failure_text("over_limit", translator(locale)), "planned": "", "confirm": False}
        facts = [
            (N_("Invoice"), payment.number),
            (N_("Amount"), format_amount(payment.amount, payment.currency, locale)),
        ]
        post.mail(person, "payment_failed", f"/portal/invoices/{invoice_id}", facts, params)


def tell_chargeback(
    session: TenantSession, payment: Payment, case: Chargeback, *, base_url: str, now: datetime
) -> None:
    """That the payer's bank was asked to take a payment back, and how it decided; to both sides."""
    post = Post(session, payment, base_url, now)
    kind = {
        ChargebackState.OPEN: "payment_bank_disputed",
        ChargebackState.LOST: "payment_charged_back",
        ChargebackState.WON: "payment_bank_kept",
    }[case.state]
    payers = payers_of(session, payment)
    for person in payers if case.state is not ChargebackState.WON else ():
        money = format_amount(case.amount, payment.currency, post.locale_of(person))
        post.mail(person, kind, f"/portal/payments/{payment.id}", [(N_("Disputed"), money), *_facts(post, person)])
    post.ring(payers, kind, case.amount)
    post.ring(staff_who_may(session, Permission.BILLING_MANAGE), kind, case.amount)


def tell_staff(
    session: TenantSession, payment: Payment, kind: str, amount: int, *, base_url: str, now: datetime
) -> None:
    """Something about a payment that the team has to look at."""
    people = staff_who_may(session, Permission.REFUNDS_MANAGE)
    Post(session, payment, base_url, now).ring(people, kind, amount)


def payers_of(session: TenantSession, payment: Payment) -> list[Identity]:
    """Who started it; where nobody did, or that person is gone, the administrators of the company."""
    found = [
        person
        for person in _people(session, User.kind == UserKind.CUSTOMER, payment.customer_id)
        if payment.customer_id in person.actor.company_ids
    ]
    starter = [person for person in found if person.user.id == payment.started_by]
    return starter or [person for person in found if payment.customer_id in person.actor.admin_company_ids]


def staff_who_may(session: TenantSession, needed: Permission) -> list[Identity]:
    """Members of the team with a permission."""
    return [person for person in _people(session, User.kind == UserKind.STAFF) if person.actor.may(needed)]


def _people(session: TenantSession, kind: Any, company_id: UUID | None = None) -> list[Identity]:
    query = select_identity().where(kind, User.status == UserStatus.ACTIVE, User.portal_access)
    if company_id is not None:
        members = select(Membership.user_id).where(
            Membership.company_id == company_id, Membership.role.in_([Role.CUSTOMER, Role.CUSTOMER_ADMIN])
        )
        query = query.where(User.id.in_(members))
    rows = session.execute(query.order_by(User.created_at, User.id))
    return [build_identity(row) for row in rows]


def _facts(post: Post, person: Identity) -> list[tuple[str, str]]:
    payment, locale = post.payment, post.locale_of(person)
    numbers = ", ".join(one.number for one in invoices_of(post.session, payment.id))
    facts = [
        (N_("Payment"), payment.number),
        (N_("Amount"), format_amount(payment.amount, payment.currency, locale)),
        (N_("Invoice"), numbers),
        (N_("Method"), method_text(payment.method, translator(locale)) if payment.method else ""),
    ]
    return [(label, value) for label, value in facts if value]
