from datetime import UTC, datetime, timedelta

import pytest
from simple_websocket import ConnectionError as Unreachable
from sqlalchemy import text

from portal.blueprints.realtime import is_same_origin, require_event_policies
from tests.browsing import sign_in
from tests.live.conftest import cookie_of
from tests.live.line import open_line


def test_a_stranger_is_refused(port):
    assert open_line(port, None).refused == "authentication_required"


def test_a_cookie_of_somebody_else_s_making_is_refused(port):
    assert open_line(port, "portico=eyJwb3J0YWxfdG9rZW4iOiJ4In0.aaaa.bbbb").refused == "authentication_required"


def test_an_unknown_host_is_refused(app, world, port):
    cookie = cookie_of(sign_in(app, world, "bob"))
    assert open_line(port, cookie, host="other.example").refused == "authentication_required"


def test_a_session_does_not_open_another_tenant(app, world, port):
    cookie = cookie_of(sign_in(app, world, "bob"))
    assert open_line(port, cookie, host="nova.localhost").refused == "session_expired"


def test_a_session_does_not_open_the_other_door(app, world, port):
    cookie = cookie_of(sign_in(app, world, "bob"))
    assert open_line(port, cookie, door="admin").refused == "authentication_required"


def test_a_page_of_another_site_is_refused(app, world, port):
    cookie = cookie_of(sign_in(app, world, "bob"))
    with pytest.raises((Unreachable, AssertionError)):
        open_line(port, cookie, origin="https://evil.example")


def test_a_forged_forwarded_host_does_not_help(app, world, port):
    cookie = cookie_of(sign_in(app, world, "bob"))
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    with pytest.raises((Unreachable, AssertionError)):
        open_line(port, cookie, origin="https://evil.example", **forged)


def test_long_polling_is_not_offered(app, port):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/socket.io/?EIO=4&transport=polling")
    assert connection.getresponse().status == 400
    connection.close()


@pytest.mark.parametrize(
    ("origin", "fine"),
    [
        ("http://demo.example:8000", True),
        ("http://DEMO.example:8000", True),
        (None, True),
        ("https://demo.example:8000", False),
        ("http://demo.example", False),
        ("http://demo.example.evil.example:8000", False),
        ("null", False),
    ],
)
def test_origins(origin, fine):
    environ = {"wsgi.url_scheme": "http", "HTTP_HOST": "demo.example:8000", "HTTP_X_FORWARDED_HOST": "evil.example"}
    assert is_same_origin(origin, environ) is fine


def test_signing_out_ends_the_socket(app, world, port, line):
    browser = sign_in(app, world, "bob")
    opened = line("bob", browser)
    assert browser.post("/portal/logout").status_code == 303
    opened.listen(30)
    assert opened.closed


def test_a_suspended_login_loses_its_socket(app, world, line, engine, sessions):
    opened = line("charlie")
    user_id = world.people["charlie"].user_id
    change = text("UPDATE users SET status = :status WHERE id = :id")
    with sessions.begin(world.demo) as session:
        session.connection().execute(change, {"status": "suspended", "id": user_id})
    try:
        opened.listen(60)
        assert opened.closed
    finally:
        with sessions.begin(world.demo) as session:
            session.connection().execute(change, {"status": "active", "id": user_id})


def test_a_lost_line_to_the_database_makes_pages_connect_again(app, world, line, database):
    opened = line("bob")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'portico live';"
    database.cluster.execute(end)
    opened.listen(60)
    assert opened.closed
    assert line("bob").refused is None


def test_a_handler_without_a_policy_stops_the_start():
    from flask_socketio import SocketIO

    server = SocketIO()
    server.on("undeclared")(lambda: None)
    with pytest.raises(RuntimeError, match="undeclared"):
        require_event_policies(server)


def test_whoever_has_to_set_up_a_second_factor_first_hears_nothing(app, world, port, root):
    """The line is as shut as the pages are (AUTH-16)."""
    cookie = cookie_of(sign_in(app, world, "bob"))
    require, due = (
        text("UPDATE tenants SET settings = cast(:s AS jsonb) WHERE id = :t"),
        text("UPDATE users SET second_factor_due_at = :at WHERE id = :u"),
    )
    bob = {"u": world.people["bob"].user_id}
    try:
        with root.begin() as connection:
            connection.execute(require, {"s": '{"sign_in": {"second_factor": "everybody"}}', "t": world.demo})
            connection.execute(due, bob | {"at": datetime.now(UTC) + timedelta(hours=1)})
        app.extensions["portal_tenants"].forget()
        assert open_line(port, cookie).refused is None
        with root.begin() as connection:
            connection.execute(due, bob | {"at": datetime.now(UTC) - timedelta(seconds=1)})
        assert open_line(port, cookie).refused == "session_expired"
    finally:
        with root.begin() as connection:
            connection.execute(require, {"s": "{}", "t": world.demo})
            connection.execute(due, bob | {"at": None})
        app.extensions["portal_tenants"].forget()


def test_a_colleague_who_is_shut_out_loses_page_and_socket_at_once(app, world, port, line, letters):
    """Through the page, as an administrator would: the page is gone with the next request, the socket within 5 s."""
    from portal.services.accounts.company_people import reactivate_person

    bob, alice = sign_in(app, world, "bob"), sign_in(app, world, "alice")
    opened, person = line("bob", bob), letters.person_of("bob@acme.example")
    assert bob.get("/portal/tickets").status_code == 200
    cookie = cookie_of(bob)
    try:
        assert alice.post(f"/portal/account/company/people/{person}/deactivate").status_code == 303
        assert bob.get("/portal/tickets").status_code == 303
        opened.listen(60)
        assert opened.closed
        assert open_line(port, cookie).refused == "session_expired"
    finally:
        with letters.sessions.begin(world.demo) as session:
            acme, actor = world.companies["acme"], world.people["alice"].actor
            reactivate_person(session, acme, person, actor=actor, now=datetime.now(UTC))
