"""Who gets new tickets: the rules in their order, tried on the last tickets, and what they know of people."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, g, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import Form

from portal.admin.base import route
from portal.admin.desk.history import Facts, KeptModelView, state_text, yes_or_no
from portal.admin.editing import EditableModelView, show_errors
from portal.admin.sla.assignment_forms import ProfileEditForm, RuleEditForm
from portal.admin.sla.forms import valid_uuid
from portal.admin.sla.presenters import category_names, matches_text
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext, select_timezone
from portal.blueprints.policies import permission
from portal.errors import Invalid, NotFound
from portal.lib.wording.sla import STRATEGIES
from portal.lib.wording.tickets import PRIORITY
from portal.models import AssignmentRule, StaffProfile
from portal.services.accounts.customers import company_names
from portal.services.tickets.assignment import TeamMember, list_rules, load_team
from portal.services.tickets.assignment_rules import (
    RULE,
    delete_rule,
    get_rule,
    known_skills,
    move_rule,
    restore_rule,
    save_profile,
    save_rule,
    try_rules,
)
from portal.services.tickets.calendars import list_calendars
from portal.services.tickets.queries import list_categories


def _names_of_categories() -> dict[str, str]:
    return category_names(list_categories(http.session(), include_inactive=True))


def _strategy(rule: AssignmentRule) -> str:
    return str(gettext(STRATEGIES.get(rule.strategy, rule.strategy)))


class RulesOfAssignmentView(KeptModelView):
    """The rules in the order in which they are tried, and the form of one."""

    policy = Permission.SLA_READ
    write_policy = Permission.SLA_CONFIGURE
    routes = frozenset(
        {"index_view", "create_view", "edit_view", "move_view", "delete_view", "versions_view", "restore_view"}
    )
    record = kept_as = RULE
    columns = (("name", lazy_gettext("Assignment")),)
    list_template = "admin/sla/rules.html"
    create_template = edit_template = "admin/sla/rule_form.html"
    helpers = {"matches": matches_text, "names_of_categories": _names_of_categories, "strategy_text": _strategy}

    def __init__(self) -> None:
        super().__init__(AssignmentRule, lazy_gettext("Assignment"), "assignment_rules", "assignment/rules")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[AssignmentRule]:
        """Every rule, first tried first."""
        return list_rules(http.session())[offset : offset + limit]

    def find_one(self, record_id: UUID) -> AssignmentRule:
        """A rule."""
        return get_rule(http.session(), record_id)

    def create_form(self, obj: Any = None) -> Form:
        """A new rule: everybody in turn, who is at work."""
        form = RuleEditForm(request.form if request.method == "POST" else None)
        if request.method != "POST":
            form.strategy.data = "round_robin"
        return form

    def edit_form(self, obj: AssignmentRule | None = None) -> Form:
        """The stored rule, or what was typed over it."""
        form = RuleEditForm(request.form if request.method == "POST" else None)
        if request.method != "POST" and obj is not None:
            form.fill(obj)
        return form

    def prepare(self, form: Any) -> bool:
        """Try the rule on the last tickets where that is asked for; only Save saves."""
        if request.form.get("do", "save") != "try":
            return True
        given = valid_uuid(request.args.get("id"))
        try:
            g.rule_trials = try_rules(http.session(), actor=http.actor(), draft=form.read(), rule_id=given)
        except Invalid as error:
            show_errors(form, error)
        return False

    def save(self, form: Any, record: AssignmentRule | None) -> AssignmentRule:
        """Have the service store it."""
        rule_id = record.id if record else None
        return save_rule(http.session(), rule_id, form=form.read(), actor=http.actor(), now=http.now())

    def choices(self) -> dict[str, Any]:
        """Options of the form, and what the last tickets would have got."""
        session, actor = http.session(), http.actor()
        return {
            "categories": [
                (row.key, row.name_in(current_locale())) for row in list_categories(session, include_inactive=True)
            ],
            "priorities": [(key, gettext(label)) for key, label in PRIORITY.items()],
            "strategies": [(key, gettext(label)) for key, label in STRATEGIES.items()],
            "team": [(str(one.user_id), one.name) for one in load_team(session)],
            "skills": known_skills(session),
            "companies_of": lambda ids: company_names(
                session, [id_ for id_ in map(valid_uuid, ids) if id_], actor=actor
            ),
            "trials": g.get("rule_trials"),
        }

    @route("/move/", methods=("POST",))
    def move_view(self) -> ResponseReturnValue:
        """Have a rule tried sooner or later."""
        wanted = valid_uuid(request.form.get("id"))
        if wanted is None:
            raise NotFound(self.record)
        up = request.form.get("direction") == "up"
        move_rule(http.session(), wanted, up=up, actor=http.actor(), now=http.now())
        http.commit()
        return http.see_other("assignment_rules.index_view")

    @route("/delete/", methods=("POST",))
    @permission(Permission.SLA_CONFIGURE)
    def delete_view(self) -> ResponseReturnValue:
        """Take a rule away."""
        wanted = valid_uuid(request.form.get("id"))
        if wanted is None:
            raise NotFound(self.record)
        delete_rule(http.session(), wanted, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("Rule deleted"), "ok")
        return http.see_other("assignment_rules.index_view")

    def name_of(self, record: AssignmentRule) -> str:
        """The rule's name."""
        return record.name

    def facts_of(self, form: Mapping[str, Any]) -> Facts:
        """What it covered and whom it chose."""
        names, team = _names_of_categories(), {str(one.user_id): one.name for one in load_team(http.session())}
        companies = [id_ for id_ in map(valid_uuid, form["match_companies"]) if id_]
        known = company_names(http.session(), companies, actor=http.actor())
        return [
            (gettext("Name"), form["name"]),
            (gettext("State"), state_text(form["active"])),
            (gettext("Categories"), ", ".join(names.get(key, key) for key in form["match_categories"])),
            (gettext("Priorities"), ", ".join(gettext(PRIORITY[key]) for key in form["match_priorities"])),
            (gettext("Companies"), ", ".join(known.get(id_) or str(id_) for id_ in companies)),
            (gettext("Who gets it"), gettext(STRATEGIES.get(form["strategy"], form["strategy"]))),
            (gettext("People"), ", ".join(team.get(id_, id_) for id_ in form["people"])),
            (gettext("Skills"), ", ".join(form["skills"])),
            (gettext("Only people whose working hours it is"), yes_or_no(form["only_working"])),
        ]

    def restore(self, record_id: UUID, version: int) -> AssignmentRule:
        """Have it decide as it did."""
        return restore_rule(http.session(), record_id, version, actor=http.actor(), now=http.now())


