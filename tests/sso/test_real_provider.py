"""The whole journey over HTTP: the portal, a certified provider beside it, and a browser that follows both."""

import asyncio
import html
import io
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import pytest
import requests
from sqlalchemy import delete, select
from werkzeug.serving import make_server

from portal.config import ROOT
from portal.lib.clock import utcnow
from portal.models import AuthSession, ExternalIdentity, Membership, Person, TotpFactor, User
from runner.environment import Environment
from runner.layout import Layout
from runner.progress import Progress

METHODS = ("client_secret_basic", "client_secret_post")
CLIENT_ID, SECRET = "portico", "a secret: of+the/tests % only"
PEOPLE = {
    "bob": {"email": "bob@acme.example", "email_verified": True, "name": "Bob Keller"},
    "unproved": {"email": "alice@acme.example", "email_verified": False},
    "sam": {"email": "sam@demo.example", "email_verified": True},
    "rosa": {"email": "rosa@acme.example", "email_verified": True, "name": "Rosa Real"},
}
_FORM = re.compile(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_REFRESH = re.compile(r'http-equiv="refresh" content="0;url=([^"]+)"')
_ABORT = re.compile(r'<a href="([^"]*/abort)"')


@pytest.fixture(scope="module")
def node() -> str:
    """Node.js as the product's own set-up finds it."""
    environment = Environment(Layout.from_environ(os.environ), os.environ, Progress(io.StringIO()))
    found = shutil.which("node", path=asyncio.run(environment.with_node())["PATH"])
    assert found
    return found


@pytest.fixture(scope="module")
def portal(app: Any) -> Iterator[str]:
    """The application on a port of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class RealProvider:
    """The provider's process; it can be started again with another key at the same address."""

    def __init__(self, node: str, portal: str) -> None:
        self.issuer = ""
        self.changed = False
        self._node, self._portal = node, portal
        self._process: subprocess.Popen[str] | None = None

    def start(
        self, *, kid: str = "first", in_token: bool = False, methods: Sequence[str] = METHODS, tell: str = ""
    ) -> None:
        """Start (again); `tell` is the path of ours that hears of sign-outs."""
        self.stop()
        client = {
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "redirect_uris": [f"{self._portal}/{door}/sso/callback" for door in ("portal", "admin")],
            "token_endpoint_auth_method": methods[0],
        }
        if tell:
            client |= {"backchannel_logout_uri": self._portal + tell, "backchannel_logout_session_required": True}
        port = int(self.issuer.rpartition(":")[2] or 0)
        settings = {
            "port": port,
            "clients": [client],
            "accounts": PEOPLE,
            "kid": kid,
            "inToken": in_token,
            "methods": methods,
        }
        self._process = subprocess.Popen(
            [self._node, ROOT / "tests/sso/provider.mjs"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(settings) + "\n")
        self._process.stdin.flush()
        self.issuer = json.loads(self._process.stdout.readline())["issuer"]
        self.changed = (kid, in_token, methods, tell) != ("first", False, METHODS, "")

    def stop(self) -> None:
        """End the process by closing its input."""
        if self._process is not None:
            self._process.communicate(timeout=20)
            self._process = None


@pytest.fixture(scope="module")
def running(node: str, portal: str) -> Iterator[RealProvider]:
    made = RealProvider(node, portal)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def real_provider(app: Any, running: RealProvider) -> Iterator[RealProvider]:
    app.extensions["portal_oidc"].forget()
    yield running
    if running.changed:
        running.start()


@pytest.fixture
def known(real_provider: RealProvider, configure: Any, app: Any) -> Any:
    """Let the tenant know the provider."""
    secret = app.extensions["portal_vault"].encrypt(SECRET.encode())
    values = {"issuer": real_provider.issuer, "client_id": CLIENT_ID, "client_secret": secret}
    return lambda *where, **fields: configure(*where, **(values | fields))


class Browser:
    """Follows redirects, pages in between and forms, at both sites with one jar of cookies."""

    def __init__(self, portal: str, door: str = "portal") -> None:
        self.portal, self.door = portal, door
        self.http = requests.Session()
        self.http.trust_env = False
        self.page: requests.Response | None = None

    @property
    def text(self) -> str:
        assert self.page is not None
        return self.page.text

    def open(self, path: str) -> None:
        """Go to an address."""
        self._show(self.http.get(urljoin(self.portal, path), timeout=20))

    def submit(self, **fields: str) -> None:
        """Fill the page's form that has all these fields, or the last one, and send it."""
        assert self.page is not None
        forms = [form for form in _FORM.findall(self.text) if all(f'name="{name}"' in form[1] for name in fields)]
        action, inside = forms[-1]
        data = {name: html.unescape(value) for name, value in _HIDDEN.findall(inside)} | fields
        self._show(self.http.post(urljoin(self.page.url, html.unescape(action)), data=data, timeout=20))

    def go_to_provider(self, address: str) -> None:
        """Choose single sign-on and name the work address."""
        self.open(f"/{self.door}/sso")
        self.submit(identifier=address)

    def sign_in_there(self, login: str) -> None:
        """The provider's two forms: who it is, and that the portal may know."""
        self.submit(login=login, password="anything")
        self.submit()

    def sign_out_there(self, issuer: str) -> None:
        """End the session at the provider, and say yes when it asks."""
        self.open(f"{issuer}/session/end")
        data = dict(_HIDDEN.findall(self.text)) | {"logout": "yes"}
        self._show(self.http.post(f"{issuer}/session/end/confirm", data=data, timeout=20))

    def cancel_there(self) -> None:
        """The provider's way out."""
        assert self.page is not None
        self._show(self.http.get(urljoin(self.page.url, _ABORT.findall(self.text)[0]), timeout=20))

    def _show(self, page: requests.Response) -> None:
        while found := _REFRESH.search(page.text):
            page = self.http.get(html.unescape(found[1]), timeout=20)
        self.page = page

    def is_at(self, path: str) -> bool:
        """Whether the page is one of the portal's, and all right."""
        assert self.page is not None
        return self.page.status_code == 200 and self.page.url.startswith(self.portal + path)


@pytest.fixture
def visit(portal: str) -> Any:
    return lambda door="portal": Browser(portal, door)


def linked(real: Any, world: Any, provider_id: UUID) -> dict[str, UUID]:
    """Subject -> login."""
    with real.begin(world.demo) as session:
        rows = session.scalars(select(ExternalIdentity).where(ExternalIdentity.provider_id == provider_id))
        return {row.subject: row.user_id for row in rows}


def test_a_customer_is_linked_and_known_the_second_time(known, visit, real, world):
    provider_id = known()
    bob = visit()
    bob.go_to_provider("bob@acme.example")
    assert 'value="bob@acme.example"' in bob.text
    bob.sign_in_there("bob")
    assert bob.is_at("/portal/")
    assert linked(real, world, provider_id) == {"bob": world.people["bob"].user_id}
    again = visit()
    again.go_to_provider("somebody@acme.example")
    again.sign_in_there("bob")
    assert again.is_at("/portal/")
    # The provider still knows this browser: no form of its in between.
    again.open("/portal/account/profile")
    assert "Bob Keller" in again.text
    again.http.cookies.pop("portico")
    again.go_to_provider("somebody@acme.example")
    assert again.is_at("/portal/")


def test_staff(known, visit, real, world):
    provider_id = known("staff", domains=("demo.example",))
    sam = visit("admin")
    sam.go_to_provider("sam@demo.example")
    sam.sign_in_there("sam")
    assert sam.is_at("/admin/tickets/")
    assert linked(real, world, provider_id) == {"sam": world.people["sam"].user_id}


def test_a_colleague_is_made(known, visit, real, world):
    known("customer", "acme")
    rosa = visit()
    rosa.go_to_provider("rosa@acme.example")
    rosa.sign_in_there("rosa")
    assert rosa.is_at("/portal/")
    with real.begin(world.demo) as session:
        person = session.scalars(select(Person).where(Person.email == "rosa@acme.example")).one()
        company = session.scalar(
            select(Membership.company_id).join(User, User.id == Membership.user_id).where(User.person_id == person.id)
        )
    assert (person.name, company) == ("Rosa Real", world.companies["acme"])


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_claims_in_the_token_and_both_ways_to_show_the_secret(known, visit, real_provider, method):
    known()
    real_provider.start(in_token=True, methods=[method])
    bob = visit()
    bob.go_to_provider("bob@acme.example")
    bob.sign_in_there("bob")
    assert bob.is_at("/portal/")


def test_the_provider_changes_its_key(known, visit, real_provider):
    known()
    bob = visit()
    bob.go_to_provider("bob@acme.example")
    bob.sign_in_there("bob")
    assert bob.is_at("/portal/")
    real_provider.start(kid="second")
    later = visit()
    later.go_to_provider("bob@acme.example")
    later.sign_in_there("bob")
    assert later.is_at("/portal/")


def test_a_sign_in_that_was_cancelled(known, visit, real, world):
    provider_id = known()
    bob = visit()
    bob.go_to_provider("bob@acme.example")
    bob.cancel_there()
    assert bob.page.status_code == 401
    assert "was not finished" in bob.text
    assert linked(real, world, provider_id) == {}
    bob.submit(identifier="bob@acme.example")
    bob.sign_in_there("bob")
    assert bob.is_at("/portal/")


def test_an_address_that_the_provider_has_not_verified(known, visit, real, world):
    provider_id = known()
    alice = visit()
    alice.go_to_provider("alice@acme.example")
    alice.sign_in_there("unproved")
    assert alice.page.status_code == 401
    assert linked(real, world, provider_id) == {}


def test_a_wrong_secret(known, visit, app):
    known(client_secret=app.extensions["portal_vault"].encrypt(b"old"))
    bob = visit()
    bob.go_to_provider("bob@acme.example")
    bob.sign_in_there("bob")
    assert (bob.page.status_code, "not set up correctly" in bob.text) == (401, True)


@contextmanager
def second_factor_of(real: Any, world: Any, name: str) -> Iterator[None]:
    """The person has a confirmed authenticator."""
    with real.begin(world.demo) as session:
        session.execute(delete(TotpFactor).where(TotpFactor.user_id == world.people[name].user_id))
        factor = TotpFactor(user_id=world.people[name].user_id, secret=b"x", confirmed_at=utcnow())
        session.add(factor)
    try:
        yield
    finally:
        with real.begin(world.demo) as session:
            session.delete(session.get(TotpFactor, factor.id))


@pytest.mark.parametrize(
    ("door", "name", "domain"), [("portal", "bob", "acme.example"), ("admin", "sam", "demo.example")]
)
def test_a_second_factor_is_still_owed(known, visit, real, world, door, name, domain):
    known("staff" if door == "admin" else "customer", domains=(domain,))
    with second_factor_of(real, world, name):
        one = visit(door)
        one.go_to_provider(f"{name}@{domain}")
        one.sign_in_there(name)
        assert one.page.url.startswith(f"{one.portal}/{door}/login/verify")
        one.open({"portal": "/portal/", "admin": "/admin/tickets/"}[door])
        assert f"/{door}/login" in one.page.url


def test_the_time_of_the_proof_is_asked_for_and_told(known, visit):
    known(max_age_minutes=5)
    bob = visit()
    bob.go_to_provider("bob@acme.example")
    bob.sign_in_there("bob")
    assert bob.is_at("/portal/")


def test_a_class_that_the_provider_does_not_confirm(known, visit, real, world):
    provider_id = known(demanded_acr="urn:mace:incommon:iap:silver")
    bob = visit()
    bob.go_to_provider("bob@acme.example")
    bob.sign_in_there("bob")
    assert bob.page.status_code == 401
    assert "did not confirm a second factor" in bob.text
    assert linked(real, world, provider_id) == {}


def test_a_sign_out_there_is_one_here(known, visit, real_provider, real, world):
    provider_id = known()
    real_provider.start(tell=f"/portal/sso/{provider_id}/backchannel-logout")
    bob, other = visit(), visit()
    for browser in (bob, other):
        browser.go_to_provider("bob@acme.example")
        browser.sign_in_there("bob")
        assert browser.is_at("/portal/")
    with real.begin(world.demo) as session:
        held = select(AuthSession.provider_sid).where(AuthSession.provider_id == provider_id)
        names = session.scalars(held).all()
    assert len(set(names)) == 2
    assert None not in names
    bob.sign_out_there(real_provider.issuer)
    bob.open("/portal/")
    assert "/portal/login" in bob.page.url
    other.open("/portal/")
    assert other.is_at("/portal/"), "another session at the provider"
