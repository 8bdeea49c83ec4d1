"""How satisfied customers were: figures, comments, and both as a file."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.sla.forms import valid_uuid
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_day, format_share, gettext, select_timezone
from portal.lib.csv_export import MEDIA_TYPE, csv_chunks
from portal.services.tickets.queries import list_assignable, list_categories
from portal.services.tickets.satisfaction import (
    WEEKS,
    Figures,
    Group,
    SatisfactionFilter,
    export_satisfaction,
    read_satisfaction,
)

COLUMNS = ("number", "subject", "company", "requester", "agent", "category", "solved_at", "rating", "comment")


class SatisfactionView(ServiceView):
    """The overview."""

    policy = Permission.DESK_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """Figures by week, category and agent, and the newest comments."""
        session, actor = http.session(), http.actor()
        wanted = _wanted()
        found = read_satisfaction(session, wanted, zone=select_timezone(), actor=actor, now=http.now())
        locale = current_locale()
        names = {row.key: row.name_in(locale) for row in list_categories(session, include_inactive=True)}
        anything = ("", gettext("All"))
        query = {"weeks": wanted.weeks, "category": wanted.category or None, "agent": wanted.agent}
        return self.render(
            "admin/desk/satisfaction.html",
            found=found,
            whole=_shown(found.whole),
            weeks=[(_day(group), _shown(group.figures)) for group in found.weeks],
            categories=[(names.get(group.key, group.key), _shown(group.figures)) for group in found.categories],
            agents=[(group.name or gettext("Nobody"), _shown(group.figures)) for group in found.agents],
            wanted=wanted,
            spans=[(str(weeks), gettext("Last %(number)s weeks", number=weeks)) for weeks in WEEKS],
            category_choices=[anything, *names.items()],
            agent_choices=[anything, *((str(id_), name) for id_, name in list_assignable(session))],
            answered=format_share(found.whole.count / found.solved) if found.solved else None,
            download=http.address_of("satisfaction.download", **{k: v for k, v in query.items() if v}),
        )

    @route("/download")
    def download(self) -> ResponseReturnValue:
        """Every rating that counts, as CSV."""
        rows = export_satisfaction(http.session(), _wanted(), actor=http.actor(), now=http.now())
        http.commit()
        lines = [
            (
                row.ticket.ticket_number,
                row.ticket.subject,
                row.company,
                row.requester,
                row.agent,
                row.ticket.category,
                row.ticket.resolved_at.isoformat() if row.ticket.resolved_at else "",
                row.ticket.satisfaction_rating,
                row.ticket.satisfaction_comment,
            )
            for row in rows
        ]
        answer = Response("".join(csv_chunks(COLUMNS, [lines])), content_type=MEDIA_TYPE)
        answer.headers["Content-Disposition"] = f'attachment; filename="satisfaction-{http.now():%Y-%m-%d}.csv"'
        return answer


def _wanted() -> SatisfactionFilter:
    weeks = request.args.get("weeks", "")
    agent: UUID | None = valid_uuid(request.args.get("agent"))
    category = request.args.get("category", "")[:50]
    return SatisfactionFilter(
        weeks=int(weeks) if weeks in map(str, WEEKS) else WEEKS[1],
        category=category if category.isprintable() else "",
        agent=agent,
    )


def _day(group: Group) -> str:
    return format_day(date.fromisoformat(group.key))


def _shown(figures: Figures) -> dict[str, Any]:
    return {
        "count": figures.count,
        "average": f"{figures.average:.2f}" if figures.average is not None else "–",
        "good": format_share(figures.good / figures.count) if figures.count else "–",
        "percent": round(100 * figures.good / figures.count) if figures.count else 0,
    }
