"""Words for tickets: states, priorities, what happens next, what happened."""

from collections.abc import Callable, Mapping
from typing import Any

from portal.lib.wording import N_

Gettext = Callable[[str], str]

STATUS_FOR_CUSTOMERS = {
    "open": N_("Open"),
    "in_progress": N_("In progress"),
    "waiting_customer": N_("Waiting on you"),
    "awaiting_payment": N_("Awaiting payment"),
    "resolved": N_("Resolved"),
    "closed": N_("Closed"),
    "cancelled": N_("Cancelled"),
}
STATUS_FOR_STAFF = STATUS_FOR_CUSTOMERS | {"waiting_customer": N_("With customer")}
PRIORITY = {"low": N_("Low"), "normal": N_("Normal"), "high": N_("High"), "urgent": N_("Urgent")}
SOURCE = {"portal": N_("Portal"), "api": N_("API"), "email": N_("Mail"), "phone": N_("Phone")}
METRIC = {
    "first_response": N_("First answer"),
    "resolution": N_("Solution"),
    "next_response": N_("Next answer"),
    "update": N_("Update"),
}
ROLE = {
    "customer": N_("Customer"),
    "customer.admin": N_("Company administrator"),
    "agent": N_("Agent"),
    "manager": N_("Team lead"),
    "billing": N_("Billing"),
    "designer": N_("Designer"),
    "tenant_admin": N_("Head of service"),
    "custom": N_("Own role"),
}
CLOCK_STATE = {
    "within": N_("In time"),
    "near": N_("Due soon"),
    "breached": N_("Past due"),
    "paused": N_("Paused"),
    "met": N_("Kept"),
}
PAUSE_REASON = {
    "waiting_customer": N_("Paused: waiting for you"),
    "awaiting_payment": N_("Paused: waiting for the payment"),
}
PAUSE_REASON_FOR_STAFF = {
    "waiting_customer": N_("Paused: waiting for the customer"),
    "awaiting_payment": N_("Paused: waiting for the payment"),
}

# (kind, role told) -> sentence. A step is a promise in plain words: what happens unless somebody acts.
ESCALATIONS = {
    "sla_first_response": {
        "manager": N_("Escalates to the team lead if unanswered"),
        "tenant_admin": N_("Escalates to the head of service if unanswered"),
        "agent": N_("Reminds the team if unanswered"),
    },
    "sla_resolution": {
        "manager": N_("Escalates to the team lead if unsolved"),
        "tenant_admin": N_("Escalates to the head of service if unsolved"),
        "agent": N_("Reminds the team if unsolved"),
    },
    "sla_next_response": {
        "manager": N_("Escalates to the team lead if your question stays unanswered"),
        "tenant_admin": N_("Escalates to the head of service if your question stays unanswered"),
        "agent": N_("Reminds the team if your question stays unanswered"),
    },
    "sla_update": {
        "manager": N_("Escalates to the team lead if you hear nothing"),
        "tenant_admin": N_("Escalates to the head of service if you hear nothing"),
        "agent": N_("Reminds the team if you hear nothing"),
    },
}
ESCALATIONS_FOR_STAFF = ESCALATIONS | {
    "sla_next_response": {
        "manager": N_("Escalates to the team lead if the question stays unanswered"),
        "tenant_admin": N_("Escalates to the head of service if the question stays unanswered"),
        "agent": N_("Reminds the team if the question stays unanswered"),
    },
    "sla_update": {
        "manager": N_("Escalates to the team lead if the customer hears nothing"),
        "tenant_admin": N_("Escalates to the head of service if the customer hears nothing"),
        "agent": N_("Reminds the team if the customer hears nothing"),
    },
}
SHORT_ESCALATIONS = {
    "manager": N_("Escalates to the team lead"),
    "tenant_admin": N_("Escalates to the head of service"),
    "agent": N_("Reminds the team"),
}
STEPS = {
    "sla_first_response_warning": N_("Reminds the team that the first answer is due"),
    "sla_resolution_warning": N_("Reminds the team that the solution is due"),
    "sla_next_response_warning": N_("Reminds the team that the next answer is due"),
    "sla_update_warning": N_("Reminds the team that an update is due"),
    "auto_close": N_("Closes unless you reply"),
}
STEPS_FOR_STAFF = STEPS | {"auto_close": N_("Closes unless the customer replies")}
SHORT_STEPS_FOR_STAFF = {
    "sla_first_response_warning": N_("Reminder: first answer"),
    "sla_resolution_warning": N_("Reminder: solution"),
    "sla_next_response_warning": N_("Reminder: next answer"),
    "sla_update_warning": N_("Reminder: update"),
    "auto_close": N_("Closes by itself"),
}
FALLBACK_STEP = N_("Next automatic step")


