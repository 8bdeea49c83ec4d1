"""A customer's quotes under /api/v1/portal (ledger API-04)."""

from typing import cast
from uuid import UUID

from flask import Blueprint, Response, current_app

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.policies import permission
from portal.blueprints.quotes.document import PDF, send_document, send_signed
from portal.blueprints.quotes.evidence import signer_evidence
from portal.blueprints.quotes.requests import AcceptRequest, DeclineRequest, QuoteQuery, QuoteWishBody, RevisionRequest
from portal.blueprints.quotes.schemas import (
    CustomerQuote,
    CustomerQuoteItem,
    CustomerQuotes,
    CustomerQuoteWish,
    CustomerQuoteWishes,
)
from portal.services.files.uploading import FilePlace
from portal.services.quotes.accepting import Acceptance, accept_quote
from portal.services.quotes.deciding import decline_quote, request_revision
from portal.services.quotes.detail import get_quote_detail
from portal.services.quotes.listing import QuoteFilter, list_quotes
from portal.services.quotes.requests import QuoteWish, get_request_row, list_requests, request_quote
from portal.services.quotes.viewing import record_view

bp = Blueprint("quotes_api", __name__, url_prefix="/api/v1/portal/quotes")
CLOSED = "The quote does not wait for a decision (any more)."


def file_place() -> FilePlace:
    """Where drawn signatures are kept."""
    return cast(FilePlace, current_app.extensions["portal_files"])


@bp.get("")
@permission(Permission.QUOTES_READ)
@operation("List quotes", query=QuoteQuery, answer=CustomerQuotes)
def index(query: QuoteQuery) -> CustomerQuotes:
    """Your companies' quotes, each in its newest version, the newest first."""
    wanted = QuoteFilter(status=tuple(query.status), q=query.q, limit=query.limit, cursor=query.cursor)
    page = list_quotes(http.session(), wanted, actor=http.actor(), now=http.now())
    items = [CustomerQuoteItem.of_row(row, http.now()) for row in page.items]
    return CustomerQuotes(items=items, next_cursor=page.next_cursor)


@bp.get("/requests")
@permission(Permission.QUOTES_READ)
@operation("List requests for quotes", answer=CustomerQuoteWishes)
def requests() -> CustomerQuoteWishes:
    """What your companies asked for, the newest first."""
    rows = list_requests(http.session(), actor=http.actor())
    return CustomerQuoteWishes(items=[CustomerQuoteWish.of(row) for row in rows])


@bp.post("/requests")
@permission(Permission.QUOTES_REQUEST)
@operation(
    "Ask for a quote",
    body=QuoteWishBody,
    answer=CustomerQuoteWish,
    status=201,
    conflicts="Too many requests of your company wait already.",
)
def ask(body: QuoteWishBody) -> CustomerQuoteWish:
    """Says what you need; the team answers with a quote or says why not."""
    wish = QuoteWish(
        subject=body.subject,
        requirements=body.requirements,
        budget=body.budget.amount if body.budget is not None else None,
        currency=body.budget.currency if body.budget is not None else None,
        wanted_by=body.wanted_by,
    )
    made = request_quote(http.session(), wish, actor=http.actor(), now=http.now())
    return CustomerQuoteWish.of(get_request_row(http.session(), made.id, actor=http.actor()))


@bp.get("/requests/<uuid:request_id>")
@permission(Permission.QUOTES_READ)
@operation("Read a request for a quote", answer=CustomerQuoteWish)
def request_state(request_id: UUID) -> CustomerQuoteWish:
    """Where a request stands; `quote_id` leads to the quote once there is one."""
    return CustomerQuoteWish.of(get_request_row(http.session(), request_id, actor=http.actor()))


@bp.get("/<uuid:quote_id>")
@permission(Permission.QUOTES_READ)
@operation("Read a quote", answer=CustomerQuote)
def detail(quote_id: UUID) -> CustomerQuote:
    """One version with its lines, sums and terms, and what happens next."""
    found = get_quote_detail(http.session(), quote_id, actor=http.actor(), now=http.now())
    if record_view(http.session(), found.quote, actor=http.actor(), now=http.now()) is not None:
        http.commit()
    return CustomerQuote.of(found)


@bp.post("/<uuid:quote_id>/accept")
@permission(Permission.QUOTES_DECIDE)
@operation("Accept a quote", body=AcceptRequest, answer=CustomerQuote, conflicts=CLOSED)
def accept(quote_id: UUID, body: AcceptRequest) -> CustomerQuote:
    """Signs exactly the content whose fingerprint you send, once. The invoice follows by itself."""
    given = Acceptance(
        signer_name=body.signer_name,
        content_sha256=body.content_sha256,
        consent=body.consent,
        signature=body.signature,
        selected_line_ids=body.selected_line_ids,
        purchase_order=body.purchase_order,
    )
    accept_quote(
        http.session(),
        quote_id,
        given,
        evidence=signer_evidence(),
        storage=file_place().storage,
        actor=http.actor(),
        now=http.now(),
    )
    return _quote(quote_id)


@bp.post("/<uuid:quote_id>/decline")
@permission(Permission.QUOTES_DECIDE)
@operation("Decline a quote", body=DeclineRequest, answer=CustomerQuote, conflicts=CLOSED)
def decline(quote_id: UUID, body: DeclineRequest) -> CustomerQuote:
    """Declines an open quote, with a reason that the team reads."""
    decline_quote(http.session(), quote_id, reason=body.reason, actor=http.actor(), now=http.now())
    return _quote(quote_id)


@bp.post("/<uuid:quote_id>/request-revision")
@permission(Permission.QUOTES_DECIDE)
@operation("Ask for changes", body=RevisionRequest, answer=CustomerQuote, conflicts=CLOSED)
def revision(quote_id: UUID, body: RevisionRequest) -> CustomerQuote:
    """Asks for another version; this one cannot be accepted any more."""
    request_revision(http.session(), quote_id, comment=body.comment, actor=http.actor(), now=http.now())
    return _quote(quote_id)


@bp.get("/<uuid:quote_id>/pdf")
@permission(Permission.QUOTES_READ)
@operation("Download a quote", answer=None, media=(PDF,))
def pdf(quote_id: UUID) -> Response:
    """The version as PDF, in the language of the quote."""
    return send_document(get_quote_detail(http.session(), quote_id, actor=http.actor(), now=http.now()))


@bp.get("/<uuid:quote_id>/signed.pdf")
@permission(Permission.QUOTES_READ)
@operation(
    "Download the signed copy of a quote",
    answer=None,
    media=(PDF,),
    conflicts="It was not accepted, or is being sealed (`seal_pending`, with `Retry-After`).",
)
def signed(quote_id: UUID) -> Response:
    """The accepted version with the evidence of its signature, sealed."""
    return send_signed(quote_id)


def _quote(quote_id: UUID) -> CustomerQuote:
    return CustomerQuote.of(get_quote_detail(http.session(), quote_id, actor=http.actor(), now=http.now()))
