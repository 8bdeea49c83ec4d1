"""What the team does with postal addresses: looks at them, and notes that they are right (ACC-04)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, update

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.events import audit
from portal.models import Address, Person
from portal.models.session import TenantSession


def list_addresses_of(session: TenantSession, person_id: UUID, *, actor: Actor) -> list[Address]:
    """A person's addresses and their company's, own ones first; NotFound where the tenant has no such person."""
    require(actor, Permission.CUSTOMERS_READ)
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound("user")
    theirs = Address.person_id == person_id
    if person.company_id is not None:
        theirs = or_(theirs, Address.company_id == person.company_id)
    order = (Address.person_id.is_(None), Address.is_primary.desc(), Address.created_at, Address.id)
    return list(session.scalars(select(Address).where(theirs).order_by(*order)))


def verify_address(session: TenantSession, address_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Note that an address is right, as it stands now; whoever changes it takes the note away. NotFound."""
    require(actor, Permission.CUSTOMERS_EDIT)
    address = session.get(Address, address_id)
    if address is None:
        raise NotFound("address")
    noted = session.execute(
        update(Address)
        .where(Address.id == address_id, Address.verified_at.is_(None))
        .values(verified_at=now)
        .returning(Address.id)
    ).first()
    if noted is not None:
        after = {"owner": "company" if address.company_id else "person", "country": address.country}
        audit(session, "address.verified", "address", address_id, actor=actor, now=now, after=after)
