"""Promises: which tickets, which targets, whose hours, and who hears when time runs out."""

from typing import Any
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import Form

from portal.admin.base import route
from portal.admin.editing import EditableModelView
from portal.admin.sla.forms import PolicyEditForm, valid_uuid
from portal.admin.sla.moving import chosen_for, go_back, moves_shown, version_rows
from portal.admin.sla.presenters import category_names, describe_policy, level_choices, matches_text
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.policies import permission
from portal.errors import NotFound
from portal.lib.text import has_forbidden_characters
from portal.lib.wording.tickets import PRIORITY, STATUS_FOR_STAFF
from portal.models import ACTIVE, SlaPolicy, TicketStatus
from portal.services.accounts.customers import company_names, list_companies
from portal.services.tickets.calendars import list_calendars
from portal.services.tickets.policies import POLICY, PolicyRow, load_policies
from portal.services.tickets.queries import list_categories
from portal.services.tickets.sla_moves import preview_policy
from portal.services.tickets.sla_policies import move_policy, restore_policy, save_policy

FOUND = 8


def _names_of_categories() -> dict[str, str]:
    return category_names(list_categories(http.session(), include_inactive=True))


class PoliciesView(EditableModelView):
    """The list in the order in which promises are tried, and the form of one."""

    policy = Permission.SLA_READ
    write_policy = Permission.SLA_CONFIGURE
    routes = frozenset(
        {"index_view", "details_view", "create_view", "edit_view", "move_view", "versions_view", "restore_view"}
    )
    record = "sla_policy"
    columns = (("name", lazy_gettext("Promise")),)
    form = PolicyEditForm
    list_template = "admin/sla/policies.html"
    details_template = "admin/sla/policy.html"
    create_template = edit_template = "admin/sla/policy_form.html"
    helpers = {"describe": describe_policy, "matches": matches_text, "names_of_categories": _names_of_categories}

    def __init__(self) -> None:
        super().__init__(SlaPolicy, lazy_gettext("Promises"), "sla_policies", "sla/policies")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[PolicyRow]:
        """Every promise, first tried first."""
        return load_policies(http.session())[offset : offset + limit]

    def find_one(self, record_id: UUID) -> PolicyRow:
        """A promise with its hours."""
        for row in load_policies(http.session()):
            if row.policy.id == record_id:
                return row
        raise NotFound(self.record)

    def get_pk_value(self, model: PolicyRow) -> UUID:
        """The promise's key."""
        return model.policy.id

    def create_form(self, obj: Any = None) -> Form:
        """A new promise: two levels to begin with."""
        form = PolicyEditForm(request.form if request.method == "POST" else None)
        if request.method != "POST":
            form.pause_statuses.data = ["waiting_customer", "awaiting_payment"]
            for metric in ("first_response", "resolution"):
                form.levels.append_entry({"metric": metric, "notify_role": "manager", "assign_role": "manager"})
        return form

    def edit_form(self, obj: PolicyRow | None = None) -> Form:
        """The stored promise, or what was typed over it."""
        form = PolicyEditForm(request.form if request.method == "POST" else None)
        if request.method != "POST" and obj is not None:
            form.fill(obj.policy, obj.calendar)
        return form

    def prepare(self, form: Any) -> bool:
        """Add or take away a level, or look for a company; only Save saves."""
        wish = request.form.get("do", "save")
        if wish == "add-level":
            form.levels.append_entry({"metric": "first_response", "notify_role": "manager", "assign_role": ""})
        elif wish.startswith("drop-level-"):
            _drop_level(form, wish.removeprefix("drop-level-"))
        return wish == "save"

    def save(self, form: Any, record: PolicyRow | None) -> SlaPolicy:
        """Have the service store it, once it is said what open tickets do."""
        calendars = list_calendars(http.session())
        rows = load_policies(http.session())
        position = record.policy.position if record else max((row.policy.position for row in rows), default=-1) + 1
        session, actor, now = http.session(), http.actor(), http.now()
        policy_id = record.policy.id if record else None
        wanted = form.read(calendars, position=position)
        choice = chosen_for(lambda: preview_policy(session, policy_id, wanted, actor=actor, now=now))
        return save_policy(session, policy_id, form=wanted, actor=actor, now=now, open_tickets=choice)

    def choices(self) -> dict[str, Any]:
        """Options of the form; companies only as far as they were chosen or searched."""
        session, actor = http.session(), http.actor()
        search = request.form.get("company_search", "").strip()[:100]
        found = (
            []
            if not search or has_forbidden_characters(search)
            else list_companies(session, search=search, limit=FOUND, actor=actor)
        )
        return {
            "calendars": [(str(row.id), row.name) for row in list_calendars(session)],
            "categories": [
                (row.key, row.name_in(current_locale())) for row in list_categories(session, include_inactive=True)
            ],
            "priorities": [(key, gettext(label)) for key, label in PRIORITY.items()],
            "pauses": [
                (status.value, gettext(STATUS_FOR_STAFF[status.value])) for status in TicketStatus if status in ACTIVE
            ],
            "companies_found": found if request.form.get("do") == "find-company" else [],
            "names_of": lambda ids: company_names(session, [id_ for id_ in map(valid_uuid, ids) if id_], actor=actor),
            **level_choices(),
            **moves_shown(),
        }

    @route("/move/", methods=("POST",))
    def move_view(self) -> ResponseReturnValue:
        """Have a promise tried sooner or later."""
        wanted = valid_uuid(request.form.get("id"))
        if wanted is None:
            raise NotFound(self.record)
        up = request.form.get("direction") == "up"
        move_policy(http.session(), wanted, up=up, actor=http.actor(), now=http.now())
        http.commit()
        return http.see_other("sla_policies.index_view")

    @route("/versions/")
    def versions_view(self) -> ResponseReturnValue:
        """What the promise was before, and the way back."""
        record: PolicyRow = self.get_one(request.args.get("id"))
        own = url_for("sla_policies.details_view", id=record.policy.id)
        return self.render(
            "admin/sla/versions.html",
            heading=record.policy.name,
            record_id=record.policy.id,
            record_url=own,
            up_label=gettext("Promises"),
            up_url=url_for("sla_policies.index_view"),
            restore_url=url_for("sla_policies.restore_view"),
            versions=version_rows(POLICY, record.policy.id),
        )

    @route("/restore/", methods=("POST",))
    @permission(Permission.SLA_CONFIGURE)
    def restore_view(self) -> ResponseReturnValue:
        """Go back to a version."""
        return go_back(restore_policy, "sla_policies")


def _drop_level(form: Any, index: str) -> None:
    """Take one level out; WTForms' lists only lose their last entry, so the rest is filled in anew."""
    kept = [entry.data for number, entry in enumerate(form.levels) if str(number) != index]
    while form.levels.entries:
        form.levels.pop_entry()
    form.levels.last_index = -1
    for data in kept:
        form.levels.append_entry(data)
