"""A customer's own profile: name, picture, birthday, language, and what is still missing (H9.1, ACC-04)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import flash, render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts, signed_in_identity
from portal.blueprints.accounts.routes import account
from portal.blueprints.localisation import current_locale, gettext, select_timezone
from portal.blueprints.policies import permission
from portal.blueprints.uploads import takes_file
from portal.errors import FieldError, Invalid
from portal.integrations.pictures import MAX_BYTES
from portal.lib.countries import country_name
from portal.lib.phone_formats import readable_phone
from portal.lib.timezones import timezone_choices
from portal.lib.wording.accounts import PIECES
from portal.services.accounts.addresses import list_addresses
from portal.services.accounts.avatars import remove_avatar, save_avatar
from portal.services.accounts.completeness import Piece
from portal.services.accounts.phone_change import pending_changes
from portal.services.accounts.profile import EARLIEST_BIRTH, Profile, ProfileChange, get_profile, save_profile

# Where each missing piece is to be had, on the page or beyond it.
_WAYS = {
    Piece.NAME: "#name",
    Piece.EMAIL_VERIFIED: "/portal/account/email",
    Piece.PHONE_VERIFIED: "/portal/account/phone",
    Piece.TITLE: "#title",
    Piece.ADDRESS: "/portal/account/addresses/new",
    Piece.PICTURE: "#picture",
}


@account.route("/account/profile", methods=["GET", "POST"])
@permission(Permission.PROFILE_EDIT)
def profile() -> ResponseReturnValue:
    """Who somebody is here; what was typed wrong comes back with the form."""
    if request.method != "POST":
        return _page()
    form = request.form
    try:
        wanted = read_profile(form)
        save_profile(http.session(), wanted, locales=http.tenant().locales, actor=http.actor(), now=http.now())
    except Invalid as error:
        http.session().rollback()
        return _page(form, refusal_texts(error), 422)
    http.commit()
    # The sign-in page of this browser speaks and looks the same.
    cookie["locale"], cookie["theme"] = wanted.locale, wanted.theme
    flash(gettext("Profile saved"), "ok")
    return http.see_other("account.profile")


@account.post("/account/profile/picture")
@permission(Permission.PROFILE_EDIT)
@takes_file(MAX_BYTES)
def save_picture() -> ResponseReturnValue:
    """Another picture."""
    try:
        save_avatar(http.session(), uploaded_picture(), actor=http.actor(), now=http.now())
    except Invalid as error:
        http.session().rollback()
        return _page(errors=refusal_texts(error), status=422)
    http.commit()
    flash(gettext("Picture saved"), "ok")
    return http.see_other("account.profile")


@account.post("/account/profile/picture/remove")
@permission(Permission.PROFILE_EDIT)
def remove_picture() -> ResponseReturnValue:
    """No picture any more."""
    remove_avatar(http.session(), actor=http.actor(), now=http.now())
    http.commit()
    flash(gettext("Picture removed"), "ok")
    return http.see_other("account.profile")


def uploaded_picture() -> bytes:
    """What came as `picture`, one byte more than is taken at the most; its name and declared type are not looked at."""
    sent = request.files.get("picture")
    return sent.stream.read(MAX_BYTES + 1) if sent is not None else b""


def read_profile(form: Mapping[str, str]) -> ProfileChange:
    """The profile as the form has it. Raises Invalid about `date_of_birth`."""
    born = form.get("date_of_birth", "").strip()
    try:
        day = date.fromisoformat(born) if born else None
    except ValueError:
        raise Invalid(FieldError("date_of_birth", "date_invalid")) from None
    return ProfileChange(
        name=form.get("name", ""),
        title=form.get("title") or None,
        date_of_birth=day,
        locale=form.get("locale") or None,
        timezone=form.get("timezone") or None,
        theme=form.get("theme", "system"),
    )


def _page(
    form: Mapping[str, str] | None = None, errors: dict[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    found = get_profile(http.session(), actor=http.actor())
    addresses = list_addresses(http.session(), actor=http.actor())
    page = render_template(
        "accounts/profile.html",
        profile=found,
        form=form if form is not None else _form(found),
        errors=errors or {},
        identity=signed_in_identity(),
        pending=pending_changes(http.session(), found.user.id, now=http.now()),
        missing=_missing(found),
        addresses=addresses,
        country_of=lambda code: country_name(code, current_locale()),
        readable_phone=readable_phone,
        timezones=timezone_choices(),
        first_day=EARLIEST_BIRTH,
    )
    return page, status


def _form(found: Profile) -> dict[str, Any]:
    born = found.person.date_of_birth
    return {
        "name": found.person.name,
        "title": found.person.title or "",
        "date_of_birth": born.isoformat() if born else "",
        "locale": found.user.locale or current_locale(),
        "timezone": select_timezone(),
        "theme": found.user.theme,
    }


def _missing(found: Profile) -> list[dict[str, str]]:
    return [
        {"label": gettext(PIECES[piece][0]), "why": gettext(PIECES[piece][1]), "url": _WAYS[piece]}
        for piece in found.completeness.missing
    ]
