"""How the tenant bills: seller, numbers, terms, fees, and the plan of reminders."""

from typing import Any

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.billing.reading import read_amount, read_decimal, read_whole, refusals, write_amount
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.errors import Conflict, FieldError, Invalid
from portal.lib.pay_methods import WAYS
from portal.lib.wording.errors import error_text
from portal.lib.wording.pay_methods import ABOUT, EVERYWHERE, NAME, WHERE
from portal.models import BillingSettings
from portal.services.billing.configuring import (
    FORMATS,
    SELLER_FIELDS,
    SettingsForm,
    get_settings,
    save_dunning,
    save_payment_methods,
    save_settings,
)

_DAYS = ("payment_terms_days", "quote_valid_days", "late_fee_after_days")
_PLANS = ("retry_after", "reminders")


class BillingSettingsView(ServiceView):
    """One page with three forms."""

    policy = Permission.BILLING_CONFIGURE

    @route("/", methods=("GET", "POST"))
    def index(self) -> ResponseReturnValue:
        """The settings, or what was sent with them."""
        settings = get_settings(http.session(), actor=http.actor())
        if request.method != "POST":
            return self._page(_stored(settings), {})
        try:
            save_settings(http.session(), _read(settings), actor=http.actor(), now=http.now())
            http.commit()
        except (Invalid, Conflict) as error:
            return self._refused(error)
        flash(gettext("Saved"), "ok")
        return http.see_other("billing_settings.index")

    @route("/dunning", methods=("POST",))
    def dunning(self) -> ResponseReturnValue:
        """The plan of reminders and retries."""
        plans = {name: request.form.get(name, "").replace(",", " ").split() for name in _PLANS}
        try:
            save_dunning(http.session(), **plans, actor=http.actor(), now=http.now())
            http.commit()
        except (Invalid, Conflict) as error:
            return self._refused(error)
        flash(gettext("Saved"), "ok")
        return http.see_other("billing_settings.index")

    @route("/methods", methods=("POST",))
    def methods(self) -> ResponseReturnValue:
        """Which ways of paying customers are offered."""
        chosen, version = request.form.getlist("payment_methods"), read_whole(request.form.get("version", ""))
        try:
            save_payment_methods(http.session(), chosen, version=version, actor=http.actor(), now=http.now())
            http.commit()
        except (Invalid, Conflict) as error:
            return self._refused(error)
        flash(gettext("Saved"), "ok")
        return http.see_other("billing_settings.index")

    def _refused(self, error: Invalid | Conflict) -> ResponseReturnValue:
        http.session().rollback()
        stored = _stored(get_settings(http.session(), actor=http.actor()))
        typed = stored | {name: value for name, value in request.form.items() if name in stored}
        if "invoice_number_format" in request.form:
            typed["partial_payments"] = "partial_payments" in request.form
        if request.endpoint == "billing_settings.methods":
            typed["payment_methods"] = request.form.getlist("payment_methods")
        if isinstance(error, Conflict):
            return self._page(typed, {"": [error_text(error.code, error.params, gettext)]})
        return self._page(typed, refusals(error))

    def _page(self, values: dict[str, Any], errors: dict[str, list[str]]) -> ResponseReturnValue:
        summary = [(name, text) for name, texts in errors.items() for text in texts]
        page = self.render(
            "admin/billing/settings.html", values=values, errors=errors, form_errors=summary, ways=_ways(values)
        )
        return page, 422 if errors else 200


def _ways(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Every way of paying: what it is called and for, where it works, whether it is offered."""
    return [
        {
            "code": method.value,
            "name": gettext(NAME[method]),
            "about": gettext(ABOUT[method]),
            "where": gettext(WHERE[method]),
            "currencies": ", ".join(way.currencies) or gettext(EVERYWHERE),
            "offered": method.value in values["payment_methods"],
        }
        for method, way in WAYS.items()
    ]


def _stored(settings: BillingSettings) -> dict[str, Any]:
    plans = {name: " ".join(settings.dunning.get(name, ())) for name in _PLANS}
    return {
        "currency": settings.currency,
        **{name: settings.seller.get(name, "") for name in SELLER_FIELDS},
        **{name: getattr(settings, name) for name in (*FORMATS, *_DAYS)},
        "tax_rounding": settings.tax_rounding,
        "partial_payments": settings.partial_payments,
        "partial_minimum": write_amount(settings.partial_minimum, settings.currency),
        "late_fee_percent": format(settings.late_fee_percent.normalize(), "f"),
        "four_eyes_over": write_amount(settings.four_eyes_over, settings.currency),
        "payment_methods": settings.payment_methods,
        "version": settings.version,
        **plans,
    }


def _read(settings: BillingSettings) -> SettingsForm:
    form = request.form
    currency = form.get("currency", "").strip().upper()
    four_eyes = form.get("four_eyes_over", "").strip()
    over = read_amount(four_eyes, currency) if four_eyes else None
    unreadable = [FieldError("four_eyes_over", "amount_invalid")] if four_eyes and over is None else []
    return SettingsForm(
        currency=currency,
        seller={name: form.get(name, "") for name in SELLER_FIELDS},
        tax_rounding=form.get("tax_rounding", ""),
        **{name: read_whole(form.get(name, "")) for name in _DAYS},  # type: ignore[arg-type]
        **{name: form.get(name, "") for name in FORMATS},  # type: ignore[arg-type]
        partial_payments="partial_payments" in form,
        partial_minimum=read_amount(form.get("partial_minimum", ""), currency),
        late_fee_percent=read_decimal(form.get("late_fee_percent", "") or "0"),
        four_eyes_over=over,
        version=read_whole(form.get("version", "")),
        problems=unreadable,
    )
