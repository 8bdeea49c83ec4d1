"""What the team decides about held mail, once: let it in, open it as somebody's ticket, or turn it away."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, NotFound, invalid
from portal.events import audit
from portal.lib.mail_parsing import MailUnreadable, ReceivedMail, parse_mail
from portal.lib.mail_tokens import plain_address
from portal.lib.text import has_forbidden_characters
from portal.models import InboundMail, UserKind
from portal.models.session import TenantSession
from portal.services.mail_in.deciding import Delivery, decide
from portal.services.mail_in.intake import load_intake
from portal.services.mail_in.people import find_sender
from portal.services.mail_in.taking import MailTools, finish
from portal.services.mail_in.writing import Written, open_ticket

HELD, REJECTED = "held", "rejected"
# There is nobody in whose name such a mail could be let in; it can only be opened as somebody's.
NOBODY_S = frozenset({"no_sender", "several_senders", "unknown_sender", "sender_without_login", "not_participant"})


def release_mail(
    session: TenantSession, mail_id: UUID, *, tools: MailTools, actor: Actor, now: datetime
) -> InboundMail:
    """Let a held mail in as if its sender were proved; rights and participation hold as ever.

    Raises Forbidden, NotFound and Conflict (`mail_decided`, `mail_not_kept`, `mail_still_held`).
    """
    row = _lock_held(session, mail_id, actor)
    mail = _kept(row)
    delivery = Delivery(mail, plain_address(row.recipient), row.recipient, row.id, released=True)
    with session.begin_nested():
        written = decide(session, delivery, vault=tools.vault, place=tools.place, now=now)
        if written.outcome == HELD:
            raise Conflict("mail_still_held", reason=written.reason)
    return _close(session, row, written, "released", actor=actor, now=now)


def open_held_mail(
    session: TenantSession, mail_id: UUID, *, requester: str, tools: MailTools, actor: Actor, now: datetime
) -> InboundMail:
    """Open a held mail as a ticket of a customer, named by the address of an active login.

    Raises Forbidden, NotFound, Invalid (`requester`) and Conflict (`mail_decided`, `mail_not_kept`).
    """
    row = _lock_held(session, mail_id, actor)
    mail = _kept(row)
    wanted = requester.strip().lower()
    sender = None if not wanted or has_forbidden_characters(wanted) else find_sender(session, wanted)
    if sender is None or sender.identity is None or sender.identity.user.kind is not UserKind.CUSTOMER:
        raise invalid("requester", "mail_no_such_customer")
    category = load_intake(session).category
    written = open_ticket(session, mail, category=category, place=tools.place, actor=sender.identity.actor, now=now)
    return _close(session, row, written, "opened", actor=actor, now=now)


def reject_mail(session: TenantSession, mail_id: UUID, *, actor: Actor, now: datetime) -> InboundMail:
    """Turn a held mail away; nobody is told, and the message is not kept. Raises as `release_mail` does."""
    row = _lock_held(session, mail_id, actor)
    return _close(session, row, Written(REJECTED, row.reason, row.ticket_id), "rejected", actor=actor, now=now)


def _lock_held(session: TenantSession, mail_id: UUID, actor: Actor) -> InboundMail:
    require(actor, Permission.MAIL_DECIDE)
    row = session.scalar(
        select(InboundMail).where(InboundMail.id == mail_id).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("inbound_mail")
    if row.outcome != HELD:
        raise Conflict("mail_decided")
    return row


def _kept(row: InboundMail) -> ReceivedMail:
    if row.raw is None:
        raise Conflict("mail_not_kept")
    try:
        return parse_mail(row.raw)
    except MailUnreadable as error:
        raise Conflict("mail_still_held", reason=error.code) from error


def _close(
    session: TenantSession, row: InboundMail, written: Written, action: str, *, actor: Actor, now: datetime
) -> InboundMail:
    reason = row.reason
    finish(session, row.id, written, raw=None, now=now)
    session.refresh(row)
    row.details = {**row.details, "decided_by": actor.name, "held_for": reason}
    after = {"outcome": written.outcome, "ticket_id": str(written.ticket_id) if written.ticket_id else None}
    audit(session, f"inbound_mail.{action}", "inbound_mail", row.id, actor=actor, now=now,
          before={"reason": reason}, after=after)  # fmt: skip
    return row
