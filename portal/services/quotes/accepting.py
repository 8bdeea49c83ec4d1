"""Accepting a quote: once, by somebody who may, of exactly what was shown (H6.3, H6.6)."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import event

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid, invalid
from portal.events import Beside, publish
from portal.events.quotes import QuoteAccepted
from portal.integrations.storage import FileStorage
from portal.lib.faults import crash_point, is_armed
from portal.lib.letters import translator
from portal.lib.text import clean_text, has_forbidden_characters
from portal.lib.wording.quotes import CONSENT_VERSION, consent_text
from portal.models import Quote, QuoteLine, QuoteStatus
from portal.models.session import TenantSession
from portal.services.quotes.content import fingerprint
from portal.services.quotes.lines import store_totals
from portal.services.quotes.queries import list_lines
from portal.services.quotes.signature_images import draw_signature, keep_signature
from portal.services.quotes.standing import lock_to_decide, require_binding, require_open

NAME_LENGTH = 100
ORDER_LENGTH = 60
_SHA256 = re.compile(r"[0-9a-f]{64}")
# By the event's own statement: the signature, and the end of what would have come by itself.
_SIGN = """
    signed AS (
        INSERT INTO signatures (id, tenant_id, record_type, record_id, user_id, side, status, signer_name, signer_email,
                                content_sha256, consent_version, consent_text, image_key, address, user_agent, factors,
                                decided_at, created_at)
        VALUES (:signature_id, :tenant_id, 'quote', :quote_id, cast(:actor_id AS uuid), 'customer', 'signed',
                :signer_name, :signer_email, :content_sha256, :consent_version, :consent_text, :image_key,
                :signer_address, :user_agent, :factors, :at, :at)
    ), cleared AS (
        DELETE FROM next_steps WHERE tenant_id = :tenant_id AND record_type = 'quote' AND record_id = :quote_id
    )
"""


@dataclass(frozen=True)
class Evidence:
    """How and from where the signer came: address, browser, language, and `factors` such as `pwd otp`."""

    ip: str = ""
    user_agent: str = ""
    factors: str = ""
    locale: str = "en"


@dataclass(frozen=True)
class Acceptance:
    """What the signer sent. `selected_line_ids` names every line taken; None takes the ones offered as taken.

    `optional_line_ids` says the same as forms do: of the optional lines these, what is no line of the quote aside.
    `signature` is a drawn one as a PNG data URL; without it the typed name is the signature.
    """

    signer_name: str
    content_sha256: str
    consent: bool
    signature: str | None = None
    selected_line_ids: Sequence[UUID] | None = None
    optional_line_ids: Collection[UUID] | None = None
    purchase_order: str = ""


def accept_quote(
    session: TenantSession,
    quote_id: UUID,
    given: Acceptance,
    *,
    evidence: Evidence,
    storage: FileStorage,
    actor: Actor,
    now: datetime,
) -> Quote:
    """Accept an open quote of the own company; invoice and sealed document follow from the event.

    Raises NotFound, Forbidden, Invalid per field, and Conflict: `quote_accepted`, `quote_expired`,
    `quote_not_open`, and `content_changed` where another content was shown than the one that stands.
    """
    require(actor, Permission.QUOTES_DECIDE)
    name, order = _check_fields(given)
    # Before the lock, which others would wait for: the picture is drawn by another process.
    drawn = draw_signature(given.signature) if given.signature else None
    decision = lock_to_decide(session, quote_id, actor=actor)
    quote, company = decision.quote, decision.company
    require_open(quote, now)
    lines = list_lines(session, quote.id)
    stands = fingerprint(quote, lines)
    if given.content_sha256 != stands.hex() or quote.content_sha256 != stands:
        raise Conflict("content_changed", number=quote.number)
    _take(quote, lines, given)
    require_binding(actor, company, quote)
    quote.status = QuoteStatus.ACCEPTED
    quote.decided_at = quote.updated_at = now
    quote.decided_by = actor.user_id
    quote.purchase_order = order
    signature = {
        "signature_id": uuid4(),
        "quote_id": quote.id,
        "signer_name": name,
        "signer_email": decision.email,
        "content_sha256": stands,
        "consent_version": CONSENT_VERSION,
        "consent_text": consent_text(company.name, translator(evidence.locale)),
        "image_key": keep_signature(session, drawn, storage) if drawn else None,
        "signer_address": evidence.ip[:45],
        "user_agent": evidence.user_agent[:255],
        "factors": evidence.factors[:60],
    }
    _publish(session, quote, lines, signature, actor, now)
    crash_point("accept.pre_commit")
    if is_armed("accept.post_commit"):
        # Whoever asked commits, after other things of theirs.
        event.listen(session, "after_commit", lambda _: crash_point("accept.post_commit"), once=True)
    return quote


def _publish(
    session: TenantSession,
    quote: Quote,
    lines: Sequence[QuoteLine],
    signature: dict[str, Any],
    actor: Actor,
    now: datetime,
) -> None:
    signature_id = signature["signature_id"]
    after = {
        "status": quote.status.value,
        "total": quote.total,
        "content_sha256": (quote.content_sha256 or b"").hex(),
        "selected_line_ids": [str(line.id) for line in lines if line.selected],
        "signature_id": str(signature_id),
    }
    accepted = QuoteAccepted.about(quote, signature_id=signature_id)
    before = {"status": QuoteStatus.SENT.value}
    publish(session, accepted, actor=actor, now=now, before=before, after=after, beside=(Beside(_SIGN, signature),))


def _check_fields(given: Acceptance) -> tuple[str, str]:
    errors: list[FieldError] = []
    texts = []
    for field, limit in (("signer_name", NAME_LENGTH), ("purchase_order", ORDER_LENGTH)):
        value = getattr(given, field)
        text = " ".join(clean_text(value).split())
        if has_forbidden_characters(value):
            errors.append(FieldError(field, "characters_forbidden"))
        elif len(text) > limit:
            errors.append(FieldError(field, "too_long", (("limit", limit),)))
        texts.append(text)
    if not texts[0]:
        errors.append(FieldError("signer_name", "required"))
    if given.consent is not True:
        errors.append(FieldError("consent", "consent_required"))
    if not _SHA256.fullmatch(given.content_sha256):
        errors.append(FieldError("content_sha256", "hash_invalid"))
    if errors:
        raise Invalid(*errors)
    return texts[0], texts[1]


def _take(quote: Quote, lines: Sequence[QuoteLine], given: Acceptance) -> None:
    """Mark the lines that are taken, and add them up anew."""
    chosen, ticked = given.selected_line_ids, given.optional_line_ids
    if ticked is not None:
        chosen = [line.id for line in lines if not line.optional or line.id in ticked]
    if chosen is not None:
        choose_lines(lines, chosen)
        for line in lines:
            line.selected = line.id in chosen
    store_totals(quote, lines)


def choose_lines(lines: Sequence[QuoteLine], chosen: Sequence[UUID]) -> None:
    """Raise Invalid about `selected_line_ids` unless they name lines of the quote, every required one among them."""
    wanted = set(chosen)
    if not wanted <= {line.id for line in lines}:
        raise invalid("selected_line_ids", "unknown_choice")
    if not {line.id for line in lines if not line.optional} <= wanted:
        raise invalid("selected_line_ids", "required_lines_missing")
    if not wanted:
        raise invalid("selected_line_ids", "required")
