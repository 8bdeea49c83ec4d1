"""What the pages show of quotes: rows, figures and steps in the reader's language."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from portal.blueprints import http
from portal.blueprints.billing.presenters import badge_of as invoice_badge
from portal.blueprints.localisation import current_locale, format_day, format_due, gettext
from portal.lib.money_format import format_amount, format_quantity, format_rate
from portal.lib.pricing import Totals
from portal.lib.wording.billing import KINDS
from portal.lib.wording.quotes import LOOKS, REQUEST_LOOKS, REQUEST_STATUS, status_text, step_text
from portal.models import Invoice, NextStep, Quote, QuoteLine, QuoteStatus
from portal.services.quotes.clock import status_at
from portal.services.quotes.comparing import Comparison
from portal.services.quotes.detail import QuoteDetail
from portal.services.quotes.listing import QuoteRow
from portal.services.quotes.requests import RequestRow

# An open page asks so long what became of an acceptance; both come within seconds.
WATCHED_FOR = timedelta(minutes=10)


def amount(value: int, currency: str) -> str:
    """Money in the reader's language."""
    return format_amount(value, currency, current_locale())


def badge_of(status: QuoteStatus, *, staff: bool = False) -> dict[str, str]:
    """Label, tone and shape of a state."""
    tone, shape = LOOKS[status.value]
    return {"label": status_text(status.value, gettext, staff=staff), "tone": tone, "shape": shape}


def step_view(step: NextStep | None, now: datetime, *, staff: bool = False) -> dict[str, Any] | None:
    """A next step for chip and list."""
    if step is None:
        return None
    left = step.at - now
    return {
        "kind": step.kind,
        "text": step_text(step.kind, gettext, staff=staff),
        "at": step.at,
        "when": format_due(step.at) if left >= timedelta(days=1) else None,
        "tone": "warn" if left < timedelta(days=2) and step.kind == "offer_expires" else "neutral",
    }


def list_row(row: QuoteRow, now: datetime, *, staff: bool = False) -> dict[str, Any]:
    """A row of a list."""
    quote, status = row.quote, status_at(row.quote, now)
    endpoint = "staff_quotes.detail" if staff else "quotes.detail"
    return {
        "id": quote.id,
        "url": http.address_of(endpoint, quote_id=quote.id),
        "number": quote.number or gettext("Draft"),
        "version": quote.version,
        "title": quote.title or gettext("Quote"),
        "company": row.company_name,
        "date": format_day((quote.sent_at or quote.created_at).date()),
        "valid_until": format_day(quote.valid_until),
        "total": amount(quote.total, quote.currency),
        "badge": badge_of(status, staff=staff),
        "waits": status is QuoteStatus.SENT,
        "step": step_view(row.step, now, staff=staff) if status is QuoteStatus.SENT else None,
        "viewed_at": quote.viewed_at,
    }


def line_view(line: QuoteLine, currency: str, taken: Collection[UUID]) -> dict[str, Any]:
    """A line of a quote."""
    locale = current_locale()
    return {
        "id": line.id,
        "description": line.description,
        "quantity": f"{format_quantity(line.quantity, locale)} {line.unit}".strip(),
        "unit_price": amount(line.unit_price, currency),
        "discount": amount(-line.discount, currency) if line.discount else "",
        "tax": format_rate(line.tax_rate, locale),
        "total": amount(line.total, currency),
        "optional": line.optional,
        "taken": line.id in taken,
    }


def sums_view(totals: Totals, deposit: int, quote: Quote) -> dict[str, Any]:
    """The figures under the lines."""
    currency, locale = quote.currency, current_locale()
    rows = [(gettext("Subtotal"), amount(totals.subtotal, currency))]
    if totals.discount_total:
        rows.append((gettext("Discounts"), amount(-totals.discount_total, currency)))
    for share in totals.taxes:
        name = f"{share.name} {format_rate(share.rate, locale)}".strip()
        rows.append((name, amount(share.tax, currency)))
    percent = format_rate(quote.deposit_percent, locale) if deposit else ""
    return {
        "rows": rows,
        "total": amount(totals.total, currency),
        "deposit": amount(deposit, currency) if deposit else "",
        "percent": percent,
    }


