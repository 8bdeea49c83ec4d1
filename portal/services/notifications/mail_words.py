"""The tenant's own words in mails about tickets: subject and text per language, with versions, or the standard ones."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid, NotFound
from portal.events import audit
from portal.lib.placeholders import FOR_MAILS, unknown_places
from portal.models import ConfigVersion, MailWords
from portal.models.session import TenantSession
from portal.services.tenants.config_versions import get_version, keep_version, list_versions
from portal.services.tickets.validation import checked_text

RECORD = "mail_words"
SUBJECT_LENGTH = 200
BODY_LENGTH = 4_000
FOR_CUSTOMERS = (
    "ticket_received",
    "ticket_answered",
    "ticket_status_changed",
    "ticket_handed_up",
    "ticket_merged",
    "ticket_shared",
    "ticket_colleague_replied",
)
FOR_TEAM = (
    "ticket_opened",
    "ticket_customer_replied",
    "ticket_assigned",
    "ticket_escalated",
    "ticket_withdrawn",
    "ticket_mentioned",
)
KINDS = (*FOR_CUSTOMERS, *FOR_TEAM)


@dataclass(frozen=True)
class Words:
    """What a mail says in one language; an empty part has the standard words."""

    subject: str = ""
    body: str = ""


def list_words(session: TenantSession, *, actor: Actor) -> dict[str, MailWords]:
    """What the tenant has ever said in its own words, by the kind of mail. Raises Forbidden."""
    require(actor, Permission.SLA_READ)
    return {row.kind: row for row in session.scalars(select(MailWords))}


def find_words(session: TenantSession, kind: str, *, actor: Actor) -> MailWords | None:
    """The own words of a kind of mail, None where nobody has ever written any. Raises Forbidden and NotFound."""
    require(actor, Permission.SLA_READ)
    if kind not in KINDS:
        raise NotFound(RECORD)
    return session.scalar(select(MailWords).where(MailWords.kind == kind))


def load_texts(session: TenantSession, kinds: Collection[str]) -> dict[str, dict[str, Any]]:
    """Own words for the writing of mails: kind -> locale -> {subject, body}."""
    rows = session.execute(select(MailWords.kind, MailWords.texts).where(MailWords.kind.in_(kinds)))
    return {kind: texts for kind, texts in rows if texts}


def save_words(
    session: TenantSession,
    kind: str,
    *,
    texts: Mapping[str, Words],
    locales: Sequence[str],
    actor: Actor,
    now: datetime,
) -> MailWords:
    """Say something in own words, which makes a version; without any words the mail has the standard ones again.

    Raises Forbidden, NotFound, and Invalid about `subject_<locale>` and `body_<locale>`, with the line and column
    of every placeholder that does not exist.
    """
    require(actor, Permission.SLA_CONFIGURE)
    if kind not in KINDS:
        raise NotFound(RECORD)
    checked = _checked(texts, locales)
    made = insert(MailWords).values(id=uuid4(), tenant_id=session.tenant_id, kind=kind, texts={}, version=0)
    session.execute(made.on_conflict_do_nothing())
    # Two that save at once wait for each other here.
    row = session.scalars(
        select(MailWords).where(MailWords.kind == kind).with_for_update().execution_options(populate_existing=True)
    ).one()
    before = dict(row.texts)
    row.texts, row.version = checked, row.version + 1
    form = {"texts": checked}
    keep_version(session, RECORD, row.id, version=row.version, data={"form": form}, actor=actor, now=now)
    told = {"kind": kind, "texts": checked, "version": row.version}
    audit(session, "mail_words.saved", RECORD, row.id, actor=actor, now=now, before={"texts": before}, after=told)
    return row


def restore_words(
    session: TenantSession, kind: str, version: int, *, locales: Sequence[str], actor: Actor, now: datetime
) -> MailWords:
    """Save an earlier version as the newest; languages that the tenant has no more are left out.

    Raises Forbidden, NotFound and Invalid.
    """
    require(actor, Permission.SLA_CONFIGURE)
    row = find_words(session, kind, actor=actor)
    if row is None:
        raise NotFound("version")
    kept = get_version(session, RECORD, row.id, version).data["form"]["texts"]
    texts = {locale: Words(**words) for locale, words in kept.items() if locale in locales}
    return save_words(session, kind, texts=texts, locales=locales, actor=actor, now=now)


def list_word_versions(session: TenantSession, kind: str, *, actor: Actor) -> list[ConfigVersion]:
    """What the mail said before, newest first. Raises Forbidden and NotFound."""
    row = find_words(session, kind, actor=actor)
    return list_versions(session, RECORD, row.id) if row else []


def _checked(texts: Mapping[str, Words], locales: Sequence[str]) -> dict[str, dict[str, str]]:
    errors = [FieldError(f"subject_{locale}", "unknown_choice") for locale in sorted(set(texts) - set(locales))]
    checked: dict[str, dict[str, str]] = {}
    for locale in locales:
        given = texts.get(locale, Words())
        subject = _part(f"subject_{locale}", given.subject, SUBJECT_LENGTH, errors)
        words = {
            "subject": " ".join(subject.split()),
            "body": _part(f"body_{locale}", given.body, BODY_LENGTH, errors),
        }
        if any(words.values()):
            checked[locale] = words
    if errors:
        raise Invalid(*errors)
    return checked


def _part(name: str, given: str, limit: int, errors: list[FieldError]) -> str:
    text = checked_text(name, given, limit=limit, errors=errors, required=False)
    for place in unknown_places(text, FOR_MAILS):
        where = (("name", place.name), ("line", place.line), ("column", place.column))
        errors.append(FieldError(name, "placeholder_unknown", where))
    return text
