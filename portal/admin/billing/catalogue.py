"""The catalogue and the rates of tax."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.base import SEARCH_LENGTH, ServiceView, route
from portal.admin.billing.reading import read_amount, read_decimal, read_id, read_whole, refusals, write_amount
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.billing.presenters import money, tier_text
from portal.blueprints.localisation import current_locale, gettext
from portal.errors import Conflict, Invalid
from portal.lib.bulk_discounts import read_tiers
from portal.lib.money_format import format_rate
from portal.lib.text import has_forbidden_characters
from portal.lib.wording.billing import TAX_CATEGORIES
from portal.lib.wording.errors import error_text
from portal.models import CatalogItem, TaxRate
from portal.services.billing.catalogue import (
    ItemForm,
    TaxRateForm,
    add_gst,
    get_item,
    get_tax_rate,
    list_items,
    list_tax_rates,
    save_item,
    save_tax_rate,
)
from portal.services.billing.settings import load_settings
from portal.services.billing.tiers import MOST_TIERS, TierForm

SHOWN = 100
# Rows for tiers that a form has at least, and empty ones behind those that are filled in.
LEAST_ROWS, EMPTY_ROWS = 3, 2


class CatalogueView(ServiceView):
    """Both lists on one page, and a form of each."""

    policy = Permission.BILLING_CONFIGURE

    @route("/")
    def index(self) -> ResponseReturnValue:
        """What is sold, and at which rates of tax."""
        words = request.args.get("q", "").strip()[:SEARCH_LENGTH]
        words = "" if has_forbidden_characters(words) else words
        actor, locale = http.actor(), current_locale()
        items = list_items(http.session(), search=words, limit=SHOWN, actor=actor)
        rates = list_tax_rates(http.session(), actor=actor)
        return self.render(
            "admin/billing/catalogue.html",
            search=words,
            items=[(item, _name(item), money(item.unit_price, item.currency), _tier_texts(item)) for item in items],
            rates=[(rate, format_rate(rate.rate, locale)) for rate in rates],
        )

    @route("/tax-rates/gst", methods=("POST",))
    def gst(self) -> ResponseReturnValue:
        """India's GST at 18 percent, by one click."""
        add_gst(http.session(), actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("Saved"), "ok")
        return http.see_other("billing_catalogue.index")

    @route("/tax-rates/new", methods=("GET", "POST"))
    def new_rate(self) -> ResponseReturnValue:
        """Another rate."""
        return self._rate(None)

    @route("/tax-rates/<uuid:rate_id>", methods=("GET", "POST"))
    def rate(self, rate_id: UUID) -> ResponseReturnValue:
        """A stored rate."""
        return self._rate(get_tax_rate(http.session(), rate_id, actor=http.actor()))

    def _rate(self, stored: TaxRate | None) -> ResponseReturnValue:
        rate_id, form, errors = stored.id if stored else None, request.form, {}
        values: dict[str, Any] = {
            "name": stored.name if stored else "",
            "rate": format(stored.rate.normalize(), "f") if stored else "",
            "category": stored.category if stored else "S",
            "is_default": bool(stored and stored.is_default),
            "active": stored.active if stored else True,
            "version": stored.version if stored else "",
        }
        if request.method == "POST":
            values |= {name: form.get(name, "") for name in ("name", "rate", "category", "version")}
            values |= {name: name in form for name in ("is_default", "active")}
            try:
                wanted = TaxRateForm(
                    values["name"],
                    read_decimal(values["rate"]),
                    values["category"],
                    values["is_default"],
                    values["active"],
                    read_whole(values["version"]),
                )
                save_tax_rate(http.session(), rate_id, wanted, actor=http.actor(), now=http.now())
                return self._done()
            except (Invalid, Conflict) as error:
                errors = _refused(error)
        categories = [(key, gettext(label)) for key, label in TAX_CATEGORIES.items()]
        return self._form("admin/billing/tax_rate.html", values, errors, is_new=rate_id is None, categories=categories)

    @route("/items/new", methods=("GET", "POST"))
    def new_item(self) -> ResponseReturnValue:
        """Another item."""
        return self._item(None)

    @route("/items/<uuid:item_id>", methods=("GET", "POST"))
    def item(self, item_id: UUID) -> ResponseReturnValue:
        """A stored item."""
        return self._item(get_item(http.session(), item_id, actor=http.actor()))

    def _item(self, stored: CatalogItem | None) -> ResponseReturnValue:
        item_id, form, errors = stored.id if stored else None, request.form, {}
        values, tiers = _item_values(stored), _stored_tiers(stored)
        if request.method == "POST":
            values |= {name: form.get(name, "") for name in values} | {"active": "active" in form}
            tiers = _typed_tiers()
            try:
                save_item(http.session(), item_id, _read_item(values, tiers), actor=http.actor(), now=http.now())
                return self._done()
            except (Invalid, Conflict) as error:
                errors = _refused(error)
        rates = list_tax_rates(http.session(), active_only=True, actor=http.actor())
        choices = [("", gettext("The usual rate"))] + [(str(rate.id), rate.name) for rate in rates]
        rows = [*tiers, *([("", "")] * min(MOST_TIERS - len(tiers), max(EMPTY_ROWS, LEAST_ROWS - len(tiers))))]
        return self._form("admin/billing/item.html", values, errors, is_new=item_id is None, rates=choices, tiers=rows)

    def _done(self) -> ResponseReturnValue:
        http.commit()
        flash(gettext("Saved"), "ok")
        return http.see_other("billing_catalogue.index")

    def _form(self, template: str, values: Any, errors: dict[str, list[str]], **more: Any) -> ResponseReturnValue:
        summary = [(name, text) for name, texts in errors.items() for text in texts]
        return self.render(template, values=values, errors=errors, form_errors=summary, **more), 422 if errors else 200


