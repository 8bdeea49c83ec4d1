"""What is demanded of a provider's own sign-in has to be in the ID token, not only in the request (ASVS 6.8.4)."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from portal.integrations.oidc import Client, OidcProviders, Return
from portal.integrations.oidc_claims import Demand
from portal.integrations.oidc_documents import OidcError
from portal.lib.clock import utcnow
from portal.models import ExternalIdentity, IdentityProvider
from tests.sso.provider import CLIENT_ID, SECRET

ACR, AMR = Demand(acr=("phr", "urn:mfa")), Demand(amr=("mfa", "otp"))
RECENT = Demand(max_age=300)
AGO = "seconds since the proof"


@pytest.fixture
def oidc():
    return OidcProviders(allow_loopback=True)


@pytest.fixture
def journey(oidc, provider):
    def run(demand):
        client = Client(provider.issuer, CLIENT_ID, SECRET, "http://127.0.0.1:8000/portal/sso/callback", demand)
        leaving = oidc.depart(client, hint=None)
        back = Return(provider.authorize(leaving.address)["code"], None)
        return oidc.identify(client, back, nonce=leaving.nonce, verifier=leaving.verifier, now=utcnow())

    return run


MET = {
    "nothing demanded": (Demand(), {}),
    "the class": (ACR, {"acr": "urn:mfa"}),
    "another of the classes": (ACR, {"acr": "phr"}),
    "one of the methods": (AMR, {"amr": ["pwd", "otp"]}),
    "a moment ago": (RECENT, {AGO: 30}),
    "almost too long ago": (RECENT, {AGO: 290}),
    "asked anew": (Demand(max_age=0), {AGO: 0}),
    "everything": (Demand(("phr",), ("mfa",), 300), {"acr": "phr", "amr": ["mfa"], AGO: 0}),
}
NOT_MET = {
    "no class": (ACR, {}),
    "another class": (ACR, {"acr": "0"}),
    "a part of the class": (ACR, {"acr": "urn"}),
    "both classes as one": (ACR, {"acr": "phr urn:mfa"}),
    "the class in another case": (ACR, {"acr": "PHR"}),
    "a list of classes": (ACR, {"acr": ["phr"]}),
    "no methods": (AMR, {}),
    "a password alone": (AMR, {"amr": ["pwd"]}),
    "a method as text": (AMR, {"amr": "otp"}),
    "methods within a list": (AMR, {"amr": [["otp"]]}),
    "methods as an object": (AMR, {"amr": {"otp": True}}),
    "no time": (RECENT, {}),
    "long ago": (RECENT, {AGO: 600}),
    "never": (RECENT, {"auth_time": 0}),
    "a negative time": (RECENT, {"auth_time": -1}),
    "tomorrow": (RECENT, {AGO: -86_400}),
    "a flag for a time": (Demand(max_age=10**12), {"auth_time": True}),
    "not anew": (Demand(max_age=0), {AGO: 120}),
    "class without method": (Demand(("phr",), ("mfa",), None), {"acr": "phr"}),
    "all but the time": (Demand(("phr",), ("mfa",), 300), {"acr": "phr", "amr": ["mfa"]}),
}


def at_present(claims):
    """The claims with the time of the proof as it is now."""
    told = {name: value for name, value in claims.items() if name != AGO}
    return told | ({"auth_time": int(time.time()) - claims[AGO]} if AGO in claims else {})


@pytest.mark.parametrize(("demand", "claims"), MET.values(), ids=MET)
def test_a_provider_that_asked_as_demanded_is_believed(journey, provider, demand, claims):
    provider.claims = at_present(claims)
    assert journey(demand).subject == "subject-1"


@pytest.mark.parametrize(("demand", "claims"), NOT_MET.values(), ids=NOT_MET)
def test_one_that_did_not_is_refused(journey, provider, demand, claims):
    provider.claims = at_present(claims)
    with pytest.raises(OidcError) as refused:
        journey(demand)
    # A list of methods that is none is no ID token at all.
    assert refused.value.code == ("sso_weak" if isinstance(claims.get("amr", []), list) else "sso_refused")


def test_times_that_are_no_numbers_are_refused(journey, provider):
    present = int(time.time())
    for odd in ("now", str(present), [present], {"at": present}, present + 0.5):
        provider.claims = {"auth_time": odd}
        with pytest.raises(OidcError) as refused:
            journey(RECENT)
        assert refused.value.code in ("sso_weak", "sso_refused")


def test_the_user_info_endpoint_does_not_stand_in_for_the_token(journey, provider):
    provider.metadata = {"userinfo_endpoint": f"{provider.issuer}/me"}
    provider.person = {}
    told = {"sub": provider.subject, "acr": "phr", "amr": ["mfa"], "auth_time": int(time.time())}
    provider.answers["/me"] = lambda handler: handler.json(told)
    for demand in (ACR, AMR, RECENT):
        with pytest.raises(OidcError):
            journey(demand)


def test_the_request_says_what_is_demanded(oidc, provider):
    def asked(demand):
        client = Client(provider.issuer, CLIENT_ID, SECRET, "http://127.0.0.1:8000/portal/sso/callback", demand)
        return parse_qs(urlsplit(oidc.depart(client, hint=None).address).query)

    found = asked(Demand(("phr", "urn:mfa"), ("otp",), 0))
    assert (found["acr_values"], found["max_age"]) == (["phr urn:mfa"], ["0"])
    assert not {"acr_values", "max_age"} & set(asked(Demand()))


@pytest.mark.parametrize(("claims", "status"), [({}, 401), ({"amr": ["pwd"]}, 401), ({"amr": ["pwd", "mfa"]}, 303)])
def test_at_the_door(configure, traveller, provider, real, world, claims, status):
    provider_id = configure(demanded_amr="mfa hwk", max_age_minutes=5)
    provider.person = {"email": "bob@acme.example", "email_verified": True}
    provider.claims = {"auth_time": int(time.time())} | claims
    browser = traveller()
    answer = browser.travel()
    assert answer.status_code == status
    assert browser.is_in() is (status == 303)
    with real.begin(world.demo) as session:
        linked = session.scalar(select(ExternalIdentity.id).where(ExternalIdentity.provider_id == provider_id))
    assert (linked is not None) is (status == 303)
    if status == 401:
        assert "did not confirm a second factor" in answer.get_data(as_text=True)


def test_a_demand_holds_for_trips_that_began_before_it(configure, traveller, provider, real, world):
    provider_id = configure()
    provider.person = {"email": "bob@acme.example", "email_verified": True}
    browser = traveller()
    brought = provider.authorize(browser.leave())
    with real.begin(world.demo) as session:
        session.get(IdentityProvider, provider_id).demanded_amr = "mfa"
    assert browser.back(brought).status_code == 401
    assert not browser.is_in()
