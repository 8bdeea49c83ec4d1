"""Who hears of quotes, and what they are told: bells and mails, each once per event and person.

- The company's administrators, and whoever asked for it: a new quote, that its validity ends soon, that it ended.
- Who signed: the confirmation.
- Who wrote the quote, else everybody who manages quotes: looked at, accepted, declined, changes asked for, expired.
- Everybody who manages quotes: a new wish; who asked: that it is refused.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Permission, system_actor
from portal.events import tell
from portal.events.notifications import NotificationsCreated
from portal.lib.colour import solid_accent
from portal.lib.i18n import format_day_and_time, text_direction
from portal.lib.letters import render_mail_template, translator
from portal.lib.links import site_address
from portal.lib.money_format import format_amount
from portal.models import (
    MailMessage,
    MailState,
    Membership,
    Notification,
    OutboxEvent,
    Quote,
    QuoteRequest,
    Tenant,
    User,
    UserKind,
    UserStatus,
)
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity, build_identity, select_identity
from portal.services.tenants.directory import TenantProfile, load_profile

RECORD_TYPES = frozenset({"quote", "quote_request"})


@dataclass(frozen=True)
class _Notice:
    to: Identity
    kind: str
    mail: bool = True


@dataclass(frozen=True)
class _Facts:
    """An event about a quote, or about a wish for one, and who might hear."""

    event: OutboxEvent
    record: Quote | QuoteRequest
    people: tuple[Identity, ...]
    asked_by: UUID | None

    def deciders(self) -> Iterable[Identity]:
        """The company's administrators, and who asked for the quote while they belong to it."""
        for person in self.people:
            actor = person.actor
            belongs = self.record.customer_id in actor.company_ids
            decides = self.record.customer_id in actor.admin_company_ids or actor.user_id == self.asked_by
            if actor.is_customer and belongs and decides and actor.may(Permission.QUOTES_READ):
                yield person

    def team(self) -> Iterable[Identity]:
        """Who wrote the quote where they may still manage it, else everybody who may."""
        managing = [p for p in self.people if p.actor.is_staff and p.actor.may(Permission.QUOTES_MANAGE)]
        author = getattr(self.record, "created_by", None)
        own = [person for person in managing if person.user.id == author]
        return own or managing

    def one(self, user_id: UUID | None) -> Iterable[Identity]:
        """That person, where they may sign in."""
        return [person for person in self.people if person.user.id == user_id]


def fan_out_quote(session: TenantSession, event: OutboxEvent, *, base_url: str, now: datetime) -> None:
    """Write the bells and mails of an event; unique keys make a repeat write nothing."""
    rule = _RULES.get(event.kind)
    facts = _load(session, event) if rule else None
    if rule is None or facts is None:
        return
    notices = {notice.to.user.id: notice for notice in reversed([*rule(facts)])}
    told = [notice for notice in notices.values() if _is_told(facts, notice)]
    params = _params(facts)
    _ring(session, facts, told, params, now)
    mails = [notice for notice in told if notice.mail]
    if mails:
        _write_mails(session, facts, mails, base_url=base_url, now=now)


def _is_told(facts: _Facts, notice: _Notice) -> bool:
    # The one thing people are told of what they did themselves: that their signature arrived.
    return notice.kind == "quote_confirmed" or notice.to.user.id != facts.event.actor_id


def _sent(facts: _Facts) -> Iterable[_Notice]:
    return (_Notice(person, "quote_sent") for person in facts.deciders())


def _reminded(facts: _Facts) -> Iterable[_Notice]:
    return (_Notice(person, "quote_reminder") for person in facts.deciders())


def _viewed(facts: _Facts) -> Iterable[_Notice]:
    return (_Notice(person, "quote_viewed", mail=False) for person in facts.team())


def _accepted(facts: _Facts) -> Iterable[_Notice]:
    yield from (_Notice(person, "quote_confirmed") for person in facts.one(facts.event.actor_id))
    yield from (_Notice(person, "quote_accepted") for person in facts.team())


def _declined(facts: _Facts) -> Iterable[_Notice]:
    return (_Notice(person, "quote_declined") for person in facts.team())


def _to_be_revised(facts: _Facts) -> Iterable[_Notice]:
    return (_Notice(person, "quote_revision_requested") for person in facts.team())


def _expired(facts: _Facts) -> Iterable[_Notice]:
    yield from (_Notice(person, "quote_expired", mail=False) for person in facts.deciders())
    yield from (_Notice(person, "quote_expired", mail=False) for person in facts.team())


def _requested(facts: _Facts) -> Iterable[_Notice]:
    return (_Notice(person, "quote_requested") for person in facts.team())


def _refused(facts: _Facts) -> Iterable[_Notice]:
    return (_Notice(person, "quote_request_refused") for person in facts.one(facts.asked_by))


_RULES: dict[str, Callable[[_Facts], Iterable[_Notice]]] = {
    "quote.sent": _sent,
    "quote.reminded": _reminded,
    "quote.viewed": _viewed,
    "quote.accepted": _accepted,
    "quote.declined": _declined,
    "quote.revision_requested": _to_be_revised,
    "quote.expired": _expired,
    "quote_request.created": _requested,
    "quote_request.refused": _refused,
}


