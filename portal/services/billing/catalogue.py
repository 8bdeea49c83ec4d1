"""What the tenant sells and the rates of tax that it charges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import Text, cast, select, update

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid, NotFound
from portal.events import audit
from portal.lib.bulk_discounts import write_tiers
from portal.lib.money import EXPONENTS, LARGEST
from portal.models import CatalogItem, TaxRate
from portal.models.session import TenantSession
from portal.services.billing.tiers import TierForm, check_tiers, errors_of_tiers

# UNCL 5305 as EN 16931 uses it: standard, zero, exempt, reverse charge, within the EU, export, out of scope.
CATEGORIES = ("S", "Z", "E", "AE", "K", "G", "O")
NAME_LENGTH, SKU_LENGTH, UNIT_LENGTH, ITEM_NAME_LENGTH = 40, 40, 20, 200
# India's usual rate, offered by a button (BIL-09).
GST = ("GST", Decimal(18))


@dataclass(frozen=True)
class TaxRateForm:
    """A rate as it is edited; in percent."""

    name: str
    rate: Decimal | None
    category: str = "S"
    is_default: bool = False
    active: bool = True
    version: int | None = None


@dataclass(frozen=True)
class ItemForm:
    """A catalogue item as it is edited; `unit_price` in minor units, None where what was typed is no amount.

    None for `discounts` leaves the tiers as they are.
    """

    sku: str
    names: dict[str, str]
    currency: str
    unit_price: int | None
    unit: str = ""
    service_type: str = ""
    tax_rate_id: UUID | None = None
    active: bool = True
    version: int | None = None
    discounts: Sequence[TierForm] | None = None


def _require_reading(actor: Actor) -> None:
    """Who sets what is sold reads it, too."""
    if not actor.may(Permission.BILLING_CONFIGURE):
        require(actor, Permission.BILLING_READ)


def list_tax_rates(session: TenantSession, *, actor: Actor, active_only: bool = False) -> Sequence[TaxRate]:
    """The tenant's rates, the usual one first."""
    _require_reading(actor)
    query = select(TaxRate).order_by(TaxRate.active.desc(), TaxRate.is_default.desc(), TaxRate.name)
    return session.scalars(query.where(TaxRate.active) if active_only else query).all()


def get_tax_rate(session: TenantSession, rate_id: UUID, *, actor: Actor) -> TaxRate:
    """One rate, else NotFound."""
    _require_reading(actor)
    found = session.scalar(select(TaxRate).where(TaxRate.id == rate_id))
    if found is None:
        raise NotFound("tax_rate")
    return found


def save_tax_rate(
    session: TenantSession, rate_id: UUID | None, form: TaxRateForm, *, actor: Actor, now: datetime
) -> TaxRate:
    """Create (id None) or change a rate; at most one is the usual one. Issued invoices keep theirs.

    Raises Forbidden, NotFound, Invalid per field and Conflict `changed_meanwhile`.
    """
    require(actor, Permission.BILLING_CONFIGURE)
    rate = get_tax_rate(session, rate_id, actor=actor) if rate_id else TaxRate(id=uuid4(), tenant_id=session.tenant_id)
    if rate_id and form.version is not None and form.version != rate.version:
        raise Conflict("changed_meanwhile")
    name = " ".join(form.name.split())
    _check_rate(session, rate, name, form)
    before = {"name": rate.name, "rate": str(rate.rate)} if rate_id else {}
    if form.is_default and form.active:
        session.execute(
            update(TaxRate).where(TaxRate.is_default, TaxRate.id != rate.id).values(is_default=False),
            execution_options={"synchronize_session": "fetch"},
        )
    rate.name, rate.rate, rate.category = name, form.rate or Decimal(0), form.category
    rate.is_default, rate.active = form.is_default and form.active, form.active
    rate.version = (rate.version or 0) + 1
    session.add(rate)
    after = {"name": rate.name, "rate": str(rate.rate), "category": rate.category, "active": rate.active}
    audit(session, "tax_rate.saved", "tax_rate", rate.id, actor=actor, now=now, before=before, after=after)
    return rate


def add_gst(session: TenantSession, *, actor: Actor, now: datetime) -> TaxRate:
    """India's GST at 18 percent; where there is one of this name it is set to that."""
    require(actor, Permission.BILLING_CONFIGURE)
    name, rate = GST
    known = session.scalar(select(TaxRate).where(TaxRate.name == name))
    form = TaxRateForm(name, rate, is_default=known.is_default if known else False)
    return save_tax_rate(session, known.id if known else None, form, actor=actor, now=now)


def _check_rate(session: TenantSession, rate: TaxRate, name: str, form: TaxRateForm) -> None:
    errors = []
    if not name:
        errors.append(FieldError("name", "required"))
    elif len(name) > NAME_LENGTH:
        errors.append(FieldError("name", "too_long", (("limit", NAME_LENGTH),)))
    elif session.scalar(select(TaxRate.id).where(TaxRate.name == name, TaxRate.id != rate.id)) is not None:
        errors.append(FieldError("name", "name_taken"))
    if form.rate is None or not form.rate.is_finite() or not 0 <= form.rate <= 100 or form.rate != round(form.rate, 4):
        errors.append(FieldError("rate", "tax_rate_invalid"))
    # A standard rate is above zero, every other one is zero (BR-S-05, BR-Z-05, …).
    elif form.category not in CATEGORIES or (form.category == "S") is (form.rate == 0):
        errors.append(FieldError("category", "unknown_choice"))
    if errors:
        raise Invalid(*errors)


