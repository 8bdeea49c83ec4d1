"""The pages of the mails' texts: words, a look at them on a ticket, versions, the standard again."""

import pytest
from sqlalchemy import delete, select

from portal.models import ConfigVersion, MailWords
from tests.admin.conftest import send
from tests.browsing import sign_in

BASE = "/admin/settings/mail-texts"
MAIL = f"{BASE}/ticket_answered/"


@pytest.fixture
def mia(staff):
    return staff("mia")


@pytest.fixture(autouse=True)
def _as_before(real, world):
    yield
    with real.begin(world.demo) as session:
        session.execute(delete(MailWords))
        session.execute(delete(ConfigVersion).where(ConfigVersion.record_type == "mail_words"))


def stored(real, world):
    with real.begin(world.demo) as session:
        return session.scalars(select(MailWords.texts).where(MailWords.kind == "ticket_answered")).one()


def test_words_are_saved_shown_and_taken_back(mia, real, world):
    assert "Sam" not in mia.get(MAIL).get_data(as_text=True)
    words = {"do": "save", "subject_en": "News of {{ticket.number}}", "body_en": "Read on."}
    assert send(mia, mia.get(MAIL), MAIL, words).status_code == 303
    assert stored(real, world) == {"en": {"subject": "News of {{ticket.number}}", "body": "Read on."}}
    assert send(mia, mia.get(MAIL), MAIL, {"do": "reset"}).status_code == 303
    assert stored(real, world) == {}
    history = mia.get(f"{MAIL}versions/").get_data(as_text=True)
    assert "before: Read on." in history
    assert send(mia, mia.get(MAIL), f"{MAIL}restore/", {"version": "1"}).status_code == 303
    assert stored(real, world)["en"]["body"] == "Read on."


def test_a_place_that_does_not_exist_is_named_with_its_line(mia):
    answer = send(mia, mia.get(MAIL), MAIL, {"do": "save", "body_en": "One\n{{secret}}"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "secret" in text
    assert 'id="body_en-error"' in text


def test_a_look_on_a_ticket_stores_nothing(mia, app, world, real):
    bob = sign_in(app, world, "bob")
    form = {"subject": "Preview me", "description": "Now.", "category": "drill", "priority": "normal"}
    where = bob.post("/portal/tickets/new", form | {"request_key": "5e2bb0a0-3a0f-4a52-9d0f-0c9c9b8f3a11"})
    page = bob.get(where.headers["Location"]).get_data(as_text=True)
    number = page.partition("<title>")[2].partition(" ")[0].strip()
    typed = {"do": "preview", "body_en": "About {{ticket.subject}}.", "preview_number": number}
    shown = send(mia, mia.get(MAIL), MAIL, typed).get_data(as_text=True)
    assert "About Preview me." in shown
    assert "Hello Bob," in shown
    with real.begin(world.demo) as session:
        assert not session.scalars(select(MailWords)).all()


def test_who_does_not_set_the_desk_up_reads_only(staff):
    sam = staff("sam")
    assert sam.get(f"{BASE}/").status_code == 200
    assert sam.get(MAIL).status_code == 403
    assert staff("mia").get(f"{BASE}/invitation/").status_code == 404
