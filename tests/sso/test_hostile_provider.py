"""Providers that lie, cheat, stall or lead astray: nobody is proved, and the portal does not wait for them."""

import gzip
import json
import socket
import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from portal.integrations.oidc import AT_ONCE_PER_PROVIDER, Client, OidcProviders, Return
from portal.integrations.oidc_documents import OidcError
from portal.integrations.outbound import MAX_BYTES
from portal.lib.clock import utcnow
from tests.sso.provider import (
    CLIENT_ID,
    FIRST_KEY,
    OTHER_KEY,
    SECRET,
    base64url,
    by_key,
    by_secret,
    forge,
    new_key,
)

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def oidc():
    return OidcProviders(allow_loopback=True)


def client_of(provider, **changes):
    values = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": SECRET}
    return Client(**(values | {"redirect_uri": "http://127.0.0.1:8000/portal/sso/callback"} | changes))


def journey(oidc, provider, *, nonce=None, verifier=None, later=timedelta(0), **back):
    """Go there, consent, come back."""
    client = client_of(provider)
    leaving = oidc.depart(client, hint=None)
    answer = provider.authorize(leaving.address, **back)
    returned = Return(answer["code"], answer.get("iss"))
    return oidc.identify(
        client, returned, nonce=nonce or leaving.nonce, verifier=verifier or leaving.verifier, now=utcnow() + later
    )


def refused(oidc, provider, code="sso_refused", **options):
    with pytest.raises(OidcError) as caught:
        journey(oidc, provider, **options)
    assert caught.value.code == code, str(caught.value)
    return str(caught.value)


def test_who_tells_the_truth_is_believed(oidc, provider):
    provider.claims = {"name": "  Nora\tNew ", "email": "Nora@Acme.example"}
    proved = journey(oidc, provider)
    assert (proved.subject, proved.email, proved.name) == ("subject-1", "nora@acme.example", "Nora New")
    assert (proved.issuer, proved.client_id) == (provider.issuer, CLIENT_ID)


@pytest.mark.parametrize("methods", [["client_secret_post"], ["client_secret_post", "client_secret_basic"], None])
def test_the_secret_is_shown_the_way_the_provider_wants(oidc, provider, methods):
    provider.metadata = {"token_endpoint_auth_methods_supported": methods}
    assert journey(oidc, provider).subject == "subject-1"


def test_what_is_asked_for(oidc, provider):
    address = oidc.depart(client_of(provider), hint="nora@acme.example").address
    for words in ("response_type=code", "scope=openid+email+profile", "code_challenge_method=S256", "state=", "nonce=",
                  "login_hint=nora%40acme.example"):  # fmt: skip
        assert words in address


