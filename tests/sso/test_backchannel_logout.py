"""Signed out at the provider, signed out here; and nobody else is by tokens that prove nothing (ASVS 7.6.1, 10.5.5)."""

import time
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from portal.errors import NotFound
from portal.integrations.oidc_logout import EVENT, Logout
from portal.lib.clock import utcnow
from portal.models import (
    AuditEntry,
    AuthSession,
    IdentityProvider,
    OutboxEvent,
    ProviderLogout,
    SignInChallenge,
    TotpFactor,
)
from portal.services.accounts.sessions import Origin
from portal.services.accounts.sso.logout import find_sender, take_logout
from portal.services.accounts.sso.providers import remove_provider
from tests.browsing import sign_in
from tests.sso.provider import CLIENT_ID, FIRST_KEY, SECRET, by_key, by_secret, forge, new_key
from tests.together import at_once, codes_of

ORIGIN = Origin("192.0.2.7", "Test/1.0", "request-1")
HEADER = {"alg": "RS256", "kid": "first", "typ": "logout+jwt"}
BASE = "http://127.0.0.1"


@pytest.fixture
def provider_id(configure, provider):
    provider.person = {"email": "bob@acme.example", "email_verified": True}
    return configure()


@pytest.fixture
def enter(provider_id, traveller, provider):
    """A browser of bob's, come in through the provider's session `sid`."""

    def run(sid="one"):
        provider.claims = {"sid": sid}
        browser = traveller()
        assert browser.travel().status_code == 303
        assert browser.is_in()
        return browser

    return run


@pytest.fixture
def token(provider):
    """A logout token that is right but for the changes; None takes a claim away."""

    def make(header=None, key=FIRST_KEY, **changes):
        present = int(time.time())
        right = {"iss": provider.issuer, "aud": CLIENT_ID, "iat": present, "exp": present + 120,
                 "jti": uuid4().hex, "events": {EVENT: {}}, "sid": "one"}  # fmt: skip
        claims = {name: value for name, value in (right | changes).items() if value is not None}
        return forge(header or HEADER, claims, by_key(key))

    return make


@pytest.fixture
def send(app, provider_id):
    def run(logout_token, *, to=None, base=BASE, **form):
        data = {"logout_token": logout_token, **form}
        return app.test_client().post(f"/portal/sso/{to or provider_id}/backchannel-logout", base_url=base, data=data)

    return run


def test_the_named_session_ends_and_no_other(enter, send, token, real, world):
    one, two = enter("one"), enter("two")
    answer = send(token(sid="one"))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert (one.is_in(), two.is_in()) == (False, True)
    with real.begin(world.demo) as session:
        bob = world.people["bob"].user_id
        trail = select(AuditEntry).where(AuditEntry.action == "user.sso_signed_out", AuditEntry.record_id == bob)
        entry = session.scalars(trail.order_by(AuditEntry.seq.desc())).first()
        assert (entry.after["sessions"], entry.actor_name) == (1, "Acme sign-in")
        # Open lines are looked at by what the relay says of this.
        told = select(OutboxEvent.id).where(OutboxEvent.kind == "user.sso_signed_out", OutboxEvent.record_id == bob)
        assert session.scalars(told).first() is not None


def test_a_subject_ends_everything_begun_through_the_provider(app, world, enter, send, token, provider):
    own = sign_in(app, world, "bob")
    browsers = [enter("one"), enter("two"), enter(None)]
    assert send(token(sub=provider.subject, sid=None)).status_code == 200
    assert [browser.is_in() for browser in browsers] == [False] * 3
    assert own.get("/portal/").status_code == 200, "by password: none of the provider's"


def test_both_together_end_the_one_and_what_has_no_name(enter, send, token, provider):
    one, two, nameless = enter("one"), enter("two"), enter(None)
    assert send(token(sub=provider.subject, sid="one")).status_code == 200
    assert (one.is_in(), two.is_in(), nameless.is_in()) == (False, True, False)


@pytest.mark.parametrize("named", [{"sid": "unknown"}, {"sub": "unknown", "sid": None}, {"sub": "unknown"}])
def test_whom_nobody_knows_nobody_ends(enter, send, token, named):
    one = enter("one")
    assert send(token(**named)).status_code == 200
    assert one.is_in()


