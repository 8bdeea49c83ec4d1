"""Using a macro on a ticket: what it offers, what it would say and change, and all of it done as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, update

from portal.authz import Actor, Permission, require
from portal.errors import NotFound, invalid
from portal.events import audit
from portal.lib.placeholders import fill
from portal.models import Company, Macro, Person, Ticket, TicketMessage, TicketPriority, TicketStatus, User
from portal.models.session import TenantSession
from portal.services.tickets.attaching import MESSAGE
from portal.services.tickets.conversation import reply_as_staff
from portal.services.tickets.desk import TicketChanges, assign_ticket, update_ticket
from portal.services.tickets.macro_form import STAFF, assignee_of
from portal.services.tickets.macros import visible_macros
from portal.services.tickets.queries import get_ticket, lock_ticket, visible_to
from portal.services.tickets.timeline import add_line

OFFERED = 50


@dataclass(frozen=True)
class MacroPreview:
    """What a macro would say on a ticket, in which language, and what it would change besides."""

    macro: Macro
    text: str
    locale: str
    actions: dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """The answer that goes with a macro: its text as it was edited, and what else the form says.

    `status` goes before the macro's, `otherwise` comes after it and only with a text.
    """

    message: str
    status: TicketStatus | None = None
    custom_status: str | None = None
    otherwise: TicketStatus | None = None
    message_id: UUID | None = None
    attachment_ids: Sequence[UUID] = ()
    file_purpose: str = MESSAGE


def offer_macros(session: TenantSession, ticket_id: UUID, *, search: str = "", actor: Actor) -> list[Macro]:
    """Macros in use for a ticket's category, the most used first (at most 50). Raises Forbidden and NotFound."""
    require(actor, Permission.DESK_REPLY)
    ticket = get_ticket(session, ticket_id, actor=actor)
    fits = or_(func.jsonb_array_length(Macro.categories) == 0, Macro.categories.contains([ticket.category]))
    query = select(Macro).where(Macro.audience == STAFF, Macro.active, visible_macros(actor), fits)
    words = search.split()
    if words:
        patterns = [f"%{_literal(word)}%" for word in words[:8]]
        query = query.where(*(Macro.name.ilike(pattern, escape="\\") for pattern in patterns))
    return list(session.scalars(query.order_by(Macro.used.desc(), func.lower(Macro.name)).limit(OFFERED)))


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def usable_macro(session: TenantSession, macro_id: UUID, *, actor: Actor) -> Macro:
    """A macro of the team that is in use; anything else is not found."""
    require(actor, Permission.DESK_REPLY)
    wanted = (Macro.id == macro_id, Macro.audience == STAFF, Macro.active, visible_macros(actor))
    found = session.scalar(select(Macro).where(*wanted))
    if found is None:
        raise NotFound("macro")
    return found


def preview_macro(
    session: TenantSession, ticket_id: UUID, macro_id: UUID, *, actor: Actor, portal_name: str, main_locale: str
) -> MacroPreview:
    """What the macro says on this ticket, in the language of who asked where there is one. Writes nothing.

    Raises Forbidden and NotFound.
    """
    macro = usable_macro(session, macro_id, actor=actor)
    values, locale = ticket_values(session, ticket_id, actor=actor, portal_name=portal_name)
    chosen, text = text_in(macro.texts, (locale or "", main_locale))
    return MacroPreview(macro, fill(text, values), chosen, dict(macro.actions))


def ticket_values(
    session: TenantSession, ticket_id: UUID, *, actor: Actor, portal_name: str
) -> tuple[dict[str, str], str | None]:
    """What fills the places of a text about this ticket, and the language of who asked. Raises NotFound."""
    row = session.execute(
        select(Ticket.ticket_number, Ticket.subject, Person.name, User.locale, Company.name)
        .join(User, User.id == Ticket.requester_id)
        .join(Person, Person.id == User.person_id)
        .join(Company, Company.id == Ticket.customer_id)
        .where(Ticket.id == ticket_id, visible_to(actor))
    ).one_or_none()
    if row is None:
        raise NotFound("ticket")
    number, subject, name, locale, company = row
    values = {
        "ticket.number": number,
        "ticket.subject": subject,
        "customer.name": name,
        "customer.first_name": _first(name),
        "customer.company": company,
        "agent.name": actor.name,
        "agent.first_name": _first(actor.name),
        "portal.name": portal_name,
    }
    return values, locale