NOW = int(time.time())
CLAIMS = {
    "another issuer": {"iss": "https://other.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "somebody else"},
    "no audience": {"aud": None},
    "two audiences and no authorised party": {"aud": [CLIENT_ID, "other"]},
    "another authorised party": {"aud": [CLIENT_ID, "other"], "azp": "other"},
    "another nonce": {"nonce": "other"},
    "no nonce": {"nonce": None},
    "a nonce of another type": {"nonce": ["x"]},
    "expired": {"exp": NOW - 120},
    "no end": {"exp": None},
    "an end that is no number": {"exp": "tomorrow"},
    "issued tomorrow": {"iat": NOW + 86_400},
    "not valid yet": {"nbf": NOW + 86_400},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is no text": {"sub": 7},
    "a subject that cannot be stored": {"sub": "a\x00b"},
    "half a character": {"sub": "\ud800"},
    "an endless subject": {"sub": "x" * 256},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
def test_claims_that_do_not_hold(oidc, provider, claims):
    provider.claims = claims
    refused(oidc, provider)


def test_a_token_that_ends_before_it_is_used(oidc, provider):
    refused(oidc, provider, later=timedelta(minutes=7))


STRANGER = new_key("first")
RS256 = {"alg": "RS256", "kid": "first"}
HS256 = {"alg": "HS256", "kid": "first"}
TOKENS = {
    "unsigned": lambda c: forge({"alg": "none"}, c, lambda _: b""),
    "unsigned but said to be": lambda c: forge(RS256, c, lambda _: b""),
    "signed with the client's secret": lambda c: forge(HS256, c, by_secret(SECRET.encode())),
    "signed with the public key as a secret": lambda c: forge(HS256, c, by_secret(FIRST_KEY.as_pem(private=False))),
    "under a stranger's key of the same name": lambda c: forge(RS256, c, by_key(STRANGER)),
    "under a key that it brings along": lambda c: forge(
        RS256 | {"jwk": STRANGER.as_dict(private=False)}, c, by_key(STRANGER)
    ),
    "under a key of unknown name": lambda c: forge(RS256 | {"kid": "unknown"}, c, by_key(FIRST_KEY)),
    "under a key whose name is no text": lambda c: forge(RS256 | {"kid": ["first"]}, c, by_key(FIRST_KEY)),
    "with an extension that must be understood": lambda c: forge(
        RS256 | {"crit": ["odd"], "odd": 1}, c, by_key(FIRST_KEY)
    ),
    "by a way that is no text": lambda c: forge(RS256 | {"alg": 7}, c, by_key(FIRST_KEY)),
    "cut short": lambda c: forge(RS256, c, by_key(FIRST_KEY))[:-8],
    "whose claims are a list": lambda c: forge(RS256, [c], by_key(FIRST_KEY)),
    "no token at all": lambda c: "x",
    "of five parts": lambda c: "a.b.c.d.e",
    "no text": lambda c: {"a": 1},
    "missing": lambda c: None,
}


@pytest.mark.parametrize("make", TOKENS.values(), ids=TOKENS)
def test_tokens_that_prove_nothing(oidc, provider, make):
    provider.id_token = make
    refused(oidc, provider)


def test_a_token_that_was_changed(oidc, provider):
    def change(claims):
        head, _, tail = provider.sign(claims).split(".")
        other = base64url(json.dumps(claims | {"sub": "somebody-else"}).encode()).decode()
        return f"{head}.{other}.{tail}"

    provider.id_token = change
    refused(oidc, provider)


def test_a_wrong_nonce_or_verifier_of_ours(oidc, provider):
    refused(oidc, provider, nonce="another trip's")
    refused(oidc, provider, verifier="another trip's verifier, long enough to be one")


def test_a_code_works_once(oidc, provider):
    client = client_of(provider)
    leaving = oidc.depart(client, hint=None)
    back = Return(provider.authorize(leaving.address)["code"], None)
    values = {"nonce": leaving.nonce, "verifier": leaving.verifier, "now": utcnow()}
    oidc.identify(client, back, **values)
    with pytest.raises(OidcError, match="invalid_grant"):
        oidc.identify(client, back, **values)


def test_a_wrong_secret_is_a_matter_of_configuration(oidc, provider):
    provider.secret = "changed at the provider"
    refused(oidc, provider, "sso_misconfigured")


# RFC 9207: who answers says so, and it has to be who was asked.
NAMED = {"authorization_response_iss_parameter_supported": True}


@pytest.mark.parametrize(
    ("metadata", "back"),
    [
        (NAMED, {}),
        (NAMED, {"iss": "https://attacker.example"}),
        ({}, {"iss": "https://attacker.example"}),
        ({}, {"iss": ""}),
    ],
    ids=["promised and missing", "promised and another", "another", "empty"],
)
def test_an_answer_of_another_issuer_does_not_reach_the_token_endpoint(oidc, provider, metadata, back):
    provider.metadata = metadata
    refused(oidc, provider, **back)
    assert "/token" not in provider.asked


@pytest.mark.parametrize("metadata", [NAMED, {}])
def test_an_answer_that_names_the_right_issuer(oidc, provider, metadata):
    provider.metadata = metadata
    assert journey(oidc, provider, iss=provider.issuer).subject == "subject-1"


def test_keys_that_were_changed_are_read_again(oidc, provider):
    journey(oidc, provider)
    provider.keys = [new_key("second")]
    provider.key = provider.keys[0]
    assert journey(oidc, provider).subject == "subject-1"
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count(DISCOVERY) == 1


def test_a_key_of_another_kind_and_several_keys(oidc, provider):
    provider.keys = [FIRST_KEY, OTHER_KEY]
    provider.key, provider.header = OTHER_KEY, {"alg": "ES256"}
    assert journey(oidc, provider).subject == "subject-1"
    provider.header = {"alg": "ES256", "kid": None}
    refused(oidc, provider)


USER_INFO = {
    "about somebody else": {"sub": "somebody-else", "email": "victim@acme.example", "email_verified": True},
    "about nobody": {"email": "victim@acme.example", "email_verified": True},
}


def with_userinfo(provider, body):
    provider.person = {}
    provider.metadata = {"userinfo_endpoint": f"{provider.issuer}/me"}
    provider.answers["/me"] = lambda handler: handler.json(body)


@pytest.mark.parametrize("body", USER_INFO.values(), ids=USER_INFO)
def test_user_info_about_another_subject(oidc, provider, body):
    with_userinfo(provider, body)
    refused(oidc, provider)


def test_user_info_where_the_token_tells_no_address(oidc, provider):
    with_userinfo(provider, {"sub": "subject-1", "email": "told@acme.example", "email_verified": True, "iss": "x"})
    proved = journey(oidc, provider)
    assert (proved.subject, proved.email) == ("subject-1", "told@acme.example")


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": 1},
        {"email_verified": None},
        {"email": ["new@acme.example"]},
        {"email": "new@acme.example@evil.example "},
        {"email": "new@acme.example\x00"},
        {"email": "<new@acme.example>"},
        {"email": "new"},
        {"email": "@acme.example"},
        # Letters that turn into plain ones when they are made small: KELVIN SIGN, LATIN CAPITAL LETTER I WITH DOT.
        {"email": "ne\u212a@acme.example"},
        {"email": "new@\u0130cme.example"},
        {"email": "new@acm\u0435.example"},
        {"email": "x" * 65 + "@acme.example"},
        {"email": "new@" + "a" * 250 + ".example"},
    ],
)
def test_an_address_counts_only_when_it_is_one_and_verified(oidc, provider, claims):
    provider.claims = claims
    proved = journey(oidc, provider)
    assert (proved.subject, proved.email) == ("subject-1", None)