def list_items(
    session: TenantSession,
    *,
    search: str = "",
    limit: int = 25,
    offset: int = 0,
    active_only: bool = False,
    actor: Actor,
) -> Sequence[CatalogItem]:
    """Catalogue items by their number; `search` looks at number and names."""
    _require_reading(actor)
    query = select(CatalogItem).order_by(CatalogItem.active.desc(), CatalogItem.sku)
    if active_only:
        query = query.where(CatalogItem.active)
    if words := " ".join(search.split()):
        named = cast(CatalogItem.names, Text).icontains(words, autoescape=True)
        query = query.where(CatalogItem.sku.icontains(words, autoescape=True) | named)
    return session.scalars(query.limit(limit).offset(offset)).all()


def get_item(session: TenantSession, item_id: UUID, *, actor: Actor) -> CatalogItem:
    """One item, else NotFound."""
    _require_reading(actor)
    found = session.scalar(select(CatalogItem).where(CatalogItem.id == item_id))
    if found is None:
        raise NotFound("catalog_item")
    return found


def save_item(
    session: TenantSession, item_id: UUID | None, form: ItemForm, *, actor: Actor, now: datetime
) -> CatalogItem:
    """Create (id None) or change an item; quotes and invoices keep what was written on them.

    Raises Forbidden, NotFound, Invalid per field and Conflict `changed_meanwhile`.
    """
    require(actor, Permission.BILLING_CONFIGURE)
    new = CatalogItem(id=uuid4(), tenant_id=session.tenant_id, discounts=[])
    item = _lock_item(session, item_id, form.version) if item_id else new
    names = {locale: " ".join(name.split()) for locale, name in form.names.items() if name.strip()}
    sku = " ".join(form.sku.split())
    _check_item(session, item, sku, names, form)
    before = {"sku": item.sku, "unit_price": item.unit_price, "discounts": item.discounts} if item_id else {}
    item.sku, item.names, item.unit = sku, names, form.unit.strip()
    item.service_type, item.currency, item.unit_price = form.service_type.strip(), form.currency, form.unit_price or 0
    item.tax_rate_id, item.active, item.version = form.tax_rate_id, form.active, (item.version or 0) + 1
    if form.discounts is not None:
        item.discounts = write_tiers(check_tiers(form.discounts))
    session.add(item)
    after = {"sku": item.sku, "unit_price": item.unit_price, "currency": item.currency, "active": item.active}
    after |= {"discounts": item.discounts}
    audit(session, "catalog_item.saved", "catalog_item", item.id, actor=actor, now=now, before=before, after=after)
    return item


def save_discounts(
    session: TenantSession,
    item_id: UUID,
    tiers: Sequence[TierForm],
    *,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> CatalogItem:
    """Put discounts by quantity in place of those an item has; lines that are written already keep theirs.

    Raises Forbidden, NotFound, Invalid per field (`discounts.0.percent`) and Conflict `changed_meanwhile`.
    """
    require(actor, Permission.BILLING_CONFIGURE)
    item = _lock_item(session, item_id, version)
    before = {"discounts": item.discounts}
    item.discounts = write_tiers(check_tiers(tiers))
    item.version += 1
    after = {"sku": item.sku, "discounts": item.discounts}
    audit(session, "catalog_item.saved", "catalog_item", item.id, actor=actor, now=now, before=before, after=after)
    return item


def _lock_item(session: TenantSession, item_id: UUID, version: int | None) -> CatalogItem:
    """The item, locked: of two who knew the same version the second is refused."""
    query = select(CatalogItem).where(CatalogItem.id == item_id).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("catalog_item")
    if version is not None and version != found.version:
        raise Conflict("changed_meanwhile")
    return found


def _check_item(session: TenantSession, item: CatalogItem, sku: str, names: dict[str, str], form: ItemForm) -> None:
    errors = []
    if not sku:
        errors.append(FieldError("sku", "required"))
    elif len(sku) > SKU_LENGTH:
        errors.append(FieldError("sku", "too_long", (("limit", SKU_LENGTH),)))
    elif session.scalar(select(CatalogItem.id).where(CatalogItem.sku == sku, CatalogItem.id != item.id)) is not None:
        errors.append(FieldError("sku", "name_taken"))
    if not names:
        errors.append(FieldError("names", "required"))
    elif any(len(name) > ITEM_NAME_LENGTH for name in names.values()):
        errors.append(FieldError("names", "too_long", (("limit", ITEM_NAME_LENGTH),)))
    if len(form.unit.strip()) > UNIT_LENGTH:
        errors.append(FieldError("unit", "too_long", (("limit", UNIT_LENGTH),)))
    if form.currency not in EXPONENTS:
        errors.append(FieldError("currency", "currency_unknown"))
    if form.unit_price is None or abs(form.unit_price) > LARGEST:
        errors.append(FieldError("unit_price", "amount_invalid"))
    known = select(TaxRate.id).where(TaxRate.id == form.tax_rate_id)
    if form.tax_rate_id is not None and session.scalar(known) is None:
        errors.append(FieldError("tax_rate_id", "unknown_choice"))
    errors += errors_of_tiers(form.discounts or ())
    if errors:
        raise Invalid(*errors)
