"""Pages of one's own account as tests walk them: people with rows of their own, and the secrets in their messages."""

import re
from typing import Any

from sqlalchemy import delete, select, update

from portal.models import (
    Address,
    ApiKey,
    Avatar,
    MailMessage,
    OneTimeLink,
    Person,
    SignInLock,
    User,
)
from portal.models.session import TenantSessions
from portal.services.accounts.messages import reveal
from tests.conftest import CHEAP
from tests.world import PASSWORD, World


class Backstage:
    """What the database holds, and putting back what a test changed."""

    def __init__(self, app: Any, world: World) -> None:
        self.sessions = TenantSessions(app.extensions["portal_engine"])
        self.vault = app.extensions["portal_vault"]
        self.world = world

    def begin(self) -> Any:
        """A transaction of tenant demo."""
        return self.sessions.begin(self.world.demo)

    def person(self, name: str) -> tuple[User, Person]:
        """Somebody's rows as they are now."""
        with self.begin() as session:
            query = select(User, Person).join(Person, Person.id == User.person_id)
            return session.execute(query.where(User.id == self.world.people[name].user_id)).one()  # type: ignore[no-any-return]

    def change(self, model: Any, name: str, **values: Any) -> None:
        """Write into somebody's User or Person."""
        user, person = self.person(name)
        with self.begin() as session:
            row = user if model is User else person
            session.execute(update(model).where(model.id == row.id).values(**values))

    def secret(self, template: str, recipient: str) -> str:
        """The token or code in the newest message of a kind."""
        with self.begin() as session:
            query = select(MailMessage).where(MailMessage.template == template, MailMessage.recipient == recipient)
            mail = session.scalars(query.order_by(MailMessage.created_at.desc())).first()
            assert mail is not None, f"no {template} to {recipient}"
            text = reveal(mail.text, session.get(OneTimeLink, mail.link_id), self.vault)
        found = re.search(r"/portal/account/[a-z-]+/([\w-]{43})|\b(\d{6})\b", text)
        assert found, text
        return found[1] or found[2]

    def kinds(self, recipient: str) -> list[str]:
        """What messages about the account somebody got, oldest first."""
        with self.begin() as session:
            wanted = (MailMessage.recipient == recipient, MailMessage.template.in_(_OURS))
            query = select(MailMessage.template).where(*wanted)
            return list(session.scalars(query.order_by(MailMessage.created_at)))

    def put_back(self) -> None:
        """Everybody as the world was built."""
        with self.begin() as session:
            for model in (ApiKey, Avatar, Address, SignInLock):
                session.execute(delete(model))
            session.execute(delete(MailMessage).where(MailMessage.template.in_(_OURS)))
            session.execute(update(MailMessage).values(link_id=None))
            session.execute(delete(OneTimeLink))
            for found in self.world.people.values():
                if found.actor.tenant_id != self.world.demo:
                    continue
                user = session.get_one(User, found.user_id)
                user.locale, user.theme, user.timezone, user.mail_preferences = None, "system", None, {}
                user.must_reset_password = False
                if not CHEAP.matches(PASSWORD, user.password_hash):
                    user.password_hash = CHEAP.hash(PASSWORD)
                person = session.get_one(Person, user.person_id)
                person.name, person.email, person.title = found.name, found.email, None
                person.phone = person.date_of_birth = person.email_verified_at = person.phone_verified_at = None


_OURS = [
    "confirm_email",
    "email_change_requested",
    "email_changed",
    "email_in_use",
    "phone_code",
    "phone_changed",
    "phone_removed",
    "password_changed",
    "api_key_created",
]
