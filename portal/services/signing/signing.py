"""Signing and declining: each place is filled once, with the hash of what its signer saw."""

import hmac
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from portal.authz import Actor
from portal.errors import Conflict, FieldError, Forbidden, Invalid, invalid
from portal.integrations.drawn_signatures import DrawingRefused, read_drawing
from portal.integrations.storage import FileStorage, StorageUnavailable, new_key
from portal.lib.text import clean_text, has_forbidden_characters
from portal.models import Signature, SignatureStatus
from portal.models.session import TenantSession
from portal.services.accounts.sessions import Origin
from portal.services.signing.consent import load_consent
from portal.services.signing.queries import is_their_turn, own_place

NAME_LENGTH = 100
REASON_LENGTH = 500
HASH_CHARACTERS = 64
_WAITING = SignatureStatus.WAITING


@dataclass(frozen=True)
class FrozenDocument:
    """What is signed, as it stands in the transaction that locks it; `party` is who the signer stands for."""

    record_type: str
    record_id: UUID
    content_sha256: bytes
    party: str
    in_order: bool = False


@dataclass(frozen=True)
class GivenSignature:
    """What a signer sends: the name, the hash (hex) of what they saw, their consent, and perhaps a drawing.

    `consent_version` is that of the text they read; empty where they do not say.
    """

    signer_name: str
    content_sha256: str
    consent: bool
    drawing: str = ""
    locale: str = "en"
    consent_version: str = ""


@dataclass(frozen=True)
class Circumstances:
    """Where a decision comes from, and how the person had signed in (`pwd`, `pwd+otp`, `webauthn`, `sso`)."""

    origin: Origin
    factors: str


def read_given(given: GivenSignature) -> bytes | None:
    """Check what needs no look at the document, and give the drawing as PNG; done before anything is locked.

    Raises Invalid: `signer_name`, `content_sha256`, `consent`, `signature`.
    """
    errors = []
    name = clean_text(given.signer_name)
    if not name:
        errors.append(FieldError("signer_name", "required"))
    elif len(name) > NAME_LENGTH:
        errors.append(FieldError("signer_name", "too_long", (("limit", NAME_LENGTH),)))
    elif has_forbidden_characters(name):
        errors.append(FieldError("signer_name", "characters_forbidden"))
    if not _is_hash(given.content_sha256):
        errors.append(FieldError("content_sha256", "not_a_hash"))
    if not given.consent:
        errors.append(FieldError("consent", "consent_needed"))
    if errors:
        raise Invalid(*errors)
    if not given.drawing:
        return None
    try:
        return read_drawing(given.drawing)
    except DrawingRefused as refused:
        raise invalid("signature", refused.code) from refused


def sign(
    session: TenantSession,
    document: FrozenDocument,
    given: GivenSignature,
    drawn: bytes | None,
    *,
    circumstances: Circumstances,
    storage: FileStorage,
    actor: Actor,
    now: datetime,
) -> list[Signature]:
    """Fill the actor's place; gives all places as they are then. The caller holds the document's own row locked.

    Raises Forbidden `not_a_signer`; Conflict `already_signed`, `not_your_turn`, `document_changed` where the hash
    is not that of the frozen bytes, or `consent_changed` where another version of the consent was agreed to.
    """
    places, own = _lock(session, document, actor)
    consent = load_consent(session, document.party, given.locale)
    if given.consent_version and given.consent_version != consent.version:
        raise Conflict("consent_changed")
    if not hmac.compare_digest(given.content_sha256.lower(), document.content_sha256.hex()):
        raise Conflict("document_changed")
    _fill(
        session,
        own,
        circumstances,
        now,
        status=SignatureStatus.SIGNED,
        signer_name=clean_text(given.signer_name),
        content_sha256=document.content_sha256,
        consent_version=consent.version,
        consent_text=consent.text,
        image_key=_keep(session, storage, drawn) if drawn else None,
    )
    return places


def decline(
    session: TenantSession,
    document: FrozenDocument,
    reason: str,
    *,
    circumstances: Circumstances,
    actor: Actor,
    now: datetime,
) -> Signature:
    """Say no in the actor's place, with a reason; nobody can sign after that.

    Raises Invalid about `reason`, Forbidden `not_a_signer`, Conflict `already_signed` or `not_your_turn`.
    """
    said = clean_text(reason)
    if not said:
        raise invalid("reason", "required")
    if len(said) > REASON_LENGTH:
        raise invalid("reason", "too_long", limit=REASON_LENGTH)
    if has_forbidden_characters(said):
        raise invalid("reason", "characters_forbidden")
    _, own = _lock(session, document, actor)
    status = SignatureStatus.DECLINED
    values: dict[str, Any] = {"decline_reason": said, "content_sha256": document.content_sha256}
    _fill(session, own, circumstances, now, status=status, **values)
    return own


def is_complete(places: Sequence[Signature]) -> bool:
    """Whether everybody has signed."""
    return bool(places) and all(place.status is SignatureStatus.SIGNED for place in places)


def _lock(session: TenantSession, document: FrozenDocument, actor: Actor) -> tuple[list[Signature], Signature]:
    places = list(
        session.scalars(
            select(Signature)
            .where(Signature.record_type == document.record_type, Signature.record_id == document.record_id)
            .order_by(Signature.position, Signature.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    own = own_place(places, actor)
    if own is None:
        raise Forbidden("not_a_signer")
    if own.status is not _WAITING:
        raise Conflict("already_signed")
    if not is_their_turn(own, places, in_order=document.in_order):
        raise Conflict("not_your_turn")
    return places, own


def _fill(session: TenantSession, own: Signature, circumstances: Circumstances, now: datetime, **values: Any) -> None:
    """Move the place on; the condition and the trigger on the table both say that it happens once."""
    origin = circumstances.origin
    filled = session.execute(
        update(Signature)
        .where(Signature.id == own.id, Signature.status == _WAITING)
        .values(
            address=origin.ip,
            user_agent=origin.user_agent[:255],
            factors=circumstances.factors,
            decided_at=now,
            **values,
        )
        .returning(Signature.id),
        execution_options={"synchronize_session": False},
    ).first()
    if filled is None:
        raise Conflict("already_signed")
    session.refresh(own)


def _keep(session: TenantSession, storage: FileStorage, drawn: bytes) -> str:
    key = new_key()
    try:
        storage.put(key, io.BytesIO(drawn))
    except StorageUnavailable as error:
        raise invalid("signature", "document_not_stored") from error
    return key


def _is_hash(text: str) -> bool:
    return len(text) == HASH_CHARACTERS and all(char in "0123456789abcdefABCDEF" for char in text)
