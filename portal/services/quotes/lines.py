"""Lines of a quote: checked, given the catalogue's and the tenant's tax, and added up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from portal.errors import FieldError, Invalid, invalid
from portal.lib.bulk_discounts import line_discount, read_tiers
from portal.lib.deposits import deposit_totals
from portal.lib.money import LARGEST
from portal.lib.pricing import PricedLine, TaxRounding, Totals, price_lines
from portal.lib.text import clean_text, has_forbidden_characters
from portal.models import CatalogItem, Quote, QuoteLine, TaxRate
from portal.models.session import TenantSession

MOST_LINES = 200
DESCRIPTION_LENGTH = 500
UNIT_LENGTH = 20
TAX_NAME_LENGTH = 40
MOST_QUANTITY = Decimal(1_000_000_000)
PLACES = Decimal("0.0001")


@dataclass(frozen=True)
class LineDraft:
    """A line as it was written; amounts in minor units, `tax_rate` in percent.

    None for `tax_rate` takes the catalogue item's tax, else the tenant's standard one; None for `discount` what the
    item's discounts by quantity say, else nothing.
    """

    description: str
    quantity: Decimal
    unit_price: int
    discount: int | None = None
    tax_rate: Decimal | None = None
    tax_name: str = ""
    unit: str = ""
    optional: bool = False
    selected: bool = True
    catalog_item_id: UUID | None = None
    id: UUID | None = None
    tax_category: str = ""
    service_type: str = ""


def priced(line: QuoteLine | LineDraft) -> PricedLine:
    """The line for adding up."""
    rate = line.tax_rate if line.tax_rate is not None else Decimal(0)
    return PricedLine(line.quantity, line.unit_price, line.discount or 0, rate, line.tax_name)


def total_of(lines: Iterable[QuoteLine], rounding: str) -> Totals:
    """The sums of the lines that are taken."""
    return price_lines([priced(line) for line in lines if line.selected], TaxRounding(rounding))


def write_lines(session: TenantSession, quote: Quote, drafts: Sequence[LineDraft]) -> None:
    """Put lines in place of those a draft has, and store its sums.

    Raises Invalid, with fields such as `lines.0.quantity`.
    """
    checked = check_lines(session, drafts)
    kept = set(session.scalars(select(QuoteLine.id).where(QuoteLine.quote_id == quote.id)))
    session.execute(delete(QuoteLine).where(QuoteLine.quote_id == quote.id))
    rows = [_row(session, quote, draft, at, kept) for at, draft in enumerate(checked)]
    session.add_all(rows)
    store_totals(quote, rows)
    if quote.total > LARGEST:
        raise invalid("lines", "amount_too_large")


def store_totals(quote: Quote, lines: Sequence[QuoteLine]) -> None:
    """Add up what is taken, and what of it is asked for as a deposit."""
    totals = total_of(lines, quote.tax_rounding)
    quote.subtotal, quote.discount_total = totals.subtotal, totals.discount_total
    quote.tax_total, quote.total = totals.tax_total, totals.total
    quote.taxes = taxes_as_json(totals)
    quote.deposit = deposit_totals(totals, quote.deposit_percent, TaxRounding(quote.tax_rounding)).total


def taxes_as_json(totals: Totals) -> list[dict[str, Any]]:
    """The tax of each rate, as rows keep it."""
    return [
        {"name": share.name, "rate": plain_decimal(share.rate), "net": share.net, "tax": share.tax}
        for share in totals.taxes
    ]


def plain_decimal(value: Decimal) -> str:
    """A decimal without an exponent and without zeros at its end: `20`, `5.5`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def check_lines(session: TenantSession, drafts: Sequence[LineDraft]) -> list[LineDraft]:
    """The lines cleaned and with their tax; raises Invalid about each that cannot be."""
    if not drafts:
        raise invalid("lines", "required")
    if len(drafts) > MOST_LINES:
        raise invalid("lines", "too_many", limit=MOST_LINES)
    errors: list[FieldError] = []
    items = _catalogue(session, drafts)
    standard = session.scalar(select(TaxRate).where(TaxRate.is_default, TaxRate.active).limit(1))
    rates = {rate.id: rate for rate in session.scalars(select(TaxRate))}
    checked = []
    for at, draft in enumerate(drafts):
        item = items.get(draft.catalog_item_id) if draft.catalog_item_id else None
        if draft.catalog_item_id and item is None:
            errors.append(FieldError(f"lines.{at}.catalog_item_id", "unknown_choice"))
        errors += _check(draft, f"lines.{at}")
        rate = rates.get(item.tax_rate_id) if item is not None and item.tax_rate_id else standard
        checked.append(_with_tax(draft, rate, item))
    if errors:
        raise Invalid(*errors)
    return [_discounted(line, items) for line in checked]


