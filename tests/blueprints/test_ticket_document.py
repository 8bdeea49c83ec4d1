"""A ticket as PDF: what its customer may see, as it was written, in the reader's language."""

import io
from importlib import import_module

import pytest
from pypdf import PdfReader
from sqlalchemy import update

from portal.models import Tenant, User
from tests.blueprints.conftest import DESK, TICKETS, problem
from tests.browsing import program, sign_in

HOSTILE = '#import "base.typ": * #read("base.typ") $x$ \\ [a] *b* <l> @d'


def document(answer):
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.mimetype == "application/pdf"
    return PdfReader(io.BytesIO(answer.get_data()))


def text_of(answer):
    return " ".join(page.extract_text() for page in document(answer).pages)


@pytest.fixture
def story(api, ticket):
    made = ticket(subject="Backup fails", description=HOSTILE)
    api("sam").post(f"{DESK}/{made['id']}/notes", json={"message": "Never for customers"})
    api("sam").post(f"{DESK}/{made['id']}/reply", json={"message": "Which error do you see?"})
    api("bob").post(f"{TICKETS}/{made['id']}/reply", json={"message": "Disk\nfull"})
    return made


def test_it_holds_the_public_conversation_and_nothing_internal(api, story):
    answer = api("bob").get(f"{TICKETS}/{story['id']}/pdf")
    text = text_of(answer)
    for part in (story["number"], "Backup fails", "Which error do you see?", "Bob Keller", "Sam Okafor", "Kestrel IT"):
        assert part in text
    assert text.index("Which error") < text.index("Disk")
    assert "Never for customers" not in text
    assert "internal note" not in text.lower()
    assert f'filename="{story["number"]}.pdf"' in answer.headers["Content-Disposition"]
    assert document(answer).metadata.title == "Backup fails"


def test_what_people_wrote_is_no_markup(api, story):
    text = " ".join(text_of(api("bob").get(f"{TICKETS}/{story['id']}/pdf")).split())
    assert HOSTILE in text


@pytest.mark.parametrize("subject", ["#panic(1)", "= [", "$", "\\", '"', "#include", "*", "_", "`", "<a>", "@b", "//x"])
def test_any_subject_can_be_printed(api, ticket, subject):
    made = ticket(subject=subject)
    assert subject in text_of(api("bob").get(f"{TICKETS}/{made['id']}/pdf"))


def test_the_page_leads_to_it(app, world, story):
    bob, path = sign_in(app, world, "bob"), f"/portal/tickets/{story['id']}"
    assert f'href="{path}/pdf"' in bob.get(path).get_data(as_text=True)
    assert "Backup fails" in text_of(bob.get(f"{path}/pdf"))


def test_colleagues_of_the_company_only(app, api, world, story):
    path = f"{TICKETS}/{story['id']}/pdf"
    assert api("alice").get(path).status_code == 200
    problem(api("charlie").get(path), 404, "ticket_not_found")
    problem(program(app, world, "nia").get(path), 404, "ticket_not_found")
    problem(api("sam").get(path), 403, "not_allowed")
    problem(api(None).get(path), 401, "authentication_required")
    assert sign_in(app, world, "charlie").get(f"/portal/tickets/{story['id']}/pdf").status_code == 404


def test_in_arabic_from_the_right_with_the_tenant_s_colour(app, world, sessions):
    nia = program(app, world, "nia")
    body = {"subject": "الخادم لا يستجيب", "description": "منذ الصباح (VPN)", "category": "drill"}
    made = nia.post(TICKETS, json=body).get_json()
    with sessions.begin(world.nova) as session:
        brand = {"mark_letter": "N", "accent": "#0F766E"}
        session.execute(update(Tenant).where(Tenant.id == world.nova).values(brand=brand))
        session.execute(update(User).where(User.id == world.people["nia"].user_id).values(locale="ar"))
    app.extensions["portal_tenants"].forget()
    answer = nia.get(f"{TICKETS}/{made['id']}/pdf")
    with sessions.begin(world.nova) as session:
        session.execute(update(Tenant).where(Tenant.id == world.nova).values(brand={"mark_letter": "N"}))
        session.execute(update(User).where(User.id == world.people["nia"].user_id).values(locale=None))
    app.extensions["portal_tenants"].forget()
    reader = document(answer)
    assert reader.trailer["/Root"]["/Lang"] == "ar"
    page = reader.pages[0]
    assert "الخادم" in page.extract_text()
    assert "VPN" in page.extract_text()
    # 0F766E as fractions of one, as PDF writes colours.
    assert b"0.05882353 0.4627451 0.43137255" in page.get_contents().get_data()


def test_of_very_long_conversations_the_newest_is_printed(api, ticket, monkeypatch):
    monkeypatch.setattr(import_module("portal.blueprints.tickets.document"), "MOST_CHARACTERS", 50)
    made = ticket(description="The very first words, which have no room")
    for number in range(3):
        api("bob").post(f"{TICKETS}/{made['id']}/reply", json={"message": f"Message {number} of twenty ch"})
    text = text_of(api("bob").get(f"{TICKETS}/{made['id']}/pdf"))
    assert "Message 2" in text
    assert "Message 0" not in text
    assert "left out: 2" in text