def text_in(texts: Mapping[str, str], locales: Sequence[str]) -> tuple[str, str]:
    """The text in the first of these languages that has one, else in any; with its language."""
    for locale in (*locales, *sorted(texts)):
        if texts.get(locale):
            return locale, texts[locale]
    return (locales[-1] if locales else ""), ""


def apply_macro(
    session: TenantSession, ticket_id: UUID, macro_id: UUID, *, reply: Reply, actor: Actor, now: datetime
) -> TicketMessage | None:
    """Answer as `reply` says and make the macro's changes, all in the caller's transaction; returns the answer.

    A reply without text or files only makes the changes.
    Raises NotFound, Forbidden, Invalid and Conflict as answering and changing do.
    """
    macro = usable_macro(session, macro_id, actor=actor)
    ticket = lock_ticket(session, ticket_id, actor=actor)
    actions = macro.actions
    speaks = bool(reply.message.strip() or reply.attachment_ids)
    if not speaks and not actions:
        raise invalid("message", "required")
    _change_fields(session, ticket, actions, actor=actor, now=now)
    status, own = _status_after(actions, reply)
    entry = None
    if speaks:
        entry = reply_as_staff(
            session,
            ticket_id,
            message=reply.message,
            status=status if status or own else reply.otherwise,
            custom_status=own,
            message_id=reply.message_id,
            attachment_ids=reply.attachment_ids,
            file_purpose=reply.file_purpose,
            actor=actor,
            now=now,
        )
    elif status or own:
        changes = TicketChanges(status=status, custom_status=own)
        update_ticket(session, ticket_id, changes=changes, actor=actor, now=now)
    _note_use(session, ticket, macro, actor=actor, now=now)
    return entry


def _change_fields(
    session: TenantSession, ticket: Ticket, actions: Mapping[str, Any], *, actor: Actor, now: datetime
) -> None:
    if "assignee" in actions:
        to = assignee_of(actions, actor.user_id)
        assign_ticket(session, ticket.id, assignee_id=to, actor=actor, now=now)
    tags = sorted({*ticket.tags, *actions.get("add_tags", ())})
    changes = TicketChanges(
        priority=TicketPriority(actions["priority"]) if "priority" in actions else None,
        tags=tuple(tags) if tags != sorted(ticket.tags) else None,
    )
    if changes != TicketChanges():
        update_ticket(session, ticket.id, changes=changes, actor=actor, now=now)


def _status_after(actions: Mapping[str, Any], reply: Reply) -> tuple[TicketStatus | None, str | None]:
    if reply.status or reply.custom_status:
        return reply.status, reply.custom_status
    own = actions.get("custom_status")
    if own:
        return None, str(own)
    return (TicketStatus(actions["status"]) if "status" in actions else None), None


def _note_use(session: TenantSession, ticket: Ticket, macro: Macro, *, actor: Actor, now: datetime) -> None:
    add_line(session, ticket, "macro_applied", actor=actor, now=now, staff_only=True, macro=macro.name)
    told = {"macro_id": macro.id, "version": macro.version}
    audit(session, "macro.applied", "ticket", ticket.id, actor=actor, now=now, after=told)
    session.execute(
        update(Macro).where(Macro.id == macro.id).values(used=Macro.used + 1),
        execution_options={"synchronize_session": False},
    )


def _first(name: str) -> str:
    return name.split()[0] if name.split() else name


def find_by_number(session: TenantSession, number: str, *, actor: Actor) -> UUID:
    """The ticket of a number as people write it; raises NotFound."""
    wanted = (Ticket.ticket_number == number.strip().upper(), visible_to(actor))
    found = session.scalar(select(Ticket.id).where(*wanted))
    if found is None:
        raise NotFound("ticket")
    return found
