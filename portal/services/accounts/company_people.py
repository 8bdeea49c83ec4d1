"""What administrators do with the people of their own company (ACC-08, H9.5).

They edit, give roles, take access away and give it back. How a login is found and proved, its address and phone,
is its owner's alone to change: whoever could write them could become that person. Access that staff took away is
not theirs to give back, and a login that belongs to another company, too, is only taken out of this one.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, exists, select, update

from portal.authz import Actor
from portal.errors import Conflict, Forbidden, NotFound, invalid
from portal.events import audit
from portal.models import Address, Avatar, Membership, Person, Role, User, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts.company_queries import CompanyPerson, get_company_person
from portal.services.accounts.invitations import end_invitations
from portal.services.accounts.membership import CUSTOMER_ROLES, require_other_administrator
from portal.services.accounts.person_fields import FieldCheck
from portal.services.accounts.shut_out import shut_out

TITLE_LENGTH = 80


@dataclass(frozen=True)
class ContactForm:
    """How somebody is reached."""

    name: str
    email: str
    phone: str | None = None
    title: str | None = None


def add_contact(
    session: TenantSession, company_id: UUID, form: ContactForm, *, region: str | None, actor: Actor, now: datetime
) -> UUID:
    """Note somebody of the company who needs no login; returns the person's id. Raises Invalid, Forbidden."""
    _require_administrator(company_id, actor)
    form = _checked(session, form, region, None)
    person = Person(
        id=uuid4(),
        tenant_id=session.tenant_id,
        company_id=company_id,
        name=form.name,
        email=form.email,
        phone=form.phone,
        title=form.title,
        created_at=now,
    )
    session.add(person)
    audit(session, "person.saved", "person", person.id, actor=actor, now=now, after={"company_id": company_id})
    return person.id


def update_person(
    session: TenantSession,
    company_id: UUID,
    person_id: UUID,
    form: ContactForm,
    *,
    region: str | None,
    actor: Actor,
    now: datetime,
) -> CompanyPerson:
    """Change how somebody of the company is reached; address and phone of a login stay as they are.

    Raises NotFound, Forbidden, Invalid (`login_owns_address` about the field that was changed).
    """
    _require_administrator(company_id, actor)
    found = get_company_person(session, company_id, person_id, actor=actor)
    form = _checked(session, form, region, person_id)
    if found.user_id is not None:
        for field in ("email", "phone"):
            if getattr(form, field) != getattr(found, field):
                raise invalid(field, "login_owns_address")
    if found.elsewhere and (form.name, form.title) != (found.name, found.title):
        raise invalid("name", "login_owns_address")
    person = session.scalars(select(Person).where(Person.id == person_id)).one()
    changed = [name for name in ("name", "email", "phone", "title") if getattr(person, name) != getattr(form, name)]
    for name in changed:
        setattr(person, name, getattr(form, name))
    if changed:
        audit(session, "person.saved", "person", person_id, actor=actor, now=now, after={"changed": changed})
    return get_company_person(session, company_id, person_id, actor=actor)


def change_role(
    session: TenantSession, company_id: UUID, person_id: UUID, role: Role, *, actor: Actor, now: datetime
) -> CompanyPerson:
    """Make a member customer or administrator; what a former administrator invited is withdrawn.

    Raises NotFound, Forbidden, Invalid, Conflict `no_login` and `last_administrator`.
    """
    _require_administrator(company_id, actor)
    if role not in CUSTOMER_ROLES:
        raise invalid("role", "unknown_role")
    found = get_company_person(session, company_id, person_id, actor=actor)
    if found.user_id is None or found.role is None:
        raise Conflict("no_login")
    if found.role is role:
        return found
    if role is Role.CUSTOMER:
        require_other_administrator(session, company_id, besides=found.user_id)
        end_invitations(session, found.user_id, now=now, company_id=company_id)
    session.execute(
        update(Membership)
        .where(Membership.user_id == found.user_id, Membership.company_id == company_id)
        .values(role=role)
    )
    before, after = {"role": found.role}, {"role": role, "company_id": company_id}
    audit(session, "user.role_changed", "user", found.user_id, actor=actor, now=now, before=before, after=after)
    return get_company_person(session, company_id, person_id, actor=actor)


