"""There and back at both doors: who comes in, who is linked, who is made, and everybody who is not."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import func, select, update

from portal.blueprints.api.limits import FAILURES
from portal.lib.clock import utcnow
from portal.models import (
    AuditEntry,
    AuthSession,
    EmailDomain,
    ExternalIdentity,
    IdentityProvider,
    Membership,
    Person,
    Role,
    SsoAttempt,
    User,
    UserKind,
    UserStatus,
)
from tests.browsing import csrf_token
from tests.sso.provider import callback_path
from tests.world import PASSWORD


@pytest.fixture
def person(provider):
    """Have the provider prove somebody; every test has a subject of its own."""

    def be(email, subject=None, **claims):
        provider.subject = subject or f"subject of {email}"
        provider.person = {"email": email, "email_verified": True, **claims}

    return be


@pytest.fixture
def ask(real, world):
    def run(query, tenant=None):
        with real.begin(tenant or world.demo) as session:
            return session.scalars(query).all()

    return run


@pytest.fixture
def change(real, world):
    def run(statement, tenant=None):
        with real.begin(tenant or world.demo) as session:
            session.execute(statement, execution_options={"synchronize_session": False})

    return run


def text_of(answer):
    return answer.get_data(as_text=True)


def refused(answer, words, traveller):
    """A page that says why, with nobody signed in."""
    assert answer.status_code == 401, text_of(answer)[:300]
    assert words in text_of(answer)
    assert not traveller.is_in()


UNKNOWN = "there is no account here for you"


def test_a_customer_is_linked_by_a_proved_address_and_known_afterwards(configure, traveller, person, ask, world):
    provider_id = configure()
    person("bob@acme.example")
    bob = traveller()
    answer = bob.travel("bob@acme.example", next="/portal/tickets?status=open")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/portal/tickets?status=open")
    assert bob.is_in()
    (link,) = ask(select(ExternalIdentity).where(ExternalIdentity.provider_id == provider_id))
    assert (link.user_id, link.subject) == (world.people["bob"].user_id, "subject of bob@acme.example")
    method = (
        select(AuthSession.method).where(AuthSession.user_id == link.user_id).order_by(AuthSession.created_at.desc())
    )
    assert ask(method)[0] == "sso"
    # From now on the subject counts, whatever the address is.
    person("bob@elsewhere.example", "subject of bob@acme.example")
    again = traveller()
    assert again.travel("x@acme.example").status_code == 303
    assert "Bob Keller" in text_of(again.get("/portal/account/profile"))


def test_staff_at_their_own_door(configure, traveller, person, world):
    configure("staff", domains=("demo.example",))
    person("sam@demo.example")
    sam = traveller("admin")
    assert sam.travel("sam@demo.example").status_code == 303
    assert sam.is_in()
    assert not traveller("portal").is_in()


def test_the_buttons(configure, traveller, provider):
    assert "Single sign-on" not in text_of(traveller().get("/portal/login"))
    configure(name="Everybody's")
    configure("customer", "acme", name="Acme's own", domains=())
    for path in ("/portal/login", "/portal/login?next=/portal/tickets"):
        assert "/portal/sso" in text_of(traveller().get(path))
    assert "/admin/sso" not in text_of(traveller("admin").get("/admin/login"))
    offered = text_of(traveller().get("/portal/sso"))
    assert "Continue with Everybody" in offered
    assert "Acme&#39;s own" not in offered


def test_a_provider_for_everybody_is_one_press_away(configure, traveller, person):
    provider_id = configure()
    person("bob@acme.example")
    bob = traveller()
    assert bob.back(bob.provider.authorize(bob.start(provider_id))).status_code == 303
    assert bob.is_in()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "such as name@company.com"),
        ("x", "such as name@company.com"),
        ("x\x00@acme.example", "such as name@company.com"),
        ("x@unknown.example", "No company sign-in is known"),
        ("x@sub.acme.example", "No company sign-in is known"),
        ("x@acme.example.evil.example", "No company sign-in is known"),
    ],
)
def test_addresses_that_lead_nowhere(configure, traveller, address, words):
    configure()
    page = traveller().post("/portal/sso", identifier=address)
    assert page.status_code == 422
    assert words in text_of(page)
    assert 'id="identifier-error"' in text_of(page)


def test_a_colleague_gets_a_login_at_the_company_s_own_provider(configure, traveller, person, ask, world):
    configure("customer", "acme")
    person("nora.made@acme.example", name="Nora Made")
    nora = traveller()
    assert nora.travel("nora.made@acme.example").status_code == 303
    assert nora.is_in()
    (made,) = ask(select(Person).where(Person.email == "nora.made@acme.example"))
    assert (made.name, made.company_id) == ("Nora Made", world.companies["acme"])
    assert made.email_verified_at is not None
    (user,) = ask(select(User).where(User.person_id == made.id))
    assert (user.kind, user.status, user.password_hash) == (UserKind.CUSTOMER, UserStatus.ACTIVE, None)
    (membership,) = ask(select(Membership).where(Membership.user_id == user.id))
    assert (membership.company_id, membership.role) == (world.companies["acme"], Role.CUSTOMER)
    actions = ask(select(AuditEntry.action).where(AuditEntry.record_id == user.id).order_by(AuditEntry.seq))
    assert actions == ["user.created", "user.sso_linked", "user.signed_in"]


def test_a_contact_without_a_login_gets_one(configure, traveller, person, ask, real, world):
    configure("customer", "acme")
    with real.begin(world.demo) as session:
        known = Person(company_id=world.companies["acme"], name="Carl Contact", email="carl@acme.example")
        session.add(known)
    person("carl@acme.example", name="Another Name")
    carl = traveller()
    assert carl.travel().status_code == 303
    (still,) = ask(select(Person).where(Person.email == "carl@acme.example"))
    assert (still.id, still.name) == (known.id, "Carl Contact")


NOBODY = {
    "a stranger at a provider for everybody": (("customer", None), {}, "stranger@acme.example"),
    "a stranger among staff": (("staff", None), {"domains": ("demo.example",)}, "stranger@demo.example"),
    "a customer at the staff's provider": (("staff", None), {"domains": ("acme.example",)}, "bob@acme.example"),
    "staff at the customers' provider": (("customer", None), {"domains": ("demo.example",)}, "sam@demo.example"),
    "a domain that is not proved": (("customer", None), {"proved": False}, "bob@acme.example"),
    "a domain of nobody": (("customer", None), {"domains": ()}, "bob@acme.example"),
    "a colleague whose domain is not proved": (("customer", "acme"), {"proved": False}, "late@acme.example"),
    "another company's person": (("customer", "globex"), {"domains": ("acme.example",)}, "bob@acme.example"),
    "another domain's person": (("customer", "acme"), {}, "charlie@globex.example"),
}


@pytest.mark.parametrize("case", NOBODY.values(), ids=NOBODY)
def test_people_who_do_not_come_in(configure, traveller, person, ask, case):
    (audience, company), fields, email = case
    provider_id = configure(audience, company, **fields)
    person(email)
    before = ask(select(func.count()).select_from(User))
    one = traveller("admin" if audience == "staff" else "portal")
    refused(one.back(one.provider.authorize(one.start(provider_id))), UNKNOWN, one)
    assert ask(select(ExternalIdentity)) == []
    assert ask(select(func.count()).select_from(User)) == before


@pytest.mark.parametrize("claims", [{"email_verified": False}, {"email_verified": "true"}, {"email": "x"}])
def test_an_address_that_the_provider_has_not_verified(configure, traveller, person, claims):
    configure("customer", "acme")
    person("bob@acme.example")
    one = traveller()
    one.provider.claims = claims
    refused(one.travel(), UNKNOWN, one)


def test_an_inherited_address_does_not_inherit_the_login(configure, traveller, person, ask):
    configure()
    person("bob@acme.example", "the first bob")
    assert traveller().travel().status_code == 303
    person("bob@acme.example", "another bob")
    one = traveller()
    refused(one.travel(), "belongs to your login here", one)
    assert len(ask(select(ExternalIdentity))) == 1


@pytest.mark.parametrize("values", [{"status": UserStatus.SUSPENDED}, {"portal_access": False}])
def test_a_login_that_may_not_sign_in(configure, traveller, person, change, world, values):
    configure()
    person("charlie@acme.example", "charlie's subject")
    change(update(Person).where(Person.email == "charlie@globex.example").values(email="charlie@acme.example"))
    who = User.id == world.people["charlie"].user_id
    try:
        assert traveller().travel().status_code == 303
        change(update(User).where(who).values(**values))
        one = traveller()
        refused(one.travel(), UNKNOWN, one)
    finally:
        change(update(User).where(who).values(status=UserStatus.ACTIVE, portal_access=True))
        change(update(Person).where(Person.email == "charlie@acme.example").values(email="charlie@globex.example"))


def test_a_membership_that_was_taken_away(configure, traveller, person, change, world):
    provider_id = configure()
    person("bob@acme.example")
    assert traveller().travel().status_code == 303
    change(
        update(IdentityProvider).where(IdentityProvider.id == provider_id).values(company_id=world.companies["globex"])
    )
    one = traveller()
    refused(one.travel(), UNKNOWN, one)


# What the browser brings back.

EXPIRED = "took too long or was started elsewhere"


@pytest.fixture
def bob(configure, traveller, person):
    """Bob's browser, and a provider of everybody that knows him."""
    configure()
    person("bob@acme.example")
    return traveller()


