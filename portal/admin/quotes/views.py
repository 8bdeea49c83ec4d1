"""Quotes in the back office: the queue, a page per version, drafting, wishes and templates."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.quotes.editing import DraftingRoutes
from portal.admin.tickets.refusals import by_field, status_of, texts_of
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import format_count, format_duration, gettext
from portal.blueprints.policies import permission
from portal.blueprints.quotes.document import send_document, send_signed
from portal.blueprints.quotes.presenters import detail_view, list_row, request_view
from portal.errors import Conflict, Invalid
from portal.lib.wording.quotes import STATUS_FOR_STAFF
from portal.models import QuoteStatus
from portal.services.quotes.choices import find_customers
from portal.services.quotes.detail import get_quote_detail
from portal.services.quotes.drafting import discard_quote
from portal.services.quotes.listing import QuoteFilter, count_by_status, list_quotes
from portal.services.quotes.requests import REFUSAL_LENGTH, get_request_row, list_requests, refuse_request
from portal.services.quotes.sending import REPLACEABLE, revise_quote, send_quote
from portal.services.quotes.templates import delete_template, keep_as_template, list_templates
from portal.services.quotes.viewing import list_views


class QuotesView(DraftingRoutes, ServiceView):
    """Everything about quotes that the team does."""

    policy = Permission.SALES_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """The queue; state and words are in the address."""
        given = request.args.get("status")
        chosen = QuoteStatus(given) if given in STATUS_FOR_STAFF else None
        words, actor, now = request.args.get("q", "")[:200], http.actor(), http.now()
        wanted = QuoteFilter(status=(chosen,) if chosen else (), q=words, cursor=request.args.get("cursor"))
        try:
            page = list_quotes(http.session(), wanted, actor=actor, now=now)
        except Invalid:
            return http.see_other("staff_quotes.index")
        kept = {"status": chosen.value if chosen else None, "q": words or None}
        return self.render(
            "admin/quotes/index.html",
            rows=[list_row(row, now, staff=True) for row in page.items],
            page=page,
            tab_items=_tabs(count_by_status(http.session(), actor=actor, now=now), chosen),
            words=words,
            status=chosen.value if chosen else "",
            kept={name: value for name, value in kept.items() if value},
            wishes=len(list_requests(http.session(), waiting=True, actor=actor)),
        )

    @route("/<uuid:quote_id>")
    def detail(self, quote_id: UUID) -> ResponseReturnValue:
        """One version, and how it stands with the customer."""
        return self._show(quote_id)

    @route("/<uuid:quote_id>/pdf")
    def pdf(self, quote_id: UUID) -> ResponseReturnValue:
        """The version as a download."""
        return send_document(get_quote_detail(http.session(), quote_id, actor=http.actor(), now=http.now()))

    @route("/<uuid:quote_id>/signed.pdf")
    def signed(self, quote_id: UUID) -> ResponseReturnValue:
        """The accepted version with the evidence of its signature, sealed."""
        return send_signed(quote_id)

    @route("/<uuid:quote_id>/send", methods=("POST",))
    @permission(Permission.QUOTES_MANAGE)
    def send(self, quote_id: UUID) -> ResponseReturnValue:
        """Give the customer the quote."""
        return self._act(quote_id, send_quote, gettext("Quote sent"))

    @route("/<uuid:quote_id>/revise", methods=("POST",))
    @permission(Permission.QUOTES_MANAGE)
    def revise(self, quote_id: UUID) -> ResponseReturnValue:
        """Begin the next version, and go on with it."""
        try:
            draft = revise_quote(http.session(), quote_id, actor=http.actor(), now=http.now())
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            return self._show(quote_id, error)
        return http.see_other("staff_quotes.edit", quote_id=draft.id)

    @route("/<uuid:quote_id>/discard", methods=("POST",))
    @permission(Permission.QUOTES_MANAGE)
    def discard(self, quote_id: UUID) -> ResponseReturnValue:
        """Throw a draft away."""
        try:
            discard_quote(http.session(), quote_id, actor=http.actor(), now=http.now())
            http.commit()
        except Conflict as error:
            http.session().rollback()
            return self._show(quote_id, error)
        flash(gettext("Draft discarded"), "ok")
        return http.see_other("staff_quotes.index")

    @route("/<uuid:quote_id>/template", methods=("POST",))
    @permission(Permission.QUOTES_MANAGE)
    def keep(self, quote_id: UUID) -> ResponseReturnValue:
        """Keep what it says as a template."""
        name = request.form.get("name", "")
        return self._act(quote_id, keep_as_template, gettext("Template saved"), name=name)

    @route("/customers")
    @permission(Permission.QUOTES_MANAGE)
    def customers(self) -> ResponseReturnValue:
        """Companies for the field that asks while one types."""
        found = find_customers(http.session(), request.args.get("q", ""), actor=http.actor())
        return render_template("admin/quotes/_customers.html", customers=found)

    @route("/requests")
    def requests(self) -> ResponseReturnValue:
        """Customers' wishes, the waiting ones first."""
        rows = list_requests(http.session(), actor=http.actor())
        views = [request_view(row, staff=True) for row in rows]
        views.sort(key=lambda view: view["state"] != "waiting")
        return self.render("admin/quotes/requests.html", wishes=views)

    @route("/requests/<uuid:request_id>")
    def request_page(self, request_id: UUID) -> ResponseReturnValue:
        """One wish."""
        return self._show_request(request_id)

    @route("/requests/<uuid:request_id>/refuse", methods=("POST",))
    @permission(Permission.QUOTES_MANAGE)
    def refuse(self, request_id: UUID) -> ResponseReturnValue:
        """Say that there will be no quote."""
        reason = request.form.get("reason", "")
        try:
            refuse_request(http.session(), request_id, reason=reason, actor=http.actor(), now=http.now())
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            return self._show_request(request_id, error)
        flash(gettext("The customer is told"), "ok")
        return http.see_other("staff_quotes.request_page", request_id=request_id)

    @route("/templates")
    def templates(self) -> ResponseReturnValue:
        """Quotes that are drafted often."""
        return self.render("admin/quotes/templates.html", rows=list_templates(http.session(), actor=http.actor()))

    @route("/templates/<uuid:template_id>/delete", methods=("POST",))
    @permission(Permission.QUOTES_MANAGE)
    def forget(self, template_id: UUID) -> ResponseReturnValue:
        """Forget a template."""
        delete_template(http.session(), template_id, actor=http.actor(), now=http.now())
        http.commit()
        return http.see_other("staff_quotes.templates")

    def _act(self, quote_id: UUID, service: Callable[..., Any], done: str, **fields: Any) -> ResponseReturnValue:
        try:
            service(http.session(), quote_id, actor=http.actor(), now=http.now(), **fields)
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            return self._show(quote_id, error)
        flash(done, "ok")
        return http.see_other("staff_quotes.detail", quote_id=quote_id)

    def _show(self, quote_id: UUID, error: Invalid | Conflict | None = None) -> ResponseReturnValue:
        found = get_quote_detail(http.session(), quote_id, actor=http.actor(), now=http.now())
        views = list_views(http.session(), quote_id, actor=http.actor())
        page = self.render(
            "admin/quotes/detail.html",
            **detail_view(found, found.selected, http.now(), staff=True),
            author=found.author,
            views=[{"name": one.name, "at": one.at, "time": format_duration(one.seconds)} for one in views],
            replaceable=found.quote.status in REPLACEABLE,
            problems=[text for _, text in texts_of(error)],
        )
        return page, status_of(error)

    def _show_request(self, request_id: UUID, error: Invalid | Conflict | None = None) -> ResponseReturnValue:
        row = get_request_row(http.session(), request_id, actor=http.actor())
        page = self.render(
            "admin/quotes/request.html",
            wish=request_view(row, staff=True),
            reason=request.form.get("reason", ""),
            length=REFUSAL_LENGTH,
            errors=texts_of(error),
            field_errors=by_field(error),
        )
        return page, status_of(error)


def _tabs(counts: dict[str, int], chosen: QuoteStatus | None) -> list[dict[str, Any]]:
    tabs = [{"label": gettext("All"), "url": http.address_of("staff_quotes.index"), "current": chosen is None}]
    for key, label in STATUS_FOR_STAFF.items():
        if key == "superseded" and not counts.get(key):
            continue
        url = http.address_of("staff_quotes.index", status=key)
        current = chosen is not None and chosen.value == key
        tabs.append(
            {"label": gettext(label), "url": url, "count": format_count(counts.get(key, 0)), "current": current}
        )
    return tabs
