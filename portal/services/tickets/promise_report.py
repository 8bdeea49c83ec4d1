"""Promises kept: per week, category, member of the team or promise, over the tickets opened in a span of days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import text

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid
from portal.models.session import TenantSession

Grouping = Literal["week", "category", "agent", "policy"]
LONGEST = 1_100  # days
MOST_ROWS = 1_000
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(9000, 1, 1)

# What a ticket is counted under, and what that is called.
_KEYS: dict[Grouping, str] = {
    "week": "to_char(date_trunc('week', t.created_at AT TIME ZONE :zone), 'YYYY-MM-DD')",
    "category": "t.category",
    "agent": "t.assigned_to::text",
    "policy": "t.sla_policy_id::text",
}
_LABELS: dict[Grouping, str] = {
    "week": "g.key",
    "category": "(SELECT coalesce(nullif(c.names ->> :locale, ''), c.names ->> 'en', c.key) FROM ticket_categories c"
    " WHERE c.tenant_id = :tenant_id AND c.key = g.key)",
    "agent": "(SELECT p.name FROM users u JOIN people p ON p.tenant_id = u.tenant_id AND p.id = u.person_id"
    " WHERE u.tenant_id = :tenant_id AND u.id = g.key::uuid)",
    "policy": "(SELECT s.name FROM sla_policies s WHERE s.tenant_id = :tenant_id AND s.id = g.key::uuid)",
}
# Resolving answers, too. Whatever is open past its due time is missed already; what never ended is void.
_REPORT = """
    WITH found AS (
        SELECT {key} AS key, t.first_response_due_at, t.resolution_due_at, t.resolved_at, t.clock_started_at,
               t.first_response_at, least(t.first_response_at, t.resolved_at) AS answered_at, t.rounds_missed
        FROM portal_tickets t
        WHERE t.tenant_id = :tenant_id AND t.created_at >= :since AND t.created_at < :until
          AND t.trashed_at IS NULL AND t.merged_into_id IS NULL
    ), g AS (
        SELECT key, grouping(key) = 1 AS whole, count(*) AS tickets,
            count(*) FILTER (WHERE answered_at <= first_response_due_at) AS answers_met,
            count(*) FILTER (WHERE coalesce(answered_at, :now) > first_response_due_at) AS answers_missed,
            count(*) FILTER (WHERE resolved_at <= resolution_due_at) AS solutions_met,
            count(*) FILTER (WHERE coalesce(resolved_at, :now) > resolution_due_at) AS solutions_missed,
            coalesce(sum(rounds_missed), 0) AS rounds_missed,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM first_response_at - clock_started_at))
                FILTER (WHERE first_response_at >= clock_started_at) AS median
        FROM found GROUP BY GROUPING SETS ((key), ())
    )
    SELECT g.key, g.whole, CASE WHEN g.key IS NOT NULL THEN {label} END AS label, g.tickets, g.answers_met,
           g.answers_missed, g.solutions_met, g.solutions_missed, g.rounds_missed, g.median
    FROM g ORDER BY g.whole DESC, g.key LIMIT :most
"""


@dataclass(frozen=True)
class ReportRow:
    """Figures of a group; `key` None are tickets without an agent or a promise.

    `rounds_missed` are late further answers and updates; `median_answer` is plain time from the clock's start.
    """

    key: str | None
    label: str | None
    tickets: int
    answers_met: int
    answers_missed: int
    solutions_met: int
    solutions_missed: int
    rounds_missed: int
    median_answer: timedelta | None

    @property
    def kept_share(self) -> float | None:
        """The part of the promises that came to an end (or past their due time) which were kept."""
        kept = self.answers_met + self.solutions_met
        ended = kept + self.answers_missed + self.solutions_missed
        return kept / ended if ended else None


@dataclass(frozen=True)
class Report:
    """The rows in order of their keys, and all of them together."""

    by: Grouping
    since: date
    until: date
    total: ReportRow
    rows: tuple[ReportRow, ...]


def report_promises(
    session: TenantSession,
    *,
    by: Grouping,
    since: date,
    until: date,
    zone: str,
    locale: str,
    actor: Actor,
    now: datetime,
) -> Report:
    """The report for tickets opened from `since` to `until` (both days included, in `zone`), by one statement.

    Tickets count by the newest cycle of their clock. Raises Forbidden and Invalid (`until`).
    """
    require(actor, Permission.SLA_READ)
    if not 0 <= (until - since).days <= LONGEST or not FIRST_DAY <= since <= until <= LAST_DAY:
        raise Invalid(FieldError("until", "span_invalid", (("limit", LONGEST),)))
    rows = session.connection().execute(
        text(_REPORT.format(key=_KEYS[by], label=_LABELS[by])),
        {
            "tenant_id": session.tenant_id,
            "since": _midnight(since, zone),
            "until": _midnight(until + timedelta(days=1), zone),
            "now": now,
            "most": MOST_ROWS,
            **({"zone": zone} if by == "week" else {}),
            **({"locale": locale} if by == "category" else {}),
        },
    )
    total, groups = None, []
    for key, whole, *figures in rows:
        row = _row(None if whole else key, figures)
        if whole:
            total = row
        else:
            groups.append(row)
    return Report(by, since, until, total or _row(None, [None, 0, 0, 0, 0, 0, 0, None]), tuple(groups))


def _row(key: str | None, figures: list[object]) -> ReportRow:
    label, *counts, median = figures
    tickets, answers_met, answers_missed, solutions_met, solutions_missed, rounds_missed = (int(str(c)) for c in counts)
    return ReportRow(
        key,
        None if label is None else str(label),
        tickets,
        answers_met,
        answers_missed,
        solutions_met,
        solutions_missed,
        rounds_missed,
        median_answer=None if median is None else timedelta(seconds=round(float(str(median)))),
    )


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