def test_a_state_works_once(bob, traveller):
    brought = bob.provider.authorize(bob.leave())
    assert bob.back(brought).status_code == 303
    again = bob.back(brought)
    assert (again.status_code, EXPIRED in text_of(again)) == (401, True)
    stranger = traveller()
    refused(stranger.back(brought), EXPIRED, stranger)


def test_a_state_of_another_browser(bob, traveller):
    brought = bob.provider.authorize(bob.leave())
    victim = traveller()
    refused(victim.back(brought), EXPIRED, victim)
    victim.leave()
    refused(victim.back(brought), EXPIRED, victim)
    # What another browser tries does not use bob's own trip up.
    assert bob.back(brought).status_code == 303


@pytest.mark.parametrize("changes", [{"state": ""}, {"state": "x"}, {"state": "\x00"}, {"state": "é" * 9000}])
def test_a_state_that_is_none(bob, changes):
    brought = bob.provider.authorize(bob.leave()) | changes
    refused(bob.back(brought), EXPIRED, bob)


def test_no_state_at_all(bob):
    refused(bob.get("/portal/sso/callback?code=x"), EXPIRED, bob)
    refused(bob.get("/portal/sso/callback"), EXPIRED, bob)


def test_a_state_of_the_other_door(configure, traveller, person):
    configure()
    configure("staff", domains=("demo.example",))
    person("bob@acme.example")
    one = traveller()
    brought = one.provider.authorize(one.leave())
    one.door = "admin"
    refused(one.back(brought), EXPIRED, one)


