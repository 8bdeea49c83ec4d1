"""One walk over everything that can be read: nobody sees what is internal or somebody else's."""

import html
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from portal.demo.content import SYSTEM, DemoTenant, demo_uuid
from portal.demo.files import FILES
from portal.demo.people import DEMO, NOVA
from portal.demo.seed import seed_demo
from portal.extensions import limiter
from portal.integrations.storage import build_storage
from portal.lib.clock import utcnow
from portal.models.session import normalise_url
from tests.browsing import csrf_token
from tests.conftest import CHEAP, settings_for

PASSWORD = "portico-demo"
DOORS = {"ana@acme.example": "portal", "ben@acme.example": "portal", "chloe@globex.example": "portal",
         "nia@nova.example": "portal", "sam@demo.example": "admin", "bill@demo.example": "admin",
         "dora@demo.example": "admin", "ada@demo.example": "admin", "noor@nova.example": "admin"}  # fmt: skip
EVERYBODY = [None, *DOORS]


def demo_files() -> list[UUID]:
    """Every file of the demo world."""
    return [demo_uuid(*key[:1], "file", key[1], at) for key, files in FILES.items() for at in range(len(files))]


def unlike_tickets() -> list[UUID]:
    """A ticket of each kind, as far as who may read what of it is concerned; those of one kind are read alike."""
    kinds: dict[tuple[Any, ...], UUID] = {}
    for tenant in (DEMO, NOVA):
        for ticket in tenant.tickets:
            has_notes = any(message.internal for message in ticket.messages)
            files = FILES.get((tenant.key, ticket.key), ())
            hides_files = any(ticket.messages[file.message].internal for file in files)
            kind = (tenant.key, ticket.company, ticket.requester, has_notes, bool(files), hides_files)
            kinds.setdefault(kind, demo_uuid(tenant.key, "ticket", ticket.key))
    return list(kinds.values())


@dataclass
class Walk:
    """The application on a seeded database, and every address in it."""

    app: Any

    def addresses(self, door: str) -> list[str]:
        """All GET addresses, with ids of own, foreign and other tenants' tickets filled in."""
        tickets = unlike_tickets()
        found = []
        for rule in self.app.url_map.iter_rules():
            if "GET" not in (rule.methods or ()) or rule.endpoint in ("static", "health.ready"):
                continue
            if not rule.arguments:
                found.append(rule.rule)
            elif "attachment_id" in rule.arguments:
                found += [rule.rule.replace("<uuid:attachment_id>", str(file)) for file in demo_files()]
            elif "ticket_id" in rule.arguments:
                found += [rule.rule.replace("<uuid:ticket_id>", str(ticket)) for ticket in tickets]
        return [path for path in found if "<" not in path]

    def sign_in(self, person: str | None) -> tuple[Any, str, dict[str, str]]:
        """A client with cookie and token of the person, and its host."""
        client = self.app.test_client()
        host = "http://nova.localhost" if person and person.endswith("nova.example") else "http://127.0.0.1"
        limiter.reset()
        if person is None:
            return client, host, {}
        page = client.get(f"/{DOORS[person]}/login", base_url=host)
        form = {"csrf_token": csrf_token(page), "identifier": person, "password": PASSWORD}
        assert client.post(f"/{DOORS[person]}/login", base_url=host, data=form).status_code == 303
        answer = client.post("/api/v1/auth/token", base_url=host, json={"identifier": person, "password": PASSWORD})
        return client, host, {"Authorization": f"Bearer {answer.get_json()['access_token']}"}


@pytest.fixture(scope="module")
def walk(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    from portal.app import create_app

    database.create_database("canaries", template="template")
    owner = create_engine(normalise_url(database.owner_url("canaries")), poolclass=NullPool)
    settings = settings_for(database, "canaries", tmp_path_factory.mktemp("canaries"))
    seed_demo(owner, password=PASSWORD, passwords=CHEAP, storage=build_storage(settings), now=utcnow())
    app = create_app(settings)
    return Walk(app)


def phrase(text: str) -> str:
    """A run of plain words of a text, long enough to be unmistakable in page and JSON."""
    return " ".join(text.replace("`", " ").replace("*", " ").split()[:7])


def forbidden_for(person: str | None) -> set[str]:
    """What this person must never read."""
    tenants: list[DemoTenant] = [DEMO, NOVA]
    texts: set[str] = set()
    for tenant in tenants:
        own_tenant = person is not None and person.endswith("nova.example") == (tenant.key == "nova")
        staff = person is not None and DOORS[person] == "admin"
        company = next((p.company for p in tenant.people if p.email == person), None)
        for ticket in tenant.tickets:
            notes = {phrase(m.text) for m in ticket.messages if m.internal and m.sender != SYSTEM}
            files = FILES.get((tenant.key, ticket.key), ())
            if not (own_tenant and staff):
                texts |= notes | {file.name for file in files if ticket.messages[file.message].internal}
            if not own_tenant or (not staff and ticket.company != company):
                texts |= {file.name for file in files}
            if not own_tenant or (not staff and ticket.company != company):
                texts.add(ticket.subject)
            if person == "ben@acme.example" and ticket.requester != person:
                texts.add(ticket.subject)
    return texts


def readable(body: str) -> str:
    """A page or a JSON answer as one line of plain text."""
    try:
        body = json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        body = html.unescape(body)
    return " ".join(body.replace("\\n", " ").replace("<code>", " ").replace("</code>", " ").split())


@pytest.mark.parametrize("person", EVERYBODY)
def test_nobody_reads_what_is_not_theirs(walk: Walk, person: str | None) -> None:
    client, host, headers = walk.sign_in(person)
    forbidden = forbidden_for(person)
    leaks, broken = [], []
    for path in walk.addresses("portal"):
        # Hundreds of refusals from one origin would otherwise meet the limit instead of the rule.
        limiter.reset()
        answer = client.get(path, base_url=host, headers=headers if path.startswith("/api/") else {})
        if answer.status_code >= 500:
            broken.append((path, answer.status_code))
        text = readable(answer.get_data().decode(errors="replace"))
        leaks += [(path, canary) for canary in forbidden if canary in text]
    assert not broken
    assert not leaks


def test_the_walk_would_notice(walk: Walk) -> None:
    client, host, _ = walk.sign_in("sam@demo.example")
    notes = {phrase(m.text) for t in DEMO.tickets for m in t.messages if m.internal and m.sender != SYSTEM}
    seen = set()
    for ticket in DEMO.tickets:
        page = client.get(f"/admin/tickets/{demo_uuid('demo', 'ticket', ticket.key)}", base_url=host)
        text = readable(page.get_data(as_text=True))
        seen |= {note for note in notes if note in text}
    assert len(seen) > len(notes) * 0.7
