"""Links and mails of a test's own session; somebody at work on their own factors; what messages need."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from portal.events.messages import MessageQueued
from portal.lib.vault import Vault
from portal.models import MailMessage, OneTimeLink, OutboxEvent, Tenant, User
from portal.models.session import TenantSession
from portal.services.accounts.delivery import Delivery
from portal.services.accounts.factor_changes import OwnFactors, begin_totp, confirm_totp
from portal.services.accounts.recovery import Site
from portal.services.accounts.sessions import Origin, load_identity, start_session
from portal.services.tenants.directory import TenantDirectory, TenantProfile, load_profile
from portal.services.tenants.sign_in_policy import SecondFactor, SignInPolicy
from tests.authenticators import code_of
from tests.posting import BASE_URL, KINDS, answer
from tests.world import World

ORIGIN = Origin("192.0.2.7", "Test/1.0", "request-1")
VAULT = Vault(["a secret of the tests"])


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


@pytest.fixture
def own(session, world, now):
    """OwnFactors of a person by name, in a session of theirs; `required` has the tenant require a factor."""

    def make(name="bob", required=False):
        user = session.scalars(select(User).where(User.id == world.people[name].user_id)).one()
        door = "admin" if world.people[name].actor.is_staff else "portal"
        start_session(session, user, door=door, method="password", factor=False, device_id=None, origin=ORIGIN, now=now)
        session.flush()
        tenant = TenantProfile(
            id=world.demo,
            slug="demo",
            name="Kestrel IT",
            locale="en",
            locales=("en", "de"),
            timezone="Europe/Paris",
            support_email="help@demo.example",
            support_phone="",
            postal_address="",
            primary_host="demo.localhost",
            sign_in=SignInPolicy(second_factor=SecondFactor.EVERYBODY if required else SecondFactor.OPTIONAL),
        )
        held = newest_session(session, user.id)
        return OwnFactors(load_identity(session, user, ORIGIN), tenant, "http://demo.localhost:8000", held.id)

    return make


def newest_session(session, user_id):
    from portal.models import AuthSession

    query = select(AuthSession).where(AuthSession.user_id == user_id).order_by(AuthSession.created_at.desc())
    return session.scalars(query.execution_options(populate_existing=True)).all()[0]


@pytest.fixture
def enrolled(session, now, own):
    """Somebody with a confirmed authenticator: (OwnFactors, secret, recovery codes)."""

    def make(name="bob", required=False):
        mine = own(name, required)
        secret = begin_totp(session, mine, vault=VAULT, now=now).secret
        codes = confirm_totp(session, mine, code_of(secret, now), vault=VAULT, now=now)
        assert codes is not None
        return mine, secret, codes

    return make


@pytest.fixture
def delivery(engine: Any, world: World, session: TenantSession) -> Delivery:
    """Vault, tenant `demo` and its address."""
    query = select(Tenant).where(Tenant.id == world.demo).execution_options(all_tenants=True)
    tenant = load_profile(session, session.scalars(query).one())
    return Delivery(Vault(["a secret for the tests, long enough to be one"]), tenant, "http://127.0.0.1:8000")