def _refused(error: Invalid | Conflict) -> dict[str, list[str]]:
    http.session().rollback()
    if isinstance(error, Conflict):
        return {"": [error_text(error.code, error.params, gettext)]}
    return refusals(error)


def _name(item: CatalogItem) -> str:
    return str(item.names.get(current_locale()) or item.names.get(http.tenant().locale) or item.sku)


def _tier_texts(item: CatalogItem) -> list[str]:
    return [tier_text(tier) for tier in read_tiers(item.discounts)]


def _item_values(stored: CatalogItem | None) -> dict[str, Any]:
    currency = stored.currency if stored else load_settings(http.session()).currency
    names = stored.names if stored else {}
    return {
        "sku": stored.sku if stored else "",
        **{f"name_{locale}": names.get(locale, "") for locale in http.tenant().locales},
        "unit": stored.unit if stored else "",
        "service_type": stored.service_type if stored else "",
        "currency": currency,
        "unit_price": write_amount(stored.unit_price, currency) if stored else "",
        "tax_rate_id": str(stored.tax_rate_id or "") if stored else "",
        "active": stored.active if stored else True,
        "version": stored.version if stored else "",
    }


def _stored_tiers(stored: CatalogItem | None) -> list[tuple[str, str]]:
    tiers = read_tiers(stored.discounts) if stored else ()
    return [(format(tier.from_quantity, "f"), format(tier.percent, "f")) for tier in tiers]


def _typed_tiers() -> list[tuple[str, str]]:
    """Quantity and percentage of each row in which something was typed."""
    columns = [request.form.getlist(name)[: MOST_TIERS + 1] for name in ("tier_from", "tier_percent")]
    rows = [(start.strip(), percent.strip()) for start, percent in zip(*columns, strict=False)]
    return [row for row in rows if any(row)]


def _read_item(values: dict[str, Any], tiers: Sequence[tuple[str, str]]) -> ItemForm:
    currency = values["currency"].strip().upper()
    return ItemForm(
        sku=values["sku"],
        names={locale: values[f"name_{locale}"] for locale in http.tenant().locales},
        currency=currency,
        unit_price=read_amount(values["unit_price"], currency),
        unit=values["unit"],
        service_type=values["service_type"],
        tax_rate_id=read_id(values["tax_rate_id"]),
        active=values["active"],
        version=read_whole(values["version"]),
        discounts=[TierForm(read_decimal(start), read_decimal(percent)) for start, percent in tiers],
    )
