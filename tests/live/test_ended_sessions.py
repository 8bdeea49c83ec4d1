"""A session that its owner ends elsewhere loses its socket, too (H9.8)."""

import pytest
from sqlalchemy import select

from portal.models import AuthSession
from portal.models.session import TenantSessions
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
    opened.listen(6)
    assert opened.closed
    own.listen(1)
    assert not own.closed
