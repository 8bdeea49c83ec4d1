"""A page of another site that asks for somebody's live events leaves a row; one that is only too late does not."""

import pytest
from simple_websocket import ConnectionError as Unreachable
from socketio.exceptions import ConnectionRefusedError
from sqlalchemy import func, select

from portal.blueprints.realtime import connect
from portal.models import AuditEntry
from tests.browsing import sign_in
from tests.live.conftest import cookie_of
from tests.live.line import open_line


@pytest.fixture
def denied(sessions, world):
    def read(tenant=None):
        with sessions.begin(tenant or world.demo) as session:
            query = select(AuditEntry).where(AuditEntry.action == "access.denied", AuditEntry.seq > begun)
            return list(session.scalars(query))

    with sessions.begin(world.demo) as session:
        begun = session.scalar(select(func.coalesce(func.max(AuditEntry.seq), 0)))
    return read


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_page_of_another_site(app, world, port, denied, signed_in):
    cookie = cookie_of(sign_in(app, world, "bob")) if signed_in else None
    with pytest.raises((Unreachable, AssertionError)):
        open_line(port, cookie, origin="https://evil.example")
    (entry,) = denied()
    assert entry.after == {"door": "live", "endpoint": "connect", "code": "foreign_page"}
    assert (entry.record_type, entry.record_id, entry.ip) == ("access", None, "127.0.0.1")
    bob = world.people["bob"]
    assert (entry.actor_id, entry.actor_name) == ((bob.user_id, bob.name) if signed_in else (None, ""))
    assert denied(world.nova) == []


def test_the_event_itself_refuses_it_too(app, world, denied):
    asked = {"base_url": "http://127.0.0.1", "headers": {"Origin": "https://evil.example"}}
    with app.test_request_context("/socket.io/", **asked), pytest.raises(ConnectionRefusedError, match="forbidden"):
        connect()
    assert [entry.after["code"] for entry in denied()] == ["foreign_page"]


def test_an_unknown_host_leaves_nothing(app, world, port, denied):
    with pytest.raises((Unreachable, AssertionError)):
        open_line(port, None, host="other.example", origin="https://evil.example")
    assert denied() == []


def test_a_stranger_is_sent_to_sign_in_which_is_no_denial(app, world, port, denied):
    assert open_line(port, None).refused == "authentication_required"
    cookie = cookie_of(sign_in(app, world, "bob"))
    assert open_line(port, cookie, host="nova.localhost").refused == "session_expired"
    assert denied() == []
