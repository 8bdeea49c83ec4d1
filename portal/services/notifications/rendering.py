"""Mails in the recipient's language: one template a kind, set in a text and an HTML frame. No Flask here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.lib.colour import solid_accent
from portal.lib.i18n import format_day_and_time, text_direction
from portal.lib.letters import RenderedMail, render_mail_template, render_words, translator
from portal.lib.links import mail_preferences_path, rating_path, site_address, ticket_path
from portal.lib.placeholders import fill_plain
from portal.lib.text import excerpt
from portal.lib.wording.tickets import (
    ESCALATION_TARGET,
    METRIC,
    PRIORITY,
    STATUS_FOR_CUSTOMERS,
    STATUS_FOR_STAFF,
    step_text,
)
from portal.models import NextStep, Ticket
from portal.services.accounts.messages import SECRET_MARK
from portal.services.notifications.recipients import Notice
from portal.services.tenants.directory import TenantProfile

QUOTE_LENGTH = 2_000


@dataclass(frozen=True)
class Letter:
    """Everything one mail says; `moved_to` is the status that an answer brought along.

    `words` are the tenant's own (`subject`, `body`) in the mail's language, whose places `places` fill; `language`
    is for looking at the mail in another one than its reader's.
    """

    notice: Notice
    ticket: Ticket
    tenant: TenantProfile
    params: dict[str, Any]
    quote: str
    steps: Sequence[NextStep]
    moved_to: str | None
    base_url: str
    now: datetime
    rating_link: UUID | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    language: str = ""

    @property
    def staff(self) -> bool:
        """Whether a member of the team reads it."""
        return self.notice.to.actor.is_staff

    @property
    def locale(self) -> str:
        """The reader's language, else the tenant's."""
        wanted = self.language or self.notice.to.user.locale
        return wanted if wanted and wanted in self.tenant.locales else self.tenant.locale

    @property
    def timezone(self) -> str:
        """The reader's zone, else the tenant's."""
        return self.notice.to.user.timezone or self.tenant.timezone

    def when(self, at: datetime) -> str:
        """A point in time in the reader's language and zone."""
        return format_day_and_time(at, self.locale, self.timezone)


def render_mail(letter: Letter) -> RenderedMail:
    """The mail of a notice: the template named like its kind, in both frames, or the tenant's own words in them."""
    standard, context = f"mail/{letter.notice.kind}.txt", _context(letter)
    if not any(letter.words.values()):
        return render_mail_template(standard, context)
    places = {**letter.places, "ticket.status": context["status"] or _shown_status(letter, context["_"])}
    subject, body = (fill_plain(letter.words.get(part, ""), places) for part in ("subject", "body"))
    number = f"[{letter.ticket.ticket_number}]"
    own = {
        "standard": standard,
        "own_subject": subject or render_words(standard, context)[0],
        "own_title": subject.removeprefix(number).strip(),
        "own_body": body,
    }
    return render_mail_template("mail/own_words.txt", context | own)


def _context(letter: Letter) -> dict[str, Any]:
    translate = translator(letter.locale)
    ticket, tenant, person = letter.ticket, letter.tenant, letter.notice.to
    site = site_address(letter.base_url, tenant.primary_host)
    return {
        "_": translate,
        "locale": letter.locale,
        "direction": text_direction(letter.locale),
        "tenant": tenant,
        "mark": str(tenant.brand.get("mark_letter") or tenant.name[:1]),
        "accent": solid_accent(tenant.brand.get("accent")),
        "name": person.person_name.split()[0],
        "number": ticket.ticket_number,
        "topic": excerpt(ticket.subject, 120),
        "actor": letter.params.get("actor", ""),
        "followed": not letter.staff and person.user.id != ticket.requester_id,
        "by_system": letter.params.get("actor_kind") in ("system", "automation"),
        "metric": letter.params.get("metric", ""),
        "role": translate(ESCALATION_TARGET.get(str(letter.params.get("role")), ESCALATION_TARGET["manager"])),
        "status": _status(letter, str(letter.params.get("status", "")), translate),
        "status_code": letter.params.get("status", ""),
        "quote": _shortened(letter.quote),
        "facts": _facts(letter, translate),
        "next_step": _next_step(letter, translate),
        "action_url": site + ticket_path(ticket.id, staff=letter.staff),
        # The secret is put in when the mail leaves.
        "rating_url": site + rating_path(SECRET_MARK) if letter.rating_link else "",
        "takes_replies": True,
        "preferences_url": site + mail_preferences_path(staff=letter.staff),
    }


def _facts(letter: Letter, translate: Any) -> list[tuple[str, str]]:
    ticket = letter.ticket
    facts = [(translate("Ticket"), ticket.ticket_number)]
    facts.append((translate("Status"), _shown_status(letter, translate)))
    if letter.staff:
        facts.append((translate("Priority"), translate(PRIORITY[ticket.priority.value])))
    if ticket.is_active():
        for metric, due, done in (
            ("first_response", ticket.first_response_due_at, ticket.first_response_at),
            ("next_response", ticket.next_response_due_at, None),
            ("resolution", ticket.resolution_due_at, ticket.resolved_at),
        ):
            if due is not None and done is None and due > letter.now:
                facts.append((translate(METRIC[metric]), translate("by %(time)s", time=letter.when(due))))
                break
    return facts


def _shown_status(letter: Letter, translate: Any) -> str:
    status = letter.params.get("status") or letter.moved_to or letter.ticket.status.value
    return _status(letter, str(status), translate)


def _status(letter: Letter, status: str, translate: Any) -> str:
    own = letter.tenant.statuses.get(letter.ticket.custom_status or "")
    if own is not None and own.category == status:
        return own.name_in(letter.locale, staff=letter.staff, fallback=letter.tenant.locale)
    labels = STATUS_FOR_STAFF if letter.staff else STATUS_FOR_CUSTOMERS
    return str(translate(labels[status])) if status in labels else status


def _next_step(letter: Letter, translate: Any) -> dict[str, str] | None:
    """The first step that is meant for the reader."""
    for step in letter.steps:
        if letter.staff or not step.staff_only:
            text = step_text(step.kind, step.params, translate, staff=letter.staff)
            return {"text": text, "when": letter.when(step.at)}
    return None


def _shortened(text: str) -> str:
    return text if len(text) <= QUOTE_LENGTH else text[: QUOTE_LENGTH - 1].rstrip() + "…"
