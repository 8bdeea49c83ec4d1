"""A quote's page, at first and after what could not be done."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.quotes.presenters import detail_view, follow_up_view
from portal.errors import DomainError, Invalid
from portal.lib.wording.errors import error_text
from portal.lib.wording.quotes import consent_text
from portal.models import QuoteStatus
from portal.services.quotes.accepting import NAME_LENGTH, ORDER_LENGTH
from portal.services.quotes.detail import QuoteDetail
from portal.services.quotes.invoicing import list_made


def show_quote(
    found: QuoteDetail,
    *,
    chosen: Collection[UUID] | None = None,
    form: Mapping[str, Any] | None = None,
    error: DomainError | None = None,
) -> ResponseReturnValue:
    """The page; with what was typed and what was wrong with it."""
    known = http.identity()
    accepted = found.status is QuoteStatus.ACCEPTED
    errors = field_texts(error)
    page = render_template(
        "quotes/detail.html",
        **detail_view(found, found.selected if chosen is None else chosen, http.now()),
        follow_up=follow_up(found) if accepted else None,
        form=form if form is not None else {"signer_name": known.person_name if known else ""},
        errors=errors,
        problem=problem_text(error),
        consent=consent_text(found.company.name, gettext),
        name_length=NAME_LENGTH,
        order_length=ORDER_LENGTH,
        other_versions=len(found.versions) > 1,
    )
    return page, status_of(error)


def follow_up(found: QuoteDetail) -> dict[str, Any]:
    """What comes of it once it is accepted."""
    made = list_made(http.session(), found.quote.id, actor=http.actor())
    return follow_up_view(found, made, http.now())


def field_texts(error: DomainError | None) -> dict[str, list[str]]:
    """What is wrong, by field."""
    if not isinstance(error, Invalid):
        return {}
    texts: dict[str, list[str]] = {}
    for item in error.errors:
        texts.setdefault(item.field, []).append(error_text(item.code, dict(item.params), gettext))
    return texts


def problem_text(error: DomainError | None) -> str:
    """Why it cannot be done at all."""
    if error is None or isinstance(error, Invalid):
        return ""
    return error_text(error.code, error.params, gettext)


def status_of(error: DomainError | None) -> int:
    """The answer's status."""
    if error is None:
        return 200
    return 422 if isinstance(error, Invalid) else 409
