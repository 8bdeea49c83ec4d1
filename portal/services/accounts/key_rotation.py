"""Encrypting stored secrets anew with the newest key (SEC-07), so that an old key can be thrown away.

Batch by batch while the product runs: a secret that somebody changes at the same moment is left alone, since it is
written with the newest key anyhow. What was done before a stop is done; the next run goes on from there.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute

from portal.authz import Actor
from portal.events import audit
from portal.lib.vault import UnreadableSecret, Vault
from portal.models import IdentityProvider, SsoAttempt, TotpFactor
from portal.models.session import TenantSession, TenantSessions

BATCH = 200


@dataclass(frozen=True)
class EncryptedColumn:
    """A column that the vault writes, and the key of its rows."""

    column: InstrumentedAttribute[bytes]
    key: InstrumentedAttribute[Any]

    @property
    def name(self) -> str:
        """table.column"""
        return f"{self.key.class_.__tablename__}.{self.column.key}"


# Every column that holds something encrypted; tests hold the list to the tables' own words.
ENCRYPTED = (
    EncryptedColumn(TotpFactor.secret, TotpFactor.id),
    EncryptedColumn(IdentityProvider.client_secret, IdentityProvider.id),
    EncryptedColumn(SsoAttempt.verifier, SsoAttempt.state_hash),
)


@dataclass
class Rotation:
    """How many secrets were encrypted anew, had the newest key already, or open with no configured key."""

    renewed: Counter[str] = field(default_factory=Counter)
    current: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)


def rotate_secrets(
    sessions: TenantSessions, tenant_id: UUID, *, vault: Vault, actor: Actor, now: datetime, batch: int = BATCH
) -> Rotation:
    """Encrypt every secret of a tenant with the newest key, each batch in a transaction of its own."""
    total = Rotation()
    for encrypted in ENCRYPTED:
        after = None
        while True:
            with sessions.begin(tenant_id) as session:
                last = _rotate_batch(session, encrypted, after, batch, vault, total)
            if last is None:
                break
            after = last
    if total.renewed:
        with sessions.begin(tenant_id) as session:
            counts = dict(total.renewed)
            audit(session, "keys.rotated", "tenant", tenant_id, actor=actor, now=now, after=counts)
    return total


def _rotate_batch(
    session: TenantSession, encrypted: EncryptedColumn, after: Any, batch: int, vault: Vault, total: Rotation
) -> Any:
    """Renew the secrets that follow the key `after`; returns the last key, None when there was nothing left."""
    query = select(encrypted.key, encrypted.column).order_by(encrypted.key).limit(batch)
    rows = session.execute(query if after is None else query.where(encrypted.key > after)).all()
    for key, stored in rows:
        if vault.is_current(stored):
            total.current[encrypted.name] += 1
            continue
        try:
            renewed = vault.rotate(stored)
        except UnreadableSecret:
            total.unreadable[encrypted.name] += 1
            continue
        changed = session.execute(
            update(encrypted.key.class_)
            .where(encrypted.key == key, encrypted.column == stored)
            .values({encrypted.column.key: renewed})
            .returning(encrypted.key),
            execution_options={"synchronize_session": False},
        ).first()
        if changed is not None:
            total.renewed[encrypted.name] += 1
    return rows[-1][0] if rows else None
