"""Files of disputes by API and on the pages of both sides; addresses that end with the right to the dispute."""

import io
import re
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from portal.models import Attachment, AuthSession, Dispute, Membership
from portal.models.session import TenantSessions
from tests.browsing import Browser, csrf_token, sign_in
from tests.keeping import TEXT
from tests.pictures import picture
from tests.world import World

OWN, STAFF = "/api/v1/portal", "/api/v1/staff"


def money(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture
def invoice(api: Any, world: World) -> dict[str, Any]:
    """One line to Acme, 100.00 without tax."""
    lines = [{"description": "Visit", "quantity": "1", "unit_price": money(10_000), "tax_rate": "0"}]
    due = (date.today() + timedelta(days=20)).isoformat()
    body = {"customer_id": str(world.companies["acme"]), "currency": "EUR", "due_on": due, "lines": lines}
    made: dict[str, Any] = api("bill").post(f"{STAFF}/invoices", json=body).get_json()
    return made


@pytest.fixture
def real(app: Any) -> TenantSessions:
    return TenantSessions(app.extensions["portal_engine"])


@pytest.fixture
def browser(app: Any, world: World) -> Any:
    return lambda name: sign_in(app, world, name)


@pytest.fixture
def sent(api: Any) -> Any:
    """The id of a file that somebody sent ahead."""

    def make(who: str = "bob", name: str = "note.log", content: bytes = TEXT) -> str:
        base = STAFF if who == "bill" else OWN
        answer = api(who).post(f"{base}/evidence", data={"file": (io.BytesIO(content), name)})
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return str(answer.get_json()["id"])

    return make


@pytest.fixture
def dispute(api: Any, invoice: dict[str, Any]) -> Any:
    def make(*files: str) -> str:
        body = {"reason": "Nobody came", "attachment_ids": list(files)}
        answer = api("bob").post(f"{OWN}/invoices/{invoice['id']}/disputes", json=body)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return str(answer.get_json()["id"])

    return make


def send(browser: Browser, page: str, path: str, data: dict[str, Any]) -> Any:
    form = {"csrf_token": csrf_token(browser.get(page)), **data}
    return browser.client.post(path, base_url=f"http://{browser.host}", data=form)


def file(name: str = "note.log", content: bytes = TEXT) -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def test_by_api_on_both_sides(api: Any, sent: Any, dispute: Any) -> None:
    found = dispute(sent())
    path = f"/disputes/{found}/evidence"
    assert api("bob").post(f"{OWN}{path}", json={"attachment_ids": [sent()]}).status_code == 200
    assert api("bill").post(f"{STAFF}{path}", json={"attachment_ids": [sent("bill")]}).status_code == 200
    body = {"outcome": "rejected", "answer": "We were there", "attachment_ids": [sent("bill", "protocol.log")]}
    assert api("bill").post(f"{STAFF}/disputes/{found}/resolve", json=body).status_code == 200
    for who, base in (("alice", OWN), ("bill", STAFF)):
        items = api(who).get(f"{base}{path}").get_json()["items"]
        assert [one["side"] for one in items] == ["customer", "customer", "team", "team"]
        link = api(who).get(f"{base}/evidence/{items[3]['id']}/link").get_json()
        assert api(who).get(urlsplit(link["url"]).path).data == TEXT
    late = api("bob").post(f"{OWN}{path}", json={"attachment_ids": [sent()]})
    assert (late.status_code, late.get_json()["code"]) == (409, "dispute_decided")


def test_outsiders_by_api(api: Any, sent: Any, dispute: Any) -> None:
    kept = sent()
    found = dispute(kept)
    for path in (f"/disputes/{found}/evidence", f"/evidence/{kept}", f"/evidence/{kept}/link"):
        assert api("charlie").get(f"{OWN}{path}").status_code == 404
        assert api("dora").get(f"{STAFF}{path}").status_code == 403
        assert api("bob").get(f"{STAFF}{path}").status_code == 403
        assert api("sam").get(f"{STAFF}{path}").status_code == 200
    body = {"attachment_ids": [kept]}
    assert api("charlie").post(f"{OWN}/disputes/{found}/evidence", json=body).status_code == 404
    assert api("sam").post(f"{STAFF}/disputes/{found}/evidence", json=body).status_code == 403
    assert api("charlie").request("DELETE", f"{OWN}/evidence/{kept}").status_code == 404
    # It is no file of a ticket, so the addresses of those do not have it.
    for who, base in (("bob", OWN), ("sam", STAFF)):
        assert api(who).get(f"{base}/attachments/{kept}").status_code == 404
        assert api(who).get(f"{base}/attachments/{kept}/link").status_code == 404


def test_types_are_checked_by_content(api: Any) -> None:
    answer = api("bob").post(f"{OWN}/evidence", data={"file": file("scan.pdf", b"<html><script>x</script>")})
    assert answer.status_code == 422
    answer = api("bob").post(f"{OWN}/evidence", data={"file": file("run.exe", b"MZ" + bytes(100))})
    assert answer.get_json()["errors"][0]["code"] == "file_kind_not_allowed"


def test_an_own_file_is_taken_back(api: Any, sent: Any) -> None:
    kept = sent()
    assert api("bob").request("DELETE", f"{OWN}/evidence/{kept}").status_code == 204
    assert api("bob").get(f"{OWN}/evidence/{kept}").status_code == 404


def test_an_address_ends_with_the_right_to_the_dispute(
    api: Any, browser: Any, sent: Any, dispute: Any, real: TenantSessions, world: World
) -> None:
    kept = sent()
    dispute(kept)
    bob = browser("bob")
    address = bob.get(f"/portal/evidence/{kept}").headers["Location"]
    assert bob.get(address).data == TEXT
    assert api(None).get(address).status_code == 200
    user = world.people["bob"].user_id
    with real.begin(world.demo) as session:
        companies = session.scalars(select(Membership).where(Membership.user_id == user)).all()
        saved = [(one.company_id, one.role) for one in companies]
        session.execute(delete(Membership).where(Membership.user_id == user))
    try:
        assert api(None).get(address).status_code == 404
    finally:
        with real.begin(world.demo) as session:
            session.add_all(Membership(user_id=user, company_id=company, role=role) for company, role in saved)
    assert api(None).get(address).status_code == 200
    with real.begin(world.demo) as session:
        held = session.scalars(select(AuthSession).where(AuthSession.user_id == user, AuthSession.revoked_at.is_(None)))
        for one in held:
            one.revoked_at = one.created_at
    assert api(None).get(address).status_code == 404


def test_customers_without_scripts(browser: Any, invoice: dict[str, Any], real: TenantSessions, world: World) -> None:
    bob, page = browser("bob"), f"/portal/invoices/{invoice['id']}/disputes/new"
    # A form that is refused keeps its files.
    answer = send(bob, page, page, {"category": "other", "reason": "", "attachments": [file()]})
    assert answer.status_code == 422
    (kept,) = re.findall(r'name="attachment_ids" value="([^"]+)"', answer.get_data(as_text=True))
    answer = send(bob, page, page, {"category": "other", "reason": "x", "attachments": [file("run.exe", b"MZ" * 50)]})
    assert answer.status_code == 422
    assert "run.exe" in answer.get_data(as_text=True)
    form = {"category": "other", "reason": "Nobody came", "attachment_ids": kept}
    answer = send(bob, page, page, form | {"attachments": [file("photo.png", picture("PNG"))]})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    detail = answer.headers["Location"]
    text = bob.get(detail).get_data(as_text=True)
    assert "note.log" in text
    assert "photo.png" in text
    assert 'data-preview="picture"' in text
    added = send(bob, detail, f"{detail}/evidence", {"attachments": [file("more.log")]})
    assert added.status_code == 303
    assert "more.log" in bob.get(detail).get_data(as_text=True)
    empty = send(bob, detail, f"{detail}/evidence", {})
    assert empty.status_code == 422
    with real.begin(world.demo) as session:
        found = session.get_one(Dispute, UUID(detail.rsplit("/", 1)[1]))
        files = session.scalars(select(Attachment).where(Attachment.dispute_id == found.id)).all()
    assert len(files) == 3
    for one in files:
        assert bob.get(f"/portal/evidence/{one.id}").status_code == 302
        assert browser("charlie").get(f"/portal/evidence/{one.id}").status_code == 404
        assert bob.get(f"/portal/files/{one.id}").status_code == 404


def test_with_scripts_files_go_ahead(browser: Any) -> None:
    bob = browser("bob")
    answer = bob.post("/portal/evidence", {"file": file()})
    assert answer.status_code == 201
    kept = answer.get_json()["id"]
    assert bob.post(f"/portal/evidence/{kept}/drop", {}).status_code == 204
    bill = browser("bill")
    assert bill.post("/admin/evidence/", {"file": file()}).status_code == 201
    assert browser("sam").post("/admin/evidence/", {"file": file()}).status_code == 403


def test_the_team_s_page(browser: Any, sent: Any, dispute: Any) -> None:
    kept = sent()
    found = dispute(kept)
    bill, page = browser("bill"), f"/admin/disputes/{found}"
    text = bill.get(page).get_data(as_text=True)
    assert "note.log" in text
    assert f"/admin/evidence/{kept}" in text
    assert send(bill, page, f"{page}/evidence", {"attachments": [file("route.log")]}).status_code == 303
    refused = send(bill, page, f"{page}/evidence", {"attachments": [file("run.exe", b"MZ" * 50)]})
    assert refused.status_code == 422
    form = {"outcome": "rejected", "answer": "", "attachments": [file("protocol.log")]}
    again = send(bill, page, f"{page}/resolve", form)
    assert again.status_code == 422
    (waiting,) = re.findall(r'name="attachment_ids" value="([^"]+)"', again.get_data(as_text=True))
    form = {"outcome": "rejected", "answer": "We were there", "attachment_ids": waiting}
    assert send(bill, page, f"{page}/resolve", form).status_code == 303
    own = browser("bob").get(f"/portal/disputes/{found}").get_data(as_text=True)
    assert "route.log" in own
    assert "protocol.log" in own
    assert "add-files" not in own
    # Whoever reads disputes without deciding them sees the files and no form.
    sam = browser("sam")
    assert "note.log" in sam.get(page).get_data(as_text=True)
    assert sam.get(f"/admin/evidence/{kept}").status_code == 302
    assert browser("dora").get(f"/admin/evidence/{kept}").status_code == 403
