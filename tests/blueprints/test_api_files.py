"""Files by the API: sent ahead, taken along once, had by addresses that end."""

import io
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from portal.integrations.storage import build_storage
from portal.lib.clock import utcnow
from portal.lib.vault import Vault
from portal.models import Attachment, FileState, Tenant
from portal.models.session import TenantSessions
from portal.services.files.addresses import LIFE, FileAddress
from tests.blueprints.conftest import DESK, TICKETS, codes, problem
from tests.files import HOSTILE_NAMES, photograph
from tests.keeping import TEXT
from tests.pictures import opened, picture

FILES = "/api/v1/portal/attachments"
STAFF_FILES = "/api/v1/staff/attachments"


@pytest.fixture
def real(app):
    return TenantSessions(app.extensions["portal_engine"])


@pytest.fixture
def send(api):
    """Send a file as somebody and give the answer."""

    def make(who="bob", name="vpn.log", content=TEXT, *, path=None, **options):
        path = path or (STAFF_FILES if who in ("sam", "bill", "ada", "mia", "dora") else FILES)
        return api(who).post(path, data={"file": (io.BytesIO(content), name)}, **options)

    return make


@pytest.fixture
def sent(send):
    """The JSON of a file that was taken."""

    def make(*args, **options):
        answer = send(*args, **options)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return answer.get_json()

    return make


def refusal(answer):
    (error,) = problem(answer, 422)["errors"]
    return error["field"], error["code"], error["message"]


def link(caller, file, path=FILES):
    answer = caller.get(f"{path}/{file['id']}/link")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def follow(app, found, host="127.0.0.1"):
    return app.test_client().get(urlsplit(found["url"]).path, base_url=f"http://{host}")


def test_a_file_is_taken_and_described(sent, api):
    file = sent()
    assert file | {"id": "", "created_at": ""} == {
        "id": "",
        "filename": "vpn.log",
        "content_type": "text/plain",
        "size": len(TEXT),
        "state": "clean",
        "purpose": "message",
        "consent_at": None,
        "width": None,
        "height": None,
        "created_at": "",
    }
    assert api("bob").get(f"{FILES}/{file['id']}").get_json() == file


def test_a_ticket_and_an_answer_take_files_along(sent, api, ticket):
    first, second = sent(name="a.log"), sent(name="b.log")
    made = ticket(attachment_ids=[first["id"]])
    expected = {"id": first["id"], "filename": "a.log", "content_type": "text/plain", "size": len(TEXT)}
    assert made["attachments"] == [expected | {"state": "clean"}]
    body = {"message": "Here.", "attachment_ids": [second["id"]]}
    answer = api("bob").post(f"{TICKETS}/{made['id']}/reply", json=body)
    assert answer.status_code == 201
    assert answer.get_json()["attachments"] == [expected | {"id": second["id"], "filename": "b.log"}]
    for path, who in ((TICKETS, "alice"), (DESK, "sam")):
        found = api(who).get(f"{path}/{made['id']}").get_json()
        assert [file["filename"] for file in found["messages"][0]["attachments"]] == ["b.log"]
        assert [file["id"] for file in found["attachments"]] == [first["id"]]


def test_foreign_used_and_lost_ids_are_422(sent, api, ticket):
    made, mine, hers = ticket(), sent(), sent("alice")
    reply = f"{TICKETS}/{made['id']}/reply"
    for ids in ([hers["id"]], [str(uuid4())], [mine["id"], mine["id"]]):
        answer = api("bob").post(reply, json={"message": "x", "attachment_ids": ids})
        assert codes(answer) == {"attachment_ids": "file_unknown"}
    assert api("bob").post(reply, json={"message": "x", "attachment_ids": [mine["id"]]}).status_code == 201
    again = api("bob").post(reply, json={"message": "x", "attachment_ids": [mine["id"]]})
    assert codes(again) == {"attachment_ids": "file_unknown"}
    many = [str(uuid4()) for _ in range(11)]
    assert codes(api("bob").post(reply, json={"message": "x", "attachment_ids": many})) == {
        "attachment_ids": "too_many"
    }


def test_thirty_answers_at_once_and_one_file(sent, api, ticket, together):
    made, file = ticket(), sent()
    body = {"message": "Here.", "attachment_ids": [file["id"]]}
    answers = together(30, api("bob"), f"{TICKETS}/{made['id']}/reply", body)
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 29


@pytest.mark.parametrize(("name", "content", "code"), HOSTILE_NAMES)
def test_what_is_not_taken_says_why(send, name, content, code):
    field, found, message = refusal(send(name=name, content=content))
    assert (field, found) == ("file", code)
    assert name in message


