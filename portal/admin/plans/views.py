"""Payment plans in the back office: one plan and the team's decision; the list is a tab beside the disputes."""

from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts, status_of
from portal.blueprints.localisation import gettext
from portal.blueprints.plans.forms import SPARE, typed_parts
from portal.blueprints.plans.presenters import part_fields, plan_view
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.models import PlanStatus
from portal.services.plans.asking import UNDECIDED_PLAN
from portal.services.plans.deciding import asked_parts, grant_plan, refuse_plan
from portal.services.plans.dividing import MOST
from portal.services.plans.queries import get_plan, read_plan


class PlansView(ServiceView):
    """What customers want to pay in instalments."""

    policy = Permission.BILLING_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """The list, among the others that wait for a decision."""
        return http.see_other("staff_disputes.index", list="plans")

    @route("/<uuid:plan_id>")
    def detail(self, plan_id: UUID) -> ResponseReturnValue:
        """One plan and the form of the answer."""
        return self._page(plan_id, {})

    @route("/<uuid:plan_id>/answer", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def answer(self, plan_id: UUID) -> ResponseReturnValue:
        """Offer it, with the days and amounts that were typed, or refuse it."""
        form, session, actor, now = request.form, http.session(), http.actor(), http.now()
        words = form.get("answer", "")
        try:
            if form.get("grant") == "1":
                parts = typed_parts(form, get_plan(session, plan_id, actor=actor).currency)
                grant_plan(session, plan_id, parts=parts, answer=words, actor=actor, now=now)
            else:
                refuse_plan(session, plan_id, answer=words, actor=actor, now=now)
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            return self._page(plan_id, refusal_texts(error, "problem"), status_of(error))
        flash(gettext("Answer sent"), "ok")
        return http.see_other("staff_plans.detail", plan_id=plan_id)

    def _page(self, plan_id: UUID, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
        row = read_plan(http.session(), plan_id, actor=http.actor())
        waits = row.plan.status is PlanStatus.OPEN
        lines = min(MOST, row.plan.wanted_count + SPARE)
        parts = asked_parts(row.plan, row.invoice) if waits else []
        page = self.render(
            "admin/plans/detail.html",
            plan=plan_view(row, http.now(), staff=True),
            waits=waits,
            undecided=row.plan.status in UNDECIDED_PLAN,
            parts=part_fields(parts, row.plan.currency, lines) if waits else [],
            errors=errors,
            form=request.form,
        )
        return page, status
