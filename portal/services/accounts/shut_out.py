"""The end of everything by which a login could still come in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from portal.models import SignInChallenge
from portal.models.session import TenantSession
from portal.services.accounts.invitations import end_invitations
from portal.services.accounts.one_time import revoke_links
from portal.services.accounts.sessions import end_sessions


def shut_out(session: TenantSession, user_id: UUID, *, now: datetime) -> int:
    """End sessions, programs, half sign-ins, links and invitations of a login; returns how many sessions.

    Pages are refused from the next request on, sockets when the next check finds their session ended (3 s).
    """
    ended = end_sessions(session, user_id, now=now)
    session.execute(
        update(SignInChallenge)
        .where(SignInChallenge.user_id == user_id, SignInChallenge.used_at.is_(None))
        .values(used_at=now),
        execution_options={"synchronize_session": False},
    )
    end_invitations(session, user_id, now=now)
    revoke_links(session, user_id=user_id, now=now)
    return ended
