"""Every operation × every role: allowed or refused exactly as `authz` says, and nothing refused is offered.

Operations are all routes of pages, back office and API with each of their methods, and the events of sockets.
Roles are the seven standard ones, own ones, nobody, and people of another tenant at this tenant's door.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

import pytest
from flask import Response
from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from portal.authz import ROLE_PERMISSIONS, Permission
from portal.blueprints.policies import PUBLIC, SIGNED_IN, policy_of
from portal.blueprints.realtime import _declared as SOCKET_EVENTS  # noqa: N812 - a table, read as one
from portal.demo.content import demo_uuid
from portal.demo.seed import seed_demo
from portal.extensions import limiter, socketio
from portal.integrations.storage import build_storage
from portal.lib.clock import utcnow
from portal.models import Membership, OutboxEvent, Person, Role, StaffRole, User, UserKind, UserStatus
from portal.models.session import TenantSessions, normalise_url
from portal.services.accounts.identity import build_identity, select_identity
from portal.services.accounts.roles import CHOICES
from portal.services.notifications.fan_out import fan_out
from portal.services.tickets.conversation import reply_as_staff
from portal.services.tickets.opening import NewTicket, create_ticket
from tests.browsing import csrf_token
from tests.conftest import CHEAP, settings_for

PASSWORD = "portico-demo"
HOST, ELSEWHERE = "http://127.0.0.1", "http://nova.localhost"
REACHED = 299
STANDARD = {
    Role.CUSTOMER: "ben@acme.example",
    Role.CUSTOMER_ADMIN: "ana@acme.example",
    Role.AGENT: "sam@demo.example",
    Role.MANAGER: "mia@demo.example",
    Role.BILLING: "bill@demo.example",
    Role.DESIGNER: "dora@demo.example",
    Role.TENANT_ADMIN: "ada@demo.example",
}
AUDITOR = frozenset({Permission.AUDIT_READ, Permission.AUDIT_EXPORT})
VISITS_PER_ENDPOINT = 3


@dataclass
class Somebody:
    """A role, and a browser and a program of somebody who has it (and of nobody else)."""

    name: str
    door: str | None
    permissions: frozenset[Permission]
    client: Any
    token: str = ""
    links: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def is_known_at(self, door: str) -> bool:
        """Whether this door knows who it is."""
        return self.door is not None and door in (self.door, "api")

    def expected(self, policy: Any, door: str) -> str:
        """`allowed`, `unknown` or `refused`."""
        if policy == PUBLIC:
            return "allowed"
        if not self.is_known_at(door):
            return "unknown"
        return "allowed" if policy == SIGNED_IN or policy in self.permissions else "refused"


@pytest.fixture(scope="module")
def app(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The application on the demo world."""
    from portal.app import create_app

    database.create_database("matrix", template="template")
    owner = create_engine(normalise_url(database.owner_url("matrix")), poolclass=NullPool)
    settings = settings_for(database, "matrix", tmp_path_factory.mktemp("matrix"))
    seed_demo(owner, password=PASSWORD, passwords=CHEAP, storage=build_storage(settings), now=utcnow())
    app = create_app(settings)
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    live_a_little(app)
    yield app
    app.extensions["portal_live"].stop()


def live_a_little(app: Any) -> None:
    """Something for the trail, for "Sent mail" and for the bell: a seeded world has none of its own."""
    tenant_id, now = demo_uuid("demo", "tenant"), utcnow()
    with TenantSessions(app.extensions["portal_engine"]).begin(tenant_id) as session:
        ben, sam = (
            build_identity(session.execute(select_identity().where(Person.email == email)).one()).actor
            for email in (STANDARD[Role.CUSTOMER], STANDARD[Role.AGENT])
        )
        ticket = create_ticket(session, NewTicket("Lights", "Out.", "general"), actor=ben, now=now)
        reply_as_staff(session, ticket.id, message="On our way.", actor=sam, now=now)
        session.flush()
        for event_id in session.scalars(select(OutboxEvent.id).where(OutboxEvent.record_id == ticket.id)).all():
            fan_out(session, event_id, base_url=HOST, now=now)


def sign_in(app: Any, name: str, email: str, permissions: frozenset[Permission], host: str = HOST) -> Somebody:
    """Sign in at the right door, and take a token."""
    limiter.reset()
    customer = email.endswith(("@acme.example", "@globex.example", "nia@nova.example"))
    somebody = Somebody(name, "portal" if customer else "admin", permissions, app.test_client())
    page = somebody.client.get(f"/{somebody.door}/login", base_url=host)
    sent = {"csrf_token": csrf_token(page), "identifier": email, "password": PASSWORD}
    assert somebody.client.post(f"/{somebody.door}/login", base_url=host, data=sent).status_code == 303
    body = {"identifier": email, "password": PASSWORD}
    answer = somebody.client.post("/api/v1/auth/token", base_url=host, json=body)
    somebody.token = answer.get_json()["access_token"]
    return somebody


