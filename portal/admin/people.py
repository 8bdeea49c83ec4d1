"""People: found, noted, corrected; and how their login comes in (ADM-05)."""

from typing import Any
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import Form

from portal.admin.acting import act
from portal.admin.base import route
from portal.admin.customer_forms import PersonEditForm
from portal.admin.customers import HELPERS
from portal.admin.editing import EditableModelView
from portal.admin.factor_reset import factor_reset_page
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import fresh_proof
from portal.blueprints.accounts.delivery import delivery
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Forbidden, NotFound, invalid
from portal.lib.wording.audit import action_text
from portal.models import Person, Role, UserKind, UserStatus
from portal.services.accounts import access_control
from portal.services.accounts.access_history import AccessHistory, load_history
from portal.services.accounts.customers import company_names, get_company, get_person, list_people
from portal.services.accounts.invitation_queries import list_person_invitations
from portal.services.accounts.invitations import renew_invitation, revoke_invitation
from portal.services.accounts.records import save_person


class PeopleView(EditableModelView):
    """Contacts and staff, with their roles; logins of customers are managed here, the team's in its settings."""

    policy = Permission.CUSTOMERS_READ
    write_policy = Permission.CUSTOMERS_EDIT
    routes = frozenset(
        {
            "index_view",
            "details_view",
            "create_view",
            "edit_view",
            "set_status",
            "unlock",
            "end_sessions",
            "reset_factors",
            "set_role",
            "renew",
            "revoke",
        }
    )
    helpers = HELPERS
    record = "person"
    columns = (
        ("name", lazy_gettext("Name")),
        ("email", lazy_gettext("Email")),
        ("company_name", lazy_gettext("Company")),
        ("roles", lazy_gettext("Roles")),
        ("last_login_at", lazy_gettext("Last seen")),
    )
    column_searchable_list = ("name", "email", "phone")
    list_template = "admin/customers/people.html"
    details_template = "admin/customers/person.html"
    create_template = edit_template = "admin/customers/person_form.html"

    def __init__(self) -> None:
        super().__init__(Person, lazy_gettext("People"), "people", "people")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[Any]:
        """People by name, of one kind where the tab says so."""
        kind = request.args.get("kind", "")
        wanted = UserKind(kind) if kind in ("customer", "staff") else None
        return list_people(http.session(), search=search, kind=wanted, limit=limit, offset=offset, actor=http.actor())

    def find_one(self, record_id: UUID) -> Any:
        """A person."""
        return get_person(http.session(), record_id, actor=http.actor())

    def create_form(self, obj: Any = None) -> Form:
        """A new contact."""
        return PersonEditForm(request.form)

    def edit_form(self, obj: Any = None) -> Form:
        """The stored person, or what was typed over it; members of the team are not customers' contacts."""
        if obj is not None and obj.kind is UserKind.STAFF:
            raise Forbidden("not_allowed")
        form = PersonEditForm(request.form)
        if request.method != "POST" and obj is not None:
            form.fill(obj)
        return form

    def choices(self) -> dict[str, Any]:
        """The company that a new contact belongs to."""
        wanted = request.args.get("company", type=UUID)
        return {"company": get_company(http.session(), wanted, actor=http.actor()) if wanted else None}

    def save(self, form: Any, record: Any | None) -> Any:
        """Have the service store it."""
        return save_person(
            http.session(),
            record.id if record else None,
            form.read(request.args.get("company", type=UUID)),
            delivery=delivery(),
            actor=http.actor(),
            now=http.now(),
        )

    @route("/details/")
    def details_view(self) -> ResponseReturnValue:
        """A person; with the login's access for who may manage it."""
        person = self.get_one(request.args.get("id"))
        history = self._history(person)
        invitations = (
            list_person_invitations(http.session(), history.login.user.id, actor=http.actor(), now=http.now())
            if history
            else ()
        )
        return self.render(
            self.details_template,
            model=person,
            history=history,
            memberships=_memberships(history),
            entries=entry_rows(history),
            invitations=invitations,
        )

    def _history(self, person: Any) -> AccessHistory | None:
        if person.kind is not UserKind.CUSTOMER or not http.actor().may(Permission.ACCESS_MANAGE):
            return None
        return load_history(http.session(), person.id, actor=http.actor(), now=http.now())

    def _customer(self, person_id: UUID) -> UUID:
        """The person, whose login is no member of the team's: those are managed in its settings."""
        if self.find_one(person_id).kind is UserKind.STAFF:
            raise Forbidden("not_allowed")
        return person_id

    @route("/<uuid:person_id>/status", methods=("POST",))
    @permission(Permission.ACCESS_MANAGE)
    def set_status(self, person_id: UUID) -> ResponseReturnValue:
        """Suspend, lock, or let in again."""
        self._customer(person_id)
        status = chosen_status(request.form.get("status"))
        return act(
            lambda: access_control.set_status(http.session(), person_id, status, actor=http.actor(), now=http.now()),
            gettext("Saved"),
            _details(person_id),
        )

    @route("/<uuid:person_id>/unlock", methods=("POST",))
    @permission(Permission.ACCESS_MANAGE)
    def unlock(self, person_id: UUID) -> ResponseReturnValue:
        """Lift the locks that failed sign-ins left."""
        self._customer(person_id)
        return act(
            lambda: access_control.unlock_login(http.session(), person_id, actor=http.actor(), now=http.now()),
            gettext("Unlocked"),
            _details(person_id),
        )

    @route("/<uuid:person_id>/end-sessions", methods=("POST",))
    @permission(Permission.ACCESS_MANAGE)
    def end_sessions(self, person_id: UUID) -> ResponseReturnValue:
        """Sign the person out everywhere."""
        self._customer(person_id)
        return act(
            lambda: access_control.end_login_sessions(http.session(), person_id, actor=http.actor(), now=http.now()),
            gettext("Signed out everywhere"),
            _details(person_id),
        )

    @route("/<uuid:person_id>/reset-factors", methods=("GET", "POST"))
    @permission(Permission.ACCESS_MANAGE)
    @fresh_proof
    def reset_factors(self, person_id: UUID) -> ResponseReturnValue:
        """Clear the second factors that a customer has lost."""
        self._customer(person_id)
        return factor_reset_page(self, person_id, self.find_one(person_id), back=_details(person_id))

    @route("/<uuid:person_id>/role", methods=("POST",))
    @permission(Permission.ACCESS_MANAGE)
    def set_role(self, person_id: UUID) -> ResponseReturnValue:
        """Change what the person is in a company, or take the person out of it."""
        self._customer(person_id)
        company_id = request.form.get("company_id", type=UUID)
        if company_id is None:
            raise NotFound("company")
        role = request.form.get("role", "")
        if role and role not in set(Role):
            raise invalid("role", "unknown_role")
        return act(
            lambda: access_control.set_company_role(
                http.session(),
                person_id,
                company_id,
                Role(role) if role else None,
                actor=http.actor(),
                now=http.now(),
            ),
            gettext("Saved"),
            _details(person_id),
        )

    @route("/invitations/<uuid:invitation_id>/renew", methods=("POST",))
    @permission(Permission.ACCESS_MANAGE)
    def renew(self, invitation_id: UUID) -> ResponseReturnValue:
        """Send a customer's invitation again; the link before dies."""
        return act(
            lambda: renew_invitation(
                http.session(), invitation_id, actor=http.actor(), delivery=delivery(), now=http.now()
            ),
            gettext("Invitation sent again"),
            _came_from(),
        )

    @route("/invitations/<uuid:invitation_id>/revoke", methods=("POST",))
    @permission(Permission.ACCESS_MANAGE)
    def revoke(self, invitation_id: UUID) -> ResponseReturnValue:
        """Withdraw a customer's invitation."""
        return act(
            lambda: revoke_invitation(http.session(), invitation_id, actor=http.actor(), now=http.now()),
            gettext("Invitation withdrawn"),
            _came_from(),
        )


def _came_from() -> str:
    return http.safe_target(http.own_referrer(), url_for("companies.index_view"))


def _details(person_id: UUID) -> str:
    return url_for("people.details_view", id=person_id)


def chosen_status(text: str | None) -> UserStatus:
    """The state that was chosen; Invalid where it is none."""
    if text not in set(UserStatus):
        raise invalid("status", "unknown_choice")
    return UserStatus(text)


def _memberships(history: AccessHistory | None) -> list[dict[str, Any]]:
    """(company, role) of a customer's login."""
    held = [row for row, _ in history.login.memberships if row.company_id] if history else []
    names = company_names(http.session(), [row.company_id for row in held if row.company_id], actor=http.actor())
    return [
        {"company_id": row.company_id, "company": names.get(row.company_id, ""), "role": row.role}
        for row in held
        if row.company_id
    ]


def entry_rows(history: AccessHistory | None) -> list[dict[str, Any]]:
    """The trail of a login in words."""
    return [
        {"at": entry.at, "actor": entry.actor_name, "action": action_text(entry.action, gettext), "ip": entry.ip}
        for entry in (history.entries if history else ())
    ]
