"""Two tickets about the same thing become one, for good: there is no way back (see docs/tickets.md).

The merged one closes and its clock stops. What was said publicly in it is copied into the other one with its
time and sender; its files move there; whoever followed it follows the other one. Its notes stay with it.
"""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, invalid
from portal.events import Event, publish
from portal.events.relations import TicketAbsorbed, TicketMerged
from portal.lib.text import excerpt
from portal.models import (
    FINAL,
    LinkKind,
    Person,
    SenderType,
    Ticket,
    TicketFollower,
    TicketLink,
    TicketMessage,
    TicketStatus,
    User,
)
from portal.models.session import TenantSession
from portal.services.tickets.clock import set_clock, steps_of
from portal.services.tickets.copying import copy_messages, list_public, pairs_json, snapshot_of
from portal.services.tickets.lifecycle import move_to
from portal.services.tickets.pairs import lock_pair
from portal.services.tickets.policies import load_terms_of
from portal.services.tickets.timeline import add_line

INTO = "into_id"
# No chain of merges is longer than this; a ticket that was merged takes no others in, so there are no circles.
LONGEST_CHAIN = 100


def merge_tickets(session: TenantSession, ticket_id: UUID, *, into_id: UUID, actor: Actor, now: datetime) -> Ticket:
    """Merge a ticket into another one of the same company; returns that one.

    Raises NotFound for either, Invalid about `into_id` (`merge_into_itself`, `merge_other_company`) and Conflict
    (`already_merged`, `merge_target_merged`, `merge_target_closed`).
    """
    source, target = lock_pair(session, ticket_id, into_id, actor=actor)
    require(actor, Permission.DESK_UPDATE)
    _refuse_unfit(source, target)
    before = source.status
    copies = _bring_messages(session, source, target)
    _bring_followers(session, source, target, actor=actor, now=now)
    events: list[Event] = [
        TicketMerged.about(source, into_id=target.id),
        TicketAbsorbed.about(target, from_id=source.id),
    ]
    if source.status not in FINAL:
        moved, _ = move_to(source, TicketStatus.CLOSED, now=now)
        events.append(moved)
    reading = set_clock(source, now=now, policies=load_terms_of(session, [source])[source.id])
    source.merged_into_id = target.id
    source.updated_at = target.updated_at = now
    session.add(
        TicketLink(ticket_id=source.id, other_id=target.id, kind=LinkKind.MERGED_INTO, created_by=actor.user_id)
    )
    _write_lines(session, source, target, copies, actor=actor, now=now)
    publish(
        session,
        *events,
        actor=actor,
        now=now,
        before={"status": before.value},
        after={"status": source.status.value, "merged_into": target.id},
        beside=(steps_of(source, reading),),
    )
    return target


def _write_lines(
    session: TenantSession, source: Ticket, target: Ticket, copies: list[UUID], *, actor: Actor, now: datetime
) -> None:
    add_line(
        session, source, "merged_into", actor=actor, now=now, number=target.ticket_number, ticket_id=str(target.id)
    )
    add_line(
        session, target, "merged_here", actor=actor, now=now, number=source.ticket_number, ticket_id=str(source.id),
        messages=[str(id_) for id_ in copies],
    )  # fmt: skip


def final_ticket_id(session: TenantSession, ticket_id: UUID) -> UUID:
    """Where the conversation of a ticket goes on: itself, or the end of its chain of merges.

    For whoever brings something to a ticket by an old way, mail above all; may the reader see that ticket is
    theirs to ask.
    """
    found = session.connection().execute(_FINAL, {"tenant": session.tenant_id, "ticket": ticket_id}).scalar()
    return UUID(str(found)) if found else ticket_id


_FINAL = text(
    f"""
    WITH RECURSIVE chain AS (
        SELECT id, merged_into_id, 1 AS depth FROM portal_tickets WHERE tenant_id = :tenant AND id = :ticket
        UNION ALL
        SELECT t.id, t.merged_into_id, depth + 1 FROM portal_tickets t JOIN chain ON t.id = chain.merged_into_id
        WHERE t.tenant_id = :tenant AND depth < {LONGEST_CHAIN}
    )
    SELECT id FROM chain ORDER BY depth DESC LIMIT 1
    """  # noqa: S608 - a number of ours
)


def _refuse_unfit(source: Ticket, target: Ticket) -> None:
    if source.id == target.id:
        raise invalid(INTO, "merge_into_itself")
    if source.merged_into_id is not None:
        raise Conflict("already_merged", number=source.ticket_number)
    if source.customer_id != target.customer_id:
        raise invalid(INTO, "merge_other_company")
    if target.merged_into_id is not None:
        raise Conflict("merge_target_merged", number=target.ticket_number)
    if target.status in FINAL:
        raise Conflict("merge_target_closed", number=target.ticket_number)


def _bring_messages(session: TenantSession, source: Ticket, target: Ticket) -> list[UUID]:
    """Copy description and public messages and move their files; returns the copies' ids."""
    spoken = list_public(session, source.id)
    known = list_public(session, target.id)
    opening = TicketMessage(
        id=uuid4(),
        tenant_id=source.tenant_id,
        ticket_id=target.id,
        sender_type=SenderType.CUSTOMER,
        sender_id=source.requester_id,
        sender_name=_name_of_requester(session, source),
        message=source.description,
        message_html=source.description_html,
        attachments=snapshot_of(session, source.id),
        source=source.source,
        created_at=source.created_at,
    )
    session.add(opening)
    pairs = {entry.id: uuid4() for entry in spoken}
    copy_messages(session, pairs, target_id=target.id)
    values = {"tenant": session.tenant_id, "source": source.id, "target": target.id, "opening": opening.id}
    session.flush()
    session.connection().execute(_MOVE_FILES, values | {"pairs": pairs_json(pairs)})
    newest = max([opening, *spoken], key=lambda entry: entry.created_at)
    if newest.created_at > max([target.created_at, *(entry.created_at for entry in known)]):
        target.last_message = excerpt(newest.message)
    return [opening.id, *pairs.values()]


_MOVE_FILES = text(
    """
    WITH pairs AS (
        SELECT old, new FROM jsonb_to_recordset(cast(:pairs AS jsonb)) AS pair(old uuid, new uuid)
    )
    UPDATE attachments a SET ticket_id = :target,
        message_id = CASE WHEN a.message_id IS NULL THEN :opening
                          ELSE (SELECT new FROM pairs WHERE old = a.message_id) END
    WHERE a.tenant_id = :tenant AND a.ticket_id = :source AND NOT a.is_internal
      AND (a.message_id IS NULL OR a.message_id IN (SELECT old FROM pairs))
    """
)


def _name_of_requester(session: TenantSession, ticket: Ticket) -> str:
    return session.scalars(
        select(Person.name).join(User, User.person_id == Person.id).where(User.id == ticket.requester_id)
    ).one()


def _bring_followers(session: TenantSession, source: Ticket, target: Ticket, *, actor: Actor, now: datetime) -> None:
    """Whoever heard of the merged ticket hears of the other one; all of them are of one company or of the team."""
    followers = set(session.scalars(select(TicketFollower.user_id).where(TicketFollower.ticket_id == source.id)))
    followers = (followers | {source.requester_id}) - {target.requester_id}
    rows = [
        {
            "tenant_id": session.tenant_id,
            "ticket_id": target.id,
            "user_id": user_id,
            "added_by": actor.user_id,
            "created_at": now,
        }
        for user_id in sorted(followers)
    ]
    if rows:
        session.execute(insert(TicketFollower).values(rows).on_conflict_do_nothing())
