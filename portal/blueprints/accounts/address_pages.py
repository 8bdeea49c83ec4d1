"""Postal addresses: a person's own, from the profile; a company's on a page of its own (ACC-02).

The same forms serve both: with a company in the address of the page they are about that company's.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts, signed_in_identity, status_of
from portal.blueprints.accounts.routes import account
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.lib.countries import country_choices, country_name
from portal.models import Address
from portal.services.accounts.addresses import (
    LENGTHS,
    AddressText,
    add_address,
    change_address,
    delete_address,
    get_address,
    list_addresses,
    make_primary,
    require_owner,
)

_OWN = "/account/addresses"
_COMPANY = "/account/company/<uuid:company_id>/addresses"


@account.get(_COMPANY)
@permission(Permission.PROFILE_EDIT)
def company_addresses(company_id: UUID) -> ResponseReturnValue:
    """Where a company of the reader's is reached."""
    addresses = list_addresses(http.session(), company_id=company_id, actor=http.actor())
    return render_template(
        "accounts/addresses.html",
        addresses=addresses,
        company_id=company_id,
        company_name=_company_name(company_id),
        may_edit=company_id in http.actor().admin_company_ids,
        country_of=lambda code: country_name(code, current_locale()),
    )


@account.route(f"{_OWN}/new", methods=["GET", "POST"])
@account.route(f"{_COMPANY}/new", methods=["GET", "POST"])
@permission(Permission.PROFILE_EDIT)
def new_address(company_id: UUID | None = None) -> ResponseReturnValue:
    """The form for one more."""
    actor, session = http.actor(), http.session()
    if request.method != "POST":
        # Whoever may not add one is told now, not after having typed it.
        require_owner(session, company_id, actor=actor)
        return _form({}, company_id=company_id)
    try:
        add_address(session, _read(request.form), company_id=company_id, actor=actor, now=http.now())
        http.commit()
    except (Invalid, Conflict) as error:
        return _again(error, company_id, None)
    return _leave(company_id, gettext("Address added"))


@account.route(f"{_OWN}/<uuid:address_id>", methods=["GET", "POST"])
@account.route(f"{_COMPANY}/<uuid:address_id>", methods=["GET", "POST"])
@permission(Permission.PROFILE_EDIT)
def edit_address(address_id: UUID, company_id: UUID | None = None) -> ResponseReturnValue:
    """The form for one that is there."""
    actor, session = http.actor(), http.session()
    if request.method != "POST":
        return _form(_shown(get_address(session, address_id, company_id=company_id, actor=actor)),
                     company_id=company_id, address_id=address_id)  # fmt: skip
    try:
        change_address(session, address_id, _read(request.form), company_id=company_id, actor=actor, now=http.now())
        http.commit()
    except (Invalid, Conflict) as error:
        return _again(error, company_id, address_id)
    return _leave(company_id, gettext("Address saved"))


@account.route(f"{_OWN}/<uuid:address_id>/delete", methods=["GET", "POST"])
@account.route(f"{_COMPANY}/<uuid:address_id>/delete", methods=["GET", "POST"])
@permission(Permission.PROFILE_EDIT)
def remove_address(address_id: UUID, company_id: UUID | None = None) -> ResponseReturnValue:
    """Delete it? And then it is."""
    actor, session = http.actor(), http.session()
    if request.method != "POST":
        address = get_address(session, address_id, company_id=company_id, actor=actor)
        return render_template("accounts/address_delete.html", address=address, back=_back(company_id))
    delete_address(session, address_id, company_id=company_id, actor=actor, now=http.now())
    http.commit()
    return _leave(company_id, gettext("Address deleted"))


@account.post(f"{_OWN}/<uuid:address_id>/primary")
@account.post(f"{_COMPANY}/<uuid:address_id>/primary")
@permission(Permission.PROFILE_EDIT)
def primary_address(address_id: UUID, company_id: UUID | None = None) -> ResponseReturnValue:
    """Make it the primary one."""
    make_primary(http.session(), address_id, company_id=company_id, actor=http.actor(), now=http.now())
    http.commit()
    return _leave(company_id, gettext("Primary address changed"))


def _company_name(company_id: UUID) -> str:
    return dict(signed_in_identity().companies).get(company_id, "")


def _read(form: Mapping[str, str]) -> AddressText:
    return AddressText(country=form.get("country", ""), **{name: form.get(name, "") for name in LENGTHS})


def _shown(address: Address) -> dict[str, str]:
    return {name: getattr(address, name) or "" for name in (*LENGTHS, "country")}


def _again(error: Invalid | Conflict, company_id: UUID | None, address_id: UUID | None) -> ResponseReturnValue:
    http.session().rollback()
    page = _form(request.form, company_id=company_id, address_id=address_id, errors=refusal_texts(error, "street"))
    return page, status_of(error)


def _form(
    form: Mapping[str, str],
    *,
    company_id: UUID | None,
    address_id: UUID | None = None,
    errors: dict[str, str] | None = None,
) -> str:
    values: dict[str, Any] = {"company_id": company_id} if company_id else {}
    action = url_for("account.new_address", **values)
    if address_id is not None:
        action = url_for("account.edit_address", address_id=address_id, **values)
    return render_template(
        "accounts/address_form.html",
        form=form,
        errors=errors or {},
        action=action,
        back=_back(company_id),
        adding=address_id is None,
        company_name=_company_name(company_id) if company_id else None,
        countries=country_choices(current_locale()),
        lengths=LENGTHS,
    )


def _back(company_id: UUID | None) -> str:
    if company_id is None:
        return url_for("account.profile", _anchor="addresses")
    return url_for("account.company_addresses", company_id=company_id)


def _leave(company_id: UUID | None, done: str) -> ResponseReturnValue:
    flash(done, "ok")
    if company_id is None:
        return http.see_other("account.profile", _anchor="addresses")
    return http.see_other("account.company_addresses", company_id=company_id)
