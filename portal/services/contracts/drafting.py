"""Drafting contracts: Markdown, dates, who signs and in which order; free to change until it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid
from portal.events import publish
from portal.events.contracts import ContractDrafted
from portal.lib.text import clean_text, has_forbidden_characters, render_markdown
from portal.models import BillingSettings, Company, Contract, ContractStatus, Membership, Tenant, User, UserKind
from portal.models.session import TenantSession
from portal.services.billing.numbering import next_in_series
from portal.services.contracts.queries import RECORD, get_contract
from portal.services.signing.requesting import Signer, request_signatures

TITLE_LENGTH = 160
BODY_LENGTH = 60_000
STANDARD_FORMAT = "C-{year}-{counter}"


@dataclass(frozen=True)
class ContractDraft:
    """What a contract says and who signs it; signers are logins of the company and of the team."""

    customer_id: UUID
    title: str
    body: str
    signers: Sequence[Signer]
    in_order: bool = False
    starts_on: date | None = None
    ends_on: date | None = None
    locale: str = "en"
    quote_id: UUID | None = None
    contract_id: UUID = field(default_factory=uuid4)


def create_contract(session: TenantSession, draft: ContractDraft, *, actor: Actor, now: datetime) -> Contract:
    """Begin a contract. Raises Invalid per field, Forbidden."""
    require(actor, Permission.CONTRACTS_MANAGE)
    tenant = _check(session, draft)
    number_format = session.scalar(select(BillingSettings.contract_number_format)) or STANDARD_FORMAT
    day = now.astimezone(ZoneInfo(tenant.timezone)).date()
    contract = Contract(
        id=draft.contract_id,
        tenant_id=session.tenant_id,
        customer_id=draft.customer_id,
        status=ContractStatus.DRAFT,
        created_by=actor.user_id,
        created_at=now,
        number=next_in_series(session, RECORD, number_format, day=day),
        quote_id=draft.quote_id,
    )
    _write(contract, draft, now)
    session.add(contract)
    session.flush()
    request_signatures(session, RECORD, contract.id, draft.signers, now=now)
    publish(session, ContractDrafted(contract.id), actor=actor, now=now, after={"number": contract.number})
    return contract


def change_contract(
    session: TenantSession, contract_id: UUID, draft: ContractDraft, *, actor: Actor, now: datetime
) -> Contract:
    """Write a draft anew. Raises Invalid per field, NotFound, Conflict `contract_frozen` once it was sent."""
    require(actor, Permission.CONTRACTS_MANAGE)
    contract = get_contract(session, contract_id, actor=actor, lock=True)
    if contract.status is not ContractStatus.DRAFT:
        raise Conflict("contract_frozen")
    _check(session, draft)
    contract.customer_id = draft.customer_id
    _write(contract, draft, now)
    request_signatures(session, RECORD, contract.id, draft.signers, now=now)
    publish(session, ContractDrafted(contract.id), actor=actor, now=now, after={"number": contract.number})
    return contract


def _write(contract: Contract, draft: ContractDraft, now: datetime) -> None:
    contract.title = clean_text(draft.title)
    contract.body = clean_text(draft.body)
    contract.body_html = render_markdown(contract.body)
    contract.locale = draft.locale
    contract.in_order = draft.in_order
    contract.starts_on, contract.ends_on = draft.starts_on, draft.ends_on
    contract.updated_at = now


def _check(session: TenantSession, draft: ContractDraft) -> Tenant:
    """The tenant whose contract it is. Raises Invalid with everything that is wrong."""
    errors: list[FieldError] = []
    for name, given, limit in (("title", draft.title, TITLE_LENGTH), ("body", draft.body, BODY_LENGTH)):
        text = clean_text(given)
        if not text:
            errors.append(FieldError(name, "required"))
        elif len(text) > limit:
            errors.append(FieldError(name, "too_long", (("limit", limit),)))
        elif has_forbidden_characters(text):
            errors.append(FieldError(name, "characters_forbidden"))
    if draft.starts_on and draft.ends_on and draft.ends_on < draft.starts_on:
        errors.append(FieldError("ends_on", "ends_before_start"))
    tenant = session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one()
    if draft.locale not in (tenant.locales or [tenant.locale]):
        errors.append(FieldError("locale", "unknown_choice"))
    if session.scalar(select(Company.id).where(Company.id == draft.customer_id)) is None:
        errors.append(FieldError("customer_id", "unknown_company"))
    elif foreign := _foreign(session, draft):
        errors.append(foreign)
    if errors:
        raise Invalid(*errors)
    return tenant


def _foreign(session: TenantSession, draft: ContractDraft) -> FieldError | None:
    """Signers are of this company or of the team, and somebody of the company is among them."""
    wanted = {signer.user_id for signer in draft.signers}
    members = set(
        session.scalars(
            select(Membership.user_id).where(Membership.company_id == draft.customer_id, Membership.user_id.in_(wanted))
        )
    )
    team = set(session.scalars(select(User.id).where(User.kind == UserKind.STAFF, User.id.in_(wanted))))
    if not wanted:
        return FieldError("signers", "required")
    if wanted - members - team:
        return FieldError("signers", "unknown_signer")
    return None if members else FieldError("signers", "customer_signer_needed")
