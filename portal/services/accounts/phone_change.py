"""A new phone number (ACC-01): it takes effect once the code that was sent to it has been typed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, invalid
from portal.events import audit
from portal.lib.phone_formats import readable_phone
from portal.lib.phones import normalise_phone
from portal.lib.wording import N_
from portal.models import Company, LinkPurpose, OneTimeLink, Person
from portal.models.session import TenantSession
from portal.services.accounts.email_change import refuse_too_many
from portal.services.accounts.messages import AccountMessage, Addressee
from portal.services.accounts.one_time import MAX_WRONG_CODES, consume_code, issue_link, revoke_links
from portal.services.accounts.own import Letterhead, Own, Post, load_own
from portal.services.accounts.sessions import end_sessions

COUNTRY_CODE = 2


@dataclass(frozen=True)
class Pending:
    """What waits to be proved, and until when: a mail address or a phone number."""

    value: str
    expires_at: datetime


def request_phone_change(
    session: TenantSession, phone: str, *, letterhead: Letterhead, actor: Actor, now: datetime
) -> str:
    """Send a code to a number that shall become the actor's; returns the number as it would be stored.

    A number without a prefix is taken for one of the company's country. A number in use is answered like a free
    one, but gets no message. Raises Invalid about `phone`, and Conflict `asked_too_often`.
    """
    require(actor, Permission.PROFILE_EDIT)
    own = load_own(session, actor, lock=True)
    wanted = normalise_phone(phone, _region(session, own))
    if wanted is None:
        raise invalid("phone", "phone_invalid" if phone.strip() else "required")
    if wanted == own.person.phone and own.person.phone_verified_at is not None:
        raise invalid("phone", "phone_unchanged")
    refuse_too_many(session, LinkPurpose.CHANGE_PHONE, own.user.id, now=now)
    link = issue_link(
        session,
        LinkPurpose.CHANGE_PHONE,
        user_id=own.user.id,
        vault=letterhead.vault,
        now=now,
        payload={"phone": wanted},
    )
    audit(session, "user.phone_change_requested", "user", own.user.id, actor=actor, now=now)
    taken = session.scalar(select(Person.id).where(Person.phone == wanted, Person.id != own.person.id))
    if taken is None:
        to = Addressee(wanted, own.person.name, own.user.id, own.user.locale, own.user.timezone)
        Post(session, letterhead, actor, now).text(AccountMessage("phone_code", link=link), to)
    return wanted


def confirm_phone_change(
    session: TenantSession,
    code: str,
    *,
    letterhead: Letterhead,
    actor: Actor,
    now: datetime,
    keep: UUID | None = None,
) -> str | None:
    """Use the code up: the number is the actor's from now on, sessions other than `keep` end.

    None for a wrong code, which is counted: the caller commits that before it refuses. Raises Conflict
    `link_expired` once it is late, used or guessed at too often, and `phone_taken`.
    """
    require(actor, Permission.PROFILE_EDIT)
    own = load_own(session, actor, lock=True)
    waiting = _open_link(session, LinkPurpose.CHANGE_PHONE, own.user.id, now)
    if waiting is None:
        raise Conflict("link_expired")
    link = consume_code(session, waiting.id, code, LinkPurpose.CHANGE_PHONE, vault=letterhead.vault, now=now)
    if link is None:
        return None
    wanted = str(link.payload["phone"])
    try:
        with session.begin_nested():
            own.person.phone, own.person.phone_verified_at = wanted, now
    except IntegrityError:
        raise Conflict("phone_taken") from None
    _finish(Post(session, letterhead, actor, now), own, "phone_changed", wanted, keep)
    return wanted


def remove_phone(
    session: TenantSession, *, letterhead: Letterhead, actor: Actor, now: datetime, keep: UUID | None = None
) -> None:
    """Forget the actor's number; without one nothing happens."""
    require(actor, Permission.PROFILE_EDIT)
    own = load_own(session, actor, lock=True)
    old = own.person.phone
    revoke_links(session, LinkPurpose.CHANGE_PHONE, user_id=own.user.id, now=now)
    if old is None:
        return
    own.person.phone, own.person.phone_verified_at = None, None
    _finish(Post(session, letterhead, actor, now), own, "phone_removed", old, keep)


def pending_changes(session: TenantSession, user_id: UUID | None, *, now: datetime) -> dict[str, Pending]:
    """What of a login's contact details waits to be proved: `email`, `phone`. One statement."""
    purposes = {LinkPurpose.CHANGE_EMAIL: "email", LinkPurpose.CHANGE_PHONE: "phone"}
    rows = session.scalars(_open(user_id, now).where(OneTimeLink.purpose.in_(purposes)))
    return {
        purposes[link.purpose]: Pending(str(link.payload[purposes[link.purpose]]), link.expires_at) for link in rows
    }


def _open_link(session: TenantSession, purpose: LinkPurpose, user_id: UUID, now: datetime) -> OneTimeLink | None:
    return session.scalar(_open(user_id, now).where(OneTimeLink.purpose == purpose).limit(1))


def _open(user_id: UUID | None, now: datetime) -> Select[OneTimeLink]:
    return select(OneTimeLink).where(
        OneTimeLink.user_id == user_id,
        OneTimeLink.used_at.is_(None),
        OneTimeLink.revoked_at.is_(None),
        OneTimeLink.expires_at > now,
        OneTimeLink.attempts < MAX_WRONG_CODES,
    )


def _region(session: TenantSession, own: Own) -> str | None:
    country = session.scalar(select(Company.country).where(Company.id == own.person.company_id))
    return country.upper() if country and len(country) == COUNTRY_CODE else None


def _finish(post: Post, own: Own, what: str, phone: str, keep: UUID | None) -> None:
    """A number is a way to sign in: whoever is signed in elsewhere has to do it again, and the mailbox is told."""
    end_sessions(post.session, own.user.id, now=post.now, keep=keep, keep_family=keep)
    audit(post.session, f"user.{what}", "user", own.user.id, actor=post.actor, now=post.now)
    post.mail(AccountMessage(what, facts=[(N_("Phone"), readable_phone(phone))]), own.addressee())