def _load(session: TenantSession, event: OutboxEvent) -> _Facts | None:
    record: Quote | QuoteRequest | None
    if event.record_type == "quote":
        record = session.get(Quote, event.record_id)
    else:
        record = session.get(QuoteRequest, event.record_id)
    if record is None:
        return None
    rows = session.execute(_people_of(record))
    return _Facts(event, record, tuple(map(build_identity, rows)), _asker(session, record))


def _people_of(record: Quote | QuoteRequest) -> Any:
    """Staff, and the people of the record's company."""
    member = select(Membership.user_id).where(Membership.company_id == record.customer_id)
    return (
        select_identity()
        .where(
            (User.kind == UserKind.STAFF) | User.id.in_(member), User.status == UserStatus.ACTIVE, User.portal_access
        )
        .order_by(User.created_at, User.id)
    )


def _asker(session: TenantSession, record: Quote | QuoteRequest) -> UUID | None:
    if isinstance(record, QuoteRequest):
        return record.user_id
    if record.request_id is None:
        return None
    return session.scalar(select(QuoteRequest.user_id).where(QuoteRequest.id == record.request_id))


def _title(record: Quote | QuoteRequest) -> str:
    return record.title if isinstance(record, Quote) else record.subject


def _params(facts: _Facts) -> dict[str, Any]:
    actor = next((person.person_name for person in facts.people if person.user.id == facts.event.actor_id), "")
    return {
        "actor": actor,
        "actor_kind": facts.event.actor_kind,
        "number": facts.record.number,
        "subject": _title(facts.record),
    }


def _ring(
    session: TenantSession, facts: _Facts, notices: Iterable[_Notice], params: dict[str, Any], now: datetime
) -> None:
    rows = [
        {
            "id": uuid4(),
            "tenant_id": session.tenant_id,
            "user_id": notice.to.user.id,
            "event_id": facts.event.id,
            "kind": notice.kind,
            "record_type": facts.event.record_type,
            "record_id": facts.record.id,
            "params": params,
            "created_at": now,
        }
        for notice in notices
    ]
    if not rows:
        return
    written = insert(Notification).values(rows).on_conflict_do_nothing().returning(Notification.user_id)
    if told := session.scalars(written).all():
        fact = NotificationsCreated(facts.event.id, user_ids=tuple(told))
        tell(session, fact, actor=system_actor(session.tenant_id), now=now)


def _write_mails(
    session: TenantSession, facts: _Facts, notices: Iterable[_Notice], *, base_url: str, now: datetime
) -> None:
    profile = load_profile(session, session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one())
    rows = [_mail(session, facts, notice, profile, base_url, now) for notice in notices]
    session.execute(insert(MailMessage).values(rows).on_conflict_do_nothing())


def _mail(
    session: TenantSession, facts: _Facts, notice: _Notice, tenant: TenantProfile, base_url: str, now: datetime
) -> dict[str, Any]:
    wanted = notice.to.user.locale
    locale = wanted if wanted and wanted in tenant.locales else tenant.locale
    rendered = render_mail_template(f"mail/{notice.kind}.txt", _context(facts, notice, tenant, locale, base_url))
    host = tenant.support_email.rpartition("@")[2]
    return {
        "id": uuid4(),
        "tenant_id": session.tenant_id,
        "event_id": facts.event.id,
        "template": notice.kind,
        "user_id": notice.to.user.id,
        "recipient": notice.to.email,
        "locale": locale,
        "message_id": f"<quote-{facts.record.id}.{facts.event.id.hex}.{notice.to.user.id.hex[:12]}@{host}>",
        "subject": rendered.subject,
        "text": rendered.text,
        "html": rendered.html,
        "state": MailState.QUEUED,
        "attempts": 0,
        "created_at": now,
    }


def _context(facts: _Facts, notice: _Notice, tenant: TenantProfile, locale: str, base_url: str) -> dict[str, Any]:
    translate, record, params = translator(locale), facts.record, _params(facts)
    zone = notice.to.user.timezone or tenant.timezone
    staff = notice.to.actor.is_staff
    kind = "quotes" if isinstance(record, Quote) else "quotes/requests"
    door = "admin" if staff else "portal"
    said = record.decision_note if isinstance(record, Quote) else record.refusal or record.requirements
    ends = format_day_and_time(record.expires_at, locale, zone) if isinstance(record, Quote) else ""
    shown = [(translate("Number"), record.number)]
    if isinstance(record, Quote):
        shown.append((translate("Total"), format_amount(record.total, record.currency, locale)))
        if notice.kind in ("quote_sent", "quote_reminder"):
            shown.append((translate("Valid until"), ends))
    return {
        "_": translate,
        "locale": locale,
        "direction": text_direction(locale),
        "tenant": tenant,
        "mark": str(tenant.brand.get("mark_letter") or tenant.name[:1]),
        "accent": solid_accent(tenant.brand.get("accent")),
        "name": (notice.to.person_name.split() or [notice.to.email])[0],
        "number": record.number,
        "topic": _title(record) or record.number,
        "actor": params["actor"],
        "quote": said if notice.kind not in ("quote_sent", "quote_reminder", "quote_confirmed") else "",
        "facts": shown,
        "next_step": None,
        "action_url": f"{site_address(base_url, tenant.primary_host)}/{door}/{kind}/{record.id}",
        "takes_replies": False,
        "preferences_url": "",
    }
