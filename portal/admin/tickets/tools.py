"""Small parts of a ticket's page, each fetched when it is wanted: macros, colleagues, time, the customer."""

from typing import Any
from uuid import UUID, uuid4

from flask import flash, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from portal.admin.base import ServiceView, route
from portal.admin.live import live_part
from portal.admin.sla.forms import valid_uuid
from portal.admin.tickets.address import QueueAddress
from portal.admin.tickets.macro_chips import change_texts, macro_chip
from portal.admin.tickets.own_choices import own_replies
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_duration, format_share, gettext
from portal.blueprints.policies import permission
from portal.blueprints.tickets.answers import told_answers
from portal.blueprints.tickets.labels import own_for_staff
from portal.errors import Invalid
from portal.lib.durations import parse_duration
from portal.lib.text import has_forbidden_characters
from portal.lib.wording.errors import error_text
from portal.services.tickets.customer_context import read_customer_context
from portal.services.tickets.field_answers import read_answers
from portal.services.tickets.macro_use import offer_macros, preview_macro
from portal.services.tickets.mentions import follow_ticket, list_staff_followers, list_team
from portal.services.tickets.presence import Activity, leave_ticket, list_present, note_presence
from portal.services.tickets.queries import get_ticket
from portal.services.tickets.tags import suggest_tags
from portal.services.tickets.time_spent import add_time, list_time, remove_time

SEARCH_LENGTH = 80


def span_of(minutes: int) -> str:
    """Minutes in words."""
    return format_duration(minutes * 60.0, exact=True)


