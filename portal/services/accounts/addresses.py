"""Postal addresses of a person or a company, one of which is the primary one (ACC-02).

Everybody keeps their own; a company's are kept by its administrators and read by its people.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, select, update

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid, NotFound
from portal.events import audit
from portal.lib.countries import is_country
from portal.lib.text import clean_text, has_forbidden_characters
from portal.models import Address, Company, Person
from portal.models.session import TenantSession
from portal.services.accounts.profile import own_person_id

MAX_ADDRESSES = 20
LENGTHS = {"label": 60, "street": 160, "postal_code": 20, "city": 80, "landmark": 160}
REQUIRED = ("street", "postal_code", "city")


@dataclass(frozen=True)
class AddressText:
    """An address as somebody writes it; `country` is its ISO 3166-1 code."""

    street: str
    city: str
    postal_code: str
    country: str
    label: str = ""
    landmark: str = ""


@dataclass(frozen=True)
class Owner:
    """Whose addresses they are."""

    person_id: UUID | None
    company_id: UUID | None

    def owns(self) -> ColumnElement[bool]:
        """The condition on an address."""
        if self.company_id is not None:
            return Address.company_id == self.company_id
        return Address.person_id == self.person_id


def list_addresses(session: TenantSession, *, company_id: UUID | None = None, actor: Actor) -> list[Address]:
    """The actor's own addresses or a company's, the primary one first."""
    owner = _owner(session, company_id, actor, write=False)
    order = (Address.is_primary.desc(), Address.created_at, Address.id)
    return list(session.scalars(select(Address).where(owner.owns()).order_by(*order)))


def get_address(session: TenantSession, address_id: UUID, *, company_id: UUID | None = None, actor: Actor) -> Address:
    """One that the actor may change; NotFound for every other."""
    return _find(session, address_id, _owner(session, company_id, actor))


def require_owner(session: TenantSession, company_id: UUID | None, *, actor: Actor) -> None:
    """Refuse whoever may not change these addresses: NotFound for companies of others, else Forbidden."""
    _owner(session, company_id, actor)


def add_address(
    session: TenantSession, text: AddressText, *, company_id: UUID | None = None, actor: Actor, now: datetime
) -> Address:
    """Add an address; the first one is the primary one. Raises Invalid, and Conflict `addresses_full` beyond 20."""
    owner = _owner(session, company_id, actor)
    values = _checked(text)
    _lock(session, owner)
    there = list(session.scalars(select(Address.is_primary).where(owner.owns())))
    if len(there) >= MAX_ADDRESSES:
        raise Conflict("addresses_full", limit=MAX_ADDRESSES)
    address = Address(
        id=uuid4(),
        tenant_id=session.tenant_id,
        person_id=owner.person_id,
        company_id=owner.company_id,
        is_primary=not any(there),
        created_at=now,
        **values,
    )
    session.add(address)
    _note(session, "address.added", address, actor, now)
    return address


def change_address(
    session: TenantSession,
    address_id: UUID,
    text: AddressText,
    *,
    company_id: UUID | None = None,
    actor: Actor,
    now: datetime,
) -> Address:
    """Write an address anew; it has to be verified again then. Raises Invalid."""
    owner = _owner(session, company_id, actor)
    values = _checked(text)
    _lock(session, owner)
    address = _find(session, address_id, owner)
    place = ("street", "city", "postal_code", "country", "landmark")
    if any(getattr(address, name) != values[name] for name in place):
        address.verified_at = None
    for name, value in values.items():
        setattr(address, name, value)
    _note(session, "address.changed", address, actor, now)
    return address


def delete_address(
    session: TenantSession, address_id: UUID, *, company_id: UUID | None = None, actor: Actor, now: datetime
) -> None:
    """Delete an address; where it was the primary one the oldest other takes its place."""
    owner = _owner(session, company_id, actor)
    _lock(session, owner)
    address = _find(session, address_id, owner)
    session.delete(address)
    _note(session, "address.deleted", address, actor, now)
    if address.is_primary:
        heir = session.scalar(select(Address).where(owner.owns()).order_by(Address.created_at, Address.id).limit(1))
        if heir is not None:
            heir.is_primary = True
            session.flush()


def make_primary(
    session: TenantSession, address_id: UUID, *, company_id: UUID | None = None, actor: Actor, now: datetime
) -> Address:
    """Make an address the primary one of its owner."""
    owner = _owner(session, company_id, actor)
    _lock(session, owner)
    address = _find(session, address_id, owner)
    if address.is_primary:
        return address
    session.execute(update(Address).where(owner.owns(), Address.is_primary).values(is_primary=False))
    address.is_primary = True
    _note(session, "address.made_primary", address, actor, now)
    return address


def _owner(session: TenantSession, company_id: UUID | None, actor: Actor, *, write: bool = True) -> Owner:
    """The owner, where the actor may read (or write) its addresses; NotFound for companies of others."""
    if company_id is None:
        require(actor, Permission.PROFILE_EDIT)
        return Owner(own_person_id(session, actor), None)
    if company_id not in actor.company_ids:
        raise NotFound("company")
    if write:
        require(actor, Permission.COMPANY_MANAGE)
        if company_id not in actor.admin_company_ids:
            raise NotFound("company")
    return Owner(None, company_id)


def _lock(session: TenantSession, owner: Owner) -> None:
    """One change of an owner's addresses at a time, so that one of them stays the primary one."""
    row: Any = select(Company.id).where(Company.id == owner.company_id)
    if owner.company_id is None:
        row = select(Person.id).where(Person.id == owner.person_id)
    session.execute(row.with_for_update())


def _find(session: TenantSession, address_id: UUID, owner: Owner) -> Address:
    found = session.scalar(
        select(Address).where(Address.id == address_id, owner.owns()).execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("address")
    return found


def _checked(text: AddressText) -> dict[str, str | None]:
    errors: list[FieldError] = []
    values: dict[str, str | None] = {}
    for name, limit in LENGTHS.items():
        line = " ".join(clean_text(getattr(text, name)).split())
        if not line and name in REQUIRED:
            errors.append(FieldError(name, "required"))
        elif has_forbidden_characters(line):
            errors.append(FieldError(name, "characters_forbidden"))
        elif len(line) > limit:
            errors.append(FieldError(name, "too_long", (("limit", limit),)))
        values[name] = line
    if not is_country(text.country):
        errors.append(FieldError("country", "unknown_choice" if text.country else "required"))
    if errors:
        raise Invalid(*errors)
    return values | {"country": text.country, "landmark": values["landmark"] or None}


def _note(session: TenantSession, action: str, address: Address, actor: Actor, now: datetime) -> None:
    """Of an address an auditor sees whose it is and in which country, not where somebody lives."""
    told = {"owner": "company" if address.company_id else "person", "country": address.country}
    audit(session, action, "address", address.id, actor=actor, now=now, after=told)
