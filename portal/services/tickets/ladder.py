"""The ladder of a promise: what is stored, as the pure clock understands it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from portal.lib.sla_clock import Level, Metric


def levels_of(rows: Sequence[Mapping[str, object]]) -> tuple[Level, ...]:
    """The levels, each with its place among those of its metric."""
    counts: dict[str, int] = {}
    levels = []
    for row in rows:
        metric = str(row["metric"])
        counts[metric] = counts.get(metric, 0) + 1
        levels.append(
            Level(
                metric=Metric(metric),
                position=counts[metric],
                after=timedelta(seconds=int(str(row["after_seconds"]))),
                notify_role=str(row["notify_role"]),
                assign_role=str(row["assign_role"]) if row.get("assign_role") else None,
            )
        )
    return tuple(levels)
