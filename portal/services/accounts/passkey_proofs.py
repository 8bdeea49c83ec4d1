"""Questions to browsers about passkeys, and their answers: each challenge is kept here and answered once.

User verification is always required, so a passkey is both proofs at once. A counter that does not go up means
that there is a copy: the answer proves nothing, and that is audited.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from webauthn.helpers import generate_challenge

from portal.errors import Unauthenticated
from portal.events import audit
from portal.lib.tokens import new_token, token_hash
from portal.lib.webauthn_answers import Held, Json, Site, check_assertion, proof_question, read_assertion
from portal.models import Passkey, PasskeyCeremony, SignInChallenge, User
from portal.models.session import TenantSession
from portal.services.accounts.sessions import Origin, load_identity

CEREMONY_LIFE = timedelta(minutes=5)
REGISTER, SIGN_IN, CONFIRM = "register", "sign_in", "confirm"
_OPTIONS = {"synchronize_session": False}


@dataclass(frozen=True)
class Question:
    """What a browser is asked, and the token by which its answer finds the challenge."""

    options: Json
    token: str


@dataclass(frozen=True)
class Answer:
    """What a browser answered, as JSON, at which site and from where."""

    sent: str
    site: Site
    origin: Origin


def ask(session: TenantSession, purpose: str, *, user_id: UUID | None, site: Site, now: datetime) -> Question:
    """Ask for a passkey: any of this site (`sign_in`, by nobody yet), or one of a login's own (`confirm`)."""
    challenge, token = open_ceremony(session, purpose, user_id=user_id, now=now)
    held = held_passkeys(session, user_id) if user_id is not None else []
    return Question(proof_question(site, challenge, held=held), token)


def ask_for_second(session: TenantSession, row: SignInChallenge, *, site: Site) -> Json:
    """Ask a half signed-in login for one of its passkeys; a later question replaces an earlier one."""
    row.passkey_challenge = generate_challenge()
    return proof_question(site, row.passkey_challenge, held=held_passkeys(session, row.user_id))


def take_answer(
    session: TenantSession, purpose: str, token: str | None, answer: Answer, *, user_id: UUID | None, now: datetime
) -> User | None:
    """Whose passkey answered; the ceremony is over by that, which the caller commits whatever comes of it.

    None for every answer that does not hold. Raises Unauthenticated `passkey_refused` where no such question
    is open.
    """
    challenge = close_ceremony(session, purpose, token, user_id=user_id, now=now)
    return _check(session, challenge, answer, user_id=user_id, now=now)


def take_second(session: TenantSession, row: SignInChallenge, answer: Answer, *, now: datetime) -> bool:
    """Whether the half signed-in login has proved itself; the question is over by that. `row` has to be locked."""
    challenge, row.passkey_challenge = row.passkey_challenge, None
    return challenge is not None and _check(session, challenge, answer, user_id=row.user_id, now=now) is not None


def held_passkeys(session: TenantSession, user_id: UUID) -> list[Held]:
    """The credentials of a login, as browsers are told of them."""
    rows = session.execute(select(Passkey.credential_id, Passkey.transports).where(Passkey.user_id == user_id))
    return [Held(row.credential_id, row.transports) for row in rows]


def open_ceremony(session: TenantSession, purpose: str, *, user_id: UUID | None, now: datetime) -> tuple[bytes, str]:
    """A new challenge and the token that finds it again, for five minutes."""
    # Strangers may ask for challenges; what is past is cleared away with each.
    session.execute(delete(PasskeyCeremony).where(PasskeyCeremony.expires_at < now), execution_options=_OPTIONS)
    challenge, token = generate_challenge(), new_token()
    session.add(
        PasskeyCeremony(
            token_hash=token_hash(token),
            tenant_id=session.tenant_id,
            user_id=user_id,
            purpose=purpose,
            challenge=challenge,
            created_at=now,
            expires_at=now + CEREMONY_LIFE,
        )
    )
    session.flush()
    return challenge, token


def close_ceremony(
    session: TenantSession, purpose: str, token: str | None, *, user_id: UUID | None, now: datetime
) -> bytes:
    """The challenge, used up; among racing answers one wins. Raises Unauthenticated `passkey_refused`."""
    found: bytes | None = session.execute(
        update(PasskeyCeremony)
        .where(
            PasskeyCeremony.token_hash == token_hash(token or ""),
            PasskeyCeremony.purpose == purpose,
            PasskeyCeremony.user_id.is_not_distinct_from(user_id),
            PasskeyCeremony.used_at.is_(None),
            PasskeyCeremony.expires_at > now,
        )
        .values(used_at=now)
        .returning(PasskeyCeremony.challenge),
        execution_options=_OPTIONS,
    ).scalar()
    if found is None:
        raise Unauthenticated("passkey_refused")
    return found


def _check(
    session: TenantSession, challenge: bytes, answer: Answer, *, user_id: UUID | None, now: datetime
) -> User | None:
    try:
        given = read_assertion(answer.sent)
        row = session.execute(
            select(Passkey, User)
            .join(User, User.id == Passkey.user_id)
            .where(Passkey.credential_id == given.credential_id)
        ).first()
        if row is None or (user_id is not None and row[1].id != user_id):
            return None
        passkey, user = row
        # Without a login, the answer itself has to say whose it is (§7.2 step 6).
        if (given.user_handle or (b"" if user_id is None else user.id.bytes)) != user.id.bytes:
            return None
        count = check_assertion(given, challenge, answer.site, public_key=passkey.public_key)
    except Unauthenticated:
        return None
    if _counted(session, passkey.id, count, now):
        return user
    actor = load_identity(session, user, answer.origin).actor
    told = {"passkey": passkey.name, "expected_above": passkey.sign_count, "given": count}
    audit(session, "user.passkey_copied", "user", user.id, actor=actor, now=now, after=told)
    return None


def _counted(session: TenantSession, passkey_id: UUID, count: int, now: datetime) -> bool:
    """Note the use, if the counter went up; authenticators that do not count always say zero."""
    went_up = Passkey.sign_count < count
    moved = session.execute(
        update(Passkey)
        .where(Passkey.id == passkey_id, or_(went_up, Passkey.sign_count == 0) if count == 0 else went_up)
        .values(sign_count=count, last_used_at=now)
        .returning(Passkey.id),
        execution_options=_OPTIONS,
    ).first()
    return moved is not None
