"""Lines of invoices: checked, given their tax, and added up by the rules of `portal/lib/pricing.py`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.errors import FieldError, Invalid
from portal.lib.bulk_discounts import Tier, line_discount, read_tiers
from portal.lib.money import LARGEST
from portal.lib.pricing import PricedLine, TaxRounding, Totals, price_lines
from portal.lib.text import has_forbidden_characters
from portal.models import BillingSettings, CatalogItem, Invoice, InvoiceLine, TaxRate
from portal.models.session import TenantSession

MOST_LINES = 200
DESCRIPTION_LENGTH = 500
UNIT_LENGTH = 20
LARGEST_QUANTITY = Decimal(10) ** 9
_PLACES = 4


@dataclass(frozen=True)
class NewLine:
    """One line as it is asked for; amounts in minor units of the document's currency.

    `tax_rate` in percent, None for the tenant's usual rate; name and category of the tax come from the tenant's
    rates unless they are given. None for `discount` takes what the catalogue item's tiers say, without an item none.
    """

    description: str
    quantity: Decimal = Decimal(1)
    unit_price: int = 0
    discount: int | None = None
    tax_rate: Decimal | None = None
    tax_name: str | None = None
    tax_category: str | None = None
    unit: str = ""
    service_type: str = ""
    catalog_item_id: UUID | None = None


def add_lines(
    session: TenantSession, invoice: Invoice, lines: Sequence[NewLine], settings: BillingSettings
) -> list[InvoiceLine]:
    """Write an invoice's lines and set its sums. Raises Invalid per field (`lines.0.quantity`)."""
    lines = check_lines(session, lines)
    rates = list(
        session.scalars(select(TaxRate).where(TaxRate.active).order_by(TaxRate.is_default.desc(), TaxRate.name))
    )
    rows = [_row(session, invoice, position, line, rates) for position, line in enumerate(lines)]
    totals = price_rows(rows, settings)
    if totals.total < 0:
        raise Invalid(FieldError("lines", "total_negative"))
    if max(abs(totals.subtotal), totals.total) > LARGEST:
        raise Invalid(FieldError("lines", "amount_too_large"))
    set_totals(invoice, totals)
    session.add_all(rows)
    return rows


def set_totals(invoice: Invoice, totals: Totals) -> None:
    """Write what the lines come to into the invoice."""
    invoice.subtotal, invoice.discount_total = totals.subtotal, totals.discount_total
    invoice.tax_total, invoice.total = totals.tax_total, totals.total
    invoice.taxes = [
        {"name": share.name, "rate": format(share.rate.normalize(), "f"), "net": share.net, "tax": share.tax}
        for share in totals.taxes
    ]


def price_rows(rows: Sequence[InvoiceLine], settings: BillingSettings) -> Totals:
    """What stored lines come to."""
    priced = [PricedLine(row.quantity, row.unit_price, row.discount, row.tax_rate, row.tax_name) for row in rows]
    return price_lines(priced, TaxRounding(settings.tax_rounding))


def check_lines(session: TenantSession, lines: Sequence[NewLine]) -> list[NewLine]:
    """The lines with their discounts; raises Invalid about each that cannot be billed, with the field it is about."""
    if not lines:
        raise Invalid(FieldError("lines", "required"))
    if len(lines) > MOST_LINES:
        raise Invalid(FieldError("lines", "too_many", (("limit", MOST_LINES),)))
    errors = [error for place, line in enumerate(lines) for error in _errors_of(place, line)]
    wanted = {line.catalog_item_id for line in lines if line.catalog_item_id is not None}
    query = select(CatalogItem.id, CatalogItem.discounts).where(CatalogItem.id.in_(wanted))
    known = {item_id: read_tiers(stored) for item_id, stored in session.execute(query)} if wanted else {}
    for place, line in enumerate(lines):
        if line.catalog_item_id is not None and line.catalog_item_id not in known:
            errors.append(FieldError(f"lines.{place}.catalog_item_id", "unknown_choice"))
    if errors:
        raise Invalid(*errors)
    return [_discounted(line, known.get(line.catalog_item_id, ()) if line.catalog_item_id else ()) for line in lines]


def _discounted(line: NewLine, tiers: Sequence[Tier]) -> NewLine:
    """What was given stays, also where it is nothing; else the tier that the quantity reaches."""
    if line.discount is not None:
        return line
    return replace(line, discount=line_discount(tiers, line.quantity, line.unit_price))


def _errors_of(place: int, line: NewLine) -> list[FieldError]:
    found: list[FieldError] = []

    def refuse(field: str, code: str, **params: object) -> None:
        found.append(FieldError(f"lines.{place}.{field}", code, tuple(params.items())))

    if not line.description.strip():
        refuse("description", "required")
    elif len(line.description) > DESCRIPTION_LENGTH:
        refuse("description", "too_long", limit=DESCRIPTION_LENGTH)
    elif has_forbidden_characters(line.description):
        refuse("description", "characters_forbidden")
    if len(line.unit) > UNIT_LENGTH:
        refuse("unit", "too_long", limit=UNIT_LENGTH)
    if not _fits(line.quantity, LARGEST_QUANTITY) or line.quantity <= 0:
        refuse("quantity", "quantity_invalid")
    elif abs(line.quantity * line.unit_price) > LARGEST:
        refuse("unit_price", "amount_too_large")
    elif not 0 <= (line.discount or 0) <= max(0, _gross(line)):
        refuse("discount", "discount_invalid")
    if line.tax_rate is not None and (not _fits(line.tax_rate, Decimal(100)) or line.tax_rate < 0):
        refuse("tax_rate", "tax_rate_invalid")
    return found


def _gross(line: NewLine) -> int:
    return PricedLine(line.quantity, line.unit_price).gross


def _fits(value: Decimal, most: Decimal) -> bool:
    exponent = value.normalize().as_tuple().exponent if value.is_finite() else None
    return isinstance(exponent, int) and exponent >= -_PLACES and value <= most


def _row(
    session: TenantSession, invoice: Invoice, position: int, line: NewLine, rates: Sequence[TaxRate]
) -> InvoiceLine:
    name, rate, category = _tax(line, rates)
    discount = line.discount or 0
    return InvoiceLine(
        id=uuid4(),
        tenant_id=session.tenant_id,
        invoice_id=invoice.id,
        position=position,
        catalog_item_id=line.catalog_item_id,
        service_type=line.service_type,
        description=line.description.strip(),
        quantity=line.quantity,
        unit=line.unit.strip(),
        unit_price=line.unit_price,
        discount=discount,
        tax_name=name,
        tax_rate=rate,
        tax_category=category,
        total=PricedLine(line.quantity, line.unit_price, discount).net,
    )


def _tax(line: NewLine, rates: Sequence[TaxRate]) -> tuple[str, Decimal, str]:
    """Name, percent and category of a line's tax; the tenant's usual rate where the line names none."""
    usual = next((rate for rate in rates if rate.is_default), None)
    if line.tax_rate is None:
        return (usual.name, usual.rate, usual.category) if usual else ("", Decimal(0), "Z")
    known = next((rate for rate in rates if rate.rate == line.tax_rate), None)
    named = known or usual
    name = line.tax_name if line.tax_name is not None else named.name if named else ""
    category = line.tax_category or (known.category if known else "S" if line.tax_rate > 0 else "Z")
    return name, line.tax_rate, category
