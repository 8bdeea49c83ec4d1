"""Saving a method on the gateway's own page: we send people there with their consent, and get back a token (H7.11)."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, NotFound
from portal.integrations.payments import GatewayRefused, GatewaySession
from portal.models import GatewayCustomer, PaymentMethod
from portal.models.session import TenantSession
from portal.services.billing.settings import load_settings
from portal.services.payments.applying import Desk
from portal.services.payments.calling import ensure_customer, site_of
from portal.services.payments.methods import CONSENT_VERSION, Consent, MethodFacts, save_method
from portal.services.payments.offering import kept_types


def begin_setup(session: TenantSession, company_id: UUID | None, *, actor: Actor) -> UUID:
    """The company that a method is saved for (the actor's own one where it is not named).

    Raises Forbidden, NotFound for companies of others, and Conflict `method_not_kept` where the tenant offers nothing
    that can be kept. Commit before `open_setup_page`.
    """
    require(actor, Permission.INVOICES_PAY)
    wanted = company_id or next(iter(actor.admin_company_ids), None)
    if wanted is None or wanted not in actor.company_ids:
        raise NotFound("company")
    if wanted not in actor.admin_company_ids:
        raise Forbidden("not_allowed", permission=Permission.INVOICES_PAY.value)
    settings = load_settings(session)
    kept_types(settings, settings.currency)
    row = {"tenant_id": session.tenant_id, "customer_id": wanted, "key": f"customer:{wanted}:create:1"}
    session.execute(insert(GatewayCustomer).values(row).on_conflict_do_nothing())
    return wanted


def open_setup_page(desk: Desk, company_id: UUID, *, actor: Actor, now: datetime) -> GatewaySession:
    """The gateway's page on which a method is saved; the consent given just now travels with it.

    Nothing is charged, so a repeat after a lost answer may open a second page at no harm.
    """
    with desk.sessions.begin(desk.tenant_id) as session:
        settings = load_settings(session)
        currency, types = settings.currency, kept_types(settings, settings.currency)
        site = site_of(session, desk.base_url)
    return desk.gateway.create_setup_checkout(
        key=f"setup:{company_id}:{uuid4()}",
        customer_id=ensure_customer(desk, company_id),
        currency=currency,
        method_types=types,
        success_url=f"{site}/portal/payment-methods/return?page={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{site}/portal/payment-methods",
        metadata={
            "tenant_id": str(desk.tenant_id),
            "company_id": str(company_id),
            "user_id": str(actor.user_id),
            "consent_version": CONSENT_VERSION,
            "consent_at": now.isoformat(),
            "consent_address": actor.ip,
        },
    )


def return_from_setup(desk: Desk, page_id: str, *, actor: Actor, now: datetime) -> PaymentMethod | None:
    """Save what the page was used for, as its owner comes back; None where it was not finished.

    Raises NotFound for pages of others.
    """
    try:
        page = desk.gateway.retrieve_session(page_id)
    except GatewayRefused:
        raise NotFound("payment_method") from None
    own = {str(company_id) for company_id in actor.company_ids}
    if page.metadata.get("tenant_id") != str(desk.tenant_id) or page.metadata.get("company_id") not in own:
        raise NotFound("payment_method")
    return finish_setup(desk, page, now=now)


def finish_setup(desk: Desk, page: GatewaySession, *, now: datetime) -> PaymentMethod | None:
    """Save the method of a finished page; None where there is none. Safe to repeat."""
    if page.status != "complete" or not page.setup_intent_id:
        return None
    setup = desk.gateway.retrieve_setup(page.setup_intent_id)
    if setup.status != "succeeded" or not setup.method_id:
        return None
    found = desk.gateway.retrieve_method(setup.method_id)
    if found.customer_id is None:
        # Taken off again meanwhile.
        raise Conflict("method_unknown")
    facts = MethodFacts(
        found.id, found.kind, found.brand, found.last4, found.exp_month, found.exp_year, found.fingerprint
    )
    told = page.metadata
    consent = Consent(
        UUID(told["user_id"]),
        datetime.fromisoformat(told["consent_at"]),
        told.get("consent_address", ""),
        told["consent_version"],
    )
    with desk.sessions.begin(desk.tenant_id) as session:
        return save_method(session, UUID(told["company_id"]), facts, consent=consent, now=now)
