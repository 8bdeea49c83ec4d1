"""Which payment reminders somebody wants, in the customer portal (H7.8)."""

from flask import Blueprint, flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts
from portal.blueprints.localisation import gettext, ngettext
from portal.blueprints.policies import permission
from portal.errors import Invalid, invalid
from portal.services.billing.reminders import Choice, read_choice, save_choice

bp = Blueprint("payment_reminders", __name__, url_prefix="/portal/payment-reminders")
OFFERED = (-14, -7, -3, -1, 0, 1, 3, 7, 14, 30)


@bp.get("")
@permission(Permission.INVOICES_READ)
def index() -> ResponseReturnValue:
    """What is chosen."""
    return _page(read_choice(http.session(), actor=http.actor()), {})


@bp.post("")
@permission(Permission.INVOICES_READ)
def save() -> ResponseReturnValue:
    """Choose."""
    wanted = Choice(None)
    try:
        wanted = _wanted()
        save_choice(http.session(), wanted, actor=http.actor(), now=http.now())
        http.commit()
    except Invalid as error:
        http.session().rollback()
        return _page(wanted, refusal_texts(error), 422)
    flash(gettext("Your payment reminders are saved"), "ok")
    return http.see_other(".index")


def _wanted() -> Choice:
    which = request.form.get("which", "standard")
    if which == "standard":
        return Choice(None)
    if which == "none":
        return Choice(())
    try:
        days = tuple(int(text) for text in request.form.getlist("days")[: len(OFFERED) * 2])
    except ValueError:
        raise invalid("days", "unknown_choice") from None
    if not days:
        raise invalid("days", "required")
    return Choice(days, request.form.get("by_mail") == "1", request.form.get("by_text") == "1")


def _page(choice: Choice, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    stored = read_choice(http.session(), actor=http.actor())
    chosen = choice.days or ()
    which = "standard" if choice.days is None else "own" if choice.days else "none"
    page = render_template(
        "billing/reminders.html",
        which=request.form.get("which", which),
        days=[(str(day), day_text(day)) for day in sorted({*OFFERED, *chosen})],
        chosen=[str(day) for day in chosen],
        by_mail=choice.by_mail,
        by_text=choice.by_text,
        phone=stored.phone,
        errors=errors,
    )
    return page, status


def day_text(day: int) -> str:
    """A day of a reminder in words."""
    if day == 0:
        return str(gettext("On the due day"))
    if day < 0:
        return str(ngettext("%(num)d day before", "%(num)d days before", -day))
    return str(ngettext("%(num)d day after", "%(num)d days after", day))
