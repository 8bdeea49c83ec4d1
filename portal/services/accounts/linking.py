"""Opening the account of a customer who is known already, by customer number or phone (AUTH-10, AUTH-12).

Who asks is not told whether there is such a customer: the proof goes to the address or the phone on record, and
what is not sent is written and taken back, so that neither the answer nor its time says more. A customer number
opens the account of a company that nobody has a login of; later people come by invitation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Select, exists, func, select, update

from portal.authz import system_actor
from portal.errors import Conflict
from portal.events import audit
from portal.lib.phones import normalise_phone
from portal.models import Company, LinkPurpose, Membership, OneTimeLink, Person, Role, User, UserKind, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts.delivery import Delivery
from portal.services.accounts.membership import add_membership
from portal.services.accounts.messages import SECRET_MARK, AccountMessage, Addressee, queue_mail, queue_text
from portal.services.accounts.one_time import consume_code, consume_link, issue_link, peek_link
from portal.services.accounts.password_rules import check_password, split_words
from portal.services.accounts.passwords import Passwords
from portal.services.accounts.sessions import Origin, load_identity

DAY = timedelta(hours=24)
SENDS_A_DAY = 5
PAUSE = timedelta(minutes=1)
_PURPOSES = (LinkPurpose.LINK_ACCOUNT, LinkPurpose.PHONE_SIGN_UP)


@dataclass(frozen=True)
class Contact:
    """Somebody on record who has no login yet."""

    person: Person
    company_name: str


def request_link(
    session: TenantSession,
    *,
    number: str | None = None,
    phone: str | None = None,
    locale: str | None = None,
    delivery: Delivery,
    now: datetime,
) -> None:
    """Mail a link to the address on record of the customer with this number or phone; says nothing either way.

    Raises Conflict `sign_up_closed` where the tenant wants invitations only.
    """
    if not delivery.tenant.sign_in.link_account_open:
        raise Conflict("sign_up_closed")
    contact = _find(session, _by_phone(phone, delivery) if phone else _by_number(number or ""))
    allowed = _may_be_sent(session, contact, now)
    with session.begin_nested() as attempt:
        payload = {"person_id": str(contact.person.id) if contact else "", "proof": "email"}
        link = issue_link(
            session, LinkPurpose.LINK_ACCOUNT, user_id=None, vault=delivery.vault, now=now, payload=payload
        )
        message = AccountMessage(
            template="link_account",
            path=f"/portal/join/account/{SECRET_MARK}",
            link=link,
            params={"for_company": contact.company_name if contact else ""},
        )
        to = _addressee(contact, delivery.tenant.support_email, locale)
        _queue(session, queue_mail, message, to, delivery, now)
        if not allowed:
            attempt.rollback()


def request_code(
    session: TenantSession, phone: str, *, locale: str | None = None, delivery: Delivery, now: datetime
) -> UUID:
    """Send a code to the phone on record; returns the challenge that the code is given with, for strangers too.

    Raises Conflict `sign_up_closed` where the tenant does not offer it.
    """
    if not delivery.tenant.sign_in.phone_sign_up_open:
        raise Conflict("sign_up_closed")
    contact = _find(session, _by_phone(phone, delivery))
    allowed = _may_be_sent(session, contact, now)
    # A challenge that leads to nobody takes wrong codes like any other.
    payload = {"person_id": str(contact.person.id) if contact and allowed else "", "proof": "phone"}
    link = issue_link(session, LinkPurpose.PHONE_SIGN_UP, user_id=None, vault=delivery.vault, now=now, payload=payload)
    with session.begin_nested() as attempt:
        to = _addressee(contact, delivery.tenant.support_phone, locale, by_phone=True)
        _queue(session, queue_text, AccountMessage(template="sign_up_code", link=link), to, delivery, now)
        if not allowed:
            attempt.rollback()
    return link.id


def verify_code(session: TenantSession, challenge: UUID, code: str, *, delivery: Delivery, now: datetime) -> str | None:
    """Exchange a right code for the token of the password's form, once.

    None for a wrong code, which is counted: the caller commits that before it refuses. Raises Conflict
    `link_expired` after five of them, and for a code that was used or is late.
    """
    used = consume_code(session, challenge, code, LinkPurpose.PHONE_SIGN_UP, vault=delivery.vault, now=now)
    if used is None or not used.payload.get("person_id"):
        return None
    link = issue_link(
        session, LinkPurpose.LINK_ACCOUNT, user_id=None, vault=delivery.vault, now=now, payload=dict(used.payload)
    )
    return delivery.vault.link_token(link.id)


def load_contact(session: TenantSession, token: str, *, now: datetime) -> Contact:
    """Whose account a link opens, without using it up; Conflict `link_expired` where it opens none (any more)."""
    return _contact_of(session, peek_link(session, token, LinkPurpose.LINK_ACCOUNT, now=now))


def open_account(
    session: TenantSession,
    token: str,
    password: str,
    *,
    tenant_name: str,
    passwords: Passwords,
    origin: Origin,
    now: datetime,
) -> User:
    """Set the password and link the login to the customer; of racing calls one wins.

    Raises Invalid about the password, and Conflict `link_expired`.
    """
    contact = load_contact(session, token, now=now)
    person = contact.person
    check_password(password, own_words=split_words(person.name, person.email, contact.company_name, tenant_name))
    link = consume_link(session, token, LinkPurpose.LINK_ACCOUNT, now=now)
    hashed = passwords.hash(password)
    user = _activate(session, person, hashed, now)
    company_id = person.company_id
    others = session.scalar(select(Membership.id).where(Membership.company_id == company_id).limit(1))
    role = Role.CUSTOMER if others else Role.CUSTOMER_ADMIN
    add_membership(session, user.id, role, company_id=company_id)
    if link.payload.get("proof") == "phone":
        person.phone_verified_at = now
    else:
        person.email_verified_at = now
    session.flush()
    actor = load_identity(session, user, origin).actor
    after = {"company_id": company_id, "role": role, "proof": link.payload.get("proof")}
    audit(session, "user.linked", "user", user.id, actor=actor, now=now, after=after)
    return user


def _activate(session: TenantSession, person: Person, hashed: str, now: datetime) -> User:
    values = {"status": UserStatus.ACTIVE, "password_hash": hashed, "password_changed_at": now}
    pending: User | None = session.scalar(
        update(User)
        .where(User.person_id == person.id, User.kind == UserKind.CUSTOMER, User.status == UserStatus.PENDING)
        .values(**values)
        .returning(User)
    )
    if pending is not None:
        return pending
    if session.scalar(select(User.id).where(User.person_id == person.id)) is not None:
        raise Conflict("link_expired")
    user = User(
        id=uuid4(),
        tenant_id=session.tenant_id,
        person_id=person.id,
        kind=UserKind.CUSTOMER,
        mail_preferences={},
        created_at=now,
        **values,
    )
    session.add(user)
    session.flush()
    return user


def _without_login() -> Select[Person, str]:
    """Contacts of companies whom no login stands for; one that waits for its invitation is none yet."""
    login = exists().where(User.person_id == Person.id, User.status != UserStatus.PENDING)
    staff = exists().where(User.person_id == Person.id, User.kind == UserKind.STAFF)
    return (
        select(Person, Company.name)
        .join(Company, Company.id == Person.company_id)
        .where(~login, ~staff)
        .order_by(Person.created_at, Person.id)
        .limit(1)
    )


def _by_number(number: str) -> Select[Person, str]:
    members = exists().where(Membership.company_id == Company.id)
    return _without_login().where(Company.customer_number == number.strip(), ~members)


def _by_phone(phone: str, delivery: Delivery) -> Select[Person, str]:
    # What cannot be a number is looked for all the same: the empty text is nobody's.
    return _without_login().where(Person.phone == (normalise_phone(phone, delivery.region) or ""))


def _find(session: TenantSession, query: Select[Person, str]) -> Contact | None:
    row = session.execute(query).first()
    return Contact(row[0], row[1]) if row else None


def _contact_of(session: TenantSession, link: OneTimeLink) -> Contact:
    wanted = link.payload.get("person_id")
    contact = _find(session, _without_login().where(Person.id == UUID(str(wanted)))) if wanted else None
    if contact is None:
        raise Conflict("link_expired")
    return contact


def _may_be_sent(session: TenantSession, contact: Contact | None, now: datetime) -> bool:
    """Whether there is anybody, who was not sent too much already."""
    wanted = str(contact.person.id) if contact else "nobody"
    sent, last = session.execute(
        select(func.count(), func.max(OneTimeLink.created_at)).where(
            OneTimeLink.user_id.is_(None),
            OneTimeLink.purpose.in_(_PURPOSES),
            OneTimeLink.created_at > now - DAY,
            OneTimeLink.payload["person_id"].astext == wanted,
        )
    ).one()
    return contact is not None and sent < SENDS_A_DAY and (last is None or last <= now - PAUSE)


def _addressee(contact: Contact | None, nobody: str, locale: str | None, *, by_phone: bool = False) -> Addressee:
    if contact is None:
        return Addressee(nobody, "", locale=locale)
    person = contact.person
    return Addressee((person.phone if by_phone else person.email) or nobody, person.name, locale=locale)


def _queue(
    session: TenantSession,
    write: Callable[..., UUID],
    message: AccountMessage,
    to: Addressee,
    delivery: Delivery,
    now: datetime,
) -> None:
    actor = system_actor(session.tenant_id, delivery.tenant.name)
    write(session, message, to, tenant=delivery.tenant, base_url=delivery.base_url, actor=actor, now=now)
