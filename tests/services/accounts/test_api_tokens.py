import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from portal.errors import Unauthenticated
from portal.services.accounts.api_tokens import (
    TokenSigner,
    issue_tokens,
    load_token_identity,
    refresh_tokens,
    revoke_tokens,
)
from portal.services.accounts.identity import find_login
from portal.services.accounts.sessions import Origin

ORIGIN = Origin("127.0.0.1", "Test/1.0")
SIGNER = TokenSigner("a secret for tests")


def issue(session, now, identifier="bob@acme.example"):
    user = find_login(session, identifier, None)
    return issue_tokens(session, user, factor=False, signer=SIGNER, origin=ORIGIN, now=now)


def test_an_access_token_stands_for_its_login(session, world, now, actor_of):
    pair = issue(session, now)
    family = SIGNER.read(pair.access_token, tenant_id=world.demo, now=now)
    assert load_token_identity(session, family, ORIGIN).actor.user_id == actor_of("bob").user_id


def test_it_lives_fifteen_minutes(session, world, now):
    pair = issue(session, now)
    assert SIGNER.read(pair.access_token, tenant_id=world.demo, now=now + timedelta(minutes=14, seconds=59))
    with pytest.raises(Unauthenticated):
        SIGNER.read(pair.access_token, tenant_id=world.demo, now=now + timedelta(minutes=15))


def test_it_is_of_one_tenant(session, world, now):
    pair = issue(session, now)
    with pytest.raises(Unauthenticated):
        SIGNER.read(pair.access_token, tenant_id=world.nova, now=now)


@pytest.mark.parametrize("make", [
    lambda token: token[:-3] + "abc",
    lambda token: "",
    lambda token: "a.b.c",
    lambda token: token.split(".")[0] + "..",
    lambda token: jwt.encode(
        {"alg": "HS256", "typ": "at+jwt"},
        {"iss": "portico", "tid": "x", "fid": str(uuid4()), "exp": 9_999_999_999},
        OctKey.import_key("k" * 32),
    ),
])  # fmt: skip
def test_forged_tokens_are_refused(session, world, now, make):
    pair = issue(session, now)
    with pytest.raises(Unauthenticated):
        SIGNER.read(make(pair.access_token), tenant_id=world.demo, now=now)


def test_a_refresh_token_is_used_once_and_reuse_ends_the_family(session, world, now):
    first = issue(session, now)
    second = refresh_tokens(session, first.refresh_token, signer=SIGNER, now=now)
    assert second is not None
    assert refresh_tokens(session, first.refresh_token, signer=SIGNER, now=now) is None
    with pytest.raises(Unauthenticated):
        refresh_tokens(session, second.refresh_token, signer=SIGNER, now=now)
    family = SIGNER.read(second.access_token, tenant_id=world.demo, now=now)
    with pytest.raises(Unauthenticated):
        load_token_identity(session, family, ORIGIN)


def test_an_expired_refresh_token_is_refused(session, now):
    pair = issue(session, now)
    with pytest.raises(Unauthenticated):
        refresh_tokens(session, pair.refresh_token, signer=SIGNER, now=now + timedelta(days=30))


def test_revoking_acts_at_once(session, world, now):
    pair = issue(session, now)
    revoke_tokens(session, pair.refresh_token, now=now)
    revoke_tokens(session, "unknown", now=now)
    family = SIGNER.read(pair.access_token, tenant_id=world.demo, now=now)
    with pytest.raises(Unauthenticated):
        load_token_identity(session, family, ORIGIN)


def test_among_racing_exchanges_one_wins(sessions, world, now):
    with sessions.begin(world.demo) as session:
        pair = issue(session, now)
    won, barrier = [], threading.Barrier(4)

    def race():
        barrier.wait()
        with sessions.begin(world.demo) as session:
            won.append(refresh_tokens(session, pair.refresh_token, signer=SIGNER, now=now))

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(1 for pair in won if pair) == 1
