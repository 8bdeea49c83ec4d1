"""The second step of a sign-in: a challenge, which opens nothing by itself, and what has to come with it.

A challenge lives ten minutes, belongs to one door of one tenant, takes five wrong tries at most and is used once.
Wrong tries count like wrong passwords do.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.errors import Unauthenticated
from portal.events import audit
from portal.lib.tokens import token_hash
from portal.lib.vault import Vault
from portal.models import Person, SignInChallenge, User
from portal.models.session import TenantSession
from portal.services.accounts.factors import CodeKind, Factors, read_factors, take_code
from portal.services.accounts.identity import Identity
from portal.services.accounts.lockout import count_failure, forgive, refuse_locked, subject_of
from portal.services.accounts.sessions import Origin, Via

MAX_TRIES = 5


@dataclass(frozen=True)
class OpenChallenge:
    """A sign-in that waits for its second proof."""

    row: SignInChallenge
    user: User
    email: str

    @property
    def via(self) -> Via | None:
        """The identity provider that gave the first proof."""
        return Via(self.row.provider_id, self.row.provider_sid) if self.row.provider_id is not None else None

    def factors(self, session: TenantSession) -> Factors:
        """What the login can prove itself with."""
        return read_factors(session, self.user.id)


@dataclass(frozen=True)
class SecondProof:
    """What comes with a challenge: `device` is what the device cookie holds."""

    code: str
    origin: Origin
    device: str | None = None


def find_challenge(
    session: TenantSession, token: str | None, door: str, *, now: datetime, lock: bool = False
) -> OpenChallenge:
    """The open challenge behind a token at this door; `lock` has other tries wait until this one is decided.

    Raises Unauthenticated `challenge_expired` for every other: unknown, used, late, worn out, of another door.
    """
    wanted = (
        select(SignInChallenge, User, Person.email)
        .join(User, User.id == SignInChallenge.user_id)
        .join(Person, Person.id == User.person_id)
        .where(
            SignInChallenge.token_hash == token_hash(token or ""),
            SignInChallenge.door == door,
            SignInChallenge.used_at.is_(None),
            SignInChallenge.expires_at > now,
            SignInChallenge.attempts < MAX_TRIES,
        )
        .execution_options(populate_existing=True)
    )
    row = session.execute(wanted.with_for_update(of=SignInChallenge) if lock else wanted).first()
    if row is None:
        raise Unauthenticated("challenge_expired")
    return OpenChallenge(*row)


def answer_by_code(
    session: TenantSession, held: OpenChallenge, proof: SecondProof, *, vault: Vault, now: datetime
) -> CodeKind | None:
    """Use the challenge up by a right code (of the authenticator, or a recovery code).

    None for a wrong one: it is counted, which the caller commits before it refuses. `held` has to be locked.
    Raises Unauthenticated `sign_in_locked` (`retry_after` in seconds) while the login is locked from here.
    """
    subject = subject_of(held.email, held.user)
    refuse_locked(session, subject, proof.origin, user=held.user, device=proof.device, now=now)
    kind = take_code(session, held.user.id, proof.code, vault=vault, now=now)
    if kind is None:
        count_wrong_try(session, held, proof.origin, device=proof.device, now=now)
        return None
    use_up(session, held, proof.origin, device=proof.device, now=now)
    return kind


def count_wrong_try(
    session: TenantSession, held: OpenChallenge, origin: Origin, *, device: str | None, now: datetime
) -> None:
    """A proof did not hold: it counts against the challenge and against the login from here."""
    held.row.attempts += 1
    count_failure(session, subject_of(held.email, held.user), origin, user=held.user, device=device, now=now)


def use_up(session: TenantSession, held: OpenChallenge, origin: Origin, *, device: str | None, now: datetime) -> None:
    """The second proof holds: the challenge is over, and earlier failures are forgiven."""
    held.row.used_at = now
    forgive(session, subject_of(held.email, held.user), origin, user=held.user, device=device, now=now)


def note_recovery(session: TenantSession, identity: Identity, *, now: datetime) -> int:
    """Audit that a recovery code was used; returns how many are left."""
    left = read_factors(session, identity.user.id).recovery_codes
    after = {"left": left}
    audit(session, "user.recovery_code_used", "user", identity.user.id, actor=identity.actor, now=now, after=after)
    return left
