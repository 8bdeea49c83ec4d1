"""Companies, people, sent mail, the audit log, notices and own preferences."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from portal.models import MailMessage, MailState, Notification, User
from tests.admin.conftest import send, statements_of
from tests.world import World


@pytest.fixture(autouse=True)
def _known_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.services.tenants.directory.FRESH_FOR_SECONDS", 3600.0)


@pytest.fixture
def mail(real: Any, world: World) -> MailMessage:
    """A mail whose HTML part tries everything a page of ours must not allow."""
    with real.begin(world.demo) as session:
        row = MailMessage(
            id=uuid4(),
            tenant_id=world.demo,
            event_id=uuid4(),
            template="ticket_answered",
            recipient="bob@acme.example",
            locale="en",
            message_id=f"<{uuid4()}@kestrel.example>",
            subject="Your ticket <b>TCK-1</b>",
            text="Hello Bob,\nwe answered.",
            html="<p>Hello</p><script>alert(1)</script>",
            state=MailState.SENT,
            attempts=1,
            created_at=datetime.now(UTC),
        )
        session.add(row)
    return row


def test_lists_take_few_statements(staff: Any, mail: MailMessage) -> None:
    ada = staff("ada")
    ada.get("/admin/tickets/")
    for path, most in (
        ("companies/", 3),
        ("people/", 3),
        ("mail/", 3),
        ("audit/", 3),
        ("sla/policies/", 4),
        ("sla/calendars/", 3),
        ("sla/categories/", 3),
        ("notifications/", 3),
    ):
        assert statements_of(ada.get(f"/admin/{path}")) <= most, path


def test_companies_and_people_are_found(staff: Any, world: World) -> None:
    sam = staff("sam")
    assert "Globex" not in sam.get("/admin/companies/?search=acm").get_data(as_text=True)
    assert "Acme" in sam.get("/admin/companies/?search=acm").get_data(as_text=True)
    assert "Nothing matches" in sam.get("/admin/companies/?search=100%25").get_data(as_text=True)
    company = sam.get(f"/admin/companies/details/?id={world.companies['acme']}").get_data(as_text=True)
    assert "Bob Keller" in company
    assert "Charlie" not in company
    team = sam.get("/admin/people/?kind=staff").get_data(as_text=True)
    assert "Mia Lindqvist" in team
    assert "Bob Keller" not in team
    assert "Team lead" in team


@pytest.mark.parametrize(
    "query", ["search=%00", "search=%25_%27", "page=-5", "page=999999999999", "page=x", "kind=zzz"]
)
def test_odd_addresses_are_answered(staff: Any, query: str) -> None:
    ada = staff("ada")
    for path in ("companies/", "people/", "mail/", "audit/"):
        assert ada.get(f"/admin/{path}?{query}").status_code == 200, path


def test_a_mail_is_shown_as_it_was_sent(staff: Any, mail: MailMessage) -> None:
    ada = staff("ada")
    assert "bob@acme.example" in ada.get("/admin/mail/?search=bob").get_data(as_text=True)
    page = ada.get(f"/admin/mail/details/?id={mail.id}").get_data(as_text=True)
    assert "we answered." in page
    assert "Your ticket &lt;b&gt;" in page
    assert "<script>alert" not in page
    assert "iframe" in page
    assert " sandbox " in page


def test_the_html_part_is_shut_in(staff: Any, mail: MailMessage) -> None:
    part = staff("ada").get(f"/admin/mail/{mail.id}/html")
    policy = part.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy
    assert "allow-scripts" not in policy
    assert part.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert part.get_data(as_text=True) == mail.html


def test_the_audit_log_is_filtered_and_paged(staff: Any, ticket: Any) -> None:
    for _ in range(30):
        ticket()
    ada = staff("ada")
    page = ada.get("/admin/audit/?action=ticket.created").get_data(as_text=True)
    assert page.count('<tr id="audit-') == 25
    assert 'rel="next"' in page
    assert "Ticket opened" in page
    assert "Signed in" not in page.split("<tbody>")[1]
    by = ada.get("/admin/audit/?actor=Bob&since=2000-01-01&until=2999-01-01").get_data(as_text=True)
    assert "Bob Keller" in by
    nothing = ada.get("/admin/audit/?since=2999-01-01").get_data(as_text=True)
    assert "Nothing matches these filters" in nothing
    assert ada.get("/admin/audit/?record_id=zzz").get_data(as_text=True).count('<tr id="audit-') == 0
    assert ada.get("/admin/audit/?since=garbage&cursor=").status_code == 200


def test_the_bell(staff: Any, real: Any, world: World, ticket: Any) -> None:
    ticket_id = ticket()
    with real.begin(world.demo) as session:
        # What other tests rang for is read already.
        own = Notification.user_id == world.people["jonas"].user_id
        session.execute(update(Notification).where(own).values(read_at=datetime.now(UTC)))
        notice = Notification(
            id=uuid4(),
            tenant_id=world.demo,
            user_id=world.people["jonas"].user_id,
            event_id=uuid4(),
            kind="ticket_opened",
            record_type="ticket",
            record_id=ticket_id,
            params={"actor": "Bob Keller"},
            created_at=datetime.now(UTC),
        )
        session.add(notice)
    jonas = staff("jonas")
    page = jonas.get("/admin/notifications/")
    assert "New ticket from Bob Keller" in page.get_data(as_text=True)
    assert jonas.get("/admin/counts/").get_json()["notifications"] == "1"
    assert send(staff("sam"), page, f"/admin/notifications/{notice.id}", {}).status_code in (400, 404)
    opened = send(jonas, page, f"/admin/notifications/{notice.id}", {})
    assert opened.headers["Location"] == f"/admin/tickets/{ticket_id}"
    assert jonas.get("/admin/counts/").get_json()["notifications"] == 0
    assert send(jonas, page, "/admin/notifications/read", {}).status_code == 303


def test_own_preferences(staff: Any, real: Any, world: World) -> None:
    dora = staff("dora")
    page = dora.get("/admin/preferences/")
    assert send(dora, page, "/admin/preferences/save", {"locale": "ar", "theme": "dark"}).status_code == 303
    shown = dora.get("/admin/tickets/").get_data(as_text=True)
    assert '<html lang="ar" dir="rtl" data-theme="dark">' in shown
    assert send(dora, page, "/admin/preferences/save", {"locale": "xx"}).status_code == 422
    assert send(dora, page, "/admin/preferences/save", {"theme": "plaid"}).status_code == 422
    assert send(dora, page, "/admin/preferences/mail", {}).status_code == 303
    with real.begin(world.demo) as session:
        user = session.scalar(select(User).where(User.id == world.people["dora"].user_id))
        assert (user.locale, user.theme, user.mail_preferences["tickets"]) == ("ar", "dark", False)
        user.locale, user.theme, user.mail_preferences = None, "system", {}


def test_the_rail_offers_only_what_the_role_may_open(staff: Any) -> None:
    for name, shown, hidden in (
        ("sam", ["/admin/tickets/", "/admin/companies/", "/admin/sla/policies/"], ["/admin/mail/", "/admin/audit/"]),
        ("bill", ["/admin/tickets/"], ["/admin/mail/", "/admin/audit/", "/admin/sla/policies/"]),
        ("dora", ["/admin/mail/", "/admin/sla/policies/"], ["/admin/audit/"]),
        ("ada", ["/admin/mail/", "/admin/audit/", "/admin/sla/policies/"], []),
    ):
        page = staff(name).get("/admin/tickets/").get_data(as_text=True)
        for path in shown:
            assert f'href="{path}"' in page, (name, path)
        for path in hidden:
            assert f'href="{path}"' not in page, (name, path)