def test_requests_that_are_no_upload(api):
    bob = api("bob")
    assert codes(bob.post(FILES, json={})) == {"file": "file_missing"}
    assert codes(bob.post(FILES, data={"other": (io.BytesIO(b"x"), "a.txt")})) == {"other": "unknown_field"}
    two = {"file": [(io.BytesIO(b"x"), "a.txt"), (io.BytesIO(b"y"), "b.txt")]}
    assert codes(bob.post(FILES, data=two)) == {"file": "given_twice"}
    extra = {"file": (io.BytesIO(b"x"), "a.txt"), "purpose": "solution"}
    assert codes(bob.post(FILES, data=extra)) == {"purpose": "unknown_field"}
    problem(api(None).post(FILES, data={"file": (io.BytesIO(b"x"), "a.txt")}), 401)
    problem(api("sam").post(FILES, data={"file": (io.BytesIO(b"x"), "a.txt")}), 403)
    problem(bob.post(STAFF_FILES, data={"file": (io.BytesIO(b"x"), "a.txt")}), 403)
    problem(api("dora").post(STAFF_FILES, data={"file": (io.BytesIO(b"x"), "a.txt")}), 403)


def test_the_tenant_decides_how_large_files_are(send, real, world):
    def settle(settings):
        with real.begin(world.demo) as session:
            session.execute(update(Tenant).where(Tenant.id == world.demo).values(settings=settings))

    # Set by the owner of the row; the service reads it anew at each upload.
    settle({"files": {"max_mb": 1}})
    try:
        assert refusal(send(content=b"x" * (1024 * 1024 + 1)))[1] == "file_too_large"
    finally:
        settle({})
    assert send(content=b"x" * (3 * 1024 * 1024)).status_code == 201


def test_other_bodies_stay_small(api, ticket):
    made = ticket()
    problem(api("bob").post(f"{TICKETS}/{made['id']}/reply", json={"message": "x" * 3_000_000}), 413)


def test_the_same_key_and_file_is_one_file(send):
    headers = {"Idempotency-Key": str(uuid4())}
    first, again = send(headers=headers), send(headers=headers)
    assert first.get_json() == again.get_json()
    assert again.headers["Idempotent-Replayed"] == "true"
    problem(send(content=TEXT + b"x", headers=headers), 422)
    problem(send(name="other.log", headers=headers), 422)


def test_an_address_hands_the_file_out_and_nothing_in_it_runs(app, sent, api):
    file = sent(name="Tür (1) – صورة.log")
    found = link(api("bob"), file)
    answer = follow(app, found)
    assert (answer.status_code, answer.get_data()) == (200, TEXT)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="T_r (1) _ ')
    assert "filename*=UTF-8''T%C3%BCr%20%281%29" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Length"] == str(len(TEXT))
    assert answer.mimetype == "text/plain"


def test_a_picture_comes_back_without_where_it_was_taken(app, sent, api):
    file = sent(name="photo.jpg", content=photograph())
    assert (file["width"], file["height"]) == (64, 48)
    content = follow(app, link(api("bob"), file)).get_data()
    assert b"where I live" not in content
    assert opened(content).size == (64, 48)


def test_an_address_ends(app, sent, api, world):
    file, bob = sent(), world.people["bob"]
    vault: Vault = app.extensions["portal_vault"]
    now = utcnow()

    def status(host="127.0.0.1", **changes):
        values = {
            "tenant_id": world.demo,
            "user_id": bob.user_id,
            "file_id": file["id"],
            "session_id": None,
            "until": now + LIFE,
        } | changes
        address = FileAddress(**values | {"file_id": UUID(str(values["file_id"]))})
        return follow(app, {"url": f"http://x/files/{address.sealed(vault)}"}, host).status_code

    assert status() == 200
    assert status(until=now - timedelta(seconds=1)) == 404
    assert status(user_id=world.people["charlie"].user_id) == 404
    assert status(user_id=world.people["alice"].user_id) == 404
    assert status(user_id=uuid4()) == 404
    assert status(file_id=uuid4()) == 404
    assert status(session_id=uuid4()) == 404
    assert status(tenant_id=world.nova) == 404
    assert status(host="nova.localhost") == 404
    assert status(host="nova.localhost", tenant_id=world.nova, user_id=world.people["nia"].user_id) == 404
    for token in ("x", "A" * 240, vault.encrypt(b"something else").decode()):
        assert follow(app, {"url": f"http://x/files/{token}"}).status_code == 404


def test_an_address_ends_with_the_session_it_was_made_in(app, sent, api):
    file, bob = sent(), api("bob")
    found = link(bob, file)
    other = link(api("bob"), file)
    assert follow(app, found).status_code == 200
    tokens = bob.post(
        "/api/v1/auth/token", json={"identifier": "bob@acme.example", "password": "correct horse battery"}
    )
    mine = type(bob)(bob.client, bob.host, tokens.get_json()["access_token"])
    third = link(mine, file)
    revoked = mine.post("/api/v1/auth/revoke", json={"refresh_token": tokens.get_json()["refresh_token"]})
    assert revoked.status_code in (200, 204)
    assert follow(app, third).status_code == 404
    assert follow(app, other).status_code == 200


