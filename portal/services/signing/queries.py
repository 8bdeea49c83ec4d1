"""The places on a document: who signs, who has, whose turn it is."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from portal.authz import Actor
from portal.models import Signature, SignatureStatus
from portal.models.session import TenantSession


def list_signatures(session: TenantSession, record_type: str, record_id: UUID) -> list[Signature]:
    """The places of a document in their order; the caller has looked the document up with the reader's rights."""
    query = select(Signature).where(Signature.record_type == record_type, Signature.record_id == record_id)
    return list(session.scalars(query.order_by(Signature.position, Signature.created_at, Signature.id)))


def is_their_turn(place: Signature, places: Sequence[Signature], *, in_order: bool) -> bool:
    """Whether a place can be filled now: it waits, nobody declined, and with an order nobody before it waits."""
    if place.status is not SignatureStatus.WAITING:
        return False
    if any(other.status is SignatureStatus.DECLINED for other in places):
        return False
    waits = SignatureStatus.WAITING
    return not in_order or not any(other.status is waits and other.position < place.position for other in places)


def own_place(places: Sequence[Signature], actor: Actor) -> Signature | None:
    """The actor's place."""
    return next((place for place in places if place.user_id == actor.user_id), None)


def note_view(session: TenantSession, place: Signature, *, now: datetime) -> bool:
    """Note when a signer first saw the document; whether this was the first time."""
    if place.viewed_at is not None or place.status is not SignatureStatus.WAITING:
        return False
    first = (Signature.id == place.id, Signature.viewed_at.is_(None), Signature.status == SignatureStatus.WAITING)
    noted = session.execute(update(Signature).where(*first).values(viewed_at=now).returning(Signature.id)).first()
    return noted is not None
