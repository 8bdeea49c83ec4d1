"""Contracts as JSON: what customers get, and what the team gets besides."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import url_for
from pydantic import Field

from portal.blueprints.api.schemas import (
    ANY_TEXT,
    SOME_TEXT,
    Body,
    ListOf,
    NextStep,
    PageQuery,
    Shape,
    UtcDateTime,
    left_out,
)
from portal.blueprints.contracts.presenters import consent_for
from portal.blueprints.localisation import gettext
from portal.lib.wording.signing import STEPS
from portal.models import Contract, ContractStatus, Signature, SignatureStatus
from portal.services.contracts.queries import ContractDetail, ContractRow

Sha256 = Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$", description="Of the document that was read, in hex.")]


class ContractsQuery(PageQuery):
    """Which contracts."""

    status: Literal["sent", "signed", "void"] | None = Field(None, description="In one state only.")


class SignRequest(Body):
    """A signature."""

    signer_name: str = Field(max_length=100, json_schema_extra=SOME_TEXT)
    content_sha256: Sha256
    consent: bool = Field(description="True: agreed to `consent_text`.")
    consent_version: str | None = Field(
        None, max_length=20, description="Of the text that was read; where another one holds since, this is a conflict."
    )
    signature: str | None = Field(None, max_length=300_000, description="A drawn signature as a PNG data URL.")
    password: str | None = Field(None, max_length=1024, description="Where the portal asks for a fresh proof.")


class DeclineRequest(Body):
    """Why not."""

    reason: str = Field(max_length=500, json_schema_extra=SOME_TEXT)


class SignerItem(Shape):
    """Somebody who signs."""

    name: str
    side: Literal["customer", "staff"]
    position: int = Field(description="Equal positions sign in any order.")
    status: SignatureStatus
    decided_at: UtcDateTime | None

    @classmethod
    def of(cls, place: Signature) -> "SignerItem":
        """What both sides may know."""
        side: Literal["customer", "staff"] = "staff" if place.side == "staff" else "customer"
        return cls(
            name=place.signer_name,
            side=side,
            position=place.position,
            status=place.status,
            decided_at=place.decided_at,
        )


class ContractItem(Shape):
    """A contract in a list."""

    id: UUID
    number: str
    title: str
    status: ContractStatus
    starts_on: date | None
    ends_on: date | None
    content_sha256: str | None = Field(description="SHA-256 of the document that is signed, in hex.")
    sent_at: UtcDateTime | None
    signed_at: UtcDateTime | None
    awaits_me: bool = Field(description="It waits for your signature now.")

    @classmethod
    def of(cls, row: ContractRow) -> "ContractItem":
        """A row of the list."""
        return cls(**_common(row.contract), awaits_me=row.mine)


class ContractAnswer(Shape):
    """A contract with those who sign it."""

    id: UUID
    number: str
    title: str
    status: ContractStatus
    starts_on: date | None
    ends_on: date | None
    content_sha256: str | None = Field(description="SHA-256 of the document that is signed, in hex.")
    sent_at: UtcDateTime | None
    signed_at: UtcDateTime | None
    awaits_me: bool = Field(description="It waits for your signature now.")
    body_html: str = Field(description="The text as safe HTML; what is signed is the PDF.")
    in_order: bool
    signers: list[SignerItem]
    void_reason: str
    evidence_url: str | None = Field(description="Where anybody checks the sealed copy; null until it is sealed.")
    next_step: NextStep | None
    consent_text: str = Field(description="What you agree to by signing, in your language.")
    consent_version: str

    @classmethod
    def of(cls, found: ContractDetail) -> "ContractAnswer":
        """A contract as the API tells."""
        return cls(**_common(found.contract), awaits_me=found.can_sign, **_detail(found))


class StaffSigner(Shape):
    """Somebody who signs, with the evidence."""

    user_id: UUID
    name: str
    email: str
    side: str
    position: int
    status: SignatureStatus
    viewed_at: UtcDateTime | None
    decided_at: UtcDateTime | None
    address: str = Field(description="Where the decision came from.")
    user_agent: str
    factors: str = Field(description="How they had signed in, as `pwd+otp`.")
    consent_version: str
    decline_reason: str

    @classmethod
    def of(cls, place: Signature) -> "StaffSigner":
        """Everything that is kept of a signer."""
        names = ("user_id", "side", "position", "status", "viewed_at", "decided_at", "address", "user_agent")
        more = ("factors", "consent_version", "decline_reason")
        kept = {name: getattr(place, name) for name in (*names, *more)}
        return cls(name=place.signer_name, email=place.signer_email, **kept)


class StaffContract(Shape):
    """A contract as the team sees it."""

    id: UUID
    number: str
    title: str
    status: ContractStatus
    customer_id: UUID
    customer_name: str
    starts_on: date | None
    ends_on: date | None
    body: str = Field(description="Markdown.")
    locale: str
    in_order: bool
    content_sha256: str | None
    sent_at: UtcDateTime | None
    signed_at: UtcDateTime | None
    void_reason: str
    signers: list[StaffSigner]
    evidence_url: str | None
    next_step: NextStep | None
    consent_text: str = Field(description="What you agree to by countersigning, in your language.")
    consent_version: str

    @classmethod
    def of(cls, found: ContractDetail) -> "StaffContract":
        """A contract with the evidence."""
        contract, told = found.contract, _detail(found)
        return cls(
            **_common(contract),
            customer_id=contract.customer_id,
            customer_name=found.company_name,
            body=contract.body,
            locale=contract.locale,
            in_order=contract.in_order,
            void_reason=contract.void_reason,
            signers=[StaffSigner.of(place) for place in found.places],
            evidence_url=told["evidence_url"],
            next_step=told["next_step"],
            consent_text=told["consent_text"],
            consent_version=told["consent_version"],
        )


class StaffContractItem(Shape):
    """A contract in the team's list."""

    id: UUID
    number: str
    title: str
    status: ContractStatus
    customer_id: UUID
    customer_name: str
    ends_on: date | None
    sent_at: UtcDateTime | None
    signed_at: UtcDateTime | None

    @classmethod
    def of(cls, row: ContractRow) -> "StaffContractItem":
        """A row of the list."""
        one = row.contract
        return cls(
            id=one.id,
            number=one.number,
            title=one.title,
            status=one.status,
            customer_id=one.customer_id,
            customer_name=row.company_name,
            ends_on=one.ends_on,
            sent_at=one.sent_at,
            signed_at=one.signed_at,
        )


