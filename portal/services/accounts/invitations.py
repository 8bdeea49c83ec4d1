"""Invitations: sent, sent again, withdrawn (AUTH-11, ACC-08, ADM-05). What follows them is in `joining`.

An invitation names an address. The login behind it stays pending, and belongs nowhere, until the link of the mail
was used: only then the address is proved. Where a customer's login exists already, its owner accepts while signed
in, so an invitation never changes a login. Addresses of staff are refused without saying why.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, select, update

from portal.authz import Actor, Permission
from portal.errors import Conflict, Forbidden, NotFound, invalid
from portal.events import audit, publish
from portal.events.accounts import CustomerInvited
from portal.models import (
    Company,
    Invitation,
    LinkPurpose,
    Membership,
    Person,
    Role,
    StaffRole,
    User,
    UserKind,
    UserStatus,
)
from portal.models.session import TenantSession
from portal.services.accounts.delivery import Delivery
from portal.services.accounts.invitation_mail import (
    end_links,
    refuse_company_flood,
    refuse_mail_flood,
    send_invitation,
)
from portal.services.accounts.membership import CUSTOMER_ROLES, load_staff_role, own_permissions, require_grantable
from portal.services.accounts.one_time import LIFETIME
from portal.services.accounts.person_fields import FieldCheck

PAUSE = timedelta(minutes=1)


@dataclass(frozen=True)
class NewInvitation:
    """Whom to invite as what; `locale` is the language of the mail, None for the tenant's."""

    name: str
    email: str
    role: Role = Role.CUSTOMER
    staff_role_id: UUID | None = None
    locale: str | None = None


def invite_customer(
    session: TenantSession, company_id: UUID, form: NewInvitation, *, actor: Actor, delivery: Delivery, now: datetime
) -> Invitation:
    """Invite somebody into a company: its own administrators may, and staff with `access:manage`.

    Raises NotFound (another's company), Forbidden, Invalid, and Conflict `already_member`, `already_invited`,
    `invited_too_often`.
    """
    company = _company_to_manage(session, company_id, actor)
    if form.role not in CUSTOMER_ROLES or form.staff_role_id is not None:
        raise invalid("role", "unknown_role")
    form = _checked(form, delivery)
    person, login = _known(session, form.email)
    if login is not None and login.kind is UserKind.STAFF:
        raise invalid("email", "invitation_refused")
    if login is not None and _is_member(session, login.id, company_id):
        raise Conflict("already_member")
    refuse_company_flood(session, company_id, now=now)
    person = person or _new_person(session, form, company_id)
    person.company_id = person.company_id or company_id
    login = login or _new_login(session, person.id, form, UserKind.CUSTOMER, now)
    invitation = _write(session, form, login, company_id, actor, now)
    event = CustomerInvited(invitation.id, company_id=company_id, user_id=login.id, role=form.role.value)
    after = {"company_id": company_id, "role": form.role}
    publish(session, event, actor=actor, now=now, after=after)
    send_invitation(session, invitation, login, company=company.name, actor=actor, delivery=delivery, now=now)
    return invitation


def invite_to_team(
    session: TenantSession, form: NewInvitation, *, actor: Actor, delivery: Delivery, now: datetime
) -> Invitation:
    """Invite somebody to the staff, as something that grants no more than the actor has (`staff:manage`).

    Raises Forbidden, Invalid (`address_taken` for everybody who is known here), Conflict as `invite_customer`.
    """
    custom = _team_role_to_give(session, form.role, form.staff_role_id, actor)
    form = _checked(form, delivery)
    person, login = _known(session, form.email)
    if (login is not None and (login.kind is not UserKind.STAFF or login.status is not UserStatus.PENDING)) or (
        person is not None and person.company_id is not None
    ):
        raise invalid("email", "address_taken")
    person = person or _new_person(session, form, None)
    login = login or _new_login(session, person.id, form, UserKind.STAFF, now)
    invitation = _write(session, form, login, None, actor, now)
    after = {"role": custom.name if custom else form.role}
    audit(session, "team.invited", "invitation", invitation.id, actor=actor, now=now, after=after)
    send_invitation(session, invitation, login, company=None, actor=actor, delivery=delivery, now=now)
    return invitation


