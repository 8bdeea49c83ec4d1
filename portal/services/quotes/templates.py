"""Quotes that are drafted often: kept from a quote under a name, and begun again from there."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import NotFound, invalid
from portal.events import audit
from portal.lib.text import clean_text, has_forbidden_characters
from portal.models import Quote, QuoteLine, QuoteTemplate
from portal.models.session import TenantSession
from portal.services.quotes.drafting import QuoteDraft
from portal.services.quotes.lines import LineDraft, plain_decimal
from portal.services.quotes.queries import get_quote, list_lines

NAME_LENGTH = 80


def list_templates(session: TenantSession, *, actor: Actor) -> Sequence[QuoteTemplate]:
    """The tenant's templates by name."""
    require(actor, Permission.SALES_READ)
    return session.scalars(select(QuoteTemplate).order_by(QuoteTemplate.name)).all()


def keep_as_template(
    session: TenantSession, quote_id: UUID, *, name: str, actor: Actor, now: datetime
) -> QuoteTemplate:
    """Keep what a quote says under a name; the same name again replaces it. Raises Forbidden, Invalid about `name`."""
    quote = get_quote(session, quote_id, actor=actor)
    require(actor, Permission.QUOTES_MANAGE)
    if has_forbidden_characters(name):
        raise invalid("name", "characters_forbidden")
    tidy = " ".join(clean_text(name).split())
    if not tidy:
        raise invalid("name", "required")
    if len(tidy) > NAME_LENGTH:
        raise invalid("name", "too_long", limit=NAME_LENGTH)
    data = _data_of(quote, list_lines(session, quote.id))
    found = session.scalar(select(QuoteTemplate).where(QuoteTemplate.name == tidy).with_for_update())
    if found is None:
        found = QuoteTemplate(id=uuid4(), tenant_id=session.tenant_id, name=tidy, data=data, version=1)
        session.add(found)
    else:
        found.data, found.version = data, found.version + 1
    after = {"name": tidy, "version": found.version}
    audit(session, "quote_template.saved", "quote_template", found.id, actor=actor, now=now, after=after)
    return found


def delete_template(session: TenantSession, template_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Forget a template; quotes made from it stay. Raises Forbidden, NotFound."""
    require(actor, Permission.QUOTES_MANAGE)
    found = _get(session, template_id)
    before = {"name": found.name}
    audit(session, "quote_template.deleted", "quote_template", found.id, actor=actor, now=now, before=before)
    session.delete(found)


def from_template(session: TenantSession, template_id: UUID, *, actor: Actor) -> QuoteDraft:
    """What a quote from the template says, without customer and validity. Raises Forbidden, NotFound."""
    require(actor, Permission.QUOTES_MANAGE)
    data = _get(session, template_id).data
    return QuoteDraft(
        currency=data["currency"],
        title=data["title"],
        introduction=data["introduction"],
        terms=data["terms"],
        deposit_percent=Decimal(data["deposit_percent"]),
        lines=[_line_of(line) for line in data["lines"]],
    )


def _get(session: TenantSession, template_id: UUID) -> QuoteTemplate:
    found = session.scalar(select(QuoteTemplate).where(QuoteTemplate.id == template_id))
    if found is None:
        raise NotFound("quote_template")
    return found


def _data_of(quote: Quote, lines: Sequence[QuoteLine]) -> dict[str, Any]:
    return {
        "currency": quote.currency,
        "title": quote.title,
        "introduction": quote.introduction,
        "terms": quote.terms,
        "deposit_percent": plain_decimal(quote.deposit_percent),
        "lines": [_data_of_line(line) for line in lines],
    }


def _data_of_line(line: QuoteLine) -> dict[str, Any]:
    return {
        "description": line.description,
        "quantity": plain_decimal(line.quantity),
        "unit": line.unit,
        "unit_price": line.unit_price,
        "discount": line.discount,
        "tax_name": line.tax_name,
        "tax_rate": plain_decimal(line.tax_rate),
        "optional": line.optional,
        "selected": line.selected,
        "catalog_item_id": str(line.catalog_item_id) if line.catalog_item_id else None,
    }


def _line_of(data: dict[str, Any]) -> LineDraft:
    item = data["catalog_item_id"]
    return LineDraft(
        description=data["description"],
        quantity=Decimal(data["quantity"]),
        unit=data["unit"],
        unit_price=data["unit_price"],
        discount=data["discount"],
        tax_name=data["tax_name"],
        tax_rate=Decimal(data["tax_rate"]),
        optional=data["optional"],
        selected=data["selected"],
        catalog_item_id=UUID(item) if item else None,
    )