METADATA = {
    "another issuer": {"issuer": "https://accounts.other.example"},
    "no issuer": {"issuer": None},
    "an endpoint that is no text": {"token_endpoint": 7},
    "no endpoint": {"jwks_uri": None},
    "an endpoint of a script": {"authorization_endpoint": "javascript:alert(1)"},
    "an endpoint of a file": {"jwks_uri": "file:///etc/passwd"},
    "an endpoint with a login": {"token_endpoint": "https://a:b@provider.example/token"},
    "an endpoint that cannot be read": {"token_endpoint": "https://[::1/token"},
    "a plain endpoint elsewhere": {"token_endpoint": "http://provider.example/token"},
    "a port that is none": {"token_endpoint": "https://provider.example:99999/token"},
    "no way to show the secret": {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
    "ways that are no list": {"token_endpoint_auth_methods_supported": 7},
}


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
def test_metadata_that_does_not_hold(oidc, provider, metadata):
    provider.metadata = metadata
    refused(oidc, provider, "sso_misconfigured")


def redirect_to(target):
    return lambda handler: handler.raw(b"{}", 302, Location=target)


DOCUMENTS = {
    "too large": (lambda h: h.raw(b'{"a": "' + b"x" * MAX_BYTES + b'"}'), "sso_unreachable"),
    "too large once unpacked": (
        lambda h: h.raw(gzip.compress(b" " * (MAX_BYTES * 200)), **{"Content-Encoding": "gzip"}),
        "sso_unreachable",
    ),
    "packed in a way that is none": (lambda h: h.raw(b"xx", **{"Content-Encoding": "gzip"}), "sso_unreachable"),
    "no JSON": (lambda h: h.raw(b"<html>"), "sso_misconfigured"),
    "no text": (lambda h: h.raw(b"\xff\xfe\xfd"), "sso_misconfigured"),
    "a list": (lambda h: h.raw(b"[]"), "sso_misconfigured"),
    "a pit": (lambda h: h.raw(b"[" * 100_000), "sso_misconfigured"),
    "an error": (lambda h: h.json({}, 500), "sso_unreachable"),
    "a redirect": (redirect_to("/elsewhere"), "sso_unreachable"),
    "a redirect inside": (redirect_to("http://169.254.169.254/latest/meta-data/"), "sso_unreachable"),
    "cut off": (lambda h: h.raw(b"{", **{"Content-Length": "100"}), "sso_unreachable"),
}


@pytest.mark.parametrize("path", [DISCOVERY, "/keys", "/token"])
@pytest.mark.parametrize("case", DOCUMENTS.values(), ids=DOCUMENTS)
def test_documents_that_are_not_read(oidc, provider, path, case):
    answer, code = case
    provider.answers[path] = answer
    with pytest.raises(OidcError) as caught:
        journey(oidc, provider)
    # A token endpoint that sends nonsense cannot be trusted; for people it is the same.
    assert caught.value.code in ({code} if path != "/token" else {code, "sso_refused"})
    assert "/elsewhere" not in provider.asked


KEYS = [
    {"keys": "abc"},
    {"keys": [7]},
    {"keys": [{"kty": "RSA"}]},
    {"keys": [{"kty": "RSA", "n": "!", "e": "AQAB", "kid": "first"}]},
    {"keys": [{"kty": "unheard of", "kid": "first"}]},
    {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "first"}]},
    {"keys": []},
    {},
]


