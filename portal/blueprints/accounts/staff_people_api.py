"""People and the logins of customers under /api/v1/staff/people (ADM-05)."""

from typing import Any
from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import prove_again
from portal.blueprints.accounts.delivery import delivery
from portal.blueprints.accounts.staff_people_schemas import (
    Done,
    FactorReset,
    PersonPatch,
    PersonRequest,
    PersonSearch,
    RoleRequest,
    StaffPeople,
    StaffPerson,
)
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.policies import permission
from portal.errors import Forbidden, invalid
from portal.lib.paging import decode_cursor, paginate
from portal.models import UserKind, UserStatus
from portal.services.accounts import access_control
from portal.services.accounts.customers import get_person, list_people
from portal.services.accounts.factor_reset import reset_factors
from portal.services.accounts.records import PersonForm, save_person

bp = Blueprint("staff_people_api", __name__, url_prefix="/api/v1/staff")
NO_LOGIN = "The person has no login."


@bp.get("/people")
@permission(Permission.CUSTOMERS_READ)
@operation("List people", query=PersonSearch, answer=StaffPeople)
def index(query: PersonSearch) -> StaffPeople:
    """Contacts and the team by name."""
    after = decode_cursor(query.cursor)
    rows = list_people(
        http.session(),
        search=query.q,
        kind=query.kind,
        company_id=query.company,
        limit=query.limit + 1,
        after=(str(after.value), after.id) if after else None,
        actor=http.actor(),
    )
    page = paginate(rows, query.limit, after, lambda row: (row.name, row.id))
    return StaffPeople(items=[StaffPerson.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.get("/people/<uuid:person_id>")
@permission(Permission.CUSTOMERS_READ)
@operation("Read a person", answer=StaffPerson)
def detail(person_id: UUID) -> StaffPerson:
    """One person."""
    return _person(person_id)


@bp.post("/people")
@permission(Permission.CUSTOMERS_EDIT)
@operation("Add a contact", body=PersonRequest, answer=StaffPerson, status=201)
def create(body: PersonRequest) -> StaffPerson:
    """Somebody of a company, without a login."""
    form = PersonForm(**body.model_dump())
    made = save_person(http.session(), None, form, delivery=delivery(), actor=http.actor(), now=http.now())
    return _person(made.id)


@bp.patch("/people/<uuid:person_id>")
@permission(Permission.CUSTOMERS_EDIT)
@operation("Change a contact", body=PersonPatch, answer=StaffPerson)
def change(person_id: UUID, body: PersonPatch) -> StaffPerson:
    """Changes what is named. The address or phone of a login needs `access:manage`, and its owner is told."""
    found = get_person(http.session(), person_id, actor=http.actor())
    if not body.model_fields_set:
        raise invalid("", "nothing_to_change")
    values: dict[str, Any] = {name: getattr(found, name) for name in PersonPatch.model_fields}
    form = PersonForm(**values | {name: getattr(body, name) for name in body.model_fields_set})
    save_person(http.session(), person_id, form, delivery=delivery(), actor=http.actor(), now=http.now())
    return _person(person_id)


@bp.post("/people/<uuid:person_id>/suspend")
@permission(Permission.ACCESS_MANAGE)
@operation(
    "Suspend a customer's login", body=NoBody, answer=StaffPerson, conflicts=f"{NO_LOGIN} Or it was never opened."
)
def suspend(person_id: UUID, body: NoBody) -> StaffPerson:
    """Ends sessions, programs, links and open invitations at once."""
    return _set_status(person_id, UserStatus.SUSPENDED)


@bp.post("/people/<uuid:person_id>/reactivate")
@permission(Permission.ACCESS_MANAGE)
@operation(
    "Let a customer's login in again",
    body=NoBody,
    answer=StaffPerson,
    conflicts=f"{NO_LOGIN} Or it was never opened.",
)
def reactivate(person_id: UUID, body: NoBody) -> StaffPerson:
    """Undoes a suspension or lock, and what the company's administrator did."""
    return _set_status(person_id, UserStatus.ACTIVE)


@bp.post("/people/<uuid:person_id>/unlock")
@permission(Permission.ACCESS_MANAGE)
@operation("Lift a customer's locks", body=NoBody, answer=Done, conflicts=NO_LOGIN)
def unlock(person_id: UUID, body: NoBody) -> Done:
    """Lifts the locks that failed sign-ins left."""
    _require_customer(person_id)
    return Done(count=access_control.unlock_login(http.session(), person_id, actor=http.actor(), now=http.now()))


@bp.post("/people/<uuid:person_id>/end-sessions")
@permission(Permission.ACCESS_MANAGE)
@operation("Sign a customer out everywhere", body=NoBody, answer=Done, conflicts=NO_LOGIN)
def end_sessions(person_id: UUID, body: NoBody) -> Done:
    """Ends every session and program of the login."""
    _require_customer(person_id)
    ended = access_control.end_login_sessions(http.session(), person_id, actor=http.actor(), now=http.now())
    return Done(count=ended)


@bp.post("/people/<uuid:person_id>/reset-factors")
@permission(Permission.ACCESS_MANAGE)
@operation(
    "Clear a customer's lost second factors",
    body=FactorReset,
    answer=StaffPerson,
    conflicts=f"{NO_LOGIN} Or it has no second factor.",
)
def clear_factors(person_id: UUID, body: FactorReset) -> StaffPerson:
    """Removes authenticator, passkeys and recovery codes, ends every session, and mails the owner."""
    prove_again(body.password)
    _require_customer(person_id)
    reset_factors(http.session(), person_id, body.reason, delivery=delivery(), actor=http.actor(), now=http.now())
    return _person(person_id)


@bp.post("/people/<uuid:person_id>/role")
@permission(Permission.ACCESS_MANAGE)
@operation("Set the role in a company", body=RoleRequest, answer=StaffPerson, conflicts=NO_LOGIN)
def set_role(person_id: UUID, body: RoleRequest) -> StaffPerson:
    """Changes what a customer is in a company, or takes the login out of it."""
    _require_customer(person_id)
    access_control.set_company_role(
        http.session(), person_id, body.company_id, body.role, actor=http.actor(), now=http.now()
    )
    return _person(person_id)


def _set_status(person_id: UUID, status: UserStatus) -> StaffPerson:
    _require_customer(person_id)
    access_control.set_status(http.session(), person_id, status, actor=http.actor(), now=http.now())
    http.session().flush()
    return _person(person_id)


def _require_customer(person_id: UUID) -> None:
    """Logins of the team are managed at /api/v1/staff/team, with another permission and the own password."""
    if get_person(http.session(), person_id, actor=http.actor()).kind is UserKind.STAFF:
        raise Forbidden("not_allowed")


def _person(person_id: UUID) -> StaffPerson:
    return StaffPerson.of(get_person(http.session(), person_id, actor=http.actor()))
