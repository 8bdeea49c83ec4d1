"""Mail by webhook: signed with the tenant's key, fresh, and taken once."""

import time
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select

from portal.lib.vault import Vault
from portal.models import InboundMail, MailIntake
from portal.services.mail_in.webhook import renew_key, signature
from tests.letters import letter
from tests.together import at_once

DEMO, NOVA = "http://127.0.0.1", "http://nova.localhost"


@pytest.fixture
def secret(app, sessions, settings, world, actor_of, now):
    """The tenant's key; the rules are as before afterwards."""
    with sessions.begin(world.demo) as session:
        made = renew_key(session, vault=Vault(settings.vault_secrets), actor=actor_of("ada"), now=now)
    yield made
    with sessions.begin(world.demo) as session:
        session.execute(delete(MailIntake))


def fresh() -> bytes:
    return letter(f"By webhook {uuid4()}", message_id=f"<{uuid4()}@hook.example>").as_bytes()


def post(app, secret, body, *, at=None, key="demo", base=DEMO, recipient="", signed=None, **more):
    at = int(time.time()) if at is None else at
    headers = {"X-Portico-Signature": f"t={at},v1={signature(secret, at, recipient, signed or body)}", **more}
    if recipient:
        headers["X-Portico-Recipient"] = recipient
    return app.test_client().post(
        f"/api/v1/mail/in/{key}", base_url=base, data=body, headers=headers, content_type="message/rfc822"
    )


def test_a_signed_message_opens_a_ticket_once(app, secret):
    body = fresh()
    first, second = (post(app, secret, body).get_json() for _ in range(2))
    assert (first["outcome"], first["repeated"]) == ("opened", False)
    assert (second["id"], second["repeated"]) == (first["id"], True)


def test_large_messages_are_taken(app, secret):
    message = letter("Log", message_id=f"<{uuid4()}@hook.example>")
    message.add_attachment(b"log line\n" * 400_000, maintype="text", subtype="plain", filename="a.txt")
    assert post(app, secret, message.as_bytes()).get_json()["outcome"] == "opened"


@pytest.mark.parametrize(
    "change",
    [
        {"at": 1}, {"at": int(time.time()) + 3_600}, {"signed": b"another body"}, {"X-Portico-Signature": ""},
        {"X-Portico-Signature": "t=1,v1=" + "0" * 64}, {"X-Portico-Signature": "v1=x"},
    ],
)  # fmt: skip
def test_nothing_else_is_believed(app, secret, change):
    answer = post(app, secret, fresh(), **change)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "signature_invalid")


def test_the_recipient_is_signed_too(app, secret):
    body, at = fresh(), int(time.time())
    headers = {"X-Portico-Signature": f"t={at},v1={signature(secret, at, '', body)}"}
    headers["X-Portico-Recipient"] = "help@demo.example"
    answer = app.test_client().post("/api/v1/mail/in/demo", base_url=DEMO, data=body, headers=headers)
    assert answer.status_code == 401


def test_foreign_mailboxes_and_keys_are_not_found(app, secret):
    assert post(app, secret, fresh(), recipient="help@nova.example").status_code == 404
    assert post(app, secret, fresh(), key="nova").status_code == 404
    assert post(app, secret, fresh(), recipient="help@demo.example").status_code == 200


def test_one_tenant_s_key_is_worth_nothing_at_another_s(app, secret):
    assert post(app, secret, fresh(), key="nova", base=NOVA).status_code == 401


def test_without_a_key_nothing_is_taken(app):
    assert post(app, "guess", fresh()).status_code == 401


def test_a_new_key_ends_the_old_one(app, secret, sessions, settings, world, actor_of, now):
    with sessions.begin(world.demo) as session:
        renew_key(session, vault=Vault(settings.vault_secrets), actor=actor_of("ada"), now=now)
    assert post(app, secret, fresh()).status_code == 401


def test_thirty_times_at_once_is_once(app, secret, sessions, world):
    body = fresh()
    answers = at_once(30, lambda _: post(app, secret, body))
    known = [answer.get_json() for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert sum(not one["repeated"] for one in known) == 1
    with sessions.begin(world.demo) as session:
        ids = {one["id"] for one in known}
        assert session.scalar(select(func.count()).where(InboundMail.id.in_(ids))) == len(ids) == 1
