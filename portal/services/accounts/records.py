"""Companies and people as staff keep them (ADM-05): created, corrected."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Forbidden, NotFound, invalid
from portal.events import audit
from portal.lib.wording import N_
from portal.models import Company, Person, User, UserKind, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts.delivery import Delivery
from portal.services.accounts.messages import AccountMessage, Addressee, queue_mail
from portal.services.accounts.one_time import revoke_links
from portal.services.accounts.person_fields import FieldCheck
from portal.services.accounts.sessions import end_sessions

NUMBER_LENGTH, COMPANY_LENGTH, CITY_LENGTH, TITLE_LENGTH = 20, 160, 80, 80


@dataclass(frozen=True)
class CompanyForm:
    """A customer organisation; `country` is ISO 3166-1 alpha-2."""

    name: str
    customer_number: str
    phone: str | None = None
    city: str | None = None
    country: str | None = None


@dataclass(frozen=True)
class PersonForm:
    """A contact; `company_id` is where a new one belongs."""

    name: str
    email: str
    phone: str | None = None
    title: str | None = None
    company_id: UUID | None = None


def save_company(
    session: TenantSession,
    company_id: UUID | None,
    form: CompanyForm,
    *,
    delivery: Delivery,
    actor: Actor,
    now: datetime,
) -> Company:
    """Create (without an id) or change a company. Raises Forbidden, NotFound, Invalid."""
    require(actor, Permission.CUSTOMERS_EDIT)
    check = FieldCheck()
    values = {
        "name": check.text("name", form.name, COMPANY_LENGTH, needed=True),
        "customer_number": check.text("customer_number", form.customer_number, NUMBER_LENGTH, needed=True),
        "phone": check.phone(form.phone, delivery.region),
        "city": check.text("city", form.city, CITY_LENGTH),
        "country": check.country(form.country),
    }
    check.done()
    others = select(Company.id).where(Company.customer_number == values["customer_number"])
    if session.scalar(others.where(Company.id != (company_id or UUID(int=0)))) is not None:
        raise invalid("customer_number", "number_taken")
    company = _company(session, company_id, now)
    before = _write(company, values)
    if before or company_id is None:
        after = {name: values[name] for name in (before or values)}
        audit(session, "company.saved", "company", company.id, actor=actor, now=now, before=before, after=after)
    return company


def save_person(
    session: TenantSession,
    person_id: UUID | None,
    form: PersonForm,
    *,
    delivery: Delivery,
    actor: Actor,
    now: datetime,
) -> Person:
    """Create (without an id) or correct a customer's contact.

    Correcting the address or phone of somebody with a login needs `access:manage`: it is what the login is found
    by. Its sessions and links end, and the address of before is told. Raises Forbidden, NotFound, Invalid.
    """
    require(actor, Permission.CUSTOMERS_EDIT)
    values = _checked(session, person_id, form, delivery)
    person, login = _person(session, person_id, form, now)
    if login is not None and login.kind is UserKind.STAFF:
        raise Forbidden("not_allowed")
    old = Addressee(person.email, person.name, login.id if login else None, login.locale if login else None)
    before = {name: getattr(person, name) for name in values if getattr(person, name) != values[name]}
    contact: list[str] = [name for name in ("email", "phone") if name in before]
    if person_id is not None and login is not None and contact:
        require(actor, Permission.ACCESS_MANAGE)
        _guard_login(session, person, login, contact, now)
        if login.status is not UserStatus.PENDING:
            _tell_owner(session, old, delivery, actor, now)
    for name, value in values.items():
        setattr(person, name, value)
    session.flush()
    if before or person_id is None:
        # Addresses and names stay out of the trail; what was corrected is enough.
        after = {"changed": sorted(before)} if person_id else {"company_id": person.company_id}
        audit(session, "person.saved", "person", person.id, actor=actor, now=now, after=after)
    return person


def _checked(session: TenantSession, person_id: UUID | None, form: PersonForm, delivery: Delivery) -> dict[str, Any]:
    check = FieldCheck()
    values = {
        "name": check.name(form.name),
        "email": check.email(form.email),
        "phone": check.phone(form.phone, delivery.region),
        "title": check.text("title", form.title, TITLE_LENGTH),
    }
    check.done()
    own = person_id or UUID(int=0)
    for field, code in (("email", "address_taken"), ("phone", "phone_taken")):
        taken = select(Person.id).where(getattr(Person, field) == values[field], Person.id != own)
        if values[field] and session.scalar(taken) is not None:
            raise invalid(field, code)
    return values


def _company(session: TenantSession, company_id: UUID | None, now: datetime) -> Company:
    if company_id is None:
        company = Company(id=uuid4(), tenant_id=session.tenant_id, created_at=now)
        session.add(company)
        return company
    found = session.scalar(select(Company).where(Company.id == company_id))
    if found is None:
        raise NotFound("company")
    return found


def _person(
    session: TenantSession, person_id: UUID | None, form: PersonForm, now: datetime
) -> tuple[Person, User | None]:
    if person_id is not None:
        row = session.execute(
            select(Person, User).outerjoin(User, User.person_id == Person.id).where(Person.id == person_id)
        ).first()
        if row is None:
            raise NotFound("person")
        return row[0], row[1]
    if session.scalar(select(Company.id).where(Company.id == form.company_id)) is None:
        raise invalid("company_id", "unknown_company")
    person = Person(
        id=uuid4(),
        tenant_id=session.tenant_id,
        company_id=form.company_id,
        name=form.name,
        email=form.email,
        created_at=now,
    )
    session.add(person)
    return person, None


def _write(record: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Set what differs; returns what was there before."""
    before = {name: getattr(record, name) for name in values if getattr(record, name) != values[name]}
    for name in before:
        setattr(record, name, values[name])
    return {} if all(value is None for value in before.values()) else before


def _guard_login(session: TenantSession, person: Person, login: User, contact: list[str], now: datetime) -> None:
    """What was proved of the old address or phone holds no more, nor does what went there."""
    for name in contact:
        setattr(person, f"{name}_verified_at", None)
    revoke_links(session, user_id=login.id, now=now)
    end_sessions(session, login.id, now=now)


def _tell_owner(session: TenantSession, old: Addressee, delivery: Delivery, actor: Actor, now: datetime) -> None:
    message = AccountMessage(
        template="contact_corrected",
        facts=[(N_("Changed by"), actor.name), (N_("Help"), delivery.tenant.support_email)],
    )
    queue_mail(session, message, old, tenant=delivery.tenant, base_url=delivery.base_url, actor=actor, now=now)
