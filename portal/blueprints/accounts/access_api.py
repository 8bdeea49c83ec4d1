"""What the caller is signed in with, and the keys of their programs (ledger API-08, H9.8, H9.9)."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.account_schemas import (
    ApiKeyRequest,
    ApiKeys,
    ApiKeyShape,
    NewApiKey,
    Session,
    Sessions,
    SignInQuery,
    SignIns,
    SignInShape,
)
from portal.blueprints.accounts.confirm import prove_again
from portal.blueprints.accounts.forms import device_text, place_text
from portal.blueprints.api.operations import operation
from portal.blueprints.policies import permission
from portal.services.accounts.api_keys import create_key, list_keys, revoke_key
from portal.services.accounts.login_history import SignIn, SignInKind, list_sign_ins
from portal.services.accounts.own_sessions import end_other_sessions, end_session, list_sessions

bp = Blueprint("access_api", __name__, url_prefix="/api/v1/portal")


@bp.get("/sessions")
@permission(Permission.PROFILE_EDIT)
@operation("List your sessions", answer=Sessions)
def sessions() -> Sessions:
    """Every browser and program that is signed in as you."""
    rows = list_sessions(
        http.session(),
        actor=http.actor(),
        now=http.now(),
        current=http.session_id(),
        idle=http.tenant().sign_in.idle,
    )
    items = [
        Session(
            id=row.id,
            kind=row.kind,
            device=device_text(row.user_agent),
            place=place_text(row.ip),
            ip=row.ip,
            method=row.method,
            created_at=row.started_at,
            last_active_at=row.last_active_at,
            current=row.current,
        )
        for row in rows
    ]
    return Sessions(items=items)


@bp.delete("/sessions/<uuid:session_id>")
@permission(Permission.PROFILE_EDIT)
@operation("End a session", answer=None, status=204)
def end_one(session_id: UUID) -> None:
    """Signs a browser or program out at once, the one that asks included."""
    end_session(http.session(), session_id, actor=http.actor(), now=http.now())


@bp.delete("/sessions")
@permission(Permission.PROFILE_EDIT)
@operation("End all other sessions", answer=None, status=204)
def end_others() -> None:
    """Signs out every browser and program but the one that asks."""
    end_other_sessions(http.session(), keep=http.session_id(), actor=http.actor(), now=http.now())


@bp.get("/sessions/history")
@permission(Permission.PROFILE_EDIT)
@operation("List your sign-ins", query=SignInQuery, answer=SignIns)
def history(query: SignInQuery) -> SignIns:
    """Sign-ins of the last 90 days, ended ones and refused tries included."""
    page = list_sign_ins(http.session(), actor=http.actor(), now=http.now(), cursor=query.cursor, limit=query.limit)
    return SignIns(items=[_sign_in(row) for row in page.items], next_cursor=page.next_cursor)


@bp.get("/api-keys")
@permission(Permission.API_KEYS_MANAGE)
@operation("List your API keys", answer=ApiKeys)
def api_keys() -> ApiKeys:
    """The keys that work, without what makes them work."""
    return ApiKeys(items=[ApiKeyShape.of(row) for row in list_keys(http.session(), actor=http.actor())])


@bp.post("/api-keys")
@permission(Permission.API_KEYS_MANAGE)
@operation(
    "Make an API key",
    body=ApiKeyRequest,
    answer=NewApiKey,
    status=201,
    conflicts="There are 20 keys already.",
    sealed=True,
)
def make_api_key(body: ApiKeyRequest) -> NewApiKey:
    """A key reads what you can read under /api/v1/portal, and changes nothing. `key` is shown this once."""
    prove_again(body.password)
    made = create_key(http.session(), body.name, letterhead=http.letterhead(), actor=http.actor(), now=http.now())
    return NewApiKey.of_new(made)


@bp.delete("/api-keys/<uuid:key_id>")
@permission(Permission.API_KEYS_MANAGE)
@operation("Revoke an API key", answer=None, status=204)
def revoke_api_key(key_id: UUID) -> None:
    """What still uses the key is refused at once."""
    revoke_key(http.session(), key_id, actor=http.actor(), now=http.now())


def _sign_in(row: SignIn) -> SignInShape:
    return SignInShape(
        id=row.id,
        kind=row.kind,
        device=device_text(row.user_agent) if row.kind is not SignInKind.REFUSED else "",
        place=place_text(row.ip),
        ip=row.ip,
        method=row.method,
        at=row.at,
        ended_at=row.ended_at,
    )
