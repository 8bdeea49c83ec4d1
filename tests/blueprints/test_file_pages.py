"""Files on the customer's pages: with scripts and without, kept when the form comes back, and nobody else's."""

import io
import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from portal.models import Attachment
from portal.models.session import TenantSessions
from portal.services.files.uploading import keep_file
from portal.services.tickets.conversation import add_note, reply_as_staff
from tests.browsing import sign_in
from tests.files import packed_objects, pdf, photograph
from tests.keeping import TEXT, upload
from tests.pictures import opened as picture_of
from tests.pictures import picture

NEW = "/portal/tickets/new"


@pytest.fixture
def visitor(app, world):
    return lambda name: sign_in(app, world, name)


@pytest.fixture
def bob(visitor):
    return visitor("bob")


@pytest.fixture
def real(app):
    return TenantSessions(app.extensions["portal_engine"])


def form(**fields):
    return {"subject": "VPN drops", "description": "Since Monday.", "category": "drill", "priority": "normal"} | fields


def opened(browser, **fields):
    answer = browser.post(NEW, form(request_key=str(uuid4()), **fields))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def file(name="vpn.log", content=TEXT):
    return io.BytesIO(content), name


def ahead(browser, name="vpn.log", content=TEXT):
    """Send a file as the page's script does."""
    prefix = "/admin/files/" if browser.door == "admin" else "/portal/files"
    return browser.post(prefix, {"file": file(name, content)})


def kept(page):
    """Ids of the files that a form brings along."""
    text = page.get_data(as_text=True)
    return re.findall(r'name="attachment_ids" value="([^"]+)"', text)


def addresses(page):
    """Where the files of a page are."""
    return sorted(set(re.findall(r'"(/(?:portal|admin)/files/[0-9a-f-]{36})"', page.get_data(as_text=True))))


def test_plain_forms_bring_files(bob):
    ticket = opened(bob, attachments=[file("a.log"), file("photo.jpg", photograph())])
    page = bob.get(ticket)
    text = page.get_data(as_text=True)
    assert "a.log" in text
    assert "photo.jpg" in text
    assert 'data-preview="picture"' in text
    assert len(addresses(page)) == 2
    assert bob.post(f"{ticket}/reply", {"message": "More.", "attachments": [file("b.log")]}).status_code == 303
    page = bob.get(ticket)
    assert "b.log" in page.get_data(as_text=True)
    answer = bob.get(addresses(page)[0])
    assert answer.status_code == 302
    content = bob.get(answer.headers["Location"])
    assert content.headers["Content-Disposition"].startswith("attachment")


def test_a_refused_file_keeps_the_words_and_the_others(bob):
    answer = bob.post(NEW, form(request_key=str(uuid4()), attachments=[file("a.log"), file("logo.svg", b"<svg/>")]))
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Since Monday." in text
    assert "“logo.svg” is of a kind that is not taken" in text
    (id_,) = kept(answer)
    again = bob.post(NEW, form(request_key=str(uuid4()), attachment_ids=id_))
    assert again.status_code == 303
    assert "a.log" in bob.get(again.headers["Location"]).get_data(as_text=True)


def test_files_stay_when_the_words_are_missing(bob):
    ticket = opened(bob)
    for path in (NEW, f"{ticket}/reply"):
        answer = bob.post(path, form(description="", message="", attachments=[file()]))
        assert answer.status_code == 422
        assert len(kept(answer)) == 1
    closed = opened(bob)
    assert bob.post(f"{closed}/close").status_code == 303
    answer = bob.post(f"{closed}/reopen", {"message": "", "attachments": [file()]})
    assert answer.status_code == 422
    assert len(kept(answer)) == 1


def test_each_refused_file_has_its_own_reason(bob):
    ticket = opened(bob)
    answer = bob.post(
        f"{ticket}/reply", {"message": "x", "attachments": [file("a.exe"), file("b.txt", b""), file("c.log")]}
    )
    text = answer.get_data(as_text=True)
    assert "“a.exe” is of a kind" in text
    assert "“b.txt” is empty" in text
    assert len(kept(answer)) == 1


