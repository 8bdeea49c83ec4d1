"""The kinds of documents that are sealed. A domain adds its own here, with a function that gives what was signed."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from portal.authz import system_actor
from portal.errors import Conflict, NotFound
from portal.events.base import Event
from portal.events.contracts import ContractSealed, QuoteSealed
from portal.integrations.storage import FileStorage
from portal.models import Company, Contract, ContractStatus, QuoteStatus, Tenant
from portal.models.session import TenantSession
from portal.services.contracts.document import read_document
from portal.services.contracts.queries import RECORD as CONTRACT
from portal.services.quotes.content import canonical_bytes
from portal.services.quotes.detail import get_quote_detail
from portal.services.quotes.document import draw_quote
from portal.services.quotes.queries import get_quote
from portal.services.tenants.directory import load_profile


@dataclass(frozen=True)
class SignedRecord:
    """What was signed: the very bytes, and how the document is called; `locale` is the language of its evidence.

    Where people signed the content as such (canonical bytes, whose hash they sent back) and `content` is the document
    drawn of it, `signed_content` is the former.
    """

    content: bytes
    number: str
    title: str
    company: str
    locale: str
    signed_content: bytes | None = None


@dataclass(frozen=True)
class DocumentKind:
    """How the bytes of a kind are had, and what tells that it is sealed.

    `read` raises NotFound, or Conflict where it is not signed.
    """

    read: Callable[[TenantSession, UUID, FileStorage], SignedRecord]
    sealed: Callable[[UUID, str], Event]


def _signed_contract(session: TenantSession, contract_id: UUID, storage: FileStorage) -> SignedRecord:
    row = session.execute(
        select(Contract, Company.name)
        .join(Company, Company.id == Contract.customer_id)
        .where(Contract.id == contract_id)
    ).first()
    if row is None:
        raise NotFound("contract")
    contract, company = row
    if contract.status is not ContractStatus.SIGNED:
        raise Conflict("not_signed")
    content = read_document(contract, storage=storage)
    return SignedRecord(content, contract.number, contract.title, company, contract.locale)


def _signed_quote(session: TenantSession, quote_id: UUID, storage: FileStorage) -> SignedRecord:
    """Signed was the canonical content, whose fingerprint the customer sent back; the document is drawn of it."""
    actor = system_actor(session.tenant_id)
    quote = get_quote(session, quote_id, actor=actor)
    if quote.status is not QuoteStatus.ACCEPTED or quote.decided_at is None:
        raise Conflict("not_signed")
    found = get_quote_detail(session, quote_id, actor=actor, now=quote.decided_at)
    tenant = load_profile(session, session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one())
    return SignedRecord(
        draw_quote(found, tenant=tenant, now=quote.decided_at),
        quote.number,
        quote.title or quote.number,
        found.company.name,
        quote.locale,
        signed_content=canonical_bytes(quote, found.lines),
    )


documents_to_sign: dict[str, DocumentKind] = {
    CONTRACT: DocumentKind(_signed_contract, lambda record_id, level: ContractSealed(record_id, level=level)),
    "quote": DocumentKind(_signed_quote, lambda record_id, level: QuoteSealed(record_id, level=level)),
}
