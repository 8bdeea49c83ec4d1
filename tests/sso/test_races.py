"""What counts once counts once, also for thirty at a time; and what is short-lived does not pile up."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from portal.errors import Conflict, Unauthenticated
from portal.integrations.oidc import Departure
from portal.integrations.oidc_claims import Subject
from portal.lib.clock import utcnow
from portal.models import (
    ExternalIdentity,
    LinkPurpose,
    Membership,
    OneTimeLink,
    Person,
    SignInChallenge,
    SsoAttempt,
    User,
)
from portal.services.accounts.expiry import AT_ONCE
from portal.services.accounts.one_time import issue_link
from portal.services.accounts.sign_in import open_challenge
from portal.services.accounts.sso.flow import arrive, find_way, note_departure
from portal.services.accounts.sso.recognition import recognise

MANY = 30
SITE = "http://127.0.0.1:8000"


@pytest.fixture
def vault(app):
    return app.extensions["portal_vault"]


def together(run, count=MANY):
    """What each of many gives back or raises, all let go at once."""
    ready, results = threading.Barrier(count), []

    def go(index):
        ready.wait(10)
        try:
            results.append(run(index))
        except (Conflict, Unauthenticated) as error:
            results.append(error.code)

    threads = [threading.Thread(target=go, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == count
    return results


def test_one_of_many_returns_wins(real, world, configure, vault):
    provider_id, now = configure(), utcnow()
    with real.begin(world.demo) as session:
        way = find_way(session, provider_id, door="portal", site=SITE, vault=vault)
        leaving = Departure("https://provider.example", "the state", "nonce", "verifier")
        note_departure(session, way, leaving, door="portal", next_path="", vault=vault, now=now)

    def come_back(_):
        with real.begin(world.demo) as session:
            return arrive(session, "the state", door="portal", site=SITE, vault=vault, now=now).verifier

    results = together(come_back)
    assert sorted(results) == ["sso_expired"] * (MANY - 1) + ["verifier"]


def proved(provider, subject, email):
    return Subject(provider.issuer, provider.client_id, subject, email, "Rita Race")


def test_a_new_subject_many_times_at_once_is_one_login_and_one_link(real, world, configure, provider):
    provider_id = configure("customer", "acme")
    who = proved(provider, "rita's subject", "rita@acme.example")

    def sign_in(_):
        with real.begin(world.demo) as session:
            return recognise(session, provider_id, who, now=utcnow()).id

    assert len(set(together(sign_in))) == 1
    with real.begin(world.demo) as session:
        (person,) = session.scalars(select(Person).where(Person.email == "rita@acme.example"))
        (user,) = session.scalars(select(User).where(User.person_id == person.id))
        assert len(session.scalars(select(Membership).where(Membership.user_id == user.id)).all()) == 1
        assert len(session.scalars(select(ExternalIdentity)).all()) == 1


def test_many_subjects_with_one_address_link_once(real, world, configure, provider):
    provider_id = configure()

    def sign_in(index):
        with real.begin(world.demo) as session:
            who = proved(provider, f"subject {index}", "bob@acme.example")
            return recognise(session, provider_id, who, now=utcnow()).id

    results = together(sign_in)
    assert results.count("sso_taken") == MANY - 1
    assert results.count(world.people["bob"].user_id) == 1


def old_rows(real, world, make, table, count):
    """Rows whose time was over two days ago, and one that ended an hour ago."""
    now = utcnow()
    with real.begin(world.demo) as session:
        for index in range(count):
            session.add(make(f"old {index}", now - timedelta(days=2)))
        session.add(make("recent", now - timedelta(hours=1)))
    return select(func.count()).select_from(table).where(table.expires_at < now - timedelta(days=1))


def count(real, world, query):
    with real.begin(world.demo) as session:
        return session.scalar(query)


def test_trips_of_the_day_before_yesterday_are_forgotten_a_few_at_a_time(real, world, configure, vault):
    provider_id = configure()

    def attempt(name, end):
        return SsoAttempt(
            state_hash=name.encode().ljust(32, b"."),
            provider_id=provider_id,
            door="portal",
            nonce="n",
            verifier=b"v",
            expires_at=end,
        )

    query = old_rows(real, world, attempt, SsoAttempt, AT_ONCE + 5)
    for left in (5, 0):
        with real.begin(world.demo) as session:
            way = find_way(session, provider_id, door="portal", site=SITE, vault=vault)
            leaving = Departure("https://provider.example", uuid4().hex, "nonce", "verifier")
            note_departure(session, way, leaving, door="portal", next_path="", vault=vault, now=utcnow())
        assert count(real, world, query) == left
    assert count(real, world, select(func.count()).select_from(SsoAttempt)) == 3


def test_so_are_challenges(real, world):
    user_id = world.people["bob"].user_id

    def challenge(name, end):
        return SignInChallenge(
            token_hash=name.encode().ljust(32, b"."),
            id=uuid4(),
            user_id=user_id,
            door="portal",
            method="password",
            expires_at=end,
        )

    query = old_rows(real, world, challenge, SignInChallenge, 3)
    with real.begin(world.demo) as session:
        open_challenge(session, session.get(User, user_id), door="portal", method="password", now=utcnow())
    assert count(real, world, query) == 0


def test_so_are_links(real, world, vault):
    user_id = world.people["bob"].user_id

    def link(name, end):
        return OneTimeLink(
            id=uuid4(),
            purpose=LinkPurpose.VERIFY_EMAIL,
            user_id=user_id,
            token_hash=name.encode().ljust(32, b"."),
            payload={},
            expires_at=end,
        )

    query = old_rows(real, world, link, OneTimeLink, 3)
    with real.begin(world.demo) as session:
        issue_link(session, LinkPurpose.VERIFY_EMAIL, user_id=user_id, vault=vault, now=utcnow())
    assert count(real, world, query) == 0


def test_another_tenant_s_old_rows_are_theirs(real, world, configure, vault):
    provider_id = configure(tenant=world.nova, domains=())
    with real.begin(world.nova) as session:
        session.add(
            SsoAttempt(
                state_hash=b"nova".ljust(32, b"."),
                provider_id=provider_id,
                door="portal",
                nonce="n",
                verifier=b"v",
                expires_at=utcnow() - timedelta(days=2),
            )
        )
    own = configure()
    with real.begin(world.demo) as session:
        way = find_way(session, own, door="portal", site=SITE, vault=vault)
        leaving = Departure("https://provider.example", uuid4().hex, "nonce", "verifier")
        note_departure(session, way, leaving, door="portal", next_path="", vault=vault, now=utcnow())
    with real.begin(world.nova) as session:
        assert session.scalar(select(func.count()).select_from(SsoAttempt)) == 1