def test_ten_files_and_no_more(bob):
    ticket = opened(bob)
    answer = bob.post(f"{ticket}/reply", {"message": "x", "attachments": [file(f"{at}.log") for at in range(11)]})
    assert answer.status_code == 422
    assert "At most 10 files" in answer.get_data(as_text=True)
    assert kept(answer) == []
    ten = [file(f"{at}.log") for at in range(10)]
    assert bob.post(f"{ticket}/reply", {"message": "x", "attachments": ten}).status_code == 303


def test_a_form_that_comes_twice_is_one_message(bob):
    ticket, key = opened(bob), str(uuid4())
    id_ = ahead(bob).get_json()["id"]
    for _ in range(2):
        answer = bob.post(f"{ticket}/reply", {"request_key": key, "message": "Only once", "attachment_ids": id_})
        assert answer.status_code == 303
    assert bob.get(ticket).get_data(as_text=True).count("Only once") == 1
    new = str(uuid4())
    id_ = ahead(bob).get_json()["id"]
    places = {bob.post(NEW, form(request_key=new, attachment_ids=id_)).headers["Location"] for _ in range(2)}
    assert len(places) == 1


def test_scripts_send_files_ahead(bob):
    answer = ahead(bob, "screen.png", picture("PNG"))
    told = answer.get_json()
    assert (answer.status_code, told["name"], told["state"]) == (201, "screen.png", "")
    assert told["size"]
    refused = ahead(bob, "logo.svg", b"<svg/>")
    assert refused.status_code == 422
    assert "logo.svg" in refused.get_json()["message"]
    assert bob.post("/portal/files").status_code == 422
    assert bob.post(f"/portal/files/{told['id']}/drop").status_code == 204
    assert bob.post(f"/portal/files/{told['id']}/drop").status_code == 204
    assert bob.get(f"/portal/files/{told['id']}").status_code == 404


def test_every_upload_needs_its_token(bob):
    for path in ("/portal/files", f"/portal/files/{uuid4()}/drop"):
        answer = bob.client.post(path, base_url="http://127.0.0.1", data={"file": file()})
        assert answer.status_code == 400


def test_another_ones_id_attaches_nothing(bob, visitor):
    id_ = ahead(visitor("alice")).get_json()["id"]
    answer = bob.post(NEW, form(request_key=str(uuid4()), attachment_ids=id_))
    assert answer.status_code == 422
    assert kept(answer) == []


def test_pictures_are_shown_and_nothing_else_runs(bob):
    ticket = opened(bob, attachments=[file("photo.jpg", photograph())])
    (address,) = addresses(bob.get(ticket))
    shown = bob.get(f"{address}/preview")
    assert (shown.status_code, shown.mimetype) == (200, "image/jpeg")
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert shown.headers["X-Frame-Options"] == "DENY"
    assert b"where I live" not in shown.get_data()
    small = bob.get(f"{address}/thumbnail")
    assert (small.mimetype, picture_of(small.get_data()).format) == ("image/webp", "WEBP")


def test_only_quiet_pdfs_are_shown_in_a_frame(bob):
    loud = pdf(packed_objects(b"1 0 << /S /JavaScript /JS (app.alert(1)) >>"))
    for content, status in ((pdf(), 200), (loud, 302)):
        ticket = opened(bob, attachments=[file("offer.pdf", content)])
        (address,) = addresses(bob.get(ticket))
        shown = bob.get(f"{address}/preview")
        assert shown.status_code == status
        if status == 200:
            assert shown.headers["X-Frame-Options"] == "SAMEORIGIN"
            assert "frame-ancestors 'self'" in shown.headers["Content-Security-Policy"]
            assert "script-src" not in shown.headers["Content-Security-Policy"]
        assert bob.get(f"{address}/thumbnail").status_code == 404


def test_text_is_never_shown_inline(bob):
    ticket = opened(bob, attachments=[file()])
    (address,) = addresses(bob.get(ticket))
    assert bob.get(f"{address}/preview").status_code == 302


