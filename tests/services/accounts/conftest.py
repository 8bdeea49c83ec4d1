"""Links and mails of a test's own session."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from portal.events.messages import MessageQueued
from portal.lib.vault import Vault
from portal.models import MailMessage, OneTimeLink, OutboxEvent
from portal.models.session import TenantSession
from portal.services.accounts.recovery import Site
from portal.services.tenants.directory import TenantDirectory, TenantProfile
from tests.posting import BASE_URL, KINDS, answer


@pytest.fixture
def vault() -> Vault:
    return Vault(["a secret of the tests' own vault, long enough"])


@pytest.fixture
def tenant(engine: Any) -> TenantProfile:
    found = TenantDirectory(engine).by_host("127.0.0.1")
    assert found is not None
    return found


@pytest.fixture
def site(tenant: TenantProfile) -> Site:
    return Site(tenant, BASE_URL)


@pytest.fixture
def answered(session: TenantSession, vault: Vault, now: Any) -> Callable[..., list[MailMessage]]:
    """Answer the events of this test, and give its mails in their order."""

    def new(kinds: Any, before: frozenset[Any] = frozenset()) -> list[OutboxEvent]:
        events = session.scalars(select(OutboxEvent).where(OutboxEvent.kind.in_(kinds)).order_by(OutboxEvent.seq))
        return [event for event in events if event.id not in before]

    queued = (MessageQueued.kind,)
    before = frozenset(event.id for event in new((*KINDS, *queued)))

    def work(at: Any = None) -> list[MailMessage]:
        for event in new(KINDS, before):
            answer(session, event, vault, at or now)
        session.flush()
        found = [session.get(MailMessage, event.record_id) for event in new(queued, before)]
        return [mail for mail in found if mail is not None]

    return work


@pytest.fixture
def token_of(session: TenantSession, vault: Vault) -> Callable[[MailMessage], str]:
    """The secret that goes into a mail when it leaves."""

    def find(mail: MailMessage) -> str:
        link = session.get(OneTimeLink, mail.link_id)
        assert link is not None
        return vault.link_token(link.id, link.token_hash)

    return find
