"""Somebody at work on their own factors."""

import pytest
from sqlalchemy import select

from portal.lib.vault import Vault
from portal.models import User
from portal.services.accounts.factor_changes import OwnFactors, begin_totp, confirm_totp
from portal.services.accounts.sessions import Origin, load_identity, start_session
from portal.services.tenants.directory import TenantProfile
from portal.services.tenants.sign_in_policy import SecondFactor, SignInPolicy
from tests.authenticators import code_of

ORIGIN = Origin("192.0.2.7", "Test/1.0", "request-1")
VAULT = Vault(["a secret of the tests"])


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
