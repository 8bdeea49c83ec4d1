"""Everything a page or an answer about one quote needs, read with the reader's rights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, and_, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from portal.authz import Actor
from portal.lib.deposits import deposit_totals
from portal.lib.pricing import TaxRounding, Totals, price_lines
from portal.models import Company, NextStep, Person, Quote, QuoteLine, QuoteStatus, SealedDocument, Signature, User
from portal.models.session import TenantSession, prepare
from portal.services.quotes.accepting import choose_lines
from portal.services.quotes.clock import is_over, status_at
from portal.services.quotes.lines import priced, total_of
from portal.services.quotes.listing import next_steps
from portal.services.quotes.queries import get_quote, list_lines, list_versions
from portal.services.quotes.standing import may_decide, read_company

_NAMES = prepare(
    select(User.id, Person.name)
    .join(Person, Person.id == User.person_id)
    .where(User.id == any_(bindparam("ids", type_=ARRAY(Uuid()))))
)


@dataclass(frozen=True)
class QuoteDetail:
    """A version with its lines and surroundings; `may_decide` is about now and this reader.

    `seal_code` leads to the check of the sealed copy, and is empty until that is ready.
    """

    quote: Quote
    lines: Sequence[QuoteLine]
    company: Company
    status: QuoteStatus
    versions: Sequence[Quote]
    step: NextStep | None
    may_decide: bool
    is_open: bool
    totals: Totals
    deposit: int
    signature: Signature | None
    seal_code: str
    decided_by: str
    author: str

    @property
    def selected(self) -> frozenset[UUID]:
        """The lines that are taken."""
        return frozenset(line.id for line in self.lines if line.selected)


def get_quote_detail(session: TenantSession, quote_id: UUID, *, actor: Actor, now: datetime) -> QuoteDetail:
    """The version with all of it; NotFound where it does not exist for this actor."""
    quote = get_quote(session, quote_id, actor=actor)
    lines = list_lines(session, quote.id)
    company = read_company(session, quote)
    is_open = quote.status is QuoteStatus.SENT and not is_over(quote, now)
    names = _names(session, quote)
    signature, seal_code = _signature(session, quote)
    return QuoteDetail(
        quote=quote,
        lines=lines,
        company=company,
        status=status_at(quote, now),
        versions=list_versions(session, quote, actor=actor),
        step=next_steps(session, [quote.id], actor=actor).get(quote.id) if is_open else None,
        may_decide=is_open and may_decide(actor, company, total=quote.total, currency=quote.currency),
        is_open=is_open,
        totals=total_of(lines, quote.tax_rounding),
        deposit=quote.deposit,
        signature=signature,
        seal_code=seal_code,
        decided_by=names.get(quote.decided_by, "") if quote.decided_by else "",
        author=names.get(quote.created_by, "") if quote.created_by else "",
    )


def with_choice(detail: QuoteDetail, chosen: Sequence[UUID], *, actor: Actor) -> QuoteDetail:
    """The same as it would be with these lines taken; nothing is stored. Raises Invalid about the lines."""
    choose_lines(detail.lines, chosen)
    wanted, rounding = frozenset(chosen), TaxRounding(detail.quote.tax_rounding)
    totals = price_lines([priced(line) for line in detail.lines if line.id in wanted], rounding)
    deposit = deposit_totals(totals, detail.quote.deposit_percent, rounding).total
    company, currency = detail.company, detail.quote.currency
    decides = detail.is_open and may_decide(actor, company, total=totals.total, currency=currency)
    return replace(detail, totals=totals, deposit=deposit, may_decide=decides)


def _signature(session: TenantSession, quote: Quote) -> tuple[Signature | None, str]:
    """The signature, and the code of its sealed copy once that is ready."""
    if quote.status is not QuoteStatus.ACCEPTED:
        return None, ""
    same = and_(
        SealedDocument.record_type == Signature.record_type,
        SealedDocument.record_id == Signature.record_id,
        # Its row, with the code that is printed on it, is there before the file.
        SealedDocument.sealed_at.is_not(None),
    )
    query = select(Signature, SealedDocument.code).outerjoin(SealedDocument, same)
    query = query.where(Signature.record_type == "quote", Signature.record_id == quote.id)
    row = session.execute(query.order_by(Signature.position, Signature.created_at).limit(1)).first()
    return (row[0], row[1] or "") if row else (None, "")


def _names(session: TenantSession, quote: Quote) -> dict[UUID, str]:
    ids = [user_id for user_id in (quote.decided_by, quote.created_by) if user_id]
    if not ids:
        return {}
    return {row[0]: row[1] for row in session.read(_NAMES, {"ids": ids})}
