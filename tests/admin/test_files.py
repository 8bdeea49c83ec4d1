"""Files at the desk: with answers and notes, and taking one out."""

import io
import re
from uuid import uuid4

import pytest

from tests.admin.conftest import hidden, send, statements_of
from tests.files import photograph
from tests.keeping import TEXT


def file(name="fix.log", content=TEXT):
    return io.BytesIO(content), name


@pytest.fixture
def sam(staff):
    return staff("sam")


def page_of(browser, ticket):
    return browser.get(f"/admin/tickets/{ticket}")


def answer(browser, ticket, **fields):
    page = page_of(browser, ticket)
    data = {"message": "Here.", "message_id": hidden(page, "message_id"), "seen": hidden(page, "seen")}
    return send(browser, page, f"/admin/tickets/{ticket}/reply", data | fields)


def test_answers_and_notes_bring_files(sam, staff, ticket):
    id_ = ticket()
    assert answer(sam, id_, attachments=[file("fix.log")]).status_code == 303
    page = page_of(sam, id_)
    note = send(sam, page, f"/admin/tickets/{id_}/note", {"message": "Look.", "attachments": [file("CANARY.log")]})
    assert note.status_code == 303
    text = page_of(sam, id_).get_data(as_text=True)
    assert "fix.log" in text
    assert "CANARY.log" in text
    customers = staff("bob").get(f"/portal/tickets/{id_}").get_data(as_text=True)
    assert "fix.log" in customers
    assert "CANARY.log" not in customers


def test_what_the_files_are_is_said(sam, staff, ticket):
    id_ = ticket()
    assert answer(sam, id_, attachments=[file("fix.log")], file_purpose="solution").status_code == 303
    assert answer(sam, id_, attachments=[file("session.log")], file_purpose="recording").status_code == 303
    text = page_of(sam, id_).get_data(as_text=True)
    assert "Waits for consent" in text
    assert "attached the solution: fix.log" in text
    assert "Allow or refuse" in staff("bob").get(f"/portal/tickets/{id_}").get_data(as_text=True)
    assert answer(sam, id_, attachments=[file()], file_purpose="nonsense").status_code == 422


def test_a_refused_file_keeps_the_words_and_the_others(sam, ticket):
    id_ = ticket()
    back = answer(sam, id_, message="My words", attachments=[file("fix.log"), file("a.exe")])
    text = back.get_data(as_text=True)
    assert back.status_code == 422
    assert "My words" in text
    assert "“a.exe” is of a kind" in text
    (kept,) = re.findall(r'name="attachment_ids" value="([^"]+)"', text)
    assert answer(sam, id_, attachment_ids=kept).status_code == 303
    page = page_of(sam, id_)
    back = send(sam, page, f"/admin/tickets/{id_}/note", {"message": "", "attachments": [file("n.log")]})
    assert back.status_code == 422
    assert len(re.findall(r'name="attachment_ids"', back.get_data(as_text=True))) == 1


def test_a_file_is_taken_out_once_and_by_who_may(sam, staff, ticket):
    id_ = ticket()
    answer(sam, id_, attachments=[file("secret.log")])
    page = page_of(sam, id_)
    (address,) = set(re.findall(r'action="(/admin/files/[0-9a-f-]{36}/remove)"', page.get_data(as_text=True)))
    assert send(staff("bill"), page_of(staff("bill"), id_), address, {}).status_code in (400, 403)
    assert "/remove" not in page_of(staff("bill"), id_).get_data(as_text=True)
    assert send(sam, page, address, {}).headers["Location"].endswith(str(id_))
    text = page_of(sam, id_).get_data(as_text=True)
    assert "removed the file secret.log" in text
    assert address not in text
    assert send(sam, page, address, {}).status_code == 404


def test_scripts_send_files_ahead(sam, staff, ticket):
    page = page_of(sam, ticket())
    told = send(sam, page, "/admin/files/", {"file": file()})
    assert told.status_code == 201
    assert send(sam, page, f"/admin/files/{told.get_json()['id']}/drop", {}).status_code == 204
    assert sam.get(f"/admin/files/{told.get_json()['id']}").status_code == 404
    ada = staff("dora")
    assert ada.post("/admin/files/", {"file": file()}).status_code == 403


def test_the_desk_sees_and_has_the_customers_files(sam, staff, ticket):
    id_ = ticket()
    bob = staff("bob")
    reply = {"message": "Look", "request_key": str(uuid4()), "attachments": [file("photo.jpg", photograph())]}
    assert bob.post(f"/portal/tickets/{id_}/reply", reply).status_code == 303
    page = page_of(sam, id_)
    (address,) = set(re.findall(r'"(/admin/files/[0-9a-f-]{36})"', page.get_data(as_text=True)))
    assert sam.get(f"{address}/thumbnail").mimetype == "image/webp"
    assert sam.get(f"{address}/preview").mimetype == "image/jpeg"
    assert sam.get(address).status_code == 302
    assert statements_of(page) <= 9
    assert len(page.get_data()) <= 40 * 1024
