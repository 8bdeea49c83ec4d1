"""Saved cards and accounts: a token and what may be shown of it; nothing else ever gets here (H7.11, SEC-08)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, update

from portal.authz import Actor, Permission, require, system_actor
from portal.errors import Conflict, NotFound, invalid
from portal.events import publish
from portal.events.payments import MethodAdded, MethodRemoved, MethodUpdated
from portal.models import AutoPay, PaymentMethod
from portal.models.session import TenantSession
from portal.services.billing.planned import hand_over
from portal.services.payments.auto_outcome import retry_now

# What people agree to when a method is kept; a new text gets a new version.
CONSENT_VERSION = "2026-11"


@dataclass(frozen=True)
class MethodFacts:
    """What the gateway says of a method; `gateway_id` is the token."""

    gateway_id: str
    kind: str
    brand: str = ""
    last4: str = ""
    exp_month: int | None = None
    exp_year: int | None = None
    fingerprint: str = ""


@dataclass(frozen=True)
class Consent:
    """Who agreed that a method is kept, when and from where."""

    user_id: UUID | None
    at: datetime
    address: str
    version: str = CONSENT_VERSION


def list_methods(session: TenantSession, *, actor: Actor, company_id: UUID | None = None) -> list[PaymentMethod]:
    """The methods of the actor's companies (of one, where named), the default one first."""
    require(actor, Permission.BILLING_READ if actor.is_staff else Permission.INVOICES_READ)
    query = select(PaymentMethod).where(PaymentMethod.removed_at.is_(None))
    if not (actor.is_staff or actor.is_system):
        query = query.where(PaymentMethod.customer_id.in_(actor.company_ids))
    if company_id is not None:
        query = query.where(PaymentMethod.customer_id == company_id)
    ordered = query.order_by(PaymentMethod.is_default.desc(), PaymentMethod.created_at.desc(), PaymentMethod.id)
    return list(session.scalars(ordered))


def get_method(session: TenantSession, method_id: UUID, *, actor: Actor, lock: bool = False) -> PaymentMethod:
    """A method of a company of the actor's; NotFound for others and for removed ones."""
    query = select(PaymentMethod).where(PaymentMethod.id == method_id, PaymentMethod.removed_at.is_(None))
    if not actor.is_system:
        query = query.where(PaymentMethod.customer_id.in_(actor.company_ids))
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("payment_method")
    return found


def save_method(
    session: TenantSession, company_id: UUID, facts: MethodFacts, *, consent: Consent, now: datetime
) -> PaymentMethod:
    """Keep a method that its company agreed to; the same card twice is one entry (by its fingerprint).

    The first one of a company is its default. Repeats change nothing but what is shown.
    """
    found = _same(session, company_id, facts)
    if found is None:
        found = PaymentMethod(
            id=uuid4(), customer_id=company_id, added_by=consent.user_id, gateway_id=facts.gateway_id, created_at=now
        )
        found.is_default = not _has_default(session, company_id)
        session.add(found)
        _fill(found, facts, consent)
        actor = system_actor(session.tenant_id)
        publish(session, MethodAdded(found.id, company_id, ends_of(found)), actor=actor, now=now, after=shown(facts))
    elif found.removed_at is not None or found.gateway_id != facts.gateway_id:
        # The gateway made a new token for a card that is known: the newest one is the one that may be charged.
        found.gateway_id, found.removed_at = facts.gateway_id, None
        _fill(found, facts, consent)
    return found


def update_shown(method: PaymentMethod, facts: MethodFacts) -> None:
    """Take over what the card's bank renewed by itself (number and expiry of a new card)."""
    method.brand, method.last4 = facts.brand, facts.last4
    method.exp_month, method.exp_year = facts.exp_month, facts.exp_year


def ends_of(method: PaymentMethod) -> str:
    """The last month in which a card is good, as 2028-08; empty for methods without an end."""
    return f"{method.exp_year}-{method.exp_month:02}" if method.exp_year and method.exp_month else ""


def renew_method(session: TenantSession, method: PaymentMethod, facts: MethodFacts, *, now: datetime) -> None:
    """A bank sent a new card: what is shown follows, its end is watched anew, what failed is tried again at once."""
    before = (method.last4, ends_of(method))
    update_shown(method, facts)
    if before == (method.last4, ends_of(method)):
        return
    plan = session.scalar(
        select(AutoPay).where(AutoPay.customer_id == method.customer_id, AutoPay.enabled).with_for_update()
    )
    if plan is not None and plan.method_id == method.id:
        retry_now(session, method.customer_id, now=now)
    fact = MethodUpdated(method.id, method.customer_id, ends_of(method))
    publish(session, fact, actor=system_actor(session.tenant_id), now=now, after={"expires": ends_of(method)})


