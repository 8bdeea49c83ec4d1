"""What the rules of signing in let an administrator do to everybody, under /api/v1/staff/sign-in (ASVS 7.4.5)."""

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import prove_again
from portal.blueprints.accounts.staff_people_schemas import Done, EndSessionsRequest
from portal.blueprints.api.operations import operation
from portal.blueprints.policies import permission
from portal.services.accounts.mass_sign_out import end_all_sessions

bp = Blueprint("staff_sign_in_api", __name__, url_prefix="/api/v1/staff/sign-in")


@bp.post("/end-sessions")
@permission(Permission.SIGN_IN_CONFIGURE)
@operation("Sign everybody out", body=EndSessionsRequest, answer=Done)
def end_sessions(body: EndSessionsRequest) -> Done:
    """Ends all sessions of customers, of the team or of both, but the one that asks. API keys stay."""
    prove_again(body.password)
    ended = end_all_sessions(http.session(), body.whose, keep=http.session_id(), actor=http.actor(), now=http.now())
    return Done(count=ended)
