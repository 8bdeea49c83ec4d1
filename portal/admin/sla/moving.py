"""Before a promise or working hours are saved: which open tickets that moves, and whether they shall."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import flash, g, request
from flask.typing import ResponseReturnValue

from portal.admin.sla.forms import valid_uuid
from portal.admin.sla.presenters import span_text
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.errors import Invalid, NotFound
from portal.lib.wording.tickets import METRIC
from portal.services.tickets.sla_moves import Moves, OpenTickets
from portal.services.tickets.sla_versions import Version, list_versions

SHOWN = 25


class AskFirst(Invalid):
    """Nothing is wrong: the choice about open tickets is still to be made, so the form comes back with it."""


def chosen_for(preview: Callable[[], Moves]) -> OpenTickets:
    """What the form says about open tickets; AskFirst where it says nothing and there are some to move."""
    given = request.form.get("open_tickets")
    if given == "stay":
        return "stay"
    if given == "move":
        return "move"
    moves = preview()
    if moves.tickets:
        g.sla_moves = moves
        raise AskFirst
    return "move"


def moves_shown() -> dict[str, Any]:
    """The preview for `_moves.html`, where one was made."""
    moves: Moves | None = g.get("sla_moves")
    if moves is None:
        return {"moves": None}
    rows = [
        {
            "id": one.id,
            "number": one.number,
            "subject": one.subject,
            "metric": gettext(METRIC[one.metric.value]),
            "old": one.old_due_at,
            "new": one.new_due_at,
            "breached": one.newly_breached,
        }
        for one in moves.tickets[:SHOWN]
    ]
    return {
        "moves": {"rows": rows, "count": len(moves.tickets), "breached": moves.breached, "open": moves.open_tickets}
    }


def version_rows(record_type: str, record_id: UUID) -> list[dict[str, Any]]:
    """The versions of a promise or of working hours, newest first."""
    versions = list_versions(http.session(), record_type, record_id, actor=http.actor())
    return [
        {
            "number": one.number,
            "at": one.saved_at,
            "by": one.saved_by_name,
            "current": one.current,
            "text": " · ".join(_summary(one)),
        }
        for one in versions
    ]


def _summary(version: Version) -> Sequence[str]:
    form = version.data["form"]
    if "timezone" in form:
        return [form["name"], form["timezone"], gettext("%(number)s holidays", number=len(form["holidays"]))]
    names = ("first_response", "resolution", "next_response", "update")
    found = [(METRIC[name], form.get(f"{name}_seconds")) for name in names]
    return [form["name"], *(f"{gettext(label)} {span_text(value, None)}" for label, value in found if value)]


def go_back(restore: Callable[..., Any], endpoint: str) -> ResponseReturnValue:
    """Do what a button of the versions' page asks for; what a version refers to may be gone."""
    wanted = valid_uuid(request.form.get("id"))
    number = request.form.get("version", "")
    if wanted is None or not number.isascii() or not number.isdigit() or len(number) > 9:
        raise NotFound("version")
    choice: OpenTickets = "stay" if request.form.get("open_tickets") == "stay" else "move"
    try:
        restore(http.session(), wanted, int(number), actor=http.actor(), now=http.now(), open_tickets=choice)
    except Invalid:
        http.session().rollback()
        flash(gettext("This version refers to something that is gone; nothing was changed."), "err")
        return http.see_other(f"{endpoint}.versions_view", id=wanted)
    http.commit()
    flash(gettext("Version %(number)s is in force again", number=number), "ok")
    return http.see_other(f"{endpoint}.versions_view", id=wanted)