def hire(app: Any, key: str, permissions: frozenset[Permission]) -> Somebody:
    """Somebody of the team with a role of the tenant's own making."""
    email = f"{key}@demo.example"
    with TenantSessions(app.extensions["portal_engine"]).begin(demo_uuid("demo", "tenant")) as session:
        role = StaffRole(tenant_id=session.tenant_id, name=key, permissions=sorted(permissions), id=uuid4())
        person = Person(id=uuid4(), tenant_id=session.tenant_id, name=key.title(), email=email)
        session.add_all([role, person])
        session.flush()
        hashed = session.scalars(select(User.password_hash).where(User.password_hash.is_not(None)).limit(1)).one()
        user = User(
            id=uuid4(),
            tenant_id=session.tenant_id,
            person_id=person.id,
            kind=UserKind.STAFF,
            status=UserStatus.ACTIVE,
            password_hash=hashed,
            mail_preferences={},
        )
        session.add(user)
        session.flush()
        session.add(Membership(tenant_id=session.tenant_id, user_id=user.id, role=Role.CUSTOM, staff_role_id=role.id))
    return sign_in(app, key, email, permissions | ROLE_PERMISSIONS[Role.CUSTOM])


@pytest.fixture(scope="module")
def everybody(app: Any) -> list[Somebody]:
    """The seven standard roles, one of the tenant's own, nobody, and two of another tenant with their cookies here."""
    found = [sign_in(app, role.value, email, ROLE_PERMISSIONS[role]) for role, email in STANDARD.items()]
    found.append(hire(app, "auditor", AUDITOR))
    found.append(Somebody("nobody", None, frozenset(), app.test_client()))
    for email in ("nia@nova.example", "noor@nova.example"):
        foreign = sign_in(app, email, email, frozenset(), ELSEWHERE)
        cookie = foreign.client.get_cookie("portico", domain="nova.localhost")
        assert cookie is not None
        here = app.test_client()
        here.set_cookie("portico", cookie.value, domain="127.0.0.1")
        found.append(Somebody(f"foreign {email}", None, frozenset(), here, foreign.token))
    return found


def door_of(path: str) -> str:
    return next((door for door in ("api", "admin") if path.startswith(f"/{door}")), "portal")


def operations(app: Any) -> list[tuple[str, str, str]]:
    """(endpoint, method, path) of everything that can be called, ids filled in with ones that nobody has."""
    found = []
    for rule in app.url_map.iter_rules():
        values = {
            name: {"UUIDConverter": uuid4(), "IntegerConverter": 1}.get(type(rule._converters[name]).__name__, "x")
            for name in rule.arguments
        }
        _, path = rule.build(values)
        found += [(rule.endpoint, method, path) for method in sorted(rule.methods - {"HEAD", "OPTIONS"})]
    return sorted(found)


@pytest.fixture
def stopped(app: Any) -> Iterator[None]:
    """Whoever passes the guard is stopped before the view, so that nothing is done and everything can be tried."""
    guards = app.before_request_funcs[None]

    def stop() -> Response:
        return Response(status=REACHED)

    guards.append(stop)
    yield
    guards.remove(stop)


def outcome(answer: Any) -> str:
    if answer.status_code == REACHED:
        return "allowed"
    if answer.status_code == 401 or (answer.status_code == 303 and "/login" in answer.headers["Location"]):
        return "unknown"
    return "refused" if answer.status_code == 403 else f"status {answer.status_code}"


def test_every_operation_by_every_role(app: Any, everybody: list[Somebody], stopped: None) -> None:
    table, wrong = operations(app), []
    for somebody in everybody:
        for endpoint, method, path in table:
            limiter.reset()
            door = door_of(path)
            headers = {"Authorization": f"Bearer {somebody.token}"} if door == "api" and somebody.token else {}
            answer = somebody.client.open(path, method=method, base_url=HOST, headers=headers)
            expected = somebody.expected(policy_of(app, endpoint), door)
            if outcome(answer) != expected:
                wrong.append((somebody.name, method, endpoint, expected, outcome(answer)))
    assert not wrong
    assert len(table) > 80
    assert len(everybody) == 11


def test_every_policy_is_one_of_ours(app: Any) -> None:
    for endpoint, _, _ in operations(app):
        policy = policy_of(app, endpoint)
        assert policy in (PUBLIC, SIGNED_IN) or isinstance(policy, Permission), endpoint


def test_every_socket_event_by_every_role(app: Any, everybody: list[Somebody]) -> None:
    assert {name for name, _, _ in socketio.handlers} == set(SOCKET_EVENTS)
    for somebody in everybody:
        line = socketio.test_client(app, flask_test_client=somebody.client, headers={"Host": "127.0.0.1"})
        known = somebody.door is not None
        assert line.is_connected() == known, somebody.name
        if not known:
            continue
        for name, policy in SOCKET_EVENTS.items():
            if name not in ("connect", "disconnect"):
                assert (line.emit(name, callback=True) is not None) == (policy in (PUBLIC, SIGNED_IN)), (name, policy)
        line.disconnect()