def make_default(session: TenantSession, method_id: UUID, *, actor: Actor, now: datetime) -> PaymentMethod:
    """Have payments offer this method first; again changes nothing. Raises Forbidden and NotFound.

    Auto-pay that charged the default one until now follows, and what failed is tried again at once.
    """
    require(actor, Permission.INVOICES_PAY)
    method = get_method(session, method_id, actor=actor, lock=True)
    if not method.is_default:
        before = _default_of(session, method.customer_id)
        _set_default(session, method)
        _follow(session, method, before, now)
        fact = MethodUpdated(method.id, method.customer_id, ends_of(method))
        publish(session, fact, actor=actor, now=now, after={"is_default": True})
    return method


def remove_method(
    session: TenantSession, method_id: UUID, *, successor_id: UUID | None = None, actor: Actor, now: datetime
) -> str:
    """Charge a method no more; gives its token, which the gateway has to forget after the commit.

    Raises Forbidden, NotFound, and Conflict `method_in_use` where auto-pay uses it and no successor is named.
    """
    require(actor, Permission.INVOICES_PAY)
    method = get_method(session, method_id, actor=actor, lock=True)
    successor = get_method(session, successor_id, actor=actor, lock=True) if successor_id else None
    if successor is not None and (successor.id == method.id or successor.customer_id != method.customer_id):
        raise invalid("successor_id", "unknown_choice")
    plan = session.scalar(
        select(AutoPay).where(AutoPay.customer_id == method.customer_id, AutoPay.enabled).with_for_update()
    )
    if plan is not None and plan.method_id == method.id:
        if successor is None:
            raise Conflict("method_in_use")
        plan.method_id = successor.id
        retry_now(session, method.customer_id, now=now)
        fact = MethodUpdated(successor.id, method.customer_id, ends_of(successor))
        publish(session, fact, actor=actor, now=now)
    was_default, method.is_default, method.removed_at = method.is_default, False, now
    publish(session, MethodRemoved(method.id, method.customer_id), actor=actor, now=now)
    hand_over(session, method.id, successor.id if successor else None, actor=actor, now=now)
    if was_default:
        following = successor or _newest(session, method.customer_id)
        if following is not None:
            _set_default(session, following)
    return method.gateway_id


def shown(facts: MethodFacts) -> dict[str, str]:
    """What the trail may say of a method."""
    return {"kind": facts.kind, "brand": facts.brand, "last4": facts.last4}


def _same(session: TenantSession, company_id: UUID, facts: MethodFacts) -> PaymentMethod | None:
    by_token = session.scalar(
        select(PaymentMethod).where(PaymentMethod.gateway_id == facts.gateway_id).with_for_update()
    )
    if by_token is not None or not facts.fingerprint:
        return by_token
    return session.scalar(
        select(PaymentMethod)
        .where(
            PaymentMethod.customer_id == company_id,
            PaymentMethod.fingerprint == facts.fingerprint,
            PaymentMethod.removed_at.is_(None),
        )
        .with_for_update()
        .limit(1)
    )


def _fill(method: PaymentMethod, facts: MethodFacts, consent: Consent) -> None:
    method.kind, method.fingerprint = facts.kind, facts.fingerprint
    update_shown(method, facts)
    method.consent_version, method.consent_at, method.consent_address = consent.version, consent.at, consent.address


def _has_default(session: TenantSession, company_id: UUID) -> bool:
    return _default_of(session, company_id) is not None


def _default_of(session: TenantSession, company_id: UUID) -> UUID | None:
    return session.scalar(
        select(PaymentMethod.id).where(
            PaymentMethod.customer_id == company_id, PaymentMethod.is_default, PaymentMethod.removed_at.is_(None)
        )
    )


def _follow(session: TenantSession, method: PaymentMethod, before: UUID | None, now: datetime) -> None:
    plan = session.scalar(
        select(AutoPay).where(AutoPay.customer_id == method.customer_id, AutoPay.enabled).with_for_update()
    )
    if plan is not None and plan.method_id == before:
        plan.method_id = method.id
        retry_now(session, method.customer_id, now=now)


def _set_default(session: TenantSession, method: PaymentMethod) -> None:
    session.execute(
        update(PaymentMethod)
        .where(PaymentMethod.customer_id == method.customer_id, PaymentMethod.is_default)
        .values(is_default=False)
    )
    method.is_default = True
    session.flush()


def _newest(session: TenantSession, company_id: UUID) -> PaymentMethod | None:
    session.flush()
    return session.scalar(
        select(PaymentMethod)
        .where(PaymentMethod.customer_id == company_id, PaymentMethod.removed_at.is_(None))
        .order_by(PaymentMethod.created_at.desc())
        .limit(1)
    )
