"""Settings → Team: who belongs to it, what each may do, and how their logins come in (ADM-02, AUTH-20)."""

from typing import Any
from uuid import UUID

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from portal.admin.acting import act, as_invalid
from portal.admin.base import ServiceView, route
from portal.admin.customer_forms import InviteForm
from portal.admin.customers import language_choices, role_names
from portal.admin.editing import error_list, show_errors
from portal.admin.factor_reset import factor_reset_page
from portal.admin.people import chosen_status, entry_rows
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import fresh_proof
from portal.blueprints.accounts.delivery import delivery
from portal.blueprints.localisation import gettext
from portal.errors import Conflict, Forbidden, Invalid, invalid
from portal.lib.wording.tickets import ROLE
from portal.models import Role
from portal.services.accounts import access_control
from portal.services.accounts.access_history import AccessHistory, load_history
from portal.services.accounts.invitation_queries import list_team_invitations
from portal.services.accounts.invitations import NewInvitation, invite_to_team, renew_invitation, revoke_invitation
from portal.services.accounts.team import (
    TeamMember,
    get_team_member,
    givable_roles,
    list_staff_roles,
    list_team,
    set_team_roles,
)


def member_roles(member: TeamMember) -> str:
    """Every role of a member in words."""
    built_in = [gettext(ROLE.get(role.value, role.value)) for role in member.roles]
    return ", ".join([*built_in, *(name for _, name in member.own_roles)])


