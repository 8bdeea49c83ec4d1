"""What will happen to an unpaid invoice by itself, and when: pure, from its due time and the tenant's settings."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from portal.lib.iso_durations import parse_iso_duration
from portal.models import BillingSettings, Invoice, InvoiceKind, InvoiceStatus

# While a payment is under way nobody is reminded; while something is disputed, only of the rest (`is_chased`).
REMINDED_IN = frozenset({InvoiceStatus.OPEN, InvoiceStatus.OVERDUE, InvoiceStatus.FAILED})
PLANNED_IN = REMINDED_IN | {InvoiceStatus.DISPUTED}
OVERDUE = "overdue"
LATE_FEE = "late_fee"
# How the name of a reminder begins that people chose for themselves; its days follow.
OWN = "own:"
INSTALMENT = "instalment:"
# A payment plan ends where an instalment is not paid so long after its day.
GRACE = timedelta(days=3)
# Days around an instalment's day on which people are told: before it, and once it is late.
_SOON, _LATE = -3, 1
# From nine in the morning to the end of the day.
_MORNING = timedelta(hours=15)


class StepKind(StrEnum):
    """What a step is called in `next_steps`."""

    OVERDUE = "invoice_overdue"
    REMINDER = "invoice_reminder"
    LATE_FEE = "invoice_late_fee"
    INSTALMENT = "invoice_instalment"
    PLAN_MISSED = "invoice_plan_missed"


@dataclass(frozen=True)
class Step:
    """One thing that comes at its time; `key` marks it as done in `Invoice.dunned`."""

    at: datetime
    kind: StepKind
    key: str


def plan_steps(invoice: Invoice, settings: BillingSettings, own: Iterable[tuple[int, datetime]] = ()) -> list[Step]:
    """Every step that is not done yet, by time; none where nothing is owed, or something keeps them back.

    `own` are the days that its readers chose, each with since when: what would have come before is no step.
    """
    if invoice.due_at is None or not is_chased(invoice):
        return []
    if invoice.plan_due_at is not None:
        return _plan_instalment(invoice, invoice.plan_due_at)
    start = max(invoice.due_at, invoice.dunning_from or invoice.due_at)
    steps = [Step(invoice.due_at, StepKind.OVERDUE, OVERDUE)]
    for text in settings.dunning.get("reminders", ()):
        pause = parse_iso_duration(text)
        at = (start if pause > timedelta() else invoice.due_at) + pause
        steps.append(Step(at, StepKind.REMINDER, reminder_key(text)))
    for day, since in own:
        chosen = chosen_time(invoice, day)
        if chosen is not None and chosen > since:
            steps.append(Step(chosen, StepKind.REMINDER, reminder_key(f"{OWN}{day}")))
    if charges_late_fee(settings) and invoice.kind is not InvoiceKind.LATE_FEE:
        at = start + timedelta(days=settings.late_fee_after_days)
        steps.append(Step(at, StepKind.LATE_FEE, LATE_FEE))
    return sorted((step for step in steps if step.key not in invoice.dunned), key=lambda step: (step.at, step.key))


def _plan_instalment(invoice: Invoice, due_at: datetime) -> list[Step]:
    """What a payment plan in force asks for instead: its next instalment; nothing while anything is disputed."""
    if invoice.status is InvoiceStatus.DISPUTED:
        return []
    start = max(due_at, invoice.dunning_from or due_at)
    key = f"{INSTALMENT}{due_at.astimezone(UTC).isoformat()}"
    steps = [
        Step(own_time(due_at, _SOON), StepKind.INSTALMENT, f"{key}:soon"),
        Step(own_time(start, _LATE), StepKind.INSTALMENT, f"{key}:late"),
        Step(start + GRACE, StepKind.PLAN_MISSED, f"{key}:missed"),
    ]
    return [step for step in steps if step.key not in invoice.dunned]


def is_chased(invoice: Invoice) -> bool:
    """Whether anything is asked for by itself: a dispute keeps back what it is about, and nothing else."""
    if invoice.status is InvoiceStatus.DISPUTED:
        return invoice.undisputed > 0 and not invoice.reserved
    return invoice.status in REMINDED_IN


def charges_late_fee(settings: BillingSettings) -> bool:
    """Whether the tenant charges for paying late; zero days or zero percent say that it does not."""
    return settings.late_fee_after_days > 0 and settings.late_fee_percent > 0


def own_time(due_at: datetime, day: int) -> datetime:
    """When a reminder comes that is so many days after the due day (negative: before): at nine in the morning."""
    return due_at + timedelta(days=day) - _MORNING


def chosen_time(invoice: Invoice, day: int) -> datetime | None:
    """When an invoice's own reminder comes; days after the due day count from the end of what kept it back.

    The hour stays: what was kept back counts in whole days. None where nothing is due.
    """
    if invoice.due_at is None:
        return None
    held = max(timedelta(), (invoice.dunning_from or invoice.due_at) - invoice.due_at)
    later = -(-held // timedelta(days=1)) if day > 0 else 0
    return own_time(invoice.due_at, day + later)


def is_own(step: Step) -> bool:
    """Whether a reminder is one that people chose for themselves."""
    return step.key.startswith(reminder_key(OWN))


def reminder_key(duration: str) -> str:
    """The mark of a reminder: one is sent once for each invoice, however often settings are saved."""
    return f"reminder:{duration}"
