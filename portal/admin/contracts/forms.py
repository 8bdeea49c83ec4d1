"""A contract's draft as a form: what was typed, and what the service takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from portal.errors import invalid
from portal.models import Contract, Signature
from portal.services.contracts.drafting import ContractDraft
from portal.services.signing.requesting import MOST_SIGNERS, Signer

PLACES = 4


@dataclass(frozen=True)
class TypedDraft:
    """The form's fields as text; `signers` are ids of logins in their order, some of them empty."""

    customer_id: str
    title: str
    body: str
    signers: tuple[str, ...]
    in_order: bool
    starts_on: str
    ends_on: str
    locale: str

    @classmethod
    def of_form(cls, sent: Any) -> "TypedDraft":
        """What was sent."""
        names = ("customer_id", "title", "body")
        texts = {name: sent.get(name, "") for name in names}
        return cls(
            **texts,
            signers=tuple(sent.getlist("signers")[:MOST_SIGNERS]),
            in_order=sent.get("in_order") == "1",
            starts_on=sent.get("starts_on", ""),
            ends_on=sent.get("ends_on", ""),
            locale=sent.get("locale", ""),
        )

    @classmethod
    def of_contract(cls, contract: Contract, places: Sequence[Signature]) -> "TypedDraft":
        """What is stored."""
        return cls(
            customer_id=str(contract.customer_id),
            title=contract.title,
            body=contract.body,
            signers=tuple(str(place.user_id) for place in places),
            in_order=contract.in_order,
            starts_on=contract.starts_on.isoformat() if contract.starts_on else "",
            ends_on=contract.ends_on.isoformat() if contract.ends_on else "",
            locale=contract.locale,
        )

    def read(self) -> ContractDraft:
        """The draft; Invalid about a day or a choice that is none."""
        chosen = [_id("signers", one) for one in self.signers if one]
        return ContractDraft(
            customer_id=_id("customer_id", self.customer_id),
            title=self.title,
            body=self.body,
            signers=[Signer(user_id, place) for place, user_id in enumerate(chosen, 1)],
            in_order=self.in_order,
            starts_on=_day("starts_on", self.starts_on),
            ends_on=_day("ends_on", self.ends_on),
            locale=self.locale,
        )


def shown_signers(typed: TypedDraft) -> list[str]:
    """As many choices as the form offers."""
    return [*typed.signers, *[""] * max(0, PLACES - len(typed.signers))]


def empty_draft(customer_id: str, locale: str, *, in_order: bool) -> TypedDraft:
    """A new one, in the tenant's usual order."""
    return TypedDraft(customer_id, "", "", (), in_order=in_order, starts_on="", ends_on="", locale=locale)


def _id(field: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid(field, "unknown_choice") from None


def _day(field: str, text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise invalid(field, "unknown_choice") from None
