"""The words of a refusal, and the one way on that it offers (PLT-11)."""

import re
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import TooManyRequests

from portal.authz import ROLE_PERMISSIONS, Permission
from portal.errors import Conflict, Forbidden
from portal.models import Role
from tests.browsing import Browser, csrf_token, sign_in


def told(answer):
    """Heading, sentence and ways on of an error page."""
    page = answer.get_data(as_text=True).split('<div class="state">')[1].split("</main>")[0]
    heading = re.search(r'<h1 class="state-title">(.*?)</h1>', page)[1].replace("&#39;", "'")
    sentence = re.search(r'<p class="state-text">(.*?)</p>', page)[1]
    ways = [(label, href) for href, label in re.findall(r'<a href="([^"]*)".*?<span>(.*?)</span></a>', page)]
    return heading, sentence, ways


def refusing(error):
    def refuse(*_, **__):
        raise error

    return refuse


@pytest.fixture
def alice(app, world):
    return sign_in(app, world, "alice")


@pytest.fixture
def sam(app, world):
    return sign_in(app, world, "sam")


def test_an_ended_session_leads_to_sign_in(app):
    visitor = Browser(app.test_client(), "127.0.0.1")
    with visitor.client.session_transaction(base_url="http://127.0.0.1") as cookie:
        cookie["portal_token"] = "long gone"
    page = visitor.get("/portal/tickets", follow_redirects=True)
    assert page.request.path == "/portal/login"
    assert "Session expired. Please log in again." in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/portal/tickets", "You don't have permission to access this page."),
        ("/portal/tickets/00000000-0000-4000-8000-000000000000", "You don't have permission to access this ticket."),
    ],
)
def test_what_is_not_allowed_leads_to_the_dashboard(alice, monkeypatch, path, heading):
    left = ROLE_PERMISSIONS[Role.CUSTOMER_ADMIN] - {Permission.TICKETS_READ}
    monkeypatch.setitem(ROLE_PERMISSIONS, Role.CUSTOMER_ADMIN, left)
    answer = alice.get(path)
    assert answer.status_code == 403
    assert told(answer) == (
        heading,
        "The administrator of your company can give you the right.",
        [("Back to dashboard", "/portal/")],
    )
    assert f"<title>{heading[:-1].replace(chr(39), '&#39;')} · Kestrel IT</title>" in answer.get_data(as_text=True)


def test_who_wanted_to_do_something_is_told_so(alice, monkeypatch, world):
    left = ROLE_PERMISSIONS[Role.CUSTOMER_ADMIN] - {Permission.TICKETS_CREATE}
    monkeypatch.setitem(ROLE_PERMISSIONS, Role.CUSTOMER_ADMIN, left)
    heading, _, ways = told(alice.post("/portal/tickets/new", {}, headers={"Referer": "http://127.0.0.1/portal/"}))
    assert heading == "You don't have permission to do this."
    assert ways == [("Back to dashboard", "/portal/")]


def test_a_login_without_a_company_is_told_whom_to_ask(alice, monkeypatch):
    monkeypatch.setattr("portal.services.tickets.conversation.reply_as_customer", refusing(Forbidden("no_company")))
    heading, sentence, _ = told(alice.post(f"/portal/tickets/{uuid4()}/reply", {"message": "x"}))
    assert heading == "Your login does not belong to a company yet."
    assert "write to us" in sentence


def test_staff_are_sent_to_their_own_administrator(sam):
    heading, sentence, ways = told(sam.get("/admin/audit/"))
    assert heading == "You don't have permission to access this page."
    assert sentence == "An administrator of your team can give you the right."
    assert ways == [("Back to the start", "/admin/")]


def test_what_is_not_found_leads_to_its_list(alice, sam):
    nothing = uuid4()
    for browser, path, heading, listed in (
        (alice, f"/portal/tickets/{nothing}", "Ticket not found.", "/portal/tickets"),
        (sam, f"/admin/tickets/{nothing}", "Ticket not found.", "/admin/tickets/"),
        (sam, f"/admin/companies/details/?id={nothing}", "Company not found.", "/admin/companies/"),
        (sam, f"/admin/people/details/?id={nothing}", "Person not found.", "/admin/people/"),
        (sam, f"/admin/sla/policies/details/?id={nothing}", "Policy not found.", "/admin/sla/policies/"),
    ):
        answer = browser.get(path)
        assert answer.status_code == 404
        shown, _, ways = told(answer)
        assert (shown, ways) == (heading, [("Return to list", listed)])
        assert browser.get(listed).status_code == 200


