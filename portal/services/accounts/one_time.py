"""Links and codes that work once: made for one purpose, found by their hash, used up by one conditional update.

The secret itself is derived by the vault from the row's id when a message leaves; nothing stores it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, select, update

from portal.errors import Conflict
from portal.lib.tokens import token_hash
from portal.lib.vault import Vault
from portal.models import LinkPurpose, OneTimeLink
from portal.models.session import TenantSession
from portal.services.accounts.expiry import forget_expired

LIFETIME = {
    LinkPurpose.RESET_PASSWORD: timedelta(minutes=30),
    LinkPurpose.VERIFY_EMAIL: timedelta(hours=24),
    LinkPurpose.INVITATION: timedelta(days=7),
    LinkPurpose.CHANGE_EMAIL: timedelta(hours=24),
    LinkPurpose.CHANGE_PHONE: timedelta(minutes=10),
    LinkPurpose.PHONE_SIGN_UP: timedelta(minutes=10),
    LinkPurpose.LINK_ACCOUNT: timedelta(minutes=30),
    LinkPurpose.DISOWN_DEVICE: timedelta(days=7),
    LinkPurpose.KEEP_EMAIL: timedelta(days=7),
    LinkPurpose.RATE_TICKET: timedelta(days=30),
}
# Purposes whose secret is typed from a text message instead of followed.
CODES = frozenset({LinkPurpose.CHANGE_PHONE, LinkPurpose.PHONE_SIGN_UP})
MAX_WRONG_CODES = 5
_SEVERAL = frozenset({LinkPurpose.DISOWN_DEVICE, LinkPurpose.INVITATION, LinkPurpose.RATE_TICKET})


@dataclass(frozen=True)
class IssuedLink:
    """A link on its way out; `template` values for its message need nothing but the id."""

    id: UUID
    purpose: LinkPurpose
    expires_at: datetime
    payload: dict[str, Any] = field(default_factory=dict)


def issue_link(
    session: TenantSession,
    purpose: LinkPurpose,
    *,
    user_id: UUID | None,
    vault: Vault,
    now: datetime,
    payload: dict[str, Any] | None = None,
) -> IssuedLink:
    """Make a link or code. Earlier ones of the same person and purpose stop working, but for devices' own and ratings.

    Somebody may be invited to several companies at once; those links are ended by their invitations.
    """
    if user_id is not None and purpose not in _SEVERAL:
        revoke_links(session, purpose, user_id=user_id, now=now)
    forget_expired(session, OneTimeLink, now=now)
    link_id = uuid4()
    secret_hash = (
        vault.code_hash(link_id, vault.link_code(link_id))
        if purpose in CODES
        else token_hash(vault.link_token(link_id))
    )
    expires_at = now + LIFETIME[purpose]
    session.add(
        OneTimeLink(
            id=link_id,
            tenant_id=session.tenant_id,
            purpose=purpose,
            user_id=user_id,
            token_hash=secret_hash,
            payload=payload or {},
            created_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    return IssuedLink(link_id, purpose, expires_at, payload or {})


def peek_link(session: TenantSession, token: str, purpose: LinkPurpose, *, now: datetime) -> OneTimeLink:
    """The link behind a token while it works, without using it up (for the page that asks).

    Raises Conflict `link_expired` for every other: unknown, used, revoked, late or of another purpose.
    """
    found = session.scalar(
        select(OneTimeLink).where(OneTimeLink.token_hash == token_hash(token), *_usable(purpose, now))
    )
    if found is None:
        raise Conflict("link_expired")
    return found


def consume_link(session: TenantSession, token: str, purpose: LinkPurpose, *, now: datetime) -> OneTimeLink:
    """Use a link up; among racing uses one wins. Raises Conflict `link_expired` for the others."""
    found: OneTimeLink | None = session.scalar(
        update(OneTimeLink)
        .where(OneTimeLink.token_hash == token_hash(token), *_usable(purpose, now))
        .values(used_at=now)
        .returning(OneTimeLink)
    )
    if found is None:
        raise Conflict("link_expired")
    return found


def consume_code(
    session: TenantSession, link_id: UUID, code: str, purpose: LinkPurpose, *, vault: Vault, now: datetime
) -> OneTimeLink | None:
    """Use a code up; None for a wrong one, which is counted: the caller commits that before it refuses.

    After five wrong ones, or once used or late, raises Conflict `link_expired`.
    """
    usable = (OneTimeLink.id == link_id, OneTimeLink.attempts < MAX_WRONG_CODES, *_usable(purpose, now))
    right = OneTimeLink.token_hash == vault.code_hash(link_id, code.strip())
    options = {"synchronize_session": False}
    won: OneTimeLink | None = session.scalar(
        update(OneTimeLink).where(*usable, right).values(used_at=now).returning(OneTimeLink), execution_options=options
    )
    if won is not None:
        return won
    counted = session.execute(
        update(OneTimeLink).where(*usable).values(attempts=OneTimeLink.attempts + 1).returning(OneTimeLink.id),
        execution_options=options,
    ).first()
    if counted is None:
        raise Conflict("link_expired")
    return None


def revoke_links(session: TenantSession, *purposes: LinkPurpose, user_id: UUID, now: datetime) -> None:
    """Make a person's open links of these purposes worthless (of every purpose where none is named)."""
    statement = update(OneTimeLink).where(
        OneTimeLink.user_id == user_id, OneTimeLink.used_at.is_(None), OneTimeLink.revoked_at.is_(None)
    )
    if purposes:
        statement = statement.where(OneTimeLink.purpose.in_(purposes))
    session.execute(statement.values(revoked_at=now), execution_options={"synchronize_session": False})


def _usable(purpose: LinkPurpose, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        OneTimeLink.purpose == purpose,
        OneTimeLink.used_at.is_(None),
        OneTimeLink.revoked_at.is_(None),
        OneTimeLink.expires_at > now,
    )
