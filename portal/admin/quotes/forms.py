"""The form of a draft: one row per line, and empty rows for more; works without scripts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from flask import request

from portal.admin.sla.forms import valid_uuid
from portal.blueprints import http
from portal.blueprints.quotes.wishes import typed_amount, typed_day
from portal.errors import FieldError, Invalid
from portal.lib.bulk_discounts import line_discount, read_tiers
from portal.lib.money import Money
from portal.models import CatalogItem, Quote, QuoteLine
from portal.services.quotes.choices import find_customers
from portal.services.quotes.drafting import QuoteDraft
from portal.services.quotes.lines import MOST_LINES, LineDraft, plain_decimal

EMPTY_ROWS = 3
FIELDS = ("id", "catalog_item_id", "description", "quantity", "unit", "unit_price", "discount", "tax_rate", "optional")
Rows = list[dict[str, str]]


def sent_rows() -> Rows:
    """The lines as they were typed, empty ones left out."""
    columns = {name: request.form.getlist(f"line_{name}") for name in FIELDS if name != "optional"}
    count = min(len(columns["description"]), MOST_LINES + EMPTY_ROWS)
    ticked = set(request.form.getlist("line_optional"))
    rows = []
    for at in range(count):
        row = {name: (values[at].strip() if at < len(values) else "") for name, values in columns.items()}
        row["optional"] = "1" if str(at) in ticked else ""
        if row["description"] or row["catalog_item_id"] or row["unit_price"]:
            rows.append(row)
    return rows


def stored_rows(lines: Sequence[QuoteLine], items: Sequence[CatalogItem], currency: str) -> Rows:
    """The lines of a draft as its form has them; a discount that is the catalogue's stays the catalogue's to give."""
    known = {item.id: item for item in items}
    return [
        {
            "id": str(line.id),
            "catalog_item_id": str(line.catalog_item_id or ""),
            "description": line.description,
            "quantity": plain_decimal(line.quantity),
            "unit": line.unit,
            "unit_price": str(Money(line.unit_price, currency).decimal),
            "tax_rate": plain_decimal(line.tax_rate),
            "optional": "1" if line.optional else "",
            **_discount_cells(line, known, currency),
        }
        for line in lines
    ]


def _discount_cells(line: QuoteLine, known: Mapping[UUID, CatalogItem], currency: str) -> dict[str, str]:
    """What was given by hand, also where that is nothing; else an empty field that hints at what will be taken off."""
    item = known.get(line.catalog_item_id) if line.catalog_item_id else None
    tiers = read_tiers(item.discounts) if item is not None else ()
    usual = line_discount(tiers, line.quantity, line.unit_price)
    if line.discount == usual:
        return {"discount": "", "usual_discount": str(Money(usual, currency).decimal) if usual else ""}
    return {"discount": str(Money(line.discount, currency).decimal)}


def draft_rows(lines: Sequence[LineDraft], currency: str) -> Rows:
    """Lines of a template as the form has them."""
    return [
        {
            "id": "",
            "catalog_item_id": str(line.catalog_item_id or ""),
            "description": line.description,
            "quantity": plain_decimal(line.quantity),
            "unit": line.unit,
            "unit_price": str(Money(line.unit_price, currency).decimal),
            "discount": str(Money(line.discount, currency).decimal) if line.discount else "",
            "tax_rate": "" if line.tax_rate is None else plain_decimal(line.tax_rate),
            "optional": "1" if line.optional else "",
        }
        for line in lines
    ]


def read_draft(quote: Quote | None, items: Sequence[CatalogItem], currency: str, locale: str) -> QuoteDraft:
    """What the service takes; raises Invalid per field."""
    form = request.form
    errors: list[FieldError] = []
    known = {str(item.id): item for item in items}
    lines = [_line(at, row, known, currency, locale, errors) for at, row in enumerate(sent_rows())]
    percent = _decimal("deposit_percent", form.get("deposit_percent", "") or "0", errors)
    try:
        valid_until = typed_day("valid_until", form.get("valid_until", ""))
    except Invalid as error:
        errors += error.errors
        valid_until = None
    customer_id = _customer_id(errors) if quote is None else None
    if errors:
        raise Invalid(*errors)
    return QuoteDraft(
        customer_id=customer_id,
        currency=currency,
        title=form.get("title", ""),
        introduction=form.get("introduction", ""),
        terms=form.get("terms", ""),
        valid_until=valid_until,
        deposit_percent=percent,
        lines=lines,
        request_id=valid_uuid(form.get("request_id")) if quote is None else None,
    )


def _customer_id(errors: list[FieldError]) -> UUID | None:
    """The chosen customer; without scripts the number or the name as it was typed."""
    chosen = valid_uuid(request.form.get("customer"))
    if chosen is not None:
        return chosen
    typed = request.form.get("customer_text", "").strip()
    found = find_customers(http.session(), typed, actor=http.actor(), limit=2) if typed else []
    exact = [one for one in found if typed.casefold() in (one.name.casefold(), one.customer_number.casefold())]
    candidates = exact or list(found)
    if len(candidates) == 1:
        return candidates[0].id
    errors.append(FieldError("customer", "unknown_customer" if typed else "required"))
    return None


def _line(
    at: int,
    row: Mapping[str, str],
    known: Mapping[str, CatalogItem],
    currency: str,
    locale: str,
    errors: list[FieldError],
) -> LineDraft:
    item = known.get(row["catalog_item_id"])
    place = f"lines.{at}"
    price = _amount(f"{place}.unit_price", row["unit_price"], currency, errors)
    if price is None:
        price = item.unit_price if item is not None and item.currency == currency else 0
    line = LineDraft(
        id=valid_uuid(row["id"]),
        description=row["description"] or _name_of(item, locale),
        quantity=_decimal(f"{place}.quantity", row["quantity"] or "1", errors),
        unit=row["unit"],
        unit_price=price,
        discount=_amount(f"{place}.discount", row["discount"], currency, errors),
        optional=bool(row["optional"]),
        # What may be left out is offered unticked: nobody buys by forgetting.
        selected=not row["optional"],
        catalog_item_id=item.id if item is not None else None,
    )
    if row["tax_rate"]:
        line = replace(line, tax_rate=_decimal(f"{place}.tax_rate", row["tax_rate"], errors))
    return line


def _name_of(item: CatalogItem | None, locale: str) -> str:
    if item is None:
        return ""
    names: dict[str, Any] = item.names
    return str(names.get(locale) or next(iter(names.values()), item.sku))


def _amount(field: str, text: str, currency: str, errors: list[FieldError]) -> int | None:
    try:
        return typed_amount(field, text, currency)
    except Invalid as error:
        errors += error.errors
        return 0


def _decimal(field: str, text: str, errors: list[FieldError]) -> Decimal:
    try:
        value = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value) > 10**12:
        errors.append(FieldError(field, "decimal_invalid"))
        return Decimal(1)
    return value
