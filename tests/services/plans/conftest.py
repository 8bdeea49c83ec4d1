"""The till of the payments' tests, and plans on the way to being in force."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from portal.models import PaymentPlan, PlanInstalment, PlanInterval
from portal.services.plans.accepting import PlanAcceptance, accept_plan
from portal.services.plans.asking import PlanWish, ask_plan
from portal.services.plans.deciding import grant_plan
from portal.services.quotes.accepting import Evidence
from tests.services.payments.conftest import refused, till

__all__ = ["refused", "till"]
PARIS = ZoneInfo("Europe/Paris")
EVIDENCE = Evidence("198.51.100.7", "Browser", "pwd")


class Plans:
    """Asking, granting and accepting as people of the world do; Acme's invoices, Alice its administrator."""

    def __init__(self, till: Any) -> None:
        self.till = till

    def wish(self, **more: Any) -> PlanWish:
        first = self.till.now.astimezone(PARIS).date() + timedelta(days=more.pop("days", 10))
        values = {"count": 3, "interval": PlanInterval.MONTHLY, "first_on": first, "reason": "A slow quarter"} | more
        return PlanWish(**values)

    def ask(self, invoice: UUID, who: str = "alice", **more: Any) -> UUID:
        with self.till.begin() as session:
            return ask_plan(session, invoice, self.wish(**more), actor=self.till.actor(who), now=self.till.now).id

    def grant(self, plan: UUID, who: str = "bill", **more: Any) -> None:
        with self.till.begin() as session:
            grant_plan(session, plan, actor=self.till.actor(who), **{"now": self.till.now} | more)

    def accept(self, plan: UUID, who: str = "alice", **more: Any) -> None:
        now, method = more.pop("now", self.till.now), more.pop("method", None)
        given = {"signer_name": "Alice Martin", "content_sha256": self.hash(plan), "consent": True} | more
        with self.till.begin() as session:
            accept_plan(
                session,
                plan,
                PlanAcceptance(**given, method_id=method),
                evidence=EVIDENCE,
                actor=self.till.actor(who),
                now=now,
            )

    def in_force(self, invoice: UUID, *, method: UUID | None = None, **more: Any) -> UUID:
        plan = self.ask(invoice, **more)
        self.grant(plan)
        self.accept(plan, method=method)
        return plan

    def hash(self, plan: UUID) -> str:
        return (self.row(plan).content_sha256 or b"").hex()

    def row(self, plan: UUID) -> PaymentPlan:
        return self.till.rows(PaymentPlan, PaymentPlan.id == plan)[0]

    def instalments(self, plan: UUID) -> list[PlanInstalment]:
        found = self.till.rows(PlanInstalment, PlanInstalment.plan_id == plan)
        return sorted(found, key=lambda one: one.position)


@pytest.fixture
def plans(till: Any) -> Plans:
    return Plans(till)
