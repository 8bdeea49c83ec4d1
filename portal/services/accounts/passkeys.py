"""Passkeys of a login: made, listed, renamed, removed."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from portal.errors import Conflict, NotFound, invalid
from portal.events import audit
from portal.lib.text import clean_text, has_forbidden_characters
from portal.lib.webauthn_answers import Site, check_creation, creation_question
from portal.models import Passkey, User
from portal.models.session import TenantSession
from portal.services.accounts.factor_changes import OwnFactors, note_added, note_removed
from portal.services.accounts.factors import read_factors
from portal.services.accounts.passkey_proofs import REGISTER, Question, close_ceremony, held_passkeys, open_ceremony
from portal.services.accounts.recovery_codes import drop_recovery_codes, make_recovery_codes

MAX_PASSKEYS = 20
NAME_LENGTH = 60


def list_passkeys(session: TenantSession, user_id: UUID) -> list[Passkey]:
    """A login's passkeys, the oldest first."""
    rows = session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.created_at, Passkey.id))
    return list(rows)


def find_passkey(session: TenantSession, passkey_id: UUID, user_id: UUID) -> Passkey:
    """One of a login's own; raises NotFound."""
    found = session.scalar(select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user_id))
    if found is None:
        raise NotFound("passkey")
    return found


def ask_for_new(session: TenantSession, own: OwnFactors, *, site: Site, now: datetime) -> Question:
    """Ask a browser to make a passkey; Conflict `too_many_passkeys` from twenty on."""
    held = held_passkeys(session, own.user_id)
    if len(held) >= MAX_PASSKEYS:
        raise Conflict("too_many_passkeys", limit=MAX_PASSKEYS)
    challenge, token = open_ceremony(session, REGISTER, user_id=own.user_id, now=now)
    question = creation_question(
        site,
        challenge,
        user_id=own.user_id.bytes,
        account=own.identity.email,
        person=own.identity.person_name,
        held=held,
    )
    return Question(question, token)


def add_passkey(
    session: TenantSession, own: OwnFactors, token: str | None, sent: str, *, name: str, site: Site, now: datetime
) -> list[str]:
    """Store what a browser made; returns recovery codes where there were none yet, else nothing.

    Raises Unauthenticated `passkey_refused`, Conflict `passkey_known` and `too_many_passkeys`, Invalid about the name.
    """
    label = _check_name(name)
    challenge = close_ceremony(session, REGISTER, token, user_id=own.user_id, now=now)
    made = check_creation(sent, challenge, site)
    # Registrations of one login one after the other, so that the limit holds.
    session.execute(select(User.id).where(User.id == own.user_id).with_for_update())
    if session.scalar(select(Passkey.id).where(Passkey.credential_id == made.credential_id)) is not None:
        raise Conflict("passkey_known")
    held = read_factors(session, own.user_id)
    if held.passkeys >= MAX_PASSKEYS:
        raise Conflict("too_many_passkeys", limit=MAX_PASSKEYS)
    session.add(
        Passkey(
            id=uuid4(),
            tenant_id=session.tenant_id,
            user_id=own.user_id,
            name=label,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            transports=made.transports,
            created_at=now,
        )
    )
    session.flush()
    codes = make_recovery_codes(session, own.user_id, now=now) if held.recovery_codes == 0 else []
    note_added(session, own, "passkey", now=now, key_name=label)
    return codes


def rename_passkey(session: TenantSession, own: OwnFactors, passkey_id: UUID, name: str, *, now: datetime) -> None:
    """Call a passkey something else; raises NotFound, Invalid."""
    label = _check_name(name)
    passkey = find_passkey(session, passkey_id, own.user_id)
    before, passkey.name = passkey.name, label
    audit(
        session,
        "user.passkey_renamed",
        "user",
        own.user_id,
        actor=own.identity.actor,
        now=now,
        before={"name": before},
        after={"name": label},
    )


def remove_passkey(session: TenantSession, own: OwnFactors, passkey_id: UUID, *, now: datetime) -> None:
    """Forget a passkey; raises NotFound.

    Raises Forbidden `second_factor_mandatory` for the last factor of somebody whose tenant requires one.
    """
    session.execute(select(User.id).where(User.id == own.user_id).with_for_update())
    passkey = find_passkey(session, passkey_id, own.user_id)
    held = read_factors(session, own.user_id)
    if not held.totp and held.passkeys == 1:
        own.forbid_last()
        drop_recovery_codes(session, own.user_id)
    session.execute(delete(Passkey).where(Passkey.id == passkey.id), execution_options={"synchronize_session": False})
    note_removed(session, own, "passkey", now=now, key_name=passkey.name)


def _check_name(name: str) -> str:
    label = clean_text(name)
    if not label:
        raise invalid("name", "required")
    if len(label) > NAME_LENGTH:
        raise invalid("name", "too_long", limit=NAME_LENGTH)
    if has_forbidden_characters(label):
        raise invalid("name", "characters_forbidden")
    return label
