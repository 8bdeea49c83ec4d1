"""Own words in a mail: what fills their places, what the standard words are, and how a mail reads on a ticket."""

from datetime import datetime
from types import SimpleNamespace
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.lib.letters import RenderedMail, render_words, translator
from portal.lib.wording.tickets import ESCALATION_TARGET
from portal.models import Company, NextStep, Person, Ticket, User
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity, build_identity, select_identity
from portal.services.notifications.mail_words import FOR_TEAM, KINDS, RECORD, Words
from portal.services.notifications.recipients import Notice
from portal.services.notifications.rendering import Letter, render_mail
from portal.services.tenants.directory import TenantProfile
from portal.services.tickets.queries import get_ticket


def place_values(session: TenantSession, ticket: Ticket, *, doer: str, portal_name: str) -> dict[str, str]:
    """What fills the places of a mail about the ticket, but for its status, which depends on the reader.

    `doer` is the name of who caused the mail; what happens by itself is the portal's doing.
    """
    name, company = session.execute(
        select(Person.name, Company.name)
        .select_from(User)
        .join(Person, Person.id == User.person_id)
        .join(Company, Company.id == ticket.customer_id)
        .where(User.id == ticket.requester_id)
    ).one()
    return {
        "ticket.number": ticket.ticket_number,
        "ticket.subject": ticket.subject,
        "customer.name": name,
        "customer.first_name": name.split()[0],
        "customer.company": company,
        "actor.name": doer or portal_name,
        "portal.name": portal_name,
    }


def standard_words(kind: str, locale: str) -> Words:
    """What a mail says by itself, with places where its facts stand. Raises NotFound."""
    if kind not in KINDS:
        raise NotFound(RECORD)
    translate = translator(locale)
    facts = {
        "_": translate,
        "number": "{{ticket.number}}",
        "topic": "{{ticket.subject}}",
        "actor": "{{actor.name}}",
        "status": "{{ticket.status}}",
        "tenant": SimpleNamespace(name="{{portal.name}}"),
        "role": translate(ESCALATION_TARGET["manager"]),
        "status_code": "",
        "metric": "",
        "followed": False,
        "by_system": False,
    }
    return Words(*render_words(f"mail/{kind}.txt", facts))


def preview_mail(
    session: TenantSession,
    kind: str,
    ticket_id: UUID,
    *,
    words: Words,
    locale: str,
    tenant: TenantProfile,
    base_url: str,
    actor: Actor,
    now: datetime,
) -> RenderedMail:
    """The mail as it would be about this ticket, from these words; nothing is stored or sent.

    Mails for the team are addressed to the actor, others to who asked. Raises Forbidden and NotFound.
    """
    require(actor, Permission.DESK_READ)
    ticket = get_ticket(session, ticket_id, actor=actor)
    reader = _identity(session, actor.user_id if kind in FOR_TEAM else ticket.requester_id)
    steps = session.scalars(select(NextStep).where(NextStep.record_id == ticket.id).order_by(NextStep.at)).all()
    letter = Letter(
        notice=Notice(reader, kind, bell=False, mail=True),
        ticket=ticket,
        tenant=tenant,
        params={"actor": actor.name, "actor_kind": "staff", "status": ticket.status.value},
        quote=ticket.last_message,
        steps=steps,
        moved_to=None,
        base_url=base_url,
        now=now,
        words=vars(words),
        places=place_values(session, ticket, doer=actor.name, portal_name=tenant.name),
        language=locale,
    )
    return render_mail(letter)


def _identity(session: TenantSession, user_id: UUID | None) -> Identity:
    row = session.execute(select_identity().where(User.id == user_id)).first()
    if row is None:
        raise NotFound("user")
    return build_identity(row)