def detail_view(found: QuoteDetail, taken: Collection[UUID], now: datetime, *, staff: bool = False) -> dict[str, Any]:
    """A quote's page."""
    quote = found.quote
    endpoint = "staff_quotes.detail" if staff else "quotes.detail"
    return {
        "quote": quote,
        "name": quote.title or gettext("Quote"),
        "number": quote.number or gettext("Draft"),
        "company": found.company.name,
        "status": found.status.value,
        "badge_of": badge_of(found.status, staff=staff),
        "step": step_view(found.step, now, staff=staff),
        "lines": [line_view(line, quote.currency, taken) for line in found.lines],
        "sums": sums_view(found.totals, found.deposit, quote),
        "valid_until": format_day(quote.valid_until),
        "sent_on": format_day(quote.sent_at.date()) if quote.sent_at else "",
        "fingerprint": _grouped(quote.content_sha256.hex()) if quote.content_sha256 else "",
        "sha256": quote.content_sha256.hex() if quote.content_sha256 else "",
        "is_open": found.is_open,
        "may_decide": found.may_decide,
        "signature": found.signature,
        "sealed": bool(found.seal_code),
        "decided_by": found.decided_by,
        "versions": [
            {
                "label": gettext("Version %(number)s", number=one.version),
                "url": http.address_of(endpoint, quote_id=one.id),
                "current": one.id == quote.id,
                "badge": badge_of(status_at(one, now), staff=staff),
                "total": amount(one.total, one.currency),
                "id": one.id,
            }
            for one in found.versions
        ],
    }


def follow_up_view(found: QuoteDetail, invoices: Sequence[Invoice], now: datetime) -> dict[str, Any]:
    """What comes of an accepted quote: its invoices and the sealed copy; `waiting` while the worker is at it."""
    quote = found.quote
    complete = bool(found.seal_code) and quote.invoice_id is not None
    fresh = quote.decided_at is not None and now - quote.decided_at < WATCHED_FOR
    return {
        "quote": quote,
        "seal_code": found.seal_code,
        "is_signed": found.signature is not None,
        "waiting": fresh and not complete,
        "invoices": [
            {
                "url": http.address_of("invoices.detail", invoice_id=one.id),
                "kind": gettext(KINDS[one.kind.value]),
                "number": one.number,
                "total": amount(one.total, one.currency),
                "badge": invoice_badge(one.status),
            }
            for one in invoices
        ],
    }


def _grouped(fingerprint: str) -> str:
    """The first and last digits, in fours: enough for people to tell two apart."""
    return f"{fingerprint[0:4]} {fingerprint[4:8]} {fingerprint[8:12]} … {fingerprint[-4:]}"


def comparison_view(found: Comparison, now: datetime) -> dict[str, Any]:
    """Quotes in columns."""
    locale = current_locale()

    def cell(line: QuoteLine | None, quote: Quote) -> dict[str, Any] | None:
        if line is None:
            return None
        quantity = f"{format_quantity(Decimal(line.quantity), locale)} {line.unit}".strip()
        price = amount(line.unit_price, quote.currency)
        return {"total": amount(line.total, quote.currency), "how": f"{quantity} × {price}", "taken": line.selected}

    return {
        "quotes": [
            {
                "url": http.address_of("quotes.detail", quote_id=quote.id),
                "number": quote.number,
                "version": gettext("Version %(number)s", number=quote.version),
                "title": quote.title,
                "badge": badge_of(status_at(quote, now)),
                "subtotal": amount(quote.subtotal - quote.discount_total, quote.currency),
                "tax": amount(quote.tax_total, quote.currency),
                "total": amount(quote.total, quote.currency),
                "deposit": amount(quote.deposit, quote.currency) if quote.deposit else "–",
                "valid_until": format_day(quote.valid_until),
            }
            for quote in found.quotes
        ],
        "rows": [
            {
                "description": row.description,
                "differs": row.differs,
                "cells": [cell(line, quote) for line, quote in zip(row.cells, found.quotes, strict=True)],
            }
            for row in found.rows
        ],
    }


def request_view(row: RequestRow, *, staff: bool = False) -> dict[str, Any]:
    """A wish for a quote."""
    request, (tone, shape) = row.request, REQUEST_LOOKS[row.state]
    endpoint = "staff_quotes.request_page" if staff else "quotes.request_state"
    return {
        "request": request,
        "url": http.address_of(endpoint, request_id=request.id),
        "state": row.state,
        "badge": {"label": gettext(REQUEST_STATUS[row.state]), "tone": tone, "shape": shape},
        "budget": amount(request.budget, request.currency) if request.budget else "",
        "wanted_by": format_day(request.wanted_by) if request.wanted_by else "",
        "company": row.company_name,
        "person": row.person_name,
    }
