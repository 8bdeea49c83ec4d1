"""What the customer's pages show of a ticket: steps, promise, timeline, conversation."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from markupsafe import Markup

from portal.blueprints import http
from portal.blueprints.files.presenters import file_views
from portal.blueprints.localisation import current_locale, format_due, format_duration, format_moment, gettext
from portal.blueprints.tickets.labels import own_for_customers
from portal.blueprints.tickets.marks import message_marks
from portal.lib.sla_clock import Metric
from portal.lib.wording.tickets import METRIC, PAUSE_REASON, event_text, short_step_text, step_text
from portal.models import ACTIVE, FINAL, NextStep, SenderType, Ticket, TicketEvent, TicketStatus
from portal.services.tenants.ticket_policy import TicketPolicy
from portal.services.tickets.detail import TicketDetail
from portal.services.tickets.promise_preview import PromisePreview
from portal.services.tickets.reopening import may_reopen
from portal.services.tickets.rows import ComingStep, TicketRow
from portal.services.tickets.sla_view import SlaView, view_sla

_GOOD = frozenset({"replied", "rated"})
_SPOKEN = frozenset({"created", "replied", "message_edited"})
_RANK = {
    kind: rank
    for rank, kind in enumerate(
        ("created", "replied", "escalation_requested", "escalated", "assigned", "status_changed")
    )
}
_LOOK = {"escalated": ("triangle", "warn"), "rated": ("check", "ok"), "status_changed": ("half", "accent")}
# A countdown ticks in plain time; a promise of working time is told by its due time instead.
_TICKING = timedelta(hours=8)
# Seconds matter to a promise of minutes and are noise in one of hours.
_TO_THE_SECOND = timedelta(minutes=10)


def step_view(step: NextStep | ComingStep | None, now: datetime, *, short: bool = True) -> dict[str, Any] | None:
    """A next step for chip and list: words, time, and amber once less than five minutes are left."""
    if step is None:
        return None
    words = short_step_text if short else step_text
    near = step.at - now < timedelta(minutes=5) or step.kind == "auto_close"
    far = step.at - now >= timedelta(days=1)
    return {
        "kind": step.kind,
        "text": words(step.kind, step.params, gettext),
        "at": step.at,
        "when": format_due(step.at) if far else None,
        "tone": "warn" if near else "neutral",
    }


def list_row(row: TicketRow, user_id: UUID | None, fallback: str, now: datetime, base: str) -> dict[str, Any]:
    """A row of the list of tickets; `base` is the address of the list, below which tickets have theirs."""
    ticket = row.ticket
    return {
        "id": ticket.id,
        "url": f"{base}/{ticket.id}",
        "number": ticket.ticket_number,
        "subject": ticket.subject,
        "category": row.category.name_in(current_locale(), fallback),
        "requester": gettext("you") if ticket.requester_id == user_id else row.requester_name,
        "status": ticket.status.value,
        "status_label": own_for_customers(ticket.custom_status),
        "priority": ticket.priority.value,
        "assignee": row.assignee_name,
        "step": list_step(row, now),
        "updated_at": ticket.updated_at,
    }


def list_step(row: TicketRow, now: datetime) -> dict[str, Any] | None:
    """What happens next, in a list: a step, or where the promise stands when no step is left."""
    if row.next_step is not None:
        return step_view(row.next_step, now)
    view = view_sla(row.ticket, now)
    if view.state == "paused":
        return {"kind": "resume", "text": gettext(PAUSE_REASON.get(view.paused_reason or "", "Paused"))}
    if view.state == "breached" and row.ticket.status in ACTIVE:
        return {"kind": "missed", "text": gettext("Promise missed, the team lead is on it"), "tone": "err"}
    return None


def promise_panel(ticket: Ticket, now: datetime) -> dict[str, Any]:
    """Both promises: what was promised, what is left, how it ended."""
    view = view_sla(ticket, now)
    first = _promise(
        view, Metric.FIRST_RESPONSE, view.first_response_due_at, view.first_response_at or view.resolved_at, now
    )
    solution = _promise(view, Metric.RESOLUTION, view.resolution_due_at, view.resolved_at, now)
    rounds = [
        _running(str(gettext(METRIC[metric.value])), due, started_at or view.started_at, now)
        for metric, due, started_at in (
            (Metric.NEXT_RESPONSE, view.next_response_due_at, ticket.customer_waits_since),
            (Metric.UPDATE, view.update_due_at, ticket.team_spoke_at),
        )
        if due is not None and view.metric is not None
    ]
    soonest = first if first and first["open"] else solution
    return {"first": first, "solution": solution, "rounds": rounds, "next": rounds[0] if rounds else soonest}


def _promise(
    view: SlaView, metric: Metric, due: datetime | None, done: datetime | None, now: datetime
) -> dict[str, Any] | None:
    label = gettext("First answer") if metric is Metric.FIRST_RESPONSE else gettext("Solution")
    if done is not None:
        kept = due is None or done <= due
        took = _took(view, metric, format_duration(done - view.started_at, exact=True))
        note = None if due is None else gettext("promised by %(time)s", time=_due_text(due, view.started_at))
        return {
            "label": label,
            "sla": {"state": "met" if kept else "breached", "text": took},
            "note": note,
            "open": False,
        }
    if view.metric is None:
        return None
    if due is None:
        reason = PAUSE_REASON.get(view.paused_reason or "", PAUSE_REASON["waiting_customer"])
        text = {"state": "paused", "text": gettext("Paused")}
        return {"label": label, "sla": text, "note": gettext(reason), "open": True} if view.paused_reason else None
    return _running(label, due, view.started_at, now)


def _due_text(due: datetime, started_at: datetime) -> str:
    return format_due(due) if due - started_at < _TO_THE_SECOND else format_moment(due)


def _took(view: SlaView, metric: Metric, span: str) -> str:
    if metric is Metric.RESOLUTION:
        return str(gettext("Solved in %(span)s", span=span))
    if view.first_response_at is None:
        return str(gettext("Solved without one"))
    return str(gettext("Given in %(span)s", span=span))


def _running(label: str, due: datetime, started_at: datetime, now: datetime) -> dict[str, Any]:
    left = due - now
    late = left <= timedelta(0)
    span = format_duration(left)
    fraction = min(1.0, max(0.0, (now - started_at) / (due - started_at))) if due > started_at else 1.0
    state = "breached" if late else ("near" if fraction > 0.75 else "within")
    ticks = due - started_at <= _TICKING
    if late:
        text = gettext("%(span)s over", span=span)
    else:
        text = gettext("%(span)s left", span=span) if ticks else gettext("by %(time)s", time=_due_text(due, started_at))
    sla = {
        "state": state,
        "text": text,
        "fraction": fraction,
        "due_at": due,
        "started_at": started_at,
        "ticks": ticks,
        "format": gettext("%(span)s left", span="{t}"),
    }
    return {
        "label": label,
        "sla": sla,
        "percent": round(100 * fraction),
        "note": gettext("by %(time)s", time=_due_text(due, started_at)) if ticks else None,
        "open": True,
    }


def promised(found: PromisePreview | None, now: datetime) -> list[dict[str, Any]]:
    """The timeline of a ticket that is not yet sent; empty where nothing is promised."""
    lines: list[dict[str, Any]] = []
    for item in found.metrics if found else ():
        # Without closed hours in between the time itself says it; else only the due time means something.
        whole = item.due_at - now == item.target
        span, due = format_duration(item.target, exact=True), _due_text(item.due_at, now)
        when = gettext("within %(span)s", span=span) if whole else gettext("by %(time)s", time=due)
        lines.append({"state": "next", "text": gettext(METRIC[item.metric.value]), "when": when})
    if lines and found and found.step and found.step.level:
        params = {"role": found.step.level.notify_role}
        lines.append({"state": "next", "text": step_text(found.step.kind, params, gettext), "when": ""})
    return lines


def timeline(detail: TicketDetail, now: datetime) -> list[dict[str, Any]]:
    """Solid: what happened; dashed: what will, with its time."""
    lines: list[dict[str, Any]] = []
    for event in sorted(detail.events, key=_order):
        state = "good" if event.kind in _GOOD or event.kind == "created" else "fact"
        lines.append({"state": state, "text": say(event), "at": event.at, "when": format_moment(event.at)})
    if lines and detail.ticket.status in ACTIVE:
        lines[-1]["state"] = "now"
    lines += _pause_line(detail.ticket, now)
    for step in detail.steps:
        lines.append(
            {"state": "next", "text": step_text(step.kind, step.params, gettext), "at": step.at,
             "when": _due_text(step.at, detail.ticket.clock_started_at)}
        )  # fmt: skip
    if detail.ticket.status in ACTIVE:
        lines.append({"state": "next", "text": gettext("You rate the solution"), "when": gettext("after it is solved")})
    return lines


def _pause_line(ticket: Ticket, now: datetime) -> list[dict[str, Any]]:
    """That the clock stands still, and what for; while it does no step of the promise is known."""
    reason = view_sla(ticket, now).paused_reason
    if reason is None or ticket.status not in ACTIVE:
        return []
    until = gettext("until you answer") if reason == "waiting_customer" else gettext("until it has arrived")
    text = gettext(PAUSE_REASON.get(reason, PAUSE_REASON["waiting_customer"]))
    return [{"state": "next", "text": text, "when": until}]


def sorted_events(detail: TicketDetail) -> list[TicketEvent]:
    """The lines of the timeline as they are read."""
    return sorted(detail.events, key=_order)


def _order(event: TicketEvent) -> tuple[datetime, int]:
    """One answer writes several lines at the same instant; the words come before what they changed."""
    return event.at, _RANK.get(event.kind, len(_RANK))


def say(event: TicketEvent) -> str:
    """The sentence of a timeline line."""
    return event_text(event.kind, event.actor_name, event.params, gettext, own=own_for_customers)


def conversation(
    detail: TicketDetail, user_id: UUID | None, tenant_name: str, editable: Collection[UUID] = ()
) -> list[dict[str, Any]]:
    """Description, answers and the events between them, in order of time; `editable` are the reader's to change."""
    ticket, marks = detail.ticket, message_marks(detail.events)
    # What the team opened for a customer is in its own words.
    by_team = ticket.source == "staff"
    opening: dict[str, Any] = {
        "kind": "message",
        "id": "description",
        "author_name": tenant_name if by_team else detail.row.requester_name,
        "author_kind": "staff" if by_team else "customer",
        "role": None if by_team else detail.row.company_name,
        "at": ticket.created_at,
        "body_html": Markup(ticket.description_html),  # noqa: S704 - cleaned by nh3 when it was stored
        "is_own": ticket.requester_id == user_id and not by_team,
        "attachments": file_views(detail.files_of(None), "files"),
    }
    entries: list[dict[str, Any]] = []
    for message in detail.messages:
        if message.is_internal:
            continue
        staff = message.sender_type is not SenderType.CUSTOMER
        entries.append(
            {
                "kind": "message",
                "id": message.id,
                "author_name": message.sender_name,
                "author_kind": "staff" if staff else "customer",
                "role": tenant_name if staff else detail.row.company_name,
                "channel": marks.get(str(message.id)),
                "at": message.created_at,
                "body_html": Markup(message.message_html),  # noqa: S704 - cleaned by nh3 when it was stored
                "is_own": message.sender_id == user_id,
                "attachments": file_views(detail.files_of(message.id), "files"),
                "edited_at": message.edited_at,
                "edit_url": http.ticket_address("tickets.edit_message", ticket.id, message_id=message.id)
                if message.id in editable
                else None,
            }
        )
    entries += [_event_line(event) for event in sorted(detail.events, key=_order) if event.kind not in _SPOKEN]
    # What a merge brought or a split took along may be older than the ticket; its own text stands first all the same.
    return [opening, *sorted(entries, key=lambda entry: entry["at"])]


def _event_line(event: TicketEvent) -> dict[str, Any]:
    shape, tone = _LOOK.get(event.kind, ("ring", "neutral"))
    return {"kind": "event", "id": event.id, "text": say(event), "at": event.at, "shape": shape, "tone": tone}


def allowed_actions(ticket: Ticket, policy: TicketPolicy, now: datetime) -> set[str]:
    """What the page offers in this state; nothing where the conversation goes on in another ticket."""
    actions: set[str] = set()
    if ticket.merged_into_id is not None:
        return actions
    if ticket.status in ACTIVE:
        actions |= {"reply", "close", "cancel", "escalate"}
    if ticket.status is TicketStatus.RESOLVED:
        actions |= {"reply", "close", "reopen"}
    if ticket.status in FINAL:
        actions |= {"reopen"} if may_reopen(ticket, policy, now) else {"follow_up"}
    if ticket.status in (TicketStatus.RESOLVED, TicketStatus.CLOSED) and ticket.satisfaction_rating is None:
        actions.add("rate")
    return actions


def categories_for(rows: Iterable[Any], fallback: str) -> list[tuple[str, str]]:
    """Options of the category field in the reader's language."""
    return [(row.key, row.name_in(current_locale(), fallback)) for row in rows]