def test_a_trip_that_took_too_long(bob, change):
    brought = bob.provider.authorize(bob.leave())
    change(update(SsoAttempt).values(expires_at=utcnow() - timedelta(seconds=1)))
    refused(bob.back(brought), EXPIRED, bob)


def test_a_provider_that_was_switched_off_meanwhile(bob, change):
    brought = bob.provider.authorize(bob.leave())
    change(update(IdentityProvider).values(enabled=False))
    refused(bob.back(brought), EXPIRED, bob)
    assert "/token" not in bob.provider.asked


def test_a_provider_that_was_switched_off_while_it_answered(bob, change):
    def switch_off(claims):
        change(update(IdentityProvider).values(enabled=False))
        return bob.provider.sign(claims)

    bob.provider.id_token = switch_off
    refused(bob.travel(), EXPIRED, bob)


def test_a_provider_that_became_another_while_it_answered(bob, change, ask):
    def replace(claims):
        change(update(IdentityProvider).values(issuer="https://another.example"))
        return bob.provider.sign(claims)

    bob.provider.id_token = replace
    refused(bob.travel(), EXPIRED, bob)
    assert ask(select(ExternalIdentity)) == []


@pytest.mark.parametrize(
    "brought", [{"error": "access_denied"}, {"error": "access_denied", "code": "x"}, {"code": ""}, {"code": "x" * 5000}]
)
def test_a_sign_in_that_was_not_finished(bob, brought):
    state = bob.provider.authorize(bob.leave())["state"]
    refused(bob.back({"state": state} | brought), "was not finished", bob)
    assert "/token" not in bob.provider.asked


def test_a_code_of_another_trip(bob, traveller):
    """Somebody slips their own code, or a stolen one, into bob's way back: its PKCE challenge is another."""
    other = traveller()
    stolen = bob.provider.authorize(other.leave())["code"]
    mine = bob.provider.authorize(bob.leave())
    refused(bob.back(mine | {"code": stolen}), "cannot be trusted", bob)


