"""Mail that came in through staff's API."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from portal.lib.vault import Vault
from portal.models import BouncedAddress
from portal.services.mail_in.taking import MailTools, take_mail
from tests.blueprints.conftest import codes, problem
from tests.keeping import place_in
from tests.letters import letter
from tests.world import World

MAILS, ADDRESSES = "/api/v1/staff/inbound-mails", "/api/v1/staff/bounced-addresses"


@pytest.fixture
def held(sessions: Any, world: World, settings: Any) -> Any:
    """Take strangers' mails with a word of this test's own in the subject; gives ids and the word."""

    def make(count: int = 1) -> tuple[list[str], str]:
        word, tools, ids = uuid4().hex[:12], MailTools(Vault(settings.vault_secrets), place_in(settings)), []
        for number in range(count):
            message = letter("Hello", sender=f"{word}@evil.example", subject=f"{word} {number}")
            message.replace_header("Message-ID", f"<{uuid4()}@evil.example>")
            with sessions.begin(world.demo) as session:
                now = datetime.now(UTC)
                taken = take_mail(session, message.as_bytes(), recipient="help@demo.example", tools=tools, now=now)
                ids.append(str(taken.mail_id))
        return ids, word

    return make


def test_the_log_is_read_page_by_page(api: Any, held: Any) -> None:
    ids, word = held(3)
    mia, seen, cursor = api("mia"), [], ""
    for _ in range(2):
        page = mia.get(f"{MAILS}?search={word}&outcome=held&limit=2&cursor={cursor}").get_json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"] or ""
    assert (seen, cursor) == (ids[::-1], "")
    assert codes(mia.get(f"{MAILS}?cursor=x")) == {"cursor": "cursor_invalid"}


def test_one_is_opened_once(api: Any, held: Any) -> None:
    (mail_id,), _ = held()
    mia, path = api("mia"), f"{MAILS}/{mail_id}"
    found = mia.get(path).get_json()
    assert (found["outcome"], found["reason"], found["text"]) == ("held", "unknown_sender", "Hello")
    assert codes(mia.post(f"{path}/open", json={"requester": "x@y.example"})) == {"requester": "mail_no_such_customer"}
    opened = mia.post(f"{path}/open", json={"requester": "bob@acme.example"}).get_json()
    assert opened["outcome"] == "opened"
    assert opened["ticket_id"]
    problem(mia.post(f"{path}/open", json={"requester": "bob@acme.example"}), 409, "mail_decided")
    problem(mia.post(f"{path}/reject", json={}), 409, "mail_decided")


def test_what_cannot_be_released_can_be_rejected(api: Any, held: Any) -> None:
    (mail_id,), _ = held()
    mia, path = api("mia"), f"{MAILS}/{mail_id}"
    problem(mia.post(f"{path}/release", json={}), 409, "mail_still_held")
    assert mia.post(f"{path}/reject", json={}).get_json()["outcome"] == "rejected"


def test_an_address_takes_mail_again_once(api: Any, sessions: Any, world: World) -> None:
    with sessions.begin(world.demo) as session:
        row = BouncedAddress(
            id=uuid4(), address=f"{uuid4().hex}@x.example", hard=True, count=1, last_at=datetime.now(UTC)
        )
        session.add(row)
    mia = api("mia")
    assert str(row.id) in {item["id"] for item in mia.get(ADDRESSES).get_json()["items"]}
    assert mia.request("DELETE", f"{ADDRESSES}/{row.id}").status_code == 204
    assert mia.request("DELETE", f"{ADDRESSES}/{row.id}").status_code == 404


def test_outsiders(api: Any, held: Any) -> None:
    (mail_id,), _ = held()
    for who in ("sam", "bob"):
        assert api(who).get(f"{MAILS}/{mail_id}").status_code == 403
    assert api("dora").post(f"{MAILS}/{mail_id}/reject", json={}).status_code == 403
    assert api("mia").get(f"{MAILS}/{uuid4()}").status_code == 404
