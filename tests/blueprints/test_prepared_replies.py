"""Prepared replies for customers: what is offered, filled in as data, editable, and for whom (H2.14)."""

from html import unescape
from uuid import uuid4

import pytest

from portal.models import Macro
from tests.blueprints.conftest import TICKETS, problem
from tests.browsing import sign_in

TEXTS = {"en": "It works again, {{customer.first_name}} here. ({{ticket.number}}: {{ ticket.subject }})", "fr": "Merci"}


@pytest.fixture
def prepare(session, sessions, world):
    made = []

    def make(name, tenant=None, **fields):
        values = {"audience": "customer", "texts": TEXTS, "actions": {}, "categories": [], "active": True} | fields
        with sessions.begin(tenant or world.demo) as real:
            macro = Macro(id=uuid4(), tenant_id=real.tenant_id, name=name, **values)
            real.add(macro)
            made.append((real.tenant_id, macro.id))
            return macro.id

    yield make
    for tenant_id, macro_id in made:
        with sessions.begin(tenant_id) as real:
            real.delete(real.get(Macro, macro_id))


def offered(api, ticket_id, names, who="bob"):
    """What is offered of these replies; other tests leave macros of their own."""
    items = api(who).get(f"{TICKETS}/{ticket_id}/prepared-replies").get_json()["items"]
    return [item for item in items if item["name"] in names]


def test_what_is_for_customers_and_fits_is_offered(api, world, ticket, prepare):
    made = ticket(category="drill")
    replies = {
        "B any": {"position": 2},
        "A this": {"position": 1, "categories": ["drill"]},
        "C other": {"categories": ["billing"]},
        "D staff": {"audience": "staff"},
        "E off": {"active": False},
        "F own": {"owner_id": world.people["sam"].user_id},
        "G no language": {"texts": {"de": "Danke"}},
        "H elsewhere": {"tenant": world.nova},
    }
    for name, fields in replies.items():
        prepare(name, **fields)
    assert [item["name"] for item in offered(api, made["id"], replies)] == ["A this", "B any"]


def test_places_are_filled_with_data(api, ticket, prepare):
    subject = "{{customer.name}} & <b>"
    made = ticket(subject=subject)
    prepare("Works")
    [item] = offered(api, made["id"], ["Works"])
    assert item["text"].startswith(f"It works again, Bob here. ({made['number']}: ")
    assert "{{customer.name}}" in item["text"]


def test_the_menu_inserts_and_the_page_works_without_scripts(app, world, ticket, prepare):
    page = f"/portal/tickets/{ticket()['id']}"
    chosen = prepare("Works")
    bob = sign_in(app, world, "bob")
    assert f'hx-get="{page}/prepared"' in bob.get(page).get_data(as_text=True)
    part = unescape(bob.get(f"{page}/prepared", headers={"HX-Request": "true"}).get_data(as_text=True))
    assert 'data-insert="It works again, Bob here.' in part
    plain = unescape(bob.get(f"{page}/prepared").get_data(as_text=True))
    assert f"{page}?prepared={chosen}#reply" in plain
    assert ">It works again, Bob here." in unescape(bob.get(f"{page}?prepared={chosen}").get_data(as_text=True))
    assert bob.get(f"{page}?prepared=x").status_code == 200


def test_not_for_strangers_or_staff(api, ticket):
    made = ticket()
    problem(api("charlie").get(f"{TICKETS}/{made['id']}/prepared-replies"), 404, "ticket_not_found")
    problem(api("sam").get(f"{TICKETS}/{made['id']}/prepared-replies"), 403, "not_allowed")