def test_an_issuer_mix_up(bob):
    brought = bob.provider.authorize(bob.leave(), iss="https://attacker.example")
    refused(bob.back(brought), "cannot be trusted", bob)


def test_a_token_for_somebody_else(bob):
    bob.provider.claims = {"aud": "another client"}
    refused(bob.travel(), "cannot be trusted", bob)


def test_a_provider_that_is_down(configure, traveller, provider):
    configure(issuer="http://127.0.0.1:9")
    page = traveller().post("/portal/sso", identifier="bob@acme.example")
    assert (page.status_code, "does not answer" in text_of(page)) == (409, True)
    assert 'value="bob@acme.example"' in text_of(page)


def test_a_secret_under_a_key_that_is_gone(configure, traveller):
    configure(client_secret=b"of another time")
    page = traveller().post("/portal/sso", identifier="bob@acme.example")
    assert (page.status_code, "not set up correctly" in text_of(page)) == (409, True)


# Other tenants.


def test_another_tenant_s_provider(configure, traveller, world):
    foreign = configure(tenant=world.nova, domains=("nova.example",))
    assert traveller().post(f"/portal/sso/{foreign}").status_code == 404
    assert traveller().post("/portal/sso", identifier="nia@nova.example").status_code == 422


def test_a_provider_of_the_other_door_or_switched_off(configure, traveller):
    staff = configure("staff", domains=())
    off = configure(enabled=False, domains=())
    assert traveller().post(f"/portal/sso/{staff}").status_code == 404
    assert traveller().post(f"/portal/sso/{off}").status_code == 404


def test_another_tenant_s_state_and_cookie(app, configure, traveller, person, world):
    """The cookie's signature is the same at every host; the trip's row is not."""
    configure()
    configure(tenant=world.nova, domains=("nova.example",))
    person("bob@acme.example")
    bob = traveller()
    brought = bob.provider.authorize(bob.leave())
    nova = traveller(host="nova.localhost")
    nova.get("/portal/sso")
    sealed = bob.client.get_cookie("portico", domain="127.0.0.1").decoded_value
    nova.client.set_cookie("portico", sealed, domain="nova.localhost")
    answer = nova.back(brought)
    assert answer.status_code == 401
    assert not nova.is_in()
    assert "/token" not in nova.provider.asked


# What is written down, and counted.


def test_a_refused_arrival_is_a_refused_sign_in(bob, ask, world):
    state = bob.provider.authorize(bob.leave())["state"]
    answer = bob.back({"state": state, "error": "access_denied"})
    of_request = AuditEntry.request_id == answer.headers["X-Request-Id"]
    (entry,) = ask(select(AuditEntry).where(of_request))
    assert (entry.action, entry.record_id, entry.after) == ("user.sign_in_refused", None, {"door": "portal"})


def test_a_refused_person_is_named_by_the_login_of_the_proved_address(configure, traveller, person, ask, world):
    configure("customer", "globex")
    person("bob@acme.example")
    one = traveller()
    answer = one.travel()
    (entry,) = ask(select(AuditEntry).where(AuditEntry.request_id == answer.headers["X-Request-Id"]))
    assert (entry.action, entry.record_id) == ("user.sign_in_refused", world.people["bob"].user_id)


def test_refused_arrivals_count_against_the_origin_alone(bob):
    """Ten refusals would lock a login; an office whose people press Cancel is not locked out of its portal."""
    for _ in range(20):
        assert bob.get("/portal/sso/callback?state=x").status_code == 401
    assert bob.travel().status_code == 303


