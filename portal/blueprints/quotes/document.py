"""Documents of a quote as downloads: the version itself, and the sealed copy of what was accepted."""

from uuid import UUID

from flask import Response

from portal.blueprints import http
from portal.blueprints.contracts.presenters import send_pdf
from portal.blueprints.contracts.signing_tools import storage
from portal.services.quotes.detail import QuoteDetail
from portal.services.quotes.document import draw_quote
from portal.services.quotes.queries import get_quote
from portal.services.sealing.checking import find_sealed, read_sealed

PDF = "application/pdf"


def send_document(found: QuoteDetail) -> Response:
    """The document as a download."""
    content = draw_quote(found, tenant=http.tenant(), now=http.now())
    return send_pdf(content, f"{found.quote.number or 'draft'}-v{found.quote.version}")


def send_signed(quote_id: UUID) -> Response:
    """The accepted version with the evidence of its signature, sealed. Raises NotFound, Conflict `seal_pending`."""
    quote = get_quote(http.session(), quote_id, actor=http.actor())
    sealed = find_sealed(http.session(), "quote", quote.id)
    return send_pdf(read_sealed(sealed, storage()), f"{quote.number}-signed")