@pytest.mark.parametrize("body", KEYS, ids=str)
def test_keys_that_are_none(oidc, provider, body):
    provider.answers["/keys"] = lambda handler: handler.json(body)
    refused(oidc, provider)


TOKEN_ANSWERS = [
    {"error": "invalid_grant", "error_description": 7},
    {"error": ["x"]},
    {},
    {"id_token": None},
    {"access_token": 7, "id_token": "x"},
    {"expires_in": "soon", "id_token": "x"},
]


@pytest.mark.parametrize("body", TOKEN_ANSWERS, ids=str)
def test_answers_of_the_token_endpoint_that_hold_no_token(oidc, provider, body):
    provider.answers["/token"] = lambda handler: handler.json(body)
    refused(oidc, provider)


def test_an_access_token_that_is_none_does_no_harm(oidc, provider):
    provider.person = {}
    provider.metadata = {"userinfo_endpoint": f"{provider.issuer}/me"}

    def answer(handler):
        status, body = provider.tokens({"code": "x"}, ("", ""))
        handler.json(body | {"access_token": "a\r\nX-Evil: 1"}, status)

    provider.answers["/token"] = answer
    refused(oidc, provider, "sso_misconfigured")


def drip(handler):
    """An answer that never ends, a byte at a time, each well within a socket's patience."""
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):
        for _ in range(600):
            handler.wfile.write(b" ")
            time.sleep(0.05)


def drip_headers(handler):
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(600):
            handler.wfile.write(b"x")
            time.sleep(0.05)


@pytest.mark.parametrize("answer", [drip, drip_headers])
@pytest.mark.parametrize("path", [DISCOVERY, "/keys", "/token"])
def test_an_answer_a_byte_at_a_time_is_cut(provider, path, answer):
    provider.answers[path] = answer
    hasty = OidcProviders(allow_loopback=True, whole_seconds=0.4)
    # Without the cut the answer comes to its end after half a minute, and is no JSON.
    refused(hasty, provider, "sso_unreachable")


def test_a_tls_greeting_that_never_comes(provider):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.listen()
        issuer = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(OidcError, match="sso_unreachable"):
            OidcProviders(allow_loopback=True, whole_seconds=0.4).depart(client_of(provider, issuer=issuer), hint=None)