class TeamView(ServiceView):
    """The tenant's staff; for who manages it."""

    policy = Permission.STAFF_MANAGE
    helpers = {"member_roles": member_roles, "role_list": role_names}

    @route("/")
    def index(self) -> ResponseReturnValue:
        """Everybody of the team, and who was invited to it."""
        page = list_team_invitations(http.session(), actor=http.actor(), now=http.now())
        return self.render(
            "admin/team/index.html",
            members=list_team(http.session(), actor=http.actor()),
            invitations=[row for row in page.items if row.state != "accepted"],
        )

    @route("/invite", methods=("GET", "POST"))
    @fresh_proof
    def invite(self) -> ResponseReturnValue:
        """Invite somebody as something that grants no more than the reader has."""
        form = InviteForm(request.form)
        form.locale.choices = language_choices()
        if request.method != "POST":
            form.role.data, form.locale.data = "", http.tenant().locale
            return self._invite_page(form)
        try:
            role, own_id = _chosen_role(form.role.data)
            invite_to_team(
                http.session(),
                NewInvitation(form.name.data or "", form.email.data or "", role, own_id, form.locale.data or None),
                actor=http.actor(),
                delivery=delivery(),
                now=http.now(),
            )
        except (Invalid, Conflict) as error:
            http.session().rollback()
            show_errors(form, as_invalid(error, "email"))
            return self._invite_page(form), 422
        http.commit()
        flash(gettext("Invitation sent"), "ok")
        return http.see_other("team.index")

    @route("/invitations/<uuid:invitation_id>/renew", methods=("POST",))
    @fresh_proof
    def renew(self, invitation_id: UUID) -> ResponseReturnValue:
        """Send an invitation again; the link before dies."""
        return act(
            lambda: renew_invitation(
                http.session(), invitation_id, actor=http.actor(), delivery=delivery(), now=http.now()
            ),
            gettext("Invitation sent again"),
            url_for("team.index"),
        )

    @route("/invitations/<uuid:invitation_id>/revoke", methods=("POST",))
    def revoke(self, invitation_id: UUID) -> ResponseReturnValue:
        """Withdraw an invitation."""
        return act(
            lambda: revoke_invitation(http.session(), invitation_id, actor=http.actor(), now=http.now()),
            gettext("Invitation withdrawn"),
            url_for("team.index"),
        )

    @route("/<uuid:person_id>")
    def member(self, person_id: UUID) -> ResponseReturnValue:
        """One of the team; somebody with more rights than the reader can be looked at only."""
        found = get_team_member(http.session(), person_id, actor=http.actor())
        history = _history(person_id)
        return self.render(
            "admin/team/member.html",
            model=found,
            history=history,
            entries=entry_rows(history),
            roles=[(role.value, gettext(ROLE[role.value])) for role in givable_roles(http.actor())],
            own_roles=list_staff_roles(http.session(), actor=http.actor()),
            own=found.user_id == http.actor().user_id,
        )

    @route("/<uuid:person_id>/roles", methods=("POST",))
    @fresh_proof
    def set_roles(self, person_id: UUID) -> ResponseReturnValue:
        """Give exactly the roles that were ticked."""

        def work() -> None:
            chosen = [_chosen_role(value) for value in request.form.getlist("roles")]
            set_team_roles(
                http.session(),
                person_id,
                roles={role for role, own_id in chosen if own_id is None},
                own_role_ids=[own_id for _, own_id in chosen if own_id is not None],
                actor=http.actor(),
                now=http.now(),
            )

        return act(work, gettext("Saved"), _page(person_id))

    @route("/<uuid:person_id>/status", methods=("POST",))
    @fresh_proof
    def set_status(self, person_id: UUID) -> ResponseReturnValue:
        """Suspend, lock, or let in again."""
        get_team_member(http.session(), person_id, actor=http.actor())
        status = chosen_status(request.form.get("status"))
        return act(
            lambda: access_control.set_status(http.session(), person_id, status, actor=http.actor(), now=http.now()),
            gettext("Saved"),
            _page(person_id),
        )

    @route("/<uuid:person_id>/unlock", methods=("POST",))
    def unlock(self, person_id: UUID) -> ResponseReturnValue:
        """Lift the locks that failed sign-ins left."""
        get_team_member(http.session(), person_id, actor=http.actor())
        return act(
            lambda: access_control.unlock_login(http.session(), person_id, actor=http.actor(), now=http.now()),
            gettext("Unlocked"),
            _page(person_id),
        )

    @route("/<uuid:person_id>/end-sessions", methods=("POST",))
    def end_sessions(self, person_id: UUID) -> ResponseReturnValue:
        """Sign the person out everywhere."""
        get_team_member(http.session(), person_id, actor=http.actor())
        return act(
            lambda: access_control.end_login_sessions(http.session(), person_id, actor=http.actor(), now=http.now()),
            gettext("Signed out everywhere"),
            _page(person_id),
        )

    @route("/<uuid:person_id>/reset-factors", methods=("GET", "POST"))
    @fresh_proof
    def reset_factors(self, person_id: UUID) -> ResponseReturnValue:
        """Clear the second factors that a member has lost; the tenant's administrators alone."""
        member = get_team_member(http.session(), person_id, actor=http.actor())
        return factor_reset_page(self, person_id, member, back=_page(person_id))

    def _invite_page(self, form: InviteForm) -> str:
        own = [(str(role.id), role.name) for role in list_staff_roles(http.session(), actor=http.actor())]
        roles = [(role.value, gettext(ROLE[role.value])) for role in givable_roles(http.actor())]
        return self.render("admin/team/invite.html", form=form, roles=roles + own, form_errors=error_list(form))


def _history(person_id: UUID) -> AccessHistory | None:
    try:
        return load_history(http.session(), person_id, actor=http.actor(), now=http.now())
    except Forbidden:
        return None


def _chosen_role(text: str | None) -> tuple[Role, UUID | None]:
    """A built-in role by its name, one of the tenant's own by its id; Invalid about `role` for anything else."""
    if text in set(Role) - {Role.CUSTOM}:
        return Role(str(text)), None
    try:
        return Role.CUSTOM, UUID(str(text))
    except ValueError:
        raise invalid("role", "unknown_role") from None


def _page(person_id: UUID) -> Any:
    return url_for("team.member", person_id=person_id)
