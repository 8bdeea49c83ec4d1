"""What a quote says, written in one canonical way, and its fingerprint: the bytes that a customer signs.

JSON with sorted keys and no white space (RFC 8785 for the types used here: texts, whole numbers, lists, objects);
decimals are texts. Which optional lines are taken is the customer's to say and stands beside the signature.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from portal.models import Quote, QuoteLine
from portal.services.quotes.lines import plain_decimal


def content_of(quote: Quote, lines: Sequence[QuoteLine]) -> dict[str, Any]:
    """Everything that was offered, as plain values."""
    return {
        "number": quote.number,
        "version": quote.version,
        "customer_id": str(quote.customer_id),
        "currency": quote.currency,
        "locale": quote.locale,
        "title": quote.title,
        "introduction": quote.introduction,
        "terms": quote.terms,
        "tax_rounding": quote.tax_rounding,
        "deposit_percent": plain_decimal(quote.deposit_percent),
        "valid_until": quote.valid_until.isoformat(),
        "lines": [_line(line) for line in sorted(lines, key=lambda line: line.position)],
    }


def canonical_bytes(quote: Quote, lines: Sequence[QuoteLine]) -> bytes:
    """The content as bytes, the same for the same content for ever."""
    text = json.dumps(content_of(quote, lines), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def fingerprint(quote: Quote, lines: Sequence[QuoteLine]) -> bytes:
    """SHA-256 of the canonical bytes."""
    return hashlib.sha256(canonical_bytes(quote, lines)).digest()


def _line(line: QuoteLine) -> dict[str, Any]:
    return {
        "id": str(line.id),
        "description": line.description,
        "quantity": plain_decimal(line.quantity),
        "unit": line.unit,
        "unit_price": line.unit_price,
        "discount": line.discount,
        "tax_name": line.tax_name,
        "tax_rate": plain_decimal(line.tax_rate),
        "tax_category": line.tax_category,
        "optional": line.optional,
        "total": line.total,
    }
