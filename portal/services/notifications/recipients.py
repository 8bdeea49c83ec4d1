"""Who hears of an event, and how: the rules, as a pure function of loaded facts.

- The requester: a confirmation of the new ticket, public answers of staff, changes of status, escalations.
- Colleagues who follow the ticket: the same without the confirmation, and that it was shared with them. Requester
  and followers hear of one another's answers.
- The assignee, or the team (agents and managers) where nobody is assigned: new tickets, the customer's answers
  and moves, due times that come near. Mails to the team go to agents only.
- A new assignee, and whoever a level of the ladder names; of an escalation that a customer asked for the assignee
  or the team as well.
- Nobody is told what they did themselves; nobody is told by two events what one transaction did.
- An internal note is told to nobody but those of the team whom it mentions; they follow the ticket from then on.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.authz import ActorKind, Permission
from portal.models import OutboxEvent, Role, Ticket
from portal.services.accounts.identity import Identity


@dataclass(frozen=True)
class Facts:
    """An event, its ticket as it is now, the people who may hear, and what else the same transaction told.

    `people` are logins that may sign in: the requester and the colleagues who follow (while members of the
    ticket's company), and staff.
    """

    event: OutboxEvent
    ticket: Ticket
    people: Mapping[UUID, Identity]
    companions: tuple[OutboxEvent, ...] = ()
    followers: tuple[UUID, ...] = ()

    def has_companion(self, kind: str) -> OutboxEvent | None:
        """An event of this kind that the same actor caused on the same ticket at the same instant."""
        return next((other for other in self.companions if other.kind == kind), None)


@dataclass(frozen=True)
class Notice:
    """One person to be told; `kind` names the wording of the bell and the template of the mail."""

    to: Identity
    kind: str
    bell: bool
    mail: bool


def who_hears(facts: Facts) -> list[Notice]:
    """The notices of an event, at most one per person."""
    rule = _RULES.get(facts.event.kind)
    notices: dict[UUID, Notice] = {}
    for notice in rule(facts) if rule else ():
        notices.setdefault(notice.to.user.id, notice)
    return [notice for notice in notices.values() if notice.bell or notice.mail]


def _created(facts: Facts) -> Iterable[Notice]:
    requester = facts.people.get(facts.ticket.requester_id)
    if requester:
        # The one thing people are told of what they did themselves, by mail: that it arrived.
        yield Notice(requester, "ticket_received", bell=not _is_actor(facts, requester), mail=_wants_mail(requester))
    yield from _staff(facts, "ticket_opened")


def _replied(facts: Facts) -> Iterable[Notice]:
    if facts.event.payload.get("sender") == "customer":
        yield from _staff(facts, "ticket_customer_replied")
        yield from _customers(facts, "ticket_colleague_replied")
        yield from _by_id(facts, _following_staff(facts), "ticket_customer_replied")
    else:
        yield from _customers(facts, "ticket_answered")


def _following_staff(facts: Facts) -> list[UUID]:
    """Members of the team who follow: they were mentioned in a note."""
    people = (facts.people.get(user_id) for user_id in sorted(facts.followers))
    return [person.user.id for person in people if person and person.actor.is_staff]


def _status_changed(facts: Facts) -> Iterable[Notice]:
    if facts.has_companion("ticket.replied") or facts.has_companion("ticket.merged"):
        return
    yield from _customers(facts, "ticket_status_changed")
    if facts.event.actor_kind == ActorKind.CUSTOMER.value and facts.event.payload.get("to_status") == "cancelled":
        # Whoever works on it must not go on: this one is told by mail, too.
        yield from _staff(facts, "ticket_withdrawn")
    elif facts.event.actor_kind == ActorKind.CUSTOMER.value:
        yield from _staff(facts, "ticket_status_changed", mail=False)


def _assigned(facts: Facts) -> Iterable[Notice]:
    chosen = str(facts.event.payload.get("to_user"))
    if any(chosen in other.payload.get("notify_user_ids", ()) for other in facts.companions):
        return  # The escalation itself tells them.
    yield from _by_id(facts, [chosen], "ticket_assigned")


def _escalated(facts: Facts) -> Iterable[Notice]:
    yield from _by_id(facts, facts.event.payload.get("notify_user_ids", ()), "ticket_escalated")
    if facts.event.payload.get("metric") == "requested":
        yield from _staff(facts, "ticket_escalated")
    yield from _customers(facts, "ticket_handed_up")


def _merged(facts: Facts) -> Iterable[Notice]:
    yield from _customers(facts, "ticket_merged")


def _mentioned(facts: Facts) -> Iterable[Notice]:
    for notice in _by_id(facts, facts.event.payload.get("notify_user_ids", ()), "ticket_mentioned"):
        # The note stays with those who may read tickets, also where a role changed meanwhile.
        if notice.to.actor.may(Permission.DESK_READ):
            yield notice


def _warned(facts: Facts) -> Iterable[Notice]:
    yield from _staff(facts, "ticket_due_soon", mail=False)


def _shared(facts: Facts) -> Iterable[Notice]:
    for user_id in facts.event.payload.get("user_ids", ()):
        person = facts.people.get(_uuid(user_id))
        # Who was taken off again before this was told hears nothing.
        if person and person.user.id in facts.followers and not _is_actor(facts, person):
            yield Notice(person, "ticket_shared", bell=True, mail=_wants_mail(person))


def _bounced(facts: Facts) -> Iterable[Notice]:
    yield from _staff(facts, "ticket_mail_bounced", mail=False)


_RULES: dict[str, Callable[[Facts], Iterable[Notice]]] = {
    "ticket.created": _created,
    "ticket.replied": _replied,
    "ticket.status_changed": _status_changed,
    "ticket.assigned": _assigned,
    "ticket.escalated": _escalated,
    "ticket.merged": _merged,
    "ticket.sla_warned": _warned,
    "ticket.follower_added": _shared,
    "ticket.mentioned": _mentioned,
    "mail.bounced": _bounced,
}


def _customers(facts: Facts, kind: str) -> Iterable[Notice]:
    """The requester and the colleagues who follow."""
    for user_id in (facts.ticket.requester_id, *facts.followers):
        person = facts.people.get(user_id)
        if person and not person.actor.is_staff and not _is_actor(facts, person):
            yield Notice(person, kind, bell=True, mail=_wants_mail(person))


def _staff(facts: Facts, kind: str, *, mail: bool = True) -> Iterable[Notice]:
    assignee = facts.people.get(facts.ticket.assigned_to) if facts.ticket.assigned_to else None
    if assignee and assignee.actor.is_staff:
        if not _is_actor(facts, assignee):
            yield Notice(assignee, kind, bell=True, mail=mail and _wants_mail(assignee))
        return
    for person in facts.people.values():
        if person.actor.roles & {Role.AGENT, Role.MANAGER} and not _is_actor(facts, person):
            by_mail = mail and Role.AGENT in person.actor.roles and _wants_mail(person)
            yield Notice(person, kind, bell=True, mail=by_mail)


def _by_id(facts: Facts, user_ids: Iterable[Any], kind: str) -> Iterable[Notice]:
    for user_id in user_ids:
        person = facts.people.get(_uuid(user_id))
        if person and person.actor.is_staff and not _is_actor(facts, person):
            yield Notice(person, kind, bell=True, mail=_wants_mail(person))


def _uuid(value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        return UUID(int=0)


def _is_actor(facts: Facts, person: Identity) -> bool:
    return facts.event.actor_id == person.user.id


def _wants_mail(person: Identity) -> bool:
    return bool(person.user.mail_preferences.get("tickets", True))
