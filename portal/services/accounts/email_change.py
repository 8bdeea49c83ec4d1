"""A new mail address (ACC-01): it takes effect once its own mailbox has confirmed it, and never unnoticed.

The old address is told when the change is asked for and when it happens, each time with a link that stops it or
takes it back. Nobody learns here whose address somebody else's is: one in use is answered like a free one, and
its owner is told instead.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, invalid
from portal.events import audit
from portal.lib.email_addresses import normalise_email
from portal.lib.wording import N_
from portal.models import LinkPurpose, OneTimeLink, Person, User
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity
from portal.services.accounts.messages import SECRET_MARK, AccountMessage, Addressee
from portal.services.accounts.one_time import IssuedLink, consume_link, issue_link, revoke_links
from portal.services.accounts.own import Letterhead, Own, Post, load_own
from portal.services.accounts.sessions import Origin, end_sessions, load_identity

# Each sends a mail to somebody who may not have asked for it.
REQUESTS_A_DAY = 5
CONFIRM_PATH = f"/portal/account/confirm-email/{SECRET_MARK}"
KEEP_PATH = f"/portal/account/keep-email/{SECRET_MARK}"


@dataclass(frozen=True)
class Confirmed:
    """A mail address that was proved; `changed` says whether it is a new one."""

    user_id: UUID
    email: str
    changed: bool


def request_email_change(
    session: TenantSession,
    email: str,
    *,
    letterhead: Letterhead,
    actor: Actor,
    now: datetime,
    session_id: UUID | None = None,
) -> str:
    """Send a link to an address that shall become the actor's; returns the address as it would be stored.

    The actor's present address is confirmed in the same way while it is not verified. `session_id` is the
    session that outlives the change. Raises Invalid about `email`, and Conflict `asked_too_often`.
    """
    require(actor, Permission.PROFILE_EDIT)
    own = load_own(session, actor, lock=True)
    wanted = normalise_email(email)
    if wanted is None:
        raise invalid("email", "email_invalid" if email.strip() else "required")
    present = own.person.email
    if wanted == present and own.person.email_verified_at is not None:
        raise invalid("email", "email_unchanged")
    refuse_too_many(session, LinkPurpose.CHANGE_EMAIL, own.user.id, now=now)
    payload = {"email": wanted, "from": present, "session": str(session_id) if session_id else None}
    link = issue_link(
        session, LinkPurpose.CHANGE_EMAIL, user_id=own.user.id, vault=letterhead.vault, now=now, payload=payload
    )
    audit(session, "user.email_change_requested", "user", own.user.id, actor=actor, now=now)
    post = Post(session, letterhead, actor, now)
    _ask_mailbox(post, own, wanted, link)
    if wanted != present:
        _tell_old_address(post, "email_change_requested", own.addressee(), instead=wanted)
    return wanted


def confirm_email_change(
    session: TenantSession,
    token: str,
    *,
    letterhead: Letterhead,
    origin: Origin,
    now: datetime,
    here: tuple[UUID, UUID] | None = None,
) -> Confirmed:
    """Use a confirmation up: the address is the person's from now on, and their only other way in is to sign in anew.

    `here` is (login, session) of the browser that confirms; that session lives on where it is the person's, else
    the one that asked. Raises Conflict `link_expired` for links used, stopped or overtaken, and `email_taken`.
    """
    link = consume_link(session, token, LinkPurpose.CHANGE_EMAIL, now=now)
    own, identity = _owner_of(session, link, origin)
    wanted, old = str(link.payload["email"]), own.person.email
    if link.payload["from"] != old or not own.user.may_sign_in():
        raise Conflict("link_expired")
    _write_email(session, own.person, wanted, now)
    if wanted == old:
        audit(session, "user.email_verified", "user", own.user.id, actor=identity.actor, now=now)
        return Confirmed(own.user.id, wanted, changed=False)
    # What was sent to the old mailbox opens nothing any more.
    revoke_links(session, LinkPurpose.RESET_PASSWORD, LinkPurpose.VERIFY_EMAIL, user_id=own.user.id, now=now)
    asked = link.payload.get("session")
    keep = here[1] if here and here[0] == own.user.id else (UUID(asked) if asked else None)
    end_sessions(session, own.user.id, now=now, keep=keep, keep_family=keep)
    audit(session, "user.email_changed", "user", own.user.id, actor=identity.actor, now=now)
    post = Post(session, letterhead, identity.actor, now)
    _tell_old_address(post, "email_changed", own.addressee(old), instead=wanted)
    return Confirmed(own.user.id, wanted, changed=True)


def keep_email(session: TenantSession, token: str, *, origin: Origin, now: datetime) -> Confirmed:
    """Use the old address's link up: a change that waits is stopped, one that happened is taken back.

    Whoever asked for it knew the password, so every session and program ends and a new password is due.
    Raises Conflict `link_expired`, also once the address has changed again since; `email_taken`.
    """
    link = consume_link(session, token, LinkPurpose.KEEP_EMAIL, now=now)
    own, identity = _owner_of(session, link, origin)
    old, wanted = str(link.payload["email"]), str(link.payload["instead"])
    if own.person.email not in (old, wanted):
        raise Conflict("link_expired")
    taken_back = own.person.email == wanted
    if taken_back:
        _write_email(session, own.person, old, now)
    own.user.must_reset_password = True
    dead = (LinkPurpose.CHANGE_EMAIL, LinkPurpose.CHANGE_PHONE, LinkPurpose.RESET_PASSWORD)
    revoke_links(session, *dead, user_id=own.user.id, now=now)
    end_sessions(session, own.user.id, now=now)
    after = {"taken_back": taken_back}
    audit(session, "user.email_kept", "user", own.user.id, actor=identity.actor, now=now, after=after)
    return Confirmed(own.user.id, old, changed=taken_back)


def cancel_email_change(session: TenantSession, *, actor: Actor, now: datetime) -> None:
    """The actor thinks better of it."""
    require(actor, Permission.PROFILE_EDIT)
    own = load_own(session, actor)
    revoke_links(session, LinkPurpose.CHANGE_EMAIL, user_id=own.user.id, now=now)
    audit(session, "user.email_change_cancelled", "user", own.user.id, actor=actor, now=now)


def refuse_too_many(session: TenantSession, purpose: LinkPurpose, user_id: UUID, *, now: datetime) -> None:
    """Raise Conflict `asked_too_often` where a day's messages of a purpose were sent already."""
    sent = session.scalar(
        select(func.count())
        .select_from(OneTimeLink)
        .where(
            OneTimeLink.user_id == user_id,
            OneTimeLink.purpose == purpose,
            OneTimeLink.created_at > now - timedelta(days=1),
        )
    )
    if (sent or 0) >= REQUESTS_A_DAY:
        raise Conflict("asked_too_often")


