"""Tokens for programs: short signed access tokens, and refresh tokens that are used once (RFC 9700)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from sqlalchemy import select, update

from portal.authz import Actor
from portal.errors import Unauthenticated
from portal.events import audit
from portal.lib.tokens import new_token, token_hash
from portal.models import RefreshToken, TokenFamily, User
from portal.models.session import TenantSession
from portal.services.accounts.factor_policy import set_factor_due
from portal.services.accounts.identity import Identity, build_identity, select_identity
from portal.services.accounts.sessions import Origin
from portal.services.accounts.sso.recognition import refuse_other_ways

ACCESS_LIFE = timedelta(minutes=15)
REFRESH_LIFE = timedelta(days=30)
ISSUER = "portico"
ALGORITHM = "Ed25519"


@dataclass(frozen=True)
class TokenPair:
    """What a program gets; `expires_in` in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int = int(ACCESS_LIFE.total_seconds())


class TokenSigner:
    """Signs and reads access tokens with a key derived from the application's secret."""

    def __init__(self, secret: str) -> None:
        seed = hashlib.sha256(b"portico access tokens" + secret.encode()).digest()
        pem = Ed25519PrivateKey.from_private_bytes(seed).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        self._key = OKPKey.import_key(pem)

    def sign(self, *, tenant_id: UUID, user: User, family_id: UUID, now: datetime) -> str:
        """An access token of 15 minutes; it names the tenant and the kind of login."""
        claims = {
            "iss": ISSUER,
            "sub": str(user.id),
            "tid": str(tenant_id),
            "fid": str(family_id),
            "kind": user.kind.value,
            "iat": int(now.timestamp()),
            "exp": int((now + ACCESS_LIFE).timestamp()),
        }
        return jwt.encode({"alg": ALGORITHM, "typ": "at+jwt"}, claims, self._key, algorithms=[ALGORITHM])

    def read(self, token: str, *, tenant_id: UUID, now: datetime) -> UUID:
        """The token family of a valid token of this tenant; raises Unauthenticated `token_invalid`."""
        try:
            decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
            claims: dict[str, Any] = decoded.claims
            if (
                decoded.header.get("typ") != "at+jwt"
                or claims["iss"] != ISSUER
                or claims["tid"] != str(tenant_id)
                or int(claims["exp"]) <= now.timestamp()
            ):
                raise Unauthenticated("token_invalid")
            return UUID(claims["fid"])
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unauthenticated("token_invalid") from error


def issue_tokens(
    session: TenantSession, user: User, *, factor: bool, signer: TokenSigner, origin: Origin, now: datetime
) -> TokenPair:
    """Tokens for a program whose login was proved in full; `factor` says whether by a second factor, too.

    Raises Unauthenticated `sso_required` where the login's domain has to sign in through its provider.
    """
    refuse_other_ways(session, user)
    family = TokenFamily(
        id=uuid4(),
        tenant_id=session.tenant_id,
        user_id=user.id,
        ip=origin.ip,
        user_agent=origin.user_agent[:255],
        factor_at=now if factor else None,
        last_used_at=now,
        created_at=now,
    )
    session.add(family)
    set_factor_due(session, user, now=now)
    session.flush()
    row = session.execute(select_identity().where(User.id == user.id)).one()
    actor = build_identity(row, ip=origin.ip, request_id=origin.request_id).actor
    audit(session, "user.token_issued", "user", user.id, actor=actor, now=now)
    return _pair(session, family.id, user, signer, now)


def refresh_tokens(
    session: TenantSession, refresh_token: str, *, signer: TokenSigner, now: datetime
) -> TokenPair | None:
    """Exchange a refresh token, once; among racing exchanges one wins.

    Returns None when the token had been used before: the family is then revoked, which the caller must
    commit before it refuses. Raises Unauthenticated `token_invalid` for unknown, expired or revoked ones, and
    `sso_required` once the login's domain has to sign in through its provider.
    """
    digest = token_hash(refresh_token)
    won = session.execute(
        update(RefreshToken)
        .where(RefreshToken.token_hash == digest, RefreshToken.used_at.is_(None), RefreshToken.expires_at > now)
        .values(used_at=now)
        .returning(RefreshToken.family_id),
        execution_options={"synchronize_session": False},
    ).scalar()
    if won is None:
        used = session.scalar(
            select(RefreshToken.family_id).where(RefreshToken.token_hash == digest, RefreshToken.used_at.is_not(None))
        )
        if used is None:
            raise Unauthenticated("token_invalid")
        _revoke(session, used, now)
        return None
    user = session.scalar(
        select(User)
        .join(TokenFamily, TokenFamily.user_id == User.id)
        .where(TokenFamily.id == won, TokenFamily.revoked_at.is_(None))
    )
    session.execute(
        update(TokenFamily).where(TokenFamily.id == won).values(last_used_at=now),
        execution_options={"synchronize_session": False},
    )
    if user is None or not user.may_sign_in():
        raise Unauthenticated("token_invalid")
    refuse_other_ways(session, user)
    set_factor_due(session, user, now=now)
    return _pair(session, won, user, signer, now)


def revoke_tokens(session: TenantSession, refresh_token: str, *, now: datetime) -> None:
    """End the family of a refresh token; unknown ones are ignored (RFC 7009 §2.2)."""
    family = session.scalar(select(RefreshToken.family_id).where(RefreshToken.token_hash == token_hash(refresh_token)))
    if family is not None:
        _revoke(session, family, now)


def revoke_family(session: TenantSession, family_id: UUID, *, actor: Actor, now: datetime) -> None:
    """End the family an access token belongs to."""
    _revoke(session, family_id, now)
    audit(session, "user.token_revoked", "user", actor.user_id, actor=actor, now=now)


def load_token_identity(session: TenantSession, family_id: UUID, origin: Origin) -> Identity:
    """Who a token family stands for now; raises Unauthenticated `token_invalid` once it is revoked."""
    row = session.execute(
        select_identity()
        .join(TokenFamily, TokenFamily.user_id == User.id)
        .where(
            TokenFamily.id == family_id,
            TokenFamily.revoked_at.is_(None),
            User.status == "active",
            User.portal_access,
        )
    ).first()
    if row is None:
        raise Unauthenticated("token_invalid")
    return build_identity(row, ip=origin.ip, request_id=origin.request_id)


def _pair(session: TenantSession, family_id: UUID, user: User, signer: TokenSigner, now: datetime) -> TokenPair:
    refresh = new_token()
    session.add(
        RefreshToken(
            token_hash=token_hash(refresh),
            tenant_id=session.tenant_id,
            family_id=family_id,
            created_at=now,
            expires_at=now + REFRESH_LIFE,
        )
    )
    access = signer.sign(tenant_id=session.tenant_id, user=user, family_id=family_id, now=now)
    return TokenPair(access, refresh)


def _revoke(session: TenantSession, family_id: UUID, now: datetime) -> None:
    session.execute(
        update(TokenFamily).where(TokenFamily.id == family_id, TokenFamily.revoked_at.is_(None)).values(revoked_at=now),
        execution_options={"synchronize_session": False},
    )
