"""By which way somebody is told of a sign-in from a new device: by mail, by text message or by both (AUTH-19)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select

from portal.authz import Actor, Permission, require
from portal.errors import invalid
from portal.events import audit
from portal.models import LinkPurpose, MailChannel, MailMessage, OneTimeLink, Person, User
from portal.models.session import TenantSession
from portal.services.accounts.own import load_own

SETTING = "new_device"
# Text messages cost money and a browser names itself as it likes; what is beyond goes by mail.
TEXTS_PER_DAY = 5


class NoticeWay(StrEnum):
    """How a new device is told."""

    MAIL = "mail"
    TEXT = "text"
    BOTH = "both"


@dataclass(frozen=True)
class NoticeChoice:
    """What somebody has chosen, and the proven number that text messages go to (None: there is none)."""

    way: NoticeWay
    phone: str | None


@dataclass(frozen=True)
class NoticePlan:
    """What one notice goes out by; at least one of both."""

    mail: bool
    phone: str | None


def read_notice_choice(session: TenantSession, *, actor: Actor) -> NoticeChoice:
    """The actor's own choice; one statement. Raises Forbidden, and NotFound for actors without a login."""
    require(actor, Permission.PREFERENCES_EDIT)
    own = load_own(session, actor)
    return NoticeChoice(_stored(own.user), _proven(own.person))


def save_notice_choice(session: TenantSession, way: str, *, actor: Actor, now: datetime) -> NoticeChoice:
    """Choose how the actor's own login is told of new devices.

    Raises Invalid about `new_device`: `unknown_choice`, and `phone_not_proven` for text messages to nobody's number.
    """
    require(actor, Permission.PREFERENCES_EDIT)
    if way not in set(NoticeWay):
        raise invalid(SETTING, "unknown_choice")
    # With a lock: the number is not taken away between the question and the answer.
    own = load_own(session, actor, lock=True)
    chosen, before, phone = NoticeWay(way), _stored(own.user), _proven(own.person)
    if chosen is not NoticeWay.MAIL and phone is None:
        raise invalid(SETTING, "phone_not_proven")
    if chosen is not before:
        own.user.mail_preferences = {**own.user.mail_preferences, SETTING: chosen.value}
        audit(
            session,
            "user.device_notice_saved",
            "user",
            own.user.id,
            actor=actor,
            now=now,
            before={SETTING: before},
            after={SETTING: chosen},
        )
    return NoticeChoice(chosen, phone)


def plan_notice(session: TenantSession, user: User, *, now: datetime) -> NoticePlan:
    """How a login is told now: by mail wherever a text message cannot, or may not any more today, go out."""
    way = _stored(user)
    person = session.scalar(select(Person).where(Person.id == user.person_id)) if way is not NoticeWay.MAIL else None
    phone = _proven(person) if person is not None else None
    if phone is None or _texts_today(session, user.id, now) >= TEXTS_PER_DAY:
        return NoticePlan(mail=True, phone=None)
    return NoticePlan(mail=way is NoticeWay.BOTH, phone=phone)


def _stored(user: User) -> NoticeWay:
    found = user.mail_preferences.get(SETTING)
    return NoticeWay(found) if found in set(NoticeWay) else NoticeWay.MAIL


def _proven(person: Person) -> str | None:
    return person.phone if person.phone_verified_at is not None else None


def _texts_today(session: TenantSession, user_id: UUID, now: datetime) -> int:
    query = (
        select(func.count())
        .select_from(MailMessage)
        .join(OneTimeLink, OneTimeLink.id == MailMessage.link_id)
        .where(
            OneTimeLink.user_id == user_id,
            OneTimeLink.purpose == LinkPurpose.DISOWN_DEVICE,
            MailMessage.channel == MailChannel.SMS,
            MailMessage.created_at > now - timedelta(days=1),
        )
    )
    return session.scalar(query) or 0