def _owner_of(session: TenantSession, link: OneTimeLink, origin: Origin) -> tuple[Own, Identity]:
    """Whose link it is, locked; nobody is signed in where links are followed."""
    user = session.get_one(User, link.user_id)
    identity = load_identity(session, user, origin)
    return load_own(session, identity.actor, lock=True), identity


def _write_email(session: TenantSession, person: Person, email: str, now: datetime) -> None:
    """Change the address; of two people who want the same one, one gets it."""
    try:
        with session.begin_nested():
            person.email, person.email_verified_at = email, now
    except IntegrityError:
        raise Conflict("email_taken") from None


def _ask_mailbox(post: Post, own: Own, wanted: str, link: IssuedLink) -> None:
    """The link goes to the new address; where that is somebody's already, only a word of warning does."""
    query = select(Person, User).outerjoin(User, User.person_id == Person.id)
    row = post.session.execute(query.where(Person.email == wanted, Person.id != own.person.id)).first()
    if row is None:
        post.mail(AccountMessage("confirm_email", CONFIRM_PATH, link), own.addressee(wanted))
        return
    person, user = row
    locale, zone = (user.locale, user.timezone) if user else (None, None)
    post.mail(AccountMessage("email_in_use"), Addressee(wanted, person.name, user.id if user else None, locale, zone))


def _tell_old_address(post: Post, template: str, to: Addressee, *, instead: str) -> None:
    link = issue_link(
        post.session,
        LinkPurpose.KEEP_EMAIL,
        user_id=to.user_id,
        vault=post.letterhead.vault,
        now=post.now,
        payload={"email": to.address, "instead": instead},
    )
    post.mail(AccountMessage(template, KEEP_PATH, link, facts=[(N_("New address"), instead)]), to)