class ProfilesView(EditableModelView):
    """What the rules know of each member of the team."""

    policy = Permission.SLA_READ
    write_policy = Permission.SLA_CONFIGURE
    routes = frozenset({"index_view", "edit_view"})
    record = "staff_profile"
    columns = (("name", lazy_gettext("Skills and absence")),)
    list_template = "admin/sla/profiles.html"
    edit_template = "admin/sla/profile_form.html"

    def __init__(self) -> None:
        super().__init__(StaffProfile, lazy_gettext("Skills and absence"), "staff_profiles", "assignment/people")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[TeamMember]:
        """Everybody who can be given tickets, by name."""
        return load_team(http.session())[offset : offset + limit]

    def find_one(self, record_id: UUID) -> TeamMember:
        """A member of the team."""
        found = next((one for one in load_team(http.session()) if one.user_id == record_id), None)
        if found is None:
            raise NotFound(self.record)
        return found

    def get_pk_value(self, model: TeamMember) -> UUID:
        """The login's key."""
        return model.user_id

    def edit_form(self, obj: TeamMember | None = None) -> Form:
        """What is stored, or what was typed over it."""
        form = ProfileEditForm(request.form if request.method == "POST" else None)
        if request.method != "POST" and obj is not None:
            form.fill(obj, select_timezone())
        return form

    def save(self, form: Any, record: Any | None) -> StaffProfile:
        """Have the service store it."""
        if record is None:
            raise NotFound(self.record)
        wanted = form.read(select_timezone())
        return save_profile(http.session(), record.user_id, form=wanted, actor=http.actor(), now=http.now())

    def choices(self) -> dict[str, Any]:
        """Options of the form."""
        session = http.session()
        calendars = [("", gettext("Always")), *((str(row.id), row.name) for row in list_calendars(session))]
        return {"calendars": calendars, "skills": known_skills(session), "zone": select_timezone()}