CLAIMS = {
    "another issuer": {"iss": "https://other.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "somebody else"},
    "audiences without us": {"aud": ["one", "two"]},
    "no audience": {"aud": None},
    "an audience that is no text": {"aud": {"portal client": 1}},
    "no time": {"iat": None},
    "an old one": {"iat": int(time.time()) - 86_400},
    "of tomorrow": {"iat": int(time.time()) + 86_400},
    "a time as text": {"iat": "now"},
    "a flag for a time": {"iat": True},
    "no end": {"exp": None},
    "ended": {"exp": int(time.time()) - 86_400},
    "an end that is no number": {"exp": "later"},
    "no id": {"jti": None},
    "an id that is no text": {"jti": 7},
    "an empty id": {"jti": ""},
    "an endless id": {"jti": "x" * 256},
    "no event": {"events": None},
    "another event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "an event in a list": {"events": [EVENT]},
    "an event that is no object": {"events": {EVENT: True}},
    "a nonce": {"nonce": "x"},
    "an empty nonce": {"nonce": ""},
    "nobody named": {"sid": None},
    "a session that is no text": {"sid": ["one"]},
    "a subject that is no text": {"sub": 7},
    "a subject that cannot be stored": {"sub": "a\x00b"},
}
STRANGER = new_key("first")
TOKENS = {
    "untyped": {"header": {"alg": "RS256", "kid": "first"}},
    "typed as any token": {"header": HEADER | {"typ": "JWT"}},
    "typed as an access token": {"header": HEADER | {"typ": "at+jwt"}},
    "a type that is no text": {"header": HEADER | {"typ": ["logout+jwt"]}},
    "by a stranger's key of the same name": {"key": STRANGER},
    "by a key that it brings along": {"header": HEADER | {"jwk": STRANGER.as_dict(private=False)}, "key": STRANGER},
    "by a key of unknown name": {"header": HEADER | {"kid": "unknown"}},
    "with an extension that must be understood": {"header": HEADER | {"crit": ["odd"], "odd": 1}},
}


@pytest.mark.parametrize("changes", CLAIMS.values(), ids=CLAIMS)
def test_claims_that_do_not_hold(enter, send, token, changes):
    one = enter("one")
    answer = send(token(**changes))
    assert (answer.status_code, answer.get_json()) == (400, {"error": "invalid_request"})
    assert one.is_in()


@pytest.mark.parametrize("made", TOKENS.values(), ids=TOKENS)
def test_tokens_that_prove_nothing(enter, send, token, made):
    one = enter("one")
    assert send(token(**made)).status_code == 400
    assert one.is_in()


def test_forged_signatures(enter, send, token, provider):
    one, right = enter("one"), token()
    head, body, tail = right.split(".")
    present = int(time.time())
    claims = {"iss": provider.issuer, "aud": CLIENT_ID, "iat": present, "exp": present + 60, "jti": "j",
              "events": {EVENT: {}}, "sid": "one"}  # fmt: skip
    forged = [
        forge(HEADER | {"alg": "none"}, claims, lambda signed: b""),
        forge(HEADER | {"alg": "HS256"}, claims, by_secret(SECRET.encode())),
        forge(HEADER | {"alg": "HS256"}, claims, by_secret(FIRST_KEY.as_pem(private=False))),
        f"{head}.{body}.",
        f"{head}.{body}.{tail[:-8]}",
        f"{head}.{token(sub='x').split('.')[1]}.{tail}",
        forge(HEADER, [claims], by_key(FIRST_KEY)),
        "", "x", "a.b.c", "a.b.c.d.e", "x" * 20_000,
    ]  # fmt: skip
    assert [send(one_of).status_code for one_of in forged] == [400] * len(forged)
    assert one.is_in()
    assert send(right).status_code == 200
    assert not one.is_in()


def test_an_id_token_is_no_logout_token(enter, send, provider):
    one, seen = enter("one"), []
    provider.id_token = lambda claims: seen.append(provider.sign(claims)) or seen[-1]
    two = enter("two")
    assert send(seen[0]).status_code == 400
    assert one.is_in()
    assert two.is_in()


def test_forged_tokens_do_not_have_the_keys_asked_for_again_and_again(enter, send, token, provider):
    enter("one")
    before = provider.asked.count("/keys")
    for _ in range(10):
        assert send(token(key=STRANGER)).status_code == 400
    assert provider.asked.count("/keys") <= before + 1


def test_a_provider_that_is_away_is_not_said_to_lie(enter, send, token, provider, app):
    one = enter("one")
    app.extensions["portal_oidc"].forget()
    provider.answers["/keys"] = lambda handler: handler.json({}, 500)
    answer = send(token())
    assert (answer.status_code, answer.get_json()) == (503, {"error": "temporarily_unavailable"})
    assert one.is_in()


def test_a_token_counts_once(enter, send, token, provider, real, world, provider_id):
    enter("one")
    once = token(sub=provider.subject, sid=None)
    assert send(once).status_code == 200
    later = enter("two")
    assert send(once).status_code == 400
    assert later.is_in()
    with real.begin(world.demo) as session:
        query = select(func.count()).select_from(ProviderLogout).where(ProviderLogout.provider_id == provider_id)
        assert session.scalar(query) == 1


def test_twenty_at_once_count_once(enter, real, world, provider_id, provider):
    enter("one")
    with real.begin(world.demo) as session:
        sender = find_sender(session, provider_id)
    named = Logout(uuid4().hex, provider.subject, None, utcnow())

    def run(_):
        with real.begin(world.demo) as session:
            return take_logout(session, sender, named, origin=ORIGIN, now=utcnow())

    assert sorted(codes_of(at_once(20, run))) == ["logout_repeated"] * 19 + ["ok"]


def test_who_was_on_the_way_in_stays_out(enter, send, token, traveller, provider):
    enter("one")
    provider.claims = {"sid": "two"}
    browser = traveller()
    brought = provider.authorize(browser.leave())
    assert send(token(sid="two")).status_code == 200
    answer = browser.back(brought)
    assert answer.status_code == 401
    assert "signed out at your company" in answer.get_data(as_text=True)
    assert not browser.is_in()


def test_a_half_sign_in_ends_too(enter, send, token, traveller, provider, real, world):
    enter("one")
    bob = world.people["bob"].user_id
    with real.begin(world.demo) as session:
        session.add(TotpFactor(user_id=bob, secret=b"x", confirmed_at=utcnow()))
    try:
        provider.claims = {"sid": "two"}
        browser = traveller()
        assert "/verify" in browser.travel().headers["Location"]
        assert browser.get("/portal/login/verify").status_code == 200
        assert send(token(sid="two")).status_code == 200
        assert browser.get("/portal/login/verify").status_code == 303
    finally:
        with real.begin(world.demo) as session:
            session.delete(session.scalars(select(TotpFactor).where(TotpFactor.user_id == bob)).one())
    with real.begin(world.demo) as session:
        held = select(SignInChallenge.used_at).where(SignInChallenge.provider_sid == "two")
        assert session.scalars(held).one() is not None


def test_the_door_of_staff(configure, traveller, provider, app, token):
    provider.person = {"email": "sam@demo.example", "email_verified": True}
    provider_id = configure("staff", domains=("demo.example",))
    provider.claims = {"sid": "one"}
    sam = traveller("admin")
    assert sam.travel("sam@demo.example").status_code == 303
    assert sam.is_in()
    path = f"/portal/sso/{provider_id}/backchannel-logout"
    assert app.test_client().post(path, base_url=BASE, data={"logout_token": token()}).status_code == 200
    assert not sam.is_in()


def test_a_provider_out_of_use_still_ends_what_it_began(enter, send, token, real, world, provider_id):
    one = enter("one")
    with real.begin(world.demo) as session:
        session.get(IdentityProvider, provider_id).enabled = False
    assert send(token()).status_code == 200
    assert not one.is_in()


def test_another_provider_or_tenant_ends_nothing(enter, send, token, configure, real, world):
    one = enter("one")
    other = configure(domains=("other.example",))
    assert send(token(), to=other).status_code == 200, "its own tokens are as good, of its own sessions"
    assert one.is_in()
    assert send(token(), to=uuid4()).status_code == 404
    assert send(token(), base="http://nova.localhost").status_code == 404
    assert one.is_in()
    with real.begin(world.nova) as session, pytest.raises(NotFound):
        find_sender(session, other)


def test_what_else_is_sent_there(enter, send, token, app, provider_id):
    one, path = enter("one"), f"/portal/sso/{provider_id}/backchannel-logout"
    client = app.test_client()
    assert client.get(f"{path}?logout_token={token()}", base_url=BASE).status_code == 405
    assert client.post(f"{path}?logout_token={token()}", base_url=BASE).status_code == 400
    assert client.post(path, base_url=BASE, json={"logout_token": token()}).status_code == 400
    assert one.is_in()


def test_a_removed_provider_takes_its_memory_along(enter, send, token, real, world, provider_id):
    enter("one")
    assert send(token()).status_code == 200
    with real.begin(world.demo) as session:
        remove_provider(session, provider_id, actor=world.people["ada"].actor, now=utcnow())
    with real.begin(world.demo) as session:
        left = select(func.count()).select_from(ProviderLogout).where(ProviderLogout.provider_id == provider_id)
        assert session.scalar(left) == 0
        assert session.scalar(select(AuthSession.id).where(AuthSession.provider_id == provider_id)) is not None
