"""The login and the person behind an actor, and what their mails are written with."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.authz import Actor
from portal.errors import NotFound
from portal.lib.vault import Vault
from portal.models import Person, User
from portal.models.session import TenantSession
from portal.services.accounts.messages import AccountMessage, Addressee, queue_mail, queue_text
from portal.services.tenants.directory import TenantProfile


@dataclass(frozen=True)
class Letterhead:
    """What goes on every mail about an account: whose portal it is, where it is reached, the maker of secrets."""

    tenant: TenantProfile
    base_url: str
    vault: Vault


@dataclass(frozen=True)
class Post:
    """What one change of an account has to say, and to whom; written in the change's own transaction."""

    session: TenantSession
    letterhead: Letterhead
    actor: Actor
    now: datetime

    def mail(self, message: AccountMessage, to: Addressee) -> None:
        """Queue a mail."""
        head = self.letterhead
        queue_mail(
            self.session, message, to, tenant=head.tenant, base_url=head.base_url, actor=self.actor, now=self.now
        )

    def text(self, message: AccountMessage, to: Addressee) -> None:
        """Queue a text message."""
        head = self.letterhead
        queue_text(
            self.session, message, to, tenant=head.tenant, base_url=head.base_url, actor=self.actor, now=self.now
        )


@dataclass(frozen=True)
class Own:
    """Somebody's own rows."""

    user: User
    person: Person

    def addressee(self, address: str | None = None) -> Addressee:
        """Where mails go: to the person's address, or to another one of theirs."""
        user = self.user
        return Addressee(address or self.person.email, self.person.name, user.id, user.locale, user.timezone)


def load_own(session: TenantSession, actor: Actor, *, lock: bool = False) -> Own:
    """The actor's login and person, as they are now; with `lock` nobody else changes them meanwhile.

    Raises NotFound for actors without a login (the system).
    """
    query = select(User, Person).join(Person, Person.id == User.person_id).where(User.id == actor.user_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = session.execute(query).first()
    if row is None:
        raise NotFound("user")
    return Own(*row)