class StaffContractsQuery(PageQuery):
    """Which contracts."""

    status: ContractStatus | None = Field(None, description="In one state only.")
    customer_id: UUID | None = Field(None, description="Of one company only.")


class SignerRequest(Body):
    """Somebody who shall sign: a login of the company or of the team."""

    user_id: UUID
    position: Annotated[int, Field(ge=1, le=10)] = Field(1, description="Where the order matters.")


class DraftRequest(Body):
    """A contract's text, dates and signers."""

    customer_id: UUID
    title: str = Field(max_length=160, json_schema_extra=SOME_TEXT)
    body: str = Field(max_length=60_000, json_schema_extra=SOME_TEXT, description="Light Markdown.")
    signers: list[SignerRequest] = Field(min_length=1, max_length=10)
    in_order: bool = left_out(description="They sign one after another; without it the tenant's usual order.")
    starts_on: date | None = None
    ends_on: date | None = None
    locale: str = Field("en", max_length=10, json_schema_extra=ANY_TEXT)


class VoidRequest(Body):
    """Why it is taken back."""

    reason: str = Field(max_length=255, json_schema_extra=SOME_TEXT)


Contracts = ListOf[ContractItem]
StaffContracts = ListOf[StaffContractItem]


def _common(contract: Contract) -> dict[str, Any]:
    names = ("id", "number", "title", "status", "starts_on", "ends_on", "sent_at", "signed_at")
    told = {name: getattr(contract, name) for name in names}
    return told | {"content_sha256": contract.content_sha256.hex() if contract.content_sha256 else None}


def _detail(found: ContractDetail) -> dict[str, Any]:
    contract, consent = found.contract, consent_for(found)
    code = found.sealed.code if found.sealed is not None and found.is_sealed else None
    return {
        "body_html": contract.body_html,
        "in_order": contract.in_order,
        "signers": [SignerItem.of(place) for place in found.places],
        "void_reason": contract.void_reason,
        "evidence_url": url_for("verify.check", code=code, _external=True) if code else None,
        "next_step": next(
            (NextStep(kind=step.kind, at=step.at, text=gettext(STEPS[step.kind])) for step in found.steps), None
        ),
        "consent_text": consent.text,
        "consent_version": consent.version,
    }
