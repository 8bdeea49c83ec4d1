"""Asking people to sign: a place for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from portal.errors import invalid
from portal.models import Person, Signature, SignatureStatus, User, UserKind, UserStatus
from portal.models.session import TenantSession

MOST_SIGNERS = 10
FIELD = "signers"


@dataclass(frozen=True)
class Signer:
    """Somebody who shall sign; of equal positions the order does not matter."""

    user_id: UUID
    position: int = 1


def request_signatures(
    session: TenantSession,
    record_type: str,
    record_id: UUID,
    signers: Sequence[Signer],
    *,
    now: datetime,
) -> list[Signature]:
    """Set the places of a document that nobody has signed yet, in place of those it had.

    Raises Invalid about `signers`: none or too many, one twice, somebody without a login that may sign in.
    """
    if not signers:
        raise invalid(FIELD, "required")
    if len(signers) > MOST_SIGNERS:
        raise invalid(FIELD, "too_many", limit=MOST_SIGNERS)
    wanted = {signer.user_id: signer for signer in signers}
    people = _people(session, list(wanted))
    if len(wanted) < len(signers) or people.keys() != wanted.keys():
        raise invalid(FIELD, "unknown_signer")
    session.execute(
        delete(Signature).where(Signature.record_type == record_type, Signature.record_id == record_id),
        execution_options={"synchronize_session": "fetch"},
    )
    places = [
        Signature(
            id=uuid4(),
            tenant_id=session.tenant_id,
            record_type=record_type,
            record_id=record_id,
            user_id=signer.user_id,
            position=signer.position,
            side=people[signer.user_id][0].value,
            status=SignatureStatus.WAITING,
            signer_name=people[signer.user_id][1],
            signer_email=people[signer.user_id][2],
            created_at=now,
        )
        for signer in signers
    ]
    session.add_all(places)
    return places


def _people(session: TenantSession, user_ids: Sequence[UUID]) -> dict[UUID, tuple[UserKind, str, str]]:
    rows = session.execute(
        select(User.id, User.kind, Person.name, Person.email)
        .join(Person, Person.id == User.person_id)
        .where(User.id.in_(user_ids), User.status == UserStatus.ACTIVE, User.portal_access)
    )
    return {user_id: (kind, name, email) for user_id, kind, name, email in rows}