def renew_invitation(
    session: TenantSession, invitation_id: UUID, *, actor: Actor, delivery: Delivery, now: datetime
) -> Invitation:
    """Send an open or expired invitation again with a new link; the old one dies. Of racing calls one sends.

    Raises NotFound, Forbidden, Conflict `invitation_over` and `invited_too_often`.
    """
    invitation = get_invitation_to_manage(session, invitation_id, actor=actor)
    if invitation.company_id is None:
        _team_role_to_give(session, invitation.role, invitation.staff_role_id, actor)
    if invitation.accepted_at is not None or invitation.revoked_at is not None:
        raise Conflict("invitation_over")
    refuse_mail_flood(session, invitation.user_id, now=now)
    won = session.execute(
        update(Invitation)
        .where(Invitation.id == invitation_id, *_open(), Invitation.sent_at <= now - PAUSE)
        .values(sent_at=now, expires_at=now + LIFETIME[LinkPurpose.INVITATION])
        .returning(Invitation.id)
    ).first()
    if won is None:
        raise Conflict("invited_too_often")
    session.refresh(invitation)
    end_links(session, invitation, now=now)
    login = session.scalars(select(User).where(User.id == invitation.user_id)).one()
    company = _company_name(session, invitation.company_id)
    audit(session, "invitation.renewed", "invitation", invitation_id, actor=actor, now=now)
    send_invitation(session, invitation, login, company=company, actor=actor, delivery=delivery, now=now)
    return invitation


def revoke_invitation(session: TenantSession, invitation_id: UUID, *, actor: Actor, now: datetime) -> Invitation:
    """Withdraw an invitation that was not accepted; its link dies. Raises NotFound, Forbidden, Conflict."""
    invitation = get_invitation_to_manage(session, invitation_id, actor=actor)
    withdrawn = session.execute(
        update(Invitation)
        .where(Invitation.id == invitation_id, *_open())
        .values(revoked_at=now)
        .returning(Invitation.id)
    ).first()
    if withdrawn is None:
        raise Conflict("invitation_over")
    session.refresh(invitation)
    end_links(session, invitation, now=now)
    audit(session, "invitation.revoked", "invitation", invitation_id, actor=actor, now=now)
    return invitation


def end_invitations(session: TenantSession, user_id: UUID, *, now: datetime, company_id: UUID | None = None) -> int:
    """Withdraw what is open to and from a login whose access ends (in one company, where that is named).

    What somebody sent before they were shut out must not let them in again by another address.
    """
    statement = update(Invitation).where(
        (Invitation.user_id == user_id) | (Invitation.invited_by == user_id), Invitation.accepted_at.is_(None)
    )
    if company_id is not None:
        statement = statement.where(Invitation.company_id == company_id)
    ended = session.execute(
        statement.where(Invitation.revoked_at.is_(None)).values(revoked_at=now).returning(Invitation)
    ).scalars()
    rows = list(ended)
    for invitation in rows:
        end_links(session, invitation, now=now)
    return len(rows)


def get_invitation_to_manage(session: TenantSession, invitation_id: UUID, *, actor: Actor) -> Invitation:
    """An invitation the actor may renew and revoke; NotFound for another company's."""
    found = session.scalar(select(Invitation).where(Invitation.id == invitation_id))
    if found is None:
        raise NotFound("invitation")
    if found.company_id is None:
        if not actor.may(Permission.STAFF_MANAGE):
            raise NotFound("invitation")
        return found
    if actor.is_customer and found.company_id not in actor.company_ids:
        raise NotFound("invitation")
    _company_to_manage(session, found.company_id, actor)
    return found


