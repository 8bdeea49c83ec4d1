"""Every other way in meets a provider that is the only one: it proves what it proves, and opens nothing."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.blueprints.accounts import second_step
from portal.models import AuditEntry, AuthSession, IdentityProvider, User
from tests.browsing import csrf_token
from tests.invited import NEW_PASSWORD

TOLD = "signs in through Acme sign-in"


def send(one, path, **form):
    data = {"csrf_token": csrf_token(one.get("/portal/login")), **form}
    return one.client.post(path, base_url=f"http://{one.host}", data=data)


def sessions_of(real, world, user_id):
    with real.begin(world.demo) as session:
        return len(session.scalars(select(AuthSession.id).where(AuthSession.user_id == user_id)).all())


@pytest.fixture
def with_passkey(real, world, monkeypatch):
    """Whatever the browser answers is bob's own passkey."""

    def take(session, *_args, **_options):
        return session.get(User, world.people["bob"].user_id)

    monkeypatch.setattr(second_step, "take_answer", take)
    monkeypatch.setattr(second_step, "take_token", lambda: "x")


def test_a_passkey(configure, traveller, real, world, with_passkey):
    """Without the requirement the same passkey opens, so that it is what refuses."""
    bob = world.people["bob"].user_id
    provider_id = configure(required=True)
    before = sessions_of(real, world, bob)
    # Browsers have passkeys for names only.
    one = traveller(host="localhost")
    answer = send(one, "/portal/login/passkey", credential="{}")
    assert (answer.status_code, TOLD in answer.get_data(as_text=True)) == (401, True)
    assert not one.is_in()
    assert sessions_of(real, world, bob) == before
    with real.begin(world.demo) as session:
        refused = AuditEntry.request_id == answer.headers["X-Request-Id"]
        (entry,) = session.scalars(select(AuditEntry).where(refused))
        assert (entry.action, entry.record_id) == ("user.sign_in_refused", bob)
        session.get(IdentityProvider, provider_id).required = False
    other = traveller(host="localhost")
    assert send(other, "/portal/login/passkey", credential="{}").status_code == 303
    assert other.is_in()


def test_an_invitation_makes_the_account_and_the_provider_opens_it(configure, traveller, provider, letters):
    configure(required=True)
    email = letters.address()
    token = letters.token(letters.invite("alice", datetime.now(UTC), email=email))
    one = traveller()
    answer = send(one, f"/portal/join/{token}", name="Nina New", password=NEW_PASSWORD)
    assert (answer.status_code, TOLD in answer.get_data(as_text=True)) == (401, True)
    assert not one.is_in()
    provider.subject, provider.person = f"subject of {email}", {"email": email, "email_verified": True}
    assert one.travel(email).status_code == 303
    assert one.is_in()


def test_somebody_who_was_invited_and_has_not_answered_does_not_come_in_yet(configure, traveller, provider, letters):
    configure()
    email = letters.address()
    letters.invite("alice", datetime.now(UTC), email=email)
    provider.subject, provider.person = f"subject of {email}", {"email": email, "email_verified": True}
    one = traveller()
    assert one.travel(email).status_code == 401
    assert not one.is_in()
