"""How a person wants to see the portal: language, theme, which mails."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import NotFound, invalid
from portal.events import audit
from portal.models import User
from portal.models.session import TenantSession

THEMES = ("system", "light", "dark", "contrast")


def save_preferences(
    session: TenantSession,
    *,
    locale: str | None = None,
    theme: str | None = None,
    shortcuts: bool | None = None,
    locales: Sequence[str],
    actor: Actor,
    now: datetime,
) -> User:
    """Store language, theme and whether keys act for the actor's login; None leaves one as it is. Raises Invalid."""
    require(actor, Permission.PREFERENCES_EDIT)
    user = session.scalar(select(User).where(User.id == actor.user_id))
    if user is None:
        raise NotFound("user")
    before = {"locale": user.locale, "theme": user.theme, "shortcuts": user.shortcuts}
    if locale is not None:
        if locale not in locales:
            raise invalid("locale", "unknown_choice")
        user.locale = locale
    if theme is not None:
        if theme not in THEMES:
            raise invalid("theme", "unknown_choice")
        user.theme = theme
    if shortcuts is not None:
        user.shortcuts = shortcuts
    after = {"locale": user.locale, "theme": user.theme, "shortcuts": user.shortcuts}
    if after != before:
        audit(session, "user.preferences_saved", "user", user.id, actor=actor, now=now, before=before, after=after)
    return user


def save_mail_preferences(session: TenantSession, *, tickets: bool, actor: Actor, now: datetime) -> User:
    """Switch the mails about tickets on or off for the actor's own login."""
    require(actor, Permission.PREFERENCES_EDIT)
    user = session.scalar(select(User).where(User.id == actor.user_id))
    if user is None:
        raise NotFound("user")
    before = dict(user.mail_preferences)
    user.mail_preferences = before | {"tickets": tickets}
    audit(
        session,
        "user.mail_preferences_saved",
        "user",
        user.id,
        actor=actor,
        now=now,
        before=before,
        after=user.mail_preferences,
    )
    return user
