"""Addresses that hand out one file to one reader for a few minutes, without a cookie; the reader can lose them.

An address names tenant, reader, file and the session it was made in, encrypted. When it is used, the reader's rights
are asked for anew and the session must still live: signing out, a locked login and a removed file end it at once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

from sqlalchemy import and_, or_, select

from portal.errors import NotFound
from portal.lib.vault import UnreadableSecret, Vault
from portal.models import AuthSession, TokenFamily, User, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity, build_identity, select_identity

LIFE = timedelta(minutes=5)
_PURPOSE = b"file address"
_NOBODY = UUID(int=0)


@dataclass(frozen=True)
class FileAddress:
    """Who may have which file, and until when; `session_id` is what the reader is signed in by, if anything."""

    tenant_id: UUID
    user_id: UUID
    file_id: UUID
    session_id: UUID | None
    until: datetime

    def sealed(self, vault: Vault) -> str:
        """The part of an address that only this installation can make, and read."""
        ids = (self.tenant_id, self.user_id, self.file_id, self.session_id or _NOBODY)
        until = int(self.until.timestamp()).to_bytes(8, "big")
        return vault.encrypt(_PURPOSE + b"".join(id_.bytes for id_ in ids) + until).decode()

    @classmethod
    def opened(cls, token: str, vault: Vault) -> Self:
        """The address of such a part; NotFound for everything else."""
        try:
            plain = vault.decrypt(token.encode("utf-8", "replace"))
        except UnreadableSecret:
            raise NotFound("attachment") from None
        body = plain.removeprefix(_PURPOSE)
        if len(body) != 72 or not plain.startswith(_PURPOSE):
            raise NotFound("attachment")
        tenant, user, file, held = (UUID(bytes=body[at : at + 16]) for at in range(0, 64, 16))
        until = datetime.fromtimestamp(int.from_bytes(body[64:], "big"), UTC)
        return cls(tenant, user, file, None if held == _NOBODY else held, until)


def find_reader(session: TenantSession, address: FileAddress, *, now: datetime, ip: str, request_id: str) -> Identity:
    """Who an address stands for now; NotFound once it is over, in another tenant, and when its session has ended."""
    if now >= address.until or address.tenant_id != session.tenant_id:
        raise NotFound("attachment")
    query = select_identity().where(
        User.id == address.user_id, User.status == UserStatus.ACTIVE, User.portal_access.is_(True)
    )
    if address.session_id is not None:
        query = query.where(or_(_browser(address.session_id, now), _program(address.session_id)))
    row = session.execute(query).first()
    if row is None:
        raise NotFound("attachment")
    return build_identity(row, ip=ip, request_id=request_id)


def _browser(session_id: UUID, now: datetime) -> Any:
    return (
        select(AuthSession.id)
        .where(
            and_(AuthSession.id == session_id, AuthSession.user_id == User.id),
            AuthSession.revoked_at.is_(None),
            AuthSession.expires_at > now,
        )
        .exists()
    )


def _program(family_id: UUID) -> Any:
    return (
        select(TokenFamily.id)
        .where(TokenFamily.id == family_id, TokenFamily.user_id == User.id, TokenFamily.revoked_at.is_(None))
        .exists()
    )
