"""What a customer answers to a quote: choose, sign, decline, ask for changes."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.blueprints.quotes.api import file_place
from portal.blueprints.quotes.blueprint import bp
from portal.blueprints.quotes.evidence import signer_evidence
from portal.blueprints.quotes.presenters import sums_view
from portal.blueprints.quotes.views import field_texts, show_quote
from portal.errors import Conflict, Invalid
from portal.services.quotes.accepting import Acceptance, accept_quote
from portal.services.quotes.deciding import NOTE_LENGTH, decline_quote, request_revision
from portal.services.quotes.detail import QuoteDetail, get_quote_detail, with_choice


@bp.post("/<uuid:quote_id>/choose")
@permission(Permission.QUOTES_DECIDE)
def choose(quote_id: UUID) -> ResponseReturnValue:
    """What it comes to with other optional lines; nothing is stored."""
    found = _detail(quote_id)
    chosen = _chosen(found)
    shown = with_choice(found, chosen, actor=http.actor())
    if http.wants_fragment():
        sums = sums_view(shown.totals, shown.deposit, shown.quote)
        return render_template("quotes/_sums.html", sums=sums, may_decide=shown.may_decide, is_open=shown.is_open)
    return show_quote(shown, chosen=chosen, form=request.form)


@bp.post("/<uuid:quote_id>/accept")
@permission(Permission.QUOTES_DECIDE)
def accept(quote_id: UUID) -> ResponseReturnValue:
    """Sign; what was typed stays where something is wrong."""
    form = request.form
    given = Acceptance(
        signer_name=form.get("signer_name", ""),
        content_sha256=form.get("content_sha256", ""),
        consent=form.get("consent") == "1",
        signature=form.get("signature") or None,
        optional_line_ids=_ticked(),
        purchase_order=form.get("purchase_order", ""),
    )
    try:
        accept_quote(
            http.session(),
            quote_id,
            given,
            evidence=signer_evidence(),
            storage=file_place().storage,
            actor=http.actor(),
            now=http.now(),
        )
        http.commit()
    except (Invalid, Conflict) as error:
        http.session().rollback()
        found = _detail(quote_id)
        chosen = _chosen(found)
        return show_quote(with_choice(found, chosen, actor=http.actor()), chosen=chosen, form=form, error=error)
    flash(gettext("Thank you, the quote is accepted"), "ok")
    return http.see_other("quotes.detail", quote_id=quote_id)


@bp.route("/<uuid:quote_id>/decline", methods=["GET", "POST"])
@permission(Permission.QUOTES_DECIDE)
def decline(quote_id: UUID) -> ResponseReturnValue:
    """Decline, with a reason."""
    return _question(quote_id, "decline", "reason", decline_quote, gettext("Quote declined"))


@bp.route("/<uuid:quote_id>/revision", methods=["GET", "POST"])
@permission(Permission.QUOTES_DECIDE)
def revision(quote_id: UUID) -> ResponseReturnValue:
    """Ask for another version, saying what shall change."""
    return _question(quote_id, "revision", "comment", request_revision, gettext("We make you another version"))


def _question(quote_id: UUID, question: str, field: str, service: Callable[..., Any], done: str) -> ResponseReturnValue:
    found = _detail(quote_id)
    if request.method != "POST":
        if not found.may_decide:
            # The state has moved on; the quote's page says where to.
            return http.see_other("quotes.detail", quote_id=quote_id)
        return _ask(found, question, field, None)
    note = {field: request.form.get(field, "")}
    try:
        service(http.session(), quote_id, **note, actor=http.actor(), now=http.now())
        http.commit()
    except Invalid as error:
        http.session().rollback()
        return _ask(_detail(quote_id), question, field, error)
    except Conflict as error:
        http.session().rollback()
        return show_quote(_detail(quote_id), error=error)
    flash(done, "ok")
    return http.see_other("quotes.detail", quote_id=quote_id)


def _ask(found: QuoteDetail, question: str, field: str, error: Invalid | None) -> ResponseReturnValue:
    page = render_template(
        "quotes/question.html",
        quote=found.quote,
        question=question,
        field=field,
        form=request.form,
        errors=field_texts(error),
        length=NOTE_LENGTH,
    )
    return page, 422 if error else 200


def _detail(quote_id: UUID) -> QuoteDetail:
    return get_quote_detail(http.session(), quote_id, actor=http.actor(), now=http.now())


def _chosen(found: QuoteDetail) -> list[UUID]:
    """The required lines, and those optional ones that are ticked; what is no line of the quote is left out."""
    ticked = _ticked()
    return [line.id for line in found.lines if not line.optional or line.id in ticked]


def _ticked() -> set[UUID]:
    """What is ticked of the optional lines."""
    found = set()
    for text in request.form.getlist("lines"):
        with suppress(ValueError):
            found.add(UUID(text))
    return found
