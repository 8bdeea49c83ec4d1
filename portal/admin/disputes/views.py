"""What customers dispute and ask for, and chargebacks, in the back office: the lists and decisions (ADM-09)."""

from typing import Any
from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts, status_of
from portal.blueprints.disputes.evidence_forms import NOTHING_SENT, Evidence, evidence_of, form_texts, take_evidence
from portal.blueprints.disputes.forms import typed_amount, typed_day
from portal.blueprints.disputes.presenters import chargeback_row, dispute_view, extension_view
from portal.blueprints.files.receiving import receive_files, takes_files
from portal.blueprints.localisation import format_count, gettext
from portal.blueprints.payments.refunding import send_if_approved
from portal.blueprints.plans.presenters import plan_view
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.services.disputes.deciding import Decision, resolve_dispute, review_dispute
from portal.services.disputes.extending import grant_extension, refuse_extension
from portal.services.disputes.queries import (
    count_waiting,
    page_chargebacks,
    page_disputes,
    page_extensions,
    read_dispute,
    read_extension,
)
from portal.services.plans.queries import page_plans

LISTS = ("disputes", "extensions", "plans", "chargebacks")


class DisputesView(ServiceView):
    """What customers object to and ask for, and what their banks take back."""

    policy = Permission.BILLING_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """One of the four lists; which one is in the address."""
        chosen = request.args.get("list", LISTS[0])
        chosen = chosen if chosen in LISTS else LISTS[0]
        try:
            page, rows = self._rows(chosen, request.args.get("cursor"))
        except Invalid:
            return http.see_other("staff_disputes.index", list=chosen)
        return self.render(
            "admin/disputes/index.html", chosen=chosen, page=page, rows=rows, tab_items=self._tabs(chosen)
        )

    def _rows(self, chosen: str, cursor: str | None) -> tuple[Any, list[dict[str, Any]]]:
        session, actor = http.session(), http.actor()
        if chosen == "extensions":
            wishes = page_extensions(session, actor=actor, cursor=cursor)
            return wishes, [extension_view(row) for row in wishes.items]
        if chosen == "plans":
            plans = page_plans(session, actor=actor, cursor=cursor)
            return plans, [plan_view(row, http.now(), staff=True) for row in plans.items]
        if chosen == "chargebacks":
            cases = page_chargebacks(session, actor=actor, cursor=cursor)
            return cases, [chargeback_row(row) for row in cases.items]
        found = page_disputes(session, actor=actor, cursor=cursor)
        return found, [dispute_view(row, staff=True) for row in found.items]

    def _tabs(self, chosen: str) -> list[dict[str, Any]]:
        counts = count_waiting(http.session(), actor=http.actor())
        labels = {
            "disputes": gettext("Disputes"),
            "extensions": gettext("More time"),
            "plans": gettext("Payment plans"),
            "chargebacks": gettext("Disputed at banks"),
        }
        return [
            {
                "label": labels[name],
                "url": http.address_of("staff_disputes.index", list=name),
                "count": format_count(counts[name]) if counts[name] else None,
                "current": name == chosen,
            }
            for name in LISTS
        ]

    @route("/<uuid:dispute_id>")
    def detail(self, dispute_id: UUID) -> ResponseReturnValue:
        """One dispute and the form of the decision."""
        return self._page(dispute_id, {})

    @route("/<uuid:dispute_id>/review", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def review(self, dispute_id: UUID) -> ResponseReturnValue:
        """Take it up."""
        review_dispute(http.session(), dispute_id, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("The customer sees that you look into it"), "ok")
        return http.see_other("staff_disputes.detail", dispute_id=dispute_id)

    @route("/<uuid:dispute_id>/resolve", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    @takes_files
    def resolve(self, dispute_id: UUID) -> ResponseReturnValue:
        """Decide it; a refund is sent after the commit."""
        form, received = request.form, receive_files()
        try:
            received.check()
            currency = read_dispute(http.session(), dispute_id, actor=http.actor()).dispute.currency
            accept = form.get("outcome") == "accepted"
            amount = typed_amount("amount", form.get("amount", ""), currency) if accept else None
            _, refund = resolve_dispute(
                http.session(),
                dispute_id,
                Decision(accept, form.get("answer", ""), amount, received.ids),
                base_url=http.settings().base_url,
                actor=http.actor(),
                now=http.now(),
            )
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            return self._page(dispute_id, form_texts(error), Evidence.refused(error, received.ids))
        if refund is not None:
            send_if_approved(refund)
        flash(gettext("Dispute decided"), "ok")
        return http.see_other("staff_disputes.detail", dispute_id=dispute_id)

    @route("/<uuid:dispute_id>/evidence", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    @takes_files
    def add_files(self, dispute_id: UUID) -> ResponseReturnValue:
        """Add files before the decision; the customer sees them."""
        received = receive_files()
        try:
            take_evidence(dispute_id, received)
        except (Invalid, Conflict) as error:
            http.session().rollback()
            sent = Evidence.refused(error, received.ids)
            return self._page(dispute_id, {"problem": sent.problem} if sent.problem else {}, sent, adding=True)
        flash(gettext("Files added"), "ok")
        return http.see_other("staff_disputes.detail", dispute_id=dispute_id)

    @route("/extensions/<uuid:wish_id>")
    def extension(self, wish_id: UUID) -> ResponseReturnValue:
        """One wish for more time and the form of the answer."""
        return self._extension_page(wish_id, {})

    @route("/extensions/<uuid:wish_id>/answer", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def answer_extension(self, wish_id: UUID) -> ResponseReturnValue:
        """Grant it, for the day asked for or another one, or refuse it."""
        form, session, actor, now = request.form, http.session(), http.actor(), http.now()
        words = form.get("answer", "")
        try:
            if form.get("grant") == "1":
                day = typed_day(form.get("due_on", ""))
                grant_extension(session, wish_id, due_on=day, answer=words, actor=actor, now=now)
            else:
                refuse_extension(session, wish_id, answer=words, actor=actor, now=now)
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            return self._extension_page(wish_id, refusal_texts(error, "problem"), status_of(error))
        flash(gettext("Answer sent"), "ok")
        return http.see_other("staff_disputes.extension", wish_id=wish_id)

    def _page(
        self, dispute_id: UUID, errors: dict[str, str], sent: Evidence = NOTHING_SENT, *, adding: bool = False
    ) -> ResponseReturnValue:
        """The page; what was refused comes back in the form of the decision, or in that of files (`adding`)."""
        row = read_dispute(http.session(), dispute_id, actor=http.actor())
        page = self.render(
            "admin/disputes/dispute.html",
            dispute=dispute_view(row, staff=True),
            evidence=evidence_of(dispute_id, "staff_evidence"),
            errors=errors,
            adding=adding,
            form=request.form,
            **sent.context(),
        )
        return page, sent.status

    def _extension_page(self, wish_id: UUID, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
        row = read_extension(http.session(), wish_id, actor=http.actor())
        page = self.render("admin/disputes/extension.html", wish=extension_view(row), errors=errors, form=request.form)
        return page, status