def test_an_address_ends_with_the_file(app, sent, api, ticket):
    file, sam = sent(), api("sam")
    made = ticket(attachment_ids=[file["id"]])
    found = link(api("bob"), file)
    for who in ("bob", "bill"):
        path = f"{STAFF_FILES}/{file['id']}/remove"
        problem(api(who).post(path), 403)
    assert sam.post(f"{STAFF_FILES}/{file['id']}/remove").status_code == 204
    assert follow(app, found).status_code == 404
    problem(api("bob").get(f"{FILES}/{file['id']}/link"), 404)
    problem(sam.post(f"{STAFF_FILES}/{file['id']}/remove"), 404)
    assert api("bob").get(f"{TICKETS}/{made['id']}").get_json()["attachments"] == []


def test_outsiders_find_nothing(sent, api, ticket):
    file = sent()
    ticket(attachment_ids=[file["id"]])
    for who in ("charlie", "nia"):
        for path in ("", "/link"):
            problem(api(who).get(f"{FILES}/{file['id']}{path}"), 404)
        problem(api(who).post(f"{FILES}/{file['id']}/consent", json={"granted": True}), 404)
        problem(api(who).request("DELETE", f"{FILES}/{file['id']}"), 404)
    problem(api("noor").get(f"{STAFF_FILES}/{file['id']}"), 404)
    assert api("alice").get(f"{FILES}/{file['id']}").status_code == 200
    assert api("bill").get(f"{STAFF_FILES}/{file['id']}").status_code == 200


def test_a_notes_file_is_the_teams(sent, api, ticket):
    made, file = ticket(), sent("sam", name="CANARY.log")
    body = {"message": "Look.", "attachment_ids": [file["id"]]}
    assert api("sam").post(f"{DESK}/{made['id']}/notes", json=body).status_code == 201
    for who in ("bob", "alice"):
        problem(api(who).get(f"{FILES}/{file['id']}"), 404)
        problem(api(who).get(f"{FILES}/{file['id']}/link"), 404)
        assert "CANARY" not in api(who).get(f"{TICKETS}/{made['id']}").get_data(as_text=True)
    assert "CANARY" in api("bill").get(f"{DESK}/{made['id']}").get_data(as_text=True)


def test_a_loose_file_is_taken_back_once(sent, api):
    file = sent()
    problem(api("alice").request("DELETE", f"{FILES}/{file['id']}"), 404)
    assert api("bob").request("DELETE", f"{FILES}/{file['id']}").status_code == 204
    problem(api("bob").request("DELETE", f"{FILES}/{file['id']}"), 404)


def test_a_recording_waits_for_its_customer(app, sent, api, ticket):
    made, file = ticket(), sent("sam", name="session.log")
    body = {"message": "Our session.", "attachment_ids": [file["id"]], "file_purpose": "recording"}
    assert api("sam").post(f"{DESK}/{made['id']}/reply", json=body).status_code == 201
    problem(api("bob").get(f"{FILES}/{file['id']}/link"), 409, "recording_without_consent")
    problem(api("sam").get(f"{STAFF_FILES}/{file['id']}/link"), 409, "recording_without_consent")
    problem(api("sam").post(f"{FILES}/{file['id']}/consent", json={"granted": True}), 403)
    answer = api("bob").post(f"{FILES}/{file['id']}/consent", json={"granted": True})
    assert answer.get_json()["consent_at"]
    problem(api("alice").post(f"{FILES}/{file['id']}/consent", json={"granted": False}), 409, "recording_decided")
    assert follow(app, link(api("bob"), file)).get_data() == TEXT


def test_a_file_that_is_still_looked_at_is_409(app, sent, api, real, world):
    file = sent()

    def settle(state):
        with real.begin(world.demo) as session:
            session.execute(update(Attachment).where(Attachment.id == file["id"]).values(state=state))

    settle(FileState.SCANNING)
    problem(api("bob").get(f"{FILES}/{file['id']}/link"), 409, "file_scanning")
    settle(FileState.REFUSED)
    problem(api("bob").get(f"{FILES}/{file['id']}/link"), 409, "file_refused")


def test_bytes_that_are_gone_are_404(app, sent, api, real, world, settings):
    file = sent()
    found = link(api("bob"), file)
    with real.begin(world.demo) as session:
        key = session.get(Attachment, UUID(file["id"])).storage_key
    build_storage(settings).delete([key])
    assert follow(app, found).status_code == 404


def test_uploads_stand_in_the_document(api):
    paths = api(None).get("/api/v1/openapi.json").get_json()["paths"]
    for path in (FILES, STAFF_FILES):
        body = paths[path]["post"]["requestBody"]["content"]
        assert list(body) == ["multipart/form-data"]
        assert set(paths[path]["post"]["responses"]) >= {"201", "401", "403", "413", "422"}


def test_thumbnails_have_no_address_of_the_api(sent):
    assert "thumbnail" not in str(sent(name="s.png", content=picture("PNG")))
