"""A session that its owner, or an administrator, ends elsewhere loses its socket, too (H9.8)."""

import threading

import pytest
from sqlalchemy import select

from portal.blueprints import live_hub
from portal.integrations.realtime import LiveEntry
from portal.lib.clock import utcnow
from portal.models import AuthSession
from portal.models.session import TenantSessions
from portal.services.accounts.mass_sign_out import Whose, end_all_sessions
from tests.browsing import sign_in


@pytest.mark.parametrize("way", ["one", "others"])
def test_a_session_ended_from_elsewhere_is_off_the_line(app, world, line, way):
    there = sign_in(app, world, "bob")
    opened = line("bob", there)
    with TenantSessions(app.extensions["portal_engine"]).begin(world.demo) as session:
        mine = select(AuthSession.id).where(AuthSession.user_id == world.people["bob"].user_id)
        there_id = session.scalars(mine.order_by(AuthSession.created_at.desc())).first()
    here = sign_in(app, world, "bob")
    own = line("bob", here)
    path = f"sessions/{there_id}/end" if way == "one" else "sessions/end-others"
    assert here.post(f"/portal/account/{path}").status_code == 303
    opened.listen(60)
    assert opened.closed
    own.listen(1)
    assert not own.closed


@pytest.fixture
def looks(app, line, monkeypatch):
    """Sessions of sockets are looked at only when something says so; gives the event of such a look."""
    opened = line("bob")
    hub, looked = app.extensions["portal_live"], threading.Event()
    look = hub.check_sessions

    def noted():
        look()
        looked.set()

    monkeypatch.setattr(live_hub, "CHECK_SECONDS", 60.0)
    monkeypatch.setattr(hub, "check_sessions", noted)
    # From the look that is due already on, the next one is a minute away.
    assert looked.wait(60)
    looked.clear()
    yield opened, looked
    monkeypatch.undo()
    hub._look_now.set()


def test_signing_everybody_out_closes_sockets_at_once(app, world, looks, tell):
    opened, looked = looks
    actor = world.people["ada"].actor
    with TenantSessions(app.extensions["portal_engine"]).begin(world.demo) as session:
        assert end_all_sessions(session, Whose.CUSTOMERS, keep=None, actor=actor, now=utcnow()) > 0
    # What the relay says of the event.
    tell(LiveEntry(world.demo, "tenant.sessions_ended", "tenant", world.demo))
    assert looked.wait(60)
    opened.listen(60)
    assert opened.closed


def test_other_news_of_a_tenant_prompts_no_look(world, looks, tell):
    opened, looked = looks
    tell(LiveEntry(world.demo, "tenant.sign_in_changed", "tenant", world.demo))
    tell(LiveEntry(world.demo, "ticket.created", "ticket", world.demo, False, world.companies["acme"], world.demo))
    opened.listen(0.5)
    assert not looked.is_set()
    assert not opened.closed
