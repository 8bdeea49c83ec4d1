"""From an event to notices and mails: decided, rendered and stored once, whatever is repeated."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import ActorKind, system_actor
from portal.events import tell
from portal.events.messages import MessageQueued
from portal.events.notifications import NotificationsCreated
from portal.lib.vault import Vault
from portal.models import (
    MailMessage,
    MailState,
    NextStep,
    Notification,
    OutboxEvent,
    Tenant,
    Ticket,
    TicketEvent,
    TicketFollower,
    TicketMessage,
    User,
    UserKind,
    UserStatus,
)
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity, build_identity, select_identity
from portal.services.notifications.mail_words import load_texts
from portal.services.notifications.message_ids import first_message_id, message_id
from portal.services.notifications.own_words import place_values
from portal.services.notifications.quotes import RECORD_TYPES, fan_out_quote
from portal.services.notifications.recipients import Facts, Notice, who_hears
from portal.services.notifications.rendering import Letter, render_mail
from portal.services.tenants.directory import TenantProfile, load_profile
from portal.services.tenants.own_statuses import load_own_statuses
from portal.services.tickets.rating_links import issue_rating_link


def fan_out(
    session: TenantSession, event_id: UUID, *, base_url: str, now: datetime, vault: Vault | None = None
) -> list[UUID]:
    """Write the notices and mails of an event and return the ids of mails that wait to be sent.

    With the vault mails about solved tickets take a link along that rates them.

    Unique keys (event and person; event, address and template) make a repeat write nothing; the mails that
    wait are named again.
    """
    event = session.get(OutboxEvent, event_id)
    if event is not None and event.record_type == MessageQueued.record_type:
        # Written already by whoever queued it; the event is only told to have it sent.
        return _waiting(session, event.record_id)
    if event is not None and event.record_type in RECORD_TYPES:
        fan_out_quote(session, event, base_url=base_url, now=now)
        return _waiting(session, event_id)
    facts = load_facts(session, event_id)
    if facts is None:
        return []
    notices = who_hears(facts)
    _ring(session, facts, notices, now)
    by_mail = [notice for notice in notices if notice.mail]
    if by_mail:
        _write_mails(session, facts, by_mail, base_url=base_url, now=now, vault=vault)
    return _waiting(session, event_id)


def _waiting(session: TenantSession, event_id: UUID) -> list[UUID]:
    waiting = select(MailMessage.id).where(MailMessage.event_id == event_id, MailMessage.state == MailState.QUEUED)
    return list(session.scalars(waiting.order_by(MailMessage.created_at, MailMessage.id)))


def load_facts(session: TenantSession, event_id: UUID) -> Facts | None:
    """The event with its ticket and people; None where one is not there (any more) or the ticket lies in the trash."""
    event = session.get(OutboxEvent, event_id)
    if event is None or event.record_type != "ticket":
        return None
    ticket = session.get(Ticket, event.record_id)
    if ticket is None or ticket.trashed_at is not None:
        return None
    companions = session.scalars(
        select(OutboxEvent).where(
            OutboxEvent.record_id == event.record_id,
            OutboxEvent.occurred_at == event.occurred_at,
            OutboxEvent.actor_id.is_not_distinct_from(event.actor_id),
            OutboxEvent.id != event.id,
        )
    )
    followers = tuple(session.scalars(select(TicketFollower.user_id).where(TicketFollower.ticket_id == ticket.id)))
    return Facts(event, ticket, _people(session, ticket, followers), tuple(companions), followers)


def _people(session: TenantSession, ticket: Ticket, followers: Sequence[UUID]) -> dict[UUID, Identity]:
    rows = session.execute(
        select_identity()
        .where(
            or_(User.kind == UserKind.STAFF, User.id.in_([ticket.requester_id, *followers])),
            User.status == UserStatus.ACTIVE,
            User.portal_access,
        )
        .order_by(User.created_at, User.id)
    )
    people = [build_identity(row) for row in rows]
    # Somebody who left the company hears nothing more of its tickets.
    return {
        person.user.id: person
        for person in people
        if person.actor.is_staff or ticket.customer_id in person.actor.company_ids
    }


def _ring(session: TenantSession, facts: Facts, notices: Sequence[Notice], now: datetime) -> None:
    rows = [
        {
            "id": uuid4(),
            "tenant_id": session.tenant_id,
            "user_id": notice.to.user.id,
            "event_id": facts.event.id,
            "kind": notice.kind,
            "record_type": "ticket",
            "record_id": facts.ticket.id,
            "params": notice_params(session, facts),
            "created_at": now,
        }
        for notice in notices
        if notice.bell
    ]
    if not rows:
        return
    written = session.scalars(
        insert(Notification).values(rows).on_conflict_do_nothing().returning(Notification.user_id)
    ).all()
    if written:
        actor = system_actor(session.tenant_id)
        tell(session, NotificationsCreated(facts.event.id, user_ids=tuple(written)), actor=actor, now=now)


def notice_params(session: TenantSession, facts: Facts) -> dict[str, Any]:
    """What the wording of a notice needs: codes, and who did it."""
    payload = facts.event.payload
    params: dict[str, Any] = {"actor": actor_name(session, facts), "actor_kind": facts.event.actor_kind}
    for name in ("metric", "role", "level", "rating"):
        if name in payload:
            params[name] = payload[name]
    if "to_status" in payload:
        params["status"] = payload["to_status"]
        if payload.get("to_own"):
            params["own"] = payload["to_own"]
    return params


def actor_name(session: TenantSession, facts: Facts) -> str:
    """The name of who caused the event, empty for the product itself."""
    actor_id = facts.event.actor_id
    if actor_id is None:
        return ""
    if actor_id in facts.people:
        return facts.people[actor_id].person_name
    row = session.execute(select_identity().where(User.id == actor_id)).first()
    return build_identity(row).person_name if row else ""


def _write_mails(
    session: TenantSession,
    facts: Facts,
    notices: Sequence[Notice],
    *,
    base_url: str,
    now: datetime,
    vault: Vault | None,
) -> None:
    tenant = session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one()
    profile = replace(load_profile(session, tenant), statuses=load_own_statuses(session))
    quote, steps = _quote(session, facts), _steps(session, facts.ticket)
    params = notice_params(session, facts)
    moved = facts.has_companion("ticket.status_changed")
    own = load_texts(session, {notice.kind for notice in notices})
    places = place_values(session, facts.ticket, doer=params["actor"], portal_name=profile.name) if own else {}
    rows = []
    for notice in notices:
        letter = Letter(
            notice=notice,
            ticket=facts.ticket,
            tenant=profile,
            params=params,
            quote=quote,
            steps=steps,
            moved_to=moved.payload.get("to_status") if moved else None,
            base_url=base_url,
            now=now,
            rating_link=_rating_link(session, facts, notice, vault, now),
            places=places,
        )
        letter = replace(letter, words=own.get(notice.kind, {}).get(letter.locale, {}))
        rows.append(_mail_row(session, facts, notice, letter, profile, now))
    session.execute(insert(MailMessage).values(rows).on_conflict_do_nothing())


def _rating_link(
    session: TenantSession, facts: Facts, notice: Notice, vault: Vault | None, now: datetime
) -> UUID | None:
    """The link that goes along with the mail which says that a ticket is solved."""
    if vault is None or notice.kind not in ("ticket_status_changed", "ticket_answered"):
        return None
    if notice.to.user.id != facts.ticket.requester_id:
        return None
    return issue_rating_link(session, facts.ticket, user_id=notice.to.user.id, vault=vault, now=now)


def _mail_row(
    session: TenantSession, facts: Facts, notice: Notice, letter: Letter, tenant: TenantProfile, now: datetime
) -> dict[str, Any]:
    rendered = render_mail(letter)
    host = tenant.support_email.rpartition("@")[2]
    confirms = notice.kind == "ticket_received"
    return {
        "id": uuid4(),
        "tenant_id": session.tenant_id,
        "event_id": facts.event.id,
        "template": notice.kind,
        "user_id": notice.to.user.id,
        "link_id": letter.rating_link,
        "recipient": notice.to.email,
        "locale": letter.locale,
        "message_id": first_message_id(facts.ticket.id, host)
        if confirms
        else message_id(facts.ticket.id, facts.event.id, notice.to.user.id, host),
        "subject": rendered.subject,
        "text": rendered.text,
        "html": rendered.html,
        "state": MailState.QUEUED,
        "attempts": 0,
        "created_at": now,
    }


def _quote(session: TenantSession, facts: Facts) -> str:
    """The words the mail is about: of a public message, never of an internal note."""
    if facts.event.kind == "ticket.created":
        return facts.ticket.description
    if "message_id" not in facts.event.payload:
        return _reason(session, facts)
    found = session.scalar(
        select(TicketMessage.message).where(
            TicketMessage.id == UUID(facts.event.payload["message_id"]),
            TicketMessage.ticket_id == facts.ticket.id,
            TicketMessage.is_internal.is_(False),
        )
    )
    return found or ""


def _reason(session: TenantSession, facts: Facts) -> str:
    """Why a customer cancelled, or asked for escalation: the timeline's line of the same instant says it."""
    reason = session.scalar(
        select(TicketEvent.params["reason"].astext)
        .where(
            TicketEvent.ticket_id == facts.ticket.id,
            TicketEvent.at == facts.event.occurred_at,
            TicketEvent.actor_kind == ActorKind.CUSTOMER.value,
            TicketEvent.params.has_key("reason"),
        )
        .limit(1)
    )
    return reason or ""


def _steps(session: TenantSession, ticket: Ticket) -> list[NextStep]:
    return list(session.scalars(select(NextStep).where(NextStep.record_id == ticket.id).order_by(NextStep.at)))
