"""Who hears of payment plans, by bell and by mail; asked twice about an event, each is told once.

The team's billing hears what customers do and how plans end, by the bell. Whoever asked, and the company's
administrators, hear the rest, what they have to act upon by mail, too, in their language.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from sqlalchemy import select

from portal.authz import system_actor
from portal.lib.i18n import format_minute
from portal.lib.money_format import format_amount
from portal.lib.wording import N_
from portal.models import OutboxEvent, PlanInstalment, Tenant
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity
from portal.services.accounts.messages import AccountMessage, Addressee, queue_mail
from portal.services.disputes.letters import billing_team, concerned, ring
from portal.services.plans.queries import PlanRow, read_plan
from portal.services.tenants.directory import TenantProfile, load_profile

_TO_STAFF = {
    "payment_plan.requested": "payment_plan_requested",
    "payment_plan.withdrawn": "payment_plan_withdrawn",
    "payment_plan.accepted": "payment_plan_signed",
    "payment_plan.missed": "payment_plan_broken",
    "payment_plan.kept": "payment_plan_fulfilled",
}
_TO_CUSTOMER = {
    "payment_plan.granted": "payment_plan_granted",
    "payment_plan.refused": "payment_plan_refused",
    "payment_plan.accepted": "payment_plan_accepted",
    "payment_plan.missed": "payment_plan_missed",
    "payment_plan.kept": "payment_plan_kept",
}
_REMINDERS = ("instalment_due", "instalment_late")
_BELL_ALONE = frozenset({"payment_plan_kept"})
# Whoever signed gets the plan by mail, too.
_ALSO_TO_ACTOR = frozenset({"payment_plan_accepted"})


@dataclass(frozen=True)
class _Post:
    """What writing about one event needs."""

    session: TenantSession
    event: OutboxEvent
    row: PlanRow
    tenant: TenantProfile
    base_url: str
    now: datetime


def answer_plan(session: TenantSession, event_id: UUID, *, base_url: str, now: datetime) -> bool:
    """Write notices and mails of an event about a payment plan; False for events about anything else."""
    event = session.get(OutboxEvent, event_id)
    if event is None or event.record_type != "payment_plan":
        return False
    row = read_plan(session, event.record_id, actor=system_actor(session.tenant_id))
    tenant = load_profile(session, session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one())
    post = _Post(session, event, row, tenant, base_url, now)
    if event.kind in _TO_STAFF:
        _ring(post, _TO_STAFF[event.kind], billing_team(session))
    kind = _TO_CUSTOMER.get(event.kind)
    if event.kind == "payment_plan.reminded":
        kind = _REMINDERS[bool(event.payload["late"])]
    if kind is not None:
        for person in _ring(post, kind, concerned(session, row.plan.customer_id, row.plan.asked_by)):
            if kind not in _BELL_ALONE:
                _write(post, kind, person)
    return True


def _ring(post: _Post, kind: str, people: Iterable[Identity]) -> list[Identity]:
    actor = post.event.actor_id
    heard = [person for person in people if person.user.id != actor or kind in _ALSO_TO_ACTOR]
    params = {"number": post.row.invoice.number, "company": post.row.company_name}
    return ring(post.session, post.event, kind, heard, params=params, now=post.now)


def _write(post: _Post, kind: str, person: Identity) -> None:
    user, tenant, row = person.user, post.tenant, post.row
    locale = user.locale if user.locale in tenant.locales and user.locale else tenant.locale
    currency, invoice = row.plan.currency, row.invoice
    shown = list(row.instalments)
    if kind in _REMINDERS:
        shown = [one for one in shown if one.position == post.event.payload["position"]]
    elif kind not in ("payment_plan_granted", "payment_plan_accepted"):
        shown = []
    facts = [
        (N_("Invoice"), str(invoice.number)),
        (N_("Outstanding"), format_amount(invoice.outstanding, currency, locale)),
        *((_day(one.due_on, locale), _amount(row, one, locale)) for one in shown),
    ]
    due = _day(shown[0].due_on, locale) if shown else ""
    queue_mail(
        post.session,
        AccountMessage(
            kind,
            path=f"/portal/payment-plans/{row.plan.id}",
            params={"number": invoice.number, "quote": row.plan.answer, "due": due},
            facts=facts,
            folder="plans",
        ),
        Addressee(person.email, person.person_name, user.id, user.locale, user.timezone),
        tenant=tenant,
        base_url=post.base_url,
        actor=system_actor(post.session.tenant_id),
        now=post.now,
    )


def _amount(row: PlanRow, instalment: PlanInstalment, locale: str) -> str:
    """What is left of an instalment of a plan in force, else all of it."""
    left = {one.instalment.position: one.left for one in row.coverage}
    amount = left[instalment.position] or instalment.amount
    return format_amount(amount, row.plan.currency, locale)


def _day(day: date, locale: str) -> str:
    return format_minute(datetime.combine(day, time(12), UTC), locale, "UTC", "d MMMM y")
