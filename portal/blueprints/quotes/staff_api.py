"""Quotes under /api/v1/staff: drafted, sent, revised; and customers' wishes for them."""

from uuid import UUID

from flask import Blueprint, Response

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.policies import permission
from portal.blueprints.quotes.document import PDF, send_document
from portal.blueprints.quotes.requests import QuoteBody, QuotePatch, RefusalBody, foreign_currencies
from portal.blueprints.quotes.staff_schemas import (
    StaffQuote,
    StaffQuoteItem,
    StaffQuoteQuery,
    StaffQuotes,
    StaffQuoteWish,
    StaffQuoteWishes,
)
from portal.errors import FieldError, Invalid
from portal.services.quotes.detail import get_quote_detail
from portal.services.quotes.drafting import discard_quote, draft_quote, edit_quote
from portal.services.quotes.listing import QuoteFilter, list_quotes
from portal.services.quotes.queries import get_quote
from portal.services.quotes.requests import get_request_row, list_requests, refuse_request
from portal.services.quotes.sending import revise_quote, send_quote
from portal.services.quotes.settings import read_settings
from portal.services.quotes.viewing import list_views

bp = Blueprint("staff_quotes_api", __name__, url_prefix="/api/v1/staff/quotes")


@bp.get("")
@permission(Permission.SALES_READ)
@operation("List quotes of all customers", query=StaffQuoteQuery, answer=StaffQuotes)
def index(query: StaffQuoteQuery) -> StaffQuotes:
    """Every quote in its newest version, the newest first."""
    wanted = QuoteFilter(
        status=tuple(query.status), company=query.customer_id, q=query.q, limit=query.limit, cursor=query.cursor
    )
    page = list_quotes(http.session(), wanted, actor=http.actor(), now=http.now())
    items = [StaffQuoteItem.of_row(row, http.now()) for row in page.items]
    return StaffQuotes(items=items, next_cursor=page.next_cursor)


@bp.post("")
@permission(Permission.QUOTES_MANAGE)
@operation("Draft a quote", body=QuoteBody, answer=StaffQuote, status=201)
def create(body: QuoteBody) -> StaffQuote:
    """Begins a quote; the customer sees it once it is sent."""
    currency = body.currency or read_settings(http.session()).currency
    _check_currency(body, currency)
    wanted = body.as_draft(customer_id=body.customer_id, currency=currency, request_id=body.request_id)
    return _quote(draft_quote(http.session(), wanted, actor=http.actor(), now=http.now()).id)


@bp.get("/requests")
@permission(Permission.SALES_READ)
@operation("List customers' requests for quotes", answer=StaffQuoteWishes)
def requests() -> StaffQuoteWishes:
    """The newest wishes, answered ones too."""
    rows = list_requests(http.session(), actor=http.actor())
    return StaffQuoteWishes(items=[StaffQuoteWish.of(row) for row in rows])


@bp.get("/requests/<uuid:request_id>")
@permission(Permission.SALES_READ)
@operation("Read a customer's request for a quote", answer=StaffQuoteWish)
def request_state(request_id: UUID) -> StaffQuoteWish:
    """A wish; it is answered by a quote whose `request_id` names it."""
    return StaffQuoteWish.of(get_request_row(http.session(), request_id, actor=http.actor()))


@bp.post("/requests/<uuid:request_id>/refuse")
@permission(Permission.QUOTES_MANAGE)
@operation(
    "Refuse a request for a quote",
    body=RefusalBody,
    answer=StaffQuoteWish,
    conflicts="The request is answered already.",
)
def refuse(request_id: UUID, body: RefusalBody) -> StaffQuoteWish:
    """Says that there will be no quote; the customer reads why."""
    refuse_request(http.session(), request_id, reason=body.reason, actor=http.actor(), now=http.now())
    return StaffQuoteWish.of(get_request_row(http.session(), request_id, actor=http.actor()))


@bp.get("/<uuid:quote_id>")
@permission(Permission.SALES_READ)
@operation("Read a quote of a customer", answer=StaffQuote)
def detail(quote_id: UUID) -> StaffQuote:
    """One version with its lines, and who looked at it."""
    return _quote(quote_id)


@bp.patch("/<uuid:quote_id>")
@permission(Permission.QUOTES_MANAGE)
@operation(
    "Change a draft", body=QuotePatch, answer=StaffQuote, conflicts="It was sent, or saved by somebody else since."
)
def change(quote_id: UUID, body: QuotePatch) -> StaffQuote:
    """Changes a draft; what was sent never changes."""
    quote = get_quote(http.session(), quote_id, actor=http.actor())
    _check_currency(body, quote.currency)
    edit_quote(http.session(), quote_id, body.as_draft(), seen=body.seen, actor=http.actor(), now=http.now())
    return _quote(quote_id)


@bp.delete("/<uuid:quote_id>")
@permission(Permission.QUOTES_MANAGE)
@operation("Discard a draft", answer=None, status=204, conflicts="It was sent, or replaces one that was.")
def discard(quote_id: UUID) -> None:
    """Throws a draft away that nobody has seen."""
    discard_quote(http.session(), quote_id, actor=http.actor(), now=http.now())


@bp.post("/<uuid:quote_id>/send")
@permission(Permission.QUOTES_MANAGE)
@operation("Send a quote", body=NoBody, answer=StaffQuote, conflicts="It was sent already.")
def send(quote_id: UUID, body: NoBody) -> StaffQuote:
    """Gives a draft its number and the customer the quote; from then on it never changes."""
    send_quote(http.session(), quote_id, actor=http.actor(), now=http.now())
    return _quote(quote_id)


@bp.post("/<uuid:quote_id>/revise")
@permission(Permission.QUOTES_MANAGE)
@operation(
    "Begin another version",
    body=QuotePatch,
    answer=StaffQuote,
    status=201,
    conflicts="It is a draft, accepted, or replaced already.",
)
def revise(quote_id: UUID, body: QuotePatch) -> StaffQuote:
    """Makes the next version as a draft, changed as you say; this one cannot be accepted any more."""
    quote = get_quote(http.session(), quote_id, actor=http.actor())
    _check_currency(body, quote.currency)
    wanted = body.as_draft() if body.model_fields_set - {"seen"} else None
    return _quote(revise_quote(http.session(), quote_id, wanted, actor=http.actor(), now=http.now()).id)


@bp.get("/<uuid:quote_id>/pdf")
@permission(Permission.SALES_READ)
@operation("Download a quote of a customer", answer=None, media=(PDF,))
def pdf(quote_id: UUID) -> Response:
    """The version as PDF, in the language of the quote."""
    return send_document(get_quote_detail(http.session(), quote_id, actor=http.actor(), now=http.now()))


def _check_currency(body: QuotePatch, currency: str) -> None:
    """Amounts of a quote are all in its own currency."""
    if wrong := foreign_currencies(body.lines or (), currency):
        raise Invalid(*(FieldError(field, "currency_differs", (("currency", currency),)) for field in wrong))


def _quote(quote_id: UUID) -> StaffQuote:
    found = get_quote_detail(http.session(), quote_id, actor=http.actor(), now=http.now())
    return StaffQuote.of(found, list_views(http.session(), quote_id, actor=http.actor()))
