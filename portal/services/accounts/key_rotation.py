"""Encrypting stored secrets anew with the newest key (SEC-07), so that an old key can be thrown away.

Batch by batch while the product runs: a secret that somebody changes at the same moment is left alone, since it is
written with the newest key anyhow. What was done before a stop is done; the next run goes on from there.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, select, update
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import InstrumentedAttribute

from portal.authz import Actor
from portal.events import audit
from portal.lib.vault import UnreadableSecret, Vault
from portal.models import IdentityProvider, MailIntake, OneTimeLink, SsoAttempt, TotpFactor
from portal.models.session import TenantSession, TenantSessions
from portal.services.accounts.access_requests import SEALED

BATCH = 200


@dataclass(frozen=True)
class EncryptedColumn:
    """What the vault writes in a table: where it stands, the key of its rows, the column's new value for a secret."""

    name: str
    key: InstrumentedAttribute[Any]
    stored: ColumnElement[Any]
    written: Callable[[bytes], dict[str, Any]]

    @property
    def table(self) -> Any:
        """The model of the table."""
        return self.key.class_


def _column(column: InstrumentedAttribute[Any], key: InstrumentedAttribute[Any]) -> EncryptedColumn:
    name = f"{key.class_.__tablename__}.{column.key}"
    return EncryptedColumn(name, key, column.expression, lambda secret: {column.key: secret})


def _in_json(column: InstrumentedAttribute[Any], field: str, key: InstrumentedAttribute[Any]) -> EncryptedColumn:
    """A text within a column of JSON."""
    name = f"{key.class_.__tablename__}.{column.key}.{field}"

    def written(secret: bytes) -> dict[str, Any]:
        return {column.key: func.jsonb_set(column, array([field]), func.to_jsonb(cast(secret.decode(), Text)))}

    return EncryptedColumn(name, key, column[field].astext, written)


# Everything that is stored encrypted; tests hold the list to the tables' own words.
ENCRYPTED = (
    _column(TotpFactor.secret, TotpFactor.id),
    _column(IdentityProvider.client_secret, IdentityProvider.id),
    _column(SsoAttempt.verifier, SsoAttempt.state_hash),
    _in_json(OneTimeLink.payload, SEALED, OneTimeLink.id),
    _column(MailIntake.password, MailIntake.tenant_id),
    _column(MailIntake.webhook_secret, MailIntake.tenant_id),
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
    query = (
        select(encrypted.key, encrypted.stored)
        .where(encrypted.stored.is_not(None))
        .order_by(encrypted.key)
        .limit(batch)
    )
    rows = session.execute(query if after is None else query.where(encrypted.key > after)).all()
    for key, stored in rows:
        secret = stored if isinstance(stored, bytes) else stored.encode()
        if vault.is_current(secret):
            total.current[encrypted.name] += 1
            continue
        try:
            renewed = vault.rotate(secret)
        except UnreadableSecret:
            total.unreadable[encrypted.name] += 1
            continue
        changed = session.execute(
            update(encrypted.table)
            .where(encrypted.key == key, encrypted.stored == stored)
            .values(encrypted.written(renewed))
            .returning(encrypted.key),
            execution_options={"synchronize_session": False},
        ).first()
        if changed is not None:
            total.renewed[encrypted.name] += 1
    return rows[-1][0] if rows else None