def deactivate_person(
    session: TenantSession, company_id: UUID, person_id: UUID, *, actor: Actor, now: datetime
) -> CompanyPerson | None:
    """Take somebody's access away: sessions, programs, links and invitations end at once.

    Returns None where the login belongs to other companies as well and was only taken out of this one. Raises
    NotFound, Forbidden `not_yourself`, Conflict `no_login` and `last_administrator`.
    """
    _require_administrator(company_id, actor)
    found = get_company_person(session, company_id, person_id, actor=actor)
    if found.user_id is None or found.role is None:
        raise Conflict("no_login")
    if found.user_id == actor.user_id:
        raise Forbidden("not_yourself")
    if found.role is Role.CUSTOMER_ADMIN:
        require_other_administrator(session, company_id, besides=found.user_id)
    if found.elsewhere:
        _take_out(session, company_id, found.user_id, actor, now)
        return None
    if found.portal_access:
        session.execute(update(User).where(User.id == found.user_id).values(portal_access=False))
        shut_out(session, found.user_id, now=now)
        after = {"company_id": company_id}
        audit(session, "user.deactivated", "user", found.user_id, actor=actor, now=now, after=after)
    return get_company_person(session, company_id, person_id, actor=actor)


def reactivate_person(
    session: TenantSession, company_id: UUID, person_id: UUID, *, actor: Actor, now: datetime
) -> CompanyPerson:
    """Give back the access that an administrator of the company took away; a suspension by staff stays."""
    _require_administrator(company_id, actor)
    found = get_company_person(session, company_id, person_id, actor=actor)
    if found.user_id is None or found.role is None:
        raise Conflict("no_login")
    if found.elsewhere:
        raise Forbidden("not_allowed")
    if not found.portal_access:
        session.execute(update(User).where(User.id == found.user_id).values(portal_access=True))
        after = {"company_id": company_id}
        audit(session, "user.reactivated", "user", found.user_id, actor=actor, now=now, after=after)
    return get_company_person(session, company_id, person_id, actor=actor)


def remove_contact(session: TenantSession, company_id: UUID, person_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Strike a contact who has no access off the company. Raises NotFound, Forbidden, Conflict `contact_has_login`."""
    _require_administrator(company_id, actor)
    found = get_company_person(session, company_id, person_id, actor=actor)
    if found.is_member or (found.status is not None and found.status is not UserStatus.PENDING):
        raise Conflict("contact_has_login")
    audit(session, "person.removed", "person", person_id, actor=actor, now=now, before={"company_id": company_id})
    if found.user_id is not None:
        # Invitations and mails keep the login that waits; it belongs to nobody's company any more.
        end_invitations(session, found.user_id, now=now, company_id=company_id)
        session.execute(update(Person).where(Person.id == person_id).values(company_id=None))
        return
    for table in (Address, Avatar):
        session.execute(delete(table).where(table.person_id == person_id))
    session.execute(delete(Person).where(Person.id == person_id, ~exists().where(User.person_id == person_id)))


def _take_out(session: TenantSession, company_id: UUID, user_id: UUID, actor: Actor, now: datetime) -> None:
    session.execute(delete(Membership).where(Membership.user_id == user_id, Membership.company_id == company_id))
    session.execute(
        update(Person)
        .where(Person.company_id == company_id, exists().where(User.person_id == Person.id, User.id == user_id))
        .values(company_id=None),
        execution_options={"synchronize_session": False},
    )
    end_invitations(session, user_id, now=now, company_id=company_id)
    before = {"company_id": company_id}
    audit(session, "user.left_company", "user", user_id, actor=actor, now=now, before=before)


def _require_administrator(company_id: UUID, actor: Actor) -> None:
    if company_id not in actor.company_ids:
        raise NotFound("company")
    if company_id not in actor.admin_company_ids:
        raise Forbidden("not_allowed")


def _checked(session: TenantSession, form: ContactForm, region: str | None, own: UUID | None) -> ContactForm:
    check = FieldCheck()
    cleaned = ContactForm(
        name=check.name(form.name),
        email=check.email(form.email),
        phone=check.phone(form.phone, region),
        title=check.text("title", form.title, TITLE_LENGTH),
    )
    check.done()
    for field, value, code in (
        ("email", cleaned.email, "address_refused"),
        ("phone", cleaned.phone, "phone_refused"),
    ):
        column = getattr(Person, field)
        taken = select(Person.id).where(column == value, Person.id != own if own else Person.id.is_not(None))
        if value and session.scalar(taken.limit(1)) is not None:
            raise invalid(field, code)
    return cleaned