def step_text(kind: str, params: Mapping[str, Any], translate: Gettext, *, staff: bool = False) -> str:
    """The whole sentence of a next step."""
    if kind in ESCALATIONS:
        sentences = (ESCALATIONS_FOR_STAFF if staff else ESCALATIONS)[kind]
        return translate(sentences.get(str(params.get("role")), FALLBACK_STEP))
    return translate((STEPS_FOR_STAFF if staff else STEPS).get(kind, FALLBACK_STEP))


def short_step_text(kind: str, params: Mapping[str, Any], translate: Gettext, *, staff: bool = False) -> str:
    """The step in a few words, for chips and lists."""
    if kind in ESCALATIONS:
        return translate(SHORT_ESCALATIONS.get(str(params.get("role")), FALLBACK_STEP))
    if staff:
        return translate(SHORT_STEPS_FOR_STAFF.get(kind, FALLBACK_STEP))
    return translate(STEPS.get(kind, FALLBACK_STEP))


# Timeline: kind -> sentence with named places.
EVENTS = {
    "created": N_("%(actor)s opened the ticket"),
    "replied": N_("%(actor)s answered"),
    "wrote": N_("%(actor)s wrote"),
    "note_added": N_("%(actor)s added an internal note"),
    "assigned": N_("%(actor)s gave the ticket to %(to_name)s"),
    "taken": N_("%(actor)s took the ticket"),
    "unassigned": N_("%(actor)s put the ticket back into the queue"),
    "status_changed": N_("%(actor)s changed the status from %(from)s to %(to)s"),
    "auto_closed": N_("Closed by itself: nothing more was asked"),
    "cancelled": N_("%(actor)s cancelled the ticket: %(reason)s"),
    "reopened": N_("%(actor)s reopened the ticket"),
    "closed": N_("%(actor)s closed the ticket"),
    "priority_changed": N_("%(actor)s changed the priority from %(from)s to %(to)s"),
    "category_changed": N_("%(actor)s changed the category"),
    "subject_changed": N_("%(actor)s changed the subject"),
    "tags_changed": N_("%(actor)s changed the tags"),
    "time_added": N_("%(actor)s wrote down %(minutes)s minutes"),
    "time_removed": N_("%(actor)s took back %(minutes)s minutes"),
    "macro_applied": N_("%(actor)s used the macro “%(macro)s”"),
    "sla_warned": N_("The team was reminded that the promise is due soon"),
    "rule_applied": N_("The rule “%(rule)s” chose %(to_name)s"),
    "rule_found_nobody": N_("The rule “%(rule)s” found nobody who is there"),
    "rated": N_("%(actor)s rated the solution %(rating)s of 5"),
    "solution_attached": N_("%(actor)s attached the solution: %(filename)s"),
    "recording_offered": N_("%(actor)s attached a recording and asks for consent: %(filename)s"),
    "recording_allowed": N_("%(actor)s agreed to the recording %(filename)s"),
    "recording_refused": N_("%(actor)s refused the recording %(filename)s; it was deleted"),
    "file_removed": N_("%(actor)s removed the file %(filename)s"),
    "file_refused": N_("The virus scanner found something in %(filename)s; it was deleted"),
    "follower_added": N_("%(actor)s shared the ticket with %(name)s"),
    "follower_removed": N_("%(name)s does not follow the ticket any more"),
    "merged_into": N_("%(actor)s merged this ticket into %(number)s; the conversation goes on there"),
    "merged_here": N_("%(actor)s merged ticket %(number)s into this one"),
    "split_off": N_("%(actor)s made messages of this ticket a ticket of their own: %(number)s"),
    "split_from": N_("%(actor)s made this ticket from messages of %(number)s"),
    "follows_up": N_("This ticket follows %(number)s"),
    "followed_up": N_("%(actor)s opened a follow-up: %(number)s"),
    "linked_related": N_("%(actor)s linked ticket %(number)s"),
    "linked_problem": N_("%(actor)s made this an incident of problem %(number)s"),
    "linked_incident": N_("%(actor)s added the incident %(number)s"),
    "unlinked": N_("%(actor)s removed the link to ticket %(number)s"),
    "trashed": N_("%(actor)s put the ticket into the trash: %(reason)s"),
    "restored": N_("%(actor)s restored the ticket from the trash"),
    "side_opened": N_("%(actor)s wrote to %(to)s beside this ticket"),
    "side_answered": N_("%(by)s answered beside this ticket"),
    "side_closed": N_("%(actor)s closed the side conversation with %(to)s"),
    "escalated_first_response": N_("Escalated to %(role)s: no first answer in time"),
    "escalated_resolution": N_("Escalated to %(role)s: no solution in time"),
    "escalated_next_response": N_("Escalated to %(role)s: a question was not answered in time"),
    "escalated_update": N_("Escalated to %(role)s: no update in time"),
    "escalated_requested": N_("Escalated to %(role)s on request"),
    "escalation_requested": N_("%(actor)s asked for escalation: %(reason)s"),
    "message_edited": N_("%(actor)s edited a message"),
    "mail_file_refused": N_("A file of the mail was not taken: %(filename)s"),
    "mail_bounced": N_("Mail to %(address)s came back; no more is sent there"),
    "mail_delayed": N_("Mail to %(address)s is delayed"),
    "mail_from_stranger": N_("Written by mail by %(sender)s, whom nobody knows here"),
}
ESCALATION_TARGET = {
    "manager": N_("the team lead"),
    "tenant_admin": N_("the head of service"),
    "agent": N_("the team"),
    "billing": N_("billing"),
    "designer": N_("the designers"),
}