def test_an_address_of_nothing_leads_to_the_beginning(app, alice, sam):
    visitor = Browser(app.test_client(), "127.0.0.1")
    for browser, path, way in (
        (alice, "/portal/nope", ("Back to dashboard", "/portal/")),
        (sam, "/admin/nope", ("Back to the start", "/admin/")),
        (visitor, "/nope", ("Back to the start", "/portal/")),
    ):
        heading, _, ways = told(browser.get(path))
        assert (heading, ways) == ("Page not found", [way])


@pytest.mark.parametrize(
    ("error", "heading", "sentence"),
    [
        (
            Conflict("changed_meanwhile"),
            "Someone was faster",
            "This was changed in the meantime. Nothing was saved; look at it again before you go on.",
        ),
        (
            Conflict("already_closed", number="TCK-7"),
            "Ticket TCK-7 is closed already.",
            "Nothing was saved. Look at it again before you go on.",
        ),
    ],
)
def test_a_conflict_says_it_once_and_leads_back_to_the_form(sam, monkeypatch, error, heading, sentence):
    monkeypatch.setattr("portal.admin.tickets.views.add_note", refusing(error))
    form = f"/admin/tickets/{uuid4()}?view=mine"
    answer = sam.post(
        f"/admin/tickets/{uuid4()}/note", {"message": "x"}, headers={"Referer": f"http://127.0.0.1{form}"}
    )
    assert answer.status_code == 409
    assert told(answer) == (heading, sentence, [("Go back", form)])


@pytest.mark.parametrize(
    "referrer", ["https://evil.example/x", "http://127.0.0.1.evil.example/", "http://127.0.0.1//evil.example", "x"]
)
def test_the_way_back_never_leads_elsewhere(sam, monkeypatch, referrer):
    monkeypatch.setattr("portal.admin.tickets.views.add_note", refusing(Conflict("changed_meanwhile")))
    answer = sam.post(f"/admin/tickets/{uuid4()}/note", {"message": "x"}, headers={"Referer": referrer})
    assert told(answer)[2] == [("Back to the start", "/admin/")]


@pytest.mark.parametrize(
    ("error", "status", "heading"),
    [
        (RuntimeError("broken"), 500, "That did not work"),
        (OperationalError("select", {}, Exception("gone")), 503, "Back in a moment"),
        (TooManyRequests(retry_after=5), 429, "Too many tries"),
    ],
)
def test_what_may_pass_can_be_tried_again(alice, monkeypatch, error, status, heading):
    monkeypatch.setattr("portal.blueprints.accounts.routes.bell.list_notifications", refusing(error))
    answer = alice.get("/portal/notifications?lang=en")
    assert answer.status_code == status
    shown, _, ways = told(answer)
    assert (shown, ways[0]) == (heading, ("Try again", "/portal/notifications?lang=en"))
    assert ways[1:] == ([("Contact support", "/portal/help")] if status == 500 else [])
    number = answer.headers["X-Request-Id"] in answer.get_data(as_text=True).split('<div class="state">')[1]
    assert number == (status >= 500)


def test_a_form_that_broke_is_not_sent_again_by_a_link(alice, monkeypatch):
    monkeypatch.setattr(
        "portal.blueprints.accounts.routes.bell.mark_all_read", refusing(IntegrityError("x", {}, Exception()))
    )
    token = csrf_token(alice.get("/portal/notifications"))
    answer = alice.client.post(
        "/portal/notifications/read",
        base_url="http://127.0.0.1",
        data={"csrf_token": token},
        headers={"Referer": "http://127.0.0.1/portal/notifications"},
    )
    assert answer.status_code == 409
    assert told(answer)[2] == [("Go back", "/portal/notifications")]
