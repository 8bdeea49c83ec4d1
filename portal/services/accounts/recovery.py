"""A new password by a mailed link (AUTH-09), and what ends with the old one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update

from portal.authz import Actor
from portal.errors import Conflict
from portal.events import audit
from portal.lib.i18n import format_day_and_time
from portal.lib.user_agents import describe
from portal.lib.wording import N_
from portal.models import Company, LinkPurpose, Membership, OneTimeLink, Person, SignInChallenge, User, UserKind
from portal.models.session import TenantSession
from portal.services.accounts.lockout import unlock
from portal.services.accounts.messages import AccountMessage, Addressee, queue_mail
from portal.services.accounts.one_time import consume_link, peek_link, revoke_links
from portal.services.accounts.password_rules import check_password, split_words
from portal.services.accounts.passwords import Passwords
from portal.services.accounts.sessions import Origin, end_sessions, load_identity
from portal.services.tenants.directory import TenantProfile


@dataclass(frozen=True)
class Site:
    """The tenant whose mail goes out, and where this installation is reached."""

    tenant: TenantProfile
    base_url: str


def find_reset(session: TenantSession, token: str, *, now: datetime) -> User:
    """Whose password a link may set, without using it up; raises Conflict `link_expired`."""
    return _owner(session, peek_link(session, token, LinkPurpose.RESET_PASSWORD, now=now))


def reset_password(
    session: TenantSession,
    token: str,
    password: str,
    *,
    passwords: Passwords,
    site: Site,
    origin: Origin,
    now: datetime,
) -> User:
    """Set a new password by the link's right, once; among racing uses one wins.

    Raises Conflict `link_expired`, and Invalid about `password`, which leaves the link as it was.
    """
    user = find_reset(session, token, now=now)
    check_password(password, own_words_of(session, user.id, site.tenant.name))
    consume_link(session, token, LinkPurpose.RESET_PASSWORD, now=now)
    set_password(session, user, password, passwords=passwords, now=now)
    actor = load_identity(session, user, origin).actor
    # The mail arrived, so the address is this person's.
    session.execute(
        update(Person)
        .where(Person.id == user.person_id, Person.email_verified_at.is_(None))
        .values(email_verified_at=now),
        execution_options={"synchronize_session": False},
    )
    audit(session, "user.password_reset", "user", user.id, actor=actor, now=now)
    tell_password_changed(session, user, actor=actor, site=site, origin=origin, now=now)
    return user


def set_password(
    session: TenantSession,
    user: User,
    password: str,
    *,
    passwords: Passwords,
    now: datetime,
    keep_session: UUID | None = None,
) -> None:
    """Store a checked password; sessions, programs, half sign-ins, links and locks of before end.

    The second factor stays as it is. `keep_session` is the session in which it was changed.
    """
    user.password_hash = passwords.hash(password)
    user.password_changed_at = now
    user.must_reset_password = False
    end_sessions(session, user.id, now=now, keep=keep_session)
    session.execute(
        update(SignInChallenge)
        .where(SignInChallenge.user_id == user.id, SignInChallenge.used_at.is_(None))
        .values(used_at=now),
        execution_options={"synchronize_session": False},
    )
    revoke_links(session, LinkPurpose.RESET_PASSWORD, user_id=user.id, now=now)
    unlock(session, user.id)


def tell_password_changed(
    session: TenantSession, user: User, *, actor: Actor, site: Site, origin: Origin, now: datetime
) -> None:
    """Mail that the password was changed, from where, and what to do if somebody else did it."""
    to = addressee_of(session, user)
    message = AccountMessage(
        "password_changed",
        path=f"{door_path(user)}/forgot",
        facts=origin_facts(to, site.tenant, now, origin.user_agent, origin.ip),
    )
    queue_mail(session, message, to, tenant=site.tenant, base_url=site.base_url, actor=actor, now=now)


def door_path(user: User) -> str:
    """Where the pages begin that this kind of login signs in at."""
    return "/admin" if user.kind is UserKind.STAFF else "/portal"


def own_words_of(session: TenantSession, user_id: UUID, tenant_name: str) -> tuple[str, ...]:
    """What everybody knows of a login, so that it is no part of a password: names, address, company, tenant."""
    names = (
        select(func.array_agg(Company.name))
        .join(Membership, (Membership.tenant_id == Company.tenant_id) & (Membership.company_id == Company.id))
        .where(Membership.user_id == User.id, Membership.tenant_id == User.tenant_id)
        .correlate(User)
        .scalar_subquery()
    )
    row = session.execute(
        select(Person.name, Person.email, names)
        .join(User, (User.tenant_id == Person.tenant_id) & (User.person_id == Person.id))
        .where(User.id == user_id)
    ).one()
    return split_words(row[0], row[1], tenant_name, *(row[2] or ()))


def own_words_of_link(session: TenantSession, token: str, tenant_name: str, *, now: datetime) -> tuple[str, ...]:
    """The same for whoever a reset link belongs to; the tenant's words alone where the link does not work."""
    try:
        return own_words_of(session, find_reset(session, token, now=now).id, tenant_name)
    except Conflict:
        return split_words(tenant_name)


def addressee_of(session: TenantSession, user: User) -> Addressee:
    """The person behind a login, as messages need it."""
    name, email = session.execute(select(Person.name, Person.email).where(Person.id == user.person_id)).one()
    return Addressee(email, name, user.id, user.locale, user.timezone)


def origin_facts(
    to: Addressee, tenant: TenantProfile, at: datetime, user_agent: str, ip: str
) -> Sequence[tuple[str, str]]:
    """When, with what and from where something was done, in the reader's language and zone."""
    locale = to.locale if to.locale in tenant.locales and to.locale else tenant.locale
    facts = [(N_("Time"), format_day_and_time(at.replace(second=0), locale, to.timezone or tenant.timezone))]
    device = describe(user_agent).text
    if device:
        facts.append((N_("Device"), device))
    if ip:
        facts.append((N_("Address"), ip))
    return facts


def _owner(session: TenantSession, link: OneTimeLink) -> User:
    user = session.scalar(select(User).where(User.id == link.user_id)) if link.user_id is not None else None
    if user is None or not user.may_sign_in():
        raise Conflict("link_expired")
    return user
