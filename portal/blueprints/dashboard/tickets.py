"""What the domain of tickets adds to the dashboard."""

from functools import partial
from typing import Any, cast

from flask import g

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.dashboard.widgets import QuickAction, add_quick_action, widget
from portal.blueprints.localisation import current_locale, format_count, format_share, gettext
from portal.blueprints.tickets import presenters
from portal.lib.wording import N_
from portal.lib.wording.tickets import STATUS_FOR_CUSTOMERS
from portal.models import TicketStatus
from portal.services.tickets.rows import TicketRow
from portal.services.tickets.summary import (
    OwnTickets,
    TicketFigures,
    list_activities,
    list_own_tickets,
    read_figures,
)

SHOWN = 4
RECENT = 5

_part = partial(widget, permission=Permission.TICKETS_READ, feature="tickets")

add_quick_action(
    QuickAction(
        "new_ticket",
        order=10,
        permission=Permission.TICKETS_CREATE,
        feature="tickets",
        label=N_("New ticket"),
        icon="plus",
        endpoint="tickets.new",
    )
)


@_part("needs", order=10, area="top", template="dashboard/_needs.html")
def needs() -> dict[str, Any]:
    """Tickets that wait for this person; absent when none does."""
    waiting = [row for row in _own().needing if row.ticket.satisfaction_rating is None]
    # What the team cannot go on without comes before what merely closes.
    waiting.sort(key=lambda row: row.ticket.status is TicketStatus.RESOLVED)
    items = [_need(row, primary=place == 0) for place, row in enumerate(waiting[:SHOWN])]
    return {"items": items, "needs_you": len(waiting)} if items else {}


def _own() -> OwnTickets:
    """The reader's tickets, read once for the parts that show them."""
    if "own_tickets" not in g:
        g.own_tickets = list_own_tickets(http.session(), actor=http.actor(), recent=RECENT)
    return cast("OwnTickets", g.own_tickets)


def _need(row: TicketRow, *, primary: bool) -> dict[str, Any]:
    ticket = row.ticket
    meta, action = {
        TicketStatus.RESOLVED: (gettext("solved, please check"), gettext("Check")),
        TicketStatus.AWAITING_PAYMENT: (gettext("waits for the payment"), gettext("View")),
    }.get(ticket.status, (gettext("waits for your answer"), gettext("Answer")))
    return {
        "icon": "ticket",
        "title": ticket.subject,
        "url": http.ticket_address("tickets.detail", ticket.id),
        "meta": f"{ticket.ticket_number} · {meta}",
        "step": presenters.list_step(row, http.now()),
        "action_label": action,
        "primary": primary,
    }


@_part("figures", order=20, area="top", template="dashboard/_figures.html")
def figures() -> dict[str, Any]:
    """Open tickets by status, and promises kept over 90 days."""
    found = read_figures(http.session(), actor=http.actor(), now=http.now())
    return {"open": format_count(found.open, 5000), "parts": _parts(found), "promises": _promises(found)}


def _parts(found: TicketFigures) -> list[tuple[str, str, str]]:
    return [
        (
            gettext(STATUS_FOR_CUSTOMERS[status.value]),
            format_count(count),
            http.address_of("tickets.index", status=status.value),
        )
        for status, count in found.by_status.items()
        if count
    ]


def _promises(found: TicketFigures) -> dict[str, str] | None:
    if not found.promised:
        return None
    percent = format_share(found.kept / found.promised)
    text = gettext("%(kept)s of %(all)s tickets in time", kept=found.kept, all=found.promised)
    return {"percent": percent, "text": text}


@_part("recent", order=30, area="main", template="dashboard/_recent.html")
def recent() -> dict[str, Any]:
    """The tickets that changed last."""
    now, fallback, base = http.now(), http.tenant().locale, http.address_of("tickets.index")
    return {"rows": [presenters.list_row(row, http.actor().user_id, fallback, now, base) for row in _own().recent]}


@_part("activity", order=40, area="side", template="dashboard/_activity.html")
def activity() -> dict[str, Any]:
    """The last five activities, each leading to its record."""
    lines = list_activities(http.session(), actor=http.actor())
    return {
        "lines": [
            {
                "text": presenters.say(line.event),
                "number": line.number,
                "subject": line.subject,
                "url": http.ticket_address("tickets.detail", line.ticket_id),
                "at": line.event.at,
            }
            for line in lines
        ],
        "locale": current_locale(),
    }
