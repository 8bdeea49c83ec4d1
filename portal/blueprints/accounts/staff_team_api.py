"""The team under /api/v1/staff/team: who belongs to it, and as what (ADM-02, AUTH-20)."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import prove_again
from portal.blueprints.accounts.delivery import delivery
from portal.blueprints.accounts.people_schemas import Invitation, Invitations, ProofRequest
from portal.blueprints.accounts.staff_people_schemas import (
    Done,
    FactorReset,
    TeamInvitationRequest,
    TeamMember,
    TeamMembers,
    TeamRolesRequest,
)
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody, PageQuery
from portal.blueprints.policies import permission
from portal.errors import invalid
from portal.models import Role, UserStatus
from portal.services.accounts import access_control, team
from portal.services.accounts.factor_reset import reset_factors
from portal.services.accounts.invitation_queries import get_invitation, list_team_invitations
from portal.services.accounts.invitations import NewInvitation, invite_to_team, renew_invitation, revoke_invitation

bp = Blueprint("staff_team_api", __name__, url_prefix="/api/v1/staff/team")
NO_ADMINISTRATOR = "The team would have no administrator, or the login was never opened."


@bp.get("")
@permission(Permission.STAFF_MANAGE)
@operation("List the team", answer=TeamMembers)
def index() -> TeamMembers:
    """Everybody with a staff login, by name."""
    rows = team.list_team(http.session(), actor=http.actor())
    return TeamMembers(items=[TeamMember.of(row) for row in rows], next_cursor=None)


@bp.get("/<uuid:person_id>")
@permission(Permission.STAFF_MANAGE)
@operation("Read a member of the team", answer=TeamMember)
def detail(person_id: UUID) -> TeamMember:
    """One of the staff."""
    return _member(person_id)


@bp.post("/<uuid:person_id>/roles")
@permission(Permission.STAFF_MANAGE)
@operation("Set a member's roles", body=TeamRolesRequest, answer=TeamMember, conflicts=NO_ADMINISTRATOR)
def set_roles(person_id: UUID, body: TeamRolesRequest) -> TeamMember:
    """Gives exactly these roles; neither what is given nor what is taken may be more than you have."""
    prove_again(body.password)
    changed = team.set_team_roles(
        http.session(),
        person_id,
        roles=set(body.roles),
        own_role_ids=body.staff_role_ids,
        actor=http.actor(),
        now=http.now(),
    )
    return TeamMember.of(changed)


@bp.post("/<uuid:person_id>/suspend")
@permission(Permission.STAFF_MANAGE)
@operation("Suspend a member", body=ProofRequest, answer=TeamMember, conflicts=NO_ADMINISTRATOR)
def suspend(person_id: UUID, body: ProofRequest) -> TeamMember:
    """Ends sessions, programs, links and open invitations at once."""
    return _set_status(person_id, UserStatus.SUSPENDED, body)


@bp.post("/<uuid:person_id>/reactivate")
@permission(Permission.STAFF_MANAGE)
@operation("Let a member in again", body=ProofRequest, answer=TeamMember, conflicts=NO_ADMINISTRATOR)
def reactivate(person_id: UUID, body: ProofRequest) -> TeamMember:
    """Undoes a suspension or lock."""
    return _set_status(person_id, UserStatus.ACTIVE, body)


@bp.post("/<uuid:person_id>/unlock")
@permission(Permission.STAFF_MANAGE)
@operation("Lift a member's locks", body=NoBody, answer=Done)
def unlock(person_id: UUID, body: NoBody) -> Done:
    """Lifts the locks that failed sign-ins left."""
    _member(person_id)
    return Done(count=access_control.unlock_login(http.session(), person_id, actor=http.actor(), now=http.now()))


@bp.post("/<uuid:person_id>/end-sessions")
@permission(Permission.STAFF_MANAGE)
@operation("Sign a member out everywhere", body=NoBody, answer=Done)
def end_sessions(person_id: UUID, body: NoBody) -> Done:
    """Ends every session and program of the login."""
    _member(person_id)
    ended = access_control.end_login_sessions(http.session(), person_id, actor=http.actor(), now=http.now())
    return Done(count=ended)


@bp.post("/<uuid:person_id>/reset-factors")
@permission(Permission.STAFF_MANAGE)
@operation(
    "Clear a member's lost second factors",
    body=FactorReset,
    answer=TeamMember,
    conflicts="The login has no second factor.",
)
def clear_factors(person_id: UUID, body: FactorReset) -> TeamMember:
    """For the tenant's administrators: removes authenticator, passkeys and recovery codes, ends every session."""
    prove_again(body.password)
    _member(person_id)
    reset_factors(http.session(), person_id, body.reason, delivery=delivery(), actor=http.actor(), now=http.now())
    return _member(person_id)


@bp.get("/invitations")
@permission(Permission.STAFF_MANAGE)
@operation("List the team's invitations", query=PageQuery, answer=Invitations)
def invitations(query: PageQuery) -> Invitations:
    """Who was invited to the team, and where each invitation stands."""
    page = list_team_invitations(
        http.session(), limit=query.limit, cursor=query.cursor, actor=http.actor(), now=http.now()
    )
    return Invitations(items=[Invitation.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.post("/invitations")
@permission(Permission.STAFF_MANAGE)
@operation(
    "Invite to the team",
    body=TeamInvitationRequest,
    answer=Invitation,
    status=201,
    conflicts="The person is invited already, or the address got too many mails.",
)
def invite(body: TeamInvitationRequest) -> Invitation:
    """Mails a link that works once, for seven days."""
    prove_again(body.password)
    if (body.role is None) == (body.staff_role_id is None):
        raise invalid("role", "required")
    made = invite_to_team(
        http.session(),
        NewInvitation(body.name, body.email, body.role or Role.CUSTOM, body.staff_role_id, body.locale),
        actor=http.actor(),
        delivery=delivery(),
        now=http.now(),
    )
    return _invitation(made.id)


@bp.post("/invitations/<uuid:invitation_id>/renew")
@permission(Permission.STAFF_MANAGE)
@operation(
    "Send an invitation to the team again",
    body=NoBody,
    answer=Invitation,
    conflicts="It was accepted or withdrawn, or was sent a moment ago.",
)
def renew(invitation_id: UUID, body: NoBody) -> Invitation:
    """Mails a new link for another seven days; the one before stops working."""
    renew_invitation(http.session(), invitation_id, actor=http.actor(), delivery=delivery(), now=http.now())
    return _invitation(invitation_id)


@bp.post("/invitations/<uuid:invitation_id>/revoke")
@permission(Permission.STAFF_MANAGE)
@operation(
    "Withdraw an invitation to the team",
    body=NoBody,
    answer=Invitation,
    conflicts="It was accepted or withdrawn already.",
)
def revoke(invitation_id: UUID, body: NoBody) -> Invitation:
    """Its link stops working."""
    revoke_invitation(http.session(), invitation_id, actor=http.actor(), now=http.now())
    return _invitation(invitation_id)


def _set_status(person_id: UUID, status: UserStatus, body: ProofRequest) -> TeamMember:
    prove_again(body.password)
    _member(person_id)
    access_control.set_status(http.session(), person_id, status, actor=http.actor(), now=http.now())
    http.session().flush()
    return _member(person_id)


def _member(person_id: UUID) -> TeamMember:
    return TeamMember.of(team.get_team_member(http.session(), person_id, actor=http.actor()))


def _invitation(invitation_id: UUID) -> Invitation:
    return Invitation.of(get_invitation(http.session(), invitation_id, now=http.now()))
