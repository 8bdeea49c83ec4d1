"""Contracts on pages and through the API: read, signed once, declined; the check of sealed copies for anybody."""

import hashlib
import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from sqlalchemy import update

from portal.models import Signature, SignatureStatus, Tenant
from portal.services.sealing.making import seal_record
from tests.blueprints.conftest import problem
from tests.browsing import host_of, sign_in
from tests.contracts import send_new, sign_as, tools_for
from tests.world import PASSWORD

PATH = "/api/v1/portal/contracts"
STAFF = "/api/v1/staff/contracts"
AGREED = {"signer_name": "Alice Moreau", "consent": True}


@pytest.fixture
def storage(app: Any) -> Any:
    return app.extensions["portal_files"].storage


@pytest.fixture
def contract(sessions: Any, world: Any, storage: Any) -> Any:
    with sessions.begin(world.demo) as session:
        return send_new(session, world, storage, now=datetime.now(UTC))


@pytest.fixture
def sealed(sessions: Any, world: Any, storage: Any, settings: Any, contract: Any) -> Any:
    with sessions.begin(world.demo) as session:
        sign_as(session, world, contract, "alice", storage, now=datetime.now(UTC))
    tools = tools_for(settings, storage)
    seal_record(sessions, world.demo, "contract", contract.id, tools=tools, now=datetime.now(UTC))
    return contract


def agreed(contract: Any, **values: Any) -> dict[str, Any]:
    return AGREED | {"content_sha256": contract.content_sha256.hex()} | values


def test_a_program_reads_signs_once_and_gets_the_sealed_copy(api, contract, sessions, world, settings, storage):
    alice = api("alice")
    listed = {one["id"]: one for one in alice.get(f"{PATH}?limit=100").get_json()["items"]}
    assert listed[str(contract.id)]["awaits_me"] is True
    found = alice.get(f"{PATH}/{contract.id}").get_json()
    document = alice.get(f"{PATH}/{contract.id}/pdf")
    assert hashlib.sha256(document.data).hexdigest() == found["content_sha256"]
    assert found["status"] == "sent"
    assert found["next_step"]["kind"] == "contract_reminder"
    problem(alice.get(f"{PATH}/{contract.id}/signed.pdf"), 409, "seal_pending")
    signed = alice.post(f"{PATH}/{contract.id}/sign", json=agreed(contract))
    assert signed.status_code == 200, signed.get_data(as_text=True)
    assert signed.get_json()["status"] == "signed"
    assert signed.get_json()["signed_at"]
    assert signed.get_json()["evidence_url"] is None
    problem(alice.post(f"{PATH}/{contract.id}/sign", json=agreed(contract)), 409, "already_signed")
    seal_record(
        sessions, world.demo, "contract", contract.id, tools=tools_for(settings, storage), now=datetime.now(UTC)
    )
    copy = alice.get(f"{PATH}/{contract.id}/signed.pdf")
    assert copy.mimetype == "application/pdf"
    assert copy.data.startswith(document.data)
    code = alice.get(f"{PATH}/{contract.id}").get_json()["evidence_url"].rsplit("/", 1)[1]
    assert "/verify/" in alice.get(f"{PATH}/{contract.id}").get_json()["evidence_url"]
    assert alice.client.get(f"/verify/{code}", base_url="http://127.0.0.1").status_code == 200


def test_what_was_not_read_is_not_signed(api, contract):
    alice = api("alice")
    problem(
        alice.post(f"{PATH}/{contract.id}/sign", json=agreed(contract, content_sha256="0" * 64)),
        409,
        "document_changed",
    )
    refused = alice.post(f"{PATH}/{contract.id}/sign", json=agreed(contract, consent=False))
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["field"] == "consent"


@pytest.mark.parametrize("who", ["charlie", "nia"])
def test_others_find_nothing(api, contract, who):
    stranger = api(who)
    for path in ("", "/pdf", "/signed.pdf"):
        assert stranger.get(f"{PATH}/{contract.id}{path}").status_code == 404, path
    problem(stranger.post(f"{PATH}/{contract.id}/sign", json=agreed(contract)), 404, "contract_not_found")
    problem(stranger.post(f"{PATH}/{contract.id}/decline", json={"reason": "x"}), 404, "contract_not_found")