class Controls(HTMLParser):
    """What a page offers: links, forms and what its scripts fetch; (method, address) of each."""

    ADDRESSES = {"hx-get": "GET", "hx-post": "POST", "data-url": "GET", "data-drawer-url": "GET", "src": "GET"}

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._form: tuple[str, str] = ("GET", "")
        # Whether a button sends the form to its own address; one whose buttons all lead elsewhere has none.
        self._sends_itself = self._sends_elsewhere = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.found.append(("GET", given["href"]))
        if tag == "form":
            self._form = given.get("method", "get").upper(), given.get("action", "")
            self._sends_itself = self._sends_elsewhere = False
        if "formaction" in given:
            self._sends_elsewhere = True
            self.found.append((given.get("formmethod", self._form[0]).upper(), given["formaction"]))
        elif tag == "button" and given.get("type", "submit") == "submit":
            self._sends_itself = True
        for name, method in self.ADDRESSES.items():
            if name in given and not (name == "src" and tag != "iframe"):
                self.found.append((method, given[name]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and (self._sends_itself or not self._sends_elsewhere):
            self.found.append(self._form)


def walk(app: Any, somebody: Somebody) -> list[str]:
    """Follow every link from the first page behind the door; returns what leads nowhere or is refused."""
    adapter = app.url_map.bind("127.0.0.1")
    todo, seen, visits, broken = [f"/{somebody.door}/"], set(), defaultdict(int), []
    somebody.links.clear()
    while todo:
        path = todo.pop(0)
        limiter.reset()
        answer = somebody.client.get(path, base_url=HOST)
        if answer.status_code in (302, 303, 308):
            controls = [("GET", answer.headers["Location"])]
        elif answer.status_code == 200:
            page = Controls()
            # A mail in its frame is what somebody else was sent.
            if answer.mimetype == "text/html" and adapter.match(urlsplit(path).path)[0] != "mail.html_view":
                page.feed(answer.get_data(as_text=True))
            controls = page.found
        else:
            broken.append(f"{path}: {answer.status_code}")
            continue
        for method, address in controls:
            target = urlsplit(urljoin(f"{HOST}{path}", address))
            if (
                target.scheme != "http"
                or target.netloc != "127.0.0.1"
                or target.path.startswith(("/static/", "/socket"))
            ):
                continue
            try:
                endpoint, _ = adapter.match(target.path, method)
            except RequestRedirect as redirect:
                endpoint, _ = adapter.match(urlsplit(redirect.new_url).path, method)
            except HTTPException as error:
                broken.append(f"{path} offers {method} {target.path}: {error.code}")
                continue
            somebody.links[endpoint, method].add(path)
            wanted = f"{target.path}?{target.query}" if target.query else target.path
            if method == "GET" and wanted not in seen and visits[endpoint] < VISITS_PER_ENDPOINT:
                seen.add(wanted)
                visits[endpoint] += 1
                todo.append(wanted)
    return broken


def not_permitted(app: Any, somebody: Somebody) -> list[tuple[str, str, str]]:
    """(endpoint, method, page) of what was offered to somebody who is refused there."""
    doors = {rule.endpoint: door_of(rule.rule) for rule in app.url_map.iter_rules()}
    return [
        (endpoint, method, page)
        for (endpoint, method), pages in somebody.links.items()
        for page in sorted(pages)
        if somebody.expected(policy_of(app, endpoint), doors[endpoint]) != "allowed"
    ]


def test_no_page_offers_what_its_reader_may_not_do(app: Any, everybody: list[Somebody]) -> None:
    for somebody in everybody:
        if somebody.door is None:
            continue
        assert walk(app, somebody) == [], somebody.name
        assert not_permitted(app, somebody) == [], somebody.name
        assert len(somebody.links) > 8, somebody.name


def test_nor_does_any_page_for_any_role_of_ones_own(app: Any) -> None:
    """One permission each: what goes with it elsewhere must not be taken for granted."""
    live_a_little(app)
    broken, offered = {}, {}
    for permission in sorted(CHOICES):
        somebody = hire(app, permission.replace(":", "-"), frozenset({permission}))
        broken[permission.value] = walk(app, somebody)
        offered[permission.value] = not_permitted(app, somebody)
    assert {name: found for name, found in broken.items() if found} == {}
    assert {name: found for name, found in offered.items() if found} == {}


def test_the_walk_would_notice(app: Any) -> None:
    agent = sign_in(app, "agent", STANDARD[Role.AGENT], ROLE_PERMISSIONS[Role.AGENT])
    walk(app, agent)
    agent.permissions -= {Permission.DESK_REPLY}
    found = {endpoint for endpoint, _, _ in not_permitted(app, agent)}
    assert found == {"desk.reply", "desk_tools.macros", "desk_tools.reply_statuses", "side.new"}