def test_a_provider_that_does_not_answer_is_left_alone_for_a_while(oidc, provider):
    provider.answers[DISCOVERY] = lambda handler: handler.json({}, 503)
    refused(oidc, provider, "sso_unreachable")
    del provider.answers[DISCOVERY]
    refused(oidc, provider, "sso_unreachable")
    assert provider.asked == [DISCOVERY]


def test_a_slow_provider_holds_a_few_requests_only(oidc, provider):
    """The others are told at once, while those few still wait."""
    release, waiting = threading.Event(), threading.Semaphore(0)

    def hold(handler):
        waiting.release()
        release.wait(20)
        handler.json({}, 503)

    provider.answers[DISCOVERY] = hold
    client = client_of(provider)

    def go():
        with suppress(OidcError):
            oidc.depart(client, hint=None)

    threads = [threading.Thread(target=go) for _ in range(AT_ONCE_PER_PROVIDER)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert waiting.acquire(timeout=10)
    with pytest.raises(OidcError, match="too many wait"):
        oidc.depart(client, hint=None)
    release.set()
    for thread in threads:
        thread.join(20)
    with pytest.raises(OidcError, match="kept from the last try"):
        oidc.depart(client, hint=None)


INSIDE = [
    "https://10.0.0.1",
    "https://192.168.1.1",
    "https://169.254.169.254",
    "https://[::ffff:127.0.0.1]",
    "https://[::ffff:10.0.0.1]",
    "https://[::1]",
    "https://[fd00::1]",
    "https://[fe80::1]",
    "https://[64:ff9b::a00:1]",
    "https://[2002:a00:1::]",
    "https://127.0.0.1",
    "https://127.1",
    "https://2130706433",
    "https://0.0.0.0",
    "https://localhost",
    "https://100.64.0.1",
    "https://224.0.0.1",
]


@pytest.mark.parametrize("issuer", INSIDE)
@pytest.mark.timeout(30)
def test_addresses_inside_are_not_asked(provider, issuer, caplog):
    with pytest.raises(OidcError) as caught:
        OidcProviders(allow_loopback=False).depart(client_of(provider, issuer=issuer), hint=None)
    assert str(caught.value) == "sso_unreachable: InvalidIPAddress"


@pytest.mark.parametrize("issuer", ["https://10.0.0.1", "https://169.254.169.254", "https://[::ffff:10.0.0.1]"])
def test_addresses_inside_are_not_asked_where_loopback_is(oidc, provider, issuer):
    with pytest.raises(OidcError, match="InvalidIPAddress"):
        oidc.depart(client_of(provider, issuer=issuer), hint=None)


def test_the_token_endpoint_inside_is_not_asked(oidc, provider):
    provider.metadata = {"token_endpoint": "https://10.0.0.1/token"}
    assert "InvalidIPAddress" in refused(oidc, provider, "sso_unreachable")


ADDRESSES: dict[str, tuple[bool, bool]] = {
    "https://login.example.com": (True, True),
    "https://login.example.com:8443/realms/a": (True, True),
    "http://127.0.0.1:9000": (False, True),
    "http://localhost:9000": (False, True),
    "http://login.example.com": (False, False),
    "http://127.0.0.1.evil.example": (False, False),
    "ftp://login.example.com": (False, False),
    "javascript:alert(1)": (False, False),
    "https://": (False, False),
    "https://a@login.example.com": (False, False),
    "https://login.example.com?x=1": (False, False),
    "https://login.example.com#x": (False, False),
    "https://[::1": (False, False),
    "https://login.example.com:x": (False, False),
    "https://login .example.com": (False, False),
    "https://login.example.com/\n": (False, False),
    "https://lögin.example.com": (False, False),
    "login.example.com": (False, False),
    "": (False, False),
}


@pytest.mark.parametrize(("address", "expected"), ADDRESSES.items(), ids=repr)
def test_what_may_be_an_issuer(address: str, expected: Any) -> None:
    found = tuple(OidcProviders(allow_loopback=loopback).is_acceptable(address) for loopback in (False, True))
    assert found == expected


def test_the_environment_s_proxies_are_not_used(oidc, provider, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert journey(oidc, provider).subject == "subject-1"
