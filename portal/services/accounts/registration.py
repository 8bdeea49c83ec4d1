"""Open registration (AUTH-13): nothing exists before the address is proven, and then the owner sets it all up.

Whoever registers somebody else's address has won nothing: the password is chosen behind the mailed link, and the
names that were typed before are only a suggestion there (pre-hijacked accounts, reliability §3).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor
from portal.errors import Conflict, FieldError, Invalid
from portal.events import audit
from portal.lib.email_addresses import normalise_email
from portal.lib.text import clean_text, has_forbidden_characters
from portal.lib.vault import Vault
from portal.models import (
    Company,
    LinkPurpose,
    Membership,
    OneTimeLink,
    Person,
    Role,
    TenantCounter,
    User,
    UserKind,
    UserStatus,
)
from portal.models.session import TenantSession
from portal.services.accounts.access_requests import read_request, write_request
from portal.services.accounts.one_time import consume_link, peek_link
from portal.services.accounts.password_rules import check_password, split_words
from portal.services.accounts.passwords import Passwords
from portal.services.accounts.sessions import Origin, load_identity
from portal.services.tenants.directory import TenantProfile

NAME_LENGTH = 100
COMPANY_LENGTH = 160
TITLE_LENGTH = 80
FIRST_CUSTOMER_NUMBER = 10_001


@dataclass(frozen=True)
class Registration:
    """What somebody asks for an account with; `locale` is the language they read."""

    name: str
    email: str
    company: str
    locale: str


@dataclass(frozen=True)
class NewAccount:
    """What somebody whose address is proven sets the account up with."""

    name: str
    company: str
    title: str
    password: str
    locale: str | None = None


def request_registration(
    session: TenantSession, wanted: Registration, *, tenant: TenantProfile, vault: Vault, actor: Actor, now: datetime
) -> None:
    """Note a registration, the same for every address; the mail that follows tells its owner what is the case.

    Raises Conflict `registration_closed` and Invalid per field.
    """
    _require_open(tenant)
    errors: list[FieldError] = []
    email = normalise_email(wanted.email)
    told = {
        "name": _checked("name", wanted.name, NAME_LENGTH, errors),
        "email": email,
        "company": _checked("company", wanted.company, COMPANY_LENGTH, errors),
        "locale": wanted.locale,
    }
    if email is None:
        errors.append(FieldError("email", "email_invalid" if wanted.email.strip() else "required"))
    if errors:
        raise Invalid(*errors)
    write_request(session, LinkPurpose.VERIFY_EMAIL, told, vault=vault, actor=actor, now=now)


def find_registration(
    session: TenantSession, token: str, *, tenant: TenantProfile, vault: Vault, now: datetime
) -> Registration:
    """What was asked for with the link, without using it up; raises Conflict `link_expired`."""
    _require_open(tenant)
    return _registration(peek_link(session, token, LinkPurpose.VERIFY_EMAIL, now=now), vault)


def complete_registration(
    session: TenantSession,
    token: str,
    account: NewAccount,
    *,
    tenant: TenantProfile,
    vault: Vault,
    passwords: Passwords,
    origin: Origin,
    now: datetime,
) -> User:
    """Make person, company and login of a proven address, once; the person administers the company.

    Raises Conflict `link_expired`, `registration_closed` or `already_registered` (by another link meanwhile), and
    Invalid per field, which leaves the link as it was.
    """
    asked = find_registration(session, token, tenant=tenant, vault=vault, now=now)
    checked = _checked_account(account, asked.email, tenant.name)
    link = consume_link(session, token, LinkPurpose.VERIFY_EMAIL, now=now)
    link.payload = {}
    if session.scalar(select(Person.id).where(Person.email == asked.email)) is not None:
        raise Conflict("already_registered")
    user = _add_login(session, asked.email, checked, passwords, now)
    link.user_id = user.id
    identity = load_identity(session, user, origin)
    after = {"company_id": str(identity.companies[0][0])}
    audit(session, "user.registered", "user", user.id, actor=identity.actor, now=now, after=after)
    return user


def _checked_account(account: NewAccount, email: str, tenant_name: str) -> NewAccount:
    """The account with its texts cleaned; raises Invalid per field."""
    errors: list[FieldError] = []
    name = _checked("name", account.name, NAME_LENGTH, errors)
    company = _checked("company", account.company, COMPANY_LENGTH, errors)
    title = _checked("title", account.title, TITLE_LENGTH, errors, required=False)
    try:
        check_password(account.password, split_words(name, email, company, tenant_name))
    except Invalid as refused:
        errors.extend(refused.errors)
    if errors:
        raise Invalid(*errors)
    return replace(account, name=name, company=company, title=title)


def _add_login(session: TenantSession, email: str, account: NewAccount, passwords: Passwords, now: datetime) -> User:
    """Company, person, login and membership, in the order of their keys."""
    number = _next_customer_number(session)
    company = Company(id=uuid4(), name=account.company, customer_number=number, created_at=now)
    title = account.title or None
    person = Person(
        id=uuid4(), company_id=company.id, name=account.name, email=email, title=title, email_verified_at=now
    )
    session.add_all([company, person])
    session.flush()
    user = User(
        id=uuid4(),
        person_id=person.id,
        kind=UserKind.CUSTOMER,
        status=UserStatus.ACTIVE,
        password_hash=passwords.hash(account.password),
        password_changed_at=now,
        locale=account.locale,
        mail_preferences={},
        created_at=now,
    )
    session.add(user)
    session.flush()
    session.add(Membership(user_id=user.id, company_id=company.id, role=Role.CUSTOMER_ADMIN))
    session.flush()
    return user


def _next_customer_number(session: TenantSession) -> str:
    """The next number after the highest one there is; concurrent ones wait for each other at the counter."""
    is_number = Company.customer_number.regexp_match("^[0-9]{1,9}$")
    highest = session.scalar(select(func.max(cast(Company.customer_number, Integer))).where(is_number))
    lowest = max((highest or 0) + 1, FIRST_CUSTOMER_NUMBER)
    statement = insert(TenantCounter).values(tenant_id=session.tenant_id, name="customer", value=lowest)
    given = session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "name"],
            set_={"value": func.greatest(TenantCounter.value + 1, statement.excluded.value)},
        ).returning(TenantCounter.value)
    ).scalar_one()
    return str(given)


def _require_open(tenant: TenantProfile) -> None:
    if not tenant.sign_in.registration_open:
        raise Conflict("registration_closed")


def _registration(link: OneTimeLink, vault: Vault) -> Registration:
    told = read_request(link, vault)
    return Registration(told["name"], told["email"], told["company"], told["locale"])


def _checked(field: str, value: str, limit: int, errors: list[FieldError], *, required: bool = True) -> str:
    """One line of text, cleaned; what is wrong with it is added to `errors`."""
    if has_forbidden_characters(value):
        errors.append(FieldError(field, "characters_forbidden"))
        return ""
    text = " ".join(clean_text(value).split())
    if required and not text:
        errors.append(FieldError(field, "required"))
    elif len(text) > limit:
        errors.append(FieldError(field, "too_long", (("limit", limit),)))
    return text