def _company_to_manage(session: TenantSession, company_id: UUID, actor: Actor) -> Company:
    if actor.is_customer:
        if company_id not in actor.company_ids:
            raise NotFound("company")
        if company_id not in actor.admin_company_ids:
            raise Forbidden("not_allowed")
    elif not actor.may(Permission.ACCESS_MANAGE):
        raise Forbidden("not_allowed")
    company = session.scalar(select(Company).where(Company.id == company_id))
    if company is None:
        raise NotFound("company")
    return company


def _team_role_to_give(
    session: TenantSession, role: Role, staff_role_id: UUID | None, actor: Actor
) -> StaffRole | None:
    if not actor.may(Permission.STAFF_MANAGE):
        raise Forbidden("not_allowed")
    if role in CUSTOMER_ROLES or (role is Role.CUSTOM) != (staff_role_id is not None):
        raise invalid("role", "unknown_role")
    custom = load_staff_role(session, staff_role_id) if staff_role_id else None
    require_grantable(actor, {role}, own_permissions(custom))
    return custom


def _checked(form: NewInvitation, delivery: Delivery) -> NewInvitation:
    check = FieldCheck()
    name, email = check.name(form.name), check.email(form.email)
    if form.locale is not None and form.locale not in delivery.tenant.locales:
        check.refuse("locale", "unknown_language")
    check.done()
    return NewInvitation(name, email, form.role, form.staff_role_id, form.locale)


def _known(session: TenantSession, email: str) -> tuple[Person | None, User | None]:
    row = session.execute(
        select(Person, User).outerjoin(User, User.person_id == Person.id).where(Person.email == email)
    ).first()
    return (row[0], row[1]) if row else (None, None)


def _is_member(session: TenantSession, user_id: UUID, company_id: UUID) -> bool:
    return (
        session.scalar(
            select(Membership.id).where(Membership.user_id == user_id, Membership.company_id == company_id).limit(1)
        )
        is not None
    )


def _new_person(session: TenantSession, form: NewInvitation, company_id: UUID | None) -> Person:
    person = Person(id=uuid4(), tenant_id=session.tenant_id, company_id=company_id, name=form.name, email=form.email)
    session.add(person)
    session.flush()
    return person


def _new_login(session: TenantSession, person_id: UUID, form: NewInvitation, kind: UserKind, now: datetime) -> User:
    login = User(
        id=uuid4(),
        tenant_id=session.tenant_id,
        person_id=person_id,
        kind=kind,
        status=UserStatus.PENDING,
        locale=form.locale,
        mail_preferences={},
        created_at=now,
    )
    session.add(login)
    session.flush()
    return login


def _write(
    session: TenantSession, form: NewInvitation, login: User, company_id: UUID | None, actor: Actor, now: datetime
) -> Invitation:
    """The row; one that lapsed makes place, one that is still open is in the way."""
    before = session.scalar(
        select(Invitation).where(Invitation.user_id == login.id, Invitation.company_id == company_id, *_open())
    )
    if before is not None:
        if before.expires_at > now:
            raise Conflict("already_invited")
        before.revoked_at = now
        session.flush()
    refuse_mail_flood(session, login.id, now=now)
    invitation = Invitation(
        id=uuid4(),
        tenant_id=session.tenant_id,
        user_id=login.id,
        company_id=company_id,
        role=form.role,
        staff_role_id=form.staff_role_id,
        name=form.name,
        email=form.email,
        invited_by=actor.user_id,
        created_at=now,
        sent_at=now,
        expires_at=now + LIFETIME[LinkPurpose.INVITATION],
    )
    session.add(invitation)
    session.flush()
    return invitation


def _open() -> tuple[ColumnElement[bool], ...]:
    return Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None)


def _company_name(session: TenantSession, company_id: UUID | None) -> str | None:
    return session.scalar(select(Company.name).where(Company.id == company_id)) if company_id else None
