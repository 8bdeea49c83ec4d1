"""People's pictures: drawn anew when they come in, shown to whoever may see the person."""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor, Permission, require
from portal.errors import NotFound, invalid
from portal.events import audit
from portal.integrations.pictures import PictureRefused, redraw_picture
from portal.models import Avatar, Membership, Person, User, UserKind
from portal.models.session import TenantSession
from portal.services.accounts.profile import own_person_id


def save_avatar(session: TenantSession, content: bytes, *, actor: Actor, now: datetime) -> None:
    """Make a file the actor's picture. Raises Invalid about `picture`: too large, no picture, animated."""
    require(actor, Permission.PROFILE_EDIT)
    person_id = own_person_id(session, actor)
    try:
        drawn = redraw_picture(content)
    except PictureRefused as refused:
        raise invalid("picture", refused.code) from refused
    values = {"content": drawn, "sha256": hashlib.sha256(drawn).digest(), "created_at": now}
    session.execute(
        insert(Avatar)
        .values(tenant_id=session.tenant_id, person_id=person_id, **values)
        .on_conflict_do_update(index_elements=["person_id"], set_=values)
    )
    audit(session, "user.picture_saved", "user", actor.user_id, actor=actor, now=now)


def remove_avatar(session: TenantSession, *, actor: Actor, now: datetime) -> None:
    """Take the actor's picture away; without one nothing happens."""
    require(actor, Permission.PROFILE_EDIT)
    gone = session.execute(
        delete(Avatar).where(Avatar.person_id == own_person_id(session, actor)).returning(Avatar.person_id),
        execution_options={"synchronize_session": False},
    ).first()
    if gone is not None:
        audit(session, "user.picture_removed", "user", actor.user_id, actor=actor, now=now)


def get_avatar(session: TenantSession, person_id: UUID, *, actor: Actor) -> Avatar:
    """The picture of somebody the actor may see: for staff everybody, for customers their own companies and staff.

    Raises NotFound for everybody else, and for people without a picture.
    """
    query = select(Avatar).where(Avatar.person_id == person_id)
    if not actor.is_staff and not actor.is_system:
        query = query.where(Avatar.person_id.in_(_visible_to(actor)))
    found = session.scalar(query)
    if found is None:
        raise NotFound("picture")
    return found


def _visible_to(actor: Actor) -> Select[UUID]:
    """People of the actor's companies, whether by contact or by login, staff, and the actor."""
    return (
        select(Person.id)
        .outerjoin(User, User.person_id == Person.id)
        .outerjoin(Membership, Membership.user_id == User.id)
        .where(
            or_(
                User.id == actor.user_id,
                User.kind == UserKind.STAFF,
                Person.company_id.in_(actor.company_ids),
                Membership.company_id.in_(actor.company_ids),
            )
        )
    )
