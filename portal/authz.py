"""Who acts, and what their roles allow: one table, nothing else decides."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from portal.errors import Forbidden
from portal.models import Role, UserKind


class Permission(StrEnum):
    """`area:action`; every route, admin view, socket event and signal declares one."""

    DASHBOARD_VIEW = "dashboard:view"
    PREFERENCES_EDIT = "preferences:edit"
    NOTIFICATIONS_READ = "notifications:read"
    TICKETS_READ = "tickets:read"
    TICKETS_CREATE = "tickets:create"
    TICKETS_REPLY = "tickets:reply"
    TICKETS_CLOSE = "tickets:close"
    TICKETS_RATE = "tickets:rate"
    DESK_READ = "desk:read"
    DESK_REPLY = "desk:reply"
    DESK_NOTE = "desk:note"
    DESK_UPDATE = "desk:update"
    DESK_TRASH = "desk:trash"
    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_EDIT = "customers:edit"
    SLA_READ = "sla:read"
    SLA_CONFIGURE = "sla:configure"
    MAIL_READ = "mail:read"
    AUDIT_READ = "audit:read"
    BRANDING_EDIT = "branding:edit"
    PROFILE_EDIT = "profile:edit"
    COMPANY_MANAGE = "company:manage"
    API_KEYS_MANAGE = "api_keys:manage"
    ACCESS_MANAGE = "access:manage"
    STAFF_MANAGE = "staff:manage"
    ROLES_CONFIGURE = "roles:configure"
    SIGN_IN_CONFIGURE = "sign_in:configure"
    AUDIT_EXPORT = "audit:export"
    DESK_VIEWS = "desk:views"
    DESK_EXPORT = "desk:export"
    MAIL_DECIDE = "mail:decide"
    MAIL_CONFIGURE = "mail:configure"
    QUOTES_READ = "quotes:read"
    QUOTES_REQUEST = "quotes:request"
    QUOTES_DECIDE = "quotes:decide"
    QUOTES_MANAGE = "quotes:manage"
    SALES_READ = "sales:read"
    INVOICES_READ = "invoices:read"
    BILLING_READ = "billing:read"
    BILLING_MANAGE = "billing:manage"
    BILLING_CONFIGURE = "billing:configure"
    CONTRACTS_READ = "contracts:read"
    CONTRACTS_SIGN = "contracts:sign"
    CONTRACTS_SEE = "contracts:see"
    CONTRACTS_MANAGE = "contracts:manage"
    INVOICES_PAY = "invoices:pay"
    REFUNDS_MANAGE = "refunds:manage"


P = Permission
_EVERYBODY = {P.DASHBOARD_VIEW, P.PREFERENCES_EDIT, P.NOTIFICATIONS_READ, P.PROFILE_EDIT}
_CUSTOMER = _EVERYBODY | {
    P.TICKETS_READ,
    P.TICKETS_CREATE,
    P.TICKETS_REPLY,
    P.TICKETS_CLOSE,
    P.TICKETS_RATE,
    P.API_KEYS_MANAGE,
    P.QUOTES_READ,
    P.QUOTES_REQUEST,
    P.INVOICES_READ,
    P.CONTRACTS_READ,
}
_STAFF = _EVERYBODY | {P.DESK_READ, P.CUSTOMERS_READ}
_AGENT = _STAFF | {P.DESK_REPLY, P.DESK_NOTE, P.DESK_UPDATE, P.DESK_TRASH, P.SLA_READ, P.BILLING_READ, P.SALES_READ}
_SALES = {P.SALES_READ, P.QUOTES_MANAGE, P.CONTRACTS_SEE, P.CONTRACTS_MANAGE}
_BILLING = {P.BILLING_READ, P.BILLING_MANAGE, P.BILLING_CONFIGURE, P.REFUNDS_MANAGE}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.CUSTOMER: frozenset(_CUSTOMER),
    Role.CUSTOMER_ADMIN: frozenset(_CUSTOMER | {P.COMPANY_MANAGE, P.QUOTES_DECIDE, P.CONTRACTS_SIGN, P.INVOICES_PAY}),
    Role.AGENT: frozenset(_AGENT),
    Role.MANAGER: frozenset(
        _AGENT
        | _SALES
        | {
            P.SLA_CONFIGURE,
            P.CUSTOMERS_EDIT,
            P.MAIL_READ,
            P.MAIL_DECIDE,
            P.AUDIT_READ,
            P.AUDIT_EXPORT,
            P.ACCESS_MANAGE,
            P.DESK_VIEWS,
            P.DESK_EXPORT,
        }
    ),
    Role.BILLING: frozenset(_STAFF | {P.DESK_NOTE} | _SALES | _BILLING),
    Role.DESIGNER: frozenset(_STAFF | {P.SLA_READ, P.SLA_CONFIGURE, P.MAIL_READ, P.DESK_VIEWS}),
    Role.TENANT_ADMIN: frozenset(
        _AGENT
        | _SALES
        | _BILLING
        | {
            P.SLA_CONFIGURE,
            P.CUSTOMERS_EDIT,
            P.MAIL_READ,
            P.AUDIT_READ,
            P.AUDIT_EXPORT,
            P.BRANDING_EDIT,
            P.ACCESS_MANAGE,
            P.STAFF_MANAGE,
            P.ROLES_CONFIGURE,
            P.SIGN_IN_CONFIGURE,
            P.DESK_VIEWS,
            P.DESK_EXPORT,
            P.MAIL_DECIDE,
            P.MAIL_CONFIGURE,
        }
    ),
    # What these may is in the tenant's own row, which the identity brings along.
    Role.CUSTOM: frozenset(_EVERYBODY),
}


# What a tenant may put into roles of its own: whatever its own staff may do, never what customers do.
GRANTABLE: frozenset[Permission] = frozenset().union(
    *(ROLE_PERMISSIONS[role] for role in (Role.MANAGER, Role.BILLING, Role.DESIGNER, Role.TENANT_ADMIN))
)


class ActorKind(StrEnum):
    """Who causes a change; the names events and the audit trail use."""

    CUSTOMER = "customer"
    STAFF = "staff"
    AUTOMATION = "automation"
    SYSTEM = "system"
    VISITOR = "visitor"


@dataclass(frozen=True)
class Actor:
    """Somebody (or something) acting within one tenant, as of this request or activity."""

    kind: ActorKind
    tenant_id: UUID
    name: str
    user_id: UUID | None = None
    roles: frozenset[Role] = frozenset()
    company_ids: tuple[UUID, ...] = ()
    admin_company_ids: tuple[UUID, ...] = ()
    shared_company_ids: tuple[UUID, ...] = ()
    follows: bool = False
    granted: frozenset[Permission] = frozenset()
    ip: str = ""
    request_id: str = ""
    correlation_id: UUID | None = None
    depth: int = 0
    permissions: frozenset[Permission] = field(init=False)

    def __post_init__(self) -> None:
        by_role: frozenset[Permission] = frozenset().union(*(ROLE_PERMISSIONS[role] for role in self.roles))
        object.__setattr__(self, "permissions", by_role | self.granted)

    @property
    def whole_company_ids(self) -> tuple[UUID, ...]:
        """The companies all of whose tickets a customer sees: administered ones, and those that share them."""
        if not self.shared_company_ids:
            return self.admin_company_ids
        return tuple(dict.fromkeys((*self.admin_company_ids, *self.shared_company_ids)))

    @property
    def is_staff(self) -> bool:
        return self.kind is ActorKind.STAFF

    @property
    def is_customer(self) -> bool:
        return self.kind is ActorKind.CUSTOMER

    @property
    def is_system(self) -> bool:
        """A workflow or a command of ours: roles do not apply, tenancy still does."""
        return self.kind in (ActorKind.SYSTEM, ActorKind.AUTOMATION)

    def may(self, permission: Permission) -> bool:
        """Whether the roles (or being the system itself) allow `permission`."""
        return self.is_system or permission in self.permissions


def system_actor(tenant_id: UUID, name: str = "Portico") -> Actor:
    """The product itself, acting for a tenant."""
    return Actor(kind=ActorKind.SYSTEM, tenant_id=tenant_id, name=name)


def visitor(tenant_id: UUID, *, ip: str = "", request_id: str = "") -> Actor:
    """Somebody who has proved nothing (yet); may do nothing."""
    return Actor(kind=ActorKind.VISITOR, tenant_id=tenant_id, name="", ip=ip, request_id=request_id)


def require(actor: Actor, permission: Permission) -> None:
    """Refuse with Forbidden unless the actor may."""
    if not actor.may(permission):
        raise Forbidden("not_allowed", permission=permission.value)


def actor_kind_of(kind: UserKind) -> ActorKind:
    """The actor's kind for a login's kind."""
    return ActorKind.STAFF if kind is UserKind.STAFF else ActorKind.CUSTOMER
