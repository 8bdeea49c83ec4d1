"""Promises kept, as a table and as a file."""

from datetime import date, timedelta
from typing import Any, cast

from flask import Response, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_day, format_duration, format_share, gettext
from portal.errors import Invalid
from portal.lib.csv_export import MEDIA_TYPE, csv_chunks
from portal.lib.wording.sla import GROUPINGS
from portal.services.tickets.promise_report import Grouping, Report, ReportRow, report_promises

COLUMNS = (
    "key",
    "name",
    "tickets",
    "answers_met",
    "answers_missed",
    "solutions_met",
    "solutions_missed",
    "rounds_missed",
    "median_answer_seconds",
)
SPAN = timedelta(days=90)


class PromiseReportView(ServiceView):
    """The report with its span and grouping."""

    policy = Permission.SLA_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """The table; a span that cannot be read falls back to the last ninety days."""
        report = _read()
        given = {"by": report.by, "since": report.since.isoformat(), "until": report.until.isoformat()}
        return self.render(
            "admin/sla/report.html",
            rows=[_shown(row, report.by) for row in report.rows],
            total=_shown(report.total, report.by) | {"label": gettext("All")},
            given=given,
            groupings=[(key, gettext(label)) for key, label in GROUPINGS.items()],
        )

    @route("/download")
    def download(self) -> ResponseReturnValue:
        """The same rows as CSV."""
        report = _read()
        answer = Response(csv_chunks(COLUMNS, [[_cells(row) for row in report.rows]]), content_type=MEDIA_TYPE)
        name = f"promises-by-{report.by}-{report.since.isoformat()}-{report.until.isoformat()}.csv"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer


def _read() -> Report:
    today = http.now().date()
    by = request.args.get("by", "week")
    grouping = cast(Grouping, by if by in GROUPINGS else "week")
    until = _day(request.args.get("until")) or today
    since = _day(request.args.get("since")) or until - SPAN
    try:
        return _report(grouping, since, until)
    except Invalid:
        return _report(grouping, today - SPAN, today)


def _report(by: Grouping, since: date, until: date) -> Report:
    return report_promises(
        http.session(),
        by=by,
        since=since,
        until=until,
        zone=http.tenant().timezone,
        locale=current_locale(),
        actor=http.actor(),
        now=http.now(),
    )


def _day(text: str | None) -> date | None:
    """A day within the years that databases and calendars agree on."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if 1970 < day.year < 9000 else None


def _shown(row: ReportRow, by: Grouping) -> dict[str, Any]:
    if row.key is not None and by == "week":
        label = gettext("Week of %(day)s", day=format_day(date.fromisoformat(row.key)))
    else:
        label = row.label or (gettext("Nobody") if by == "agent" else gettext("None"))
    return {
        **vars(row),
        "label": label,
        "share": "" if row.kept_share is None else format_share(row.kept_share),
        "low": row.kept_share is not None and row.kept_share < 0.9,
        "median": "" if row.median_answer is None else format_duration(row.median_answer),
    }


def _cells(row: ReportRow) -> list[object]:
    median = None if row.median_answer is None else int(row.median_answer.total_seconds())
    return [
        row.key,
        row.label,
        row.tickets,
        row.answers_met,
        row.answers_missed,
        row.solutions_met,
        row.solutions_missed,
        row.rounds_missed,
        median,
    ]
