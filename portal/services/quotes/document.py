"""A quote as PDF, in its own language: the figures are those of the rows, as the page has them (H6.7)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from portal.integrations.pdf import typeset
from portal.lib.colour import solid_accent
from portal.lib.i18n import format_minute
from portal.lib.letters import translator
from portal.lib.money_format import format_amount, format_quantity, format_rate
from portal.models import QuoteLine
from portal.services.quotes.detail import QuoteDetail
from portal.services.tenants.directory import TenantProfile

# The instant of expiry is the first of the next day.
_A_MOMENT = timedelta(seconds=1)


def draw_quote(found: QuoteDetail, *, tenant: TenantProfile, now: datetime) -> bytes:
    """The PDF of a version that was read for its reader; the same bytes whenever it is drawn once it was sent."""
    return typeset(
        "quote.typ",
        document_data(found, tenant.timezone),
        locale=found.quote.locale,
        tenant=tenant.name,
        accent=solid_accent(tenant.brand.get("accent")),
        now=found.quote.sent_at or now,
    )


def document_data(found: QuoteDetail, timezone: str) -> dict[str, Any]:
    """What the template sets: texts and formatted figures."""
    quote, locale = found.quote, found.quote.locale
    _ = translator(locale)

    def amount(value: int) -> str:
        return format_amount(value, quote.currency, locale)

    day = format_minute(quote.expires_at.replace(microsecond=0) - _A_MOMENT, locale, timezone, "d MMMM y")
    sums = [[_("Subtotal"), amount(quote.subtotal)]]
    if quote.discount_total:
        sums.append([_("Discounts"), amount(-quote.discount_total)])
    sums += [[_tax_name(row, locale), amount(row["tax"])] for row in quote.taxes]
    facts = [
        [_("Number"), _("%(number)s, version %(version)s", number=quote.number, version=quote.version)],
        [_("For"), found.company.name],
        [_("Valid until"), day],
    ]
    if quote.sent_at:
        facts.insert(1, [_("Date"), format_minute(quote.sent_at, locale, timezone, "d MMMM y")])
    return {
        "title": quote.title or quote.number,
        "number": quote.number,
        "foot": _("Quote %(number)s, version %(version)s", number=quote.number, version=quote.version),
        "facts": facts,
        "introduction": quote.introduction,
        "head": [_("Description"), _("Quantity"), _("Unit price"), _("Discount"), _("Tax"), _("Amount")],
        "lines": [_line(line, found, locale) for line in found.lines],
        "sums": sums,
        "total": [_("Total"), amount(quote.total)],
        "deposit": [_("Deposit, due on acceptance"), amount(quote.deposit)] if quote.deposit else [],
        "terms_title": _("Terms"),
        "terms": quote.terms,
        "fingerprint_title": _("Fingerprint of this version (SHA-256)"),
        "fingerprint": quote.content_sha256.hex() if quote.content_sha256 else "",
        "note": _("Lines in grey are optional and not part of the sums."),
        "has_untaken": any(not line.selected for line in found.lines),
    }


def _line(line: QuoteLine, found: QuoteDetail, locale: str) -> dict[str, Any]:
    currency, _ = found.quote.currency, translator(locale)
    return {
        "description": line.description,
        "optional": _("Optional") if line.optional else "",
        "taken": line.selected,
        "quantity": f"{format_quantity(line.quantity, locale)} {line.unit}".strip(),
        "unit_price": format_amount(line.unit_price, currency, locale),
        "discount": format_amount(-line.discount, currency, locale) if line.discount else "",
        "tax": format_rate(line.tax_rate, locale),
        "total": format_amount(line.total, currency, locale),
    }


def _tax_name(row: dict[str, Any], locale: str) -> str:
    return f"{row['name']} {format_rate(Decimal(row['rate']), locale)}".strip()
