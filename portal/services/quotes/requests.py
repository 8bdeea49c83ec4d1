"""A customer's wish for a quote: asked, then answered by a quote or refused with a reason (QTE-01)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import Select, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Forbidden, Invalid
from portal.events import publish
from portal.events.quotes import QuoteRequested, QuoteRequestRefused
from portal.lib.money import EXPONENTS, LARGEST
from portal.lib.text import clean_text, has_forbidden_characters
from portal.models import Company, Person, QuoteRequest, User
from portal.models.session import TenantSession, prepare
from portal.services.billing.numbering import next_in_series
from portal.services.quotes.queries import get_request, requests_visible_to
from portal.services.quotes.settings import read_settings

SUBJECT_LENGTH, TEXT_LENGTH, REFUSAL_LENGTH = 160, 10_000, 500
NUMBER_FORMAT = "QR-{year}-{counter}"
SHOWN = 50
# As much as one company may have waiting: nobody fills the team's list.
MOST_WAITING = 20
RequestState = Literal["waiting", "answered", "refused"]


@dataclass(frozen=True)
class QuoteWish:
    """What a customer asks for; `budget` in minor units of `currency`."""

    subject: str
    requirements: str
    budget: int | None = None
    currency: str | None = None
    wanted_by: date | None = None
    company_id: UUID | None = None
    id: UUID | None = None


@dataclass(frozen=True)
class RequestRow:
    """A wish with who asked."""

    request: QuoteRequest
    company_name: str
    person_name: str

    @property
    def state(self) -> RequestState:
        """Where it stands."""
        return state_of(self.request)


def state_of(request: QuoteRequest) -> RequestState:
    """Where a wish stands."""
    if request.answered_at is None:
        return "waiting"
    return "answered" if request.quote_id else "refused"


def request_quote(session: TenantSession, wish: QuoteWish, *, actor: Actor, now: datetime) -> QuoteRequest:
    """Ask for a quote. Raises Forbidden, Invalid per field, Conflict `too_many_requests_waiting`."""
    require(actor, Permission.QUOTES_REQUEST)
    company_id = wish.company_id or (actor.company_ids[0] if actor.company_ids else None)
    if company_id is None or company_id not in actor.company_ids or actor.user_id is None:
        raise Forbidden("no_company")
    settings = read_settings(session)
    currency = wish.currency or settings.currency
    subject, text = _check(wish, currency, settings.today(now))
    waiting = select(QuoteRequest.id).where(QuoteRequest.customer_id == company_id, QuoteRequest.answered_at.is_(None))
    if len(session.scalars(waiting.limit(MOST_WAITING)).all()) >= MOST_WAITING:
        raise Conflict("too_many_requests_waiting", limit=MOST_WAITING)
    request = QuoteRequest(
        id=wish.id or uuid4(),
        tenant_id=session.tenant_id,
        number=next_in_series(session, "quote_request", NUMBER_FORMAT, day=settings.today(now)),
        customer_id=company_id,
        user_id=actor.user_id,
        subject=subject,
        requirements=text,
        budget=wish.budget,
        currency=currency,
        wanted_by=wish.wanted_by,
        refusal="",
        created_at=now,
    )
    session.add(request)
    publish(session, QuoteRequested.about(request), actor=actor, now=now, after={"number": request.number})
    return request


def refuse_request(
    session: TenantSession, request_id: UUID, *, reason: str, actor: Actor, now: datetime
) -> QuoteRequest:
    """Say that there will be no quote, and why. Raises Forbidden, Invalid, Conflict `request_answered`."""
    request = get_request(session, request_id, actor=actor, lock=True)
    require(actor, Permission.QUOTES_MANAGE)
    errors: list[FieldError] = []
    text = _text("reason", reason, REFUSAL_LENGTH, errors)
    if errors:
        raise Invalid(*errors)
    if request.answered_at is not None:
        raise Conflict("request_answered", number=request.number)
    request.refusal, request.answered_at = text, now
    publish(session, QuoteRequestRefused.about(request), actor=actor, now=now)
    return request


def list_requests(
    session: TenantSession, *, waiting: bool | None = None, actor: Actor, limit: int = SHOWN
) -> Sequence[RequestRow]:
    """The newest wishes the actor may see (at most `limit`); `waiting` leaves out the answered ones."""
    if waiting and limit == SHOWN and actor.is_customer:
        found = session.run(_WAITING, {"companies": list(actor.company_ids)})
        return [_row(row) for row in found]
    query = _select(actor)
    if waiting is not None:
        query = query.where(QuoteRequest.answered_at.is_(None) if waiting else QuoteRequest.answered_at.is_not(None))
    rows = session.execute(query.order_by(QuoteRequest.created_at.desc(), QuoteRequest.id.desc()).limit(limit))
    return [_row(row) for row in rows]


def get_request_row(session: TenantSession, request_id: UUID, *, actor: Actor) -> RequestRow:
    """One wish with who asked; NotFound where it does not exist for this actor."""
    request = get_request(session, request_id, actor=actor)
    row = session.execute(_select(actor).where(QuoteRequest.id == request.id)).one()
    return _row(row)


def _row(row: Any) -> RequestRow:
    return RequestRow(*row)


def _select(actor: Actor) -> Select[*tuple[Any, ...]]:
    return _named().where(requests_visible_to(actor))


def _named() -> Select[*tuple[Any, ...]]:
    return (
        select(QuoteRequest, Company.name, Person.name)
        .join(Company, Company.id == QuoteRequest.customer_id)
        .join(User, User.id == QuoteRequest.user_id)
        .join(Person, Person.id == User.person_id)
    )


# What the customer's list of quotes shows, built once: building it takes longer than running it.
_WAITING = prepare(
    _named()
    .where(
        QuoteRequest.customer_id == any_(bindparam("companies", type_=ARRAY(Uuid()))),
        QuoteRequest.answered_at.is_(None),
    )
    .order_by(QuoteRequest.created_at.desc(), QuoteRequest.id.desc())
    .limit(SHOWN)
)


def _check(wish: QuoteWish, currency: str, today: date) -> tuple[str, str]:
    errors: list[FieldError] = []
    subject = _text("subject", wish.subject, SUBJECT_LENGTH, errors)
    text = _text("requirements", wish.requirements, TEXT_LENGTH, errors)
    if currency not in EXPONENTS:
        errors.append(FieldError("currency", "currency_unknown"))
    if wish.budget is not None and not 0 < wish.budget <= LARGEST:
        errors.append(FieldError("budget", "amount_invalid"))
    if wish.wanted_by is not None and wish.wanted_by < today:
        errors.append(FieldError("wanted_by", "day_over"))
    if errors:
        raise Invalid(*errors)
    return subject, text


def _text(field: str, value: str, limit: int, errors: list[FieldError]) -> str:
    if has_forbidden_characters(value):
        errors.append(FieldError(field, "characters_forbidden"))
        return ""
    text = clean_text(value)
    if not text:
        errors.append(FieldError(field, "required"))
    elif len(text) > limit:
        errors.append(FieldError(field, "too_long", (("limit", limit),)))
    return text