def _discounted(line: LineDraft, items: Mapping[UUID, CatalogItem]) -> LineDraft:
    """What was given stays, also where it is nothing; else the tier that the quantity reaches."""
    if line.discount is not None:
        return line
    item = items.get(line.catalog_item_id) if line.catalog_item_id else None
    tiers = read_tiers(item.discounts) if item is not None else ()
    return replace(line, discount=line_discount(tiers, line.quantity, line.unit_price))


def _catalogue(session: TenantSession, drafts: Sequence[LineDraft]) -> dict[UUID, CatalogItem]:
    wanted = {draft.catalog_item_id for draft in drafts if draft.catalog_item_id}
    if not wanted:
        return {}
    return {item.id: item for item in session.scalars(select(CatalogItem).where(CatalogItem.id.in_(wanted)))}


def _with_tax(draft: LineDraft, rate: TaxRate | None, item: CatalogItem | None) -> LineDraft:
    line = replace(
        draft,
        description=clean_text(draft.description),
        unit=draft.unit or (item.unit if item else ""),
        service_type=draft.service_type or (item.service_type if item else ""),
        selected=draft.selected or not draft.optional,
    )
    if draft.tax_rate is None:
        found = (rate.rate, rate.name, rate.category) if rate else (Decimal(0), "", "Z")
        return replace(line, tax_rate=found[0], tax_name=draft.tax_name or found[1], tax_category=found[2])
    same = rate is not None and rate.rate == draft.tax_rate
    category = draft.tax_category or (rate.category if same and rate else "S" if draft.tax_rate else "Z")
    return replace(line, tax_name=draft.tax_name or (rate.name if rate else ""), tax_category=category)


def _check(draft: LineDraft, place: str) -> list[FieldError]:
    errors = _check_texts(draft, place)
    if not 0 < draft.quantity <= MOST_QUANTITY or draft.quantity != draft.quantity.quantize(PLACES):
        errors.append(FieldError(f"{place}.quantity", "quantity_invalid"))
        return errors
    if not 0 <= draft.unit_price <= LARGEST:
        errors.append(FieldError(f"{place}.unit_price", "amount_invalid"))
        return errors
    gross = priced(draft).gross
    if gross > LARGEST:
        errors.append(FieldError(f"{place}.unit_price", "amount_too_large"))
    if not 0 <= (draft.discount or 0) <= gross:
        errors.append(FieldError(f"{place}.discount", "discount_invalid"))
    rate = draft.tax_rate
    if rate is not None and (not 0 <= rate <= 100 or rate != rate.quantize(PLACES)):
        errors.append(FieldError(f"{place}.tax_rate", "rate_invalid"))
    return errors


def _check_texts(draft: LineDraft, place: str) -> list[FieldError]:
    errors = []
    for name, limit in (("description", DESCRIPTION_LENGTH), ("unit", UNIT_LENGTH), ("tax_name", TAX_NAME_LENGTH)):
        value = getattr(draft, name)
        if has_forbidden_characters(value):
            errors.append(FieldError(f"{place}.{name}", "characters_forbidden"))
        elif len(clean_text(value)) > limit:
            errors.append(FieldError(f"{place}.{name}", "too_long", (("limit", limit),)))
    if not clean_text(draft.description):
        errors.append(FieldError(f"{place}.description", "required"))
    return errors


def _row(session: TenantSession, quote: Quote, draft: LineDraft, at: int, kept: set[UUID]) -> QuoteLine:
    return QuoteLine(
        # A line keeps its id while its draft is edited; ids of other quotes' lines are nobody's to give.
        id=draft.id if draft.id in kept else uuid4(),
        tenant_id=session.tenant_id,
        quote_id=quote.id,
        position=at,
        catalog_item_id=draft.catalog_item_id,
        service_type=draft.service_type,
        description=draft.description,
        quantity=draft.quantity,
        unit=draft.unit,
        unit_price=draft.unit_price,
        discount=draft.discount,
        tax_name=draft.tax_name,
        tax_rate=draft.tax_rate,
        tax_category=draft.tax_category,
        optional=draft.optional,
        selected=draft.selected,
        total=priced(draft).net,
    )


def draft_of(line: QuoteLine) -> LineDraft:
    """A stored line as one to write again, in another quote."""
    return LineDraft(
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount=line.discount,
        tax_rate=line.tax_rate,
        tax_name=line.tax_name,
        unit=line.unit,
        optional=line.optional,
        selected=line.selected,
        catalog_item_id=line.catalog_item_id,
        tax_category=line.tax_category,
        service_type=line.service_type,
    )
