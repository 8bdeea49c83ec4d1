"""Drafting in the back office: the form for a new quote and for a draft."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.base import route
from portal.admin.quotes.forms import EMPTY_ROWS, Rows, draft_rows, read_draft, sent_rows, stored_rows
from portal.admin.sla.forms import valid_uuid
from portal.admin.tickets.refusals import by_field, status_of, texts_of
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.models import Quote, QuoteStatus
from portal.services.quotes.choices import list_items, list_rates, name_of_customer
from portal.services.quotes.drafting import TITLE_LENGTH, draft_quote, edit_quote
from portal.services.quotes.lines import plain_decimal
from portal.services.quotes.queries import get_quote, get_request, list_lines
from portal.services.quotes.settings import read_settings
from portal.services.quotes.templates import from_template, list_templates

Refused = Invalid | Conflict


class DraftingRoutes:
    """The routes that write drafts; a part of the view of quotes."""

    def render(self, template: str, **context: Any) -> str:
        """What the view of the back office gives."""
        return super().render(template, **context)  # type: ignore[misc,no-any-return]

    @route("/new", methods=("GET", "POST"))
    @permission(Permission.QUOTES_MANAGE)
    def new(self) -> ResponseReturnValue:
        """A new quote, maybe from a template or for a wish."""
        if request.method != "POST":
            return self._form(None, *_beginning())
        if request.form.get("do") == "more":
            return self._form(None, dict(request.form), sent_rows())
        settings = read_settings(http.session())
        currency = request.form.get("currency") or settings.currency
        try:
            wanted = read_draft(None, list_items(http.session()), currency, settings.locale)
            made = draft_quote(http.session(), wanted, actor=http.actor(), now=http.now())
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            return self._form(None, dict(request.form), sent_rows(), error)
        flash(gettext("Draft saved"), "ok")
        return http.see_other("staff_quotes.detail", quote_id=made.id)

    @route("/<uuid:quote_id>/edit", methods=("GET", "POST"))
    @permission(Permission.QUOTES_MANAGE)
    def edit(self, quote_id: UUID) -> ResponseReturnValue:
        """A draft; what was sent does not change."""
        quote = get_quote(http.session(), quote_id, actor=http.actor())
        if quote.status is not QuoteStatus.DRAFT:
            return http.see_other("staff_quotes.detail", quote_id=quote_id)
        if request.method != "POST":
            lines, items = list_lines(http.session(), quote.id), list_items(http.session())
            return self._form(quote, _stored(quote), stored_rows(lines, items, quote.currency))
        if request.form.get("do") == "more":
            return self._form(quote, dict(request.form), sent_rows())
        seen = request.form.get("seen", "")
        try:
            wanted = read_draft(quote, list_items(http.session()), quote.currency, quote.locale)
            known = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else None
            edit_quote(http.session(), quote_id, wanted, seen=known, actor=http.actor(), now=http.now())
            http.commit()
        except (Invalid, Conflict) as error:
            http.session().rollback()
            quote = get_quote(http.session(), quote_id, actor=http.actor())
            return self._form(quote, dict(request.form), sent_rows(), error)
        flash(gettext("Draft saved"), "ok")
        return http.see_other("staff_quotes.detail", quote_id=quote_id)

    def _form(
        self, quote: Quote | None, values: dict[str, Any], rows: Rows, error: Refused | None = None
    ) -> ResponseReturnValue:
        settings = read_settings(http.session())
        blank = {"quantity": "1"}
        page = self.render(
            "admin/quotes/form.html",
            quote=quote,
            values=values,
            rows=[*rows, *([blank] * EMPTY_ROWS)],
            items=_item_options(settings.locale),
            rates=[("", gettext("Standard")), *((plain_decimal(r.rate), _rate(r)) for r in list_rates(http.session()))],
            templates=list_templates(http.session(), actor=http.actor()) if quote is None else (),
            currency=quote.currency if quote else values.get("currency") or settings.currency,
            title_length=TITLE_LENGTH,
            errors=texts_of(error),
            field_errors=by_field(error),
        )
        return page, status_of(error)


def _beginning() -> tuple[dict[str, Any], Rows]:
    """What a new form has in it: of a template, of a wish, of a customer."""
    settings = read_settings(http.session())
    values: dict[str, Any] = {"terms": settings.terms_in(settings.locale), "currency": settings.currency}
    rows: Rows = []
    if (template_id := valid_uuid(request.args.get("template"))) is not None:
        kept = from_template(http.session(), template_id, actor=http.actor())
        values |= {"title": kept.title, "introduction": kept.introduction, "terms": kept.terms}
        values |= {"currency": kept.currency, "deposit_percent": plain_decimal(kept.deposit_percent or Decimal(0))}
        rows = draft_rows(kept.lines or (), kept.currency or settings.currency)
    if (request_id := valid_uuid(request.args.get("request"))) is not None:
        wish = get_request(http.session(), request_id, actor=http.actor())
        values |= {"request_id": str(wish.id), "title": wish.subject, "customer": str(wish.customer_id)}
        values["customer_text"] = name_of_customer(http.session(), wish.customer_id)
    return values, rows


def _stored(quote: Quote) -> dict[str, Any]:
    return {
        "title": quote.title,
        "introduction": quote.introduction,
        "terms": quote.terms,
        "valid_until": quote.valid_until.isoformat(),
        "deposit_percent": plain_decimal(quote.deposit_percent),
        "seen": str(quote.edits),
        "customer_text": name_of_customer(http.session(), quote.customer_id),
    }


def _item_options(locale: str) -> list[tuple[str, str]]:
    options = [("", gettext("Free text"))]
    for item in list_items(http.session()):
        name = item.names.get(locale) or next(iter(item.names.values()), "")
        options.append((str(item.id), f"{item.sku} · {name}" if name else item.sku))
    return options


def _rate(rate: Any) -> str:
    return f"{rate.name} {plain_decimal(rate.rate)} %"
