"""What a ticket that is opened now would be promised, before it is written."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.authz import Actor, Permission, require
from portal.lib.sla_clock import ClockInput, Metric, Step, read
from portal.models.session import TenantSession
from portal.services.tickets.policies import find_policy, load_terms


@dataclass(frozen=True)
class PromisedMetric:
    """What is promised, in working time, and when that would be."""

    metric: Metric
    target: timedelta
    due_at: datetime


@dataclass(frozen=True)
class PromisePreview:
    """The promises in order, and the first thing that happens when the first is not kept."""

    metrics: tuple[PromisedMetric, ...]
    step: Step | None


def preview_promise(
    session: TenantSession, *, category: str, priority: str, actor: Actor, now: datetime
) -> PromisePreview | None:
    """The promise for a category and priority as of `now`, None where no policy covers them. One statement."""
    require(actor, Permission.TICKETS_CREATE)
    if not actor.company_ids:
        return None
    policy = find_policy(load_terms(session), category=category, priority=priority, company_id=actor.company_ids[0])
    if policy is None:
        return None
    rules = policy.rules
    reading = read(rules, ClockInput(started_at=now), now)
    due = reading.due_times
    promised = [(metric, target, due[metric]) for metric, target in rules.targets()]
    step = next((step for step in reading.steps if not step.kind.endswith("_warning")), None)
    return PromisePreview(tuple(PromisedMetric(m, target, at) for m, target, at in promised if at is not None), step)