def event_text(
    kind: str,
    actor: str,
    params: Mapping[str, Any],
    translate: Gettext,
    *,
    staff: bool = False,
    own: Callable[[str], str | None] | None = None,
) -> str:
    """The sentence of a timeline line in the reader's language; `own` names the tenant's own statuses."""
    labels = STATUS_FOR_STAFF if staff else STATUS_FOR_CUSTOMERS
    values: dict[str, Any] = {"actor": actor, **params}
    key = kind
    if kind == "status_changed":
        key = kind if params.get("to_own") else _status_event(params)
        for side in ("from", "to"):
            named = own(params[f"{side}_own"]) if own and params.get(f"{side}_own") else None
            values[side] = named or translate(labels.get(str(params.get(side)), str(params.get(side))))
    elif kind == "priority_changed":
        for side in ("from", "to"):
            values[side] = translate(PRIORITY.get(str(params.get(side)), str(params.get(side))))
    elif kind == "escalated":
        key = f"escalated_{params.get('metric')}"
        values["role"] = translate(ESCALATION_TARGET.get(str(params.get("role")), str(params.get("role"))))
    elif kind == "linked":
        key = f"linked_{params.get('relation')}"
    elif kind == "replied" and params.get("sender") == "customer":
        key = "wrote"
    elif kind == "assigned" and params.get("to_name") == actor:
        key = "taken"
    return translate(EVENTS.get(key, key)) % _Default(values)


def _status_event(params: Mapping[str, Any]) -> str:
    target = params.get("to")
    if target == "cancelled" and params.get("reason"):
        return "cancelled"
    if target == "closed":
        return "auto_closed" if params.get("reason") == "auto_close" else "closed"
    if params.get("from") in ("closed", "resolved") and target == "open":
        return "reopened"
    return "status_changed"


RELATIONS = {
    "related": N_("Related"),
    "problem": N_("Problem behind it"),
    "incident": N_("Incident"),
    "split_from": N_("Split from"),
    "split_off": N_("Split off"),
    "merged_into": N_("Merged into"),
    "merged_here": N_("Merged here"),
    "follows_up": N_("Follows"),
    "followed_up": N_("Followed by"),
}
MESSAGE_MARKS = {
    "merged_here": N_("From %(number)s"),
    "split_off": N_("Also in %(number)s"),
}


class _Default(dict[str, Any]):
    """Places a translation names but the event does not fill stay empty instead of failing."""

    def __missing__(self, key: str) -> str:
        return ""


# What a category's form can ask for.
FIELD_KINDS = {
    "text": N_("A line of text"),
    "choice": N_("One of several"),
    "number": N_("A number"),
    "date": N_("A day"),
}
