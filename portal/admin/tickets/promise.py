"""How a ticket's promise reads at the desk: working time that is left, in words and as a ring."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.blueprints.localisation import format_due, format_duration, gettext
from portal.lib.sla_clock import Metric
from portal.lib.wording.tickets import METRIC, PAUSE_REASON_FOR_STAFF
from portal.models import Ticket
from portal.services.tickets.desk_terms import PromiseTerms
from portal.services.tickets.sla_view import Kept, SlaView, view_sla

_SLACK = timedelta(seconds=2)
_NOTHING = timedelta()


@dataclass(frozen=True)
class Promise:
    """What the macro `promise` shows; `ticks` where plain and working time run alike until it is due."""

    state: str
    text: str
    fraction: float | None = None
    ticks: bool = False
    due_at: datetime | None = None
    started_at: datetime | None = None
    format: str | None = None


def queue_promise(ticket: Ticket, terms: PromiseTerms | None, now: datetime) -> Promise | None:
    """The promise that is due first, or how it ended; None where nothing was promised."""
    view = view_sla(ticket, now)
    terms = _own_terms(ticket, terms)
    if view.metric is None:
        return _ended(ticket, view)
    return _running(ticket, view, view.metric, terms, now)


def _ended(ticket: Ticket, view: SlaView) -> Promise | None:
    outcome = view.resolution or view.first_response
    if outcome == "missed" or (outcome is None and view.state == "breached"):
        return Promise("breached", gettext("Missed"), 1.0)
    if outcome == "kept" and ticket.resolved_at is not None:
        took = format_duration(ticket.resolved_at - ticket.clock_started_at)
        return Promise("met", gettext("Done in %(span)s", span=took))
    return Promise("met", gettext("Kept")) if outcome == "kept" else None


def _running(
    ticket: Ticket, view: SlaView, metric: Metric, terms: PromiseTerms | None, now: datetime, left: str = ""
) -> Promise:
    target = _target(terms, metric)
    worked = terms.worked(ticket, now, view.metric_started_at) if terms else None
    remaining = target - worked if target is not None and worked is not None else None
    if remaining is None:
        remaining = view.due_at - now if view.due_at else _NOTHING
    fraction = worked / target if worked is not None and target else view.fraction
    span = format_worked(abs(remaining))
    if view.state == "paused":
        return Promise("paused", gettext("Paused, %(span)s left", span=span), fraction)
    plain = view.due_at - now if view.due_at else None
    ticks = plain is not None and abs(plain - remaining) < _SLACK and abs(plain) < timedelta(days=1)
    due = view.due_at.replace(microsecond=0) if view.due_at else None
    start = due - target if due and target else (view.metric_started_at or view.started_at).replace(microsecond=0)
    if view.state == "breached":
        text = gettext("%(span)s over", span=span) if remaining <= _NOTHING else gettext("Missed")
        return Promise("breached", text, 1.0, ticks, due, start)
    text = left.replace("{t}", span) if left else span
    return Promise(view.state, text, fraction, ticks, due, start, left or None)


def _target(terms: PromiseTerms | None, metric: Metric) -> timedelta | None:
    if terms is None:
        return None
    seconds = {
        Metric.FIRST_RESPONSE: terms.first_response_seconds,
        Metric.RESOLUTION: terms.resolution_seconds,
        Metric.NEXT_RESPONSE: terms.next_response_seconds,
        Metric.UPDATE: terms.update_seconds,
    }[metric]
    return None if seconds is None else timedelta(seconds=seconds)


def panel_promises(ticket: Ticket, terms: PromiseTerms | None, now: datetime) -> list[dict[str, Any]]:
    """The promises for the panel beside a ticket: label, state, how far, and what stands still."""
    view = view_sla(ticket, now)
    terms = _own_terms(ticket, terms)
    first_done = view.first_response_at or view.resolved_at
    items = [
        _item(ticket, view, Metric.FIRST_RESPONSE, view.first_response, first_done, terms, now),
        _item(ticket, view, Metric.RESOLUTION, view.resolution, view.resolved_at, terms, now),
    ]
    rounds = ((Metric.NEXT_RESPONSE, view.next_response_due_at), (Metric.UPDATE, view.update_due_at))
    for metric, due in rounds:
        if due is not None and view.metric is not None:
            items.append(_open_item(ticket, view, metric, _label(metric, None, due), terms, now))
    return [item for item in items if item is not None]


def _own_terms(ticket: Ticket, terms: PromiseTerms | None) -> PromiseTerms | None:
    """The terms as of now are not those of a ticket that stays with an earlier version."""
    return terms if ticket.sla_policy_version is None else None


def _item(
    ticket: Ticket,
    view: SlaView,
    metric: Metric,
    outcome: Kept | None,
    done_at: datetime | None,
    terms: PromiseTerms | None,
    now: datetime,
) -> dict[str, Any] | None:
    target = _target(terms, metric)
    due = view.first_response_due_at if metric is Metric.FIRST_RESPONSE else view.resolution_due_at
    if target is None and due is None:
        return None
    if outcome is None or done_at is None:
        return _open_item(ticket, view, metric, _label(metric, target, due), terms, now)
    span = format_duration(done_at - ticket.clock_started_at)
    label = _label(metric, target, None)
    if outcome == "kept":
        return {"label": label, "sla": Promise("met", span, 1.0)}
    return {"label": label, "sla": Promise("breached", gettext("%(span)s, late", span=span), 1.0)}


def _open_item(
    ticket: Ticket, view: SlaView, metric: Metric, label: str, terms: PromiseTerms | None, now: datetime
) -> dict[str, Any] | None:
    if view.metric is None:
        return None
    own = _view_of(ticket, view, metric, now)
    sla = _running(ticket, own, metric, terms, now, left=gettext("%(span)s left", span="{t}"))
    item: dict[str, Any] = {"label": label, "sla": sla}
    if sla.fraction is not None:
        item["percent"] = round(100 * min(max(sla.fraction, 0.0), 1.0))
    if view.paused_reason:
        item["note"] = gettext(
            PAUSE_REASON_FOR_STAFF.get(view.paused_reason, PAUSE_REASON_FOR_STAFF["waiting_customer"])
        )
    return item


def _view_of(ticket: Ticket, view: SlaView, metric: Metric, now: datetime) -> SlaView:
    """The same reading about one metric: each has its own start, its own due time and its own state."""
    if metric is view.metric:
        return view
    started_at, due = {
        Metric.FIRST_RESPONSE: (ticket.clock_started_at, view.first_response_due_at),
        Metric.RESOLUTION: (ticket.clock_started_at, view.resolution_due_at),
        Metric.NEXT_RESPONSE: (ticket.customer_waits_since, view.next_response_due_at),
        Metric.UPDATE: (ticket.team_spoke_at, view.update_due_at),
    }[metric]
    started_at = started_at or ticket.clock_started_at
    state = "breached" if due is not None and due <= now else ("paused" if view.paused_reason else "within")
    values = {
        **vars(view),
        "metric": metric,
        "due_at": due,
        "state": state,
        "fraction": None,
        "metric_started_at": started_at,
    }
    return SlaView(**values)


def _label(metric: Metric, target: timedelta | None, due: datetime | None) -> str:
    name = str(gettext(METRIC[metric.value]))
    if due is not None:
        return str(gettext("%(promise)s, %(when)s", promise=name, when=format_due(due)))
    if target is not None:
        return str(gettext("%(promise)s, %(when)s", promise=name, when=format_worked(target)))
    return name


def format_worked(span: timedelta) -> str:
    """Working time in hours and minutes: nobody agrees how long a working day is. Below a minute in seconds."""
    minutes = int(span.total_seconds()) // 60
    if minutes < 60:
        return format_duration(span)
    hours, rest = divmod(minutes, 60)
    if not rest or hours >= 10:
        return str(gettext("%(n)s h", n=hours))
    return f"{gettext('%(n)s h', n=hours)} {gettext('%(n)s min', n=f'{rest:02d}')}"
