"""Mail in on the desk: the log, decisions, addresses, and Settings → Mailbox."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select

from portal.lib.vault import Vault
from portal.models import BouncedAddress, InboundMail, MailIntake
from portal.services.mail_in.taking import MailTools, take_mail
from tests.admin.conftest import send
from tests.browsing import Browser
from tests.keeping import place_in
from tests.letters import letter
from tests.world import World

LOG, ADDRESSES, MAILBOX = "/admin/inbound/", "/admin/inbound/addresses/", "/admin/settings/mailbox/"


@pytest.fixture
def mia(staff: Any) -> Browser:
    return staff("mia")


@pytest.fixture
def ada(staff: Any) -> Browser:
    return staff("ada")


@pytest.fixture
def held(real: Any, world: World, settings: Any) -> UUID:
    """A stranger's mail."""
    message = letter("Is my <b>order</b> ready?", sender="eve@evil.example", subject="Order 12")
    message.replace_header("Message-ID", f"<{uuid4()}@evil.example>")
    tools = MailTools(Vault(settings.vault_secrets), place_in(settings))
    with real.begin(world.demo) as session:
        now = datetime.now(UTC)
        return take_mail(session, message.as_bytes(), recipient="help@demo.example", tools=tools, now=now).mail_id


@pytest.fixture
def _no_rules(real: Any, world: World) -> Iterator[None]:
    yield
    with real.begin(world.demo) as session:
        session.execute(delete(MailIntake))


def details(browser: Browser, mail_id: UUID) -> Any:
    return browser.get(f"{LOG}details/?id={mail_id}")


def row(real: Any, world: World, mail_id: UUID) -> InboundMail:
    with real.begin(world.demo) as session:
        return session.scalars(select(InboundMail).where(InboundMail.id == mail_id)).one()


def test_the_log_shows_what_became_of_mail(mia: Browser, held: UUID) -> None:
    page = mia.get(f"{LOG}?outcome=held&search=eve").get_data(as_text=True)
    assert "Order 12" in page
    assert "Unknown sender" in page
    shown = details(mia, held).get_data(as_text=True)
    assert "Is my &lt;b&gt;order&lt;/b&gt; ready?" in shown
    assert "This mail waits for a decision" in shown


def test_a_held_mail_becomes_a_customer_s_ticket(mia: Browser, held: UUID, real: Any, world: World) -> None:
    answer = send(mia, details(mia, held), f"{LOG}{held}/open", {"requester": "bob@acme.example"})
    opened = row(real, world, held)
    assert (answer.status_code, opened.outcome) == (303, "opened")
    assert str(opened.ticket_id) in answer.headers["Location"]
    again = send(mia, details(mia, held), f"{LOG}{held}/reject", {})
    assert (again.status_code, row(real, world, held).outcome) == (409, "opened")


def test_a_wrong_address_comes_back(mia: Browser, held: UUID) -> None:
    answer = send(mia, details(mia, held), f"{LOG}{held}/open", {"requester": "who@acme.example"})
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert "No customer with an active login has this address." in text
    assert 'value="who@acme.example"' in text


def test_what_cannot_be_released_says_why(mia: Browser, held: UUID, real: Any, world: World) -> None:
    answer = send(mia, details(mia, held), f"{LOG}{held}/release", {}, follow_redirects=True)
    assert "This mail cannot be released as it is." in answer.get_data(as_text=True)
    assert row(real, world, held).outcome == "held"


def test_a_held_mail_is_rejected(mia: Browser, held: UUID, real: Any, world: World) -> None:
    assert send(mia, details(mia, held), f"{LOG}{held}/reject", {}).status_code == 303
    assert row(real, world, held).outcome == "rejected"


def test_who_only_reads_gets_no_buttons(staff: Any, held: UUID) -> None:
    dora = staff("dora")
    assert "/reject" not in details(dora, held).get_data(as_text=True)
    assert send(dora, details(dora, held), f"{LOG}{held}/reject", {}).status_code == 403


def test_agents_and_customers_stay_outside(staff: Any, held: UUID) -> None:
    assert details(staff("sam"), held).status_code == 403
    assert details(staff("bob"), held).status_code == 303


def test_an_address_takes_mail_again(mia: Browser, real: Any, world: World) -> None:
    address = f"{uuid4().hex}@acme.example"
    with real.begin(world.demo) as session:
        bounced = BouncedAddress(id=uuid4(), address=address, hard=True, count=2, last_at=datetime.now(UTC))
        session.add(bounced)
    page = mia.get(f"{ADDRESSES}?search={address}")
    assert "Nothing is sent" in page.get_data(as_text=True)
    assert send(mia, page, f"{ADDRESSES}{bounced.id}/clear", {}).status_code == 303
    assert "Nothing is sent" not in mia.get(f"{ADDRESSES}?search={address}").get_data(as_text=True)
    assert send(mia, page, f"{ADDRESSES}{bounced.id}/clear", {}).status_code == 404


@pytest.mark.usefixtures("_no_rules")
def test_the_mailbox_is_saved_and_its_secrets_never_shown(ada: Browser, real: Any, world: World) -> None:
    sent = {"polled": "y", "host": "imap.demo.example", "port": "993", "security": "tls", "username": "support",
            "password": "a mailbox's password", "folder": "INBOX", "unknown_senders": "hold"}  # fmt: skip
    assert send(ada, ada.get(MAILBOX), MAILBOX, sent).status_code == 303
    page = ada.get(MAILBOX).get_data(as_text=True)
    assert "imap.demo.example" in page
    assert "mailbox's password" not in page
    assert "mailbox&#39;s password" not in page
    made = send(ada, ada.get(MAILBOX), f"{MAILBOX}key", {}).get_data(as_text=True)
    with real.begin(world.demo) as session:
        stored = session.scalars(select(MailIntake)).one()
    secret = Vault([ada.client.application.config["SETTINGS"].secret_key]).decrypt(stored.webhook_secret).decode()
    assert secret in made
    assert secret not in ada.get(MAILBOX).get_data(as_text=True)


@pytest.mark.usefixtures("_no_rules")
def test_what_is_wrong_stands_beside_its_field(ada: Browser) -> None:
    answer = send(ada, ada.get(MAILBOX), MAILBOX, {"polled": "y", "port": "x", "unknown_senders": "open"})
    assert answer.status_code == 422
    assert "No customer with an active login has this address." in answer.get_data(as_text=True)


@pytest.mark.usefixtures("_no_rules")
def test_a_test_of_nothing_says_so(ada: Browser) -> None:
    answer = send(ada, ada.get(MAILBOX), f"{MAILBOX}test", {}, follow_redirects=True)
    assert "Save server, user name and password first." in answer.get_data(as_text=True)


def test_only_administrators_open_the_mailbox(mia: Browser) -> None:
    assert mia.get(MAILBOX).status_code == 403
    assert "Mailbox" not in mia.get("/admin/settings/sla/policies/").get_data(as_text=True)
