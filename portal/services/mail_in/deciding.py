"""What a mail becomes: the rules in their order, from what nobody wants to what opens a ticket.

Machines are not answered and open nothing. A token says where an answer belongs, never who writes it: the sender
has to be somebody who may see the ticket. A number in the subject counts only for who asked or follows.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.errors import NotFound
from portal.lib.mail_origin import Proof, bounce_report, machine_reason, proof_of_sender
from portal.lib.mail_parsing import ReceivedMail
from portal.lib.mail_tokens import Thread, plain_address
from portal.lib.vault import Vault
from portal.models import MailIntake, MailMessage, SideConversation, Tenant, TicketEvent, User, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts.identity import build_identity, select_identity
from portal.services.files.uploading import FilePlace
from portal.services.mail_in.bounces import forget_bounces, note_bounces
from portal.services.mail_in.intake import load_intake
from portal.services.mail_in.limits import flood_reason
from portal.services.mail_in.people import Sender, find_named_ticket, find_sender, find_thread, living_ticket
from portal.services.mail_in.writing import Written, append_answer, append_side, open_ticket

# Who speaks for a mail server, not for a person.
_SERVERS = ("mailer-daemon@", "postmaster@")


@dataclass(frozen=True)
class Delivery:
    """A message on its way in; `released` once somebody of the team has looked at it."""

    mail: ReceivedMail
    mailbox: str
    recipient: str
    mail_id: UUID
    released: bool = False


def decide(session: TenantSession, delivery: Delivery, *, vault: Vault, place: FilePlace, now: datetime) -> Written:
    """Carry out what the rules say of a message; raises DomainError where the tickets refuse it."""
    mail = delivery.mail
    report = bounce_report(mail)
    if report is not None:
        reason, ticket_id = note_bounces(session, report, now=now)
        return Written("bounce", reason, ticket_id)
    unwanted = _unwanted(session, delivery)
    if unwanted:
        return Written("ignored", unwanted)
    intake = load_intake(session)
    proof = proof_of_sender(mail, next(iter(mail.senders), ""), intake.trusted_host)
    doubt = _doubt(delivery, proof, intake)
    if not delivery.released:
        outcome, reason = flood_reason(session, next(iter(mail.senders), ""), now=now)
        if outcome:
            return Written(outcome, reason)
    if doubt:
        return Written("held", doubt)
    sender = find_sender(session, mail.senders[0])
    thread = find_thread(mail, delivery.recipient, vault, session.tenant_id)
    written = _deliver(session, delivery, sender, thread, intake, proof, place=place, now=now)
    if written.outcome in ("opened", "appended"):
        forget_bounces(session, sender.address, now=now)
    return written


def _unwanted(session: TenantSession, delivery: Delivery) -> str:
    """Why nobody has to see a message: our own, a machine's, a server's; empty for all others."""
    mail = delivery.mail
    own = plain_address(session.scalar(select(Tenant.support_email).where(Tenant.id == session.tenant_id)) or "")
    ours = {own, delivery.mailbox}
    looped = any(plain_address(text) in ours for text in mail.headers.get("x-loop", ()))
    sent = select(MailMessage.id).where(MailMessage.message_id == mail.message_id)
    if looped or any(plain_address(one) in ours for one in mail.senders) or session.scalar(sent) is not None:
        return "loop"
    if mail.senders and mail.senders[0].startswith(_SERVERS):
        return "server"
    return machine_reason(mail)


def _doubt(delivery: Delivery, proof: Proof, intake: MailIntake) -> str:
    """Why it is not clear who wrote; somebody of the team may vouch for one sender, not choose among several."""
    senders = delivery.mail.senders
    if len(senders) != 1:
        return "several_senders" if senders else "no_sender"
    if delivery.released:
        return ""
    if proof is Proof.FAILED:
        return "spoofed"
    return "unverified" if intake.verified_only and proof is not Proof.VERIFIED else ""


def _deliver(
    session: TenantSession,
    delivery: Delivery,
    sender: Sender,
    thread: Thread | None,
    intake: MailIntake,
    proof: Proof,
    *,
    place: FilePlace,
    now: datetime,
) -> Written:
    mail, actor = delivery.mail, sender.actor
    if thread is not None and thread.side_conversation_id is not None:
        return _deliver_side(session, thread.side_conversation_id, mail, sender, place=place, now=now)
    if actor is None:
        return _deliver_unknown(session, delivery, sender, thread, intake, place=place, now=now)
    ticket_id = thread.ticket_id if thread else find_named_ticket(session, mail.subject, actor)
    if actor.is_staff:
        if thread is None or ticket_id is None:
            return Written("held", "staff_without_ticket")
        if not delivery.released and not (intake.staff_replies and proof is Proof.VERIFIED):
            return Written("held", "staff_unverified", living_ticket(session, ticket_id))
    if ticket_id is not None:
        living = living_ticket(session, ticket_id)
        if living is None:
            return Written("held", "ticket_gone")
        try:
            return append_answer(session, living, mail, category=intake.category, place=place, actor=actor, now=now)
        except NotFound:
            return Written("held", "not_participant", living)
    return open_ticket(session, mail, category=intake.category, place=place, actor=actor, now=now)


def _deliver_side(
    session: TenantSession,
    conversation_id: UUID,
    mail: ReceivedMail,
    sender: Sender,
    *,
    place: FilePlace,
    now: datetime,
) -> Written:
    conversation = session.scalar(select(SideConversation).where(SideConversation.id == conversation_id))
    if conversation is None or living_ticket(session, conversation.ticket_id) is None:
        return Written("held", "ticket_gone")
    if conversation.recipient.lower() != sender.address:
        return Written("held", "not_participant", conversation.ticket_id)
    return append_side(session, conversation, mail, sender=sender.address, place=place, now=now)


def _deliver_unknown(
    session: TenantSession,
    delivery: Delivery,
    sender: Sender,
    thread: Thread | None,
    intake: MailIntake,
    *,
    place: FilePlace,
    now: datetime,
) -> Written:
    """Strangers' mail waits, or is opened for the login that the tenant has named for it.

    Nothing is ever sent to an address that nobody has proved: anybody can write it into a mail (reliability.md §3).
    """
    if thread is not None and thread.ticket_id is not None:
        return Written("held", "not_participant", living_ticket(session, thread.ticket_id))
    if sender.known:
        return Written("held", "sender_without_login")
    if intake.unknown_senders != "open" or intake.stand_in_id is None:
        return Written("held", "unknown_sender")
    active = (User.status == UserStatus.ACTIVE, User.portal_access.is_(True))
    row = session.execute(select_identity().where(User.id == intake.stand_in_id, *active)).first()
    if row is None:
        return Written("held", "unknown_sender")
    actor = build_identity(row).actor
    written = open_ticket(
        session, delivery.mail, category=intake.category, place=place, actor=actor, now=now, reason="stand_in"
    )
    session.add(
        TicketEvent(
            tenant_id=session.tenant_id,
            ticket_id=written.ticket_id,
            kind="mail_from_stranger",
            at=now,
            actor_kind=actor.kind.value,
            actor_id=actor.user_id,
            actor_name=actor.name,
            params={"sender": sender.address},
            staff_only=True,
        )
    )
    return written