class TicketToolsView(ServiceView):
    """What stands beside answering."""

    policy = Permission.DESK_READ
    helpers = {"span_of": span_of}

    @route("/")
    def index(self) -> ResponseReturnValue:
        """The parts belong to tickets, which are in the queue."""
        return http.see_other("desk.index")

    @route("/<uuid:ticket_id>/macros")
    @permission(Permission.DESK_REPLY)
    def macros(self, ticket_id: UUID) -> ResponseReturnValue:
        """Macros for the ticket: the menu's list, or a page of its own."""
        search = request.args.get("q", "")[:SEARCH_LENGTH]
        search = "" if has_forbidden_characters(search) else search
        found = offer_macros(http.session(), ticket_id, search=search, actor=http.actor())
        context = {
            "ticket_id": ticket_id,
            "address": QueueAddress.read(request.args),
            "macros": [(macro, change_texts(macro.actions)) for macro in found],
            "search": search,
        }
        if http.wants_fragment():
            part = "list" if "q" in request.args else "menu"
            return self.render(f"admin/tickets/_macro_{part}.html", **context)
        return self.render("admin/tickets/macros.html", **context)

    @route("/<uuid:ticket_id>/macros/<uuid:macro_id>")
    @permission(Permission.DESK_REPLY)
    def macro(self, ticket_id: UUID, macro_id: UUID) -> ResponseReturnValue:
        """A macro as it reads on the ticket, for the composer."""
        tenant = http.tenant()
        found = preview_macro(
            http.session(),
            ticket_id,
            macro_id,
            actor=http.actor(),
            portal_name=tenant.name,
            main_locale=tenant.locale,
        )
        return self.render("admin/tickets/_macro.html", macro=macro_chip(found), insert=found.text)

    @route("/<uuid:ticket_id>/reply-statuses")
    @permission(Permission.DESK_REPLY)
    def reply_statuses(self, ticket_id: UUID) -> ResponseReturnValue:
        """Own statuses that an answer can leave the ticket in, for the menu of the button."""
        ticket = get_ticket(http.session(), ticket_id, actor=http.actor())
        return self.render("admin/tickets/_reply_statuses.html", options=own_replies(ticket))

    @route("/<uuid:ticket_id>/answers")
    def answers(self, ticket_id: UUID) -> ResponseReturnValue:
        """What was answered to the category's questions when the ticket was opened."""
        found = read_answers(
            http.session(), ticket_id, locale=current_locale(), fallback=http.tenant().locale, actor=http.actor()
        )
        template = "admin/tickets/_answers.html" if http.wants_fragment() else "admin/tickets/answers.html"
        ticket = get_ticket(http.session(), ticket_id, actor=http.actor())
        return self.render(template, ticket=ticket, errors=[], answers=told_answers(found))

    @route("/team")
    @permission(Permission.DESK_NOTE)
    def team(self) -> ResponseReturnValue:
        """Who can be mentioned, as options of a list."""
        return self.render("admin/tickets/_team.html", people=list_team(http.session(), actor=http.actor()))

    @route("/<uuid:ticket_id>/presence")
    def present(self, ticket_id: UUID) -> ResponseReturnValue:
        """Who else is at the ticket."""
        return live_part(self._present(ticket_id))

    @route("/<uuid:ticket_id>/presence", methods=("POST",))
    def presence(self, ticket_id: UUID) -> ResponseReturnValue:
        """Say what the reader is doing at the ticket; answers who else is there."""
        given = request.form.get("activity", "viewing")
        if given == "gone":
            leave_ticket(http.session(), ticket_id, actor=http.actor())
            http.commit()
            return "", 204
        activity: Activity = "replying" if given == "replying" else "viewing"
        note_presence(http.session(), ticket_id, activity=activity, actor=http.actor(), now=http.now())
        http.commit()
        return self._present(ticket_id)

    def _present(self, ticket_id: UUID) -> str:
        people = list_present(http.session(), ticket_id, actor=http.actor(), now=http.now())
        return self.render("admin/tickets/_presence.html", people=people)

    @route("/<uuid:ticket_id>/time")
    def time(self, ticket_id: UUID) -> ResponseReturnValue:
        """Time spent, and who follows: the part of the panel, or a page of its own."""
        context = self._time(ticket_id)
        if http.wants_fragment():
            return live_part(self.render("admin/tickets/_time.html", **context))
        return self.render("admin/tickets/time.html", **context)

    @route("/<uuid:ticket_id>/time/add", methods=("POST",))
    @permission(Permission.DESK_UPDATE)
    def add_time(self, ticket_id: UUID) -> ResponseReturnValue:
        """Write down time; `1 h 30 min`, or minutes alone."""
        form = request.form
        try:
            add_time(
                http.session(),
                ticket_id,
                minutes=_minutes(form.get("minutes", "")),
                note=form.get("note", ""),
                billable="billable" in form,
                entry_id=valid_uuid(form.get("entry_id")),
                actor=http.actor(),
                now=http.now(),
            )
            http.commit()
        except Invalid as error:
            http.session().rollback()
            texts = [error_text(item.code, dict(item.params), gettext) for item in error.errors]
            return self.render("admin/tickets/time.html", **self._time(ticket_id), problem=" ".join(texts)), 422
        except IntegrityError:
            # The same form came before.
            http.session().rollback()
        return self._back(ticket_id)

    @route("/<uuid:ticket_id>/time/<uuid:entry_id>/remove", methods=("POST",))
    @permission(Permission.DESK_UPDATE)
    def remove_time(self, ticket_id: UUID, entry_id: UUID) -> ResponseReturnValue:
        """Take back an entry of one's own."""
        remove_time(http.session(), ticket_id, entry_id, actor=http.actor(), now=http.now())
        http.commit()
        return self._back(ticket_id)

    @route("/<uuid:ticket_id>/follow", methods=("POST",))
    @permission(Permission.DESK_NOTE)
    def follow(self, ticket_id: UUID) -> ResponseReturnValue:
        """Hear of the ticket, or hear of it no more."""
        wanted = request.form.get("follow") == "1"
        follow_ticket(http.session(), ticket_id, follow=wanted, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("You follow this ticket") if wanted else gettext("You follow this ticket no more"), "ok")
        return self._back(ticket_id)

    @route("/<uuid:ticket_id>/customer")
    @permission(Permission.CUSTOMERS_READ)
    def customer(self, ticket_id: UUID) -> ResponseReturnValue:
        """The customer beside the ticket: the part of the panel, or a page of its own."""
        found = read_customer_context(http.session(), ticket_id, actor=http.actor(), now=http.now())
        record = found.record
        context = {
            "found": found,
            "address": QueueAddress(),
            "labels": {ticket.id: own_for_staff(ticket.custom_status) for ticket in found.tickets},
            "average": f"{record.average:.1f}" if record.average is not None else None,
            "kept": format_share(record.kept / record.promised) if record.promised else None,
        }
        if http.wants_fragment():
            return live_part(self.render("admin/tickets/_customer.html", **context))
        return self.render("admin/tickets/customer.html", **context)

    @route("/<uuid:ticket_id>/edit")
    @permission(Permission.DESK_UPDATE)
    def edit(self, ticket_id: UUID) -> ResponseReturnValue:
        """Subject and tags with tags in use to choose from: the part of the panel, or a page of its own."""
        ticket = get_ticket(http.session(), ticket_id, actor=http.actor())
        tags = suggest_tags(http.session(), actor=http.actor())
        context = {
            "ticket": ticket,
            "address": QueueAddress.read(request.args),
            "suggestions": [(tag, tag) for tag in tags if tag not in ticket.tags],
        }
        return self.render(f"admin/tickets/{'_edit' if http.wants_fragment() else 'edit'}.html", **context)

    def _time(self, ticket_id: UUID) -> dict[str, Any]:
        session, actor = http.session(), http.actor()
        rows = list_time(session, ticket_id, actor=actor)
        followers = list_staff_followers(session, ticket_id, actor=actor)
        return {
            "ticket_id": ticket_id,
            "rows": rows,
            "total": sum(row.entry.minutes for row in rows),
            "followers": followers,
            "follows": any(person.id == actor.user_id for person in followers),
            "me": actor.user_id,
            "may_update": actor.may(Permission.DESK_UPDATE),
            "may_follow": actor.may(Permission.DESK_NOTE),
            "entry_id": uuid4(),
        }

    def _back(self, ticket_id: UUID) -> ResponseReturnValue:
        return http.see_other("desk.ticket", ticket_id=ticket_id)


def _minutes(text: str) -> int:
    """Whole minutes of what people write; 0, which the service refuses, for what nobody can read."""
    given = text.strip()
    if given.isascii() and given.isdigit():
        return int(given[:6])
    try:
        return round(parse_duration(given).total_seconds() / 60)
    except ValueError:
        return 0
