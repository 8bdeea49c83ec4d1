"""A person's own profile (H9.1): read with all that the page shows, and changed but for mail address and phone.

Those two have to be proved first: `contact_change.py`, `phone_change.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid, NotFound
from portal.events import audit
from portal.lib.text import clean_text, has_forbidden_characters
from portal.lib.timezones import is_timezone
from portal.models import Address, Avatar, Person, User
from portal.models.session import TenantSession
from portal.services.accounts.completeness import Completeness, Piece, measure_completeness
from portal.services.accounts.own import Own, load_own
from portal.services.accounts.preferences import THEMES

NAME_LENGTH = 100
TITLE_LENGTH = 80
EARLIEST_BIRTH = date(1900, 1, 1)


@dataclass(frozen=True)
class Profile:
    """A person with the login; `has_address` and `address_verified` are about the primary address."""

    user: User
    person: Person
    picture: bytes | None
    has_address: bool
    address_verified: bool

    @property
    def completeness(self) -> Completeness:
        """What is there and what is missing."""
        present = {
            Piece.NAME: bool(self.person.name),
            Piece.EMAIL_VERIFIED: self.person.email_verified_at is not None,
            Piece.PHONE_VERIFIED: bool(self.person.phone) and self.person.phone_verified_at is not None,
            Piece.TITLE: bool(self.person.title),
            Piece.ADDRESS: self.has_address,
            Piece.PICTURE: self.picture is not None,
        }
        return measure_completeness(frozenset(piece for piece, there in present.items() if there))


@dataclass(frozen=True)
class ProfileChange:
    """The whole profile as it shall be."""

    name: str
    title: str | None
    date_of_birth: date | None
    locale: str | None
    timezone: str | None
    theme: str

    @classmethod
    def of(cls, own: "Own | Profile") -> "ProfileChange":
        """The profile as it is."""
        person, user = own.person, own.user
        return cls(person.name, person.title, person.date_of_birth, user.locale, user.timezone, user.theme)


def get_profile(session: TenantSession, *, actor: Actor) -> Profile:
    """The actor's own profile; `picture` is the fingerprint of the picture. One statement."""
    require(actor, Permission.PROFILE_EDIT)
    primary = (Address.person_id == Person.id, Address.is_primary)
    row = session.execute(
        select(
            User,
            Person,
            select(Avatar.sha256).where(Avatar.person_id == Person.id).correlate(Person).scalar_subquery(),
            exists().where(*primary).correlate(Person),
            exists().where(*primary, Address.verified_at.is_not(None)).correlate(Person),
        )
        .join(Person, Person.id == User.person_id)
        .where(User.id == actor.user_id)
    ).first()
    if row is None:
        raise NotFound("user")
    return Profile(*row)


def save_profile(
    session: TenantSession, wanted: ProfileChange, *, locales: Sequence[str], actor: Actor, now: datetime
) -> Own:
    """Make the actor's profile what is wanted. Raises Invalid with an error per field."""
    require(actor, Permission.PROFILE_EDIT)
    own = load_own(session, actor, lock=True)
    before = ProfileChange.of(own)
    checked = _checked(wanted, before, locales, now.date())
    changed = [field.name for field in fields(checked) if getattr(checked, field.name) != getattr(before, field.name)]
    if not changed:
        return own
    own.person.name, own.person.title, own.person.date_of_birth = checked.name, checked.title, checked.date_of_birth
    own.user.locale, own.user.timezone, own.user.theme = checked.locale, checked.timezone, checked.theme
    audit(
        session,
        "user.profile_saved",
        "user",
        own.user.id,
        actor=actor,
        now=now,
        before=_told(before, changed),
        after=_told(checked, changed) | {"changed": changed},
    )
    return own


def _told(profile: ProfileChange, changed: Sequence[str]) -> dict[str, Any]:
    """What an auditor may see; of name, title and birthday only that they changed."""
    return {name: getattr(profile, name) for name in ("locale", "timezone", "theme") if name in changed}


def _checked(wanted: ProfileChange, before: ProfileChange, locales: Sequence[str], today: date) -> ProfileChange:
    errors: list[FieldError] = []
    name = _line("name", wanted.name, NAME_LENGTH, errors)
    title = _line("title", wanted.title or "", TITLE_LENGTH, errors)
    if not name:
        errors.append(FieldError("name", "required"))
    born = wanted.date_of_birth
    if born is not None and not EARLIEST_BIRTH <= born < today:
        errors.append(FieldError("date_of_birth", "birth_invalid"))
    # What was chosen once stays, even where the tenant offers it no longer.
    if wanted.locale not in (before.locale, None, *locales):
        errors.append(FieldError("locale", "unknown_choice"))
    if wanted.timezone not in (before.timezone, None) and not is_timezone(wanted.timezone or ""):
        errors.append(FieldError("timezone", "timezone_unknown"))
    if wanted.theme not in THEMES:
        errors.append(FieldError("theme", "unknown_choice"))
    if errors:
        raise Invalid(*errors)
    return ProfileChange(name, title or None, born, wanted.locale, wanted.timezone, wanted.theme)


def _line(field: str, text: str, limit: int, errors: list[FieldError]) -> str:
    """One line of text; what is wrong with it goes to `errors`."""
    line = " ".join(clean_text(text).split())
    if has_forbidden_characters(line):
        errors.append(FieldError(field, "characters_forbidden"))
    elif len(line) > limit:
        errors.append(FieldError(field, "too_long", (("limit", limit),)))
    return line


def own_person_id(session: TenantSession, actor: Actor) -> UUID:
    """The id of the person behind an actor; raises NotFound."""
    found = session.scalar(select(User.person_id).where(User.id == actor.user_id))
    if found is None:
        raise NotFound("user")
    return found
