"""Settings of signing and sealing: consent, order and reminders are edited, the seal is only shown."""

from collections.abc import Mapping
from typing import Any

from flask import current_app, flash, request, url_for
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.billing.reading import refusals
from portal.admin.desk.history import Facts, named_facts, version_rows, wanted_version
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.chrome import native_name
from portal.blueprints.localisation import format_day, gettext
from portal.blueprints.policies import permission
from portal.errors import Invalid
from portal.integrations.seal_state import read_seal_state
from portal.lib.iso_durations import format_iso_duration
from portal.services.contracts.configuring import (
    CONSENT_LENGTH,
    SigningForm,
    get_signing,
    list_signing_versions,
    restore_signing,
    save_signing,
)
from portal.services.signing.consent import consent_of
from portal.services.signing.policy import SigningPolicy
from portal.services.tenants.directory import TenantDirectory

IN_TURN, PARALLEL = "in_turn", "parallel"


class SigningSettingsView(ServiceView):
    """How contracts are signed and sealed."""

    policy = Permission.BILLING_CONFIGURE

    @route("/", methods=("GET", "POST"))
    def index(self) -> ResponseReturnValue:
        """The form, or what was sent with it; below it the state of the seal."""
        stored = get_signing(http.session(), actor=http.actor())
        if request.method != "POST":
            return self._page(stored, _values(stored), {})
        typed = {name: request.form.get(name, "") for name in _values(stored)}
        try:
            save_signing(http.session(), _read(typed), actor=http.actor(), now=http.now())
        except Invalid as error:
            http.session().rollback()
            return self._page(get_signing(http.session(), actor=http.actor()), typed, refusals(error))
        _commit()
        flash(gettext("Saved"), "ok")
        return http.see_other("signing_settings.index")

    @route("/versions/")
    def versions(self) -> ResponseReturnValue:
        """What the rules were before, and the way back."""
        found = list_signing_versions(http.session(), actor=http.actor())
        return self.render(
            "admin/desk/history.html",
            heading=gettext("Signing and sealing"),
            record_id="",
            record_url=None,
            up_label=gettext("Signing and sealing"),
            up_url=url_for("signing_settings.index"),
            restore_url=url_for("signing_settings.restore"),
            versions=version_rows(found, _facts),
        )

    @route("/restore/", methods=("POST",))
    @permission(Permission.BILLING_CONFIGURE)
    def restore(self) -> ResponseReturnValue:
        """Go back to a version."""
        number = wanted_version()
        try:
            restore_signing(http.session(), number, actor=http.actor(), now=http.now())
        except Invalid:
            http.session().rollback()
            flash(gettext("This version refers to something that is gone; nothing was changed."), "err")
            return http.see_other("signing_settings.versions")
        _commit()
        flash(gettext("Version %(number)s is in force again", number=number), "ok")
        return http.see_other("signing_settings.versions")

    def _page(
        self, stored: SigningPolicy, values: Mapping[str, str], errors: dict[str, list[str]]
    ) -> ResponseReturnValue:
        tenant = http.tenant()
        seal = read_seal_state(http.settings())
        page = self.render(
            "admin/contracts/settings.html",
            values=values,
            errors=errors,
            form_errors=[(name, text) for name, texts in errors.items() for text in texts],
            languages=[(code, native_name(code)) for code in tenant.locales],
            consent=consent_of(stored, tenant.name, tenant.locale, tenant.locale),
            consent_length=CONSENT_LENGTH,
            seal=seal,
            seal_from=format_day(seal.valid_from.date()) if seal.valid_from else "",
            seal_until=format_day(seal.expires_at.date()) if seal.expires_at else "",
            seal_expired=seal.expires_at is not None and seal.expires_at <= http.now(),
        )
        return page, 422 if errors else 200


def _values(stored: SigningPolicy) -> dict[str, str]:
    return {
        "order": IN_TURN if stored.in_order else PARALLEL,
        "reminders": " ".join(format_iso_duration(one) for one in stored.reminders),
        **{f"consent_{code}": stored.consent.get(code, "") for code in http.tenant().locales},
    }


def _read(typed: Mapping[str, str]) -> SigningForm:
    consent = {code: typed[f"consent_{code}"] for code in http.tenant().locales}
    return SigningForm(typed["order"] != PARALLEL, typed["reminders"].replace(",", " ").split(), consent)


def _commit() -> None:
    """Commit, and have the next request read the rules anew."""
    http.commit()
    directory: TenantDirectory = current_app.extensions["portal_tenants"]
    directory.forget()


def _facts(form: Mapping[str, Any]) -> Facts:
    order = gettext("One after another") if form["in_order"] else gettext("All at the same time")
    return [
        (gettext("Order of new contracts"), order),
        (gettext("Reminders"), " ".join(form["reminders"]) or gettext("None")),
        *named_facts(gettext("Consent"), form["consent"]),
    ]
