"""Keys for programs that read their owner's data and nothing else (H9.9); shown once, kept as a hash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, bindparam, func, select, update

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, NotFound, Unauthenticated, invalid
from portal.events import audit
from portal.lib.text import clean_text, has_forbidden_characters
from portal.lib.tokens import new_token, token_hash
from portal.lib.wording import N_
from portal.models import ApiKey, User, UserKind, UserStatus
from portal.models.session import TenantSession, prepare
from portal.services.accounts.identity import Identity, build_identity, select_identity
from portal.services.accounts.messages import AccountMessage
from portal.services.accounts.own import Letterhead, Post, load_own
from portal.services.accounts.sessions import Origin

SCHEME = "pk_"
SHOWN = 10
NAME_LENGTH = 60
MAX_KEYS = 20
TOUCH_EVERY = timedelta(minutes=1)
MANAGE_PATH = "/portal/account/api-keys"


@dataclass(frozen=True)
class NewKey:
    """A key that was just made; `secret` is not to be had again."""

    key: ApiKey
    secret: str


@dataclass(frozen=True)
class KeyInUse:
    """A key that a program has shown, and whose it is."""

    id: UUID
    identity: Identity
    last_used_at: datetime | None


def create_key(session: TenantSession, name: str, *, letterhead: Letterhead, actor: Actor, now: datetime) -> NewKey:
    """Make a key of the actor's; its owner is told by mail. Raises Invalid about `name`, Conflict `keys_full`."""
    require(actor, Permission.API_KEYS_MANAGE)
    shown = _checked(name)
    own = load_own(session, actor, lock=True)
    living = session.scalar(select(func.count()).select_from(ApiKey).where(*_living(own.user.id)))
    if (living or 0) >= MAX_KEYS:
        raise Conflict("keys_full", limit=MAX_KEYS)
    secret = SCHEME + new_token()
    key = ApiKey(
        id=uuid4(),
        tenant_id=session.tenant_id,
        user_id=own.user.id,
        name=shown,
        prefix=secret[:SHOWN],
        key_hash=token_hash(secret),
        created_at=now,
    )
    session.add(key)
    audit(session, "api_key.created", "api_key", key.id, actor=actor, now=now, after={"prefix": key.prefix})
    message = AccountMessage(
        "api_key_created", MANAGE_PATH, facts=[(N_("Name"), shown), (N_("Begins with"), key.prefix)]
    )
    Post(session, letterhead, actor, now).mail(message, own.addressee())
    return NewKey(key, secret)


def list_keys(session: TenantSession, *, actor: Actor) -> Sequence[ApiKey]:
    """The actor's living keys, newest first."""
    require(actor, Permission.API_KEYS_MANAGE)
    order = (ApiKey.created_at.desc(), ApiKey.id)
    return session.scalars(select(ApiKey).where(*_living(actor.user_id)).order_by(*order)).all()


def revoke_key(session: TenantSession, key_id: UUID, *, actor: Actor, now: datetime) -> None:
    """End a key at once. NotFound for others' and for what was revoked before."""
    require(actor, Permission.API_KEYS_MANAGE)
    prefix = session.scalar(
        update(ApiKey)
        .where(ApiKey.id == key_id, *_living(actor.user_id))
        .values(revoked_at=now)
        .returning(ApiKey.prefix),
        execution_options={"synchronize_session": False},
    )
    if prefix is None:
        raise NotFound("api_key")
    audit(session, "api_key.revoked", "api_key", key_id, actor=actor, now=now, before={"prefix": prefix})


def is_api_key(token: str) -> bool:
    """Whether a bearer's token is meant to be a key."""
    return token.startswith(SCHEME)


def find_key(session: TenantSession, token: str, origin: Origin) -> KeyInUse:
    """The living key behind a token, of a customer who may sign in; by one statement.

    Raises Unauthenticated `token_invalid` for every other.
    """
    row = session.read(_key_statement(), {"key_hash": token_hash(token)}).first()
    if row is None:
        raise Unauthenticated("token_invalid")
    return KeyInUse(row.key_id, build_identity(row, ip=origin.ip, request_id=origin.request_id), row.key_used_at)


def touch_key(session: TenantSession, key: KeyInUse, *, ip: str, now: datetime) -> bool:
    """Note that a key was used, at most once a minute; returns whether there was something to note."""
    if key.last_used_at is not None and now - key.last_used_at < TOUCH_EVERY:
        return False
    session.execute(
        update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=now, last_used_ip=ip[:45]),
        execution_options={"synchronize_session": False},
    )
    return True


@cache
def _key_statement() -> Select[Any]:
    """Built once: every call of a program with a key runs it."""
    return prepare(
        select_identity()
        .add_columns(ApiKey.id.label("key_id"), ApiKey.last_used_at.label("key_used_at"))
        .join(ApiKey, ApiKey.user_id == User.id)
        .where(
            ApiKey.key_hash == bindparam("key_hash"),
            ApiKey.revoked_at.is_(None),
            User.kind == UserKind.CUSTOMER,
            User.status == UserStatus.ACTIVE,
            User.portal_access,
        )
    )


def _living(user_id: UUID | None) -> tuple[Any, ...]:
    return (ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))


def _checked(name: str) -> str:
    shown = " ".join(clean_text(name).split())
    if not shown:
        raise invalid("name", "required")
    if has_forbidden_characters(shown):
        raise invalid("name", "characters_forbidden")
    if len(shown) > NAME_LENGTH:
        raise invalid("name", "too_long", limit=NAME_LENGTH)
    return shown