def test_a_colleague_reads_and_does_not_sign(api, contract):
    bob = api("bob")
    assert bob.get(f"{PATH}/{contract.id}").get_json()["awaits_me"] is False
    problem(bob.post(f"{PATH}/{contract.id}/sign", json=agreed(contract)), 403, "not_allowed")


def test_the_team_drafts_sends_countersigns_and_voids(api, world):
    mia = api("mia")
    people = [
        {"user_id": str(world.people[name].user_id), "position": place}
        for place, name in enumerate(("mia", "alice"), 1)
    ]
    body = {
        "customer_id": str(world.companies["acme"]),
        "title": "Hosting",
        "body": "Text.",
        "signers": people,
        "in_order": True,
    }
    made = mia.post(STAFF, json=body)
    assert made.status_code == 201, made.get_data(as_text=True)
    path = f"{STAFF}/{made.get_json()['id']}"
    assert mia.request("PUT", path, json=body | {"title": "Hosting 2"}).get_json()["title"] == "Hosting 2"
    sent = mia.post(f"{path}/send", json={}).get_json()
    problem(mia.request("PUT", path, json=body), 409, "contract_frozen")
    alice_path = path.replace("staff", "portal")
    given = AGREED | {"content_sha256": sent["content_sha256"]}
    problem(api("alice").post(f"{alice_path}/sign", json=given), 409, "not_your_turn")
    signed = mia.post(f"{path}/sign", json=given | {"signer_name": "Mia Lindqvist"}).get_json()
    assert [one["status"] for one in signed["signers"]] == ["signed", "waiting"]
    assert signed["signers"][0]["factors"] == "pwd"
    assert "address" not in api("alice").get(alice_path).get_json()["signers"][0]
    assert mia.post(f"{path}/remind", json={}).status_code == 200
    assert mia.post(f"{path}/void", json={"reason": "Wrong term"}).get_json()["status"] == "void"
    problem(api("alice").post(f"{alice_path}/sign", json=given), 409, "contract_not_open")
    problem(api("sam").post(STAFF, json=body), 403, "not_allowed")


def test_a_person_reads_and_signs_on_the_page(app, world, contract, sessions):
    alice = sign_in(app, world, "alice")
    assert "Service agreement" in alice.get("/portal/contracts").get_data(as_text=True)
    page = alice.get(f"/portal/contracts/{contract.id}").get_data(as_text=True)
    assert "<strong>your servers</strong>" in page
    assert f'name="content_sha256" value="{contract.content_sha256.hex()}"' in page
    framed = alice.get(f"/portal/contracts/{contract.id}/document.pdf")
    assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert hashlib.sha256(framed.data).digest() == contract.content_sha256
    form = {"signer_name": "Alice Moreau", "content_sha256": contract.content_sha256.hex()}
    refused = alice.post(f"/portal/contracts/{contract.id}/sign", form)
    assert refused.status_code == 422
    assert "Please agree before you sign." in refused.get_data(as_text=True)
    assert alice.post(f"/portal/contracts/{contract.id}/sign", form | {"consent": "1"}).status_code == 303
    with sessions.begin(world.demo) as session:
        [place] = session.query(Signature).where(Signature.record_id == contract.id)
        assert place.status is SignatureStatus.SIGNED
        assert place.viewed_at is not None
        assert place.viewed_at < place.decided_at
        assert place.factors == "pwd+recent"


def test_declining_on_the_page_asks_for_the_reason(app, world, contract):
    alice = sign_in(app, world, "alice")
    path = f"/portal/contracts/{contract.id}/decline"
    assert alice.post(path, {"reason": " "}).status_code == 422
    assert alice.post(path, {"reason": "Too long a term"}).status_code == 303
    assert "Too long a term" in alice.get(f"/portal/contracts/{contract.id}").get_data(as_text=True)