def test_an_origin_that_fails_too_often_has_to_wait(bob, monkeypatch):
    monkeypatch.setattr(FAILURES, "amount", 3)
    answers = [bob.get("/portal/sso/callback?state=x") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert "Retry-After" in answers[-1].headers
    assert bob.post("/portal/sso", identifier="x@unknown.example").status_code == 429


def test_trips_are_counted(bob, monkeypatch):
    monkeypatch.setattr("portal.blueprints.accounts.sso.TRIPS.amount", 2)
    assert [bob.post("/portal/sso", identifier="x@acme.example").status_code for _ in range(3)] == [200, 200, 429]


def cookie_of(app, browser):
    sealed = browser.client.get_cookie("portico", domain="127.0.0.1").decoded_value
    return SecureCookieSessionInterface().get_signing_serializer(app).loads(sealed)


def test_nothing_of_the_trip_is_kept_readable(app, bob, ask):
    address = bob.leave()
    asked = dict(parse_qsl(urlsplit(address).query))
    (row,) = ask(select(SsoAttempt))
    kept = b" ".join([row.state_hash, row.verifier, row.nonce.encode()])
    assert asked["state"].encode() not in kept
    assert cookie_of(app, bob)["portal_sso"] == asked["state"]
    bob.back(bob.provider.authorize(address))
    assert set(cookie_of(app, bob)) == {"portal_token"}


def test_the_page_in_between_leads_on_and_keeps_still(bob):
    page = bob.post("/portal/sso", identifier="bob@acme.example")
    assert page.headers["Cache-Control"] == "no-store"
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "same-origin"


def test_a_form_without_its_token(app, configure, provider):
    provider_id = configure()
    client = app.test_client()
    for path in ("/portal/sso", f"/portal/sso/{provider_id}", "/admin/sso"):
        assert client.post(path, base_url="http://127.0.0.1", data={"identifier": "x@acme.example"}).status_code == 400


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "/admin/", "/portalx"])
def test_nobody_is_led_elsewhere(configure, traveller, person, wanted):
    configure()
    person("bob@acme.example")
    bob = traveller()
    brought = bob.provider.authorize(bob.leave(next=wanted))
    answer = bob.get(callback_path("portal", brought | {"next": wanted}))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/portal/")


# Where the provider is the only way in.


def sign_in_with_password(traveller, identifier, password):
    one = traveller()
    token = csrf_token(one.get("/portal/login"))
    form = {"csrf_token": token, "identifier": identifier, "password": password}
    return one.client.post("/portal/login", base_url="http://127.0.0.1", data=form)


def api_token(app, identifier, password):
    body = {"identifier": identifier, "password": password}
    return app.test_client().post("/api/v1/auth/token", base_url="http://127.0.0.1", json=body)


def test_a_required_provider_is_told_of_only_after_the_right_password(app, configure, traveller):
    configure(required=True)
    right = sign_in_with_password(traveller, "bob@acme.example", PASSWORD)
    assert (right.status_code, "signs in through Acme sign-in" in text_of(right)) == (401, True)
    wrong = sign_in_with_password(traveller, "bob@acme.example", "wrong")
    assert (wrong.status_code, "Acme sign-in" in text_of(wrong)) == (401, False)
    assert api_token(app, "bob@acme.example", PASSWORD).get_json()["code"] == "sso_required"
    assert api_token(app, "bob@acme.example", "wrong").get_json()["code"] == "wrong_credentials"


def test_a_required_provider_concerns_its_own_people_only(app, configure):
    configure(required=True)
    assert api_token(app, "charlie@globex.example", PASSWORD).status_code == 200
    assert api_token(app, "sam@demo.example", PASSWORD).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [{"required": False}, {"enabled": False}, {"proved": False}, {"domains": ("ne.example",)}, {"audience": "staff"}],
    ids=str,
)
def test_a_provider_that_does_not_stand_in_the_way(app, configure, fields):
    configure(**({"required": True} | fields))
    assert api_token(app, "bob@acme.example", PASSWORD).status_code == 200


def test_another_company_s_required_provider_locks_nobody_out(app, configure):
    """Its provider would not take them in either."""
    configure("customer", "globex", required=True)
    assert api_token(app, "bob@acme.example", PASSWORD).status_code == 200


def test_programs_that_are_signed_in_end_with_their_token(app, configure):
    pair = api_token(app, "bob@acme.example", PASSWORD).get_json()
    configure(required=True)
    refresh = {"refresh_token": pair["refresh_token"]}
    answer = app.test_client().post("/api/v1/auth/refresh", base_url="http://127.0.0.1", json=refresh)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "sso_required")


def test_the_required_provider_itself_lets_in(configure, traveller, person):
    configure(required=True)
    person("bob@acme.example")
    assert traveller().travel().status_code == 303


def test_a_domain_whose_proof_is_lost_links_nobody(configure, traveller, person, change):
    configure()
    change(update(EmailDomain).values(verified_at=None))
    person("bob@acme.example")
    one = traveller()
    assert one.post("/portal/sso", identifier="bob@acme.example").status_code == 422
