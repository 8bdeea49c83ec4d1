"""Which payment reminders somebody wants, instead of the tenant's: on which days, by mail or text message (H7.8)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require, system_actor
from portal.errors import FieldError, Invalid, invalid
from portal.events import audit, tell
from portal.events.billing import InvoiceChanged
from portal.models import Invoice, Person, ReminderChoice, User
from portal.models.session import TenantSession
from portal.services.accounts.own import load_own
from portal.services.billing.plan import OWN, PLANNED_IN, chosen_time
from portal.services.billing.steps import write_next_steps

MOST_DAYS = 6
FURTHEST = 60


@dataclass(frozen=True)
class Choice:
    """Days after the due day (negative: before it), None for the tenant's reminders; no days are no reminders.

    `phone` is the proven number that text messages go to; None where there is none.
    """

    days: tuple[int, ...] | None
    by_mail: bool = True
    by_text: bool = False
    phone: str | None = None


def read_choice(session: TenantSession, *, actor: Actor) -> Choice:
    """The actor's own choice. Raises Forbidden, and NotFound for actors without a login."""
    require(actor, Permission.INVOICES_READ)
    own = load_own(session, actor)
    row = session.get(ReminderChoice, own.user.id)
    phone = own.person.phone if own.person.phone_verified_at is not None else None
    if row is None:
        return Choice(None, phone=phone)
    return Choice(tuple(row.days), row.by_mail, row.by_text, phone)


def save_choice(session: TenantSession, wanted: Choice, *, actor: Actor, now: datetime) -> Choice:
    """Store the choice; timers of unpaid invoices follow at once, what would have come by now is passed over.

    Raises Forbidden and Invalid: `days`, `by` (neither way), `by_text` (no proven number).
    """
    before = read_choice(session, actor=actor)
    _check(wanted, before.phone)
    assert actor.user_id is not None
    row = session.get(ReminderChoice, actor.user_id)
    if wanted.days is None:
        if row is not None:
            session.delete(row)
    else:
        if row is None:
            row = ReminderChoice(user_id=actor.user_id)
            session.add(row)
        row.days, row.by_mail, row.by_text = sorted(set(wanted.days)), wanted.by_mail, wanted.by_text
        row.updated_at = now
    session.flush()
    saved = read_choice(session, actor=actor)
    if saved != before:
        audit(
            session,
            "user.payment_reminders_saved",
            "user",
            actor.user_id,
            actor=actor,
            now=now,
            before=_told(before),
            after=_told(saved),
        )
        _plan_anew(session, actor.company_ids, now)
    return saved


def choices_of(session: TenantSession, user_ids: Collection[UUID]) -> dict[UUID, Choice]:
    """Who of these people chose what; whoever is missing gets the tenant's reminders by mail."""
    query = (
        select(ReminderChoice, Person.phone, Person.phone_verified_at)
        .join(User, User.id == ReminderChoice.user_id)
        .outerjoin(Person, Person.id == User.person_id)
        .where(ReminderChoice.user_id.in_(user_ids))
    )
    return {
        row.user_id: Choice(tuple(row.days), row.by_mail, row.by_text, phone if proven else None)
        for row, phone, proven in session.execute(query)
    }


def is_meant(choice: Choice | None, step: str, invoice: Invoice, at: datetime) -> bool:
    """Whether a reminder is for somebody; of several that were missed only the last of their own.

    `step` names it as the event does; `at` is when it was carried out.
    """
    if not step.startswith(OWN):
        return choice is None
    if choice is None or choice.days is None:
        return False
    times = {day: chosen_time(invoice, day) for day in choice.days}
    come = [day for day, time in times.items() if time is not None and time <= at]
    return bool(come) and int(step.removeprefix(OWN)) == max(come)


def _check(wanted: Choice, phone: str | None) -> None:
    errors = []
    if wanted.days is not None:
        if len(set(wanted.days)) > MOST_DAYS:
            errors.append(FieldError("days", "too_many", (("limit", MOST_DAYS),)))
        if any(abs(day) > FURTHEST for day in wanted.days):
            errors.append(FieldError("days", "out_of_range", (("low", -FURTHEST), ("high", FURTHEST))))
        if wanted.days and not (wanted.by_mail or wanted.by_text):
            errors.append(FieldError("by", "required"))
    if errors:
        raise Invalid(*errors)
    if wanted.by_text and phone is None:
        raise invalid("by_text", "phone_not_proven")


def _told(choice: Choice) -> dict[str, object]:
    return {"days": choice.days, "by_mail": choice.by_mail, "by_text": choice.by_text}


def _plan_anew(session: TenantSession, company_ids: Sequence[UUID], now: datetime) -> None:
    actor = system_actor(session.tenant_id)
    unpaid = select(Invoice).where(Invoice.customer_id.in_(company_ids), Invoice.status.in_(PLANNED_IN))
    for invoice in session.scalars(unpaid.order_by(Invoice.id).with_for_update()).all():
        write_next_steps(session, invoice, now=now)
        state = invoice.status.value
        tell(session, InvoiceChanged.about(invoice, from_status=state, to_status=state), actor=actor, now=now)