@pytest.mark.parametrize("part", ["", "/preview", "/thumbnail", "/recording"])
def test_outsiders_find_nothing(bob, visitor, part):
    ticket = opened(bob, attachments=[file("photo.jpg", photograph())])
    (address,) = addresses(bob.get(ticket))
    for who in ("charlie", "nia"):
        assert visitor(who).get(address + part).status_code == 404
    desk = address.replace("/portal/", "/admin/")
    assert visitor("noor").get(desk + part).status_code == 404


def test_a_notes_file_is_not_even_a_name(bob, visitor, real, world, app):
    ticket = opened(bob)
    sam, now = world.people["sam"].actor, datetime.now(UTC)
    with real.begin(world.demo) as session:
        note = keep_file(session, upload("CANARY.log"), place=app.extensions["portal_files"], actor=sam, now=now)
        add_note(session, UUID(ticket[-36:]), message="Look.", actor=sam, now=now, attachment_ids=[note.id])
    assert "CANARY" not in bob.get(ticket).get_data(as_text=True)
    for part in ("", "/preview", "/thumbnail"):
        assert bob.get(f"/portal/files/{note.id}{part}").status_code == 404
    assert visitor("sam").get(f"/admin/files/{note.id}").status_code == 302


@pytest.fixture
def recording(bob, real, world, app):
    """A ticket's page, and the recording that waits there."""
    ticket = opened(bob)
    sam, now = world.people["sam"].actor, datetime.now(UTC)
    with real.begin(world.demo) as session:
        found = keep_file(session, upload("session.log"), place=app.extensions["portal_files"], actor=sam, now=now)
        reply_as_staff(
            session,
            UUID(ticket[-36:]),
            message="Our session.",
            actor=sam,
            now=now,
            attachment_ids=[found.id],
            file_purpose="recording",
        )
    return ticket, found.id


def test_the_customer_is_asked_about_a_recording(bob, recording):
    ticket, id_ = recording
    page = bob.get(ticket).get_data(as_text=True)
    question = f"/portal/files/{id_}/recording"
    assert question in page
    assert f'href="/portal/files/{id_}"' not in page
    assert bob.get(f"/portal/files/{id_}").status_code == 409
    assert "session.log" in bob.get(question).get_data(as_text=True)
    assert bob.post(question, {"decision": "allow"}).headers["Location"] == ticket
    assert bob.post(question, {"decision": "refuse"}).status_code == 409
    assert bob.get(question).headers["Location"] == ticket
    assert bob.get(f"/portal/files/{id_}").status_code == 302
    assert "agreed to the recording" in bob.get(ticket).get_data(as_text=True)


def test_a_refused_recording_is_gone(bob, recording, real, world):
    ticket, id_ = recording
    assert bob.post(f"/portal/files/{id_}/recording", {"decision": "refuse"}).status_code == 303
    assert bob.get(f"/portal/files/{id_}").status_code == 404
    assert "it was deleted" in bob.get(ticket).get_data(as_text=True)
    with real.begin(world.demo) as session:
        assert session.get(Attachment, id_).removed_at is not None


def test_a_page_full_of_files_keeps_its_budgets(bob):
    ticket = opened(bob, attachments=[file(f"{at}.log") for at in range(10)])
    for _ in range(2):
        assert (
            bob.post(f"{ticket}/reply", {"message": "x", "attachments": [file("s.png", picture("PNG"))]}).status_code
            == 303
        )
    answer = bob.get(ticket)
    assert int(re.search(r'desc="(\d+)"', answer.headers["Server-Timing"])[1]) <= 6
    assert len(answer.get_data()) <= 40 * 1024


def test_an_answer_with_a_file_that_was_sent_ahead_keeps_its_budget(bob):
    ticket = opened(bob)
    id_ = ahead(bob).get_json()["id"]
    answer = bob.post(f"{ticket}/reply", {"message": "x", "attachment_ids": id_})
    assert int(re.search(r'desc="(\d+)"', answer.headers["Server-Timing"])[1]) <= 8