def test_pages_of_the_team(app, world, contract):
    mia = sign_in(app, world, "mia")
    assert "Service agreement" in mia.get("/admin/contracts/").get_data(as_text=True)
    assert mia.get(f"/admin/contracts/{contract.id}").status_code == 200
    choose = mia.get(f"/admin/contracts/new?customer_id={world.companies['acme']}").get_data(as_text=True)
    assert "Alice Moreau" in choose
    assert "Charlie" not in choose
    draft = {"customer_id": str(world.companies["acme"]), "title": "Backup", "body": "Daily.", "locale": "en",
             "signers": str(world.people["alice"].user_id), "starts_on": "tomorrow"}  # fmt: skip
    assert mia.post("/admin/contracts/new", draft).status_code == 422
    made = mia.post("/admin/contracts/new", draft | {"starts_on": "2026-12-01"})
    assert made.status_code == 303
    place = made.headers["Location"]
    assert mia.get(f"{place}/document.pdf").data.startswith(b"%PDF")
    assert mia.post(f"{place}/send").status_code == 303
    assert "To be signed" in mia.get(place).get_data(as_text=True)
    assert sign_in(app, world, "sam").get("/admin/contracts/").status_code == 403


def test_anybody_checks_a_sealed_copy(app, world, sealed, api):
    anybody = app.test_client()
    code = api("alice").get(f"{PATH}/{sealed.id}").get_json()["evidence_url"].rsplit("/", 1)[1]
    copy = api("alice").get(f"{PATH}/{sealed.id}/signed.pdf").data

    def page(host="127.0.0.1", **query):
        answer = anybody.get(f"/verify/{code}", query_string=query, base_url=f"http://{host}")
        return answer.status_code, unescape(answer.get_data(as_text=True))

    status, shown = page()
    assert status == 200
    assert "Sealed, and unchanged since" in shown
    assert "Alice Moreau" in shown
    assert "alice@" not in shown
    digest = hashlib.sha256(copy).hexdigest()
    assert re.search(f'data-sealed="{digest}"', shown)
    assert (
        "This is the sealed document, unchanged"
        in page(sha256=digest.upper())[1].split("<details")[0].split("</h2>")[1]
    )
    for pasted, told in (
        (sealed.content_sha256.hex(), "This is the document that was signed, without its signatures"),
        ("0" * 64, "This is not the sealed document"),
        ("abc", "This is no SHA-256"),
    ):
        assert page(sha256=pasted)[1].count(told) > shown.count(told), pasted
    assert page(host=host_of(world, "nia"))[0] == 404
    missing = anybody.get("/verify/AAAAAAAAAAAAAAAAAAAAAA", base_url="http://127.0.0.1")
    assert missing.status_code == 404
    assert "There is no sealed document with this code." in unescape(missing.get_data(as_text=True))


def test_a_tenant_asks_signers_for_a_fresh_proof(api, app, world, contract, sessions):
    with sessions.begin(world.demo) as session:
        session.execute(update(Tenant).where(Tenant.id == world.demo).values(settings={"signing": {"step_up": True}}))
    try:
        alice = api("alice")
        problem(alice.post(f"{PATH}/{contract.id}/sign", json=agreed(contract)), 403, "step_up_required")
        assert alice.post(f"{PATH}/{contract.id}/sign", json=agreed(contract, password=PASSWORD)).status_code == 200
    finally:
        with sessions.begin(world.demo) as session:
            session.execute(update(Tenant).where(Tenant.id == world.demo).values(settings={}))


def test_what_is_agreed_to_is_told_and_another_version_is_refused(api, contract):
    path = f"{PATH}/{contract.id}"
    found = api("alice").get(path).get_json()
    assert "Acme" in found["consent_text"]
    problem(api("alice").post(f"{path}/sign", json=agreed(contract, consent_version="other")), 409, "consent_changed")
    signed = api("alice").post(f"{path}/sign", json=agreed(contract, consent_version=found["consent_version"]))
    assert signed.status_code == 200
    team = api("mia").get(f"{STAFF}/{contract.id}").get_json()
    assert team["signers"][0]["consent_version"] == found["consent_version"]
    assert "Kestrel" in team["consent_text"]


def test_without_a_word_on_the_order_the_tenants_usual_one_holds(api, world):
    people = [
        {"user_id": str(world.people[name].user_id), "position": at} for at, name in enumerate(("mia", "alice"), 1)
    ]
    body = {"customer_id": str(world.companies["acme"]), "title": "Hosting", "body": "Text.", "signers": people}
    assert api("mia").post(STAFF, json=body).get_json()["in_order"] is True
    assert api("mia").post(STAFF, json=body | {"in_order": False}).get_json()["in_order"] is False
