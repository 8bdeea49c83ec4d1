"""A database of its own for tests that really commit, so that nobody else meets what they leave."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from portal.authz import Actor
from portal.models.session import TenantSession, TenantSessions, build_engine, normalise_url
from portal.services.accounts.delivery import Delivery
from tests.conftest import CHEAP
from tests.services.accounts.account_world import letterhead
from tests.together import at_once
from tests.world import build_world


class Stage:
    """A world of its own, and transactions that stay; `crowd` is how many connections it has."""

    def __init__(self, database: Any, name: str, *, now: datetime, crowd: int) -> None:
        database.create_database(name, template="template")
        owner = create_engine(normalise_url(database.owner_url(name)), poolclass=NullPool)
        self.world = build_world(owner, CHEAP, now=now)
        owner.dispose()
        self.engine = build_engine(database.app_url(name), pool_size=crowd)
        self.sessions = TenantSessions(self.engine)
        self.head = letterhead(self.world.demo)
        self.delivery = Delivery(self.head.vault, self.head.tenant, self.head.base_url)

    def begin(self) -> AbstractContextManager[TenantSession]:
        """A transaction of tenant demo."""
        return self.sessions.begin(self.world.demo)

    def actor(self, name: str) -> Actor:
        """Somebody of this world."""
        return self.world.people[name].actor

    def all_at_once(self, count: int, act: Callable[[TenantSession, int], Any]) -> list[Any]:
        """Each in a transaction of its own."""

        def run(index: int) -> Any:
            with self.begin() as session:
                return act(session, index)

        return at_once(count, run)
